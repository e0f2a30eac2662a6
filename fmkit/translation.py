"""Translation (chapter 16): a GRU reads a sentence, another GRU writes it in the other language.

What is read has to get across. In the *plain* translator, all that the writer ever sees of the sentence is
the reader's last state: one vector, however long the sentence is. With attention the writer looks, before
every word, at all of the reader's states, with weights of its own. That is the only difference here: both
have the same parameters.

B is the batch, S the length of what is read, T of what is written, E the width of an embedding, H of a state.
"""

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, float_dtype, floats, matrix, opened, zeros_and_ones
from fmkit._types import Array, Cache
from fmkit._values import demand, generator, holds, whole
from fmkit.activations import sigmoid, tanh, tanh_backward
from fmkit.attention import attention, attention_backward, attention_weights
from fmkit.layers import embedding, embedding_backward, linear, linear_backward, mlp, mlp_backward

# ------------------------------------------------------------------------------------------------- the GRU


def gru(
    x: Float[Array, "B T C"],
    wx: Float[Array, "C H3"],
    wh: Float[Array, "H H3"],
    bx: Float[Array, "H3"],
    bh: Float[Array, "H3"],
    h0: Float[Array, "B H"] | None = None,
) -> tuple[Float[Array, "B T H"], Cache]:
    """Gated recurrent unit over T steps; returns the state after each of them.

    ``r, z = sigmoid(...)`` of ``x_t @ wx + bx + h @ wh + bh``; the candidate ``n = tanh(x_t @ wx + bx +
    r * (h @ wh + bh))``; then ``h = (1 - z) * n + z * h``. Where z is 1 the state stays as it is. (An LSTM
    has a second state, the cell, and one gate more.)

    Parameters
    ----------
    x : (B, T, C)
    wx, wh, bx, bh : (C, 3H), (H, 3H), (3H,), (3H,)
        r, z, n side by side, in torch's order and convention: r scales what comes *out of* the product with
        the state. (In Cho's paper r scales the state itself, before the product; then one bias is enough.)
    h0 : (B, H), optional
        State before the first step; zeros when left out.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), equations 5 to 8; r after
    the product as in cuDNN and torch.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> wx, wh, b = rng.normal(size=(1, 6)), rng.normal(size=(2, 6)), np.zeros(6)
    >>> h, _ = gru(np.array([[[1.0], [0.0], [0.0]]]), wx, wh, b, b)
    >>> print(h.round(3))  # the first step is still remembered in the third
    [[[-0.169  0.164]
      [-0.078  0.073]
      [-0.036  0.031]]]
    """
    x = floats("x", x, 3, "(B, T, C)")
    matrix("wh", wh, None, "(H, 3H)")
    (B, T, C), H = x.shape, len(wh)
    expect("wx", wx, (C, 3 * H), "(C, 3H)")
    expect("wh", wh, (H, 3 * H), "(H, 3H)")
    expect("bx", bx, (3 * H,), "(3H,)")
    expect("bh", bh, (3 * H,), "(3H,)")
    if h0 is not None:
        expect("h0", h0, (B, H), "(B, H)")
    xt = np.ascontiguousarray(x.swapaxes(0, 1))  # (T, B, C): the rows of one step side by side in memory
    gates = linear(xt, wx, bx)[0]  # (T, B, 3H): what the inputs add to every step, in one product
    views = gates.reshape(T, B, 3, H).swapaxes(1, 2)  # (T, 3, B, H): the same numbers, gate by gate
    h = np.empty((T + 1, B, H), x.dtype)  # h[t] is the state before step t
    h[0] = 0.0 if h0 is None else h0
    kept = np.empty((T, B, H), x.dtype)  # the state's part of n, before r scales it
    for t in range(T):
        zh = h[t] @ wh + bh  # (B, 3H)
        gates[t, :, : 2 * H] = sigmoid(gates[t, :, : 2 * H] + zh[:, : 2 * H])[0]
        kept[t] = zh[:, 2 * H :]
        r, z, n = views[t]  # (B, H) each
        n[...] = np.tanh(n + r * kept[t])
        h[t + 1] = n + z * (h[t] - n)
    return h[1:].swapaxes(0, 1).copy(), (xt, wx, wh, gates, h, kept, h0 is not None)


