"""The steps of a pretraining run, taken by all its processes together."""

import math
import time
from contextlib import nullcontext

import numpy as np
import torch

from fmkit.errors import CheckpointError, PretrainingError
from fmkit.runs.bars import steps_bar
from fmkit.runs.pretraining import recipes
from fmkit.runs.pretraining.state import Run
from fmkit.runs.stopping import Stopped, reasons_to_stop

SAVE_SECONDS = 15.0  # how much work a kill may cost
PEEKS = 10  # so often in a run the bar gets a new validation loss ...
PEEK_TOKENS = 4096  # ... on parts of the validation text; the whole of it is read once, at the end


def train(run: Run, progress: bool | None) -> None:
    """Take the steps that are left; if one process is asked to stop, all stop after the same step."""
    steps, saved, parts = run.recipe.steps, time.monotonic(), _parts(run.data.val)
    hidden = True if run.here.rank > 0 else None if progress is None else not progress
    with reasons_to_stop() as reasons, steps_bar(run.recipe.name, run.step, steps, hidden) as bar:
        run.clock = time.process_time()
        while run.step < steps:
            if _step(run, bool(reasons)):
                break
            bar.update()
            if run.here.rank > 0 or run.step == steps:
                continue
            if run.step % max(1, steps // PEEKS) == 0:
                run.val_losses.append((run.step, validate(run, parts)))
            bar.set_postfix(_shown(run), refresh=False)
            if time.monotonic() - saved > SAVE_SECONDS:
                try:
                    run.save()
                except CheckpointError as error:  # the other processes stop in their next step
                    reasons.append(error)
                saved = time.monotonic()
    run.here.share(lambda: _leave(run, reasons))


def _step(run: Run, stop: bool) -> bool:
    """One step of all processes together; True, and no step, if one of them was asked to stop."""
    recipe, here = run.recipe, run.here
    ids, targets = recipes.get_batch(run.data.train, recipe, run.step, here.device, here.rank, here.size)
    loss = loss_and_gradients(run.model, ids, targets)
    spent, run.clock = time.process_time() - run.clock, time.process_time()
    report = torch.stack([loss, loss.new_tensor(spent), loss.new_tensor(float(stop))])
    here.average([report, *(w.grad for w in run.model.parameters() if w.grad is not None)])
    loss, spent, stop = report.tolist()
    run.cpu_seconds += spent * here.size
    if not stop:
        if not math.isfinite(loss):
            raise PretrainingError(f"the loss is {loss} at step {run.step}: the learning rate is too high")
        recipes.set_lr(run.optimizer, recipes.lr_multiplier(run.step, recipe))
        run.optimizer.step()
        run.losses.append(loss)
        run.step += 1
    run.optimizer.zero_grad()
    return stop > 0


def loss_and_gradients(model, ids, targets):
    """Forward and backward on one batch: the mean loss, nats per token; products in bfloat16 on a GPU only.

    (On a CPU without bfloat16 in hardware it is slower than float32.)
    """
    on_gpu = ids.device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    with torch.autocast("cuda", torch.bfloat16) if on_gpu else nullcontext():
        logits = model(ids)  # (B, T, V)
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
    loss.backward()
    return loss.detach()


def _parts(val: np.ndarray, n_parts: int = 8) -> np.ndarray:
    """`PEEK_TOKENS` from all over the validation text (the first page of a play is unlike the rest)."""
    if len(val) <= PEEK_TOKENS:
        return val
    starts = np.linspace(0, len(val) - PEEK_TOKENS // n_parts, n_parts, dtype=int)
    return np.concatenate([val[start : start + PEEK_TOKENS // n_parts] for start in starts])


def validate(run: Run, ids: np.ndarray) -> float:
    """The loss on a validation text, nats per token."""
    return float(recipes.validation_loss(run.model, ids, run.recipe))


def _shown(run: Run) -> dict[str, str]:
    """For the bar: the mean loss of the last steps (that of one batch varies), the newest validation loss."""
    recent = run.losses[-20:]
    losses = {"loss": f"{sum(recent) / len(recent):.3f}"}
    if run.val_losses:
        losses["val"] = f"{run.val_losses[-1][1]:.3f}"
    return losses


def _leave(run: Run, reasons: list) -> None:
    """After the loop: raise what ended it early, and save."""
    for reason in reasons:
        if isinstance(reason, Exception):
            raise reason
    run.save()
    if reasons or run.step < run.recipe.steps:
        raise Stopped(
            f"Stopped after step {run.step} of {run.recipe.steps}, which is saved in {run.folder}. "
            "Run the same command again to go on."
        )
