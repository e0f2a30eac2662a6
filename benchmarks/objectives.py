"""Chapter 07's longer runs: its small experiments with more seeds, more rates, ten times the time.

Writes fmkit/data/results/objectives.json, which the chapter shows. About 20 CPU minutes on one thread; runs
that are in the file are not run again:

    python benchmarks/objectives.py
"""

import itertools
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


def next_token(texts, d_model, steps, data, seed):
    """The best and the last validation loss of a causal model of two layers."""
    val = next(batches(texts["val"], 500, 32, np.random.default_rng(9)))

    def watch(params):
        return float(cross_entropy(lab.model(params, val[0], causal=True)[0], val[1])[0])

    params = lab.init(seed, V, d_model)
    source = batches(texts["train"][:data], 16, 32, np.random.default_rng(1 + seed))
    inner = sum(w.size for name, w in flatten(params).items() if name != "wte")
    _, _, watched = lab.train(params, source, steps, True, watch=watch)
    return {"inner": inner, "best": min(watched), "last": watched[-1]}


def masked(texts, optimizer, positions, lr, steps, seed):
    """How many of the hidden characters are named, ten times on the way."""
    hidden = next(lab.hidden_batches(texts["val"], V, np.random.default_rng(2), size=500))
    params = lab.init(seed, V + 1, rotary=positions == "rotary")
    source = lab.hidden_batches(texts["train"], V, np.random.default_rng(1 + seed))
    step = {"AdamW": lab.adamw_step, "Muon": lab.muon_step}[optimizer]
    _, losses, right = lab.train(
        params, source, steps, False, step, lr, watch=lambda p: lab.hidden_right(p, *hidden)
    )
    return {"right": right, "loss": float(np.mean(losses[-100:]))}


def scored(texts, places, steps, seed):
    """The loss on hidden characters, learnt from them alone or, as once published, from all places."""
    hidden = next(lab.hidden_batches(texts["val"], V, np.random.default_rng(2), size=500))
    rng = np.random.default_rng(1 + seed)
    windows = (window for window, _ in batches(texts["train"], 16, 32, rng))
    both = ((window, *lab.hide(window, rng, V, 0.15)) for window in windows)
    source = ((inputs, window if places == "all" else targets) for window, inputs, targets in both)
    params, losses, _ = lab.train(lab.init(seed, V + 1), source, steps, causal=False)
    loss, _ = cross_entropy(lab.model(params, hidden[0], causal=False)[0], hidden[1])
    return {"training loss": float(np.mean(losses[-20:])), "loss": float(loss)}


def next_sentence(texts, lr, steps, seed):
    """Does B follow A? Judged on 4,000 pairs."""
    test = lab.pair_batch(texts["val pairs"], V, np.random.default_rng(2), 4000)
    source = lab.pair_batches(texts["train pairs"], V, np.random.default_rng([1, seed]), size=32)
    params, losses, _ = lab.train(lab.init(seed, V + 4), source, steps, causal=False, lr=lr)
    return {"right": lab.answers_right(params, *test), "loss": float(np.mean(losses[-200:]))}


def product(**values):
    """Every combination of the values."""
    return [dict(zip(values, row, strict=True)) for row in itertools.product(*values.values())]


RECIPES = product(optimizer=["AdamW", "Muon"], positions=["learned", "rotary"])
TUNED = {"AdamW": 0.2, "Muon": 0.5}  # what the short runs of "masked rates" say
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
PLAN = {
    "scored": (scored, product(places=["hidden", "all"], steps=[200], seed=[0, 1, 2, 3, 4])),
    "masked rates": (
        masked,
        [recipe | run for run in product(lr=[0.2, 0.5, 1.0], steps=[400], seed=[0, 1]) for recipe in RECIPES],
    ),
    "width": (
        next_token,
        product(d_model=[8, 16, 32, 64, 128], steps=[400], data=[len(TRAIN)], seed=[0, 1])
        + product(d_model=[256], steps=[400], data=[len(TRAIN)], seed=[0])
        + product(d_model=[16, 32, 64, 128], steps=[1600], data=[len(TRAIN)], seed=[0]),
    ),
    "data": (next_token, product(d_model=[64], steps=[1600], data=SIZES, seed=[0])),
    "masked": (
        masked,
        [
            recipe | {"lr": TUNED[recipe["optimizer"]], "steps": 4000, "seed": seed}
            for seed in (0, 1)
            for recipe in RECIPES
        ],
    ),
    "next sentence": (next_sentence, product(lr=[1.0], steps=[3000], seed=[0, 1])),
}


def main() -> None:
    keep_memory()
    texts = {"train": encode(TRAIN), "val": encode(VAL)}
    for name, text in (("train", TRAIN), ("val", VAL)):
        pairs = [[encode(half) for half in pair] for pair in lab.line_pairs(text)]
        texts[f"{name} pairs"] = np.array(pairs)
    result = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    result["command"] = "python benchmarks/objectives.py"
    with threadpool_limits(1):
        for part, (train, runs) in PLAN.items():
            old = result.get(part, [])
            result[part] = [
                next((r for r in old if settings.items() <= r.items()), settings) for settings in runs
            ]
            for run in result[part]:
                if "seconds" not in run:
                    began = time.process_time()
                    run |= train(texts, **run)
                    run["seconds"] = round(time.process_time() - began, 1)
                    print(part, run, flush=True)
                    FILE.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
