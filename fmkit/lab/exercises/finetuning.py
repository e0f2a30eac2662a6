"""The exercises of chapter 08, fine-tuning: their inputs, hints and points.

The right answers are in `_finetuning_right`, the known-wrong ones in `_finetuning_wrong` and
`_finetuning_wrong_2`. Inputs are random, with hostile ones among them: copies in disguise, padding on either
side with large numbers in it, empty texts, losses that become NaN, classes that nobody names, huge logits.
"""

from functools import partial

import numpy as np

from fmkit.lab.exercises import _finetuning_right as right
from fmkit.lab.exercises import _finetuning_wrong as wrong
from fmkit.lab.exercises import _finetuning_wrong_2 as wrong_2
from fmkit.lab.exercises._shared import as_float32, make_exercise

_WORDS = ["film", "plot", "cast", "slow", "bright", "heart", "crème", "große", "Ünder", "Wit", "影片", "not"]


def _disguise(rng, text):
    """The same text with other capitals and spaces."""
    words = [w.swapcase() if rng.random() < 0.5 else w for w in text.split()]
    return "  ".join(words) + " " * int(rng.integers(1, 3))


def _split_cases(rng):
    def case(n, n_test, copies):
        texts = [" ".join(rng.choice(_WORDS, rng.integers(3, 7))) + f" {i}" for i in range(n)]
        texts += [_disguise(rng, texts[i]) for i in rng.choice(n, copies)]
        texts += [texts[0], texts[1].upper(), " ".join(reversed(texts[2].split())), texts[3] + "\t "]
        texts += ["große Straße", "GROSSE STRASSE", "no table", "not able", "", " "]
        return [str(t) for t in texts], rng.permutation(len(texts)), n_test

    return [case(8, 5, 6), case(12, 7, 10), case(5, 9, 3), case(20, 12, 20), case(6, 4, 12)]


