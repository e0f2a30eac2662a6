"""One epoch of fine-tuning all of MiniLM: the textbook way against `fmkit finetune --method full`.

Run: OMP_NUM_THREADS=1 python benchmarks/finetune_epoch.py [--accuracy SEED]

The textbook way: texts in random order, every batch as long as its longest text, every position of the last
block, the table of word vectors trained too. Both take 30 batches in turn, in one process with one thread,
after two to warm up; the time of an epoch is what all tokens of the training texts would take at that speed.
The last line is ``ratio N``, the CPU seconds of the textbook way divided by ours. With --accuracy the
textbook way is trained for a whole epoch first, and evaluated on the test texts.
"""

import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from fmkit.batching import batches_by_length, pad
from fmkit.data import datasets
from fmkit.data.pretrained import load_bert
from fmkit.runs.finetuning import run as ft
from fmkit.twins.models import from_params

BATCH, WARM_UP, STEPS = 32, 2, 30


class Textbook(nn.Module):
    """MiniLM with pooler and classifier, nothing left out."""

    def __init__(self):
        super().__init__()
        params, config = load_bert(datasets.pretrained_path("minilm"))
        head = {"w": np.zeros((config.d_model, 2), np.float32), "b": np.zeros(2, np.float32)}
        self.bert = from_params(params | {"classifier": head}, config)

    def forward(self, ids, mask=None):
        mask = torch.ones_like(ids) if mask is None else mask
        return self.bert.class_logits(ids, mask, torch.zeros_like(ids))


def step(model, optimizer, ids, mask, labels):
    loss = F.cross_entropy(model(ids, mask), labels)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([w for g in optimizer.param_groups for w in g["params"]], 1.0)
    optimizer.step()


def epoch_seconds(ids: list, labels: np.ndarray, rng) -> tuple[float, float]:
    """CPU seconds of an epoch, the textbook way and ours."""
    textbook, ours = Textbook(), ft.make_model("full")
    contestants = [
        (textbook, torch.optim.AdamW(textbook.parameters(), lr=1e-4)),
        (ours, torch.optim.AdamW(ours.parameter_groups(1e-4, 1e-3, 0.9), fused=True)),
    ]
    order = rng.permutation(len(ids))
    batches = [
        np.split(order, range(BATCH, len(ids), BATCH)),
        batches_by_length([*map(len, ids)], BATCH, rng),
    ]
    seconds, tokens = [0.0, 0.0], [0, 0]
    for turn in range(WARM_UP + STEPS):
        for i, (model, optimizer) in enumerate(contestants):
            rows = batches[i][turn]
            began = time.process_time()
            padded, mask = map(torch.from_numpy, pad([ids[row] for row in rows]))
            mask = None if i and bool(mask.all()) else mask
            step(model, optimizer, padded, mask, torch.from_numpy(labels[rows]))
            if turn >= WARM_UP:
                seconds[i] += time.process_time() - began
                tokens[i] += sum(len(ids[row]) for row in rows)
    everything = sum(map(len, ids))
    return tuple(s / n * everything for s, n in zip(seconds, tokens, strict=True))


def textbook_accuracy(train, test, seed: int) -> None:
    rng, model = np.random.default_rng(seed), Textbook()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    (ids, labels), (test_ids, test_labels) = train, test
    batches = np.split(rng.permutation(len(ids)), range(BATCH, len(ids), BATCH))
    began = time.process_time()
    for i, rows in enumerate(batches):
        optimizer.param_groups[0]["lr"] = 1e-4 * ft.schedule(i, len(batches))
        padded, mask = map(torch.from_numpy, pad([ids[row] for row in rows]))
        step(model, optimizer, padded, mask, torch.from_numpy(labels[rows]))
    seconds = time.process_time() - began
    result = ft.evaluate(ft.predict(model, test_ids), test_labels)
    low, high = result["interval"]
    print(f"textbook, seed {seed}: {result['accuracy']:.4f} ({low:.3f} to {high:.3f}) in {seconds:.0f} CPU-s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--accuracy", type=int, metavar="SEED", nargs="*", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    train, _, test = ft.splits()
    train, test = (
        (ft.encode([t for t, _ in rows]), np.array([y for _, y in rows])) for rows in (train, test)
    )
    for seed in options.accuracy:
        textbook_accuracy(train, test, seed)
    textbook, ours = epoch_seconds(*train, np.random.default_rng(0))
    print(f"CPU seconds of one epoch: textbook {textbook:.0f}, ours {ours:.0f}")
    print(f"ratio {textbook / ours:.2f}")


if __name__ == "__main__":
    main()
