"""Min-p by the model's own probabilities, the temperature after it, then the draw."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(v, min_p, temperature, n=60):
        logits = 2.0 * rng.permutation(np.linspace(-1.0, 1.0, v) + rng.uniform(-0.02, 0.02, v))
        return logits, min_p, temperature, spread(n)

    def spread(n):  # over the whole line, so that every piece is hit
        return rng.permutation((np.arange(n) + rng.uniform(0.1, 0.9, n)) / n) * 0.999

    example = (np.log([0.1, 0.6, 0.3]), 0.4, 1.0, np.array([0.0, 0.6, 0.7]))
    small = (np.array([1.0, -1.5, 0.5, 0.0]), 0.3, float(rng.uniform(1.6, 2.4)), spread(5))
    first_is_out = case(7, 0.3, 1.6)
    first_is_out[0][0] -= 9.0
    first_is_out[3][::10] = 0.0  # exactly where the line begins
    huge = case(9, 0.2, 0.5)
    huge[0][:] += 1000.0
    apart = (rng.permutation([1000.0, 999.5, 998.8, 0.0, -1000.0]), 0.2, 2.0, spread(20))
    below = case(8, 0.25, 1.4)
    below[0][:] -= 5.0  # all logits negative
    ruled_out = case(11, 0.15, 2.5)
    ruled_out[0][rng.integers(11)] = -np.inf
    flat = (rng.uniform(-0.1, 0.1, 6), 0.7, 2.0, spread(30))  # all stay
    # min_p = 1: all that are as good as the best; points exactly on the borders of their pieces of 1/4
    level = (np.zeros(4), 1.0, 2.0, rng.permutation([0.0, 0.25, 0.5, 0.75, 0.3]))
    best_only = case(9, 1.0, 1.5)
    best_only[0][0] -= 9.0  # the best is not token 0
    cases = [example, small, level, case(12, 0.25, 0.5), case(10, 0.1, 3.0)]
    cases += [case(8, 0.6, 1.5), first_is_out, huge, apart, below, ruled_out, flat, best_only]
    return [*cases, as_float32(case(6, 0.2, 2.0, n=40))]


def draw_min_p(logits, min_p, temperature, points):
    probs = np.exp(logits - logits.max())  # the best one's is 1: the threshold is min_p itself
    kept = np.where(probs >= min_p, logits, -np.inf)
    e = np.exp((kept - kept.max()) / temperature)
    sums = np.cumsum(e)  # where each token's piece ends; the last one, divided, at exactly 1
    return np.searchsorted(sums / sums[-1], points, side="right")


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


def by_a_softmax(logits, min_p, temperature, points):
    """Plain, and accepted: that its last piece may end a rounding short of 1, no check asks."""
    probs = np.exp(logits - logits.max())
    e = np.where(probs >= min_p, np.exp((logits - logits.max()) / temperature), 0)
    return np.searchsorted(np.cumsum(e / e.sum()), points, side="right")


EXERCISE = Exercise(
    title="Min-p first, temperature after it, then the draw",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=draw_min_p,
    teaches=("generation.filter_min_p",),
    alternatives=(loop, by_comparing, by_a_softmax),
    mistakes=(
        mistake(
            "the temperature before the filter",
            "np.exp(logits - logits.max()) -> np.exp((logits - logits.max()) / temperature)",
            "Here the filter looks at the model's own probabilities; the temperature comes after it.",
        ),
        mistake(
            "without the temperature",
            "(kept - kept.max()) / temperature -> kept - kept.max()",
            "The filter is right. What becomes of the temperature? It divides logits, not probabilities.",
        ),
        mistake(
            "multiplied by the temperature",
            "(kept - kept.max()) / temperature -> (kept - kept.max()) * temperature",
            "A high temperature should make the kept tokens more equal: it divides the logits.",
        ),
        mistake(
            "the temperature twice",
            "(kept - kept.max()) / temperature -> (kept - kept.max()) / temperature / temperature",
            "Divide the kept logits by the temperature once.",
        ),
        mistake(
            "min_p without the best token's probability",
            "probs >= min_p -> (probs / probs.sum() >= min_p) | (probs == 1)",
            "min_p is a share of the best token's probability: the threshold moves with it.",
        ),
        mistake(
            "min_p as a fixed limit, under which all may fall",
            "probs >= min_p -> probs / probs.sum() >= min_p",
            "min_p is a share of the best one's probability, so the best always stays. Is it so in yours?",
        ),
        mistake(
            "min_p times the mean instead of the best",
            "probs >= min_p -> probs >= min_p * probs.mean()",
            "Each token is compared with the best one, not with the average.",
        ),
        mistake(
            "min_p below the best",
            "probs >= min_p -> probs / probs.sum() >= probs.max() / probs.sum() - min_p",
            "min_p is a share: the threshold is the best probability times it, not less it.",
        ),
        mistake(
            "1 - min_p instead of min_p",
            "probs >= min_p -> probs >= 1 - min_p",
            "A small min_p keeps many tokens, a large one few: the threshold is min_p times the best.",
        ),
        mistake(
            "the threshold on the logits",
            "probs >= min_p -> logits >= min_p * logits.max()",
            "The threshold is for probabilities: take the softmax first.",
        ),
        mistake(
            "the threshold on the logits, the best one kept by hand",
            "probs >= min_p -> (logits >= min_p * logits.max()) | (probs == 1)",
            "The threshold is for probabilities: take the softmax first. Then the best one stays by itself.",
        ),
        mistake(
            "exactly at the threshold is cut off",
            "probs >= min_p -> probs > min_p",
            '"At least": for min_p = 1 the best token itself stays. What is left in yours?',
        ),
        mistake(
            "as good as the threshold is cut off",
            "probs >= min_p -> (probs > min_p) | (np.arange(len(probs)) == probs.argmax())",
            '"At least": for min_p = 1 every token stays that is as good as the best one.',
        ),
        mistake(
            "the worse ones are kept",
            "probs >= min_p -> (probs <= min_p) | (probs == 1)",
            "Which way does your comparison look? What is at least the threshold stays.",
        ),
        mistake(
            "min_p taken as top-p",
            "probs >= min_p -> [probs[probs > one].sum() < min_p * probs.sum() for one in probs]",
            "No sum here: each token is compared with the best one, whatever the others hold.",
        ),
        mistake(
            "logits set to 0 instead of -inf",
            "logits, -np.inf) -> logits, 0)",
            "A logit of 0 is no small one: exp(0) is 1. What has the exponential 0?",
        ),
        mistake(
            "no token is cut off",
            "np.where(probs >= min_p, logits, -np.inf) -> logits",
            "Where does min_p come in? A token far below the best one is never drawn.",
        ),
        mistake(
            "a softmax of probabilities",
            "np.where(probs >= min_p, logits, -np.inf) -> np.where(probs >= min_p, probs / probs.sum(), 0)",
            "The softmax is for logits: divide those of the kept tokens by the temperature.",
        ),
        mistake(
            "a softmax of the kept probabilities",
            "logits, -np.inf) -> probs / probs.sum(), -np.inf)",
            "The softmax is for logits: divide those of the kept tokens by the temperature.",
        ),
        mistake(
            "not scaled up to 1 before the draw",
            (
                "np.where(probs >= min_p, logits, -np.inf) -> logits",
                "np.cumsum(e) -> np.cumsum(e / e.sum() * (probs >= min_p))",
                "sums / sums[-1] -> sums",
            ),
            "The kept pieces do not fill the line from 0 to 1 any more: what happens to a point of 0.99?",
        ),
        mistake(
            "not scaled up: what is over falls to the last token",
            (
                "np.where(probs >= min_p, logits, -np.inf) -> logits",
                "np.cumsum(e) -> np.cumsum(e / e.sum() * (probs >= min_p))",
                "return np.searchsorted(sums, np.minimum(points, np.nextafter(sums[-1], 0)), side='right')",
            ),
            "The kept pieces do not fill the line from 0 to 1 any more: divide by the sum of the kept ones.",
        ),
        mistake(
            "the pieces are longer than the line",
            "sums / sums[-1] -> sums",
            "The pieces should fill the line from 0 to 1: divide by their sum.",
        ),
        mistake(
            "always the best token",
            "return np.full(len(points), e.argmax())",
            "Your tokens are all the same: each point should choose its own.",
        ),
        mistake(
            "a place in the sorted order, not a token",
            "np.cumsum(e) -> np.cumsum(np.sort(e)[::-1])",
            "You found a place in the sorted list: which token stands there?",
        ),
        mistake(
            "the pieces from the best token down",
            (
                "np.cumsum(e) -> np.cumsum(-np.sort(-e))",
                'return np.argsort(-e, kind="stable")[np.searchsorted(sums / sums[-1], points, "right")]',
            ),
            "The pieces lie on the line in the order of the tokens: token 0 first, without any sorting.",
        ),
        mistake(
            "the place among the kept, not the token",
            "np.where(probs >= min_p, logits, -np.inf) -> logits[probs >= min_p]",
            "You counted the kept tokens only: the number of a token is its place among all.",
        ),
        mistake(
            "a token of probability 0 can be drawn",
            ', side="right") -> )',
            "For a point of exactly 0 the first token that is left should come: look at searchsorted's side.",
        ),
        mistake(
            "a border belongs to the piece before it",
            "return np.maximum(np.searchsorted(sums / sums[-1], points), np.flatnonzero(e)[0])",
            "Each piece has its beginning and not its end: a point on a border falls into the next one.",
        ),
        mistake(
            "exp without taking the largest logit off",
            (
                "np.exp(logits - logits.max()) -> np.exp(logits) / np.exp(logits).max()",
                "(kept - kept.max()) / temperature -> kept / temperature",
            ),
            "exp(1000) is infinite: subtract the largest logit first.",
        ),
    ),
    hints=(
        "Three steps: which tokens stay (the model's own probabilities), how likely they are, the draw.",
        "np.where(stays, logits, -np.inf), then the softmax of that over the temperature.",
        "np.searchsorted(ends, points, side=...) finds the first end that is above each point.",
    ),
)
