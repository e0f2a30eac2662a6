"""Precision, recall and F1 of each class, and their macro mean."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, k, share):
        target = rng.integers(0, k, n)
        pred = np.where(rng.random(n) < share, target, rng.integers(0, k, n))
        return pred, target, k

    never = case(30, 4, 0.6)
    never[0][never[0] == 2] = 0  # a class that nobody names
    absent = case(25, 5, 0.7)
    absent[1][absent[1] >= 3] = 1  # classes that do not occur, one of them named
    absent[0][absent[0] == 4] = 0
    absent[0][0] = 3
    rare = case(40, 2, 0.5)
    rare[1][5:] = 0

    def by_hand(pred, target, k):
        return np.array(pred), np.array(target), k

    return [
        by_hand([0, 0, 1], [0, 1, 1], 2),
        by_hand([0, 0, 0], [0, 0, 1], 2),  # a class that nobody names
        by_hand([1, 0, 2, 2], [0, 0, 2, 2], 3),  # one named wrongly only
        by_hand([2, 0, 1], [0, 1, 2], 3),  # nothing right: precision and recall are 0, not their denominators
        by_hand([1, 1, 1, 0, 0], [1, 1, 0, 0, 0], 4),  # two classes that occur nowhere
        by_hand([0], [0], 1),
        case(40, 3, 0.6),
        rare,
        never,
        absent,
        case(12, 6, 0.3),
    ]


def class_report(pred, target, n_classes):
    precision, recall, f1 = np.zeros((3, n_classes))
    for k in range(n_classes):
        tp = np.sum((pred == k) & (target == k))
        called, true = np.sum(pred == k), np.sum(target == k)
        precision[k] = tp / called if called else 0.0
        recall[k] = tp / true if true else 0.0
        f1[k] = 2 * tp / (called + true) if called + true else 0.0
    return precision, recall, f1, float(f1.mean())


def confusion(pred, target, n_classes):
    matrix = np.zeros((n_classes, n_classes))
    np.add.at(matrix, (target, pred), 1)
    tp, called, true = np.diag(matrix), matrix.sum(0), matrix.sum(1)
    precision, recall = tp / np.maximum(called, 1), tp / np.maximum(true, 1)
    f1 = 2 * tp / np.maximum(called + true, 1)
    return precision, recall, f1, f1.sum() / n_classes


def harmonic(pred, target, n_classes):
    classes = np.arange(n_classes)[:, None]
    said, is_k = pred == classes, target == classes  # (K, N)
    both = (said & is_k).sum(1)
    with np.errstate(all="ignore"):
        precision = np.nan_to_num(both / said.sum(1))
        recall = np.nan_to_num(both / is_k.sum(1))
        f1 = np.nan_to_num(2 / (1 / precision + 1 / recall))
    return precision, recall, f1, np.mean(f1)


EXERCISE = Exercise(
    title="A report for each class",
    points=3,
    minutes=15,
    difficulty=2,
    cases=cases,
    reference=class_report,
    alternatives=(confusion, harmonic),
    mistakes=(
        mistake(
            "accuracy for precision",
            "precision[k] = np.mean((pred == k) == (target == k))",
            "Rows that are not k, and were not called k, have no part in the precision of k.",
        ),
        mistake(
            "precision and recall exchanged",
            "return recall, precision, f1, float(f1.mean())",
            "Precision looks at what was called k; recall at what is k.",
        ),
        mistake(
            "all right answers, also of other classes",
            "tp = np.sum(pred == target)",
            "Precision and recall of class k count the hits of class k alone.",
        ),
        mistake(
            "the class's accuracy for its precision",
            "tp / called -> np.mean((pred == k) == (target == k))",
            "The rows that are rightly not k have no place in the precision of k.",
        ),
        mistake(
            "the mean of precision and recall for F1",
            "f1[k] = (precision[k] + recall[k]) / 2",
            "F1 is the harmonic mean: it is low when either is low.",
        ),
        mistake(
            "the root of the product for F1",
            "f1[k] = np.sqrt(precision[k] * recall[k])",
            "F1 is the harmonic mean, 2 tp over what was called k plus what is k.",
        ),
        mistake("forgot the 2 of F1", "2 * tp -> tp", "A perfect class has F1 = 1."),
        mistake(
            "tp over the rows that are k or were called k",
            "f1[k] = tp / (called + true - tp) if called + true else 0.0",
            "That is the overlap of two sets (Jaccard); F1 counts the hits twice, above and below the bar.",
        ),
        mistake(
            "F1 without a guard",
            "f1[k] = 2 * precision[k] * recall[k] / (precision[k] + recall[k])",
            "Where precision and recall are both 0, this is 0 / 0.",
        ),
        mistake(
            "divided by all rows",
            ("tp / called -> tp / len(pred)", "tp / true -> tp / len(target)"),
            "Precision looks at the rows that were called k only, recall at those that are k.",
        ),
        mistake(
            "the classes taken from the data",
            (
                "precision, recall, f1 = -> classes = np.union1d(pred, target)\nprecision, recall, f1 =",
                "np.zeros((3, n_classes)) -> np.zeros((3, len(classes)))",
                "for k in range(n_classes): -> for j, k in enumerate(classes):",
                "precision[k] -> precision[j]",
                "recall[k] -> recall[j]",
                "f1[k] -> f1[j]",
            ),
            "A class that does not occur has its row, too: there are n_classes of them.",
        ),
        mistake(
            "fractions cut to whole numbers",
            "precision, recall, f1 = np.zeros((3, n_classes), dtype=int)",
            "An array of integers keeps whole numbers only: np.zeros makes floats if you let it.",
        ),
        mistake(
            "a pair that repeats counted once",
            (
                "tp = int(np.any((pred == k) & (target == k)))",
                "called, true = np.unique(target[pred == k]).size, np.unique(pred[target == k]).size",
            ),
            "matrix[target, pred] += 1 adds to each place once, however often it is named: see np.add.at.",
        ),
        mistake(
            "0 / 0 left as NaN",
            ("precision[k] = tp / called", "recall[k] = tp / true", "f1[k] = 2 * tp / (called + true)"),
            "A class that does not occur and is never called has 0 / 0 everywhere: count it as 0.",
        ),
        mistake(
            "0 / 0 of precision and recall left as NaN",
            ("tp / called if called else 0.0 -> tp / called", "tp / true if true else 0.0 -> tp / true"),
            "A class that is never called has no precision: count it as 0.",
        ),
        mistake(
            "0 / 0 counted as right",
            (
                "if called else 0.0 -> if called else 1.0",
                "if true else 0.0 -> if true else 1.0",
                "if called + true else 0.0 -> if called + true else 1.0",
            ),
            "A class that is never called, or does not occur, gets 0, not 1.",
        ),
        mistake(
            "0 / 0 of precision and recall counted as right",
            ("if called else 0.0 -> if called else 1.0", "if true else 0.0 -> if true else 1.0"),
            "A class that is never called gets 0, not 1.",
        ),
        mistake(
            "accuracy for the macro mean",
            "return precision, recall, f1, float(np.mean(pred == target))",
            "Accuracy counts every row alike; the macro mean every class.",
        ),
        mistake(
            "weighted by the size of the classes",
            "f1.mean() -> np.average(f1, weights=np.bincount(target, minlength=n_classes))",
            "In the macro mean a rare class counts as much as a frequent one.",
        ),
        mistake(
            "classes that do not occur left out",
            "f1.mean() -> f1[np.unique(target)].mean()",
            "All n_classes classes count here, with F1 = 0 where there is nothing.",
        ),
        mistake(
            "classes that are in neither left out",
            "f1.mean() -> f1[np.union1d(pred, target)].mean()",
            "All n_classes classes count here, with F1 = 0 where there is nothing.",
        ),
        mistake(
            "classes that were never called left out",
            "f1.mean() -> f1[np.unique(pred)].mean()",
            "All n_classes classes count here: one that is never called has F1 = 0.",
        ),
        mistake(
            "the mean of the precisions",
            "f1.mean() -> precision.mean()",
            "The fourth value is the mean of F1.",
        ),
        mistake(
            "the mean of the recalls",
            "f1.mean() -> recall.mean()",
            "The fourth value is the mean of F1.",
        ),
        mistake(
            "classes that were never found left out",
            "return precision, recall, f1, float(f1[f1 > 0].mean()) if f1.any() else 0.0",
            "A class that the model never finds is exactly what the macro mean should show.",
        ),
        mistake(
            "F1 of the mean precision and recall",
            "return precision, recall, f1, float(f1.mean()) -> p, r = precision.mean(), recall.mean()\n"
            "return precision, recall, f1, float(2 * p * r / (p + r)) if p + r else 0.0",
            "First F1 of each class, then the mean.",
        ),
        mistake(
            "F1 of class 1 only",
            "return precision, recall, f1, float(f1[1])",
            "There is no positive class here: the mean over all classes is wanted.",
        ),
        mistake(
            "summed, not averaged",
            "return precision, recall, f1, float(f1.sum())",
            "A mean of n_classes numbers divides by n_classes.",
        ),
    ),
    teaches=("metrics.precision", "metrics.recall", "metrics.f1"),
    equal=(
        ("precision, recall, f1 = np.ones((3, n_classes))", "every place is written to"),
        (
            "f1[k] = 2 * tp / (called + true) if called * true else 0.0",
            "without the one or the other tp is 0",
        ),
        ("f1[k] = 2 * tp / (called + true) if called else 0.0", "without a row called k tp is 0"),
        ("f1[k] = 2 * tp / (called + true) if true else 0.0", "without a row that is k tp is 0"),
        ("f1 = 2 * tp / np.maximum(called + true, 2)", "of one row tp is 0"),
        ("tp, called, true = (np.diag(matrix), matrix.sum(0), matrix.sum(-1))", "the last axis is axis 1"),
        ("np.add.at(matrix, (target, pred), 2)", "all counts twice as large: the shares are the same"),
    ),
    hints=(
        "Count three things for each class k: rows called k, rows that are k, rows that are both.",
        "Precision divides the hits by what was called k, recall by what is k; F1 is 2 hits over both.",
        "Where a denominator is 0 the result is 0, and it counts in the mean.",
    ),
)
