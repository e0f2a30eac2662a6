"""A repetition penalty for the tokens of a window, some of them free."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(v, n, penalty, window):
        logits = rng.permutation(np.r_[rng.uniform(0.2, 4, v - v // 2), rng.uniform(-4, -0.2, v // 2)])
        common = rng.integers(0, v, 5)  # so that tokens repeat
        ids = [int(i) for i in rng.choice(common, n)] + [int(i) for i in rng.integers(0, v, 3)] * 2
        return logits, ids, penalty, window, [ids[-1], int(rng.integers(v))]

    def once(window, free=()):
        """Every token of the text another one: which places count, is seen."""
        logits = rng.permutation([0.6, 1.7, -0.8, 2.9, -2.2, 3.5])
        ids = [int(i) for i in rng.permutation(6)[:5]]
        return logits, ids, penalty(), window, [ids[k] for k in free]

    def penalty():
        return float(rng.uniform(1.2, 2.0))

    logits = np.array([4.0, -2.0, 1.0])
    example = (logits, [2, 0, 1, 0], 2.0, 3, [])
    ruled_out = case(9, 4, penalty(), 6)
    ruled_out[0][ruled_out[1][-2]] = -np.inf
    zero = (rng.permutation([-1.5, 2.5, 0.5, -0.5]), [0, 3, 0], penalty(), 2, [1])  # token 0 is a token, too
    far = (np.array([1000.0, -1000.0, 2.0, 999.0]), [1, 3, 0], penalty(), 3, [0])
    return [
        example,
        (logits.copy(), [2, 0, 1, 0], 2.0, 3, [1]),
        once(2),
        once(1),
        once(0),
        once(4, free=[2, 4]),
        once(5),
        once(6),
        once(7, free=[1]),
        once(2, free=[4]),
        once(3, free=[4]),
        zero,
        (logits.copy(), [], penalty(), 4, [1]),
        (logits.copy(), [], penalty(), 0, []),
        case(12, 15, penalty(), 5),
        case(10, 8, penalty(), 100),
        case(8, 6, 0.8, 4),
        case(11, 9, penalty(), 0),
        ruled_out,
        far,
        as_float32(case(14, 20, penalty(), 7)),
    ]


def penalise(logits, ids, penalty, window, free):
    recent = ids[max(0, len(ids) - window) :]
    seen = set(recent) - set(free)
    out = logits.copy()
    for token in seen:
        out[token] = out[token] / penalty if out[token] > 0 else out[token] * penalty
    return out


def with_a_mask(logits, ids, penalty, window, free):
    count = min(window, len(ids))
    tokens = np.arange(len(logits))
    seen = np.isin(tokens, ids[len(ids) - count :]) & ~np.isin(tokens, free)
    smaller = np.where(logits > 0, logits / penalty, logits * penalty)
    return np.where(seen, smaller, logits)


def by_a_power(logits, ids, penalty, window, free):
    recent = ids[::-1][:window]
    powers = [np.sign(z) if i in recent and i not in free else 0 for i, z in enumerate(logits)]
    return logits * (penalty ** -np.array(powers, dtype=float)).astype(logits.dtype)


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
            "out[token] / penalty if out[token] > 0 else out[token] * penalty -> out[token] / penalty",
            "Dividing -4 by 2 gives -2, which is larger: that rewards the repetition. What lowers it?",
        ),
        mistake(
            "a positive logit multiplied, too",
            "out[token] / penalty if out[token] > 0 else out[token] * penalty -> out[token] * penalty",
            "Multiplying 4 by 2 gives 8: that rewards the repetition. What lowers a positive logit?",
        ),
        mistake(
            "the two cases swapped",
            "out[token] / penalty if out[token] > 0 else out[token] * penalty -> "
            "out[token] * penalty if out[token] > 0 else out[token] / penalty",
            "Try a logit of 4 and a penalty of 2: the token should become less likely.",
        ),
        mistake(
            "the token's number tested, not its logit",
            "if out[token] > 0 -> if token > 0",
            "It is the sign of the logit that decides between dividing and multiplying.",
        ),
        mistake(
            "once for each time that it occurs",
            "set(recent) - set(free) -> [token for token in recent if token not in free]",
            "A token that occurs three times is penalised as often as one that occurs once.",
        ),
        mistake(
            "only what occurs twice or more",
            "set(recent) - set(free) -> {token for token in recent if recent.count(token) > 1} - set(free)",
            "One place in the window is enough: the next one would be the repetition.",
        ),
        mistake(
            "a window of 0 takes the whole text",
            "ids[max(0, len(ids) - window) :] -> ids[-window:]",
            "What does ids[-0:] give? -0 is 0: it is the whole text.",
        ),
        mistake(
            "a window of 0 taken as 1",
            "ids[max(0, len(ids) - window) :] -> ids[-max(window, 1) :]",
            "With a window of 0 no token is penalised, not even the last one.",
        ),
        mistake(
            "a window larger than the text loses its beginning",
            "max(0, len(ids) - window) -> len(ids) - window",
            "For a text of 3 and a window of 4, where does the slice begin? -1 is the last place.",
        ),
        mistake(
            "a text shorter than the window goes free",
            "ids[max(0, len(ids) - window) :] -> ids[len(ids) - window :] if window <= len(ids) else []",
            "A window larger than the text holds all of it.",
        ),
        mistake(
            "the window forgotten",
            "ids[max(0, len(ids) - window) :] -> ids",
            "Only the last `window` tokens of the text count.",
        ),
        mistake(
            "the window at the beginning of the text",
            "ids[max(0, len(ids) - window) :] -> ids[:window]",
            "The last tokens count, not the first.",
        ),
        mistake(
            "one token too many in the window",
            "len(ids) - window -> len(ids) - window - 1",
            "For a window of 1 only the newest token counts: how many do you look at?",
        ),
        mistake(
            "one token too few in the window",
            "max(0, len(ids) - window) -> max(0, len(ids) - window + 1)",
            "For a window of 1 the newest token counts: how many do you look at?",
        ),
        mistake(
            "the newest token does not count",
            "- window) :] -> - window) : -1]",
            "The last token of the text belongs to the window.",
        ),
        mistake(
            "only the newest token counts",
            "ids[max(0, len(ids) - window) :] -> ids[-1:] if window else []",
            "The last `window` tokens count, not the last one alone.",
        ),
        mistake(
            "the window ends before the newest token",
            "ids[max(0, len(ids) - window) :] -> ids[max(0, len(ids) - 1 - window) : -1]",
            "The window is the text's last tokens, the newest among them.",
        ),
        mistake(
            "the window counts different tokens, not places",
            "ids[max(0, len(ids) - window) :] -> list(dict.fromkeys(ids[::-1]))[:window]",
            "Cut the window first, then take each token of it once.",
        ),
        mistake(
            "the window of the sorted tokens",
            "ids[max(0, len(ids) - window) :] -> sorted(set(ids))[max(0, len(set(ids)) - window) :]",
            "The window is one of the text: cut it first, then take each token of it once.",
        ),
        mistake(
            "outside the window instead of inside",
            "set(recent) - set(free) -> set(ids) - set(recent) - set(free)",
            "The tokens of the window are penalised, those before it are not.",
        ),
        mistake(
            "free tokens are penalised too",
            "set(recent) - set(free) -> set(recent)",
            "Tokens in `free` keep their logits, however often they occur.",
        ),
        mistake(
            "only the free tokens are penalised",
            "set(recent) - set(free) -> set(recent) & set(free)",
            "Tokens in `free` are never penalised, the others of the window are.",
        ),
        mistake(
            "free tokens are added, not taken out",
            "set(recent) - set(free) -> set(recent) | set(free)",
            "Tokens in `free` keep their logits, however often they occur.",
        ),
        mistake(
            "free tokens taken out before the window",
            "ids[max(0, len(ids) - window) :] -> [token for token in ids if token not in free]\n"
            "recent = recent[max(0, len(recent) - window) :]",
            "A free token takes up its place in the window: cut the window first.",
        ),
        mistake(
            "free taken as places of the text",
            (
                "ids[max(0, len(ids) - window) :] -> "
                "[ids[k] for k in range(max(0, len(ids) - window), len(ids)) if k not in free]",
                "set(recent) - set(free) -> set(recent)",
            ),
            "`free` holds tokens, not places in `ids`.",
        ),
        mistake(
            "subtracted",
            "out[token] = out[token] / penalty if out[token] > 0 else out[token] * penalty -> "
            "out[token] -= penalty",
            "The penalty is a factor here: it divides or multiplies.",
        ),
        mistake(
            "the penalty's logarithm subtracted",
            "out[token] = out[token] / penalty if out[token] > 0 else out[token] * penalty -> "
            "out[token] -= np.log(penalty)",
            "The penalty is a factor of the logit here: it divides or multiplies.",
        ),
        mistake(
            "on the log-probabilities",
            "out = logits.copy() -> top = logits.max()\n"
            "out = logits - top - np.log(np.exp(logits - top).sum())",
            "Work on the logits as they are: log-probabilities are all negative, so their signs say nothing.",
        ),
        mistake(
            "every token of the vocabulary",
            "set(recent) - set(free) -> set(range(len(logits))) - set(free)",
            "Only tokens that occur in the window are penalised.",
        ),
    ),
    equal=(
        ("recent = ids[max(len(ids) - window, 0):]", "the larger of two, either way"),
        (
            "out[token] = out[token] / penalty if out[token] >= 0 else out[token] * penalty",
            "0 stays 0, divided or multiplied",
        ),
        ("count = min(len(ids), window)", "the smaller of two, either way"),
        (
            "smaller = np.where(logits >= 0, logits / penalty, logits * penalty)",
            "0 stays 0, divided or multiplied",
        ),
    ),
    hints=(
        "Find the set of tokens first: those of the last `window` places, less those in `free`.",
        "For window = 0 that set is empty; ids[len(ids) - window:] is right when window <= len(ids).",
        "A positive logit is divided, a negative one multiplied: both go down.",
    ),
)
