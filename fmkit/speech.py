"""Speech to text (chapter 16): the picture of a sound, Whisper on it, and how many words are wrong.

A sound is a row of numbers, 16,000 a second, from -1 to 1. Whisper looks at 30 seconds of it at a time. Its
encoder is a transformer that sees all of them; its decoder writes tokens, and each of its blocks also looks
at what the encoder made (cross-attention).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, holds, listed, whole
from fmkit.activations import gelu_erf, gelu_erf_backward
from fmkit.attention import attention, causal_mask, merge_heads, multihead_attention, split_heads
from fmkit.decoding import cached_attention
from fmkit.layers import layernorm, linear, mlp

RATE = 16_000  # numbers a second
WINDOW, HOP, BANDS = 400, 160, 80  # of a picture's column: 25 ms, every 10 ms; its rows
SECONDS = 30

# --------------------------------------------------------------------------------------- the log-mel picture


def mel_filters(n_bands: int = BANDS, window: int = WINDOW, rate: int = RATE) -> Float[Array, "F M"]:
    """Which frequencies each band hears: triangles, of one width below 1,000 Hz, ever wider above.

    Returns
    -------
    filters : (window/2 + 1, n_bands)
        Each triangle has the area 1 (over Hz, times 1), so that wide ones are not louder.

    References
    ----------
    Slaney, "Auditory toolbox" (1998); the scale and the areas that Whisper was trained with.

    Examples
    --------
    >>> filters = mel_filters()
    >>> filters.shape, (filters > 0).sum(0)[[0, 40, 79]]  # how many frequencies a band hears
    ((201, 80), array([ 1,  3, 14]))
    """

    def to_mel(hz):
        return np.where(hz < 1000, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1) / 1000) * 27 / np.log(6.4))

    def to_hz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    hz = np.linspace(0, rate / 2, window // 2 + 1)[:, None]  # (F, 1)
    corners = to_hz(np.linspace(to_mel(0.0), to_mel(rate / 2), n_bands + 2))  # (M+2,)
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    triangles = np.minimum((hz - left) / (middle - left), (right - hz) / (right - middle))
    return np.maximum(triangles, 0.0) * (2.0 / (right - left))


def log_mel(sound: Float[Array, "N"], seconds: int = SECONDS) -> Float[Array, "T M"]:
    """The picture of a sound that Whisper reads: how loud each band is, every 10 ms, as a logarithm.

    The sound is filled up with silence, or cut, to exactly ``seconds``: Whisper has never seen a shorter one.

    Parameters
    ----------
    sound : (N,)
        16,000 numbers a second, from -1 to 1.

    Returns
    -------
    picture : (100 * seconds, 80), in the dtype of the sound
        1 is loud. What is 80 dB below the loudest point or more is one grey: (log10 of the power, at least
        the largest minus 8, plus 4) / 4.

    References
    ----------
    Radford et al., "Robust speech recognition via large-scale weak supervision" (2022), section 2.2.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    >>> picture = log_mel(tone, seconds=2)
    >>> loud = int(picture[50].argmax())  # the band of 440 Hz
    >>> picture.shape, loud, bool(picture[150, loud] < picture[50, loud])  # silence in second two
    ((200, 80), 11, True)
    """
    sound, n = floats("sound", sound, 1, "(N,)"), whole("seconds", seconds, 1) * RATE
    demand(bool(np.isfinite(sound).all()), "sound", "finite numbers", "others among them")
    filled = np.zeros(n, sound.dtype)
    filled[: len(sound)] = sound[:n]
    padded = np.pad(filled, WINDOW // 2, mode="reflect")
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:-1]  # (T, 400)
    power = np.abs(np.fft.rfft(pieces * np.hanning(WINDOW + 1)[:-1])) ** 2  # (T, 201)
    picture = np.log10(np.maximum(power @ mel_filters(), 1e-10))  # (T, 80): first the floor, then the log
    picture = np.maximum(picture, picture.max() - 8.0)
    return ((picture + 4.0) / 4.0).astype(sound.dtype)


# ---------------------------------------------------------------------------------------------------- Whisper


def encode(params: dict, picture: Float[Array, "T M"], n_heads: int) -> Float[Array, "1 S C"]:
    """What the encoder makes of a picture: a vector for every 20 ms.

    Parameters
    ----------
    params : dict
        ``encoder`` of what `fmkit.data.speech.load_whisper` returns.
    picture : (T, M)
        From `log_mel`; T is even, at most twice the positions that the model has.

    Examples
    --------
    >>> from fmkit.data.speech import load_whisper, spoken
    >>> params, _, n_heads = load_whisper()
    >>> sound, text = spoken()["president"]
    >>> encode(params["encoder"], log_mel(sound, seconds=4), n_heads).shape
    (1, 200, 384)
    """
    holds("params", params, {"conv1", "conv2", "wpe", "blocks", "lnf"}, "an encoder's")
    picture = floats("picture", picture, 2, "(T, M)")
    x = gelu_erf(over_time(picture, **params["conv1"]))[0]  # (T, C)
    x = gelu_erf(over_time(x, **params["conv2"], stride=2))[0]  # (T/2, C)
    demand(len(x) <= len(params["wpe"]), "picture", f"at most {2 * len(params['wpe'])} columns", len(picture))
    x = (x + params["wpe"][: len(x)])[None]  # (1, S, C)
    for p in params["blocks"]:
        normed, _ = layernorm(x, **p["ln1"])
        x = x + multihead_attention(normed, p["attn"], n_heads)[0]  # no mask: it hears the future, too
        x = x + _feed_forward(x, p)
    return layernorm(x, **params["lnf"])[0]


def over_time(
    x: Float[Array, "T C"], w: Float[Array, "K C D"], b: Float[Array, "D"], stride: int = 1
) -> Float[Array, "t D"]:
    """A convolution along time: each result sees K neighbouring columns (K odd; zeros beyond the ends).

    Examples
    --------
    >>> w = np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    >>> print(over_time(np.array([[1.0], [2.0], [3.0]]), w, np.zeros(1)).ravel())
    [210. 321.  32.]
    """
    K, C, D = w.shape
    expect("x", x, (None, C), "(T, C)")
    padded = np.pad(x, ((K // 2, K // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, K, axis=0)[::stride]  # (t, C, K)
    return windows.swapaxes(1, 2).reshape(len(windows), K * C) @ w.reshape(K * C, D) + b


def _feed_forward(x: Array, p: dict) -> Array:
    normed, _ = layernorm(x, **p["ln2"])
    return mlp(normed, **p["mlp"], activation=(gelu_erf, gelu_erf_backward))[0]


def cross_attention(
    x: Float[Array, "B T C"], p: dict, keys: Float[Array, "B H S D"], values: Float[Array, "B H S D"]
) -> Float[Array, "B T C"]:
    """Attention from one sequence to another: queries of x, keys and values of what the encoder made.

    Parameters
    ----------
    p : dict
        ``wq``, ``bq``, ``wo``, ``bo``.
    keys, values : (B, H, S, D)
        From `keys_and_values`, once for all tokens.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = {"wq": np.eye(4), "bq": np.zeros(4), "wo": np.eye(4), "bo": np.zeros(4)}
    >>> keys, values = rng.normal(size=(2, 1, 2, 7, 2))
    >>> cross_attention(rng.normal(size=(1, 3, 4)), p, keys, values).shape
    (1, 3, 4)
    """
    q = split_heads(linear(x, p["wq"], p["bq"])[0], keys.shape[1])  # (B, H, T, D)
    out, _ = attention(q, keys, values)
    return linear(merge_heads(out), p["wo"], p["bo"])[0]


def keys_and_values(
    heard: Float[Array, "B S C"], p: dict, n_heads: int
) -> tuple[Float[Array, "B H S D"], Float[Array, "B H S D"]]:
    """Of what the encoder made, the keys and values for one block of the decoder.

    Examples
    --------
    >>> p = {"wkv": np.ones((4, 8)), "bkv": np.zeros(8)}
    >>> keys, values = keys_and_values(np.ones((1, 7, 4)), p, n_heads=2)
    >>> keys.shape, values.shape
    ((1, 2, 7, 2), (1, 2, 7, 2))
    """
    both = split_heads(linear(heard, p["wkv"], p["bkv"])[0], 2 * n_heads)  # (B, 2H, S, D)
    return both[:, :n_heads], both[:, n_heads:]


def transcribe(
    params: dict,
    picture: Float[Array, "T M"],
    n_heads: int,
    prompt: Sequence[int],
    stop: int,
    max_new_tokens: int = 200,
) -> list[int]:
    """The tokens that Whisper writes for a picture: each time the most likely one.

    Parameters
    ----------
    params : dict
        ``encoder`` and ``decoder``, of `fmkit.data.speech.load_whisper`.
    picture : (T, M)
        From `log_mel`.
    n_heads : int
    prompt : list of int
        Tokens that say what is asked: here that a text begins, without times.
    stop : int
        The token that ends a text; it is not returned.

    Notes
    -----
    On silence, or on a picture of less than 30 seconds, it may repeat itself until ``max_new_tokens``.

    Examples
    --------
    >>> from fmkit.data.speech import BEGIN, END, NO_TIMES, load_whisper, spoken
    >>> params, tokenizer, n_heads = load_whisper()
    >>> sound, text = spoken()["president"]
    >>> tokens = transcribe(params, log_mel(sound), n_heads, [BEGIN, NO_TIMES], END, max_new_tokens=5)
    >>> tokenizer.decode(tokens)
    ' who was the first president of'
    """
    holds("params", params, {"encoder", "decoder"}, "Whisper's")
    decoder = params["decoder"]
    heard = encode(params["encoder"], picture, n_heads)
    crossed = [keys_and_values(heard, p["cross"], n_heads) for p in decoder["blocks"]]
    room = min(len(prompt) + whole("max_new_tokens", max_new_tokens, 0), len(decoder["wpe"]))
    C = decoder["wte"].shape[1]
    kept = [np.empty((2, 1, n_heads, room, C // n_heads), heard.dtype) for _ in decoder["blocks"]]
    new, out, start = list(prompt), [], 0
    while start + len(new) <= room:
        logits = _write(decoder, np.array(new), start, n_heads, kept, crossed)
        start += len(new)
        token = int(logits.argmax())
        if token == stop:
            break
        out.append(token)
        new = [token]
    return out


def _write(decoder, ids, start, n_heads, kept, crossed) -> Float[Array, "V"]:
    """Read some new tokens at positions ``start`` on; the scores of the next one."""
    stop = start + len(ids)
    x = (decoder["wte"][ids] + decoder["wpe"][start:stop])[None]  # (1, T, C)
    mask = causal_mask(stop, x.dtype)[start:]  # (T, stop)
    for p, (keys, values), across in zip(decoder["blocks"], kept, crossed, strict=True):
        normed, _ = layernorm(x, **p["ln1"])
        x = x + cached_attention(normed, p["attn"], n_heads, keys, values, start, mask)
        normed, _ = layernorm(x, **p["lnx"])
        x = x + cross_attention(normed, p["cross"], *across)
        x = x + _feed_forward(x, p)
    last, _ = layernorm(x[0, -1], **decoder["lnf"])
    return last @ decoder["wte"].T  # (V,)


# ------------------------------------------------------------------------------------- words that are wrong


def word_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """How many words must be changed, added or left out to turn one text into the other.

    References
    ----------
    Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals" (1966).

    Examples
    --------
    >>> word_errors("please call me".split(), "please call him now".split())
    2
    """
    listed("reference", reference, "words")
    listed("hypothesis", hypothesis, "words")
    row = list(
        range(len(hypothesis) + 1)
    )  # from no word of the reference to each beginning of the hypothesis
    for i, word in enumerate(reference, start=1):
        above, row = row, [i]
        for j, other in enumerate(hypothesis, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != other)))
    return row[-1]


def word_error_rate(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> float:
    """Wrong words for each word of the references, over all texts together. It may be above 1.

    Examples
    --------
    >>> word_error_rate([["a", "b", "c"], ["d"]], [["a", "b", "c"], ["e", "f"]])
    0.5
    """
    demand(len(references) == len(hypotheses), "hypotheses", f"{len(references)} texts", len(hypotheses))
    errors = sum(word_errors(*pair) for pair in zip(references, hypotheses, strict=True))
    words = sum(map(len, references))
    demand(words > 0, "references", "a word at least", "none")
    return errors / words
