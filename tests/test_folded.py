"""Folded steps against the plain ones: the same logits, the parameters left alone."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit import folded as folding
from fmkit.decoding import gpt_step, new_cache
from fmkit.folded import fold_gpt, fold_llama, folded_gpt_step, folded_llama_step
from fmkit.llama import LlamaConfig, RopeScaling, init_llama, llama_step
from fmkit.params import flatten, tree_map
from fmkit.transformer import Config, init_gpt

GPT = Config(vocab_size=17, block_size=16, n_layers=3, n_heads=2, d_model=20, d_ff=28)
UNTIED = replace(GPT, n_layers=1, n_heads=5, tied=False)
LLAMA = LlamaConfig(
    vocab_size=17, block_size=16, n_layers=3, n_heads=4, n_kv_heads=2, d_model=24, d_ff=20, rope_base=100.0
)
SCALING = RopeScaling(factor=8.0, low=0.1, high=0.6, block_size=8)
QWEN3 = replace(LLAMA, qk_norm=True, eps=1e-3)
CONFIGS = {
    "gpt": GPT,
    "gpt untied": UNTIED,
    "llama": LLAMA,
    "qk norm": QWEN3,
    "heads of their own width": replace(QWEN3, head_dim=10),
    "biases": replace(LLAMA, qkv_bias=True, head_dim=4),
    "scaled": replace(LLAMA, rope_scaling=SCALING),
    "untied, a key head for each query head": replace(QWEN3, tied=False, n_kv_heads=4),
}
TOLERANCE = {np.float32: 1e-3, np.float64: 1e-12}  # of logits up to 15


def make(config, dtype=np.float32):
    """Parameters (biases and gains are not 0 and 1), the plain step, folding, the folded step."""
    rng = np.random.default_rng(0)
    if isinstance(config, Config):
        params, functions = init_gpt(rng, config, dtype), (gpt_step, fold_gpt, folded_gpt_step)
    else:
        params, functions = init_llama(rng, config, dtype), (llama_step, fold_llama, folded_llama_step)
    params = tree_map(lambda w: w * 5 + rng.normal(0, 0.2, w.shape).astype(dtype), params)
    return params, *functions


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CONFIGS)
def test_folded_steps_equal_the_plain_ones(name, dtype):
    config = CONFIGS[name]
    params, step, fold, folded_step = make(config, dtype)
    folded = fold(params, config)
    ids = np.random.default_rng(2).integers(0, 17, (1, 16))
    kv = folded_kv = None
    for at, stop in [(0, 4), *((i, i + 1) for i in range(4, 16))]:
        expected, kv = step(params, ids[:, at:stop], config, kv)
        logits, folded_kv = folded_step(folded, ids[:, at:stop], config, folded_kv)
        assert logits.dtype == dtype and logits.shape == (1, 17) and folded_kv.length == stop
        np.testing.assert_allclose(logits, expected, atol=TOLERANCE[dtype], rtol=0)


@pytest.mark.parametrize("gain, small", [(1.0, True), (20.0, False)])
def test_scores_that_cannot_be_large_need_no_shift(gain, small):
    params = init_llama(np.random.default_rng(0), QWEN3)
    for p in params["blocks"]:
        p["attn"]["wqkv"][:, :36] = 1e4  # queries and keys as alike as can be: their scores reach the bound
        p["attn"]["q_norm"][:] = p["attn"]["k_norm"][:] = gain
    folded, ids = fold_llama(params, QWEN3), np.array([[3, 1, 4, 1]])
    assert folded["small_scores"] is small
    expected = llama_step(params, ids, QWEN3)[0]
    kv = folded_llama_step(folded, ids[:, :1], QWEN3)[1]
    with np.errstate(over="raise", invalid="raise"):
        for token in ids[0, 1:]:
            logits, kv = folded_llama_step(folded, np.array([[token]]), QWEN3, kv)
    np.testing.assert_allclose(logits, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("config", [GPT, QWEN3], ids=["gpt", "llama"])
def test_folding_leaves_the_parameters_alone(config):
    params, _, fold, folded_step = make(config)
    before = {key: w.copy() for key, w in flatten(params).items()}
    folded = fold(params, config)
    kv = new_cache(params, config)
    for token in (3, 5):
        folded_step(folded, np.array([[token]]), config, kv)
    for key, w in flatten(params).items():
        np.testing.assert_array_equal(w, before[key])


@pytest.mark.parametrize("config", [GPT, LLAMA], ids=["gpt", "llama"])
def test_several_texts_and_what_does_not_fit(config):
    params, step, fold, folded_step = make(config)
    folded = fold(params, config)
    ids = np.random.default_rng(3).integers(0, 17, (2, 3))
    expected, kv = step(params, ids, config)
    logits, folded_kv = folded_step(folded, ids, config)
    np.testing.assert_array_equal(logits, expected)  # the plain step itself
    np.testing.assert_array_equal(folded_kv.keys[:, :, :, :3], kv.keys[:, :, :, :3])
    with pytest.raises(ValueError, match="vocabulary"):
        folded_step(folded, np.array([[17]]), config, new_cache(params, config))
    with pytest.raises(ValueError, match="context of 1"):
        kv = new_cache(params, config, capacity=1)
        _, kv = folded_step(folded, np.array([[1]]), config, kv)
        folded_step(folded, np.array([[1]]), config, kv)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("config", [GPT, LLAMA], ids=["gpt", "llama"])
def test_what_was_not_folded_or_cannot_be_is_refused(config):
    name = "gpt" if config is GPT else "llama"
    params, _, fold, _ = make(config)
    folded_step, folded = getattr(folding, f"folded_{name}_step"), fold(params, config)
    with pytest.raises(ValueError, match=f"folded: expected what fold_{name} returns, got a dict of wte"):
        folded_step(params, np.array([[1]]), config, new_cache(params, config))
    with pytest.raises(
        ValueError, match="params: expected a .*'s, as init_.* makes them, got a dict of params"
    ):
        fold(folded, config)
    other = make(LLAMA if config is GPT else GPT)[0]
    with pytest.raises(ValueError, match="params: expected a"):
        fold(other, config)
    for ids in (np.array([1]), np.array(1), [[1]], 1):
        with pytest.raises((TypeError, ValueError), match=r"ids: expected .*\(B, T\)"):
            folded_step(folded, ids, config, new_cache(params, config))
    none = folded_step(folded, np.zeros((0, 1), int), config, new_cache(params, config, batch=0))[0]
    assert none.shape == (0, 17)  # the next tokens of no text
    with pytest.raises(
        ValueError, match="cache of 3 layers for 2 texts"
    ):  # one token would read the first only
        folded_step(folded, np.array([[1]]), config, new_cache(params, config, batch=2))
    with pytest.raises(ValueError, match="1 tokens after 16 do not fit into a context of 16"):
        kv = new_cache(params, config, capacity=20)
        kv.length = 16
        folded_step(folded, np.array([[1]]), config, kv)
