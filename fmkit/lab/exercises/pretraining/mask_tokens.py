"""Hide tokens: of the chosen ones 80 % become [MASK], 10 % a random token, 10 % stay."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, V, rate):
        u, v = rng.random((B, T)), rng.integers(0, 20, (B, T)) / 20  # exactly 0.8 and 0.9 among them
        u.flat[:6], v.flat[:6] = 0.01, [0.0, 0.75, 0.8, 0.85, 0.9, 0.95]
        u.flat[1] = 0.85 * rate  # near the rate, and v alone says what becomes of it
        special = rng.random((B, T)) < 0.2
        special.flat[:6] = False
        special.flat[6:9], u.flat[6:9], v.flat[6:9] = True, 0.0, [0.1, 0.85, 0.95]
        special.flat[9:11], u.flat[9:11], v.flat[9:11] = False, [rate, 0.0], [0.1, 0.85]
        special.flat[11], u.flat[11], v.flat[11] = False, 0.99 if rate < 0.99 else 0.0, 0.85
        ids = rng.integers(1, V, (B, T))
        random_ids = (ids + rng.integers(1, V, (B, T))) % V
        random_ids.flat[10] = ids.flat[10]  # a random token may be the true one
        ids.flat[[0, 5]] = 0  # token 0, hidden and kept
        return ids, special, u, v, random_ids, V, rate

    ids, special, u, *rest = case(3, 5, 11, 0.2)
    none = ids, np.ones_like(special), u, *rest
    whole = case(1, 13, 9, 1.0)
    whole[2][whole[2] == 1.0] = 0.5  # u stays below 1
    for part, value in zip(whole[1:4], (False, 0.85, 0.1), strict=True):
        part[0, -1] = value  # chosen, and hidden: it is v that says so, not u
    no = np.array([[False, False, False]])
    example = np.array([[5, 6, 7]]), no, np.array([[0.1, 0.1, 0.9]]), np.array([[0.5, 0.95, 0.5]])
    pair = np.array([[4, 0]]), no[:, :2], np.array([[0.25, 0.125]]), np.array([[0.8, 0.9]])
    return [
        (*example, np.array([[1, 2, 3]]), 9, 0.5),
        case(4, 9, 20, 0.15),
        case(5, 7, 30, 0.4),
        none,
        case(2, 8, 12, 0.3),
        whole,
        (*pair, np.array([[2, 3]]), 8, 0.25),
    ]


def mask_tokens(ids, special, u, v, random_ids, mask_id, rate):
    chosen = (u < rate) & ~special
    hidden = chosen & (v < 0.8)
    swapped = chosen & (v >= 0.8) & (v < 0.9)
    inputs = np.where(hidden, mask_id, ids)
    inputs = np.where(swapped, random_ids, inputs)
    targets = np.where(chosen, ids, -100)
    return inputs, targets


def in_place(ids, special, u, v, random_ids, mask_id, rate):
    chosen = (u < rate) > special
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


SWAPPED_AFTER = "where v is 0.8, the random token is written over it"

EXERCISE = Exercise(
    title="Hide tokens, 80 / 10 / 10",
    points=2,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=mask_tokens,
    alternatives=(in_place, loop),
    equal=(
        ("hidden = chosen & (v <= 0.8)", SWAPPED_AFTER),
        ("hidden, swapped = (chosen & (v <= 0.8), chosen & (v >= 0.8) & (v < 0.9))", SWAPPED_AFTER),
    ),
    mistakes=(
        mistake(
            "targets everywhere",
            "targets = ids",
            "Most of these targets stand in the input, to be copied: that is the published mistake. -100 "
            "leaves a place out.",
        ),
        mistake(
            "targets only where the input was changed",
            "targets = np.where(inputs != ids, ids, -100)",
            "A chosen token that is kept is to be guessed like the others: the model must not know which "
            "these are.",
        ),
        mistake(
            "targets only where [MASK] or a random token stands",
            "targets = np.where(hidden | swapped, ids, -100)",
            "A chosen token that is kept is to be guessed like the others: the model must not know which "
            "these are.",
        ),
        mistake(
            "targets only where [MASK] stands",
            "targets = np.where(hidden, ids, -100)",
            "All chosen places are targets, also those with a random token and those that are kept.",
        ),
        mistake(
            "targets at the places that were not chosen",
            "targets = np.where(chosen, -100, ids)",
            "-100 leaves a place out: which places is the model to guess?",
        ),
        mistake(
            "special tokens chosen, too",
            "chosen = u < rate",
            "[CLS] and [SEP] are not to be guessed: what does special say?",
        ),
        mistake(
            "special tokens are targets, though they stay in the inputs",
            "targets = np.where(u < rate, ids, -100)",
            "A special place is not chosen at all: neither hidden nor guessed.",
        ),
        mistake(
            "special tokens are hidden, though they are no targets",
            ("hidden = (u < rate) & (v < 0.8)", "swapped = (u < rate) & (v >= 0.8) & (v < 0.9)"),
            "A special place is not chosen at all: neither hidden nor guessed.",
        ),
        mistake(
            "only special tokens chosen",
            "chosen = (u < rate) & special",
            "special is True where a place must *not* be chosen.",
        ),
        mistake(
            "chosen where u is rate or more",
            "chosen = (u >= rate) & ~special",
            "A share `rate` of the places is chosen: those with u below it.",
        ),
        mistake(
            "chosen also where u is exactly rate",
            "chosen = (u <= rate) & ~special",
            "Chosen is where u is *below* rate; with a rate of 0 that is nowhere.",
        ),
        mistake(
            "every chosen token becomes [MASK]",
            ("hidden = chosen", "swapped = chosen & False"),
            "v splits the chosen ones: below 0.8, from 0.8 to 0.9, and the rest.",
        ),
        mistake(
            "split by u instead of v",
            ("hidden = chosen & (u < 0.8)", "swapped = chosen & (u >= 0.8) & (u < 0.9)"),
            "u has chosen, and below the rate it is small: v, drawn anew, says what becomes of the chosen "
            "ones.",
        ),
        mistake(
            "[MASK] also where v is exactly 0.8",
            ("hidden = chosen & (v <= 0.8)", "swapped = chosen & (v > 0.8) & (v < 0.9)"),
            "Below 0.8 comes [MASK]; *from* 0.8 on the random token.",
        ),
        mistake(
            "nothing changes where v is exactly 0.8",
            "swapped = chosen & (v > 0.8) & (v < 0.9)",
            "Below 0.8 comes [MASK]; *from* 0.8 on the random token.",
        ),
        mistake(
            "a random token also where v is exactly 0.9",
            "swapped = chosen & (v >= 0.8) & (v <= 0.9)",
            "*Below* 0.9 comes the random token; from 0.9 on nothing changes.",
        ),
        mistake(
            "none is kept: 80 % [MASK], 20 % random",
            "swapped = chosen & (v >= 0.8)",
            "From v = 0.9 on the input stays as it is.",
        ),
        mistake(
            "none is swapped: 80 % [MASK], 20 % kept",
            "swapped = chosen & False",
            "From v = 0.8 to 0.9 a random token takes the place.",
        ),
        mistake(
            "swapped and kept exchanged",
            "swapped = chosen & (v >= 0.9)",
            "From 0.8 to 0.9 comes the random token; from 0.9 on nothing changes.",
        ),
        mistake(
            "10 % [MASK], 80 % random",
            ("hidden = chosen & (v < 0.1)", "swapped = chosen & (v >= 0.1) & (v < 0.9)"),
            "Which of the three is the usual case, and which are the exceptions?",
        ),
        mistake(
            "the shares counted from the other end of v",
            ("hidden = chosen & (v >= 0.2)", "swapped = chosen & (v < 0.1)"),
            "The shares are right, but v decides which place gets what: *below* 0.8 comes [MASK].",
        ),
        mistake(
            "random tokens at places that were not chosen",
            "swapped = (v >= 0.8) & (v < 0.9)",
            "v says what becomes of a *chosen* token; the others stay as they are.",
        ),
        mistake(
            "[MASK] and random tokens at places that were not chosen",
            ("hidden = v < 0.8", "swapped = (v >= 0.8) & (v < 0.9)"),
            "v says what becomes of a *chosen* token; the others stay as they are.",
        ),
        mistake(
            "the random tokens' step undoes the [MASK]s",
            "random_ids, inputs) -> random_ids, ids)",
            "The second step has to begin with what the first one made, not with ids.",
        ),
        mistake(
            "the random tokens written over the [MASK]s",
            "swapped = chosen & (v < 0.9)",
            "v < 0.9 is true below 0.8 as well: which places are still free?",
        ),
        mistake(
            "the targets are what the model is shown",
            "targets = np.where(chosen, inputs, -100)",
            "The target is the true token, which was there before it was hidden.",
        ),
        mistake(
            "0 where there is nothing to guess",
            "targets = np.where(chosen, ids, 0)",
            "0 is a token like any other: which target does cross_entropy leave out?",
        ),
        mistake(
            "-1 where there is nothing to guess",
            "targets = np.where(chosen, ids, -1)",
            "Which target does cross_entropy leave out?",
        ),
        mistake("always 15 %", "chosen = (u < 0.15) & ~special", "The share is an argument."),
        mistake(
            "the two in the other order",
            "return targets, inputs",
            "First what the model reads, then what it should say.",
        ),
    ),
    hints=(
        "First decide which places are chosen; u and special say it. v only says what becomes of them.",
        "The targets are the true ids at *all* chosen places, also at those that stay as they are.",
        "np.where(chosen & (v < 0.8), mask_id, ids), then the random ones for 0.8 <= v < 0.9.",
    ),
)
