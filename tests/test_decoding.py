"""Steps with a key/value cache against the whole forward pass."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit import decoding
from fmkit.decoding import check_fit, gpt_step, new_cache, window_start
from fmkit.llama import LlamaConfig, RopeScaling, init_llama, llama, llama_step
from fmkit.params import flatten, tree_map
from fmkit.transformer import Config, gpt, init_gpt

GPT = Config(vocab_size=17, block_size=16, n_layers=3, n_heads=2, d_model=20, d_ff=28)
UNTIED = Config(vocab_size=17, block_size=16, n_layers=1, n_heads=5, d_model=20, d_ff=28, tied=False)
LLAMA = LlamaConfig(
    vocab_size=17, block_size=16, n_layers=3, n_heads=4, n_kv_heads=2, d_model=24, d_ff=20, rope_base=100.0
)
QWEN3 = replace(LLAMA, qk_norm=True, eps=1e-3)
MODELS = {
    "gpt": (init_gpt, gpt, gpt_step, GPT),
    "gpt untied": (init_gpt, gpt, gpt_step, UNTIED),
    "llama": (init_llama, llama, llama_step, LLAMA),
    "qk norm": (init_llama, llama, llama_step, QWEN3),
    "heads of their own width": (init_llama, llama, llama_step, replace(QWEN3, head_dim=10)),
    "biases": (init_llama, llama, llama_step, replace(LLAMA, qkv_bias=True)),
    "scaled": (init_llama, llama, llama_step, replace(LLAMA, rope_scaling=RopeScaling(8.0, 0.1, 0.6, 8))),
}
TOLERANCE = {np.float32: 1e-3, np.float64: 1e-12}  # of logits up to 15


def make(init, config, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return tree_map(lambda w: w * 5 + rng.normal(0, 0.2, w.shape).astype(dtype), init(rng, config, dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("pieces", [[16], [1] * 16, [5, 1, 1, 4, 5], [15, 1]])
def test_steps_of_any_size_equal_the_whole_forward(name, pieces, dtype):
    init, forward, step, config = MODELS[name]
    params = make(init, config, dtype)
    ids = np.random.default_rng(1).integers(0, 17, (3, 16))
    before = {key: w.copy() for key, w in flatten(params).items()}
    whole, _ = forward(params, ids, config)
    kv, at = None, 0
    for n in pieces:
        logits, kv = step(params, ids[:, at : at + n], config, kv)
        at += n
        assert logits.dtype == dtype
        np.testing.assert_allclose(logits, whole[:, at - 1], atol=TOLERANCE[dtype], rtol=0)
    for key, w in flatten(params).items():
        np.testing.assert_array_equal(w, before[key])


def test_selected_rows_go_their_own_way():
    params = make(init_llama, LLAMA, np.float64)
    ids = np.random.default_rng(4).integers(0, 17, (2, 6))
    _, kv = llama_step(params, ids[:, :4], LLAMA)
    twice = kv.select([1, 0, 1])
    logits, _ = llama_step(params, np.array([[3], [5], [7]]), LLAMA, twice)
    texts = [[*ids[1, :4], 3], [*ids[0, :4], 5], [*ids[1, :4], 7]]
    np.testing.assert_allclose(logits, llama(params, np.array(texts), LLAMA)[0][:, -1], atol=1e-12)
    again, _ = llama_step(params, ids[:, 4:], LLAMA, kv)  # the original cache is as it was
    np.testing.assert_allclose(again, llama(params, ids, LLAMA)[0][:, -1], atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_what_does_not_fit_is_refused(name):
    init, _, step, config = MODELS[name]
    params = make(init, config, np.float32)
    kv = new_cache(params, config, capacity=4)
    _, kv = step(params, np.array([[1, 2, 3]]), config, kv)
    with pytest.raises(ValueError, match="context of 4"):
        step(params, np.array([[1, 2]]), config, kv)
    with pytest.raises(ValueError, match="vocabulary"):
        step(params, np.array([[17]]), config, kv)
    with pytest.raises(ValueError, match="vocabulary"):
        step(params, np.array([[-1]]), config, kv)
    with pytest.raises(ValueError, match="no token"):
        step(params, np.zeros((1, 0), int), config, kv)
    with pytest.raises(ValueError, match="context of 16"):
        step(params, np.ones((1, 17), int), config)
    assert kv.length == 3


@pytest.mark.parametrize("name", MODELS)
def test_a_cache_larger_than_the_block_does_not_lengthen_it(name):
    init, _, step, config = MODELS[name]
    params = make(init, config, np.float32)
    kv = new_cache(params, config, capacity=40)
    _, kv = step(params, np.ones((1, 16), int), config, kv)
    with pytest.raises(ValueError, match="1 tokens after 16 do not fit into a context of 16"):
        step(params, np.array([[1]]), config, kv)
    with pytest.raises(ValueError, match="17 tokens after 0 do not fit into a context of 16"):
        step(params, np.ones((1, 17), int), config, new_cache(params, config, capacity=40))


@pytest.mark.usefixtures("as_a_learner")
def test_what_is_no_batch_of_tokens_is_refused():
    params = make(init_gpt, GPT, np.float32)
    for ids, kind, message in [
        (np.array([1, 2]), ValueError, r"ids: expected \(B, T\), got \(2,\)"),
        (np.array(1), ValueError, r"ids: expected \(B, T\), got \(\)"),
        (np.ones((1, 2, 1), int), ValueError, r"ids: expected \(B, T\), got \(1, 2, 1\)"),
        ([[1, 2]], TypeError, "ids: expected an array .* got a list"),
        (1, TypeError, "ids: expected an array .* got an int"),
        (np.array([[1.0]]), TypeError, "tokens are whole numbers, got float64"),
        (np.array([[True]]), TypeError, "tokens are whole numbers, got bool"),
        (np.array([["a"]]), TypeError, "tokens are whole numbers, got <U1"),
        (np.zeros((2, 0), int), ValueError, "no token"),
    ]:
        for kv in (None, decoding.new_cache(params, GPT)):
            if kv is None or len(np.shape(ids)) != 2 or len(ids) == 1:
                with pytest.raises(kind, match=message):
                    decoding.gpt_step(params, ids, GPT, kv)
    assert decoding.gpt_step(params, np.zeros((0, 2), int), GPT)[0].shape == (0, 17)  # of no text


@pytest.mark.parametrize("name", MODELS)
def test_a_cache_of_other_texts_or_of_another_model_is_refused(name):
    init, _, step, config = MODELS[name]
    params = make(init, config, np.float32)
    L = config.n_layers
    with pytest.raises(ValueError, match=f"kv: a cache of {L} layers for 3 texts, not {L} for 1"):
        step(params, np.array([[1]]), config, new_cache(params, config, batch=3))
    with pytest.raises(ValueError, match=f"kv: a cache of {L} layers for 1 texts, not {L} for 2"):
        step(params, np.array([[1], [2]]), config, new_cache(params, config))
    with pytest.raises(ValueError, match=f"kv: a cache of {L + 1} layers for 1 texts, not {L} for 1"):
        step(params, np.array([[1]]), config, new_cache(params, replace(config, n_layers=L + 1)))


@pytest.mark.usefixtures("as_a_learner")
def test_rows_that_a_cache_does_not_hold_are_refused():
    kv = new_cache(make(init_gpt, GPT, np.float32), GPT, batch=2)
    for rows in ([0.5], [True], 0, ["a"], [[0]]):
        with pytest.raises(TypeError, match="rows: expected whole numbers"):
            decoding.KVCache(kv.keys, kv.values).select(rows)
    for rows in ([-1], [0, 2]):
        with pytest.raises(IndexError, match="of a cache for 2 texts"):
            kv.select(rows)
    assert kv.select([]).keys.shape[1] == 0


@pytest.mark.usefixtures("as_a_learner")
def test_what_is_no_cache_or_no_block_is_refused():
    params = make(init_gpt, GPT, np.float32)
    for kv in ({}, (), [1], "kv"):
        with pytest.raises(TypeError, match="kv: expected a KVCache, as steps return it, got a"):
            decoding.gpt_step(params, np.array([[1]]), GPT, kv)
    with pytest.raises(TypeError, match="tokens: expected an array of them, got a list"):
        decoding.check_ids([1, 2], 5)
    for block_size in (0, -3):
        with pytest.raises(ValueError, match=f"block_size: expected a whole number >= 1, got {block_size}"):
            window_start(5, block_size)


@pytest.mark.usefixtures("as_a_learner")
def test_a_cache_without_room_is_refused():
    params = make(init_gpt, GPT, np.float32)
    for settings, message in [
        ({"capacity": 0}, "capacity: expected a whole number >= 1, got 0"),
        ({"capacity": -1}, "capacity: expected a whole number >= 1, got -1"),
        ({"capacity": 2.5}, "capacity: expected a whole number.*, got 2.5"),
        ({"batch": -1}, "batch: expected a whole number >= 0, got -1"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            decoding.new_cache(params, GPT, **settings)


def test_check_fit_gives_the_positions():
    assert check_fit(np.array([[1, 2]]), GPT) == (0, 2)
