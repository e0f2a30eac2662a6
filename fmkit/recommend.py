"""Recommending (chapter 16): ratings as biases and factors, the split that does not look ahead, diversity."""

import numpy as np
from jaxtyping import Float, Int, Num

from fmkit._shapes import expect, floats, integers
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole


def split_by_time(
    times: Num[Array, "N"], share: float = 0.2
) -> tuple[Int[Array, "train"], Int[Array, "test"]]:
    """The last part of all ratings for the test: whoever trains knows nothing that comes later.

    Ratings of one moment stay together, in the test.

    Parameters
    ----------
    times : (N,)
    share : float
        Of the ratings, at least this part is for the test.

    Examples
    --------
    >>> split_by_time(np.array([5, 1, 3, 3, 2]), share=0.4)
    (array([1, 4]), array([0, 2, 3]))
    """
    expect("times", times, (None,), "(N,)")
    share = number("share", share, 0.0, 1.0)
    n_test = int(np.ceil(share * len(times) - 1e-9))
    if n_test == 0:
        return np.arange(len(times)), np.arange(0)
    first = np.sort(times)[len(times) - n_test]
    return np.flatnonzero(times < first), np.flatnonzero(times >= first)


def fit_biases(
    users: Int[Array, "N"],
    items: Int[Array, "N"],
    ratings: Float[Array, "N"],
    n_users: int,
    n_items: int,
    damping: float = 5.0,
    rounds: int = 10,
) -> tuple[float, Float[Array, "U"], Float[Array, "I"]]:
    """The mean, how kind each user is, and how much each item is liked: the baseline of all recommenders.

    Whoever has rated little is drawn to 0, as if ``damping`` ratings of 0 had been given besides.

    Returns
    -------
    mean : float
    user, item : (U,), (I,)
        A rating is guessed as ``mean + user[u] + item[i]``.

    References
    ----------
    Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems" (2009), equation 3.

    Examples
    --------
    >>> users, items, ratings = np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([5.0, 3.0, 4.0])
    >>> mean, user, item = fit_biases(users, items, ratings, n_users=2, n_items=2, damping=0.0, rounds=50)
    >>> print(mean, (mean + user[1] + item[1]).round(2))  # nobody has seen it: kinder user, better film
    4.0 2.0
    """
    _check_ratings(users, items, ratings, n_users, n_items)
    damping, rounds = number("damping", damping, 0.0), whole("rounds", rounds, 1)
    mean = float(ratings.mean())
    user, item = np.zeros(n_users), np.zeros(n_items)
    per_user = np.maximum(np.bincount(users, minlength=n_users) + damping, 1e-12)
    per_item = np.maximum(np.bincount(items, minlength=n_items) + damping, 1e-12)
    for _ in range(rounds):
        user = np.bincount(users, ratings - mean - item[items], n_users) / per_user
        item = np.bincount(items, ratings - mean - user[users], n_items) / per_item
    return mean, user, item


def factorize(
    users: Int[Array, "N"],
    items: Int[Array, "N"],
    rest: Float[Array, "N"],
    n_users: int,
    n_items: int,
    width: int,
    rng: np.random.Generator,
    penalty: float = 5.0,
    rounds: int = 10,
) -> tuple[Float[Array, "U K"], Float[Array, "I K"]]:
    """A few numbers for each user and item whose products say what the biases left unexplained.

    Alternating least squares: with the items' numbers held fast, each user's are a small ridge regression,
    and the other way round.

    Parameters
    ----------
    users, items : (N,) integers
    rest : (N,)
        Ratings minus what `fit_biases` guesses.
    width : int
        K, numbers for each.
    rng : numpy.random.Generator
        For the start.
    penalty : float above 0
        On the squares of the numbers.

    Returns
    -------
    p, q : (U, K), (I, K)
        ``(p[u] * q[i]).sum()`` is added to the guess; 0 for who was never seen.

    References
    ----------
    Koren, Bell and Volinsky (2009), "alternating least squares".

    Examples
    --------
    >>> users, items = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> rest = np.array([1.0, -1.0, -1.0, 1.0])  # two tastes
    >>> p, q = factorize(users, items, rest, 2, 2, width=1, rng=np.random.default_rng(0), penalty=0.1)
    >>> print((p[users] * q[items]).sum(1).round(1))
    [ 0.9 -0.9 -0.9  0.9]
    """
    _check_ratings(users, items, rest, n_users, n_items)
    generator(rng)
    width, penalty = whole("width", width, 1), number("penalty", penalty, above=0)
    q = rng.normal(0.0, 0.1, (n_items, width))
    p = np.zeros((n_users, width))
    for _ in range(whole("rounds", rounds, 1)):
        p = _ridges(users, q[items], rest, n_users, penalty)
        q = _ridges(items, p[users], rest, n_items, penalty)
    return p, q


