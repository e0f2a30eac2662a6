"""Spot the bug: the mean surprise over the masked positions."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.losses._inputs import EPSILONS, far_rows, hopeless, sure_and_right
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, v, size=1.5):
        masked = rng.uniform(size=(b, t)) < 0.4
        masked[0, :3], masked[-1, 1:] = (True, True, False), False  # a row with two or more, one with few
        masked[-1, 0] = True
        return size * rng.normal(size=(b, t, v)), rng.integers(0, v, (b, t)), masked

    def in_batch(logits, ids, masked):
        """Rows of logits as a batch of one text, or of several, by the form of the mask."""
        masked = np.array(masked)
        return logits.reshape(*masked.shape, -1), ids.reshape(masked.shape), masked

    line = in_batch(rng.normal(size=(3, 2)), np.array([1, 0, 0]), [[True, False, True]])
    small = in_batch(rng.normal(size=(4, 2)), np.array([1, 0, 0, 1]), [[True, False], [True, True]])
    none = in_batch(rng.normal(size=(3, 2)), np.array([1, 0, 1]), [[False, False, False]])
    high = in_batch(rng.normal(size=(2, 3)) + 1000.0, np.array([2, 0]), [[True, False]])
    low = in_batch(rng.normal(size=(2, 3)) - 1000.0, np.array([0, 1]), [[True], [False]])
    apart = in_batch(far_rows(rng, 3, 2), np.array([1, 0, 1]), [[True, True, False]])
    sure = in_batch(*hopeless(rng, 3, 2), [[True, True, False]])
    right = in_batch(*sure_and_right(rng, 2, 3), [[True, False]])
    far = in_batch(
        *hopeless(rng, 10, 4), [[True, False, True, True, False], [False, True, False, True, False]]
    )
    nothing = case(3, 4, 6)
    nothing[2][:] = False
    whole = case(4, 3, 5)  # a row that is hidden, and one that is not
    whole[2][1], whole[2][2] = True, False
    cases = [line, small, none, high, low, apart, sure, right]
    return [*cases, case(3, 6, 5), far, nothing, whole, case(4, 5, 3), as_float32(case(2, 7, 4))]


def masked_lm_loss(logits, ids, masked):
    if not masked.any():
        return 0.0
    z, y = logits[masked], ids[masked]
    z = z - z.max(1, keepdims=True)
    losses = np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]
    return float(losses.mean())


def with_weights(logits, ids, masked):
    z = logits - logits.max(-1, keepdims=True)
    losses = np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, ids[..., None], -1)[..., 0]  # (B, T)
    return float((losses * masked).sum() / max(int(masked.sum()), 1))


def loop(logits, ids, masked):
    total, count = 0.0, 0
    for b, t in zip(*np.nonzero(masked), strict=True):
        row = logits[b, t].tolist()
        top = max(row)
        total += top + math.log(sum(math.exp(z - top) for z in row)) - row[ids[b, t]]
        count += 1
    return total / count if count else 0.0


ALL_POSITIONS = "z, y = logits.reshape(-1, logits.shape[-1]), ids.ravel()"


def an_epsilon_of(eps):
    return mistake(
        f"an epsilon of {eps} in the log",
        (
            "z = z - z.max(1, keepdims=True)\np = np.exp(z) / np.exp(z).sum(1, keepdims=True)",
            f"losses = -np.log(p[np.arange(len(y)), y] + {eps})",
        ),
        "An epsilon is a ceiling: beyond it, being more wrong costs nothing. From logits none is needed.",
    )


EXERCISE = Exercise(
    title="Spot the bug: the loss of a masked language model",
    points=3,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    equal=(
        ("z = z - z.max(-1, keepdims=True)", "of two axes 1 is the last"),
        ("losses = np.log(np.exp(z).sum(-1)) - z[np.arange(len(y)), y]", "of two axes 1 is the last"),
        (
            "losses = np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, ids[..., None], -1)[..., -1]",
            "there is one",
        ),
        (
            "return float((losses * masked).sum() / max(1, int(masked.sum())))",
            "the larger of two is the same in any order",
        ),
    ),
    reference=masked_lm_loss,
    alternatives=(with_weights, loop),
    mistakes=(
        mistake(
            "averaged over all positions, seen ones too",
            ALL_POSITIONS,
            "Where the token is not hidden the model can read it off: what does its score there tell?",
        ),
        mistake(
            "scored the positions that it can see",
            "z, y = logits[~masked], ids[~masked]",
            "`masked` is True where a token is hidden: those count.",
        ),
        mistake(
            "the sum over all positions, divided by the masked ones",
            (ALL_POSITIONS, "losses.mean() -> losses.sum() / masked.sum()"),
            "The right divisor; but what is added up above it must be the same positions.",
        ),
        mistake(
            "token 0 for the positions that it can see",
            ("z, y = logits.reshape(-1, logits.shape[-1]), np.where(masked, ids, 0).ravel()"),
            "Token 0 is a token like the others: the positions that can be seen are still scored.",
        ),
        mistake(
            "zeros for the logits that can be seen, and all positions added up",
            (
                "z, y = (logits * masked[..., None]).reshape(-1, logits.shape[-1]), ids.ravel()",
                "losses.mean() -> losses.sum() / masked.sum()",
            ),
            "Logits of 0 still cost log V each: leave those positions out of the sum.",
        ),
        mistake(
            "zeros for the logits that can be seen, and the mean of all",
            "z, y = (logits * masked[..., None]).reshape(-1, logits.shape[-1]), ids.ravel()",
            "Logits of 0 still cost log V each: leave those positions out of the mean.",
        ),
        mistake(
            "the first mask of each row only",
            "z, y = logits[masked & (masked.cumsum(1) == 1)], ids[masked & (masked.cumsum(1) == 1)]",
            "Rows have different numbers of masks, and all of them count.",
        ),
        mistake(
            "the first row only",
            "z, y = logits[0][masked[0]], ids[0][masked[0]]",
            "All rows of the batch count, together.",
        ),
        mistake(
            "the mean of the rows' means",
            (
                "z, y = logits[masked], ids[masked]\nrows = np.nonzero(masked)[0]",
                "return float(losses.mean()) -> "
                "losses = np.array([losses[rows == row].mean() for row in np.unique(rows)])\n"
                "return float(losses.mean())",
            ),
            "A row with one mask would count as much as a row with ten: pool all masked positions.",
        ),
        mistake(
            "the mean of the rows' means, a row without masks counting as 0",
            (
                "z, y = logits[masked], ids[masked]\nrows = np.nonzero(masked)[0]",
                "return float(losses.mean()) -> "
                "losses = np.array([losses[rows == row].mean() for row in np.unique(rows)])\n"
                "return float(losses.sum() / len(masked))",
            ),
            "A row with one mask would count as much as a row with ten: pool all masked positions.",
        ),
        mistake(
            "the mean of the columns' means",
            (
                "z, y = logits[masked], ids[masked]\nplaces = np.nonzero(masked)[1]",
                "return float(losses.mean()) -> "
                "losses = np.array([losses[places == t].mean() for t in np.unique(places)])\n"
                "return float(losses.mean())",
            ),
            "A place with one mask would count as much as one with ten: pool all masked positions.",
        ),
        mistake(
            "divided by all positions",
            "losses.mean() -> losses.sum() / masked.size",
            "By how many numbers must a sum over the masked positions be divided to be their mean?",
        ),
        mistake(
            "divided by the number of rows",
            "losses.mean() -> losses.sum() / len(masked)",
            "By how many numbers must a sum over the masked positions be divided to be their mean?",
        ),
        mistake(
            "divided by the length of a row",
            "losses.mean() -> losses.sum() / masked.shape[1]",
            "By how many numbers must a sum over the masked positions be divided to be their mean?",
        ),
        mistake(
            "the sum instead of the mean",
            "losses.mean() -> losses.sum()",
            "Twice as many masks must not double the loss.",
        ),
        mistake(
            "the log-probability without its minus",
            "float(losses -> float(-losses",
            "A log-probability is negative; a surprise is positive.",
        ),
        mistake(
            "the logarithm of the mean probability",
            "losses.mean() -> -(np.logaddexp.reduce(-losses) - math.log(len(losses)))",
            "First the logarithm of each, then the mean: the two may not change places.",
        ),
        mistake(
            "the surprise at the model's own guess",
            "z[np.arange(len(y)), y] -> z.max(1)",
            "How surprised is the model at the true token? `ids` names it.",
        ),
        mistake(
            "the logit without its log-sum-exp",
            (
                "z = z - z.max(1, keepdims=True) ->",
                "losses = -z[np.arange(len(y)), y]",
            ),
            "A logit alone is no log-probability: what makes the V probabilities sum to 1?",
        ),
        mistake(
            "the next token instead of the hidden one",
            "ids[masked] -> np.roll(ids, -1, 1)[masked]",
            "A masked model guesses the hidden token itself: `ids` names it at its own place.",
        ),
        mistake(
            "softmax over the positions instead of the tokens",
            (
                "z, y = logits[masked], ids[masked]\nrow, top = np.nonzero(masked)[0], logits.max(1)",
                "losses = (top + np.log(np.exp(logits - top[:, None]).sum(1)))[row, y] "
                "- logits[masked][np.arange(len(y)), y]",
            ),
            "At each position the probabilities of the V tokens sum to 1: the last axis.",
        ),
        mistake(
            "softmax over the masked positions instead of the tokens",
            ("z = z - z.max(0)", "losses = np.log(np.exp(z).sum(0))[y] - z[np.arange(len(y)), y]"),
            "At each position the probabilities of the V tokens sum to 1: the last axis.",
        ),
        mistake(
            "log of a probability that was rounded to 0",
            "losses = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True))[np.arange(len(y)), y]",
            "softmax can round to exactly 0: take log-sum-exp minus logit, and no log of a probability.",
        ),
        mistake(
            "log of a probability that was rounded to 0, times the mask",
            (
                ALL_POSITIONS,
                "losses = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True))[np.arange(len(y)), y]",
                "losses.mean() -> (losses * masked.ravel()).sum() / masked.sum()",
            ),
            "softmax can round to exactly 0: take log-sum-exp minus logit, and no log of a probability.",
        ),
        mistake(
            "no shift: exp overflows",
            "z = z - z.max(1, keepdims=True) ->",
            "exp(1000) is too large for any float: take each position's largest logit off first.",
        ),
        mistake(
            "no shift, and the log of a probability",
            (
                "z = z - z.max(1, keepdims=True) -> p = np.exp(z) / np.exp(z).sum(1, keepdims=True)",
                "losses = -np.log(p[np.arange(len(y)), y])",
            ),
            "exp(1000) is too large for any float: take each position's largest logit off first.",
        ),
        mistake(
            "no shift, times the mask: exp overflows",
            (
                "z, y = logits.reshape(-1, logits.shape[-1]), ids.ravel()",
                "z = z - z.max(1, keepdims=True) ->",
                "losses.mean() -> (losses * masked.ravel()).sum() / masked.sum()",
            ),
            "exp(1000) is too large for any float: take each position's largest logit off first.",
        ),
        mistake(
            "one shift for all the positions",
            "z = z - z.max()",
            "Positions may be a thousand apart: each needs its own largest logit taken off.",
        ),
        mistake(
            "one shift for all the positions, and the log of a probability",
            (
                "z = z - z.max()\np = np.exp(z) / np.exp(z).sum(1, keepdims=True)",
                "losses = -np.log(p[np.arange(len(y)), y])",
            ),
            "Positions may be a thousand apart: each needs its own largest logit taken off.",
        ),
        mistake(
            "took off the position's mean, not its largest logit",
            "z = z - z.mean(1, keepdims=True)",
            "With the mean taken off, the largest can still be far above 0: what does exp make of 1000?",
        ),
        *map(an_epsilon_of, EPSILONS),
    ),
    hints=(
        "logits[masked] and ids[masked] pick what was hidden: (M, V) and (M,).",
        "On these it is an ordinary cross-entropy: log-sum-exp minus the right logit, and the mean.",
    ),
)
