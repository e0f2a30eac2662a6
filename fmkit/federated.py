"""Learning where the data stays (chapter 14): federated averaging, and sums that nobody can look into."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt64

from fmkit._shapes import floats
from fmkit._types import Array
from fmkit._values import demand, number, whole
from fmkit.params import tree_map


def average(models: Sequence[Any], sizes: Sequence[int | float]) -> Any:
    """The mean of several clients' parameters, each client counting as much as it has examples.

    Parameters
    ----------
    models : list of trees
        Dicts and lists of arrays, as in `fmkit.params`, all of one nesting. They are left alone.
    sizes : list of float
        How many examples each client learned from. Not all 0.

    References
    ----------
    McMahan et al., "Communication-efficient learning of deep networks from decentralized data" (2017),
    algorithm 1.

    Examples
    --------
    >>> print(average([{"w": np.array([0.0, 4.0])}, {"w": np.array([4.0, 0.0])}], [3, 1])["w"])
    [1. 3.]
    """
    demand(len(models) > 0, "models", "a client at least", "none")
    demand(len(sizes) == len(models), "sizes", f"{len(models)} of them, one a client", len(sizes))
    sizes = [number("sizes", size, 0) for size in sizes]
    total = sum(sizes)
    demand(total > 0, "sizes", "an example at least", "none")
    shares = [size / total for size in sizes]

    def mean(*leaves):
        return sum(share * floats("models", leaf) for share, leaf in zip(shares, leaves, strict=True))

    return tree_map(mean, models[0], *models[1:])


# ----------------------------------------------------------------------------------------------- secure sums
#
# Whole numbers modulo 2**64: there, unlike among floats, what was added can be taken away without a trace,
# and a number plus a uniform one says nothing.


def encode(x: Float[Array, "*shape"], bits: int = 24) -> UInt64[Array, "*shape"]:
    """Floats as whole numbers modulo 2**64, in steps of 2**-bits; negative ones come round from above.

    Examples
    --------
    >>> print(encode(np.array([1.5, -0.5]), bits=1))
    [                   3 18446744073709551615]
    """
    x, bits = floats("x", x), whole("bits", bits, 0)
    largest = float(np.abs(x).max(initial=0.0))
    demand(largest * 2.0**bits < 2.0**62, "x", f"numbers below 2**{62 - bits}", largest)
    return np.rint(x.astype(np.float64) * 2.0**bits).astype(np.int64).view(np.uint64)


def decode(total: UInt64[Array, "*shape"], bits: int = 24) -> Float[Array, "*shape"]:
    """Floats again, from `encode` or a sum of such.

    Examples
    --------
    >>> print(decode(encode(np.array([1.5])) + encode(np.array([-2.0]))))
    [-0.5]
    """
    demand(getattr(total, "dtype", None) == np.uint64, "total", "whole numbers modulo 2**64 (uint64)", total)
    return total.view(np.int64) / 2.0 ** whole("bits", bits, 0)


def mask(seed: int, size: int) -> UInt64[Array, "size"]:
    """Numbers that look random and that whoever knows the seed can make again.

    (NumPy's generator is none for secrets: the real protocol stretches a key that two clients agreed on.)

    Examples
    --------
    >>> bool((mask(7, 3) == mask(7, 3)).all()), mask(7, 3).dtype.name
    (True, 'uint64')
    """
    rng = np.random.default_rng(whole("seed", seed, 0))
    return rng.integers(0, 2**64, whole("size", size, 0), dtype=np.uint64)


def masked(x: UInt64[Array, "N"], client: int, shared: Mapping[int, int], own: int) -> UInt64[Array, "N"]:
    """What a client sends: its numbers under a mask of its own and one for each other client.

    Parameters
    ----------
    x : (N,) uint64
        From `encode`.
    client : int
        Its number.
    shared : dict
        The seed that it shares with each other client. Of two, the one with the lower number adds the mask
        and the other takes it away: in the sum they cancel.
    own : int
        Seed of a mask of its own. Without it, a server that says of a client who only answers late that it
        dropped out could unmask what it sent.

    References
    ----------
    Bonawitz et al., "Practical secure aggregation for privacy-preserving machine learning" (2017), section 4.

    Examples
    --------
    >>> x = encode(np.array([1.0]))
    >>> total = masked(x, 0, {1: 7}, own=1) + masked(x, 1, {0: 7}, own=2)
    >>> print(decode(total - mask(1, 1) - mask(2, 1)))
    [2.]
    """
    sent = x + mask(own, len(x))
    for other, seed in shared.items():
        demand(other != client, "shared", "other clients", f"{other}, itself")
        sent = sent + mask(seed, len(x)) if client < other else sent - mask(seed, len(x))
    return sent


def unmask(
    sent: Mapping[int, UInt64[Array, "N"]], own: Mapping[int, int], dropped: Mapping[int, Mapping[int, int]]
) -> UInt64[Array, "N"]:
    """The sum of what the clients that answered sent, without any mask.

    Parameters
    ----------
    sent : dict
        For each client that answered, what `masked` gave.
    own : dict
        For each of these, the seed of its own mask. The others tell the server.
    dropped : dict
        For each client that did not answer, the seeds it shares with those that did: their masks for it found
        no counterpart.

    Examples
    --------
    >>> x, seeds = encode(np.array([1.0])), {1: 7, 2: 8}
    >>> sent = {0: masked(x, 0, seeds, own=3), 1: masked(x, 1, {0: 7, 2: 9}, own=4)}
    >>> print(decode(unmask(sent, {0: 3, 1: 4}, {2: {0: 8, 1: 9}})))  # client 2 is gone
    [2.]
    """
    demand(len(sent) > 0, "sent", "a client at least", "none")
    demand(own.keys() == sent.keys(), "own", f"a seed of each of {sorted(sent)}", f"of {sorted(own)}")
    total = np.zeros_like(next(iter(sent.values())))
    for client, numbers in sent.items():
        total = total + numbers - mask(own[client], len(numbers))
    for gone, seeds in dropped.items():
        demand(gone not in sent, "dropped", "clients that sent nothing", gone)
        demand(seeds.keys() == sent.keys(), "dropped", f"seeds with each of {sorted(sent)}", sorted(seeds))
        for client, seed in seeds.items():
            left = mask(seed, len(total))
            total = total - left if client < gone else total + left
    return total
