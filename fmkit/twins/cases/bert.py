"""BERT's block, encoder, heads and losses, in torch."""

from functools import partial

import numpy as np

from fmkit import bert as ours
from fmkit.attention import padding_mask
from fmkit.twins.case import Case
from fmkit.twins.cases.transformer import run_twin, scale_loss_grads, shake

B, T, K = 3, 5, 4
CONFIG = ours.BertConfig(vocab_size=11, block_size=7, n_layers=2, n_heads=2, d_model=8, d_ff=12)
LENGTHS = np.array([[5], [2], [4]])  # real tokens in each row
MASK = (np.arange(T) < LENGTHS).astype(int)  # (B, T)


def _params(rng, **heads):
    return shake(rng, ours.init_bert(rng, CONFIG, **heads))


def _encoder_inputs(rng, **heads):
    ids = rng.integers(0, CONFIG.vocab_size, (B, T))
    ids[0, :3] = 4  # the same token several times: its gradients add up
    segments = (np.arange(T) >= LENGTHS // 2).astype(int)
    return _params(rng, **heads), ids, MASK, segments


def _mlm_inputs(rng):
    inputs = _encoder_inputs(rng, mlm=True)
    targets = np.full((B, T), -100)
    targets[0, 1], targets[0, 3], targets[2, 2] = 7, 4, 0  # only these were masked
    return *inputs, targets


def _classification_inputs(rng):
    return *_encoder_inputs(rng, n_classes=K), rng.integers(0, K, B)


def _block_inputs(rng):
    return rng.standard_normal((B, T, CONFIG.d_model)), _params(rng)["blocks"][0]


def _mlm_head_inputs(rng):
    params = _params(rng, mlm=True)
    return rng.standard_normal((B, T, CONFIG.d_model)), params["mlm"], params["wte"]


def _classification_head_inputs(rng):
    params = _params(rng, n_classes=K)
    return rng.standard_normal((B, T, CONFIG.d_model)), params["pooler"], params["classifier"]


def torch_block(x, p):
    import torch

    may_look = torch.tensor(MASK, device=x.device).bool()[:, None, None, :]
    return run_twin("BertBlock", CONFIG, p, x, may_look)


def torch_bert(params, ids, mask, segments):
    return run_twin("Bert", CONFIG, params, ids, mask, segments)


def torch_mlm_head(hidden, p, wte):
    return run_twin("MLMHead", CONFIG, p, hidden, wte)


def torch_classification_head(hidden, pooler, classifier):
    import torch

    pooled = torch.tanh(hidden[:, 0] @ pooler["w"] + pooler["b"])
    return pooled @ classifier["w"] + classifier["b"]


def torch_mlm_loss(params, ids, mask, segments, targets):
    from torch.nn.functional import cross_entropy

    encoder = {name: part for name, part in params.items() if name != "mlm"}
    hidden = torch_bert(encoder, ids, mask, segments)
    logits = torch_mlm_head(hidden, params["mlm"], params["wte"])
    return cross_entropy(logits.flatten(0, 1), targets.flatten())


def torch_classification_loss(params, ids, mask, segments, labels):
    from torch.nn.functional import cross_entropy

    heads = ("pooler", "classifier")
    encoder = {name: part for name, part in params.items() if name not in heads}
    hidden = torch_bert(encoder, ids, mask, segments)
    return cross_entropy(torch_classification_head(hidden, *(params[head] for head in heads)), labels)


CASES = {
    "bert_block": Case(
        lambda x, p: ours.bert_block(x, p, CONFIG.n_heads, padding_mask(MASK, x.dtype), CONFIG.eps),
        ours.bert_block_backward,
        _block_inputs,
        torch_block,
    ),
    "bert": Case(partial(ours.bert, config=CONFIG), ours.bert_backward, _encoder_inputs, torch_bert),
    "mlm_head": Case(ours.mlm_head, ours.mlm_head_backward, _mlm_head_inputs, torch_mlm_head),
    "classification_head": Case(
        ours.classification_head,
        ours.classification_head_backward,
        _classification_head_inputs,
        torch_classification_head,
    ),
    "mlm_loss": Case(partial(ours.mlm_loss, config=CONFIG), scale_loss_grads, _mlm_inputs, torch_mlm_loss),
    "classification_loss": Case(
        partial(ours.classification_loss, config=CONFIG),
        scale_loss_grads,
        _classification_inputs,
        torch_classification_loss,
    ),
}
