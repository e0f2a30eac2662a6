"""What guessing ahead gains, by the number of guesses."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(k, draft, extra):
        return np.sort(rng.uniform(0.3, 0.95, k))[::-1].copy(), draft, extra

    return [
        (np.array([0.8, 0.5]), 0.1, 0.0),
        (np.array([0.0, 0.9]), 0.05, 0.1),  # the first is never accepted
        (np.array([1.0, 1.0, 1.0]), 0.0, 0.0),
        (np.array([0.5, 0.5]), 0.25, 0.25),  # one guess as good as none
        (np.array([0.5, 0.0, 0.5]), 0.0, 0.0),  # 1, 2 and 3 guesses alike
        (np.array([]), 0.1, 0.1),
        (np.array([0.5, 0.9, 0.2, 0.7]), 0.02, 0.2),
        case(6, 0.05, 0.1),
        case(8, 0.01, 0.02),
        case(5, 0.3, 0.4),
    ]


def speedups(accepted, draft, extra):
    reached = np.cumprod(accepted)  # that all guesses so far stay
    tokens = 1 + np.concatenate([[0.0], np.cumsum(reached)])
    k = np.arange(len(tokens))
    speed = tokens / (1 + k * (draft + extra))
    best = int(speed.argmax())  # the first of equal ones
    return speed, best


def loop(accepted, draft, extra):
    speed = []
    for k in range(len(accepted) + 1):
        tokens, alive = 1.0, 1.0
        for a in accepted[:k]:
            alive *= a
            tokens += alive
        speed.append(tokens / (1 + k * draft + k * extra))
    return np.array(speed), max(range(len(speed)), key=speed.__getitem__)


def by_where_it_ends(accepted, draft, extra):
    speed = []
    for k in range(len(accepted) + 1):
        goes = np.append(1 - accepted[:k], 1.0)  # the last place always ends it
        before = np.append(1.0, np.cumprod(accepted[:k]))
        speed.append((before * goes) @ np.arange(1, k + 2) / (1 + k * (draft + extra)))
    speed = np.array(speed)
    return speed, int(np.flatnonzero(np.isclose(speed, speed.max(), rtol=1e-12, atol=0))[0])


EXERCISE = Exercise(
    title="How many guesses?",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    reference=speedups,
    alternatives=(loop, by_where_it_ends),
    teaches=("speculative.tokens_per_call",),
    parts=True,
    mistakes=(
        mistake(
            "the model's own token forgotten",
            "tokens = np.concatenate([[0.0], np.cumsum(reached)])",
            "Every call gives a token of the large model, too.",
        ),
        mistake(
            "guesses counted as if each stood alone",
            "reached = accepted",
            "The third guess counts only if the first and the second stay.",
        ),
        mistake(
            "all or nothing",
            "tokens = 1 + np.concatenate([[0.0], reached * np.arange(1, len(reached) + 1)])",
            "If two of three stay, two were gained: add up the chances to reach each place.",
        ),
        mistake(
            "the draft is free",
            "speed = tokens / (1 + k * extra)",
            "Every guess costs a call of the draft.",
        ),
        mistake(
            "reading more tokens is free",
            "speed = tokens / (1 + k * draft)",
            "Every guess makes the large model's call longer by `extra`.",
        ),
        mistake(
            "the draft is called once",
            "speed = tokens / (1 + draft + k * extra)",
            "k guesses are k calls of the draft.",
        ),
        mistake(
            "the longer call paid once",
            "speed = tokens / (1 + k * draft + extra)",
            "Each guess adds `extra` to the call: k guesses add k times that, none adds nothing.",
        ),
        mistake(
            "one guess too few paid for",
            "k = np.maximum(np.arange(len(tokens)) - 1, 0)",
            "k guesses cost k times draft + extra.",
        ),
        mistake(
            "time instead of speed",
            "speed = (1 + k * (draft + extra)) / tokens",
            "Speed: tokens by time.",
        ),
        mistake(
            "the slowest chosen",
            "best = int(speed.argmin())",
            "The best number of guesses has the highest speed.",
        ),
        mistake(
            "most tokens instead of most speed",
            "best = int(tokens.argmax())",
            "More guesses always give more tokens a call; the speed decides.",
        ),
        mistake(
            "at least one guess",
            "best = int(speed[1:].argmax()) + 1 if len(speed) > 1 else 0",
            "No guess at all may be best: then 0.",
        ),
        mistake(
            "at least one guess, even where none can be made",
            "best = int(speed[1:].argmax()) + 1",
            "No guess at all may be best: then 0. Look among all speeds, the first one too.",
        ),
        mistake(
            "of equal ones the last",
            "best = len(speed) - 1 - int(speed[::-1].argmax())",
            "Of equal speeds the smallest number of guesses.",
        ),
        mistake(
            "the best speed instead of its number of guesses",
            "best = float(speed.max())",
            "The second value is k, the number of guesses that has the highest speed.",
        ),
        mistake(
            "speed without the row for no guess",
            "return speed[1:], best",
            "The first row is no guess at all: a speed of 1.",
        ),
    ),
    hints=(
        "np.cumprod(accepted) is the chance that the guesses up to each place all stay.",
        "With k guesses a call gives 1 + the sum of the first k of those chances.",
        "A call takes 1 + k * (draft + extra); argmax names the best k.",
    ),
)
