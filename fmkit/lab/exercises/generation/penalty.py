"""A repetition penalty for the tokens of a window, some of them free."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(v, n, penalty, window):
        logits = rng.permutation(np.r_[rng.uniform(0.5, 4, v - v // 2), rng.uniform(-4, -0.5, v // 2)])
        common = rng.integers(0, v, 5)  # so that tokens repeat
        ids = [int(i) for i in rng.choice(common, n)] + [int(i) for i in rng.integers(0, v, 3)] * 2
        return logits, ids, penalty, window, [ids[-1], int(rng.integers(v))]

    def penalty():
        return float(rng.uniform(1.2, 2.0))

    logits, _, _, _, _ = case(9, 4, 1, 1)
    logits[rng.integers(9)] = -np.inf
    empty = (logits, [], penalty(), 4, [])
    cases = [case(12, 15, penalty(), 5), case(10, 8, penalty(), 100), case(8, 6, 0.8, 4)]
    return [*cases, case(11, 9, penalty(), 0), empty, as_float32(case(14, 20, penalty(), 7))]


def penalise(logits, ids, penalty, window, free):
    recent = ids[max(0, len(ids) - window) :]
    seen = sorted(set(recent) - set(free))
    out = logits.copy()
    for token in seen:
        out[token] = out[token] / penalty if out[token] > 0 else out[token] * penalty
    return out


def with_a_mask(logits, ids, penalty, window, free):
    count = min(window, len(ids))
    seen = np.zeros(logits.shape, dtype=bool)
    seen[np.array(ids[len(ids) - count :], dtype=int)] = True
    seen[np.array(free, dtype=int)] = False
    smaller = np.where(logits > 0, logits / penalty, logits * penalty)
    return np.where(seen, smaller, logits)


def by_a_power(logits, ids, penalty, window, free):
    recent = ids[::-1][:window]
    powers = [np.sign(z) if i in recent and i not in free else 0 for i, z in enumerate(logits)]
    return logits * (penalty ** -np.array(powers)).astype(logits.dtype)


EXERCISE = Exercise(
    title="A repetition penalty with a window",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=penalise,
    alternatives=(with_a_mask, by_a_power),
    mistakes=(
        mistake(
            "a negative logit divided, too",
            "out[token] = out[token] / penalty",
            "Dividing -4 by 2 gives -2, which is larger: that rewards the repetition. What lowers it?",
        ),
        mistake(
            "the two cases swapped",
            "out[token] = out[token] * penalty if out[token] > 0 else out[token] / penalty",
            "Try a logit of 4 and a penalty of 2: the token should become less likely.",
        ),
        mistake(
            "once for each time that it occurs",
            "seen = [token for token in recent if token not in free]",
            "A token that occurs three times is penalised as often as one that occurs once.",
        ),
        mistake(
            "a window of 0 takes the whole text",
            "recent = ids[-window:]",
            "What does ids[-0:] give? -0 is 0: it is the whole text.",
        ),
        mistake("the window forgotten", "recent = ids", "Only the last `window` tokens of the text count."),
        mistake(
            "the window at the beginning of the text",
            "recent = ids[:window]",
            "The last tokens count, not the first.",
        ),
        mistake(
            "free tokens are penalised too",
            "seen = set(recent)",
            "Tokens in `free` keep their logits, however often they occur.",
        ),
        mistake(
            "subtracted", "out[token] -= penalty", "The penalty is a factor here: it divides or multiplies."
        ),
        mistake(
            "on the log-probabilities",
            "out = logits - np.log(np.exp(logits).sum())",
            "Work on the logits as they are: log-probabilities are all negative, so their signs say nothing.",
        ),
    ),
    hints=(
        "Find the set of tokens first: those of the last `window` places, less those in `free`.",
        "For window = 0 that set is empty; ids[len(ids) - window:] is safe when window <= len(ids).",
        "A positive logit is divided, a negative one multiplied: both go down.",
    ),
)
