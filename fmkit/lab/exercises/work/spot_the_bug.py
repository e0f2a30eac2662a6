"""A test of a recommender that has seen the future, mended."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, n_users, n_test, damping=5.0, moments=1000):
        return (
            rng.integers(0, n_users, n),
            rng.integers(0, moments, n) + 10,
            rng.integers(1, 11, n) / 2.0,
            n_test,
            n_users,
            damping,
        )

    example = (
        np.array([0, 1, 0, 1]),
        np.array([1, 2, 3, 4]),
        np.array([5.0, 3.0, 1.0, 2.0]),
        2,
        2,
        1.0,
    )
    together = (  # three ratings of one second
        np.array([0, 1, 2, 1, 0]),
        np.array([7, 9, 9, 2, 9]),
        np.array([4.0, 1.0, 2.0, 5.0, 3.0]),
        2,
        3,
        2.0,
    )
    newcomer = np.array([0, 0, 1]), np.array([5, 1, 8]), np.array([2.0, 4.0, 5.0]), 1, 2, 3.0
    return [
        example,
        together,
        newcomer,
        case(12, 3, 4),
        case(20, 4, 5, damping=0.5),
        case(30, 5, 8, moments=6),
        case(40, 12, 10),
        case(25, 3, 1),
        case(60, 6, 20, damping=20.0),
        as_float32(case(30, 4, 9)),
    ]


def forecast(users, times, ratings, n_test, n_users, damping):
    start = np.sort(times)[len(times) - n_test]
    train, test = times < start, times >= start
    mean = ratings[train].mean()
    total = np.bincount(users[train], ratings[train] - mean, n_users)
    count = np.bincount(users[train], minlength=n_users)
    kind = total / (count + damping)
    rows, guesses = np.flatnonzero(test), mean + kind[users[test]]
    return rows, guesses


def loops(users, times, ratings, n_test, n_users, damping):
    start = sorted(times.tolist())[-n_test]
    past = [i for i in range(len(times)) if times[i] < start]
    rows = [i for i in range(len(times)) if times[i] >= start]
    mean = sum(float(ratings[i]) for i in past) / len(past)
    guesses = []
    for row in rows:
        own = [float(ratings[i]) - mean for i in past if users[i] == users[row]]
        guesses.append(mean + sum(own) / (len(own) + damping))
    return np.array(rows), np.array(guesses)


def masks(users, times, ratings, n_test, n_users, damping):
    newest = np.partition(times, -n_test)[-n_test:].min()
    old = np.flatnonzero(times < newest)
    mean = np.mean(ratings[old], dtype=float)
    mine = (users[old][None] == np.arange(n_users)[:, None]).astype(float)  # (U, train)
    kind = mine @ (ratings[old] - mean) / (mine.sum(1) + damping)
    rows = np.setdiff1d(np.arange(len(times)), old)
    return rows, kind[users[rows]] + mean


def guessed(train, test, users, ratings, n_users, damping):
    mean = ratings[train].mean()
    total = np.bincount(users[train], ratings[train] - mean, n_users)
    kind = total / (np.bincount(users[train], minlength=n_users) + damping)
    return np.flatnonzero(test), mean + kind[users[test]]


def user_by_user(users, times, ratings, n_test, n_users, damping):
    test = np.zeros(len(times), dtype=bool)
    for user in range(n_users):
        own = np.flatnonzero(users == user)
        if len(own) > 1:
            test[own[np.argmax(times[own])]] = True
    return guessed(~test, test, users, ratings, n_users, damping)


def torn_apart(users, times, ratings, n_test, n_users, damping):
    test = np.zeros(len(times), dtype=bool)
    test[np.argsort(times, kind="stable")[-n_test:]] = True
    return guessed(~test, test, users, ratings, n_users, damping)


def as_shown(users, times, ratings, n_test, n_users, damping):
    test = np.zeros(len(times), dtype=bool)
    for user in range(n_users):
        own = np.flatnonzero(users == user)
        if len(own) > 1:
            test[own[np.argmax(times[own])]] = True
    mean = ratings[~test].mean()
    total = np.bincount(users, ratings - mean, n_users)
    kind = total / (np.bincount(users, minlength=n_users) + damping)
    return np.flatnonzero(test), mean + kind[users[test]]


EXERCISE = Exercise(
    title="Spot the bug: a split that knows the future",
    points=2,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("recommend.split_by_time", "recommend.fit_biases"),
    reference=forecast,
    alternatives=(loops, masks),
    mistakes=(
        mistake(
            "the last rating of each user for the test",
            user_by_user,
            "What others rate later is known then: one moment parts past and future for everybody.",
        ),
        mistake(
            "the function as it was shown",
            as_shown,
            "Both slips are still there: who is in the test, and what the sums and counts run over.",
        ),
        mistake(
            "the mean of all ratings",
            "ratings[train].mean() -> ratings.mean()",
            "The mean comes from the past alone.",
        ),
        mistake(
            "the users' kindness from all ratings",
            (
                "total = np.bincount(users, ratings - mean, n_users)",
                "count = np.bincount(users, minlength=n_users)",
            ),
            "How kind somebody will be is not known yet: the past alone counts.",
        ),
        mistake(
            "counted over all ratings",
            "count = np.bincount(users, minlength=n_users)",
            "The number of ratings of each user in the past counts.",
        ),
        mistake(
            "mean and kindness from all ratings",
            (
                "ratings[train].mean() -> ratings.mean()",
                "total = np.bincount(users, ratings - mean, n_users)",
                "count = np.bincount(users, minlength=n_users)",
            ),
            "Nothing that is learned may have seen the test.",
        ),
        mistake(
            "ratings of one moment torn apart",
            torn_apart,
            "Ratings of one second belong together, on the later side.",
        ),
        mistake(
            "the last moment's own ratings in the past",
            "train, test = times <= start, times > start",
            "What happens at that moment is future.",
        ),
        mistake(
            "the oldest for the test",
            (
                "start = np.sort(times)[n_test - 1]",
                "train, test = times > start, times <= start",
            ),
            "The past teaches, the future tests.",
        ),
        mistake(
            "the last rows for the last ratings",
            (
                "train, test = np.arange(len(times)) < len(times) - n_test, "
                "np.arange(len(times)) >= len(times) - n_test",
            ),
            "The rows are in no order: go by their times.",
        ),
        mistake(
            "no damping",
            "count + damping -> np.maximum(count, 1)",
            "Who has rated little is drawn towards 0: `damping` ratings of 0 besides.",
        ),
        mistake(
            "damped by one less",
            "count + damping -> np.maximum(count, 1) + damping - 1",
            "As if `damping` more ratings of 0 had been given.",
        ),
        mistake(
            "kindness around 0, not around the mean",
            "ratings[train] - mean, n_users -> ratings[train], n_users",
            "A user's kindness is what is left after the mean.",
        ),
        mistake(
            "the kindness alone",
            "mean + kind[users[test]] -> kind[users[test]]",
            "A guess is the mean plus the user's kindness.",
        ),
        mistake(
            "the mean alone",
            "mean + kind[users[test]] -> mean + 0 * kind[users[test]]",
            "A guess is the mean plus the user's kindness.",
        ),
        mistake(
            "one rating too few in the test",
            "len(times) - n_test -> min(len(times) - n_test + 1, len(times) - 1)",
            "At least `n_test` ratings are for the test.",
        ),
    ),
    hints=(
        "One moment parts past and future for everybody: the n_test-th latest time. It is future itself.",
        "Mean, sums and counts: all three from the past alone.",
        "A user without a past gets the mean: his sum is 0.",
    ),
)
