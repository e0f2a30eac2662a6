"""The loop around a training: steps, epochs, validation, and when to stop."""

import time
from collections.abc import Callable

import torch


def schedule(step: int, steps: int, warmup: float = 0.1) -> float:
    """Multiplier of the learning rate: up in a straight line for a tenth of the steps, then down to zero."""
    return min((step + 1) / max(1.0, warmup * steps), (steps - step) / steps)


def take_step(loss: torch.Tensor, optimizer: torch.optim.Optimizer, multiplier: float = 1.0) -> None:
    """Backward, clip the gradient to a norm of 1, one step at ``multiplier`` times the peak learning rates.

    A group's peak is the learning rate that it was made with.
    """
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("peak", group["lr"]) * multiplier
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([w for group in optimizer.param_groups for w in group["params"]], 1.0)
    optimizer.step()


def run_epochs(
    model: torch.nn.Module,
    train: Callable[[int], float],
    validate: Callable[[], float],
    epochs: int,
    patience: int | None = None,
    cpu_seconds: float = 0.0,
) -> list[dict]:
    """Train epoch by epoch; stop when the validation accuracy stops improving, keep the best weights.

    Parameters
    ----------
    model : Module
        At the end its weights that learn are those of the best epoch.
    train : callable
        ``train(epoch)`` trains for one epoch (0 is the first) and gives its mean loss.
    validate : callable
        ``validate()`` gives the validation accuracy.
    epochs : int
        At most.
    patience : int, optional
        Stop after so many epochs in a row without a better accuracy. None: run all epochs, and keep the
        weights of the last one.
    cpu_seconds : float
        What was spent before the first epoch.

    Returns
    -------
    history : list of dict
        Of each epoch: epoch, loss, val_accuracy, cpu_seconds (of training so far, without validation).
    """
    history, best, best_epoch, kept = [], -1.0, 0, {}
    for epoch in range(epochs):
        began = time.process_time()
        loss = train(epoch)
        cpu_seconds += time.process_time() - began
        accuracy = validate()
        history.append(
            {"epoch": epoch + 1, "loss": loss, "val_accuracy": accuracy, "cpu_seconds": cpu_seconds}
        )
        if patience is None:
            continue
        if accuracy > best:
            best, best_epoch = accuracy, epoch
            kept = {name: w.detach().clone() for name, w in model.named_parameters() if w.requires_grad}
        elif epoch - best_epoch >= patience:
            break
    if kept:
        model.load_state_dict(kept, strict=False)
    return history
