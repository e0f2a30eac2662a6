"""PGD against a small classifier, keeping for each example the worst point of its way."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, d, k, h=6, eps=0.1, step=0.04, steps=5, steep=1.2):
        x = rng.uniform(size=(n, d))
        x[0, 0] = 0.0
        w1, w2 = steep * rng.normal(size=(d, h)), steep * rng.normal(size=(h, k))
        return x, w1, w2, rng.integers(0, k, n), eps, step, steps

    example = (
        np.array([[0.5, 0.5]]),
        np.eye(2),
        np.array([[1.0, -1.0], [2.0, 0.0]]),
        np.array([0]),
        0.25,
        0.2,
        2,
    )
    # the loss has its peak where both numbers are equal: a long step from beside it goes past it, and down
    peak = (
        np.array([[0.5, 0.52], [0.61, 0.6], [0.2, 0.6]]),
        np.array([[1.0, -1.0], [-1.0, 1.0]]),
        np.array([[5.0, 0.0], [5.0, 0.0]]),
        np.array([0, 0, 1]),
        0.4,
        0.2,
        1,
    )
    mirror = np.array([[0.5, 0.75]]), *peak[1:3], np.array([0]), 0.5, 0.25, 1  # as bad on the other side
    # at every point of the way the right class has a probability that rounds to 0, or is next to nothing
    start, right = np.array([[0.5], [0.6]]), np.ones(2, int)
    hopeless, unlikely = (
        (start, np.array([[width]]), np.array([[0.7, -0.7]]), right, 0.2, 0.05, 3)
        for width in (8000.0, 100.0)
    )
    steep = case(6, 3, 3, steep=30.0)  # e to the power of some thousands
    wrong = (np.maximum(steep[0] @ steep[1], 0) @ steep[2]).argmin(1)
    return [
        example,
        peak,
        mirror,
        (*steep[:3], wrong, *steep[4:]),
        (*peak[:-1], 3),
        hopeless,
        unlikely,
        case(12, 3, 3, eps=0.6, step=0.5, steps=7, steep=1.5),
        case(15, 2, 4, h=12, eps=0.5, step=0.4, steps=6, steep=1.5),
        case(14, 2, 2, h=9, eps=0.3, step=0.4, steps=5, steep=1.5),
        case(4, 5, 3),
        case(3, 4, 2, eps=0.05, step=0.2, steps=3),
        case(5, 3, 4, steps=0),
        case(6, 6, 5, eps=0.3, step=0.1, steps=1),
        case(7, 2, 3, eps=0.4, step=0.05, steps=12),
        as_float32(case(4, 3, 3)),
    ]


def pgd(x, w1, w2, y, eps, step, steps):
    low, high = np.maximum(x - eps, 0.0), np.minimum(x + eps, 1.0)
    rows, at, worst, most = np.arange(len(x)), x, x, None
    for k in range(steps + 1):
        h = np.maximum(at @ w1, 0.0)  # (N, H)
        logits = h @ w2
        logits = logits - logits.max(1, keepdims=True)
        log_probs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        loss = -log_probs[rows, y]  # (N,)
        most = loss if k == 0 else most
        worse = loss > most
        worst, most = np.where(worse[:, None], at, worst), np.where(worse, loss, most)
        dlogits = np.exp(log_probs)
        dlogits[rows, y] -= 1.0
        slope = (dlogits @ w2.T * (h > 0)) @ w1.T  # (N, D)
        at = np.clip(at + step * np.sign(slope), low, high)
    return worst


def one_by_one(x, w1, w2, y, eps, step, steps):
    out = []
    for start, label in zip(x, y.tolist(), strict=True):
        at, worst, most = start.copy(), start.copy(), -np.inf
        for _ in range(steps + 1):
            z = at @ w1
            logits = np.maximum(z, 0) @ w2
            p = np.exp(logits - logits.max())
            p /= p.sum()
            loss = np.logaddexp.reduce(logits) - logits[label]
            if loss > most:
                worst, most = at, loss
            p[label] -= 1
            direction = np.sign(w1 @ ((w2 @ p) * (z > 0)))
            at = np.minimum(np.maximum(at + direction * step, start - eps), start + eps).clip(0, 1)
        out.append(worst)
    return np.stack(out)


def whole_way(x, w1, w2, y, eps, step, steps):
    way, truth = [x], np.eye(w2.shape[1], dtype=x.dtype)[y]
    for _ in range(steps):
        z = way[-1] @ w1
        logits = np.maximum(z, 0) @ w2
        shares = np.exp(logits - logits.max(1, keepdims=True))
        slope = ((shares / shares.sum(1, keepdims=True) - truth) @ w2.T * (z > 0)) @ w1.T
        way.append(np.clip(x + np.clip(way[-1] + step * np.sign(slope) - x, -eps, eps), 0, 1))
    way = np.stack(way)  # (steps + 1, N, D)
    logits = np.maximum(way @ w1, 0) @ w2
    gaps = logits - (logits * truth).sum(2, keepdims=True)
    return way[np.logaddexp.reduce(gaps, axis=2).argmax(0), np.arange(len(x))]


AT = "at = np.clip(at + step * np.sign(slope), low, high)"

EXERCISE = Exercise(
    title="The worst point nearby",
    points=4,
    minutes=30,
    difficulty=4,
    tolerance=1e-4,
    cases=cases,
    reference=pgd,
    alternatives=(one_by_one, whole_way),
    equal=(
        ("logits = logits - logits.max(-1, keepdims=True)", "the last axis is axis 1"),
        ("log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))", "the last axis is axis 1"),
        ("direction = np.sign(w1 @ (w2 @ p * (z >= 0)))", "at the kink itself either slope will do"),
        ("at, worst, most = (start, start.copy(), -np.inf)", "the points are not written into"),
        ("at, worst, most = (start.copy(), start, -np.inf)", "the points are not written into"),
        ("z = at.T @ w1", "a vector has no other side"),
        ("logits = np.maximum(z, 0).T @ w2", "a vector has no other side"),
        ("direction = np.sign(w1 @ (w2 @ p * (z > 0)).T)", "a vector has no other side"),
        ("direction = np.sign(w1 @ (w2 @ p.T * (z > 0)))", "a vector has no other side"),
    ),
    teaches=("adversarial.pgd", "losses.cross_entropy"),
    mistakes=(
        mistake(
            "the last point taken for the worst",
            "worse = np.full(len(x), True)",
            "A step can go too far: keep, for each example, the point with the largest loss so far.",
        ),
        mistake(
            "one worst step for the whole batch",
            "worse = np.full(len(x), loss.mean() > most.mean())",
            "Each example has a worst point of its own.",
        ),
        mistake(
            "within eps of the last point, not of x",
            "low, high = np.zeros_like(x), np.ones_like(x)",
            "After many steps it must still lie within eps of x: clip to x - eps and x + eps.",
        ),
        mistake(
            "blacker than black",
            "low, high = x - eps, x + eps",
            "The numbers stay between 0 and 1, too.",
        ),
        mistake(
            "one norm for the batch",
            "at = np.clip(at + step * slope / max(np.linalg.norm(slope), 1e-12), low, high)",
            "Every number goes by `step`: the sign of its slope.",
        ),
        mistake(
            "no sign",
            "at = np.clip(at + step * slope, low, high)",
            "Every number goes by `step`: the sign of its slope.",
        ),
        mistake(
            "downhill",
            "at = np.clip(at - step * np.sign(slope), low, high)",
            "The attack makes the loss larger.",
        ),
        mistake(
            "through neurons that are silent",
            "slope = (dlogits @ w2.T) @ w1.T",
            "Where the hidden number is 0 no slope comes back: times h > 0.",
        ),
        mistake(
            "one step of eps",
            "at = np.clip(at + eps * np.sign(slope), low, high)",
            "The steps have the length `step`.",
        ),
        mistake(
            "the slope at x in every step",
            "at = np.clip(at + step * np.sign(slope), low, high) -> first = slope if k == 0 else first\n"
            "at = np.clip(at + step * np.sign(first), low, high)",
            "Ask for the slope where you are now.",
        ),
        mistake(
            "the log of a probability that was rounded to 0",
            "loss = -np.log(np.exp(log_probs)[rows, y])",
            "With scores far apart a probability rounds to 0, its log to minus infinity: log-softmax.",
        ),
        mistake(
            "the log of a probability plus something tiny",
            "loss = -np.log(np.exp(log_probs)[rows, y] + 1e-12)",
            "Far from right all losses are then one number, and no point is worse than another: log-softmax.",
        ),
        mistake(
            "of equal ones the last",
            "worse = loss >= most",
            "Of equally bad points the first is asked for: a later one has to be worse, >, not >=.",
        ),
        mistake(
            "FGSM: one step of eps and no more",
            (
                "for k in range(2):",
                "worse = np.full(len(x), True)",
                "at = np.clip(at + eps * np.sign(slope), low, high)",
            ),
            "Go `steps` times by `step`, look at the slope anew each time, and keep the worst point.",
        ),
        mistake(
            "the smallest loss kept",
            "worse = loss < most",
            "The worst point has the largest loss.",
        ),
        mistake(
            "the start does not count",
            "most = loss if k == 0 else most -> most = loss if k == 0 else most - (1e30 if k == 1 else 0)",
            "x itself is a point of the way: if nothing is worse, it is the answer.",
        ),
        mistake(
            "the last step is not looked at",
            "for k in range(max(steps, 1)):",
            "After the last step there is one more loss to compare.",
        ),
    ),
    hints=(
        "Before each step, and after the last: the loss at the point, compared with the largest so far.",
        "The slope at the logits: probabilities, minus 1 at the right class. Then back through the layers.",
        "np.where(worse[:, None], at, worst) keeps for each row one of two points.",
    ),
)
