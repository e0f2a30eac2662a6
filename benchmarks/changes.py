"""The laptop speedrun, one change at a time: what each gains, and what it costs.

    python benchmarks/changes.py

Trains the ladder from `CLASSIC` to `SPEEDRUN` and the changes that were left out, 250 steps each, then the
whole classic run beside the fast ones, and writes fmkit/data/results/speedrun.json, which chapter 07 shows.
One thread, about ten CPU minutes. All runs of a part take turns, a few steps at a time, so that other load on
the machine slows all alike; the processor time of the training steps counts. The last line is ``ratio N``:
the CPU seconds of the classic recipe divided by those of `SPEEDRUN`.
"""

import dataclasses
import json
from dataclasses import replace

import torch
from speedrun import Runner
from threadpoolctl import threadpool_limits

from fmkit._paths import RESULTS
from fmkit.runs.corpus import read_corpus
from fmkit.runs.memory import keep_memory
from fmkit.runs.pretraining.recipes import CLASSIC, FAST, SPEEDRUN, validation_loss

FILE = RESULTS / "speedrun.json"
STEPS, TURN, PEEK = 250, 10, 16384
LLAMA = {"body": "llama", "d_ff": 344}
LADDER = (  # each change stays for those after it
    ("learning rate 4e-3", {"lr": 4e-3}),
    ("rotary positions", {"rotary": True}),
    ("QK-norm", {"qk_norm": True}),
    ("Muon for the matrices", {"muon_lr": 0.03}),
    (
        "linear to zero, no clipping or decay",
        {"decay": "linear", "floor": 0.0, "warmup": 5, "weight_decay": 0.0, "clip": 0.0},
    ),
    ("blocks begin at zero", {"zero_init": True}),
    ("Llama's block", LLAMA),
    ("hashed n-gram tables", {"ngram_rows": 16384, "table_lr": 1e-2}),
)
CANDIDATES = {  # each tried alone on top of the ladder's sixth change
    "squared ReLU": {"relu_squared": True},
    "soft cap on the logits": {"soft_cap": 15.0},
    "output layer of its own": {"tied": False},
    "another seed": {"seed": 1},
    "a third seed": {"seed": 2},
}
SEEDS = {  # the two that look worse, on the seeds of the rung
    "squared ReLU, another seed": {"relu_squared": True, "seed": 1},
    "squared ReLU, a third seed": {"relu_squared": True, "seed": 2},
    "Llama's block, another seed": LLAMA | {"seed": 1},
    "Llama's block, a third seed": LLAMA | {"seed": 2},
}


def run(recipes: dict, data, slices: int, peek: bool) -> dict:
    """Train all the recipes, taking turns."""
    runners = {name: Runner(recipe, data) for name, recipe in recipes.items()}
    curves = {name: [] for name in recipes}
    for n in range(1, slices + 1):
        for name, runner in runners.items():
            runner.run_until(runner.recipe.steps * n // slices)
            if peek:
                loss = validation_loss(runner.model, data.val[:PEEK], runner.recipe)
                curves[name].append([round(runner.seconds, 2), round(loss, 4)])
        print(f"{n} of {slices}", flush=True)
    results = {}
    for name, runner in runners.items():
        results[name] = {
            "steps": runner.step,
            "parameters": sum(w.numel() for w in runner.model.parameters()),
            "seconds": round(runner.seconds, 2),
            "loss": round(runner.validation_loss(), 4),
            "recipe": dataclasses.asdict(runner.recipe),
        }
        if peek:
            results[name]["curve"] = curves[name]
        print(f"{name}: {results[name]['seconds']} CPU-s, {results[name]['loss']}", flush=True)
    return results


def rungs() -> dict:
    """The ladder as recipes by name."""
    recipe = replace(CLASSIC, steps=STEPS, warmup=20)
    recipes = {"classic": recipe}
    for name, change in LADDER:
        recipe = replace(recipe, **change)
        recipes[name] = recipe
    return recipes


def main() -> None:
    torch.set_num_threads(1)
    threadpool_limits(1)
    keep_memory()
    data, ladder = read_corpus(None, CLASSIC.block_size), rungs()
    base = ladder["blocks begin at zero"]
    candidates = {name: replace(base, **change) for name, change in (CANDIDATES | SEEDS).items()}
    short = run(ladder | candidates, data, STEPS // TURN, peek=False)
    whole = run({"classic": CLASSIC, "fast": FAST, "speedrun": SPEEDRUN}, data, 40, peek=True)
    result = {
        "command": "python benchmarks/changes.py",
        "torch": torch.__version__,
        "ladder": {name: short[name] for name in ladder},
        "candidates": {name: short[name] for name in candidates},
        "whole": whole,
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(f"ratio {whole['classic']['seconds'] / whole['speedrun']['seconds']:.2f}")


if __name__ == "__main__":
    main()