def gru_backward(dout: Float[Array, "B T H"], cache: Cache) -> tuple[Float[Array, "..."] | None, ...]:
    """Gradients of `gru`: dx, dwx, dwh, dbx, dbh, dh0 (the last None where no first state was given).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> wx, wh, b = rng.normal(size=(1, 6)), rng.normal(size=(2, 6)), np.zeros(6)
    >>> h, cache = gru(np.ones((1, 3, 1)), wx, wh, b, b)
    >>> dout = np.zeros_like(h)
    >>> dout[:, -1] = 1.0  # only the last step is asked for
    >>> print(gru_backward(dout, cache)[0].ravel().round(3))  # dx: the first step counts, too
    [-0.003  0.002  0.016]
    """
    xt, wx, wh, gates, h, kept, has_h0 = opened(cache, 7, "gru")
    T, B, H = kept.shape
    expect("dout", dout, (B, T, H), "(B, T, H)")
    views = gates.reshape(T, B, 3, H).swapaxes(1, 2)  # (T, 3, B, H)
    dzx, dzh = np.empty_like(gates), np.empty_like(gates)  # (T, B, 3H): of the input's part, of the state's
    dh = np.zeros_like(h[0])  # (B, H): what comes from later steps
    for t in reversed(range(T)):
        r, z, n = views[t]
        dh = dh + dout[:, t]  # h[t + 1] went up to the output and on to the next step
        dz = dh * (h[t] - n) * z * (1.0 - z)  # h = n + z * (h - n), and z = sigmoid(...)
        dn = dh * (1.0 - z) * (1.0 - n * n)  # n = tanh(...)
        dr = dn * kept[t] * r * (1.0 - r)  # ... of r * kept
        dzx[t] = np.concatenate([dr, dz, dn], axis=1)  # (B, 3H)
        dzh[t] = np.concatenate([dr, dz, dn * r], axis=1)  # (B, 3H): the state's part of n was scaled by r
        dh = dh * z + dzh[t] @ wh.T  # (B, H): two ways back, past the gates and through them
    dwh = h[:-1].reshape(-1, H).T @ dzh.reshape(-1, 3 * H)  # every step used wh: one product for all
    dxt, dwx, dbx = linear_backward(dzx, (xt, wx, True))
    dx = dxt.swapaxes(0, 1).copy()  # (B, T, C)
    return dx, dwx, dwh, dbx, dzh.sum((0, 1)), dh if has_h0 else None


# ---------------------------------------------------------------------------------- reader, writer, attention


def init_translator(
    rng: np.random.Generator, n_read: int, n_write: int, d_embed: int, d_model: int, dtype=np.float32
) -> dict:
    """Parameters for `translator`: two embeddings, two GRUs, and two layers that choose the word.

    Weights from a normal of 1 / sqrt(inputs), embeddings of 1, biases 0.

    Examples
    --------
    >>> params = init_translator(np.random.default_rng(0), 106, 156, d_embed=8, d_model=16)
    >>> {name: w.shape for name, w in params["choice"].items()}
    {'w1': (32, 16), 'b1': (16,), 'w2': (16, 156), 'b2': (156,)}
    """
    generator(rng)
    n_read, n_write = whole("n_read", n_read, 1), whole("n_write", n_write, 1)
    E, H, dtype = whole("d_embed", d_embed, 1), whole("d_model", d_model, 1), float_dtype(dtype)

    def normal(n_in, n_out):
        return rng.normal(0.0, n_in**-0.5, (n_in, n_out)).astype(dtype)

    def unit():
        zeros = np.zeros(3 * H, dtype)
        return {"wx": normal(E, 3 * H), "wh": normal(H, 3 * H), "bx": zeros, "bh": zeros.copy()}

    return {
        "read": rng.normal(0.0, 1.0, (n_read, E)).astype(dtype),
        "write": rng.normal(0.0, 1.0, (n_write, E)).astype(dtype),
        "reader": unit(),
        "writer": unit(),
        "choice": {
            "w1": normal(2 * H, H),
            "b1": np.zeros(H, dtype),
            "w2": normal(H, n_write),
            "b2": np.zeros(n_write, dtype),
        },
    }


