"""Calibration with many classes: the mean gap, the worst gap, and the direction."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, k, bins, sharp=1.0):
        logits = rng.normal(size=(n, k)) * 2
        true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        y = np.array([rng.choice(k, p=row) for row in true])
        said = true**sharp
        return said / said.sum(1, keepdims=True), y, bins

    def of_top(top, right, k, bins):
        """Probabilities whose largest is ``top``, in a class that is right where ``right`` says so."""
        top, n = np.asarray(top, dtype=float), len(top)
        probs = np.repeat(((1 - top) / (k - 1))[:, None], k, 1)
        chosen = rng.integers(0, k, n)
        probs[np.arange(n), chosen] = top
        y = np.where(np.asarray(right, dtype=bool), chosen, (chosen + 1) % k)
        return probs, y, bins

    example = np.array([[0.9, 0.1, 0.0], [0.0, 0.1, 0.9]]), np.array([0, 0]), 5
    certain = of_top([1.0, 0.95, 0.6], [0, 1, 1], 3, 4)  # 1 beside another one of its bin
    edge = of_top([0.75, 0.75, 0.8, 0.6, 0.5], [0, 1, 1, 0, 1], 4, 4)  # edges that floats hold exactly
    many = np.append(rng.uniform(0.76, 0.95, 9), [0.6, 0.55])
    lopsided = of_top(many, np.append(np.ones(9), [0, 0]), 3, 4)
    by_turns = of_top(np.repeat([0.55, 0.65, 0.75, 0.85], 3) + 0.02, np.tile([0, 1, 0, 0, 1, 1], 2), 3, 10)
    low = of_top([0.2, 0.22, 0.3, 0.31, 0.5], [1, 1, 0, 1, 0], 6, 3)  # below the first edge
    ties = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.25, 0.5, 0.25]]), np.array([0, 1, 1]), 4
    timid = of_top(rng.uniform(0.5, 0.7, 12), np.ones(12), 4, 3)
    return [
        example,
        certain,
        edge,
        lopsided,
        by_turns,
        timid,
        ties,
        low,
        case(60, 3, 8, 2.0),
        case(50, 5, 10, 0.5),
        case(40, 2, 6, 1.5),
        as_float32(case(45, 4, 7, 2.5)),
    ]


def calibration(probs, y, bins):
    top, right = (
        probs.max(1),
        probs.argmax(1) == y,
    )  # how sure it was of its choice, and whether that was right
    place = np.minimum((top * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, top - right, minlength=bins) / np.maximum(count, 1)
    mean = (count * np.abs(gap)).sum() / len(y)
    worst = np.abs(gap).max()
    return float(mean), float(worst), float((top - right).mean())


def masks(probs, y, bins):
    top, right = probs.max(1), probs.argmax(1) == y
    shares, gaps = [], []
    for b in range(bins):
        inside = (top >= b / bins) & ((top < (b + 1) / bins) | (b == bins - 1))
        if inside.any():
            shares.append(inside.mean())
            gaps.append(top[inside].mean() - right[inside].mean())
    over = np.dot(shares, gaps)
    return float(np.dot(shares, np.abs(gaps))), float(np.abs(gaps).max()), float(over)


def loop(probs, y, bins):
    sums, counts, total = [0.0] * bins, [0] * bins, 0.0
    for row, label in zip(probs.tolist(), y.tolist(), strict=True):
        sure = max(row)
        b = min(int(sure * bins), bins - 1)
        gap = sure - (row.index(sure) == label)
        sums[b], counts[b], total = sums[b] + gap, counts[b] + 1, total + gap
    mean = sum(abs(s) for s in sums) / len(y)
    return mean, max(abs(s) / max(c, 1) for s, c in zip(sums, counts, strict=True)), total / len(y)


EXERCISE = Exercise(
    title="Calibration with many classes",
    points=3,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,  # Python numbers come out of float32 inputs
    cases=cases,
    reference=calibration,
    alternatives=(masks, loop),
    equal=(
        ("top, right = (probs.max(-1), probs.argmax(1) == y)", "the last axis is axis 1"),
        ("top, right = (probs.max(1), probs.argmax(-1) == y)", "the last axis is axis 1"),
        (
            "gap = np.bincount(place, right - top, minlength=bins) / np.maximum(count, 1)",
            "the sizes of the gaps are taken afterwards",
        ),
        (
            "inside = (top >= b / bins) & ((top < (b + 1) / bins) | (b >= bins - 1))",
            "b never exceeds bins - 1",
        ),
        ("over = np.dot(gaps, shares)", "a sum of products, either way"),
        (
            "return (float(np.dot(np.abs(gaps), shares)), float(np.abs(gaps).max()), float(over))",
            "a sum of products, either way",
        ),
    ),
    teaches=("curves.calibration_curve", "curves.expected_calibration_error"),
    parts=True,
    mistakes=(
        mistake(
            "every bin counts the same",
            "mean = np.abs(gap)[count > 0].mean()",
            "A bin with three examples should not weigh as much as one with three hundred.",
        ),
        mistake(
            "every bin counts the same, the empty ones too",
            "mean = np.abs(gap).mean()",
            "A bin with three examples should not weigh as much as one with three hundred, or an empty one.",
        ),
        mistake(
            "let gaps of opposite sign cancel",
            "mean = (count * gap).sum() / len(y)",
            "Too sure here and too timid there do not make a calibrated model: take each gap's size.",
        ),
        mistake(
            "took the size of each example's own gap",
            "gap = np.bincount(place, np.abs(top - right), minlength=bins) / np.maximum(count, 1)",
            "In a bin the means are compared: of ten answers given with 0.7, seven should be right.",
        ),
        mistake(
            "the probability of class 1 instead of the choice's",
            "top, right = probs[:, 1], y == 1",
            "With many classes ask of the class that was chosen: how sure was it, and was it right?",
        ),
        mistake(
            "the probability of class 0 instead of the choice's",
            "top, right = probs[:, 0], y == 0",
            "With many classes ask of the class that was chosen: how sure was it, and was it right?",
        ),
        mistake(
            "the probability of the true class",
            "top, right = probs[np.arange(len(y)), y], probs.argmax(1) == y",
            "How sure was the model of its own choice? That is the largest of the row.",
        ),
        mistake(
            "every class of every row, not the chosen one only",
            "top, right = probs.ravel(), (np.arange(probs.shape[1]) == y[:, None]).ravel()",
            "That is another measure (class-wise): here only the class that was chosen counts.",
        ),
        mistake(
            "lost the answers given with exactly 1",
            (
                "place = (top * bins).astype(int)",
                "count = np.bincount(place, minlength=bins)[:bins]",
                "gap = np.bincount(place, top - right, minlength=bins)[:bins] / np.maximum(count, 1)",
            ),
            "Into which bin does 1 fall? There is none above the last.",
        ),
        mistake(
            "gave 1 a bin of its own",
            "place = (top * bins).astype(int)",
            "There are `bins` bins: 1 belongs into the last, with the others near 1.",
        ),
        mistake(
            "an edge counts for the bin below it",
            "place = np.maximum(np.ceil(top * bins).astype(int) - 1, 0)",
            "An edge belongs to the bin above it: with four bins, 0.75 opens the fourth.",
        ),
        mistake(
            "rounded to the nearest edge instead of cutting down",
            "place = np.minimum(np.round(top * bins).astype(int), bins - 1)",
            "With four bins, 0.7 lies between 0.5 and 0.75: that is the third bin, though 0.75 is nearer.",
        ),
        mistake(
            "bins from chance to 1",
            "place = np.minimum(((top - 1 / probs.shape[1]) / (1 - 1 / probs.shape[1]) * bins).astype(int), "
            "bins - 1)",
            "The bins cut the way from 0 to 1 into equal parts, though the lowest stay empty.",
        ),
        mistake(
            "bins from the smallest to the largest that was said",
            "place = np.digitize(top, np.linspace(top.min(), top.max(), bins + 1)[1:-1])",
            "The bins cut the way from 0 to 1 into equal parts, wherever the answers lie.",
        ),
        mistake(
            "bins of equal number, not of equal width",
            "place = np.zeros(len(top), int)\n"
            "for b, part in enumerate(np.array_split(np.argsort(top), bins)):\n    place[part] = b",
            "The bins cut the way from 0 to 1 into equal parts, wherever the answers lie.",
        ),
        mistake(
            "the bin's centre instead of what was said",
            "gap = np.bincount(place, (place + 0.5) / bins - right, minlength=bins) / np.maximum(count, 1)",
            "What was said in a bin need not lie around its centre: take its own mean.",
        ),
        mistake(
            "NaN from an empty bin",
            "gap = np.bincount(place, top - right, minlength=bins) / count",
            "An empty bin has no mean: leave it out.",
        ),
        mistake(
            "the worst of what the bins add, not the worst gap",
            "worst = (count * np.abs(gap)).max() / len(y)",
            "The worst gap is one bin's own, however few examples it has.",
        ),
        mistake(
            "the gap of the fullest bin",
            "worst = np.abs(gap)[count.argmax()]",
            "The worst gap may well be in a bin with few examples.",
        ),
        mistake(
            "the worst gap upwards only",
            "worst = gap.max()",
            "A bin that is too timid has a gap, too: take sizes, then the largest.",
        ),
        mistake(
            "the direction turned round",
            "return float(mean), float(worst), float((top - right).mean()) -> "
            "return float(mean), float(worst), float((right - top).mean())",
            "Positive means too sure: what was said minus what came.",
        ),
        mistake(
            "the direction over the bins, each counted the same",
            "return float(mean), float(worst), float((top - right).mean()) -> "
            "return float(mean), float(worst), float(gap[count > 0].mean())",
            "The third number is the mean over all examples, not over the bins.",
        ),
        mistake(
            "the size of the direction",
            "return float(mean), float(worst), float((top - right).mean()) -> "
            "return float(mean), float(worst), float(abs((top - right).mean()))",
            "The third number has a sign: negative is too timid.",
        ),
        mistake(
            "squared gaps",
            "mean = (count * gap**2).sum() / len(y)",
            "The gaps enter with their plain size here, not squared.",
        ),
        mistake(
            "the counts never divided by N",
            "mean = (count * np.abs(gap)).sum()",
            "The weights of a mean sum to 1: which share of all answers does a bin have?",
        ),
        mistake(
            "10 bins, whatever `bins` says",
            "place = np.minimum((top * bins).astype(int), bins - 1) -> bins = 10\n"
            "place = np.minimum((top * bins).astype(int), bins - 1)",
            "`bins` is an argument.",
        ),
        mistake(
            "of equally likely classes the last",
            "top, right = probs.max(1), probs.shape[1] - 1 - probs[:, ::-1].argmax(1) == y",
            "Of equally likely classes the first one is the choice: that is what argmax gives.",
        ),
        mistake(
            "how sure of class 1, but right about the choice",
            "top, right = probs[:, 1], probs.argmax(1) == y",
            "How sure was the model of its own choice? That is the largest of the row.",
        ),
        mistake(
            "every class of every row, and the mean over all of them",
            (
                "top, right = probs.ravel(), (np.arange(probs.shape[1]) == y[:, None]).ravel()",
                "mean = (count * np.abs(gap)).sum() / len(top)",
            ),
            "That is another measure (class-wise): here only the class that was chosen counts.",
        ),
    ),
    hints=(
        "probs.max(1) is how sure the model was of its choice, probs.argmax(1) == y whether that was right.",
        "int(sure * bins) is the bin; 1 must be pulled back into the last one.",
        "np.bincount(place, top - right, minlength=bins) adds up the gaps of each bin.",
    ),
)
