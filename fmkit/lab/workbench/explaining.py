"""Chapter 12's model to explain: MiniLM with one neuron on top, and the slope of its answer in every word.

A part of a sentence is a token (a word, or a piece of one). A part that is taken away is replaced by [MASK];
[CLS] and [SEP] always stay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fmkit import explain
from fmkit.attention import attention_weights, multihead_attention_backward, padding_mask, split_heads
from fmkit.batching import batches_by_length, pad
from fmkit.bert import BertConfig, bert_block, init_bert
from fmkit.data import datasets, pretrained
from fmkit.layers import (
    layernorm,
    layernorm_backward,
    linear_backward,
    mean_pool,
    mean_pool_backward,
    mlp_backward,
)
from fmkit.wordpiece import WordPieceTokenizer


@dataclass(frozen=True)
class Reader:
    """A BERT and one neuron on the mean of its last vectors: its score is the logit of "positive".

    Attributes
    ----------
    params, config
        The encoder, as `fmkit.bert.bert` takes it.
    tokenizer : WordPieceTokenizer
    w : (C,)
    b : float
    """

    params: dict
    config: BertConfig
    tokenizer: WordPieceTokenizer
    w: np.ndarray
    b: float


def load_minilm() -> Reader:
    """MiniLM with a neuron that has not learned anything yet: its weights are 0."""
    folder = datasets.pretrained_path("minilm")
    params, config = pretrained.load_bert(folder)
    tokenizer = WordPieceTokenizer.load(folder)
    return Reader(params, config, tokenizer, np.zeros(config.d_model, np.float32), 0.0)


def untrained(reader: Reader, seed: int = 0) -> Reader:
    """The same reader with an encoder that has never been trained: its weights are drawn at random."""
    params = init_bert(np.random.default_rng(seed), reader.config)
    return Reader(params, reader.config, reader.tokenizer, reader.w, reader.b)


def turned(reader: Reader, text: str) -> Reader:
    """The reader with its neuron turned so that the score speaks for its own verdict on a text."""
    sign = 1 if score_texts(reader, [text])[0] >= 0 else -1
    return Reader(reader.params, reader.config, reader.tokenizer, sign * reader.w, sign * reader.b)


def tokens(reader: Reader, text: str) -> tuple[np.ndarray, list[str]]:
    """The ids (T,) of a text with [CLS] and [SEP], and the T - 2 names of its parts."""
    names = reader.tokenizer.tokenize(text)[:62]
    return np.array(reader.tokenizer.encode(text, max_length=len(names) + 2)), names


# ------------------------------------------------------------------------------ forward and backward by hand


def read(reader: Reader, words: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, tuple]:
    """Word vectors (B, T, C) to scores (B,). The cache begins with what each layer said, all (B, T, C)."""
    params, config = reader.params, reader.config
    T = words.shape[1]
    x, ln_cache = layernorm(words + params["wse"][0] + params["wpe"][:T], **params["ln"], eps=config.eps)
    layers, caches, look = [x], [], padding_mask(mask, x.dtype)
    for block in params["blocks"]:
        x, cache = bert_block(x, block, config.n_heads, look, config.eps)
        layers.append(x)
        caches.append(cache)
    vector, pool_cache = mean_pool(x, mask)  # (B, C)
    return vector @ reader.w + reader.b, (layers, ln_cache, caches, pool_cache, reader.w)


def read_backward(dscore: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
    """The slopes of the scores in the word vectors (B, T, C) and in all attention weights (L, B, H, T, T)."""
    _, ln_cache, caches, pool_cache, w = cache
    dx = mean_pool_backward(dscore[:, None] * w, pool_cache)  # (B, T, C)
    dweights = []
    for attn_cache, ln1_cache, mlp_cache, ln2_cache in reversed(caches):
        dsum = layernorm_backward(dx, ln2_cache)[0]
        dx = mlp_backward(dsum, mlp_cache)[0] + dsum
        dsum = layernorm_backward(dx, ln1_cache)[0]
        dweights.insert(0, _dweights(dsum, attn_cache))
        dx = multihead_attention_backward(dsum, attn_cache)[0] + dsum
    return layernorm_backward(dx, ln_cache)[0], np.stack(dweights)


def _dweights(dupdate: np.ndarray, cache: tuple) -> np.ndarray:
    """Through the output layer to the heads, and from weights @ v to the weights (B, H, T, T)."""
    attention_cache, *_, out_cache = cache
    B, H, T, S = attention_weights(attention_cache).shape
    dheads = split_heads(linear_backward(dupdate, out_cache)[0], H)  # (B, H, T, D)
    v = attention_cache[2].reshape(B, H, S, -1)
    return dheads @ v.swapaxes(-1, -2)


def attentions(cache: tuple) -> np.ndarray:
    """All attention weights of `read`, (L, B, H, T, T)."""
    return np.stack([attention_weights(block_cache[0][0]) for block_cache in cache[2]])


# ----------------------------------------------------------------------------- a sentence, seen from outside


def scores(reader: Reader, ids: np.ndarray, size: int = 64) -> np.ndarray:
    """Scores (B,) of texts of one length, (B, T) ids, some at a time."""
    table, found = reader.params["wte"], []
    for at in range(0, len(ids), size):
        part = ids[at : at + size]
        found.append(read(reader, table[part], np.ones(part.shape, np.int64))[0])
    return np.concatenate(found)


def encode(reader: Reader, texts: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Each text's mean last vector, (N, C), and what each layer says of its parts, (L + 1, n, C)."""
    ids = [reader.tokenizer.encode(text, max_length=64) for text in texts]
    means, states = np.zeros((len(ids), reader.config.d_model), np.float32), [None] * len(ids)
    for rows in batches_by_length([len(row) for row in ids], 32):
        batch, mask = pad([ids[i] for i in rows])
        _, cache = read(reader, reader.params["wte"][batch], mask)
        means[rows] = mean_pool(cache[0][-1], mask)[0]
        for k, i in enumerate(rows):
            states[i] = np.stack([layer[k, 1 : len(ids[i]) - 1] for layer in cache[0]])
    return means, states