def translator(
    params: dict,
    source: Integer[Array, "B S"],
    mask: Array,
    words: Integer[Array, "B T"],
    attend: bool = True,
) -> tuple[Float[Array, "B T V"], Cache]:
    """Scores of the next word after each of ``words``, for sentences that are read from ``source``.

    Parameters
    ----------
    params : dict
        From `init_translator`.
    source : (B, S) integers
        What is read, filled up at the end.
    mask : (B, S)
        1 for what is real, 0 for what fills up; a 1 at least in each row, and no 1 behind a 0.
    words : (B, T) integers
        What has been written so far; the first of each row says that a sentence begins.
    attend : bool
        Whether the writer looks at all states of the reader, or always at the last one.

    References
    ----------
    Cho et al. (2014), without attention; with it, Bahdanau, Cho and Bengio, "Neural machine translation by
    jointly learning to align and translate" (2015), in the simpler form of Luong et al. (2015): dot products,
    and what was looked at goes to the choice of the word, not back into the GRU.

    Examples
    --------
    >>> params = init_translator(np.random.default_rng(0), 9, 7, d_embed=4, d_model=6)
    >>> source, mask = np.array([[3, 5, 8], [4, 2, 0]]), np.array([[1, 1, 1], [1, 1, 0]])
    >>> translator(params, source, mask, np.array([[1, 2], [1, 3]]))[0].shape
    (2, 2, 7)
    """
    holds("params", params, {"read", "write", "reader", "writer", "choice"}, "a translator's")
    states, h0, read_cache = _read(params, source, mask)
    embedded, write_cache = embedding(words, params["write"])  # (B, T, E)
    expect("words", words, (len(source), None), "(B, T)")
    h, gru_cache = gru(embedded, **params["writer"], h0=h0)  # (B, T, H)
    seen, look_cache = _look(h, states, h0, mask, attend)  # (B, T, H)
    both = np.concatenate([h, seen], axis=-1)  # (B, T, 2H)
    scores, choice_cache = mlp(both, **params["choice"], activation=(tanh, tanh_backward))
    return scores, (read_cache, write_cache, gru_cache, look_cache, choice_cache)


def _read(params, source, mask):
    """The reader's state after each character, and the last that is not padding."""
    expect("mask", mask, np.shape(source), "(B, S)")
    zeros_and_ones("mask", mask)
    last = np.asarray(mask, int).sum(1) - 1  # (B,)
    demand(bool((last >= 0).all()), "mask", "a 1 at least in each row", "a row of zeros")
    demand(bool((np.diff(np.asarray(mask, int), axis=1) <= 0).all()), "mask", "no 1 behind a 0", "one")
    embedded, embedding_cache = embedding(source, params["read"])  # (B, S, E)
    states, gru_cache = gru(embedded, **params["reader"])  # (B, S, H)
    return states, states[np.arange(len(last)), last], (embedding_cache, gru_cache, last)


def _look(h, states, h0, mask, attend):
    """What the writer sees of the sentence before each word: a mean by weights, or the last state."""
    if not attend:
        return np.broadcast_to(h0[:, None], h.shape), None
    seen, cache = attention(
        h[:, None], states[:, None], states[:, None], np.asarray(mask)[:, None, None] == 1
    )
    return seen[:, 0], cache  # one head


