"""How often a person, and a model, is on the side of what the other people say."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    nan = np.nan

    def case(n, r, cut, gaps=0.3):
        truth = rng.normal(size=(n, 1)) * 1.5 + cut
        ratings = np.clip(np.round(truth + rng.normal(size=(n, r))), -4, 4)
        ratings[rng.random((n, r)) < gaps] = nan
        ratings[0], ratings[1, :], ratings[2, 2:] = nan, cut, nan
        ratings[0, 0] = 3.0  # rated once
        ratings[1, :2] = cut + 1, cut - 1  # some of the others' means lie on the cut
        ratings[2, :2] = cut + 2, cut
        return ratings, cut, np.round(truth[:, 0] + rng.normal(size=n), 2)

    example = np.array([[2.0, 1.0, -1.0], [-1.0, -2.0, nan]]), 0.0, np.array([0.3, -0.7])
    lone = np.array([[3.0, nan, nan], [1.0, 2.0, -1.0]]), 0.0, np.array([-1.0, 2.0])
    no_side = np.array([[0.0, 0.0, 3.0, 1.0], [0.0, -2.0, -1.0, nan]]), 0.0, np.array([0.0, 0.0])
    on_the_cut = np.array([[1.0, -1.0, 2.0], [3.0, 1.0, 2.0]]), 0.0, np.array([1.0, -2.0])
    flips = np.array([[4.0, -1.0, -1.0], [-4.0, 1.0, 1.0]]), 0.0, np.array([0.5, -0.5])
    nothing_asked = np.array([[0.0, 0.0], [1.0, 2.0], [1.0, -1.0]]), 0.0, np.array([1.0, 1.0, -1.0])
    crowd = np.array([[1.0, 2.0, -1.0, 2.0, 1.0, 3.0, 2.0], [1.0, -2.0, -1.0, *[nan] * 4]])
    middle = np.array([[3.0, 2.0, 4.0], [1.0, 2.0, 3.0], [1.0, 1.0, 4.0]]), 2.5, np.array([2.6, 2.4, 3.0])
    skew = np.array([[4.0, -1.0, -1.0, -1.0, 4.0], [1.0, 1.0, -4.0, 1.0, nan]]), 0.0, np.array([1.0, 1.0])
    return [
        example,
        lone,
        no_side,
        on_the_cut,
        flips,
        nothing_asked,
        (crowd, 0.0, np.array([2.0, 1.0])),
        middle,
        skew,
        case(9, 5, 0.0),
        case(14, 4, 1.0),
        case(11, 7, -0.5, 0.5),
        as_float32(case(8, 4, 0.0)),
    ]


def human_ceiling(ratings, cut, model):
    people, machine = [], []
    for k, row in enumerate(ratings):
        given = row[~np.isnan(row)]
        if len(given) < 2:
            continue
        others = (given.sum() - given) / (len(given) - 1)  # of each rating: what the others say
        asked = others != cut
        side = np.sign(others - cut)[asked]
        if len(side):
            people.append((np.sign(given - cut)[asked] == side).mean())
            machine.append((np.sign(model[k] - cut) == side).mean())
    return float(np.mean(people)), float(np.mean(machine))


def loops(ratings, cut, model):
    shares = []
    for row, guess in zip(ratings.tolist(), model.tolist(), strict=True):
        given = [v for v in row if v == v]
        right = [0, 0, 0]
        for i in range(len(given) if len(given) > 1 else 0):
            rest = given[:i] + given[i + 1 :]
            mean = sum(rest) / len(rest)
            if mean != cut:
                right[0] += (given[i] > cut) if mean > cut else (given[i] < cut)
                right[1] += (guess > cut) if mean > cut else (guess < cut)
                right[2] += 1
        if right[2]:
            shares.append((right[0] / right[2], right[1] / right[2]))
    return sum(a for a, _ in shares) / len(shares), sum(b for _, b in shares) / len(shares)


def arrays(ratings, cut, model):
    known = ~np.isnan(ratings)
    m = known.sum(1, keepdims=True)
    zeros = np.where(known, ratings, 0).astype(np.float64)
    others = (zeros.sum(1, keepdims=True) - zeros) / np.maximum(m - 1, 1)
    asked = known & (m > 1) & (others != cut)
    weight = asked / np.maximum(asked.sum(1, keepdims=True), 1) / asked.any(1).sum()
    side = np.sign(others - cut)
    people = weight * (np.sign(zeros - cut) == side)
    return float(people.sum()), float((weight * (np.sign(model - cut)[:, None] == side)).sum())


OTHERS = "(given.sum() - given) / (len(given) - 1)"

EXERCISE = Exercise(
    title="The human ceiling",
    points=3,
    minutes=25,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    reference=human_ceiling,
    alternatives=(loops, arrays),
    equal=(
        (
            "given = [v for v in row if v >= v]",
            "only NaN is not at least itself",
        ),
        (
            "for i in range(len(given) if len(given) > 1 else -1):",
            "a range to -1 is as empty as one to 0",
        ),
        (
            "right[0] += given[i] > cut if mean >= cut else given[i] < cut",
            "a mean on the cut was left out before",
        ),
        (
            "right[1] += guess > cut if mean >= cut else guess < cut",
            "a mean on the cut was left out before",
        ),
    ),
    teaches=("agreement.mean_of_others", "agreement.human_accuracy"),
    parts=True,
    mistakes=(
        mistake(
            "the person kept in the mean",
            "others = np.full(len(given), given.mean())",
            "Whoever is judged must not be among the judges: take the mean of the others.",
        ),
        mistake(
            "the others' sum divided by all",
            f"{OTHERS} -> (given.sum() - given) / len(given)",
            "The others are m - 1. With the cut at 0 you would not notice.",
        ),
        mistake(
            "the median of the others",
            "others = np.array([np.median(np.delete(given, i)) for i in range(len(given))])",
            "The mean of the others is asked for.",
        ),
        mistake(
            "the majority of the others",
            "others = cut + np.array([np.sign(np.delete(given, i) - cut).sum() for i in range(len(given))])",
            "The mean of the others is asked for: a strong opinion weighs more.",
        ),
        mistake(
            "each rating counts the same",
            (
                "people.append((np.sign(given - cut)[asked] == side).mean()) -> "
                "people.extend(np.sign(given - cut)[asked] == side)",
                "machine.append((np.sign(model[k] - cut) == side).mean()) -> "
                "machine.extend(np.sign(model[k] - cut) == side)",
            ),
            "Each item counts the same, however many rated it: average within the item first.",
        ),
        mistake(
            "each rating counts the same, for people only",
            "people.append((np.sign(given - cut)[asked] == side).mean()) -> "
            "people.extend(np.sign(given - cut)[asked] == side)",
            "Each item counts the same, however many rated it: average within the item first.",
        ),
        mistake(
            "a rating on the cut counts as above it",
            "people.append((np.sign(given - cut)[asked] == side).mean()) -> "
            "people.append((np.where(given >= cut, 1, -1)[asked] == side).mean())",
            "A rating on the cut takes no side, and so is wrong.",
        ),
        mistake(
            "a rating on the cut counts as below it",
            "people.append((np.sign(given - cut)[asked] == side).mean()) -> "
            "people.append((np.where(given > cut, 1, -1)[asked] == side).mean())",
            "A rating on the cut takes no side, and so is wrong.",
        ),
        mistake(
            "a rating on the cut is not asked",
            "asked = (others != cut) & (given != cut)",
            "A rating on the cut takes no side, and so is wrong: only a *mean* on the cut asks nothing.",
        ),
        mistake(
            "asks where the others' mean is on the cut, too",
            "asked = np.full(len(given), True)",
            "Where the others' mean lies on the cut there is no side to be on: leave that question out.",
        ),
        mistake(
            "nothing asked where any of the means is on the cut",
            "if len(side): -> if asked.all():",
            "Only the one rating is left out whose others' mean lies on the cut.",
        ),
        mistake(
            "the cut forgotten",
            "asked = others != cut -> cut = 0\nasked = others != cut",
            "Sides are sides of `cut`, which need not be 0.",
        ),
        mistake(
            "the model held against the mean of all",
            "machine.append((np.sign(model[k] - cut) == side).mean()) -> "
            "machine.append(np.sign(model[k] - cut) == np.sign(given.mean() - cut))",
            "The same question for both: what do the others say, once without each rater?",
        ),
        mistake(
            "the model held against single ratings",
            "machine.append((np.sign(model[k] - cut) == side).mean()) -> "
            "machine.append((np.sign(model[k] - cut) == np.sign(given - cut)[asked]).mean())",
            "The same question for both: what do the others say on average?",
        ),
        mistake(
            "the model held against 0",
            "machine.append((np.sign(model[k] - cut) == side).mean()) -> "
            "machine.append((np.sign(model[k]) == side).mean())",
            "The model's numbers are on the scale of the ratings: they have the same cut.",
        ),
        mistake(
            "gaps taken for zeros",
            "given = np.nan_to_num(row)",
            "No rating is not the rating 0: leave the gaps out.",
        ),
        mistake(
            "only the first rater of each item",
            "people.append((np.sign(given - cut)[asked] == side).mean()) -> "
            "people.append(float((np.sign(given - cut)[asked] == side)[0]))",
            "Each rater in turn is the one: average over them.",
        ),
        mistake(
            "one rating against another",
            "others = np.roll(given, 1)",
            "A single other person is a poor judge: take the mean of all the others.",
        ),
        mistake(
            "an item with one rating is compared with itself",
            (
                "if len(given) < 2: -> if len(given) < 1:",
                f"{OTHERS} -> ((given.sum() - given) / (len(given) - 1) if len(given) > 1 else given)",
            ),
            "A single rating has no others: leave the item out.",
        ),
        mistake(
            "the model first",
            "return float(np.mean(people)), float(np.mean(machine)) -> "
            "return float(np.mean(machine)), float(np.mean(people))",
            "People come first.",
        ),
        mistake(
            "an item in which nothing was asked counts as wrong",
            "if len(side): -> if not len(side):\n    people.append(0.0)\n    machine.append(0.0)\nelse:",
            "Where nothing was asked nobody was wrong: leave the item out of the mean.",
        ),
        mistake(
            "divided by all raters, not by what was asked",
            (
                "people.append((np.sign(given - cut)[asked] == side).mean()) -> "
                "people.append((np.sign(given - cut)[asked] == side).sum() / len(given))",
                "machine.append((np.sign(model[k] - cut) == side).mean()) -> "
                "machine.append((np.sign(model[k] - cut) == side).sum() / len(given))",
            ),
            "Average over what was asked: where the mean lay on the cut there was no question.",
        ),
        mistake(
            "the others' sum divided by the columns",
            "(given.sum() - given) / (len(given) - 1) -> (given.sum() - given) / (len(row) - 1)",
            "The others are those who rated this item: the gaps are nobody.",
        ),
        mistake(
            "the other items of a column",
            "others = ((np.nansum(ratings, 0) - row) / (len(ratings) - 1))[~np.isnan(row)]",
            "The others are the other ratings of the same item: of its row.",
        ),
        mistake(
            "the other items of a column, without their gaps",
            (
                "if len(given) < 2: -> if len(given) < 1:",
                "others = np.array([(np.nansum(c) - value) / (len(c[~np.isnan(c)]) - 1) if "
                "len(c[~np.isnan(c)]) > 1 else cut for c, value in zip(ratings.T, row) if value == value])",
            ),
            "The others are the other ratings of the same item: of its row.",
        ),
    ),
    hints=(
        "(given.sum() - given) / (len(given) - 1) is, for each rating, the mean of the others.",
        "np.sign(x - cut) is the side: 1, -1, or 0 on the cut.",
        "Average within each item, then over the items in which anything was asked.",
    ),
)
