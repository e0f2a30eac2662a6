"""Temperature, then top-p, with a least number of tokens, on a batch of rows."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, v, temperature, p, min_keep):
        peaks = rng.uniform(0.3, 3.0, (b, 1))  # rows from unsure to sure
        return peaks * rng.normal(size=(b, v)), temperature, p, min_keep

    huge = case(3, 5, float(rng.uniform(0.4, 0.6)), 0.7, 1)
    huge[0][:] += np.array([1000.0, 0.0, -1000.0])[:, None]
    ruled_out = case(2, 8, 1.5, 0.95, 2)
    ruled_out[0][:, rng.integers(8)] = -np.inf
    cases = [case(5, 9, float(rng.uniform(0.4, 0.7)), 0.6, 3), case(4, 12, 2.5, 0.8, 1)]
    return [*cases, case(1, 6, 0.3, 0.1, 4), huge, ruled_out, as_float32(case(3, 7, 1.7, 0.5, 2))]


def nucleus_probabilities(logits, temperature, p, min_keep):
    z = logits / temperature
    e = np.exp(z - z.max(1, keepdims=True))
    probs = e / e.sum(1, keepdims=True)
    order = np.argsort(-probs, axis=1)  # from the best down
    best = np.take_along_axis(probs, order, 1)
    keep = np.cumsum(best, 1) - best < p  # what the better ones hold together
    keep[:, :min_keep] = True
    kept = np.zeros_like(probs)
    np.put_along_axis(kept, order, best * keep, 1)
    return kept / kept.sum(1, keepdims=True)


def row_by_row(logits, temperature, p, min_keep):
    out = np.zeros_like(logits)
    for row, scores in zip(out, logits, strict=True):
        probs = np.exp((scores - scores.max()) / temperature)
        probs = probs / probs.sum()
        held = 0.0
        for rank, token in enumerate(sorted(range(len(scores)), key=lambda i: -scores[i])):
            if held >= p and rank >= min_keep:
                break
            row[token] = probs[token]
            held += probs[token]
        row /= row.sum()
    return out


def by_a_least_logit(logits, temperature, p, min_keep):
    z = (logits - logits.max(1, keepdims=True)) / temperature
    down = -np.sort(-z, axis=1)
    held = np.exp(down).cumsum(1) / np.exp(down).sum(1, keepdims=True)
    count = np.maximum((held < p).sum(1) + 1, min_keep).clip(max=z.shape[1])
    least = np.take_along_axis(down, count[:, None] - 1, 1)
    e = np.exp(np.where(z >= least, z, -np.inf)).astype(logits.dtype)
    return e / e.sum(1, keepdims=True)


EXERCISE = Exercise(
    title="Temperature, then top-p, with a least number of tokens",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=nucleus_probabilities,
    alternatives=(row_by_row, by_a_least_logit),
    mistakes=(
        mistake(
            "the temperature after the filter",
            ("z = logits", "best * keep -> best ** (1 / temperature) * keep"),
            "Which tokens are the best p of the whole depends on the temperature, so it comes first.",
        ),
        mistake(
            "multiplied by the temperature",
            "z = logits * temperature",
            "A high temperature should make the probabilities more equal.",
        ),
        mistake(
            "the token that reaches p is left out",
            "keep = np.cumsum(best, 1) < p",
            "What is kept must hold p at least: the token that takes the sum over p belongs to it.",
        ),
        mistake(
            "p taken as the least probability of one token",
            "keep = best >= p",
            "p is not a threshold for one token: it is what all the kept ones hold together.",
        ),
        mistake(
            "min_keep forgotten",
            "keep[:, :min_keep] = True ->",
            "For a small p, how many tokens do you keep? Compare with min_keep.",
        ),
        mistake("not scaled up to 1 again", "return kept", "Add up a row of your result: does it give 1?"),
        mistake(
            "not put back into the tokens' order",
            "np.put_along_axis(kept, order, best * keep, 1) -> kept = best * keep",
            "Your probabilities come sorted: which column belongs to which token?",
        ),
        mistake(
            "sorted from the worst up",
            "order = np.argsort(probs, axis=1)",
            "np.argsort goes from small to large. Which end do you start from?",
        ),
        mistake(
            "one cut for all rows",
            ("keep = np.cumsum(best[0]) - best[0] < p", "keep[:, :min_keep] -> keep[:min_keep]"),
            "Each row has a count of its own: one is sure, the next is not.",
        ),
        mistake(
            "logits set to 0 instead of -inf",
            "return kept / kept.sum(1, keepdims=True) -> z = z * (kept > 0)\n"
            "e = np.exp(z - z.max(1, keepdims=True))\n"
            "return e / e.sum(1, keepdims=True)",
            "A logit of 0 is no small one: exp(0) is 1. What has the exponential 0?",
        ),
        mistake(
            "exp without taking the largest logit off",
            "e = np.exp(z)",
            "exp(1000) is infinite: subtract each row's largest.",
        ),
    ),
    hints=(
        "First the probabilities at this temperature; then order = np.argsort(-probs, axis=1).",
        "A token stays if what the better ones hold together, np.cumsum(best) - best, is below p.",
        "np.put_along_axis(kept, order, values, 1) undoes np.take_along_axis(probs, order, 1).",
    ),
)
