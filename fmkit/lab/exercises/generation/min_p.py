"""Min-p by the model's own probabilities, the temperature after it, then the draw."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(v, min_p, temperature, n=300):
        logits = 2.0 * rng.permutation(np.linspace(-1.0, 1.0, v) + rng.uniform(-0.02, 0.02, v))
        return logits, min_p, temperature, rng.uniform(0, 0.999, n)

    first_is_out = case(7, 0.3, 1.6)
    first_is_out[0][0] -= 9.0
    first_is_out[3][::50] = 0.0  # exactly where the line begins
    huge = case(9, 0.2, 0.5)
    huge[0][:] += 1000.0
    ruled_out = case(11, 0.15, 2.5)
    ruled_out[0][rng.integers(11)] = -np.inf
    cases = [case(12, 0.25, 0.5), case(10, 0.1, 3.0), case(8, 0.6, 1.5), first_is_out, huge, ruled_out]
    best_only = case(9, 1.0, 1.5)
    best_only[0][0] -= 9.0  # the best is not token 0
    return [*cases, best_only, as_float32(case(6, 0.2, 2.0, n=40))]


def draw_min_p(logits, min_p, temperature, points):
    probs = np.exp(logits - logits.max())  # the best one's is 1: the threshold is min_p itself
    kept = np.where(probs >= min_p, logits, -np.inf)
    e = np.exp((kept - kept.max()) / temperature)
    ends = np.cumsum(e / e.sum())  # where each token's piece of the line ends
    return np.searchsorted(ends, points, side="right")


def loop(logits, min_p, temperature, points):
    top = max(logits)
    weights = [0.0] * len(logits)
    for i, z in enumerate(logits):
        if math.exp(z - top) >= min_p:
            weights[i] = math.exp((z - top) / temperature)
    drawn = []
    for point in points:
        left = point * sum(weights)
        token = 0
        while left >= weights[token]:
            left -= weights[token]
            token += 1
        drawn.append(token)
    return np.array(drawn)


def by_comparing(logits, min_p, temperature, points):
    probs = np.exp(logits - logits.max())
    probs /= probs.sum()
    powers = np.where(probs < min_p * probs.max(), 0, (probs / probs.max()) ** (1 / temperature))
    ends = np.cumsum(powers) / powers.sum()
    return (ends[None, :] > np.asarray(points)[:, None]).argmax(1)


EXERCISE = Exercise(
    title="Min-p first, temperature after it, then the draw",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=draw_min_p,
    alternatives=(loop, by_comparing),
    mistakes=(
        mistake(
            "the temperature before the filter",
            "probs = np.exp((logits - logits.max()) / temperature)",
            "Here the filter looks at the model's own probabilities; the temperature comes after it.",
        ),
        mistake(
            "without the temperature",
            "e = np.exp(kept - kept.max())",
            "The filter is right. What becomes of the temperature?",
        ),
        mistake(
            "min_p without the best token's probability",
            "probs >= min_p -> (probs / probs.sum() >= min_p) | (probs == 1)",
            "min_p is a share of the best token's probability: the threshold moves with it.",
        ),
        mistake(
            "the threshold on the logits",
            "probs >= min_p -> logits >= min_p * logits.max()",
            "The threshold is for probabilities: take the softmax first.",
        ),
        mistake(
            "exactly at the threshold is cut off",
            "probs >= min_p -> probs > min_p",
            '"At least": for min_p = 1 the best token itself stays. What is left in yours?',
        ),
        mistake(
            "min_p taken as top-p",
            "probs >= min_p -> [probs[probs > one].sum() < min_p * probs.sum() for one in probs]",
            "No sum here: each token is compared with the best one, whatever the others hold.",
        ),
        mistake(
            "not scaled up to 1 before the draw",
            (
                "e = np.exp((logits - logits.max()) / temperature)",
                "ends = np.cumsum(e / e.sum() * (probs >= min_p))",
            ),
            "The kept pieces do not fill the line from 0 to 1 any more: what happens to a point of 0.99?",
        ),
        mistake(
            "always the best token",
            "return np.full(len(points), e.argmax())",
            "Your tokens are all the same: each point should choose its own.",
        ),
        mistake(
            "a place in the sorted order, not a token",
            "ends = np.cumsum(np.sort(e)[::-1] / e.sum())",
            "You found a place in the sorted list: which token stands there?",
        ),
        mistake(
            "the place among the kept, not the token",
            "kept = logits[probs >= min_p]",
            "You counted the kept tokens only: the number of a token is its place among all.",
        ),
        mistake(
            "a token of probability 0 can be drawn",
            "return np.searchsorted(ends, points)",
            "For a point of exactly 0 the first token that is left should come: look at searchsorted's side.",
        ),
    ),
    hints=(
        "Three steps: which tokens stay (the model's own probabilities), how likely they are, the draw.",
        "np.where(stays, logits, -np.inf), then the softmax of that over the temperature.",
        "np.searchsorted(ends, points, side=...) finds the first end that is above each point.",
    ),
)
