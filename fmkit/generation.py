"""Generation (chapter 09): from logits to text. Choosing a token, streaming, windows, beam search.

The functions that continue a text work with any *step* of `fmkit.decoding` or `fmkit.llama`, a function
``step(params, ids, config, kv=None) -> (logits, kv)``. V is the size of the vocabulary.

What chooses a token takes the scores (V,) of one text. A step returns a row of them for each text of a batch:
``logits[0]`` is the first.
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from fmkit._shapes import expect
from fmkit._types import Array
from fmkit._values import instance, kind_of, listed, number, whole
from fmkit.activations import log_softmax, softmax
from fmkit.decoding import check_ids, new_cache, window_start

# ----------------------------------------------------------------------------- from logits to probabilities


def scale_temperature(logits: Float[Array, "V"], temperature: float) -> Float[Array, "V"]:
    """Divide the logits: below 1 the likely tokens gain, above 1 the unlikely ones do; 1 changes nothing.

    Where a temperature below 1 makes quotients too large for their dtype, the largest logit is subtracted
    first: the softmax does not see the difference, and the best token has 0 then.

    Raises
    ------
    ValueError
        If the temperature is not above 0 (its limit 0 is `greedy`), or the logits are not one row.

    Examples
    --------
    >>> logits = np.array([2.0, 1.0, 0.0])
    >>> for temperature in (0.5, 1.0, 2.0):
    ...     print(softmax(scale_temperature(logits, temperature))[0].round(2))
    [0.87 0.12 0.02]
    [0.67 0.24 0.09]
    [0.51 0.31 0.19]
    """
    temperature = number("temperature (its limit 0 is greedy)", temperature, above=0)
    logits = _row(logits)
    if temperature >= 1 or (temperature >= 0.001 and abs(logits[logits.argmax()]) < 1e30):
        return logits / temperature  # nearly always, and cheap
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return logits / temperature
    except FloatingPointError:
        with np.errstate(over="ignore", invalid="ignore"):
            below = logits.astype(np.float64) - float(logits.max())
            return (below / temperature).astype(logits.dtype)


def filter_top_k(logits: Float[Array, "V"], k: int) -> Float[Array, "V"]:
    """Keep the k best tokens (and those level with the last of them), set the others to -inf.

    A k above V keeps all, so that one setting serves large and small vocabularies.

    Raises
    ------
    ValueError
        If k is below 1, the logits are not one row, or hold NaN or +inf.
    TypeError
        If k is not a whole number.

    References
    ----------
    Fan et al., "Hierarchical Neural Story Generation" (2018), section 5.

    Examples
    --------
    >>> print(filter_top_k(np.array([1.0, 3.0, 2.0, 0.0]), 2))
    [-inf   3.   2. -inf]
    """
    k = whole("top_k", k, 1)
    logits = _finite_row(logits)
    if k >= logits.size:
        return logits
    least = np.partition(logits, -k)[-k]  # the k-th best, without sorting the rest
    return np.where(logits >= least, logits, -np.inf).astype(logits.dtype, copy=False)


def filter_top_p(logits: Float[Array, "V"], p: float) -> Float[Array, "V"]:
    """Nucleus: keep the fewest tokens whose probabilities add up to p at least, set the others to -inf.

    The best token always stays; of equally good ones the first in order; p = 1 keeps all. A sum that only
    rounding holds below p (by a millionth in float32) has reached it: 0.5 + 0.3 is 0.8.

    Raises
    ------
    ValueError
        If p is not above 0 and at most 1, the logits are not one row, or hold NaN or +inf.

    References
    ----------
    Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020), section 3.1.

    Examples
    --------
    >>> logits = np.log(np.array([0.1, 0.5, 0.3, 0.1]))
    >>> print(np.exp(filter_top_p(logits, 0.7)).round(2))  # 0.5 is not enough, 0.5 + 0.3 is
    [0.  0.5 0.3 0. ]
    """
    p = number("top_p", p, most=1, above=0)
    logits = _finite_row(logits)
    if p == 1:
        return logits
    order = np.argsort(-logits, kind="stable")  # from the best down
    held = np.cumsum(softmax(logits[order].astype(np.float64, copy=False))[0])  # by the best one, two, ...
    enough = p - min(_rounding(logits), (1 - p) / 2)
    out = np.full_like(logits, -np.inf)
    keep = order[: 1 + np.count_nonzero(held[:-1] < enough)]
    out[keep] = logits[keep]
    return out


def filter_min_p(logits: Float[Array, "V"], min_p: float) -> Float[Array, "V"]:
    """Keep the tokens with at least this share of the best one's probability, set the others to -inf.

    Where the model is sure, few are left; where it is not, many. The best token always stays; 0 keeps all.
    As for `filter_top_p`, a probability that only rounding holds below the limit has reached it.

    Raises
    ------
    ValueError
        If the share is not from 0 to 1, the logits are not one row, or hold NaN or +inf.

    References
    ----------
    Nguyen et al., "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs" (2024),
    section 3.

    Examples
    --------
    >>> logits = np.log(np.array([0.1, 0.5, 0.3, 0.1]))
    >>> print(np.exp(filter_min_p(logits, 0.5)).round(2))  # at least half of 0.5
    [0.  0.5 0.3 0. ]
    """
    min_p = number("min_p", min_p, 0, 1)
    logits = _finite_row(logits)
    ratios = np.exp((logits - logits.max()).astype(np.float64))  # of each probability and the best one
    keep = ratios >= min_p * (1 - _rounding(logits))
    return np.where(keep, logits, -np.inf).astype(logits.dtype, copy=False)


def ban_ngrams(logits: Float[Array, "V"], ids: Sequence | Array, n: int) -> Float[Array, "V"]:
    """Set every token to -inf with which the text would end in n tokens that stand in it already.

    With n = 1 no token comes twice. Where all are ruled out, nothing is left to choose from.

    Parameters
    ----------
    logits : (V,)
    ids : sequence of int
        The tokens so far.
    n : int
        At least 1.

    Raises
    ------
    ValueError
        If n is below 1, one of ``ids`` is outside the vocabulary, or the logits are not one row.
    TypeError
        If n or one of ``ids`` is not a whole number.

    References
    ----------
    Paulus et al., "A Deep Reinforced Model for Abstractive Summarization" (2017), section 2.5, for n = 3.

    Examples
    --------
    >>> print(ban_ngrams(np.array([0.5, 1.0, 2.0, 0.0]), [1, 2, 3, 1], 2))  # after 1 came 2
    [ 0.5  1.  -inf  0. ]
    """
    n = whole("the n of the n-grams", n, 1)
    logits = _row(logits)
    ids = _check_seen(ids, logits.size)
    if len(ids) < n:
        return logits
    grams = np.lib.stride_tricks.sliding_window_view(ids, n)  # (len(ids) - n + 1, n)
    begun = (grams[:, :-1] == ids[len(ids) - n + 1 :]).all(1)  # by the last n - 1 tokens
    out = logits.copy()
    out[grams[begun, -1]] = -np.inf
    return out


def penalise_repetition(
    logits: Float[Array, "V"], ids: Sequence | Array, penalty: float
) -> Float[Array, "V"]:
    """Make tokens that occurred less likely: divide a positive logit by the penalty, multiply a negative one.

    A penalty of 1 changes nothing.

    Raises
    ------
    ValueError
        If the penalty is not above 0, the logits are not one row, or a token is outside the vocabulary.
    TypeError
        If one of ``ids`` is not a whole number.

    References
    ----------
    Keskar et al., "CTRL" (2019), section 4.1.

    Examples
    --------
    >>> print(penalise_repetition(np.array([2.0, -2.0, 1.0]), [0, 1, 0], 2.0))
    [ 1. -4.  1.]
    """
    penalty = number("the repetition penalty", penalty, above=0)
    logits = _row(logits)
    if penalty == 1:
        return logits
    listed("ids", ids, "tokens")
    if len(ids) == 0:
        return logits
    seen = np.unique(_check_seen(ids, logits.size))
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
    min_p: float | None = None,
    repetition_penalty: float = 1.0,
    no_repeat_ngram: int | None = None,
) -> Float[Array, "V"]:
    """What a sampler draws from: penalty, n-gram ban, temperature, top-k, top-p, min-p, then softmax.

    Parameters
    ----------
    logits : (V,)
        Scores of the next token; -inf rules one out.
    ids : sequence of int
        The tokens so far, for the repetition penalty and the ban.
    temperature, top_k, top_p, min_p, repetition_penalty, no_repeat_ngram
        See the functions above, in this order; the defaults change nothing.

    Returns
    -------
    probs : (V,)
        They add up to 1.

    Raises
    ------
    ValueError
        If a setting is out of range, or the logits are not one row, hold NaN or +inf or are all -inf.

    Examples
    --------
    >>> logits = np.log(np.array([0.1, 0.5, 0.3, 0.1]))
    >>> print(probabilities(logits).round(2), probabilities(logits, top_k=2).round(3))
    [0.1 0.5 0.3 0.1] [0.    0.625 0.375 0.   ]
    """
    logits = penalise_repetition(logits, ids, repetition_penalty)
    if no_repeat_ngram is not None:
        logits = ban_ngrams(logits, ids, no_repeat_ngram)
    logits = _finite_row(logits)
    logits = scale_temperature(logits, temperature)
    if top_k is not None:
        logits = filter_top_k(logits, top_k)
    if top_p is not None:
        logits = filter_top_p(logits, top_p)
    if min_p is not None:
        logits = filter_min_p(logits, min_p)
    return softmax(logits)[0]


def _row(scores: Array, name: str = "logits") -> Float[Array, "V"]:
    """One row of scores, as floats: with an axis more, the functions above would mix the texts of a batch."""
    if getattr(scores, "ndim", None) != 1:
        expect(name, scores, (None,), "(V,), of one text")
    if scores.size == 0:
        raise ValueError(f"{name}: expected (V,), of one text, with V at least 1, got (0,)")
    if scores.dtype.kind == "f":
        return scores
    if scores.dtype.kind not in "iub":
        raise TypeError(f"{name}: expected numbers, got {scores.dtype}")
    return scores.astype(np.float64)


def _finite_row(logits: Array) -> Float[Array, "V"]:
    """One row of scores; NaN or +inf is refused, and -inf alone."""
    logits = _row(logits)
    top = logits[logits.argmax()]  # NaN wins a maximum, so that one look finds it
    if not math.isfinite(top):
        raise ValueError(f"logits must be finite (or -inf for some): the largest is {top}")
    return logits


def _check_seen(ids: Sequence | Array, vocab_size: int) -> Int[Array, "T"]:
    """The tokens so far as an array."""
    listed("ids", ids, "tokens")
    ids = np.asarray(ids, dtype=None if len(ids) else np.int64)
    expect("ids", ids, (None,), "(T,), the tokens so far")
    check_ids(ids, vocab_size)
    return ids


def _rounding(logits: Array) -> float:
    """How far sums and ratios of probabilities may be off: logits are rounded numbers, and so are those."""
    return 1e-6 if logits.dtype == np.float32 else 1e-12


# ---------------------------------------------------------------------------------------- choosing the token

Choose = Callable[[Array, Sequence], int]  # (logits of the next token, tokens so far) -> the token


def greedy(logits: Float[Array, "V"], ids: Sequence | Array = ()) -> int:
    """The most likely token (the first, if several are level).

    Raises
    ------
    ValueError
        If the logits are not one row, hold NaN or +inf or are all -inf.

    Examples
    --------
    >>> greedy(np.array([0.1, 2.0, 0.3]))
    1
    """
    return int(_finite_row(logits).argmax())


def sample(rng: np.random.Generator, probs: Float[Array, "V"]) -> int:
    """Draw a token by its probability: a random point on a line that is cut into pieces of these lengths.

    Raises
    ------
    ValueError
        If a probability is negative or NaN, all are 0, or they are not one row.

    Examples
    --------
    >>> rng, probs = np.random.default_rng(0), np.array([0.5, 0.0, 0.5])
    >>> [sample(rng, probs) for _ in range(10)]
    [2, 0, 0, 0, 2, 2, 2, 2, 2, 2]
    """
    _check_random(rng)
    ends = np.cumsum(_row(probs, "probs"), dtype=np.float64)  # where each token's piece ends
    if not (probs.min() >= 0 and 0 < ends[-1] < math.inf):
        raise ValueError("probabilities must be finite, not negative, and not all 0")
    point = rng.random() * ends[-1]
    if point == ends[-1]:  # rounded up, where the sum is next to nothing: it would fall off the end
        point = np.nextafter(point, 0.0)
    return int(np.searchsorted(ends, point, side="right"))  # "right": a piece of length 0 is never hit


def _check_random(rng: Any) -> None:
    if not hasattr(rng, "random"):
        raise TypeError(
            f"rng: expected a numpy.random.Generator, got {rng!r}; np.random.default_rng(0) is one"
        )


def sampler(rng: np.random.Generator, **settings) -> Choose:
    """A function that draws the next token, for `generate`. The settings are those of `probabilities`.

    Raises
    ------
    ValueError
        At once, if a setting is out of range.
    TypeError
        At once, for an unknown setting, or a seed instead of a generator.

    Examples
    --------
    >>> choose = sampler(np.random.default_rng(0), temperature=0.5, top_k=2)
    >>> [choose(np.array([1.0, 3.0, 2.0, 0.0]), []) for _ in range(10)]
    [1, 1, 1, 1, 1, 2, 1, 1, 1, 2]
    """
    _check_random(rng)
    probabilities(np.zeros(2), (), **settings)  # a wrong setting is refused here, not in the middle of a text

    def choose(logits: Array, ids: Sequence) -> int:
        return sample(rng, probabilities(logits, ids, **settings))

    return choose


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
        Tokens of the vocabulary that end the text; they are not handed out.
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
    TypeError
        At once: if the prompt is a text, not tokens; for a fraction among the tokens; if ``choose`` cannot
        be called.

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
    ids, stop = _start(step, params, prompt, config, bos, max_new_tokens, stop, choose)
    return _stream(step, params, ids, config, max_new_tokens, choose, stop)


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
    ids, stop = _start(forward, params, prompt, config, bos, max_new_tokens, stop, choose)
    for _ in range(max_new_tokens):
        window = ids[window_start(len(ids), config.block_size) :]
        logits, _ = forward(params, np.array([window]), config)  # (1, T, V)
        token = choose(logits[0, -1], ids)
        if token in stop:
            return
        ids.append(token)
        yield token


def _start(
    step: Callable,
    params: dict,
    prompt: Iterable,
    config: Any,
    bos: int | None,
    max_new_tokens: int,
    stop: Iterable,
    choose: Choose = greedy,
) -> tuple[list[int], frozenset[int]]:
    """The checked prompt as a list of its own, and the checked stop tokens."""
    if not callable(step):
        raise TypeError(f"step: expected a function such as gpt_step, got {kind_of(step)}")
    if not callable(choose):
        raise TypeError(f"choose: expected greedy, or a function that sampler made, got {choose!r:.60}")
    instance("params", params, dict)
    if not hasattr(config, "vocab_size"):
        raise TypeError(f"config: expected a Config or a LlamaConfig, got {kind_of(config)}")
    vocab_size = config.vocab_size
    whole("max_new_tokens", max_new_tokens, 0)
    ids = _tokens("prompt", prompt)
    if not ids and bos is None:
        raise ValueError("the prompt is empty: give at least one token, or bos, a token to begin with")
    ids = ids or _tokens("bos", [bos])
    stop = _tokens("stop", stop)
    check_ids(np.array(ids), vocab_size)
    check_ids(np.array(stop, dtype=np.int64), vocab_size)
    return ids, frozenset(stop)


def _tokens(name: str, tokens: Iterable) -> list[int]:
    """A list of Python's own whole numbers; a text, or a fraction, is none."""
    if isinstance(tokens, str):
        raise TypeError(
            f"{name}: expected tokens, got the text {tokens!r:.40}; a tokenizer's encode makes them"
        )
    if not isinstance(tokens, Iterable):
        raise TypeError(f"{name}: expected a list of tokens, got {tokens!r}; [{tokens!r}] is a list of one")
    tokens = list(tokens)
    try:
        return [operator.index(token) for token in tokens]
    except TypeError:
        first = next(token for token in tokens if not isinstance(token, int | np.integer))
        raise TypeError(f"{name}: expected whole numbers, the tokens of one text, got {first!r}") from None


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
    no_repeat_ngram: int | None = None,
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
        the stop token among them). 0 compares the sums, which favours short texts. From -50 to 50.
    no_repeat_ngram : int, optional
        As `ban_ngrams`: no n tokens come twice, the prompt's among them. Scores are those of the model: what
        is ruled out is not shared out among the rest.
    stop : iterable of int
        Tokens that end a text. Here they are part of it, and so is their probability.

    Returns
    -------
    texts : list of (new tokens, score)
        At most ``n_beams``, the best first; none, if everything was ruled out.

    Raises
    ------
    ValueError
        As `generate`; and if the texts would not fit, a setting is out of range, or ``max_new_tokens`` is
        below 1.
    TypeError
        As `generate`.

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
    ids, stop = _start(step, params, prompt, config, bos, max_new_tokens, stop)
    whole("max_new_tokens", max_new_tokens, 1)
    whole("n_beams", n_beams, 1)
    length_penalty = number("length_penalty", length_penalty, -50, 50)
    if len(ids) + max_new_tokens > config.block_size:
        raise ValueError(f"{len(ids)} + {max_new_tokens} tokens exceed the block of {config.block_size}")
    kv = new_cache(params, config, len(ids) + max_new_tokens)
    new = np.array([ids])
    beams, sums, finished = [[]], np.zeros(1), []  # one empty text to begin with
    for length in range(1, max_new_tokens + 1):
        logits, kv = step(params, new, config, kv)  # (number of beams, V)
        total = sums[:, None] + _log_probs(logits, ids, beams, no_repeat_ngram)
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


def _log_probs(
    logits: Float[Array, "N V"], ids: list[int], beams: list[list[int]], no_repeat_ngram: int | None
) -> Float[Array, "N V"]:
    """Of every token after each of the texts; -inf for those that would repeat n tokens."""
    tops = logits.max(1)
    if not np.isfinite(tops).all():
        raise ValueError(f"logits must be finite (or -inf for some): the largest of each text are {tops}")
    logp = log_softmax(logits.astype(np.float64))[0]
    if no_repeat_ngram is None:
        return logp
    return np.stack([ban_ngrams(row, ids + b, no_repeat_ngram) for row, b in zip(logp, beams, strict=True)])


def _best(total: Float[Array, "N V"], n: int) -> list[tuple[int, int]]:
    """The n best (row, column), best first, without those at -inf."""
    flat = total.ravel()
    order = np.argsort(-flat, kind="stable")[:n]
    return [divmod(int(i), total.shape[1]) for i in order if flat[i] > -math.inf]
