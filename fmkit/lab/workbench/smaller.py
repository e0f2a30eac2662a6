"""Chapter 13's workbench: MiniLM with other weights than its own, and what is read off on the way.

A *model* is the parameters of `fmkit.bert`, in which a weight may also be a function ``w(x)``: two thin
matrices one after the other, or a product in whole numbers.
"""

import json
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from fmkit._paths import RESULTS
from fmkit.activations import gelu_erf
from fmkit.attention import attention, merge_heads, padding_mask, split_heads
from fmkit.batching import batches_by_length, pad
from fmkit.bert import BertConfig
from fmkit.layers import layernorm, mean_pool
from fmkit.pruning import low_rank, prune_neurons
from fmkit.quantization import absmax

PLACES = (("attn", "wqkv"), ("attn", "wo"), ("mlp", "w1"), ("mlp", "w2"))  # the four weights of a block


def times(x: np.ndarray, w) -> np.ndarray:
    """x @ w, or what stands for it; one large product, not one for each text."""
    rows = x.reshape(-1, x.shape[-1])
    out = w(rows) if callable(w) else rows @ w
    return out.reshape(*x.shape[:-1], -1)


def hidden(
    params: dict, ids: np.ndarray, mask: np.ndarray, config: BertConfig, seen: Callable | None = None
) -> np.ndarray:
    """`fmkit.bert.bert` for models whose weights may be functions, (B, T, C).

    Parameters
    ----------
    seen : callable, optional
        Called with (block, name of the weight, its inputs (B, T, I)) on the way.
    """
    see = seen or (lambda *_: None)
    x = params["wte"][ids] + params["wse"][0] + params["wpe"][: ids.shape[1]]
    x = layernorm(x, **params["ln"], eps=config.eps)[0]
    hide, H = padding_mask(mask, x.dtype), config.n_heads
    for i, p in enumerate(params["blocks"]):
        see(i, "wqkv", x)
        q, k, v = np.split(split_heads(times(x, p["attn"]["wqkv"]) + p["attn"]["bqkv"], 3 * H), 3, axis=1)
        mixed = merge_heads(attention(q, k, v, hide)[0])
        see(i, "wo", mixed)
        x = layernorm(x + times(mixed, p["attn"]["wo"]) + p["attn"]["bo"], **p["ln1"], eps=config.eps)[0]
        see(i, "w1", x)
        active = gelu_erf(times(x, p["mlp"]["w1"]) + p["mlp"]["b1"])[0]
        see(i, "w2", active)
        x = layernorm(x + times(active, p["mlp"]["w2"]) + p["mlp"]["b2"], **p["ln2"], eps=config.eps)[0]
    return x


def in_batches(ids: list[list[int]], size: int = 32) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(rows, padded ids, mask) of texts of similar length."""
    for rows in batches_by_length([len(text) for text in ids], size):
        yield rows, *pad([ids[i] for i in rows])


def logits(params: dict, ids: list[list[int]], config: BertConfig) -> np.ndarray:
    """Scores (N, K) of the classes, from a model with ``pooler`` and ``classifier``."""
    out = np.zeros((len(ids), params["classifier"]["w"].shape[1]), np.float32)
    for rows, padded, mask in in_batches(ids):
        first = hidden(params, padded, mask, config)[:, 0]  # of [CLS]
        pooled = np.tanh(first @ params["pooler"]["w"] + params["pooler"]["b"])
        out[rows] = pooled @ params["classifier"]["w"] + params["classifier"]["b"]
    return out


def vectors(params: dict, ids: list[list[int]], config: BertConfig) -> np.ndarray:
    """The mean of each text's last hidden states, (N, C): what MiniLM was trained to give."""
    out = np.zeros((len(ids), config.d_model), np.float32)
    for rows, padded, mask in in_batches(ids):
        out[rows] = mean_pool(hidden(params, padded, mask, config), mask)[0]
    return out


def grams(params: dict, ids: list[list[int]], config: BertConfig) -> dict[tuple[int, str], np.ndarray]:
    """``x.T @ x`` of the inputs of each weight, by (block, name): what GPTQ and Wanda look at."""
    found: dict[tuple[int, str], np.ndarray] = {}
    for _, padded, mask in in_batches(ids):

        def add(i, name, x, mask=mask):
            real = x[mask == 1].astype(np.float64)
            found[i, name] = found.get((i, name), 0.0) + real.T @ real

        hidden(params, padded, mask, config, add)
    return found


# ---------------------------------------------------------------------------------------------- other weights


def changed(params: dict, change: Callable) -> dict:
    """A model in which every weight of the blocks is ``change(block, name, w)``; the rest is shared."""
    blocks = []
    for i, p in enumerate(params["blocks"]):
        block = {name: dict(part) for name, part in p.items()}
        for part, name in PLACES:
            block[part][name] = change(i, name, p[part][name])
        blocks.append(block)
    return params | {"blocks": blocks}


def in_bytes(_block: int, _name: str, w: np.ndarray) -> Callable:
    """A weight whose products are made of bytes, activations too.

    `int8_linear` without its slow loop: the whole numbers are multiplied as float32, which holds them exactly
    up to 2**24; no sum here comes near it.
    """
    q, scale = absmax(w)
    whole = q.astype(np.float32)

    def product(x):
        x_q, x_scale = absmax(x, axis=-1)
        return (x_q.astype(np.float32) @ whole) * x_scale * scale

    return product


def thin(rank: int) -> Callable:
    """Every weight as two thin ones; for `changed`."""

    def change(_block, _name, w):
        a, b = low_rank(w, rank)
        return lambda x: (x @ a) @ b

    return change


def fewer_neurons(params: dict, keep: int) -> dict:
    """Only so many hidden neurons in each block."""
    blocks = []
    for p in params["blocks"]:
        w1, b1, w2 = prune_neurons(p["mlp"]["w1"], p["mlp"]["b1"], p["mlp"]["w2"], keep)
        blocks.append(p | {"mlp": p["mlp"] | {"w1": w1, "b1": b1, "w2": w2}})
    return params | {"blocks": blocks}


def fewer_blocks(params: dict, which: Iterable[int]) -> dict:
    """Only these blocks."""
    return params | {"blocks": [params["blocks"][i] for i in which]}


def results() -> dict:
    """What ``python benchmarks/smaller.py`` measured."""
    return json.loads((RESULTS / "smaller.json").read_text("utf-8"))
