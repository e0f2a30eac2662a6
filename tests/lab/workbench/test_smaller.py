"""Chapter 13's workbench: the same model, then other weights in it."""

import numpy as np
import pytest

from fmkit.bert import BertConfig, bert, init_bert
from fmkit.lab.workbench import smaller
from fmkit.layers import mean_pool
from fmkit.pruning import low_rank
from fmkit.quantization import absmax, dequantize, int8_linear

CONFIG = BertConfig(vocab_size=11, block_size=8, n_layers=2, n_heads=2, d_model=8, d_ff=16)
TEXTS = [[1, 4, 5, 2], [1, 9, 2], [1, 3, 3, 7, 8, 2]]


@pytest.fixture
def params():
    rng = np.random.default_rng(0)
    made = init_bert(rng, CONFIG, n_classes=2)
    return smaller.changed(made, lambda i, name, w: w + rng.normal(0, 0.3, w.shape).astype(np.float32))


def as_bert(params, ids, mask):
    return bert(params, ids, mask, np.zeros_like(ids), CONFIG)[0]


def test_the_hidden_states_are_those_of_bert(params):
    for _, ids, mask in smaller.in_batches(TEXTS):
        ours, theirs = smaller.hidden(params, ids, mask, CONFIG), as_bert(params, ids, mask)
        np.testing.assert_allclose(ours[mask == 1], theirs[mask == 1], atol=1e-5)


def test_vectors_and_logits_come_in_the_order_of_the_texts(params):
    vectors, logits = smaller.vectors(params, TEXTS, CONFIG), smaller.logits(params, TEXTS, CONFIG)
    for i, text in enumerate(TEXTS):
        ids, mask = np.array([text]), np.ones((1, len(text)), int)
        states = as_bert(params, ids, mask)
        np.testing.assert_allclose(vectors[i], mean_pool(states, mask)[0][0], atol=1e-5)
        pooled = np.tanh(states[0, 0] @ params["pooler"]["w"] + params["pooler"]["b"])
        wanted = pooled @ params["classifier"]["w"] + params["classifier"]["b"]
        np.testing.assert_allclose(logits[i], wanted, atol=1e-5)


def test_grams_hold_the_real_inputs_only(params):
    ids = np.array([[1, 4, 2, 0], [1, 3, 7, 2]])
    mask = np.array([[1, 1, 1, 0], [1, 1, 1, 1]])
    found = smaller.grams(params, [[1, 4, 2], [1, 3, 7, 2]], CONFIG)
    seen = {}
    smaller.hidden(params, ids, mask, CONFIG, lambda i, name, x: seen.setdefault((i, name), x[mask == 1]))
    assert set(found) == {(i, name) for i in range(2) for name in ("wqkv", "wo", "w1", "w2")}
    for key, x in seen.items():
        np.testing.assert_allclose(found[key], x.T @ x, rtol=1e-4, atol=1e-4)


def test_a_weight_may_be_a_function(params):
    ids, mask = np.array([TEXTS[0]]), np.ones((1, 4), int)
    whole = smaller.hidden(params, ids, mask, CONFIG)
    full_rank = smaller.changed(params, smaller.thin(8))
    np.testing.assert_allclose(smaller.hidden(full_rank, ids, mask, CONFIG), whole, atol=1e-4)
    rounded = smaller.changed(params, lambda i, name, w: dequantize(*absmax(w)))
    in_bytes = smaller.hidden(smaller.changed(params, smaller.in_bytes), ids, mask, CONFIG)
    x = np.random.default_rng(2).normal(size=(3, 8)).astype(np.float32)
    w = params["blocks"][0]["attn"]["wo"]
    by_library = int8_linear(*absmax(x, axis=-1), *absmax(w))
    np.testing.assert_allclose(smaller.in_bytes(0, "wo", w)(x), by_library, rtol=1e-5, atol=1e-6)
    near = np.abs(in_bytes - smaller.hidden(rounded, ids, mask, CONFIG)).max()
    assert 0 < near < 0.1, "only the activations are rounded besides"


def test_a_thin_weight_is_the_low_rank_one(params):
    w, x = params["blocks"][0]["attn"]["wo"], np.random.default_rng(1).normal(size=(3, 8))
    a, b = low_rank(w, 3)
    np.testing.assert_allclose(smaller.thin(3)(0, "wo", w)(x), x @ (a @ b), atol=1e-6)


def test_fewer_of_a_kind_leave_the_model_whole(params):
    few = smaller.fewer_neurons(params, 5)
    assert [p["mlp"]["w1"].shape for p in few["blocks"]] == [(8, 5)] * 2
    assert params["blocks"][0]["mlp"]["w1"].shape == (8, 16), "the model was changed"
    assert smaller.logits(few, TEXTS, CONFIG).shape == (3, 2)
    one = smaller.fewer_blocks(params, [1])
    assert one["blocks"] == [params["blocks"][1]] and one["wte"] is params["wte"]


def test_the_measured_file_holds_what_the_chapter_shows():
    found = smaller.results()
    forms = found["classify"]
    assert len({len(said) for said in forms.values()}) == 1 and len(forms["float32"]) == 264
    assert all(0 <= p <= 1 for said in forms.values() for p in said)
    assert {"8 bits", "4 bits", "4 bits, GPTQ", "half of the neurons", "two of four"} <= set(forms)
    base, eight = (found["smollm2"][name] for name in ("float32", "8 bits"))
    assert abs(eight["perplexity"] / base["perplexity"] - 1) < 0.01
    assert eight["bytes"] < base["bytes"] / 3.9
    assert len(found["teach"]["margin"]) == 1000
    assert set(found["learn"]) == {f"{name}, seed {seed}" for name in ("labels", "both") for seed in range(4)}
    assert {len(said) for said in found["learn"].values()} == {1056}
    places, speed = found["retrieval"]["places"], found["retrieval"]["per_second"]
    assert set(places) == set(speed) == {*forms, "table of vectors", "counting words"}
    assert {len(at) for at in places.values()} == {337}
    assert all(1 <= place <= 300 for at in places.values() for place in at)
