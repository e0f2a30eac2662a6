"""When to stop: early stopping with patience, on a list of validation losses."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, patience, delta, wobble):
        curve = np.exp(-0.4 * np.arange(n)) + 0.04 * np.maximum(np.arange(n) - n // 2, 0)
        return [float(v) for v in curve + wobble * rng.uniform(-1, 1, n)], patience, delta

    def walk(steps, patience, delta):  # by hand, for one mistake each, with a random start
        return [float(v) for v in rng.uniform(1, 3) + np.array(steps)], patience, delta

    creeping = walk([1.0, 0.96, 0.92, 0.88, 0.84, 0.80, 0.7, 0.68, 0.66], 3, 0.1)
    slow = walk([0.5, 0.46, 0.42, 0.45, 0.44, 0.43, 0.2, 0.1], 2, 0.05)
    teeth = walk([1, 0.8, 0.9, 0.85, 0.7, 0.8, 0.75, 0.6, 0.7, 0.65, 0.5, 0.55, 0.53, 0.52, 0.1], 3, 0.01)
    nan = walk([0.9, 0.7, np.nan, 0.5, np.nan, np.nan, np.nan, 0.3], 3, 0.02)
    nan_again = walk([0.9, 0.7, np.nan, 0.5, 0.6, np.nan, 0.65, 0.8], 3, 0.02)
    tie = ([0.75, 0.5, 0.625, 0.625, 0.0, 0.5, 0.5], 2, 0.25)  # exact in binary
    rising = walk([0.3, 0.4, 0.5, 0.6, 0.1], 1, 0.0)
    short = walk([0.5, 0.3], 4, 0.03)
    waves = case(30, 2, 0.02, 0.1)
    return [case(20, 4, 0.015, 0.05), waves, creeping, slow, teeth, nan, nan_again, tie, rising, short]


def stop_early(losses, patience, min_delta):
    best, lowest, bad = 0, np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < lowest - min_delta:  # False for NaN, too
            best, lowest, bad = epoch, loss, 0
        else:
            bad += 1
        if bad == patience:
            break
    return best, epoch + 1


def distance(losses, patience, min_delta):
    best = 0
    for epoch in range(1, len(losses)):
        if losses[best] - losses[epoch] > min_delta:
            best = epoch
        elif epoch - best >= patience:
            return best, epoch + 1
    return best, len(losses)


def look_ahead(losses, patience, min_delta):
    best, n = 0, len(losses)
    while True:
        window = range(best + 1, min(best + patience, n - 1) + 1)
        better = [e for e in window if losses[e] < losses[best] - min_delta]
        if not better:
            return best, min(best + patience + 1, n)
        best = better[0]


EXERCISE = Exercise(
    title="When to stop",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=stop_early,
    alternatives=(distance, look_ahead),
    mistakes=(
        mistake(
            "the last epoch instead of the best",
            "return epoch, epoch + 1",
            "When patience runs out, the last epochs were all bad ones: whose weights do you want?",
        ),
        mistake(
            "the best of all epochs, also of those never run",
            "return int(np.nanargmin(losses)), epoch + 1",
            "Who stopped after epoch 6 cannot know the loss of epoch 9.",
        ),
        mistake(
            "patience never refilled",
            "best, lowest, bad = epoch, loss, 0 -> best, lowest = epoch, loss",
            "Patience is about bad epochs in a row: a good one fills it up again.",
        ),
        mistake(
            "min_delta ignored",
            "loss < lowest - min_delta -> loss < lowest",
            "A gain of less than min_delta may be noise: it does not count.",
        ),
        mistake(
            "epoch 0 counts as a bad one",
            "np.inf -> losses[0]",
            "At first nothing was better yet: with lowest = inf epoch 0 is the best so far.",
        ),
        mistake(
            "epoch 0 counts as a bad one, and min_delta ignored",
            ("np.inf -> losses[0]", "loss < lowest - min_delta -> loss < lowest"),
            "With lowest = inf at first, epoch 0 is best so far; and a gain of less than min_delta does not "
            "count.",
        ),
        mistake(
            "min_delta on the wrong side",
            "lowest - min_delta -> lowest + min_delta",
            "The loss must fall below the best by more than min_delta, not rise by less.",
        ),
        mistake(
            "min_delta as a share of the loss",
            "loss < lowest - min_delta -> epoch == 0 or (lowest - loss) / lowest > min_delta",
            "min_delta is in nats, like the loss, not a share of it.",
        ),
        mistake(
            "a tie counts as better",
            "loss < lowest -> loss <= lowest",
            "More than min_delta is wanted: is it > or >=?",
        ),
        mistake(
            "small gains move the bar",
            "bad += 1\nlowest = min(lowest, loss)",
            "Many small gains may add up to a real one: keep the bar at the best that counted.",
        ),
        mistake(
            "compared with the epoch before",
            "bad += 1\nlowest = loss",
            "After a bad epoch the next may be better than that one, and still worse than the best.",
        ),
        mistake(
            "one epoch too late",
            "bad == patience -> bad > patience",
            "With a patience of 2 the second bad epoch in a row is the last.",
        ),
        mistake(
            "one epoch too early",
            "bad == patience -> bad == max(patience - 1, 1)",
            "With a patience of 2 one bad epoch is forgiven, and the second ends it.",
        ),
        mistake(
            "higher is better",
            ("np.inf -> -np.inf", "loss < lowest - min_delta -> loss > lowest + min_delta"),
            "These are losses: lower is better.",
        ),
        mistake(
            "NaN counts as better",
            "loss < lowest -> not loss >= lowest",
            "Every comparison with NaN is False: ask for what is better, not for what is not worse.",
        ),
        mistake(
            "NaN passed over",
            "if loss < lowest -> if np.isnan(loss):\n    continue\nif loss < lowest",
            "An epoch with a NaN was not better: it uses up patience like any other.",
        ),
        mistake(
            "the epoch before the patience ran out",
            "return epoch - bad + 1, epoch + 1",
            "The first bad epoch is not the best: the one before it is.",
        ),
        mistake(
            "epochs run counted from 0",
            "return best, epoch",
            "If epoch 0 and epoch 1 were run, two were run.",
        ),
    ),
    hints=(
        "Keep three things as you go: the best epoch, its loss, and how many bad epochs came since.",
        "An epoch is better if loss < lowest - min_delta. With lowest = inf at first, epoch 0 always is.",
        "After each epoch: if the bad ones in a row have reached patience, break.",
    ),
)
