"""The laptop speedrun: how much sooner do the fast recipes reach the classic recipe's final validation loss?

    python benchmarks/speedrun.py [--seed 11 --seed 12]

All recipes of chapter 07 train from scratch on the same text, with each seed, in one process with one thread,
and take turns: 20 slices of each, in which the whole of its steps is done. So other load on the machine slows
all alike. The processor time of the training steps counts (the batch, forward, backward, optimizer), not that
of the validation, which covers the whole validation text at the end. The last line is ``ratio N``: the CPU
seconds of the classic recipe divided by those of `SPEEDRUN`, which has no tables, over all seeds; the line
before it says the same of `TABLES`. Whoever does not end at the loss of the classic with the same seed, or
below, gets no ratio. `BLOCKLESS`, the tables without a transformer, runs beside them: the control.

No recipe was chosen by what it does with the seeds 11 and 12. About five CPU minutes.
"""

import argparse
import dataclasses
import os
import sys
import time

SLICES = 20
PEEK = 16384  # characters of the validation text for the curves


class Runner:
    """One recipe on its way."""

    def __init__(self, recipe, data):
        from fmkit.runs.pretraining import recipes

        self.recipe, self.data, self.step, self.seconds = recipe, data, 0, 0.0
        self.model = recipes.make_model(recipe, data.tokenizer.vocab_size)
        self.optimizer = recipes.make_optimizer(self.model, recipe)

    def run_until(self, last: int) -> None:
        from fmkit.runs.pretraining import recipes
        from fmkit.runs.pretraining.train import loss_and_gradients

        start = time.process_time()
        while self.step < last:
            ids, targets = recipes.get_batch(self.data.train, self.recipe, self.step)
            self.loss = loss_and_gradients(self.model, ids, targets)
            recipes.set_lr(self.optimizer, recipes.lr_multiplier(self.step, self.recipe))
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.step += 1
        self.seconds += time.process_time() - start

    def validation_loss(self, characters: int | None = None) -> float:
        from fmkit.runs.pretraining import recipes

        return recipes.validation_loss(self.model, self.data.val[:characters], self.recipe)

    def result(self) -> dict:
        return {
            "steps": self.step,
            "parameters": sum(w.numel() for w in self.model.parameters()),
            "seconds": round(self.seconds, 2),
            "loss": round(self.validation_loss(), 4),
            "recipe": dataclasses.asdict(self.recipe),
        }


def take_turns(runners: list[Runner], slices: int, peek: bool = False) -> list[list]:
    """Train them all; with ``peek`` each one's curve comes back, [CPU seconds, loss] after every slice."""
    curves: list[list] = [[] for _ in runners]
    for n in range(1, slices + 1):
        for runner, curve in zip(runners, curves, strict=True):
            runner.run_until(runner.recipe.steps * n // slices)
            if peek:
                curve.append([round(runner.seconds, 2), round(runner.validation_loss(PEEK), 4)])
        print(f"{n} of {slices}", file=sys.stderr, flush=True)
    return curves


def prepare():
    """One thread, and the plays."""
    import torch
    from threadpoolctl import threadpool_limits

    from fmkit.runs.corpus import read_corpus
    from fmkit.runs.memory import keep_memory

    torch.set_num_threads(1)
    threadpool_limits(1)
    keep_memory()  # for all
    return read_corpus(None, 64)


def speedrun(data, seeds) -> list[dict]:
    """Every recipe with every seed."""
    from fmkit.runs.pretraining.recipes import BLOCKLESS, CLASSIC, FAST, SPEEDRUN, TABLES

    each = [
        dataclasses.replace(recipe, seed=seed)
        for seed in seeds
        for recipe in (CLASSIC, FAST, SPEEDRUN, TABLES, BLOCKLESS)
    ]
    runners = [Runner(recipe, data) for recipe in each]
    curves = take_turns(runners, SLICES, peek=True)
    return [runner.result() | {"curve": curve} for runner, curve in zip(runners, curves, strict=True)]


def report(runs: list[dict]) -> None:
    """Print what came of it; the ratio of `SPEEDRUN` last."""
    goal = {run["recipe"]["seed"]: run["loss"] for run in runs if run["recipe"]["name"] == "classic"}
    ratios = {}
    for name in ("classic", "fast", "blockless", "tables", "speedrun"):
        its = [run for run in runs if run["recipe"]["name"] == name]
        for run in its:
            seed = run["recipe"]["seed"]
            verdict = "there" if run["loss"] <= goal[seed] else "not there"
            print(
                f"{name:9} seed {seed}: {run['parameters']:9,} parameters, {run['steps']:4} steps, "
                f"{run['seconds']:6.1f} CPU-s, validation loss {run['loss']:.4f}  {verdict}"
            )
        if all(run["loss"] <= goal[run["recipe"]["seed"]] for run in its):
            ratios[name] = sum(run["seconds"] for run in its)
    for name in ("blockless", "tables"):
        if name in ratios:
            print(f"{name}: ratio {ratios['classic'] / ratios[name]:.1f}")
    if "speedrun" not in ratios:
        raise SystemExit("the speedrun did not reach the classic recipe's validation loss")
    print(f"ratio {ratios['classic'] / ratios['speedrun']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seed", type=int, action="append", help="of weights and batches, also twice (default: 11 and 12)"
    )
    args = parser.parse_args()
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if any(os.environ.get(name) != "1" for name in one_thread):  # read when the libraries are imported
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | one_thread)
    report(speedrun(prepare(), args.seed or (11, 12)))


if __name__ == "__main__":
    main()