def _padded_mask(rng, B, T):
    """Real steps in one run, the padding on the right, on the left, on both sides, or nowhere."""
    mask = np.zeros((B, T), np.int64)
    for row in mask:
        begin, end = np.sort(rng.choice(T + 1, 2, replace=False))
        row[begin:end] = 1
    mask[0, : T // 2], mask[0, T // 2 :] = 1, 0  # padded on the right
    return mask


def _last_cases(rng):
    def case(B, T, H):
        return rng.normal(size=(B, T, H)), _padded_mask(rng, B, T)

    right_padded = case(5, 6, 2)
    right_padded[1][:] = np.arange(6) < np.array([[6], [3], [1], [0], [4]])
    left_padded = case(4, 5, 3)
    left_padded[1][:] = np.arange(5) >= np.array([[0], [2], [4], [5]])
    full = case(3, 4, 2)
    full[1][:] = 1
    return [right_padded, left_padded, case(6, 7, 4), full, case(1, 5, 3), as_float32(case(5, 8, 2))]


def _pool_cases(rng):
    def case(B, T, C, shift=0.0):
        hidden, mask = shift + rng.normal(size=(B, T, C)), _padded_mask(rng, B, T)
        hidden[mask == 0] += rng.choice([-5.0, 5.0], size=(int((mask == 0).sum()), C))
        return hidden, mask

    empty = case(5, 6, 3)
    empty[1][2] = 0
    low = case(4, 5, 3, shift=-4.0)  # all real values below zero
    deep = case(5, 4, 2, shift=-3e4)  # below any number that merely looks low
    return [case(3, 7, 4), low, empty, case(1, 4, 2), deep, as_float32(case(4, 6, 5))]


def _stop_cases(rng):
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


def _rates_cases(rng):
    def case(n_layers, lr):
        names = ["wte", "wpe", "wse", "ln.w", "ln.b", "pooler.w", "pooler.b", "classifier.w", "classifier.b"]
        for i in range(n_layers):
            names += [f"blocks.{i}.attn.wqkv", f"blocks.{i}.ln1.w", f"blocks.{i}.mlp.b2"]
        names = [names[i] for i in rng.permutation(len(names))]
        return names, n_layers, lr, float(rng.uniform(0.6, 0.95))

    return [case(6, 1e-3), case(12, 2e-4), case(2, 0.05), case(1, 1.0), case(24, 3e-5)]


def _merge_cases(rng):
    def case(C, r_q, r_v, alpha):
        pair_q = rng.normal(size=(C, r_q)), rng.normal(size=(r_q, C))
        pair_v = rng.normal(size=(C, r_v)), rng.normal(size=(r_v, C))
        return rng.normal(size=(C, 3 * C)), *pair_q, *pair_v, alpha

    return [case(6, 2, 3, 8.0), case(5, 4, 1, 2.0), case(4, 3, 3, 16.0), as_float32(case(7, 2, 5, 4.0))]


def _lora_cases(rng):
    def case(B, T, C, K, R, alpha):
        dout, x = rng.normal(size=(B, T, K)), rng.normal(size=(B, T, C))
        return dout, x, rng.normal(size=(C, K)), rng.normal(size=(C, R)), rng.normal(size=(R, K)), alpha

    start = case(3, 2, 6, 4, 2, 6.0)
    start[4][:] = 0  # as LoRA begins
    cases = [case(2, 3, 6, 5, 3, 8.0), case(4, 5, 3, 7, 2, 16.0), case(1, 1, 4, 3, 5, 2.0), start]
    return [*cases, as_float32(case(3, 4, 5, 6, 2, 4.0))]


def _report_cases(rng):
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
    return [case(40, 3, 0.6), rare, never, absent, case(12, 6, 0.3)]


def _interval_cases(rng):
    def case(n, draws, level, share):
        right_b = rng.random(n) < 0.7
        right_a = np.where(rng.random(n) < share, right_b, rng.random(n) < 0.85)  # they err alike
        return right_a, right_b, rng.integers(0, n, (draws, n)), level

    right_b = rng.random(50) < 0.7
    even = np.roll(right_b, 7), right_b, rng.integers(0, 50, (200, 50)), 0.9  # neither is better
    return [
        even,
        case(50, 150, 0.9, 0.6),
        case(31, 80, 0.95, 0.8),
        case(20, 41, 0.5, 0.3),
        case(60, 100, 0.8, 0.5),
    ]


def _epoch_cases(rng):
    def case(n, c, batch_size, lr, size=1.0):
        x, w = size * rng.normal(size=(n, c)), rng.normal(size=c)
        return w, float(rng.normal()), x, (rng.random(n) < 0.6).astype(float), batch_size, lr

    huge = case(9, 3, 4, 0.2, size=300.0)
    huge[3][:] = (huge[2] @ huge[0] + huge[1] < 0) * 1.0  # all wrong, and sure of it
    return [
        case(11, 4, 4, 0.5),
        case(7, 3, 5, 0.1),
        huge,
        case(6, 2, 8, 1.0),
        as_float32(case(13, 5, 3, 0.3)),
    ]


_exercise = partial(make_exercise, "finetuning", "08")

EXERCISES = [
    _exercise(
        "clean_split",
        "A split without copies",
        (2, 10, 2),
        _split_cases,
        (right.clean_split, right.clean_split_with_a_dict, right.clean_split_part_by_part),
        wrong.SPLIT,
        (
            "Make a key for each text that is the same for all its copies: casefold, then split and join.",
            "Walk through `order` once, with a set of the keys met so far; keep i only if its key is new.",
            "Cut only at the very end: the first n_test of what you kept are the test.",
        ),
    ),
    _exercise(
        "class_report",
        "A report for each class",
        (3, 15, 2),
        _report_cases,
        (right.class_report, right.class_report_confusion, right.class_report_harmonic),
        wrong_2.REPORT,
        (
            "Count three things for each class k: rows called k, rows that are k, rows that are both.",
            "Precision divides the hits by what was called k, recall by what is k; F1 is 2 hits over both.",
            "Where a denominator is 0 the result is 0, and it counts in the mean.",
        ),
    ),
    _exercise(
        "paired_interval",
        "Is it really better?",
        (3, 15, 3),
        _interval_cases,
        (right.paired_interval, right.paired_interval_two_scores, right.paired_interval_loop),
        wrong_2.INTERVAL,
        (
            "right_a[draws] has the shape of draws: a row is one imagined test set. Which axis is averaged?",
            "Take the difference of the two accuracies within each draw: that gives R numbers.",
            "Of these, np.quantile at (1 - level) / 2 and at 1 minus that.",
        ),
    ),
    _exercise(
        "last_real",
        "The last real step",
        (2, 10, 2),
        _last_cases,
        (right.last_real, right.last_real_loop, right.last_real_largest_position),
        wrong.LAST,
        (
            "For one text: which is the largest t with mask[b, t] == 1?",
            "argmax finds the first 1 from the left. In mask[:, ::-1] it finds the last.",
            "h[np.arange(B), last] pairs each text with its own step. Then see to the texts without any.",
        ),
    ),
    _exercise(
        "stop_early",
        "When to stop",
        (3, 15, 3),
        _stop_cases,
        (right.stop_early, right.stop_early_distance, right.stop_early_look_ahead),
        wrong.STOP,
        (
            "Keep three things as you go: the best epoch, its loss, and how many bad epochs came since.",
            "An epoch is better if loss < lowest - min_delta. With lowest = inf at first, epoch 0 always is.",
            "After each epoch: if the bad ones in a row have reached patience, break.",
        ),
    ),
    _exercise(
        "mean_and_max",
        "Pooling without the padding",
        (2, 10, 2),
        _pool_cases,
        (right.mean_and_max, right.mean_and_max_loop, right.mean_and_max_masked_arrays),
        wrong.POOL,
        (
            "mask[:, :, None] lines up with hidden, (B, T, C): np.where picks hidden or something else.",
            "In a sum padding should count as 0. In a maximum, what number never wins?",
            "Divide by the number of real tokens, but at least by 1; at the end set rows without any to 0.",
        ),
    ),
    _exercise(
        "layer_rates",
        "A learning rate for each layer",
        (2, 10, 2),
        _rates_cases,
        (right.layer_rates, right.layer_rates_height, right.layer_rates_table),
        wrong.RATES,
        (
            "Give each name a depth: 0 for the head, 1 for the last block, 2 for the one below it ...",
            'name.split(".") cuts "blocks.11.ln1.w" into its parts; int of the second is the block.',
            "The rate is lr * decay**depth. Which depth do the embeddings have, one below block 0?",
        ),
    ),
    _exercise(
        "merge_query_value",
        "LoRA, merged",
        (2, 12, 3),
        _merge_cases,
        (right.merge_query_value, right.merge_query_value_concatenate, right.merge_query_value_loop),
        wrong_2.MERGE,
        (
            "Columns 0 to C belong to the query, C to 2C to the key, 2C to 3C to the value.",
            "Start from wqkv.copy(), and add to two of its three blocks.",
            "The scale is alpha / rank, and the rank is a.shape[1]: each pair has its own.",
        ),
    ),
    _exercise(
        "lora_gradients",
        "LoRA, backward",
        (4, 20, 4),
        _lora_cases,
        (right.lora_gradients, right.lora_gradients_through_the_merged_weight, right.lora_gradients_loop),
        wrong_2.LORA,
        (
            "Name the steps forward: narrow = x @ a; change = narrow @ b; out = x @ w + scale * change.",
            "Backward: dchange = scale * dout; dnarrow = dchange @ b.T. Which two products give da and db?",
            "x went two ways, through w and through a: dx adds both. For da and db make (B*T, ...) matrices.",
        ),
    ),
    _exercise(
        "train_epoch",
        "Spot the bug: an epoch in which nothing is learnt",
        (3, 15, 3),
        _epoch_cases,
        (right.train_epoch, right.train_epoch_one_more_column, right.train_epoch_loop),
        wrong_2.EPOCH,
        (
            "For each batch: z = rows @ w + b, the losses log(1 + exp(z)) - y z, then dz = sigmoid(z) - y.",
            "np.logaddexp(0, z) is log(1 + exp(z)) without overflow; 0.5 * (1 + tanh(z / 2)) is the sigmoid.",
            "dz carries the mean of the batch, 1 / len(rows); the loss returned divides by len(x).",
        ),
    ),
]
