"""Generation (chapter 09): from logits to text. Choosing a token, streaming, windows, beam search.

The functions that continue a text work with any *step* of `fmkit.decoding` or `fmkit.llama`, a function
``step(params, ids, config, kv=None) -> (logits, kv)``. V is the size of the vocabulary.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from fmkit._types import Array
from fmkit.activations import log_softmax, softmax
from fmkit.decoding import check_ids, new_cache, window_start

# ----------------------------------------------------------------------------- from logits to probabilities


def scale_temperature(logits: Float[Array, "V"], temperature: float) -> Float[Array, "V"]:
    """Divide the logits: below 1 the likely tokens gain, above 1 the unlikely ones do; 1 changes nothing.

    Raises
    ------
    ValueError
        If the temperature is not above 0. (Its limit 0 is `greedy`.)

    Examples
    --------
    >>> logits = np.array([2.0, 1.0, 0.0])
    >>> for temperature in (0.5, 1.0, 2.0):
    ...     print(softmax(scale_temperature(logits, temperature))[0].round(2))
    [0.87 0.12 0.02]
    [0.67 0.24 0.09]
    [0.51 0.31 0.19]
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be above 0, got {temperature} (its limit 0 is greedy)")
    return logits / temperature


def filter_top_k(logits: Float[Array, "V"], k: int) -> Float[Array, "V"]:
    """Keep the k best tokens (and those level with the last of them), set the others to -inf.

    A k above V keeps all, so that one setting serves large and small vocabularies.

    Raises
    ------
    ValueError
        If k is below 1.

    References
    ----------
    Fan et al., "Hierarchical Neural Story Generation" (2018), section 5.

    Examples
    --------
    >>> print(filter_top_k(np.array([1.0, 3.0, 2.0, 0.0]), 2))
    [-inf   3.   2. -inf]
    """
    if k < 1:
        raise ValueError(f"top_k must be at least 1, got {k}")
    if k >= logits.size:
        return logits
    least = np.partition(logits, -k)[-k]  # the k-th best, without sorting the rest
    return np.where(logits >= least, logits, -np.inf).astype(logits.dtype, copy=False)


