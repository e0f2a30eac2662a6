"""LoRA merged into the fused weight of query, key and value."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(C, r_q, r_v, alpha):
        pair_q = rng.normal(size=(C, r_q)), rng.normal(size=(r_q, C))
        pair_v = rng.normal(size=(C, r_v)), rng.normal(size=(r_v, C))
        return rng.normal(size=(C, 3 * C)), *pair_q, *pair_v, alpha

    def by_hand(wqkv, a_q, b_q, a_v, b_v, alpha):
        return *(np.array(v, np.float64) for v in (wqkv, a_q, b_q, a_v, b_v)), alpha

    return [
        by_hand([[1, 2, 3]], [[1]], [[2]], [[1, 1]], [[1], [3]], 4.0),
        by_hand([[3, 1, 2]], [[2, 1]], [[1], [2]], [[3]], [[-2]], 3.0),
        case(6, 2, 3, 8.0),
        case(5, 4, 1, 2.5),
        case(4, 3, 3, 16.0),
        case(3, 5, 2, 1.0),  # a rank above the width
        as_float32(case(7, 2, 5, 4.0)),
    ]


def merge_query_value(wqkv, a_q, b_q, a_v, b_v, alpha):
    merged, C = wqkv.copy(), len(wqkv)
    merged[:, :C] += alpha / a_q.shape[1] * (a_q @ b_q)
    merged[:, 2 * C :] += alpha / a_v.shape[1] * (a_v @ b_v)
    return merged


def concatenate(wqkv, a_q, b_q, a_v, b_v, alpha):
    q, k, v = np.split(wqkv, 3, axis=1)
    q = q + (a_q * (alpha / len(b_q))) @ b_q
    v = v + (a_v * (alpha / len(b_v))) @ b_v
    return np.concatenate([q, k, v], axis=1)


def loop(wqkv, a_q, b_q, a_v, b_v, alpha):
    merged, C = wqkv.copy(), len(wqkv)
    for slot, a, b in ((0, a_q, b_q), (2, a_v, b_v)):
        rank = a.shape[1]
        for r in range(rank):  # a sum of rank-one matrices
            merged[:, slot * C : (slot + 1) * C] += alpha / rank * np.outer(a[:, r], b[r])
    return merged


EXERCISE = Exercise(
    title="LoRA, merged",
    points=2,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=merge_query_value,
    alternatives=(concatenate, loop),
    mistakes=(
        mistake(
            "alpha not divided by the rank",
            ("alpha / a_q.shape[1] -> alpha", "alpha / a_v.shape[1] -> alpha"),
            "The scale is alpha over the rank: the width of a's rows.",
        ),
        mistake(
            "forgot alpha",
            ("alpha / a_q -> 1 / a_q", "alpha / a_v -> 1 / a_v"),
            "The scale is alpha over the rank, not one over the rank.",
        ),
        mistake(
            "no scale at all",
            ("merged[:, :C] += a_q @ b_q", "merged[:, 2 * C :] += a_v @ b_v"),
            "Between a @ b and the weight there is a scale.",
        ),
        mistake(
            "divided by the width, not by the rank",
            ("a_q.shape[1] -> len(a_q)", "a_v.shape[1] -> len(a_v)"),
            "a is (C, R): which of its two sizes is the rank?",
        ),
        mistake(
            "the query's rank for both",
            "a_v.shape[1] -> a_q.shape[1]",
            "The two pairs may have different ranks: each has a scale of its own.",
        ),
        mistake(
            "the value's rank for both",
            "a_q.shape[1] -> a_v.shape[1]",
            "The two pairs may have different ranks: each has a scale of its own.",
        ),
        mistake(
            "the two ranks added up",
            (
                "a_q.shape[1] -> (a_q.shape[1] + len(b_v))",
                "alpha / a_v.shape[1] -> alpha / (len(b_q) + a_v.shape[1])",
            ),
            "The two pairs have each a rank of its own.",
        ),
        mistake(
            "multiplied by the rank",
            ("alpha / a_q.shape[1] -> alpha * a_q.shape[1]", "alpha / a_v.shape[1] -> alpha * a_v.shape[1]"),
            "The scale is alpha over the rank.",
        ),
        mistake(
            "the pretrained weight scaled, too",
            (
                "merged[:, :C] = alpha / a_q.shape[1] * (merged[:, :C] + a_q @ b_q)",
                "merged[:, 2 * C :] = alpha / a_v.shape[1] * (merged[:, 2 * C :] + a_v @ b_v)",
            ),
            "The scale belongs to the change alone: w + scale * a @ b.",
        ),
        mistake(
            "divided by the root of the rank",
            ("a_q.shape[1] -> a_q.shape[1] ** 0.5", "a_v.shape[1] -> a_v.shape[1] ** 0.5"),
            "That is the rank-stabilised form of the next exercise; this one divides by the rank itself.",
        ),
        mistake(
            "the rank on the wrong side",
            ("alpha / a_q.shape[1] -> a_q.shape[1] / alpha", "alpha / a_v.shape[1] -> a_v.shape[1] / alpha"),
            "alpha stands above the fraction line, the rank below it.",
        ),
        mistake(
            "the product transposed",
            ("(a_q @ b_q) -> (a_q @ b_q).T", "(a_v @ b_v) -> (a_v @ b_v).T"),
            "x goes through a first: a @ b is (C, C) in the right order already.",
        ),
        mistake(
            "wrote into wqkv itself",
            "wqkv.copy() -> wqkv",
            "The pretrained weight must stay as it is: take a copy first.",
        ),
        mistake(
            "only the change",
            "wqkv.copy() -> np.zeros_like(wqkv)",
            "The merged weight is the pretrained one plus the change.",
        ),
        mistake(
            "replaced instead of added",
            ("[:, :C] += -> [:, :C] =", "[:, 2 * C :] += -> [:, 2 * C :] ="),
            "The change is added to what was pretrained.",
        ),
        mistake(
            "took the value's change off",
            "[:, 2 * C :] += -> [:, 2 * C :] -=",
            "Both changes are added.",
        ),
        mistake(
            "forgot the values",
            "merged[:, 2 * C :] += alpha / a_v.shape[1] * (a_v @ b_v) ->",
            "Two of the three parts change: the query's and the value's.",
        ),
        mistake(
            "forgot the query",
            "merged[:, :C] += alpha / a_q.shape[1] * (a_q @ b_q) ->",
            "Two of the three parts change: the query's and the value's.",
        ),
        mistake(
            "the keys changed as the values",
            "merged[:, 2 * C :] += -> merged[:, C : 2 * C] += alpha / len(b_v) * (a_v @ b_v)\n"
            "merged[:, 2 * C :] +=",
            "The keys, in the middle, stay as they are.",
        ),
        mistake(
            "the keys changed as the query",
            "merged[:, 2 * C :] += -> merged[:, C : 2 * C] += alpha / len(b_q) * (a_q @ b_q)\n"
            "merged[:, 2 * C :] +=",
            "The keys, in the middle, stay as they are.",
        ),
        mistake(
            "cut into three by rows",
            (
                "merged[:, :C] -> merged.reshape(3, C, C)[0]",
                "merged[:, 2 * C :] -> merged.reshape(3, C, C)[2]",
            ),
            "reshape goes row by row: the three parts lie side by side, in blocks of C columns.",
        ),
        mistake(
            "the keys instead of the values",
            "2 * C : -> C : 2 * C",
            "The values are the last third; the keys, in the middle, stay.",
        ),
        mistake(
            "query and value exchanged",
            (
                "merged[:, :C] += alpha / a_v.shape[1] * (a_v @ b_v)",
                "merged[:, 2 * C :] += alpha / a_q.shape[1] * (a_q @ b_q)",
            ),
            "The query stands first and the value last.",
        ),
        mistake(
            "every third column",
            ("[:, :C] -> [:, ::3]", "[:, 2 * C :] -> [:, 2::3]"),
            "The three parts lie side by side in whole blocks of C columns.",
        ),
        mistake(
            "float64 out of float32",
            "return merged.astype(np.float64)",
            "np.zeros and np.eye make float64: give them wqkv.dtype.",
        ),
    ),
    equal=(
        ("q, k, v = np.split(wqkv, 3, axis=-1)", "the last axis is axis 1"),
        ("return np.concatenate([q, k, v], axis=-1)", "the last axis is axis 1"),
    ),
    hints=(
        "Columns 0 to C belong to the query, C to 2C to the key, 2C to 3C to the value.",
        "Start from wqkv.copy(), and add to two of its three blocks.",
        "The scale is alpha / rank, and the rank is a.shape[1]: each pair has its own.",
    ),
)
