"""The canary game, played on what an answer returned: can anybody tell whether one gradient was there?

A game is a pair of inputs that differ in one example, the canary, each with the noise of many steps. The
release of each step is looked at along a direction, summed over the steps of a run, and `mu_lower` says how
different the two worlds provably are. Only plain data is looked at: the answer has run already, elsewhere.
"""

import math

import numpy as np

from fmkit.privacy import gaussian_epsilon, mu_lower

STEPS, DELTA = 4, 0.01  # of a run; the share of the cases that may be worse
RUNS = 4000  # in each world
CONFIDENCE = 0.999  # of each look at a game; there are twelve
SIGMA, EXPECTED = 2.0, 4.0
CLAIMED = gaussian_epsilon(math.sqrt(STEPS) / SIGMA, DELTA)


def games(rng) -> list[tuple]:
    """Inputs for a step, two by two: without the canary and with it."""
    axis, none = np.array([30.0, 0.0]), np.zeros(2)
    others = [np.tile(axis, (3, 1)), np.zeros((3, 2))]  # three that pull the other way
    return [
        *_game(rng, [axis, none]),
        *_game(rng, [axis, axis], clip=3.0),
        *_game(rng, [np.full(2, 30.0), none]),
        *_game(rng, [-30 * axis, none], others),
    ]


def _game(rng, canary, others=None, clip=1.0):
    others = others or [np.zeros((3, len(g))) for g in canary]
    inside = [np.concatenate([g[None], rest]) for g, rest in zip(canary, others, strict=True)]
    return [
        (grads, clip, SIGMA, EXPECTED, [rng.normal(size=(STEPS * RUNS, len(g))) for g in canary])
        for grads in (others, inside)
    ]


def proven(cases: list, outcomes: list) -> float:
    """The largest epsilon that the games among the cases prove."""
    played = [(c, o) for c, o in zip(cases, outcomes, strict=True) if len(c[-1][0]) == STEPS * RUNS]
    best = 0.0
    for (_, without), (case, inside) in zip(played[::2], played[1::2], strict=True):
        if without.failure or inside.failure:
            continue
        canary = np.concatenate([g[0] for g in case[0]])
        apart = np.zeros(len(canary))
        apart[:2] = 1.0, -1.0  # noise that two numbers share goes away
        second = np.zeros(len(canary))
        second[2] = 1.0  # the second layer by itself
        for direction in (canary, apart, second):
            mu = mu_lower(*(_seen(o.value, direction) for o in (without, inside)), CONFIDENCE)
            best = max(best, gaussian_epsilon(mu, DELTA))
    return best


def _seen(released, direction):
    """For each run, all its steps added up, along the direction."""
    along = np.concatenate([np.asarray(r, dtype=float) for r in released], axis=1) @ direction
    return np.nan_to_num(along).reshape(RUNS, STEPS).sum(1)


def attack(cases: list, outcomes: list) -> str:
    """What the games say of a step that claims `CLAIMED`."""
    epsilon = proven(cases, outcomes)
    claim = f"{STEPS} of your steps claim epsilon {CLAIMED:.1f} (delta {DELTA})"
    if epsilon > CLAIMED:
        return f"{claim}; {RUNS} canary games prove {epsilon:.1f}: they give away more than they claim."
    return f"{claim}; {RUNS} canary games found no leak."