def filter_top_p(logits: Float[Array, "V"], p: float) -> Float[Array, "V"]:
    """Nucleus: keep the fewest tokens whose probabilities add up to p at least, set the others to -inf.

    The best token always stays; p = 1 keeps all.

    Raises
    ------
    ValueError
        If p is not above 0 and at most 1.

    References
    ----------
    Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020), section 3.1.

    Examples
    --------
    >>> logits = np.log(np.array([0.1, 0.5, 0.3, 0.1]))
    >>> print(np.exp(filter_top_p(logits, 0.7)).round(2))  # 0.5 is not enough, 0.5 + 0.3 is
    [0.  0.5 0.3 0. ]
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, got {p}")
    if p == 1:
        return logits
    order = np.argsort(-logits, kind="stable")  # from the best down
    probs = softmax(logits[order])[0]
    before = np.cumsum(probs) - probs  # what the better ones hold together
    out = np.full_like(logits, -np.inf)
    keep = order[: max(1, np.count_nonzero(before < p))]
    out[keep] = logits[keep]
    return out


def penalise_repetition(
    logits: Float[Array, "V"], ids: Sequence | Array, penalty: float
) -> Float[Array, "V"]:
    """Make tokens that occurred less likely: divide a positive logit by the penalty, multiply a negative one.

    A penalty of 1 changes nothing.

    Raises
    ------
    ValueError
        If the penalty is not above 0, or one of ``ids`` is outside the vocabulary.

    References
    ----------
    Keskar et al., "CTRL" (2019), section 4.1.

    Examples
    --------
    >>> print(penalise_repetition(np.array([2.0, -2.0, 1.0]), [0, 1, 0], 2.0))
    [ 1. -4.  1.]
    """
    if not 0 < penalty < math.inf:
        raise ValueError(f"the repetition penalty must be above 0, got {penalty}")
    if len(ids) == 0 or penalty == 1:
        return logits
    seen = np.unique(np.asarray(ids))
    check_ids(seen, logits.size)
    out = logits.copy()
    out[seen] = np.where(logits[seen] > 0, logits[seen] / penalty, logits[seen] * penalty)
    return out


def probabilities(
    logits: Float[Array, "V"],
    ids: Sequence | Array = (),
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
) -> Float[Array, "V"]:
    """What a sampler draws from: penalty, temperature, top-k and top-p in this order, then softmax.

    Parameters
    ----------
    logits : (V,)
        Scores of the next token; -inf rules one out.
    ids : sequence of int
        The tokens so far, for the repetition penalty.
    temperature, top_k, top_p, repetition_penalty
        See the functions above; the defaults change nothing.

    Returns
    -------
    probs : (V,)
        They add up to 1.

    Raises
    ------
    ValueError
        If a setting is out of range, or the logits hold NaN or +inf or are all -inf.

    Examples
    --------
    >>> logits = np.log(np.array([0.1, 0.5, 0.3, 0.1]))
    >>> print(probabilities(logits).round(2), probabilities(logits, top_k=2).round(3))
    [0.1 0.5 0.3 0.1] [0.    0.625 0.375 0.   ]
    """
    _check_logits(logits)
    logits = penalise_repetition(logits, ids, repetition_penalty)
    logits = scale_temperature(logits, temperature)
    if top_k is not None:
        logits = filter_top_k(logits, top_k)
    if top_p is not None:
        logits = filter_top_p(logits, top_p)
    return softmax(logits)[0]


# ---------------------------------------------------------------------------------------- choosing the token

Choose = Callable[[Array, Sequence], int]  # (logits of the next token, tokens so far) -> the token


def greedy(logits: Float[Array, "V"], ids: Sequence | Array = ()) -> int:
    """The most likely token (the first, if several are level).

    Examples
    --------
    >>> greedy(np.array([0.1, 2.0, 0.3]))
    1
    """
    _check_logits(logits)
    return int(logits.argmax())


def sample(rng: np.random.Generator, probs: Float[Array, "V"]) -> int:
    """Draw a token by its probability: a random point on a line that is cut into pieces of these lengths.

    Raises
    ------
    ValueError
        If a probability is negative or NaN, or all are 0.

    Examples
    --------
    >>> rng, probs = np.random.default_rng(0), np.array([0.5, 0.0, 0.5])
    >>> [sample(rng, probs) for _ in range(10)]
    [2, 0, 0, 0, 2, 2, 2, 2, 2, 2]
    """
    ends = np.cumsum(probs, dtype=np.float64)  # where each token's piece ends
    if not (probs.min() >= 0 and 0 < ends[-1] < math.inf):
        raise ValueError("probabilities must be finite, not negative, and not all 0")
    point = rng.random() * ends[-1]
    return int(np.searchsorted(ends, point, side="right"))  # "right": a piece of length 0 is never hit


def sampler(rng: np.random.Generator, **settings) -> Choose:
    """A function that draws the next token, for `generate`. The settings are those of `probabilities`.

    Examples
    --------
    >>> choose = sampler(np.random.default_rng(0), temperature=0.5, top_k=2)
    >>> [choose(np.array([1.0, 3.0, 2.0, 0.0]), []) for _ in range(10)]
    [1, 1, 1, 1, 1, 2, 1, 1, 1, 2]
    """

    def choose(logits: Array, ids: Sequence) -> int:
        return sample(rng, probabilities(logits, ids, **settings))

    return choose


def _check_logits(logits: Array) -> None:
    top = float(logits.max())  # NaN wins a maximum, so that one look finds it
    if not math.isfinite(top):
        raise ValueError(f"logits must be finite (or -inf for some): the largest is {top}")


# ------------------------------------------------------------------------------------------------ generating


def generate(
    step: Callable,
    params: dict,
    prompt: Iterable,
    config: Any,
    max_new_tokens: int,
    *,
    choose: Choose = greedy,
    stop: Iterable = (),
    bos: int | None = None,
) -> Iterator[int]:
    """Continue a prompt, token by token. Each token is handed out as soon as it is chosen.

    Parameters
    ----------
    step : callable
        `fmkit.decoding.gpt_step` or `fmkit.llama.llama_step`, for instance.
    params, config
        The model.
    prompt : iterable of int
        Of any length. If it is longer than ``config.block_size``, the model sees it from `window_start` on.
    max_new_tokens : int
        The largest number of tokens to add.
    choose : callable
        `greedy`, or a function that `sampler` made.
    stop : iterable of int
        Tokens that end the text; they are not handed out.
    bos : int, optional
        A token that an empty prompt begins with.

    Yields
    ------
    token : int

    Raises
    ------
    ValueError
        At once: if the prompt is empty and there is no ``bos``, or holds a token outside the vocabulary.
        Later: if logits are not finite.

    Examples
    --------
    >>> from fmkit.decoding import gpt_step
    >>> from fmkit.transformer import Config, init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> list(generate(gpt_step, params, [3, 1], config, max_new_tokens=5))
    [1, 1, 1, 5, 5]
    >>> choose = sampler(np.random.default_rng(0))
    >>> list(generate(gpt_step, params, [3, 1], config, max_new_tokens=5, choose=choose))
    [4, 1, 0, 0, 5]
    """
    ids = _start(prompt, config.vocab_size, bos, max_new_tokens)
    return _stream(step, params, ids, config, max_new_tokens, choose, frozenset(stop))


def _stream(step, params, ids, config, max_new_tokens, choose, stop) -> Iterator[int]:
    capacity = min(config.block_size, len(ids) + max_new_tokens)
    begin, kv = None, None
    for _ in range(max_new_tokens):
        if begin == window_start(len(ids), config.block_size):
            new = ids[-1:]
        else:  # the first step, or the window moved on: (re)read all that is inside
            begin = window_start(len(ids), config.block_size)
            new, kv = ids[begin:], new_cache(params, config, capacity)
        logits, kv = step(params, np.array([new]), config, kv)
        token = choose(logits[0], ids)
        if token in stop:
            return
        ids.append(token)
        yield token


def generate_by_recomputing(
    forward: Callable,
    params: dict,
    prompt: Iterable,
    config: Any,
    max_new_tokens: int,
    *,
    choose: Choose = greedy,
    stop: Iterable = (),
    bos: int | None = None,
) -> Iterator[int]:
    """The same tokens as `generate`, without a cache: every step reads the whole text again.

    ``forward`` is `fmkit.transformer.gpt` or `fmkit.llama.llama`, the rest as for `generate`. This is the
    plain form, for comparison: n tokens pass n(n + 1) / 2 times through the layers here, n times there.

    Examples
    --------
    >>> from fmkit.transformer import Config, gpt, init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> list(generate_by_recomputing(gpt, params, [3, 1], config, max_new_tokens=5))
    [1, 1, 1, 5, 5]
    """
    ids = _start(prompt, config.vocab_size, bos, max_new_tokens)
    for _ in range(max_new_tokens):
        window = ids[window_start(len(ids), config.block_size) :]
        logits, _ = forward(params, np.array([window]), config)  # (1, T, V)
        token = choose(logits[0, -1], ids)
        if token in stop:
            return
        ids.append(token)
        yield token


def _start(prompt: Iterable, vocab_size: int, bos: int | None, max_new_tokens: int) -> list[int]:
    """The checked prompt as a list of its own."""
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must not be negative, got {max_new_tokens}")
    ids = [int(token) for token in prompt]
    if not ids and bos is None:
        raise ValueError("the prompt is empty: give at least one token, or bos, a token to begin with")
    ids = ids or [bos]
    check_ids(np.array(ids), vocab_size)
    return ids


def stream_text(tokens: Iterable, decode: Callable[[list[int]], str]) -> Iterator[str]:
    """Text in pieces as the tokens come in; a character made of several tokens waits until it is whole.

    Parameters
    ----------
    tokens : iterable of int
        From `generate`.
    decode : callable
        A tokenizer's: a list of tokens to text. Bytes that are not a whole character come out as U+FFFD.

    Yields
    ------
    piece : str

    Examples
    --------
    >>> def decode(ids):
    ...     return bytes(ids).decode("utf-8", "replace")
    >>> list(stream_text("aé!".encode(), decode))  # the two bytes of é wait for each other
    ['a', 'é', '!']
    """
    pending = []
    for token in tokens:
        pending.append(token)
        piece = decode(pending)
        if not piece.endswith("\ufffd"):
            yield piece
            pending = []
    if pending:
        yield decode(pending)


# ----------------------------------------------------------------------------------------------- beam search


def beam_search(
    step: Callable,
    params: dict,
    prompt: Iterable,
    config: Any,
    max_new_tokens: int,
    *,
    n_beams: int = 4,
    length_penalty: float = 1.0,
    stop: Iterable = (),
    bos: int | None = None,
) -> list[tuple[list[int], float]]:
    """Keep the best few texts instead of one; at each step each of them is continued by every token.

    Parameters
    ----------
    step, params, prompt, config, max_new_tokens, bos
        As for `generate`; prompt and new tokens together must fit into ``config.block_size``.
    n_beams : int
        How many texts are kept. 1 is the greedy choice.
    length_penalty : float
        The score of a text is the sum of its log-probabilities / its length ** length_penalty (new tokens,
        the stop token among them). 0 compares the sums, which favours short texts.
    stop : iterable of int
        Tokens that end a text. Here they are part of it, and so is their probability.

    Returns
    -------
    texts : list of (new tokens, score)
        At most ``n_beams``, the best first.

    Raises
    ------
    ValueError
        As `generate`; and if the texts would not fit, or ``n_beams`` or ``max_new_tokens`` is below 1.

    References
    ----------
    Wu et al., "Google's Neural Machine Translation System" (2016), section 7, with the plain length as in
    Murray and Chiang, "Correcting Length Bias" (2018), section 2.

    Examples
    --------
    >>> from fmkit.decoding import gpt_step
    >>> from fmkit.transformer import Config, init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> for tokens, score in beam_search(gpt_step, params, [3, 1], config, 3, n_beams=2):
    ...     print(tokens, round(score, 2))
    [5, 5, 5] -1.88
    [5, 5, 4] -1.89
    """
    ids = _start(prompt, config.vocab_size, bos, max_new_tokens)
    if n_beams < 1 or max_new_tokens < 1:
        raise ValueError(f"at least one beam and one token, got {n_beams} and {max_new_tokens}")
    if len(ids) + max_new_tokens > config.block_size:
        raise ValueError(f"{len(ids)} + {max_new_tokens} tokens exceed the block of {config.block_size}")
    stop = sorted(set(stop))
    kv = new_cache(params, config, len(ids) + max_new_tokens)
    new = np.array([ids])
    beams, sums, finished = [[]], np.zeros(1), []  # one empty text to begin with
    for length in range(1, max_new_tokens + 1):
        logits, kv = step(params, new, config, kv)  # (number of beams, V)
        total = sums[:, None] + log_softmax(logits.astype(np.float64))[0]
        best = _best(total, n_beams * (1 + max(1, len(stop))))  # enough, even if all that can stop do

        # of the best n, those that end are finished; the best n that do not end go on
        norm = length**length_penalty
        ends = [length == max_new_tokens or token in stop for _, token in best]
        for (row, token), end in list(zip(best, ends, strict=True))[:n_beams]:
            if end:
                finished.append((beams[row] + [token], float(total[row, token]) / norm))
        finished = sorted(finished, key=lambda text: -text[1])[:n_beams]
        best = [pair for pair, end in zip(best, ends, strict=True) if not end][:n_beams]
        if not best or (len(finished) == n_beams and total[best[0]] / norm <= finished[-1][1]):
            break  # no text is left, or all that are left are worse than the finished ones
        sums = np.array([total[pair] for pair in best])
        beams = [beams[row] + [token] for row, token in best]
        kv = kv.select([row for row, _ in best])
        new = np.array([[token] for _, token in best])
    return finished


def _best(total: Float[Array, "N V"], n: int) -> list[tuple[int, int]]:
    """The n best (row, column), best first, without those at -inf."""
    flat = total.ravel()
    order = np.argsort(-flat, kind="stable")[:n]
    return [divmod(int(i), total.shape[1]) for i in order if flat[i] > -math.inf]
