"""Chapter 12's reader, small and untrained: its slopes against small steps and torch, its versions."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit import explain
from fmkit.bert import BertConfig, init_bert
from fmkit.lab.workbench import explaining as bench
from fmkit.wordpiece import WordPieceTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "##s", "."]


def as_double(params):
    if isinstance(params, dict):
        return {name: as_double(p) for name, p in params.items()}
    return [as_double(p) for p in params] if isinstance(params, list) else params.astype(np.float64) * 5


@pytest.fixture
def reader():
    config = BertConfig(len(WORDS), block_size=70, n_layers=3, n_heads=2, d_model=8, d_ff=12)
    rng = np.random.default_rng(0)
    params = as_double(init_bert(rng, config))
    return bench.Reader(params, config, WordPieceTokenizer(WORDS), rng.normal(size=8), 0.25)


def test_tokens(reader):
    ids, names = bench.tokens(reader, "A good films.")
    assert names == ["a", "good", "film", "##s", "."] and ids.tolist() == [2, 5, 6, 8, 9, 10, 3]
    ids, names = bench.tokens(reader, "good " * 100)
    assert len(ids) == len(names) + 2 == 64 and ids[-1] == 3


def test_slopes_in_the_words_are_those_of_small_steps(reader):
    words = np.random.default_rng(1).normal(size=(2, 5, 8))
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    dscore = np.array([1.0, -2.0])
    _, cache = bench.read(reader, words, mask)
    dwords, _ = bench.read_backward(dscore, cache)
    assert not dwords[1, 3:].any(), "padding moves nothing"
    for _ in range(5):
        way = np.random.default_rng(2).normal(size=words.shape)
        ahead, behind = (bench.read(reader, words + e * way, mask)[0] @ dscore for e in (1e-6, -1e-6))
        assert (ahead - behind) / 2e-6 == pytest.approx((dwords * way).sum(), rel=1e-6)


def test_slopes_in_the_attention_weights_are_torchs(reader):
    """The last layer's weights are an input of what follows: torch differentiates that."""
    import torch

    words = np.random.default_rng(3).normal(size=(1, 4, 8))
    _, cache = bench.read(reader, words, np.ones((1, 4), int))
    dweights = bench.read_backward(np.ones(1), cache)[1]
    weights = torch.tensor(bench.attentions(cache)[-1], requires_grad=True)  # (1, H, T, T)
    block, x = reader.params["blocks"][-1], torch.tensor(cache[0][-2])
    p = {k: {n: torch.tensor(a) for n, a in part.items()} for k, part in block.items()}
    qkv = x @ p["attn"]["wqkv"] + p["attn"]["bqkv"]
    v = qkv[..., 16:].reshape(1, 4, 2, 4).transpose(1, 2)
    update = (weights @ v).transpose(1, 2).reshape(1, 4, 8) @ p["attn"]["wo"] + p["attn"]["bo"]
    norm = lambda z, w, b: torch.nn.functional.layer_norm(z, (8,), w, b, reader.config.eps)  # noqa: E731
    x = norm(x + update, **p["ln1"])
    hidden = torch.nn.functional.gelu(x @ p["mlp"]["w1"] + p["mlp"]["b1"])
    x = norm(x + hidden @ p["mlp"]["w2"] + p["mlp"]["b2"], **p["ln2"])
    score = x.mean(1) @ torch.tensor(reader.w) + reader.b
    assert score.item() == pytest.approx(bench.score_of(reader, words[0]))
    score.backward()
    np.testing.assert_allclose(dweights[-1], weights.grad.numpy(), atol=1e-10)
    assert dweights.shape == (3, 1, 2, 4, 4)


def test_encode_agrees_with_reading_one_by_one(reader):
    texts = ["a good film.", "bad", "A bad, bad film"]
    means, states = bench.encode(reader, texts)
    for text, mean, state in zip(texts, means, states, strict=True):
        ids, names = bench.tokens(reader, text)
        assert state.shape == (4, len(names), 8)
        assert mean @ reader.w + reader.b == pytest.approx(
            bench.score_of(reader, reader.params["wte"][ids]), abs=1e-5
        )
    np.testing.assert_allclose(bench.score_texts(reader, texts), means @ reader.w + reader.b)


def test_all_versions_hide_what_they_should(reader):
    ids, names = bench.tokens(reader, "a good film")
    values = bench.versions(reader, ids) @ reader.w + reader.b
    masks = bench.coalitions(3)
    assert masks[5].tolist() == [1, 0, 1] and len(values) == 8
    np.testing.assert_allclose(values, bench.hiding(reader, ids)(masks))
    np.testing.assert_allclose(bench.looked_up(values)(masks), values)
    hidden = bench.with_hidden(reader, ids, masks)[5]
    assert hidden.tolist() == [2, 5, 4, 8, 3]
    assert values[5] == pytest.approx(bench.score_of(reader, reader.params["wte"][hidden]))


def test_the_verdict_is_turned_to_be_positive(reader):
    for text in ("a good film", "bad bad ."):
        turned = bench.turned(reader, text)
        assert bench.score_texts(turned, [text])[0] >= 0
        assert abs(bench.score_texts(reader, [text])[0]) == pytest.approx(
            bench.score_texts(turned, [text])[0]
        )


def test_nine_explanations(reader):
    ids, _ = bench.tokens(reader, "a good film .")
    values = bench.versions(reader, ids) @ reader.w + reader.b
    found = bench.explanations(reader, ids, values)
    assert len(found) == 9 and all(x.shape == (4,) for x in found.values())
    np.testing.assert_allclose(found["Shapley"].sum(), values[-1] - values[0])
    np.testing.assert_allclose(found["occlusion"], explain.occlusion(bench.hiding(reader, ids), 4))
    drawn = bench.explanations(reader, ids)
    np.testing.assert_allclose(drawn["Shapley"].sum(), values[-1] - values[0])
    np.testing.assert_allclose(drawn["occlusion"], found["occlusion"])
    path = explain.integrated_gradients(
        bench.slopes(reader),
        reader.params["wte"][ids],
        reader.params["wte"][bench.with_hidden(reader, ids, np.zeros((1, 4)))[0]],
    )
    assert found["integrated gradients"].sum() == pytest.approx(path.sum())
    assert path.sum() == pytest.approx(values[-1] - values[0], abs=0.05)


def test_attention_does_not_know_the_question(reader):
    ids, _ = bench.tokens(reader, "a good film .")
    other = replace(reader, w=reader.w[::-1].copy())
    mine, theirs = bench.explanations(reader, ids), bench.explanations(other, ids)
    for name in ("attention", "rollout"):
        np.testing.assert_array_equal(mine[name], theirs[name])
    assert not np.allclose(mine["Shapley"], theirs["Shapley"])


def test_untrained_is_another_encoder_with_the_same_neuron(reader):
    blank = bench.untrained(reader, seed=3)
    assert blank.w is reader.w and blank.config == reader.config
    assert bench.score_texts(blank, ["a film"])[0] != bench.score_texts(reader, ["a film"])[0]


def test_minilm_says_what_it_said_before():
    reader = bench.load_minilm()
    assert not reader.w.any() and reader.b == 0.0
    means, states = bench.encode(reader, ["It's a film."])
    assert means.shape == (1, 384) and states[0].shape == (7, 6, 384)
