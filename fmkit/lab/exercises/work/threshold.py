"""When to say "I do not know": a bar chosen on some questions, and what it gives on others."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, m, most, levels=40):
        def drawn(size):
            score = rng.integers(0, levels, size) / levels
            return score, rng.random(size) < 0.3 + 0.65 * score

        return *drawn(n), most, *drawn(m)

    example = (
        np.array([0.9, 0.7, 0.7, 0.2]),
        np.array([True, True, False, False]),
        0.4,
        np.array([0.8, 0.7, 0.1]),
        np.array([True, False, True]),
    )
    hopeless = np.array([0.5, 0.6]), np.array([False, False]), 0.2, np.array([0.9]), np.array([True])
    dip = (  # first wrong, then long right
        np.array([0.9, 0.8, 0.7, 0.6, 0.5]),
        np.array([False, True, True, True, True]),
        0.25,
        np.array([0.95, 0.85, 0.65, 0.55, 0.1]),
        np.array([False, True, False, True, False]),
    )
    strict = np.array([0.3, 0.4]), np.array([False, True]), 0.0, np.array([0.4, 0.3]), np.array([False, True])
    silent = np.array([0.8, 0.2]), np.array([True, False]), 0.1, np.array([0.3, 0.1]), np.array([True, True])
    new = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    return [
        example,
        # a bar may let in the right one of two equal scores only together with the wrong one
        (np.array([0.9, 0.7, 0.7]), np.array([True, True, False]), 0.1, *new),
        (np.array([0.9, 0.7, 0.7]), np.array([True, False, True]), 0.1, *new),
        hopeless,
        dip,
        strict,
        silent,
        # no share of fewer than 100 is one of these: however a risk is reckoned, rounding decides nothing
        case(30, 20, 0.21),
        case(30, 20, 0.27, levels=5),
        case(40, 30, 0.17),
        case(60, 40, 0.31, levels=8),
        case(20, 25, 0.11),
        as_float32(case(40, 30, 0.23)),
    ]


def choose_bar(score, right, most, new_score, new_right):
    bar = np.inf
    for t in np.unique(score)[::-1]:
        answered = score >= t
        if (~right[answered]).mean() <= most:
            bar = float(t)
    spoken = new_score >= bar
    coverage = float(spoken.mean())
    risk = float((~new_right[spoken]).mean()) if spoken.any() else 0.0
    return bar, coverage, risk


def cumulated(score, right, most, new_score, new_right):
    order = np.argsort(-score, kind="stable")
    s, wrong = score[order], np.cumsum(~right[order])
    last = np.append(s[1:] != s[:-1], True)  # where a score ends
    fits = np.flatnonzero(last & (wrong / np.arange(1, len(s) + 1) <= most))
    lowest = float(s[fits[-1]]) if len(fits) else float("inf")
    spoken = new_score >= lowest
    n = int(spoken.sum())
    return lowest, n / len(spoken), float((spoken & ~new_right).sum() / max(n, 1))


def loops(score, right, most, new_score, new_right):
    pairs = list(zip(score.tolist(), right.tolist(), strict=True))
    fitting = [float("inf")]
    for t, _ in pairs:
        said = [r for s, r in pairs if s >= t]
        if said.count(False) / len(said) <= most:
            fitting.append(t)
    lowest = min(fitting)
    said = [r for s, r in zip(new_score.tolist(), new_right.tolist(), strict=True) if s >= lowest]
    return lowest, len(said) / len(new_score), said.count(False) / len(said) if said else 0.0


def row_by_row(order, score, right, most, new_score, new_right):
    """The risk after every row of an order, whether or not the next row has the same score."""
    risks = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    fits = np.flatnonzero(risks <= most)
    bar = float(score[order][fits[-1]]) if len(fits) else np.inf
    spoken = new_score >= bar
    return bar, float(spoken.mean()), float((~new_right[spoken]).mean()) if spoken.any() else 0.0


def rows_in_order(score, right, most, new_score, new_right):
    order = np.argsort(-score, kind="stable")
    return row_by_row(order, score, right, most, new_score, new_right)


def rows_turned_round(score, right, most, new_score, new_right):
    order = np.argsort(score, kind="stable")[::-1]
    return row_by_row(order, score, right, most, new_score, new_right)


EXERCISE = Exercise(
    title="When to say: I do not know",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    teaches=("retrieval.risk_coverage",),
    reference=choose_bar,
    alternatives=(cumulated, loops),
    equal=(
        ("order = np.argsort(-score)", "only where a score ends counts"),
        (
            "return (lowest, n / len(spoken), float((spoken & ~new_right).sum() / max(1, n)))",
            "the larger of two is the same either way",
        ),
    ),
    mistakes=(
        mistake(
            "the bar chosen on the new questions",
            ("score >= t -> new_score >= t", "right[answered] -> new_right[answered]"),
            "The new questions are the test: the bar must not have seen them.",
        ),
        mistake(
            "above the bar only",
            ("spoken = new_score > bar", "answered = score >= t -> answered = score > t - 1e-12"),
            "A score that reaches the bar is answered.",
        ),
        mistake(
            "above the bar only, when choosing as well",
            (
                "spoken = new_score > bar",
                "answered = score > t",
                "(~right[answered]).mean() <= most -> (~right[answered]).sum() <= most * answered.sum()",
            ),
            "A score that reaches the bar is answered.",
        ),
        mistake(
            "equal scores parted",
            rows_in_order,
            "Equal scores are answered together: a bar lets in all of them or none.",
        ),
        mistake(
            "equal scores parted, the last row first",
            rows_turned_round,
            "Equal scores are answered together: a bar lets in all of them or none.",
        ),
        mistake(
            "the highest bar instead of the lowest",
            "bar = float(t) -> bar = min(bar, np.inf) if bar < np.inf else float(t)",
            "The lowest bar that holds the promise answers the most questions.",
        ),
        mistake(
            "stopped at the first bar that breaks the promise",
            (
                "if (~right[answered]).mean() <= most: -> "
                "if all((~right[score >= u]).mean() <= most for u in score if u >= t):",
            ),
            "A lower bar may hold the promise again: look at all of them.",
        ),
        mistake(
            "wrong answers over all questions",
            "(~right[answered]).mean() -> (~right[answered]).sum() / len(right)",
            "The risk is the share of wrong ones among the answers, not among all questions.",
        ),
        mistake(
            "the new risk over all questions",
            "(~new_right[spoken]).mean() -> (~new_right[spoken]).sum() / len(new_right)",
            "The risk is the share of wrong ones among the answers.",
        ),
        mistake(
            "less than the promise",
            ".mean() <= most -> .mean() < most",
            "A risk that is just as large as allowed is allowed.",
        ),
        mistake(
            "the share of right ones for the risk",
            "(~new_right[spoken]).mean() -> new_right[spoken].mean()",
            "The risk counts the wrong answers.",
        ),
        mistake(
            "coverage of the right ones",
            "spoken.mean() -> (spoken & new_right).mean()",
            "Whatever is answered counts for the coverage, right or wrong.",
        ),
        mistake(
            "what is not answered for the coverage",
            "spoken.mean() -> 1 - spoken.mean()",
            "The coverage is the share that is answered.",
        ),
        mistake(
            "the old questions reported",
            ("spoken = score >= bar", "new_right[spoken] -> right[spoken]"),
            "The promise is tested on the new questions.",
        ),
        mistake(
            "all answered where no bar holds",
            "bar = np.inf -> bar = float(score.min())",
            "If no bar holds the promise, none is right: say nothing (infinity).",
        ),
        mistake(
            "a bar of 1 where none holds",
            "bar = np.inf -> bar = 1.0",
            "If no bar holds the promise, none is right: say nothing (infinity).",
        ),
        mistake(
            "coverage and risk exchanged",
            "return bar, risk, coverage",
            "First the share that is answered, then the share of those that is wrong.",
        ),
        mistake(
            "full risk for silence",
            "else 0.0 -> else 1.0",
            "Who answers nothing is wrong about nothing.",
        ),
        mistake(
            "the bar with the least risk",
            (
                "if (~right[answered]).mean() <= most: -> "
                "if (~right[answered]).mean() <= min([most] + [(~right[score >= u]).mean() for u in score]):",
            ),
            "Less risk than promised costs answers: take the lowest bar that holds the promise.",
        ),
    ),
    hints=(
        "Only the scores themselves can be bars. For each: who is answered, and how many of those are wrong?",
        "Keep the smallest bar whose risk is at most `most`; begin with infinity.",
        "Then leave the old questions, and count on the new ones.",
    ),
)
