"""CLIP's loss on a batch in which captions occur more than once."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, d, log_scale, same):
        lengths = rng.uniform(0.2, 5.0, (2, n, 1))
        a = rng.normal(size=(n, d))
        b = a + 0.8 * rng.normal(size=(n, d))
        return a * lengths[0], b * lengths[1], log_scale, np.array(same)

    example = np.eye(2), np.eye(2), 0.0, np.array([0, 1])
    turned = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 3.0], [2.0, 0.0]]), 5.0, np.array([4, 9])
    hot = rng.normal(size=(4, 2))
    return [
        example,
        (np.eye(2), -2.0 * np.eye(2), 5.0, np.array([3, 3])),  # only the own pair is left, at -100
        case(3, 2, 1.0, [0, 1, 2]),
        case(3, 4, 0.7, [5, 2, 5]),
        case(4, 3, 1.5, [1, 1, 0, 0]),
        case(5, 3, -1.0, [0, 3, 0, 0, 7]),
        case(4, 2, 2.659, [3, 2, 2, 1]),
        turned,  # sure, and wrong, beyond the limit of the scale
        case(4, 3, 6.0, [1, 2, 3, 1]),
        (*turned[:2], 120.0, turned[3]),
        case(3, 5, 1.2, [8, 8, 8]),  # all alike: nothing is left to be told apart
        as_float32(case(5, 4, 1.3, [0, 1, 1, 2, 0])),
        as_float32((hot, np.roll(2.0 * hot, 1, axis=0), 4.6, np.array([0, 1, 2, 2]))),  # another is nearest
    ]


def clip_loss(a, b, log_scale, same):
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    scale = min(float(np.exp(log_scale)), 100.0)
    logits = scale * (a @ b.T)
    twins = (same[:, None] == same) & ~np.eye(len(a), dtype=bool)
    logits[twins] = -np.inf
    rows = logits.max(1) + np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1))
    columns = logits.max(0) + np.log(np.exp(logits - logits.max(0)).sum(0))
    return float((rows + columns - 2 * np.diag(logits)).mean() / 2)


def both_ways(a, b, log_scale, same):
    unit = [x / np.sqrt((x * x).sum(1))[:, None] for x in (a, b)]
    cosines = unit[0] @ unit[1].T
    total, n = 0.0, len(a)
    for scores in (cosines, cosines.T):
        z = scores * np.exp(min(log_scale, np.log(100)))
        for i in range(n):
            others = z[i, (same != same[i]) | (np.arange(n) == i)]
            total += np.logaddexp.reduce(others - z[i, i])
    return total / (2 * n)


def loop(a, b, log_scale, same):
    scale, losses = np.exp(np.minimum(log_scale, np.log(100.0))), []
    for first, second in ((a, b), (b, a)):
        for i, x in enumerate(first):
            z = [
                scale * (x @ y) / np.sqrt((x @ x) * (y @ y))
                for j, y in enumerate(second)
                if j == i or same[j] != same[i]
            ]
            right = scale * (x @ second[i]) / np.sqrt((x @ x) * (second[i] @ second[i]))
            losses.append(max(z) + np.log(np.sum(np.exp(np.array(z) - max(z)))) - right)
    return np.mean(losses)


EXERCISE = Exercise(
    title="Captions that come twice",
    points=3,
    minutes=18,
    difficulty=4,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=clip_loss,
    alternatives=(both_ways, loop),
    teaches=("unlabelled.contrastive", "unlabelled.unit_vectors", "unlabelled.simclr"),
    equal=(
        ("a = a / np.linalg.norm(a, axis=-1, keepdims=True)", "of two axes 1 is the last"),
        ("b = b / np.linalg.norm(b, axis=-1, keepdims=True)", "of two axes 1 is the last"),
        (
            "rows = logits.max(-1) + np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1))",
            "of two axes 1 is the last",
        ),
        (
            "rows = logits.max(1) + np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(-1))",
            "of two axes 1 is the last",
        ),
        (
            "rows = logits.max(1) + np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(1))",
            "of two axes 1 is the last",
        ),
        ("unit = [x / np.sqrt((x * x).sum(-1))[:, None] for x in (a, b)]", "of two axes 1 is the last"),
        ("scale = min(100.0, float(np.exp(log_scale)))", "the smaller of two has no order"),
        ("z = scores * np.exp(min(np.log(100), log_scale))", "the smaller of two has no order"),
    ),
    mistakes=(
        mistake(
            "not made unit vectors",
            ("a = a * 1", "b = b * 1"),
            "A cosine is a product of vectors of length 1.",
        ),
        mistake(
            "the pictures not made unit vectors",
            "a = a * 1",
            "Both sides have to have length 1.",
        ),
        mistake(
            "the texts not made unit vectors",
            "b = b * 1",
            "Both sides have to have length 1.",
        ),
        mistake(
            "divided by the scale",
            "logits = (a @ b.T) / scale",
            "exp(log_scale) is one over the temperature: it multiplies.",
        ),
        mistake(
            "took log_scale for the scale itself",
            "scale = min(log_scale, 100.0)",
            "What is learned is the logarithm of the scale.",
        ),
        mistake(
            "no limit on the scale",
            "scale = float(np.exp(log_scale))",
            "CLIP stops at a scale of 100, or one step too many freezes everything.",
        ),
        mistake(
            "the limit put on the logarithm",
            "scale = float(np.exp(min(log_scale, 100.0)))",
            "100 is the limit of the scale; of its logarithm it is log 100, about 4.6.",
        ),
        mistake(
            "a caption that comes twice counts as wrong",
            "logits[twins] = -np.inf ->",
            "A picture cannot know which of two equal captions is its own: leave the other one out.",
        ),
        mistake(
            "a caption that comes twice counts as right, too",
            "return float((rows + columns).mean() / 2 - ((a @ b.T) * scale * (same[:, None] == same)"
            " / (same[:, None] == same).sum(1)).sum() / len(a))",
            "Here the twin is neither right nor wrong: it is left out, and the own pair alone is asked for.",
        ),
        mistake(
            "a twin's score set to 0 instead of left out",
            "logits[twins] = 0.0",
            "exp(0) is 1: it still counts. Which logit has an exponential of 0?",
        ),
        mistake(
            "the own pair left out, too",
            "twins = same[:, None] == same",
            "Every number equals itself: which pair must stay?",
        ),
        mistake(
            "one direction only: pictures look for texts",
            "return float((rows - np.diag(logits)).mean())",
            "The texts look for their pictures as well; the loss is the mean of both.",
        ),
        mistake(
            "one direction only: texts look for pictures",
            "return float((columns - np.diag(logits)).mean())",
            "The pictures look for their texts as well; the loss is the mean of both.",
        ),
        mistake(
            "the sum of both directions, not their mean",
            ".mean() / 2 -> .mean()",
            "Two directions: half of their sum.",
        ),
        mistake(
            "the sum over the pairs, not the mean",
            ".mean() / 2 -> .sum() / 2",
            "A larger batch must not cost more just because it is larger.",
        ),
        mistake(
            "the largest logit subtracted, and not added again",
            (
                "rows = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1))",
                "columns = np.log(np.exp(logits - logits.max(0)).sum(0))",
            ),
            "What is taken out of the exponentials has to be added to their logarithm.",
        ),
        mistake(
            "only rows are safe from overflow",
            "columns = np.log(np.exp(logits * 10).sum(0)) / 10",
            "Take the largest out of the columns, too, each its own.",
        ),
        mistake(
            "exponentials as they are",
            ("rows = np.log(np.exp(logits).sum(1))", "columns = np.log(np.exp(logits).sum(0))"),
            "A logit of 100 is too much for the exponential of a float32: take the largest out first.",
        ),
        mistake(
            "the own pair's score counted once only",
            "2 * np.diag(logits) -> np.diag(logits)",
            "Each direction subtracts the score of the right answer.",
        ),
        mistake(
            "the best score for the own one",
            "- 2 * np.diag(logits) -> - logits.max(1) - logits.max(0)",
            "The right answer is the own pair, on the diagonal, however bad its score is.",
        ),
        mistake(
            "divided by the sum of sizes, not by the length",
            "a = a / np.abs(a).sum(1, keepdims=True)",
            "The length of a vector is the root of its sum of squares.",
        ),
        mistake(
            "a twin's score set to -100 instead of left out",
            "logits[twins] = -100.0",
            "With a scale of 100 the own pair itself may have a score of -100.",
        ),
        mistake(
            "the own pair out of the sum, a very small number for it",
            (
                "twins = same[:, None] == same",
                "logits[twins] = -np.inf -> own = np.diag(logits).copy()\nlogits[twins] = -1e9",
                "return float((rows + columns - 2 * own).mean() / 2)",
            ),
            "Every number equals itself: which pair must stay among those that one chooses from?",
        ),
        mistake(
            "the own pair out of the sum",
            (
                "twins = same[:, None] == same",
                "logits[twins] = -np.inf -> own = np.diag(logits).copy()\nlogits[twins] = -np.inf",
                "return float((rows + columns - 2 * own).mean() / 2)",
            ),
            "Every number equals itself: which pair must stay among those that one chooses from?",
        ),
        mistake(
            "any of the twins counts as the right answer",
            (
                "twins = same[:, None] == same",
                "logits[twins] = -np.inf -> e = np.exp(logits - logits.max())",
                "rows = np.log(e.sum(1)) - np.log((e * twins).sum(1))",
                "columns = np.log(e.sum(0)) - np.log((e * twins).sum(0))",
                "return float((rows + columns).mean() / 2)",
            ),
            "Here the twin is neither right nor wrong: it is left out, and the own pair alone is asked for.",
        ),
    ),
    hints=(
        "Unit vectors, scaled cosines, and two cross-entropies whose right answers lie on the diagonal.",
        "same[:, None] == same is the table of equal captions; its diagonal must stay.",
        "Left out means: exp of its logit is 0. And mind that exp(100) is too large for float32.",
    ),
)