def _ridges(
    groups: Int[Array, "N"], x: Float[Array, "N K"], y: Float[Array, "N"], n_groups: int, penalty: float
) -> Float[Array, "G K"]:
    """A ridge regression for each group, all at once: K by K equations for each."""
    K = x.shape[1]
    squares = np.zeros((n_groups, K, K))
    order = np.argsort(groups, kind="stable")
    groups, x, y = groups[order], x[order], y[order]
    first = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))  # where each group begins
    squares[groups[first]] = np.add.reduceat(x[:, :, None] * x[:, None, :], first)
    products = np.zeros((n_groups, K))
    products[groups[first]] = np.add.reduceat(x * y[:, None], first)
    return np.linalg.solve(squares + penalty * np.eye(K), products[:, :, None])[:, :, 0]


def _check_ratings(users: Array, items: Array, ratings: Array, n_users: int, n_items: int) -> None:
    floats("ratings", ratings, 1, "(N,)")
    demand(len(ratings) > 0, "ratings", "one at least", "none")
    for name, who, n in (("users", users, n_users), ("items", items, n_items)):
        expect(name, who, ratings.shape, "(N,)")
        integers(name, who, stop=whole(f"n_{name}", n, 1))


def diversify(
    relevance: Float[Array, "N"], similarity: Float[Array, "N N"], k: int, mix: float = 0.7
) -> list[int]:
    """Choose k items one by one, each relevant and unlike those chosen before (maximal marginal relevance).

    Parameters
    ----------
    relevance : (N,)
        In the units of ``similarity``, or ``mix`` weighs apples against pears.
    similarity : (N, N)
    k : int
        At most N.
    mix : float
        1: relevance alone; 0: unlikeness alone.

    Returns
    -------
    chosen : list of int
        No item twice; of equal ones the first.

    References
    ----------
    Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
    summaries" (1998).

    Examples
    --------
    >>> similarity = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> diversify(np.array([1.0, 0.9, 0.5]), similarity, k=2, mix=0.5)
    [0, 2]
    """
    relevance = floats("relevance", relevance, 1, "(N,)")
    N = len(relevance)
    expect("similarity", similarity, (N, N), "(N, N)")
    mix = number("mix", mix, 0.0, 1.0)
    demand(whole("k", k, 0) <= N, "k", f"at most {N}", k)
    chosen: list[int] = []
    nearest = np.zeros(N)  # how like each is to the most similar one chosen; 0 as long as there is none
    for _ in range(k):
        gain = mix * relevance - (1 - mix) * nearest
        gain[chosen] = -np.inf
        best = int(gain.argmax())
        nearest = np.maximum(nearest, similarity[best]) if chosen else similarity[best].copy()
        chosen.append(best)
    return chosen


def exposure(rankings: Int[Array, "M K"], groups: Int[Array, "N"], n_groups: int) -> Float[Array, "G"]:
    """Which share of the attention each group of items gets: a place p counts ``1 / log2(p + 1)``.

    Parameters
    ----------
    rankings : (M, K) integers
        What M users are shown, the first place first.
    groups : (N,) integers
        Of each item.

    References
    ----------
    Singh and Joachims, "Fairness of exposure in rankings" (2018), section 3.

    Examples
    --------
    >>> print(exposure(np.array([[0, 1], [0, 2]]), np.array([0, 1, 1]), n_groups=2).round(2))
    [0.61 0.39]
    """
    expect("rankings", rankings, (None, None), "(M, K)")
    integers("rankings", rankings, stop=len(groups))
    integers("groups", groups, stop=whole("n_groups", n_groups, 1))
    weights = 1.0 / np.log2(np.arange(rankings.shape[1]) + 2)  # (K,)
    total = np.bincount(groups[rankings].ravel(), np.tile(weights, len(rankings)), n_groups)
    return total / total.sum()
