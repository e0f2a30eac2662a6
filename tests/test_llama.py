"""Llama against Hugging Face's, its gradients against finite differences, and the real SmolLM2."""

import numpy as np
import pytest

from fmkit.llama import LlamaConfig, init_llama, llama, llama_backward
from fmkit.params import flatten, tree_map, unflatten

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

CONFIGS = {
    "grouped": LlamaConfig(19, 32, n_layers=2, n_heads=6, n_kv_heads=2, d_model=24, d_ff=28),
    "untied": LlamaConfig(23, 16, n_layers=3, n_heads=4, n_kv_heads=4, d_model=32, d_ff=20, tied=False),
    "one key head": LlamaConfig(
        21, 16, n_layers=1, n_heads=5, n_kv_heads=1, d_model=30, d_ff=44, rope_base=500.0, eps=1e-3
    ),
    "qk norm": LlamaConfig(
        22, 16, n_layers=2, n_heads=6, n_kv_heads=3, d_model=24, d_ff=28, eps=1e-3, qk_norm=True
    ),
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
