"""Llama, Llama 3, Qwen2 and Qwen3, in torch."""

from functools import partial

from fmkit import llama as ours
from fmkit.twins.case import Case
from fmkit.twins.cases.transformer import run_twin, shake

B, T = 3, 5
LLAMA = ours.LlamaConfig(vocab_size=11, block_size=7, n_layers=2, n_heads=4, n_kv_heads=2, d_model=8, d_ff=12)
SIZES = vars(LLAMA)
# of the three pairs of a head of width 6 the first turns fast, the second in between, the third slowly
SCALING = ours.RopeScaling(factor=8.0, low=0.1, high=0.6, block_size=5)
MODELS = {
    "llama": LLAMA,
    "llama3": ours.LlamaConfig(**SIZES | {"head_dim": 6, "rope_base": 50.0, "rope_scaling": SCALING}),
    "qwen2": ours.LlamaConfig(**SIZES | {"qkv_bias": True, "tied": False}),
    "qwen3": ours.LlamaConfig(**SIZES | {"qk_norm": True, "head_dim": 6}),
}


def _inputs(rng, config):
    ids = rng.integers(0, config.vocab_size, (B, T))
    ids[0, :3] = 4  # the same token several times: its gradients add up
    return shake(rng, ours.init_llama(rng, config)), ids


def torch_llama(params, ids, config):
    return run_twin("Llama", config, params, ids)


CASES = {
    name: Case(
        partial(ours.llama, config=config),
        ours.llama_backward,
        partial(_inputs, config=config),
        partial(torch_llama, config=config),
    )
    for name, config in MODELS.items()
}
