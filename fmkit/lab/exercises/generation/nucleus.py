"""Temperature, then top-p, with a least number of tokens, on a batch of rows."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, v, temperature, p, min_keep):
        peaks = rng.permutation(np.linspace(0.4, 3.0, b))[:, None]  # rows from unsure to sure
        row = np.linspace(-1.5, 1.5, v) + rng.uniform(-0.05, 0.05, (b, v))  # no two tokens alike
        return peaks * rng.permuted(row, axis=1), temperature, p, min_keep

    def between(low, high):
        return float(rng.uniform(low, high))

    example = np.log([[0.5, 0.3, 0.15, 0.05]])
    # 1/2, 1/4, 1/8 and 1/8: the best one holds p exactly
    halves = np.log(np.stack([rng.permutation([4.0, 2.0, 1.0, 1.0]) for _ in range(2)]))
    flat = rng.permuted(np.arange(10) / 100 + np.arange(6)[:, None] / 1000 * np.arange(10), axis=1)
    flat[0] = 0  # ten times 0.1: on every machine the sum of all ten is a rounding error below p = 1
    flat += np.log(0.1)
    huge = case(4, 5, between(0.4, 0.6), 0.7, 1)
    huge[0][:] += np.array([1000.0, 0.0, -1000.0, 0.0])[:, None]
    huge[0][3] = rng.permutation([1000.0, 999.5, 0.0, -1000.0, -1001.0])  # a large spread inside a row
    ruled_out = case(2, 8, 1.5, 0.95, 2)
    ruled_out[0][:, rng.integers(8)] = -np.inf
    few = case(2, 5, 0.8, 0.3, 4)
    few[0][:, 2:4] = -np.inf  # fewer than min_keep are left
    return [
        (example, 1.0, 0.6, 1),
        (example.copy(), 1.0, 0.6, 3),
        (rng.permuted(example, axis=1), between(1.8, 2.4), 0.6, 1),
        (halves, 1.0, 0.5, 1),
        (flat, 1.0, 1.0, 1),
        case(5, 9, between(0.4, 0.7), 0.6, 3),
        case(4, 12, 2.5, 0.8, 1),
        case(3, 8, 3.0, 0.1, 1),
        case(1, 6, 0.3, 0.1, 4),
        case(3, 5, 1.3, 0.5, 5),
        huge,
        ruled_out,
        few,
        as_float32(case(3, 7, 1.7, 0.5, 2)),
    ]


def nucleus_probabilities(logits, temperature, p, min_keep):
    z = logits / temperature
    e = np.exp(z - z.max(1, keepdims=True))
    probs = e / e.sum(1, keepdims=True)
    order = np.argsort(-probs, axis=1)  # from the best down
    best = np.take_along_axis(probs, order, 1)
    keep = np.cumsum(best, 1) - best < p  # what the better ones hold together
    keep[:, :min_keep] = True
    kept = np.empty_like(probs)
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


def by_a_rank(logits, temperature, p, min_keep):
    z = (logits - logits.max(1, keepdims=True)) / temperature
    down = -np.sort(-z, axis=1)
    held = np.exp(down).cumsum(1) / np.exp(down).sum(1, keepdims=True)
    count = np.maximum((held < p).sum(1) + 1, min_keep)
    rank = np.argsort(np.argsort(-z, axis=1), axis=1)
    e = np.exp(np.where(rank < count[:, None], z, -np.inf)).astype(logits.dtype)
    return e / e.sum(1, keepdims=True)


PUT_BACK = "np.put_along_axis(kept, order, best * keep, 1)"

EXERCISE = Exercise(
    title="Temperature, then top-p, with a least number of tokens",
    points=3,
    minutes=18,
    difficulty=3,
    cases=cases,
    reference=nucleus_probabilities,
    alternatives=(row_by_row, by_a_rank),
    mistakes=(
        mistake(
            "the temperature after the filter",
            ("logits / temperature -> logits", "best * keep -> best ** (1 / temperature) * keep"),
            "Which tokens are the best p of the whole depends on the temperature, so it comes first.",
        ),
        mistake(
            "without the temperature",
            "z = logits",
            "What becomes of the temperature? It divides the logits; dividing probabilities cancels out.",
        ),
        mistake(
            "multiplied by the temperature",
            "logits / temperature -> logits * temperature",
            "A high temperature should make the probabilities more equal.",
        ),
        mistake(
            "the temperature twice",
            "best * keep -> best ** (1 / temperature) * keep",
            "What is shared out in the end are the probabilities as they are, at this temperature already.",
        ),
        mistake(
            "the token that reaches p is left out",
            "np.cumsum(best, 1) - best < p -> np.cumsum(best, 1) < p",
            "What is kept must hold p at least: the token that takes the sum over p belongs to it.",
        ),
        mistake(
            "the token that takes the sum over p is left out",
            "np.cumsum(best, 1) - best < p -> np.cumsum(best, 1) <= p",
            "What is kept must hold p at least: the token that takes the sum over p belongs to it.",
        ),
        mistake(
            "one token more where the sum is p exactly",
            "best < p -> best <= p",
            "Two tokens of 1/2 and 1/4 hold 3/4. For p = 3/4, is a third one needed?",
        ),
        mistake(
            "one token more than p needs",
            "keep[:, :min_keep] = True -> keep[:, 1:] |= keep[:, :-1].copy()\nkeep[:, :min_keep] = True",
            "The fewest that hold p: is the one that reaches it kept already, before you add one?",
        ),
        mistake(
            "for p = 1 one token only",
            "np.cumsum(best, 1) - best < p -> "
            "np.arange(best.shape[1]) <= np.argmax(np.cumsum(best, 1) >= p, 1)[:, None]",
            "Rounding may leave the sum of all below 1; argmax of nothing but False is 0.",
        ),
        mistake(
            "p taken as the least probability of one token",
            "np.cumsum(best, 1) - best < p -> best >= p",
            "p is not a threshold for one token: it is what all the kept ones hold together.",
        ),
        mistake(
            "p changes nothing",
            "np.cumsum(best, 1) - best < p -> np.zeros_like(best, dtype=bool)",
            "Only `min_keep` tokens are left. Are the numbers that you add up probabilities, 1 in all?",
        ),
        mistake(
            "min_keep forgotten",
            "keep[:, :min_keep] = True ->",
            "For a small p, how many tokens do you keep? Compare with min_keep.",
        ),
        mistake(
            "min_keep taken as the largest number of tokens",
            "keep[:, :min_keep] = True -> keep[:, min_keep:] = False",
            "At least `min_keep` tokens stay: it adds tokens where p keeps few, and takes none away.",
        ),
        mistake(
            "min_keep added to what p keeps",
            "keep[:, :min_keep] = True -> more = keep.sum(1, keepdims=True) - 1 + min_keep\n"
            "keep = np.arange(keep.shape[1]) < more",
            "At least `min_keep`: where p keeps as many already, it adds none.",
        ),
        mistake(
            "not scaled up to 1 again",
            "return kept / kept.sum(1, keepdims=True) -> return kept",
            "Add up a row of your result: does it give 1?",
        ),
        mistake(
            "scaled up over the whole batch",
            "kept.sum(1, keepdims=True) -> kept.sum()",
            "Every row adds up to 1 by itself.",
        ),
        mistake(
            "a softmax of the kept probabilities",
            ("kept = np.full_like(probs, -np.inf)", "best * keep -> np.where(keep, best, -np.inf)")
            + ("return kept -> kept = np.exp(kept)\nreturn kept",),
            "They are probabilities already: to share out 1 among them, divide by their sum.",
        ),
        mistake(
            "not put back into the tokens' order",
            f"{PUT_BACK} -> kept = best * keep",
            "Your probabilities come sorted: which column belongs to which token?",
        ),
        mistake(
            "sorted a second time instead of put back",
            f"{PUT_BACK} -> kept = np.take_along_axis(best * keep, order, 1)",
            "Taking by `order` once more does not undo it: write to the places where they came from.",
        ),
        mistake(
            "the mask of the sorted row on the unsorted one",
            f"{PUT_BACK} -> kept = probs * keep",
            "The first True belongs to the best token, wherever it stands in the row.",
        ),
        mistake(
            "sorted from the worst up",
            "np.argsort(-probs, axis=1) -> np.argsort(probs, axis=1)",
            "np.argsort goes from small to large. Which end do you start from?",
        ),
        mistake(
            "one cut for all rows",
            "np.cumsum(best, 1) - best -> np.cumsum(best[:1], 1) - best[:1]",
            "Each row has a count of its own: one is sure, the next is not.",
        ),
        mistake(
            "all rows keep as many as the one that needs most",
            "keep[:, :min_keep] = True -> keep[:] = keep.any(0)\nkeep[:, :min_keep] = True",
            "Each row has a count of its own: one is sure, the next is not.",
        ),
        mistake(
            "the first row's order for all rows",
            "np.argsort(-probs, axis=1) -> np.repeat(np.argsort(-probs[:1], axis=1), len(probs), 0)",
            "Each row has a best token of its own: sort every row.",
        ),
        mistake(
            "the softmax over the batch",
            ("z.max(1, keepdims=True) -> z.max(0)", "e / e.sum(1, keepdims=True) -> e / e.sum(0)"),
            "The probabilities of one text's tokens add up to 1: which axis is that?",
        ),
        mistake(
            "logits set to 0 instead of -inf",
            ("kept = np.zeros_like(probs, dtype=bool)", "best * keep -> keep")
            + (
                "return kept -> z = np.where(kept, z, 0)\nkept = np.exp(z - z.max(1, keepdims=True))\n"
                "return kept",
            ),
            "A logit of 0 is no small one: exp(0) is 1. What has the exponential 0?",
        ),
        mistake(
            "exp without taking the largest logit off",
            "np.exp(z - z.max(1, keepdims=True)) -> np.exp(z)",
            "exp(1000) is infinite: subtract each row's largest.",
        ),
        mistake(
            "one maximum for the whole batch",
            "z.max(1, keepdims=True) -> z.max()",
            "A row far below the others becomes all 0: subtract each row's own largest.",
        ),
    ),
    equal=(
        ("e = np.exp(z - z.max(-1, keepdims=True))", "of two axes 1 is the last"),
        ("probs = e / e.sum(-1, keepdims=True)", "of two axes 1 is the last"),
        ("order = np.argsort(-probs)", "the last axis is the default, and 1 is the last"),
        ("order = np.argsort(-probs, axis=-1)", "of two axes 1 is the last"),
        ("keep = np.cumsum(best, -1) - best < p", "of two axes 1 is the last"),
        ("return kept / kept.sum(-1, keepdims=True)", "of two axes 1 is the last"),
    ),
    hints=(
        "First the probabilities at this temperature; then order = np.argsort(-probs, axis=1).",
        "A token stays if what the better ones hold together, np.cumsum(best) - best, is below p.",
        "np.put_along_axis(kept, order, values, 1) undoes np.take_along_axis(probs, order, 1).",
    ),
)
