"""The transformer block, GPT and its loss, in torch."""

from functools import partial

import numpy as np

from fmkit import transformer as ours
from fmkit.attention import causal_mask, rope_tables
from fmkit.params import flatten, tree_map, unflatten
from fmkit.twins.case import Case

B, T = 3, 5
TIED = ours.Config(vocab_size=11, block_size=7, n_layers=2, n_heads=2, d_model=8, d_ff=12)
UNTIED = ours.Config(vocab_size=11, block_size=7, n_layers=2, n_heads=2, d_model=8, d_ff=12, tied=False)
ROPE = rope_tables(np.arange(T), TIED.d_model // TIED.n_heads)


def shake(rng, params):
    """Random values everywhere, so that no gain is 1, no bias 0 and no gradient tiny."""
    tables = ("wte", "wpe", "wse")  # of embeddings, which a norm follows
    return unflatten(
        {
            name: w.astype(np.float64) + (1.0 if name in tables else 0.2) * rng.standard_normal(w.shape)
            for name, w in flatten(params).items()
        }
    )


def scale_loss_grads(dout, grads):
    """Backward of a whole loss, whose "cache" is its gradient already."""
    return tree_map(lambda g: g * g.dtype.type(dout), grads)


def _block_inputs(rng):
    p = ours.init_block(rng, TIED)
    return rng.standard_normal((B, T, TIED.d_model)), shake(rng, p)


def _gpt_inputs(rng, config, targets=False):
    ids = rng.integers(0, config.vocab_size, (B, T))
    ids[0, :3] = 4  # the same token several times: its gradients add up
    params = shake(rng, ours.init_gpt(rng, config))
    if not targets:
        return params, ids
    targets = rng.integers(0, config.vocab_size, (B, T))
    targets[1, :2] = -100
    return params, ids, targets


def run_twin(kind, config, params, *inputs, **options):
    """What a model or a part of `fmkit.twins.models` gives with these parameters."""
    from torch.func import functional_call

    from fmkit.twins import models

    return functional_call(getattr(models, kind)(config), flatten(params), inputs, options)


def torch_block(x, p):
    return run_twin("Block", TIED, p, x)


def torch_rotary_block(x, p):
    from fmkit.twins.models import rope_tables

    tables = rope_tables(T, TIED.d_model // TIED.n_heads, 10000.0, x)
    return run_twin("Block", TIED, p, x, causal=False, tables=tables)


def torch_gpt(params, ids, config):
    return run_twin("GPT", config, params, ids)


def torch_gpt_loss(params, ids, targets, config):
    from torch.nn.functional import cross_entropy

    return cross_entropy(torch_gpt(params, ids, config).flatten(0, 1), targets.flatten())


CASES = {
    "block": Case(
        lambda x, p: ours.block(x, p, TIED.n_heads, causal_mask(T, x.dtype)),
        ours.block_backward,
        _block_inputs,
        torch_block,
    ),
    "block_boolean": Case(
        lambda x, p: ours.block(x, p, TIED.n_heads, np.tri(T, dtype=bool)),
        ours.block_backward,
        _block_inputs,
        torch_block,
    ),
    "block_rotary": Case(
        lambda x, p: ours.block(x, p, TIED.n_heads, rope=ROPE),
        ours.block_backward,
        _block_inputs,
        torch_rotary_block,
    ),
    "gpt_tied": Case(
        partial(ours.gpt, config=TIED),
        ours.gpt_backward,
        partial(_gpt_inputs, config=TIED),
        partial(torch_gpt, config=TIED),
    ),
    "gpt_untied": Case(
        partial(ours.gpt, config=UNTIED),
        ours.gpt_backward,
        partial(_gpt_inputs, config=UNTIED),
        partial(torch_gpt, config=UNTIED),
    ),
    "gpt_loss": Case(
        partial(ours.gpt_loss, config=TIED),
        scale_loss_grads,
        partial(_gpt_inputs, config=TIED, targets=True),
        partial(torch_gpt_loss, config=TIED),
    ),
}