def translator_backward(dout: Float[Array, "B T V"], cache: Cache) -> dict:
    """Gradient of `translator`: nested as the parameters.

    Examples
    --------
    >>> params = init_translator(np.random.default_rng(0), 9, 7, d_embed=4, d_model=6)
    >>> source = np.array([[3, 5, 8]])
    >>> scores, cache = translator(params, source, np.ones_like(source), np.array([[1, 2]]), attend=False)
    >>> dout = np.zeros_like(scores)
    >>> dout[0, 1] = 1.0  # only the second word is asked for
    >>> np.flatnonzero(translator_backward(dout, cache)["read"].any(1))  # what was read goes into it
    array([3, 5, 8])
    """
    read_cache, write_cache, writer_cache, look_cache, choice_cache = opened(cache, 5, "translator")
    embedding_cache, reader_cache, last = read_cache
    dboth, *dchoice = mlp_backward(dout, choice_cache)
    dh, dseen = np.split(dboth, 2, axis=-1)  # (B, T, H) each
    if look_cache is None:
        dh0, dstates = dseen.sum(1), 0.0  # every word saw the same last state
    else:
        dq, dk, dv = attention_backward(dseen[:, None], look_cache)
        dh, dh0, dstates = dh + dq[:, 0], 0.0, (dk + dv)[:, 0]  # keys and values were the same states
    dembedded, *dwriter, dfirst = gru_backward(dh, writer_cache)
    T, B, H = reader_cache[5].shape
    dread = np.zeros((B, T, H), dout.dtype) + dstates  # (B, S, H)
    dread[np.arange(B), last] += dfirst + dh0  # the last state is where the writer begins
    dcharacters, *dreader, _ = gru_backward(dread, reader_cache)
    names = ("wx", "wh", "bx", "bh")
    return {
        "read": embedding_backward(dcharacters, embedding_cache),
        "write": embedding_backward(dembedded, write_cache),
        "reader": dict(zip(names, dreader, strict=True)),
        "writer": dict(zip(names, dwriter, strict=True)),
        "choice": dict(zip(("w1", "b1", "w2", "b2"), dchoice, strict=True)),
    }


def translate(
    params: dict,
    source: Integer[Array, "B S"],
    mask: Array,
    begin: int,
    end: int,
    attend: bool = True,
    max_words: int = 100,
) -> tuple[list[list[int]], Float[Array, "B T S"] | None]:
    """Write each sentence, a word at a time, always the most likely one.

    Returns
    -------
    written : list of B lists of integers
        Without ``begin`` and ``end``.
    weights : (B, T, S), or None without attention
        Where the writer looked before each word; T is the longest that was written, and its end.

    Examples
    --------
    >>> params = init_translator(np.random.default_rng(2), 9, 7, d_embed=4, d_model=6)
    >>> source = np.array([[3, 5, 8]])
    >>> written, weights = translate(params, source, np.ones_like(source), begin=1, end=0)
    >>> written, weights.shape  # three words, and where it saw the end
    ([[5, 3, 1]], (1, 4, 3))
    """
    states, h0, _ = _read(params, source, mask)
    word, h = np.full((len(source), 1), begin), h0
    columns, weights, done = [], [], np.zeros(len(source), bool)
    for _ in range(whole("max_words", max_words, 1)):
        out, _ = gru(embedding(word, params["write"])[0], **params["writer"], h0=h)  # (B, 1, H)
        h = out[:, 0]
        seen, cache = _look(out, states, h0, mask, attend)
        both = np.concatenate([out, seen], axis=-1)
        word = mlp(both, **params["choice"], activation=(tanh, tanh_backward))[0].argmax(-1)  # (B, 1)
        columns.append(word[:, 0])
        if attend:
            weights.append(attention_weights(cache)[:, 0, 0])  # (B, S)
        done |= word[:, 0] == end
        if done.all():
            break
    rows = np.stack(columns, axis=1).tolist()  # (B, T)
    written = [row[: row.index(end)] if end in row else row for row in rows]
    return written, np.stack(weights, axis=1) if attend else None
