"""An attack on membership: the threshold comes from known outsiders, the figures from others."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, m, k, fpr, shift=1.0, ties=False):
        member, other, known = rng.normal(shift, 2, n), rng.normal(size=m), rng.normal(size=k)
        if ties:
            member, other, known = (np.round(scores) for scores in (member, other, known))
        return member, other, known, fpr

    example = np.array([3.0, 2.0, 0.5]), np.array([2.5, 0.0]), np.array([0.0, 2.0, 1.0, -1.0]), 0.25
    nobody = (
        np.array([3.0, 2.0, 5.0]),
        np.array([2.5, 1.0]),
        np.array([0.0, 2.0, 2.0]),
        0.1,
    )  # none of 3 may be
    equal = np.ones(4), np.ones(3), np.ones(5), 0.2  # a model that says the same of everybody
    exact = np.linspace(-1, 1, 30), rng.normal(size=60), np.arange(50) / 25 - 1, 0.58  # * 50: 28.999...
    # a threshold is one of the known scores: who takes a value between two of them misses 1.2 and 1.4
    between = np.array([1.2, 2.0, 0.0]), np.array([1.4, 0.5]), np.array([0.0, 1.0, 2.0, 3.0]), 0.5
    return [
        example,
        nobody,
        equal,
        exact,
        between,
        case(12, 17, 20, 0.05),
        case(9, 14, 15, 0.2, ties=True),
        case(25, 11, 30, 0.1, shift=3.0),
        case(20, 31, 24, 0.5, shift=-0.5),
        case(30, 40, 50, 0.08, ties=True),
        case(16, 9, 7, 0.3, shift=2.0),
    ]


def caught(member, other, known, fpr):
    allowed = int(fpr * len(known) + 1e-9)  # .29 * 100 is 28.999...
    threshold = np.sort(known)[-1 - allowed]
    return float((member > threshold).mean()), float((other > threshold).mean())


def search(member, other, known, fpr):
    for threshold in sorted(set(known.tolist())):
        if sum(score > threshold for score in known.tolist()) <= fpr * len(known) + 1e-9:
            break
    return tuple(sum(s > threshold for s in scores.tolist()) / len(scores) for scores in (member, other))


def counting(member, other, known, fpr):
    above = (known[:, None] < known).mean(1)  # of the known ones, the share above each
    threshold = known[above <= fpr + 1e-9].min()
    return float(np.mean(member > threshold)), float(np.mean(other > threshold))


EXERCISE = Exercise(
    title="Caught, at a price",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    reference=caught,
    alternatives=(search, counting),
    equal=(
        ("allowed = int(fpr * len(known) + 5e-10)", "as tiny, against rounding"),
        ("allowed = int(fpr * len(known) + 2e-09)", "as tiny, against rounding"),
        ("for threshold in sorted(known.tolist()):", "the second of two equal ones is as good"),
        (
            "if sum((score > threshold for score in known.tolist())) < fpr * len(known) + 1e-09:",
            "a whole number never meets the boundary",
        ),
        (
            "if sum((score > threshold for score in known.tolist())) <= fpr * len(known) + 5e-10:",
            "as tiny, against rounding",
        ),
        (
            "if sum((score > threshold for score in known.tolist())) <= fpr * len(known) + 2e-09:",
            "as tiny, against rounding",
        ),
    ),
    teaches=("privacy.tpr_at_fpr",),
    parts=True,
    mistakes=(
        mistake(
            "the threshold from the members",
            "threshold = np.sort(member)[max(0, len(member) - 1 - allowed)]",
            "The attacker knows outsiders, not who is a member: the threshold comes from `known`.",
        ),
        mistake(
            "the threshold from the others that are judged",
            "threshold = np.sort(other)[max(0, len(other) - 1 - int(fpr * len(other) + 1e-9))]",
            "Chosen on the same people, the threshold would flatter: it comes from `known`.",
        ),
        mistake(
            "a tie is an accusation",
            "return float((member > threshold).mean()), float((other > threshold).mean()) -> "
            "return float((member >= threshold).mean()), float((other >= threshold).mean())",
            "Accused is who scores *above* the threshold.",
        ),
        mistake(
            "one accused too many",
            "allowed = int(fpr * len(known) + 1e-9) + 1",
            "At most the share fpr of `known` may score above the threshold.",
        ),
        mistake(
            "one accused too few",
            "threshold = np.sort(known)[-max(allowed, 1)]",
            "With that many of `known` above it, the threshold is the next one below these.",
        ),
        mistake(
            "a quantile between two scores",
            "threshold = np.quantile(known, 1 - fpr)",
            "np.quantile may lie between two scores: the threshold is the smallest of `known` that will do.",
        ),
        mistake(
            "from the other end",
            "threshold = np.sort(known)[allowed]",
            "High scores are accused: the threshold lies near the upper end.",
        ),
        mistake(
            "the lowest may pass",
            "return float((member > threshold).mean()), float((other > threshold).mean()) -> "
            "return float((member < threshold).mean()), float((other < threshold).mean())",
            "A high score says *member*.",
        ),
        mistake(
            "numbers, not shares",
            "return float((member > threshold).mean()), float((other > threshold).mean()) -> "
            "return float((member > threshold).sum()), float((other > threshold).sum())",
            "Two shares are asked for.",
        ),
        mistake(
            "the share of those accused that are members",
            "return float((member > threshold).mean()), float((other > threshold).mean()) -> "
            "yes, no = (member > threshold).sum(), (other > threshold).sum()\n"
            "return float(yes / max(yes + no, 1)), float((other > threshold).mean())",
            "Of the *members*, which share is accused? That is no precision.",
        ),
        mistake(
            "the rate that was allowed, not the one that came",
            "return float((member > threshold).mean()), float((other > threshold).mean()) -> "
            "return float((member > threshold).mean()), float(fpr)",
            "Measure the second share on `other`: it need not be fpr.",
        ),
        mistake(
            "the others first",
            "return float((member > threshold).mean()), float((other > threshold).mean()) -> "
            "return float((other > threshold).mean()), float((member > threshold).mean())",
            "The members come first.",
        ),
        mistake(
            "the rounding of floats forgotten",
            "allowed = int(fpr * len(known))",
            "0.3 * 10 may come out just below 3: add a tiny number before you cut.",
        ),
    ),
    hints=(
        "How many of `known` may be accused? int(fpr * len(known) + 1e-9).",
        "Sort `known`: so many stand above the threshold, which is the next one.",
        "(member > threshold).mean() is a share.",
    ),
)
