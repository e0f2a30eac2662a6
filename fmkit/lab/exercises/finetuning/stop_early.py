"""When to stop: early stopping with patience, on a list of validation losses."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    # all losses are eighths, exact in binary: however the difference is written, it comes out the same
    def case(n, patience, delta, wobble):
        curve = 8 * np.exp(-0.4 * np.arange(n)) + 0.3 * np.maximum(np.arange(n) - n // 2, 0)
        return list((1 + np.round(8 * (curve + wobble * rng.random(n))) / 8).tolist()), patience, delta

    def walk(eighths, patience, delta):  # by hand, for one mistake each, with a random start
        return (int(rng.integers(4, 17)) / 8 + np.array(eighths) / 8).tolist(), patience, delta

    nan = np.nan
    return [
        ([0.9, 0.5, 0.6, 0.7, 0.1], 2, 0.0),
        walk([8, 7, 6, 5, 4, 3, 2, 1], 3, 0.25),  # creeps down
        walk([9, 8, 7, 6, 8, 6, 1], 4, 0.25),
        walk([9, 8, 9, 8, 7, 9, 2], 3, 0.125),  # a tie with the bar
        walk([9, 6, 8, 7, 5, 8, 7, 4, 6, 5, 1], 3, 0.125),  # good ones between the bad ones
        walk([9, 6, 7, 8, 9, 5], 2, 0.5),
        walk([3, 4, 5, 6, 0], 1, 0.0),  # only rises
        walk([9, 9, 9, 9], 3, 0.0),
        walk([9, 7, 8, nan, 2, 4, nan, 5, 6], 3, 0.25),
        walk([9, nan, nan, 3, 2], 2, 0.0),
        walk([9, 7, nan, 5, 4, nan, 6, 1], 3, 0.125),
        walk([9, 5, nan, 7, 8, 6], 3, 0.0),
        walk([9, 5, nan], 2, 0.125),
        ([1.5, 0.75, 0.3125, 0.375, 0.5], 2, 0.5),  # 0.3125 is lower by more than half, but by less than 0.5
        walk([9, 8, 6], 4, 0.125),  # the list ends first
        walk([9, 4, 8], 5, 0.125),
        walk([5], 1, 0.0),
        walk([16, 14, 11, 10, 8, 5, 6, 7, 8], 3, 0.125),
        case(20, 4, 0.125, 0.5),
        case(30, 2, 0.25, 1.5),
    ]


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
            "loss < lowest - min_delta -> loss < lowest * (1 - min_delta)",
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
            "bad == patience -> bad >= patience - 1",
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
            "the training ends at a NaN",
            "if loss < lowest -> if np.isnan(loss):\n    break\nif loss < lowest",
            "An epoch with a NaN was not better: it uses up patience like any other, no more.",
        ),
        mistake(
            "best epoch counted from 1",
            "return best, -> return best + 1,",
            "Epochs are numbered from 0.",
        ),
        mistake(
            "the best loss, not its epoch",
            "return best, -> return lowest,",
            "The number of the best epoch is wanted.",
        ),
        mistake(
            "the lowest of the epochs run, whatever min_delta says",
            "return best, -> return int(np.nanargmin(losses[: epoch + 1])),",
            "The best epoch is the last that was better by more than min_delta.",
        ),
        mistake(
            "any change counts, also upwards",
            "loss < lowest - min_delta -> abs(lowest - loss) > min_delta",
            "A loss that rises by more than min_delta is no progress.",
        ),
        mistake(
            "a good epoch takes one bad one off",
            "best, lowest, bad = epoch, loss, 0 -> best, lowest, bad = epoch, loss, max(bad - 1, 0)",
            "Patience is about bad epochs in a row: a good one fills it up again altogether.",
        ),
        mistake(
            "patience looked at only when the next epoch begins",
            (
                "if bad == patience:\n            break ->",
                "if loss < lowest -> if bad == patience:\n    break\nif loss < lowest",
            ),
            "The epoch in which you notice was not to be run any more.",
        ),
        mistake(
            "patience counted to its end where the list ends first",
            "return best, epoch + 1 -> return best, best + patience + 1",
            "If the list ends before the patience does, fewer epochs were run.",
        ),
        mistake(
            "all epochs counted as run",
            "return best, epoch + 1 -> return best, len(losses)",
            "How many were run before it stopped?",
        ),
        mistake(
            "epochs run counted from 0 where it stopped early",
            "break -> return best, epoch",
            "If epoch 0 and epoch 1 were run, two were run.",
        ),
        mistake(
            "epochs run counted from 0",
            "epoch + 1 -> epoch",
            "If epoch 0 and epoch 1 were run, two were run.",
        ),
    ),
    equal=(
        ("best, lowest, bad = (1, np.inf, 0)", "epoch 0 sets all three"),
        ("best, lowest, bad = (-1, np.inf, 0)", "epoch 0 sets all three"),
        ("best, lowest, bad = (2, np.inf, 0)", "epoch 0 sets all three"),
        ("best, lowest, bad = (0, np.inf, 1)", "epoch 0 sets all three"),
        ("best, lowest, bad = (0, np.inf, -1)", "epoch 0 sets all three"),
        ("best, lowest, bad = (0, np.inf, 2)", "epoch 0 sets all three"),
        ("if bad >= patience:", "bad rises by one"),
        ("for epoch in range(0, len(losses)):", "epoch 0 is no better than itself, and is no bad one"),
    ),
    hints=(
        "Keep three things as you go: the best epoch, its loss, and how many bad epochs came since.",
        "An epoch is better if loss < lowest - min_delta. With lowest = inf at first, epoch 0 always is.",
        "After each epoch: if the bad ones in a row have reached patience, break.",
    ),
)
