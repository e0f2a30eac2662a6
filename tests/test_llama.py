"""Llama against Hugging Face's, its gradients against finite differences, and the real SmolLM2."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit.folded import fold_llama, folded_llama_step
from fmkit.llama import (
    LlamaConfig,
    RopeScaling,
    init_llama,
    llama,
    llama_backward,
    llama_rope,
    llama_step,
)
from fmkit.params import flatten, tree_map, unflatten

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

SCALING = RopeScaling(factor=8.0, low=0.1, high=0.6, block_size=8)  # fast, mixed and slow pairs for D = 8
HEADS = LlamaConfig(22, 16, n_layers=2, n_heads=4, n_kv_heads=2, d_model=24, d_ff=28)
CONFIGS = {
    "grouped": LlamaConfig(19, 32, n_layers=2, n_heads=6, n_kv_heads=2, d_model=24, d_ff=28),
    "untied": LlamaConfig(23, 16, n_layers=3, n_heads=4, n_kv_heads=4, d_model=32, d_ff=20, tied=False),
    "one key head": LlamaConfig(
        21, 16, n_layers=1, n_heads=5, n_kv_heads=1, d_model=30, d_ff=44, rope_base=500.0, eps=1e-3
    ),
    "qk norm": LlamaConfig(
        22, 16, n_layers=2, n_heads=6, n_kv_heads=3, d_model=24, d_ff=28, eps=1e-3, qk_norm=True
    ),
    "heads of their own width": replace(HEADS, qk_norm=True, head_dim=8),
    "narrow heads": replace(HEADS, head_dim=4, tied=False),
    "biases": replace(HEADS, qkv_bias=True, tied=False),
    "biases, heads of their own width": replace(HEADS, qkv_bias=True, head_dim=10),
    "scaled": replace(HEADS, rope_base=50.0, rope_scaling=SCALING),
    "scaled, norm, heads of their own width": replace(
        HEADS, qk_norm=True, head_dim=10, rope_base=50.0, rope_scaling=SCALING, tied=False
    ),
    "scaled, biases": replace(HEADS, qkv_bias=True, rope_scaling=SCALING),
}


def make(config, dtype=np.float64):
    rng = np.random.default_rng(0)
    return tree_map(
        lambda w: w * 3 + rng.normal(0, 0.1, w.shape).astype(dtype), init_llama(rng, config, dtype)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CONFIGS)
def test_logits_and_gradients_equal_hugging_face(name, dtype):
    from fmkit.twins.huggingface import from_hf_llama, to_hf_llama

    config = CONFIGS[name]
    params = make(config, dtype)
    ids = np.random.default_rng(1).integers(0, config.vocab_size, (3, 11))
    dlogits = np.random.default_rng(2).normal(size=(3, 11, config.vocab_size)).astype(dtype)
    hf = to_hf_llama(params, config)
    expected = hf(torch.from_numpy(ids)).logits
    (expected * torch.from_numpy(dlogits)).sum().backward()

    logits, cache = llama(params, ids, config)
    grads = llama_backward(dlogits, cache)
    assert logits.dtype == dtype
    np.testing.assert_allclose(logits, expected.detach(), atol=1e-4)  # their rotary tables are float32

    # the same names for their gradients: put them into the model's place and read it back
    for weight in hf.parameters():
        weight.data = weight.grad
    theirs, _ = from_hf_llama(hf)
    assert flatten(grads).keys() == flatten(params).keys()
    for key, grad in flatten(grads).items():
        assert grad.dtype == dtype
        scale = abs(flatten(theirs)[key]).max()
        np.testing.assert_allclose(grad, flatten(theirs)[key], atol=1e-4 * scale, err_msg=key)


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_equal_finite_differences(name):
    config = CONFIGS[name]
    params, rng = make(config), np.random.default_rng(3)
    ids = rng.integers(0, config.vocab_size, (2, 7))
    dlogits = rng.normal(size=(2, 7, config.vocab_size))
    grads = flatten(llama_backward(dlogits, llama(params, ids, config)[1]))
    for key, w in flatten(params).items():
        way = rng.normal(size=w.shape)
        way /= np.linalg.norm(way)
        before, ends = w.copy(), []
        for h in (1e-5, -1e-5):
            w[...] = before + h * way
            ends.append((llama(params, ids, config)[0] * dlogits).sum())
        w[...] = before
        slope = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose((grads[key] * way).sum(), slope, rtol=1e-6, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", CONFIGS)
def test_token_by_token_equals_hugging_face(name):
    """Both read a text in pieces with a cache; ours folded, too."""
    from fmkit.twins.huggingface import to_hf_llama

    config = CONFIGS[name]
    params = make(config, np.float32)
    hf, folded = to_hf_llama(params, config), fold_llama(params, config)
    ids = np.random.default_rng(4).integers(0, config.vocab_size, (1, 16))
    theirs = kv = folded_kv = None
    for at, stop in [(0, 5), *((i, i + 1) for i in range(5, 16))]:
        with torch.no_grad():
            out = hf(torch.from_numpy(ids[:, at:stop]), past_key_values=theirs, use_cache=True)
        theirs, expected = out.past_key_values, out.logits[:, -1].numpy()
        logits, kv = llama_step(params, ids[:, at:stop], config, kv)
        np.testing.assert_allclose(logits, expected, atol=1e-4)
        logits, folded_kv = folded_llama_step(folded, ids[:, at:stop], config, folded_kv)
        np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize(
    "facts",
    [(8.0, 1.0, 4.0, 8192), (32.0, 1.0, 4.0, 8192), (2.0, 0.3, 0.7, 100), (4.0, 5.0, 300.0, 777)],
)
@pytest.mark.parametrize("D", [2, 64, 128])
def test_scaled_positions_are_hugging_faces(facts, D):
    """The second is Llama 3.2's; here also where its table is read: far beyond the first training."""
    import transformers

    factor, low, high, old = facts
    rope = {"rope_type": "llama3", "rope_theta": 5e5, "factor": factor, "low_freq_factor": low}
    rope |= {"high_freq_factor": high, "original_max_position_embeddings": old}
    hf = transformers.LlamaConfig(
        hidden_size=2 * D, num_attention_heads=2, max_position_embeddings=131072, rope_parameters=rope
    )
    theirs = transformers.models.llama.modeling_llama.LlamaRotaryEmbedding(hf).inv_freq.numpy()
    scaling = RopeScaling(factor, low, high, old)
    sizes = {"vocab_size": 7, "n_layers": 1, "n_heads": 2, "n_kv_heads": 2, "d_model": 2 * D, "d_ff": 4}
    config = LlamaConfig(**sizes, block_size=131072, rope_base=5e5, rope_scaling=scaling)
    cos, sin = llama_rope(np.array([0, 1, 100000]), config)
    np.testing.assert_allclose(np.arctan2(sin, cos)[1], theirs, rtol=1e-5)
    np.testing.assert_allclose(
        cos[2], np.cos(100000 * theirs.astype(np.float64)), atol=5e-2
    )  # theirs: float32
    assert (cos[0] == 1).all() and (sin[0] == 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_kv_heads": 3}, "n_kv_heads: expected a divisor of n_heads = 4, got 3"),
        ({"n_kv_heads": 0}, "n_kv_heads: expected a whole number >= 1, got 0"),
        ({"n_heads": 10}, "n_heads: expected a divisor of d_model = 24, got 10"),
        ({"head_dim": 5}, "an even head width, got 5"),
        ({"d_model": 20}, "an even head width, got 5"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(HEADS, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": 0.6}, "expected low < high, got 0.6 and 0.6"),
        ({"high": float("nan")}, "high: expected a finite number, got nan"),
        ({"factor": 0.0}, "factor: expected a number > 0"),
        ({"factor": float("nan")}, "factor: expected a number > 0"),
        ({"block_size": 0}, "block_size: expected a whole number >= 1"),
    ],
)
def test_scalings_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SCALING, **change)


