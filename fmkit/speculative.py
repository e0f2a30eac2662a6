"""Speculative decoding (chapter 13): a cheap model guesses ahead, the large one checks all guesses at once.

What comes out has exactly the large model's law, whatever the cheap one guesses: that decides the speed only.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, floats, integers
from fmkit._types import Array, Scalar
from fmkit._values import demand, generator, instance, number, whole
from fmkit.activations import softmax
from fmkit.decoding import new_cache
from fmkit.generation import probabilities
from fmkit.ngram import NGram, refine

Probs = Callable[[list[int]], Float[Array, "V"]]  # tokens so far -> the draft's probabilities of the next


def overlap(p: Float[Array, "*N V"], q: Float[Array, "*N V"]) -> Scalar | Float[Array, "*N"]:
    """How often a token drawn from q is accepted for p: the sum of the smaller of the two.

    References
    ----------
    Leviathan et al., "Fast inference from transformers via speculative decoding" (2023), corollary 3.6.

    Examples
    --------
    >>> print(overlap(np.array([0.5, 0.5]), np.array([0.2, 0.8])))
    0.7
    """
    expect("q", q, p.shape, "(..., V), as p")
    return np.minimum(p, q).sum(-1)


def verify(
    p: Float[Array, "K1 V"],
    q: Float[Array, "K V"],
    draft: Integer[Array, "K"],
    uniforms: Float[Array, "K1"],
) -> list[int]:
    """Which of K guessed tokens stay, and the one token that comes after them.

    Guess k stays with probability ``p[k] / q[k]`` (of that token; at most 1). At the first that does not, a
    token is drawn from what q gave too little of, ``max(p - q, 0)``, and the rest of the guesses goes. If all
    stay, one more is drawn from the last row of p: it costs nothing, as p was there.

    Parameters
    ----------
    p : (K+1, V)
        The large model's probabilities at each guess, and after the last.
    q : (K, V)
        The draft's, from which the guesses were drawn.
    draft : (K,) integers
    uniforms : (K+1,)
        Random numbers of [0, 1): one for each guess, the last for the token that is drawn.

    Returns
    -------
    tokens : list of int
        One to K + 1 of them.

    References
    ----------
    Leviathan et al. (2023), algorithm 1; Chen et al., "Accelerating large language model decoding with
    speculative sampling" (2023), algorithm 2.

    Examples
    --------
    >>> p, q = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.2, 0.8]])
    >>> verify(p, q, np.array([1]), np.array([0.6, 0.9]))  # 0.6 is below 0.5 / 0.8: it stays, and one more
    [1, 0]
    >>> verify(p, q, np.array([1]), np.array([0.7, 0.9]))  # it goes; q gave too little to 0
    [0]
    """
    p, q = floats("p", p, 2, "(K+1, V)"), floats("q", q, 2, "(K, V)")
    K, V = q.shape
    expect("p", p, (K + 1, V), "(K+1, V)")
    expect("draft", draft, (K,), "(K,)")
    expect("uniforms", uniforms, (K + 1,), "(K+1,)")
    integers("draft", draft, stop=V)
    tokens = []
    for k, token in enumerate(draft.tolist()):
        if uniforms[k] * q[k, token] >= p[k, token]:  # u >= p/q, without dividing
            return [*tokens, _drawn(np.maximum(p[k] - q[k], 0.0), uniforms[K])]
        tokens.append(token)
    return [*tokens, _drawn(p[K], uniforms[K])]


def _drawn(weights: Float[Array, "V"], u: float) -> int:
    """The token whose piece of a line, cut by the weights, holds the point at the part u."""
    ends = np.cumsum(weights, dtype=np.float64)
    demand(ends[-1] > 0, "p", "rows that add up to 1, as q's", "one with nothing left to draw")
    token = int(ends.searchsorted(u * ends[-1], side="right"))  # "right": a piece of length 0 is never hit
    return token if token < len(ends) else int(np.flatnonzero(weights)[-1])  # a point rounded up to the end


def tokens_per_call(acceptance: float, k: int) -> float:
    """Tokens for each call of the large model when k are guessed: those accepted in a row, and one more.

    ``1 + a + a**2 + ... + a**k`` for an acceptance a that is the same everywhere.

    References
    ----------
    Leviathan et al. (2023), equation 1.

    Examples
    --------
    >>> print(round(tokens_per_call(0.8, 4), 2), tokens_per_call(1.0, 4))
    3.36 5.0
    """
    a, k = number("acceptance", acceptance, 0.0, 1.0), whole("k", k, 0)
    return float(sum(a**i for i in range(k + 1)))


def generate_speculatively(
    extend: Callable,
    params: dict,
    prompt: Iterable[int],
    config: Any,
    max_new_tokens: int,
    draft: Probs,
    k: int,
    rng: np.random.Generator,
    **settings: Any,
) -> Iterator[int]:
    """Sample from a model, several tokens for each call of it. The law is that of plain sampling.

    Parameters
    ----------
    extend : callable
        `fmkit.llama.llama_extend`: scores after each of some new tokens, not after the last only.
    params, config
        The large model.
    prompt : iterable of int
        Prompt, guesses and what is added must fit into ``config.block_size``.
    max_new_tokens : int
    draft : callable
        Tokens so far -> probabilities (V,) of the next one; none may be 0 where nothing else is guessed.
    k : int
        How many are guessed at a time.
    rng : numpy.random.Generator
    settings
        Of `fmkit.generation.probabilities`: temperature, top_k and so on, of the large model.

    Yields
    ------
    token : int

    Examples
    --------
    >>> from fmkit.llama import LlamaConfig, init_llama, llama_extend
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=16, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> rng = np.random.default_rng(0)
    >>> params, even = init_llama(rng, config), lambda ids: np.full(7, 1 / 7)
    >>> len(list(generate_speculatively(llama_extend, params, [3, 1], config, 5, even, k=3, rng=rng)))
    5
    """
    generator(rng)
    k, ids, left = whole("k", k, 1), [*prompt], whole("max_new_tokens", max_new_tokens, 0)
    demand(len(ids) > 0, "prompt", "a token at least", "none")
    probabilities(np.zeros(2), (), **settings)  # a wrong setting is refused here
    room = config.block_size
    demand(len(ids) + left + k <= room, "max_new_tokens", f"{room - len(ids) - k} at most", left)
    kv = new_cache(params, config, room)
    unread = ids[:]  # tokens that the model has not read
    while left:
        guesses, q = _guess(draft, ids, k, rng)
        logits, kv = extend(params, np.array([unread + guesses]), config, kv)  # (1, T, V)
        scores = logits[0, len(unread) - 1 :]  # (K+1, V): after the last known token, and after each guess
        p = _after_each(scores, ids, guesses, settings)
        new = verify(p, q, np.array(guesses), rng.random(k + 1))[:left]
        ids, left = ids + new, left - len(new)
        kv.length = len(ids) - 1  # forget the guesses that went; the last token is read next time
        unread = ids[-1:]
        yield from new


def _after_each(
    scores: Float[Array, "K1 V"], ids: list[int], guesses: list[int], settings: dict
) -> Float[Array, "K1 V"]:
    """What plain sampling would draw from at each place; all at once where no row needs a look of its own."""
    scores = scores.astype(np.float64)
    if set(settings) <= {"temperature"}:
        with np.errstate(over="ignore"):  # next to temperature 0 all but the best become -inf
            scores = (scores - scores.max(-1, keepdims=True)) / settings.get("temperature", 1.0)
        return softmax(scores)[0]
    return np.stack([probabilities(row, ids + guesses[:i], **settings) for i, row in enumerate(scores)])


def _guess(draft: Probs, ids: list[int], k: int, rng) -> tuple[list[int], Float[Array, "K V"]]:
    """k tokens drawn from the draft, one after another, and the probabilities that they were drawn from."""
    guesses, q = [], []
    for u in rng.random(k).tolist():
        q.append(draft(ids + guesses))
        guesses.append(_drawn(q[-1], u))
    return guesses, np.stack(q).astype(np.float64, copy=False)


def ngram_draft(model: NGram) -> Probs:
    """Chapter 07's counting model as a draft: what it says after every context it has seen, looked up.

    Returns
    -------
    draft : callable
        Tokens so far -> `fmkit.ngram.next_probabilities` of the model. The arrays are rows of one table,
        which takes 4 bytes for each context and token of the vocabulary: do not write into them.

    Examples
    --------
    >>> from fmkit.ngram import fit, next_probabilities
    >>> model = fit(np.array([0, 1] * 6 + [0, 2, 0]), order=2, vocab_size=3)
    >>> draft = ngram_draft(model)
    >>> print(draft([2, 0]).round(3), np.allclose(draft([2, 0]), next_probabilities(model, np.array([2, 0]))))
    [0.059 0.828 0.113] True
    """
    instance("model", model, NGram)
    V, table = model.vocab_size, np.full((1, model.vocab_size), 1.0 / model.vocab_size)  # nothing is known
    tables, rows, seen = [], [], np.zeros(1, np.int64)
    for n, level in enumerate(model.levels):
        shorter = np.searchsorted(seen, level.contexts % V ** max(n - 1, 0))  # was seen if the longer one was
        grams = level.contexts[:, None] * V + np.arange(V)  # (K, V)
        table = refine(level, grams.ravel(), table[shorter].ravel(), V).reshape(grams.shape)
        tables.append(table.astype(np.float32))
        rows.append({code: row for row, code in enumerate(level.contexts.tolist())})
        seen = level.contexts
    reach = len(tables) - 1

    def draft(ids: list[int]) -> Float[Array, "V"]:
        last = ids[-reach:] if reach else []
        while True:  # the longest context that was seen
            code = 0  # as in `fmkit.ngram`: its tokens are digits in base V
            for token in last:
                code = code * V + token
            row = rows[len(last)].get(code)
            if row is not None:
                return tables[len(last)][row]
            last = last[1:]

    return draft
