"""Hide tokens: of the chosen ones 80 % become [MASK], 10 % a random token, 10 % stay."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, V, rate):
        u, v = rng.random((B, T)), rng.integers(0, 20, (B, T)) / 20  # exactly 0.8 and 0.9 among them
        u.flat[:6], v.flat[:6] = 0.01, [0.0, 0.75, 0.8, 0.85, 0.9, 0.95]
        special = rng.random((B, T)) < 0.2
        special.flat[:6] = False
        special.flat[6:9], u.flat[6:9], v.flat[6:9] = True, 0.0, [0.1, 0.85, 0.95]
        ids = rng.integers(0, V, (B, T))
        return ids, special, u, v, (ids + rng.integers(1, V, (B, T))) % V, V, rate

    ids, special, u, *rest = case(3, 5, 11, 0.2)
    none = ids, np.ones_like(special), u, *rest
    whole = case(1, 12, 9, 1.0)
    for part, value in zip(whole[1:4], (False, 0.85, 0.1), strict=True):
        part[0, -1] = value  # chosen, and hidden: it is v that says so, not u
    return [case(4, 9, 20, 0.15), case(5, 7, 30, 0.4), none, case(2, 8, 12, 0.3), whole]


def mask_tokens(ids, special, u, v, random_ids, mask_id, rate):
    chosen = (u < rate) & ~special
    inputs = np.where(chosen & (v < 0.8), mask_id, ids)
    inputs = np.where(chosen & (v >= 0.8) & (v < 0.9), random_ids, inputs)
    return inputs, np.where(chosen, ids, -100)


def in_place(ids, special, u, v, random_ids, mask_id, rate):
    chosen = np.logical_and(u < rate, np.logical_not(special))
    targets = np.full_like(ids, -100)
    targets[chosen] = ids[chosen]
    inputs = ids.copy()
    hidden, swapped = chosen & (v < 0.8), chosen & (v >= 0.8) & (v < 0.9)
    inputs[hidden] = mask_id
    inputs[swapped] = random_ids[swapped]
    return inputs, targets


def loop(ids, special, u, v, random_ids, mask_id, rate):
    inputs, targets = ids.copy(), np.full_like(ids, -100)
    for place in np.ndindex(ids.shape):
        if u[place] >= rate or special[place]:
            continue
        targets[place] = ids[place]
        if v[place] < 0.8:
            inputs[place] = mask_id
        elif v[place] < 0.9:
            inputs[place] = random_ids[place]
    return inputs, targets


EXERCISE = Exercise(
    title="Hide tokens, 80 / 10 / 10",
    points=2,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=mask_tokens,
    alternatives=(in_place, loop),
    mistakes=(
        mistake(
            "targets everywhere",
            "return inputs, ids",
            "Most of these targets stand in the input, to be copied: that is the published mistake. -100 "
            "leaves a place out.",
        ),
        mistake(
            "targets only where the input was changed",
            "return inputs, np.where(inputs != ids, ids, -100)",
            "A chosen token that is kept is to be guessed like the others: the model must not know which "
            "these are.",
        ),
        mistake(
            "targets only where [MASK] stands",
            "return inputs, np.where(inputs == mask_id, ids, -100)",
            "All chosen places are targets, also those with a random token and those that are kept.",
        ),
        mistake(
            "special tokens chosen, too",
            "chosen = u < rate",
            "[CLS] and [SEP] are not to be guessed: what does special say?",
        ),
        mistake(
            "every chosen token becomes [MASK]",
            "return np.where(chosen, mask_id, ids), np.where(chosen, ids, -100)",
            "v splits the chosen ones: below 0.8, from 0.8 to 0.9, and the rest.",
        ),
        mistake(
            "split by u instead of v",
            ("(v < 0.8) -> (u < 0.8)", "(v >= 0.8) & (v < 0.9) -> (u >= 0.8) & (u < 0.9)"),
            "u has chosen, and below the rate it is small: v, drawn anew, says what becomes of the chosen "
            "ones.",
        ),
        mistake(
            "none is kept: 80 % [MASK], 20 % random",
            "(v >= 0.8) & (v < 0.9) -> (v >= 0.8)",
            "From v = 0.9 on the input stays as it is.",
        ),
        mistake(
            "none is swapped: 80 % [MASK], 20 % kept",
            "inputs = np.where(chosen & (v >= 0.8) & (v < 0.9), random_ids, inputs) ->",
            "From v = 0.8 to 0.9 a random token takes the place.",
        ),
        mistake(
            "10 % [MASK], 80 % random",
            ("v < 0.8 -> v < 0.1", "v >= 0.8 -> v >= 0.1"),
            "Which of the three is the usual case, and which are the exceptions?",
        ),
        mistake(
            "random tokens at places that were not chosen",
            "chosen & (v >= 0.8) & (v < 0.9) -> (v >= 0.8) & (v < 0.9)",
            "v says what becomes of a *chosen* token; the others stay as they are.",
        ),
        mistake(
            "the targets are what the model is shown",
            "return inputs, np.where(chosen, inputs, -100)",
            "The target is the true token, which was there before it was hidden.",
        ),
        mistake(
            "0 where there is nothing to guess",
            "return inputs, np.where(chosen, ids, 0)",
            "0 is a token like any other: which target does cross_entropy leave out?",
        ),
        mistake("always 15 %", "chosen = (u < 0.15) & ~special", "The share is an argument."),
    ),
    hints=(
        "First decide which places are chosen; u and special say it. v only says what becomes of them.",
        "The targets are the true ids at *all* chosen places, also at those that stay as they are.",
        "np.where(chosen & (v < 0.8), mask_id, ids), then the random ones for 0.8 <= v < 0.9.",
    ),
)
