"""The laptop speedrun: how much sooner does the fast recipe reach the classic recipe's final validation loss?

    python benchmarks/speedrun.py [--seed 0]

Both recipes train from scratch on the same text, in one process with one thread, and take
turns: 40 slices of each, in which the whole of its steps is done. The processor time of the training steps
counts (the batch, forward, backward, optimizer), not that of the validation at the end, which covers the
whole validation text. The last line is ``ratio N``: the CPU seconds of the classic recipe divided by those of
the fast one. If the fast one does not end at the classic's loss or below, no ratio is printed.
"""

import argparse
import os
import sys
import time
from dataclasses import replace

SLICES = 40


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

    def validation_loss(self) -> float:
        from fmkit.runs.pretraining import recipes

        return recipes.validation_loss(self.model, self.data.val, self.recipe)


def speedrun(seed: int) -> float:
    import torch

    from fmkit.runs.corpus import read_corpus
    from fmkit.runs.memory import keep_memory
    from fmkit.runs.pretraining.recipes import CLASSIC, SPEEDRUN

    torch.set_num_threads(1)
    keep_memory()  # for both
    data = read_corpus(None, CLASSIC.block_size)
    runners = [Runner(replace(recipe, seed=seed), data) for recipe in (CLASSIC, SPEEDRUN)]
    for n in range(1, SLICES + 1):
        for runner in runners:
            runner.run_until(runner.recipe.steps * n // SLICES)
        if n % 8 == 0:
            print(
                f"{100 * n // SLICES:3} %",
                *(f"{r.recipe.name} {r.seconds:.1f} CPU-s" for r in runners),
                flush=True,
            )
    losses = [runner.validation_loss() for runner in runners]
    for runner, loss in zip(runners, losses, strict=True):
        n = sum(w.numel() for w in runner.model.parameters())
        print(
            f"{runner.recipe.name}: {n:,} parameters, {runner.step} steps, {runner.seconds:.1f} CPU-s, "
            f"validation loss {loss:.4f}"
        )
    if losses[1] > losses[0]:
        raise SystemExit("the fast recipe did not reach the classic one's validation loss")
    return runners[0].seconds / runners[1].seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights and batches (default: 0)")
    args = parser.parse_args()
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if any(os.environ.get(name) != "1" for name in one_thread):  # read when the libraries are imported
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | one_thread)
    print(f"ratio {speedrun(args.seed):.2f}")


if __name__ == "__main__":
    main()