def test_new_biases_are_0_and_get_gradients():
    config = CONFIGS["biases"]
    params = init_llama(np.random.default_rng(0), config)
    assert all(p["attn"]["bqkv"].shape == (48,) and not p["attn"]["bqkv"].any() for p in params["blocks"])
    logits, cache = llama(params, np.array([[1, 2, 3]]), config)
    grads = llama_backward(np.random.default_rng(1).normal(size=logits.shape).astype(np.float32), cache)
    assert all(g["attn"]["bqkv"].any() for g in grads["blocks"])


def test_norms_and_biases_together_have_no_model_of_hugging_face():
    from fmkit.twins.huggingface import to_hf_llama

    config = replace(HEADS, qk_norm=True, qkv_bias=True)
    with pytest.raises(ValueError, match="both"):
        to_hf_llama(make(config), config)


def test_parameters_survive_the_way_to_hugging_face_and_back():
    from fmkit.twins.huggingface import from_hf_llama, to_hf_llama

    for config in CONFIGS.values():
        params = make(config, np.float32)
        back, config_back = from_hf_llama(to_hf_llama(params, config))
        assert config_back == config
        for key, w in flatten(params).items():
            np.testing.assert_array_equal(flatten(back)[key], w)


def test_qk_norm_is_hugging_faces_qwen3(tmp_path):
    from fmkit.data.pretrained import load_llama
    from fmkit.twins.huggingface import to_hf_llama

    params = make(CONFIGS["qk norm"], np.float32)
    hf = to_hf_llama(params, CONFIGS["qk norm"])
    assert type(hf).__name__ == "Qwen3ForCausalLM"
    hf.save_pretrained(tmp_path)
    back, config = load_llama(tmp_path)
    assert config == CONFIGS["qk norm"]
    for key, w in flatten(params).items():
        np.testing.assert_array_equal(flatten(back)[key], w)
    without = flatten(params)
    for block in params["blocks"]:
        block["attn"]["q_norm"] = block["attn"]["q_norm"] * 1.5
    ids = np.array([[1, 2, 3]])
    changed = llama(params, ids, config)[0] - llama(unflatten(without), ids, config)[0]
    assert abs(changed).max() > 1e-4  # the gain counts


def test_the_future_is_hidden_and_positions_count():
    config = CONFIGS["grouped"]
    params = make(config)
    ids = np.random.default_rng(5).integers(0, 19, (1, 9))
    logits, _ = llama(params, ids, config)
    changed = ids.copy()
    changed[0, 6] = (changed[0, 6] + 1) % 19
    other, _ = llama(params, changed, config)
    np.testing.assert_array_equal(other[0, :6], logits[0, :6])
    assert abs(other[0, 6:] - logits[0, 6:]).max() > 1e-3
    shuffled = ids[:, [1, 0, 2, 3, 4, 5, 6, 7, 8]]
    assert abs(llama(params, shuffled, config)[0][0, -1] - logits[0, -1]).max() > 1e-6


def test_hostile_input():
    config = CONFIGS["untied"]
    params = make(config)
    for ids, what in [
        ([[23]], "vocabulary"),
        ([[0, -1]], "vocabulary"),
        ([[1] * 17], "context"),
        ([[]], "token"),
    ]:
        with pytest.raises(ValueError, match=what):
            llama(params, np.array(ids, int), config)
