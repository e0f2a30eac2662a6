"""Chapter 07's longer runs: its small experiments with ten times the time, or a larger model.

Writes fmkit/data/results/objectives.json, which the chapter shows. About 15 CPU minutes on one thread:

    python benchmarks/objectives.py
"""

import json
import time

import numpy as np
from threadpoolctl import threadpool_limits

from fmkit._paths import RESULTS
from fmkit.data import datasets
from fmkit.lab.workbench import pretraining as lab
from fmkit.losses import cross_entropy
from fmkit.params import flatten
from fmkit.runs.memory import keep_memory
from fmkit.training import batches

FILE = RESULTS / "objectives.json"
TRAIN, VAL, _ = datasets.shakespeare_splits()
CHARACTERS = sorted(set(TRAIN))
CODE = {c: i for i, c in enumerate(CHARACTERS)}
V = len(CHARACTERS)


def encode(text):
    return np.array([CODE[c] for c in text])


def next_token(train_ids, val, d_model, steps, seed=0):
    """The best and the last validation loss of a causal model of two layers."""

    def watch(params):
        return float(cross_entropy(lab.model(params, val[0], causal=True)[0], val[1])[0])

    began = time.process_time()
    params = lab.init(seed, V, d_model)
    source = batches(train_ids, 16, 32, np.random.default_rng(1))
    params, _, watched = lab.train(params, source, steps, True, watch=watch)
    inner = sum(w.size for name, w in flatten(params).items() if name != "wte")
    run = {"d_model": d_model, "inner": inner, "steps": steps, "data": len(train_ids)}
    run |= {"best": min(watched), "last": watched[-1], "seconds": time.process_time() - began}
    print(run, flush=True)
    return run


def masked(train_ids, val_ids, step, rotary, steps):
    hidden = next(lab.hidden_batches(val_ids, V, np.random.default_rng(2), size=500))
    params = lab.init(0, V + 1, rotary=rotary)
    source = lab.hidden_batches(train_ids, V, np.random.default_rng(1))
    began = time.process_time()
    _, losses, right = lab.train(
        params, source, steps, False, step, watch=lambda p: lab.hidden_right(p, *hidden)
    )
    run = {"steps": steps, "right": right, "loss": float(np.mean(losses[-100:]))}
    run["seconds"] = time.process_time() - began
    print(run, flush=True)
    return run


def next_sentence(steps, seed):
    train, val = (np.array([[encode(h) for h in pair] for pair in lab.line_pairs(t)]) for t in (TRAIN, VAL))
    test = lab.pair_batch(val, V, np.random.default_rng(2), 4000)
    began = time.process_time()
    source = lab.pair_batches(train, V, np.random.default_rng([1, seed]), size=32)
    params, losses, _ = lab.train(lab.init(seed, V + 4), source, steps, causal=False)
    run = {"steps": steps, "right": lab.answers_right(params, *test), "loss": float(np.mean(losses[-200:]))}
    run["seconds"] = time.process_time() - began
    print(run, flush=True)
    return run


def main() -> None:
    keep_memory()
    train_ids, val_ids = encode(TRAIN), encode(VAL)
    val = next(batches(val_ids, 500, 32, np.random.default_rng(9)))
    result = {"command": "python benchmarks/objectives.py"}
    with threadpool_limits(1):
        result["masked"] = {
            "AdamW, learned positions": masked(train_ids, val_ids, lab.adamw_step, False, 4000),
            "Muon, rotary": masked(train_ids, val_ids, lab.muon_step, True, 4000),
        }
        result["next sentence"] = [next_sentence(3000, seed) for seed in (0, 1)]
        result["width"] = [
            next_token(train_ids, val, d_model, steps)
            for steps in (400, 1600)
            for d_model in (16, 32, 64, 128, 256)[: 5 if steps == 400 else 4]
        ]
        sizes = (10_000, 30_000, 100_000, 300_000, 1_000_000)
        result["data"] = [next_token(train_ids[:n], val, 64, 1600) for n in sizes]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