def score_texts(reader: Reader, texts: Sequence[str]) -> np.ndarray:
    """The scores (N,) of texts."""
    return encode(reader, texts)[0] @ reader.w + reader.b


def versions(reader: Reader, ids: np.ndarray, size: int = 64) -> np.ndarray:
    """The vectors (2**n, C) of a text with every choice of its n parts hidden: ``@ w + b`` gives scores."""
    masks = coalitions(len(ids) - 2)
    found = []
    for at in range(0, len(masks), size):
        part = with_hidden(reader, ids, masks[at : at + size])
        _, cache = read(reader, reader.params["wte"][part], np.ones(part.shape, np.int64))
        found.append(cache[0][-1].mean(1))
    return np.concatenate(found)


def with_hidden(reader: Reader, ids: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Copies (S, T) of a text in which [MASK] stands for each part that a mask (S, n) leaves out."""
    copies = np.tile(ids, (len(masks), 1))
    copies[:, 1:-1] = np.where(masks > 0, ids[1:-1], reader.tokenizer.mask_id)
    return copies


def score_of(reader: Reader, words: np.ndarray) -> float:
    """The score of one text's word vectors (T, C)."""
    return float(read(reader, words[None], np.ones((1, len(words)), np.int64))[0][0])


def hiding(reader: Reader, ids: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """``value(masks)`` for `fmkit.explain`: the scores (S,) of a text with some of its n parts hidden."""
    return lambda masks: scores(reader, with_hidden(reader, ids, masks))


def slopes(reader: Reader, size: int = 32) -> Callable[[np.ndarray], np.ndarray]:
    """``gradient(points)`` for `fmkit.explain`: (S, T, C) word vectors to the slopes of the score in them."""

    def gradient(points):
        found = []
        for at in range(0, len(points), size):
            part = points[at : at + size]
            score, cache = read(reader, part, np.ones(part.shape[:2], np.int64))
            found.append(read_backward(np.ones_like(score), cache)[0])
        return np.concatenate(found)

    return gradient


def coalitions(n: int) -> np.ndarray:
    """All 2**n masks (2**n, n) in the order of `fmkit.explain.shapley`: bit i of a row's number is part i."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def looked_up(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """``value(masks)`` from the scores of all coalitions: nothing is read again."""
    n = len(values).bit_length() - 1
    return lambda masks: values[(masks > 0) @ (1 << np.arange(n))]


# ----------------------------------------------------------------------------------------- nine explanations


def explanations(
    reader: Reader, ids: np.ndarray, values: np.ndarray | None = None, seed: int = 0
) -> dict[str, np.ndarray]:
    """Nine answers to one question: how much does each part (n,) speak for the score?

    Parameters
    ----------
    ids : (T,)
        A text, with [CLS] and [SEP].
    values : (2**n,), optional
        The scores of all coalitions, where they are there: then nothing is drawn, and Shapley is exact.
    seed : int
        For what is drawn.
    """
    rng = np.random.default_rng(seed)
    words, nothing = (
        reader.params["wte"][ids],
        reader.params["wte"][with_hidden(reader, ids, np.zeros((1, len(ids) - 2)))[0]],
    )
    score, cache = read(reader, words[None], np.ones((1, len(ids)), np.int64))
    slope, gradient = read_backward(np.ones_like(score), cache)[0][0], slopes(reader)
    spread = 0.1 * float(words.std())
    smooth = explain.smoothgrad(gradient, words, rng, spread, draws=16)
    path = explain.integrated_gradients(gradient, words, nothing, steps=32)
    weights = attentions(cache)[:, 0]  # (L, H, T, T)
    found = {
        "size of the slope": np.linalg.norm(slope, axis=-1),
        "slope × word": (slope * words).sum(-1),
        "SmoothGrad × word": (smooth * words).sum(-1),
        "integrated gradients": path.sum(-1),
        "attention": weights[-1].mean((0, 1)),
        "rollout": explain.attention_rollout(weights).mean(0),
    }
    found = {name: numbers[1:-1] for name, numbers in found.items()}
    return found | by_hiding(reader, ids, values, rng)


def by_hiding(reader: Reader, ids: np.ndarray, values: np.ndarray | None, rng) -> dict[str, np.ndarray]:
    """The three explanations that only ask the model, with parts hidden."""
    n = len(ids) - 2
    if values is not None:
        value, masks = looked_up(values), coalitions(n)
        gains = explain.shapley(values)
    else:
        value, masks = hiding(reader, ids), rng.integers(0, 2, (200, n))
        gains = explain.shapley_sampled(value, n, rng, orders=4)
    return {
        "occlusion": explain.occlusion(value, n),
        "LIME": explain.lime(masks, value(masks))[0],
        "Shapley": gains,
    }
