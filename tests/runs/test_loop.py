"""The loop around a training: when it stops, which weights it keeps, and how large its steps are."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fmkit.runs.loop import run_epochs, schedule, take_step  # noqa: E402


def run(accuracies, epochs=9, **options):
    """Train a weight that holds the number of the last epoch, with these validation accuracies."""
    model, left = torch.nn.Linear(1, 1), iter(accuracies)
    model.bias.requires_grad_(False)

    def train(epoch):
        with torch.no_grad():
            model.weight.fill_(epoch)
            model.bias.fill_(epoch)
        return 10.0 - epoch

    history = run_epochs(model, train, lambda: next(left), epochs, **options)
    return history, model


@pytest.mark.parametrize(
    "accuracies, patience, ran, best",
    [
        ([0.6, 0.8, 0.7, 0.5, 0.9], 2, 4, 1),
        ([0.6, 0.8, 0.7, 0.9, 0.8, 0.8], 2, 6, 3),
        ([0.5, 0.5, 0.9], 1, 2, 0),  # no better is not better
        ([0.1 * i for i in range(9)], 1, 9, 8),
        ([0.9, *[0.5] * 8], 20, 9, 0),
        ([0.0, 0.0], 1, 2, 0),
        ([math.nan, 0.3, 0.2], 1, 3, 1),
    ],
)
def test_it_stops_early_and_keeps_the_best_epoch(accuracies, patience, ran, best):
    history, model = run(accuracies, patience=patience)
    np.testing.assert_equal([row["val_accuracy"] for row in history], accuracies[:ran])
    assert [row["epoch"] for row in history] == [*range(1, ran + 1)]
    assert [row["loss"] for row in history] == [10.0 - i for i in range(ran)]
    assert model.weight.item() == best
    assert model.bias.item() == ran - 1  # what does not learn is left alone


def test_without_patience_the_last_epoch_is_kept():
    history, model = run([0.9, 0.1, 0.2], epochs=3)
    assert len(history) == 3 and model.weight.item() == 2


def test_no_epoch_at_all():
    model = torch.nn.Linear(1, 1)
    before = model.weight.item()
    assert run_epochs(model, pytest.fail, pytest.fail, 0, patience=1) == []
    assert model.weight.item() == before


def test_processor_time_is_that_of_training(monkeypatch):
    clock = iter([0.0, 3.0, 50.0, 54.0])  # before and after each training; validation takes 47
    monkeypatch.setattr("fmkit.runs.loop.time.process_time", lambda: next(clock))
    history, _ = run([0.5, 0.6], epochs=2, cpu_seconds=100.0)
    assert [row["cpu_seconds"] for row in history] == [103.0, 107.0]


def test_a_step_clips_the_gradient_and_scales_the_peak():
    slow, fast = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [slow], "lr": 0.1}, {"params": [fast], "lr": 1.0}])
    for multiplier in (0.5, 0.25):  # of the peak, not of the last learning rate
        before = fast.detach().clone()
        take_step(30.0 * slow.sum() + 40.0 * fast.sum(), optimizer, multiplier)
        np.testing.assert_allclose(fast.grad, [0.8 / math.sqrt(2)] * 2, rtol=1e-4)
        assert [group["lr"] for group in optimizer.param_groups] == [0.1 * multiplier, multiplier]
        np.testing.assert_allclose((before - fast).detach(), multiplier * fast.grad, rtol=1e-6)
    take_step(0.3 * slow.sum() + 0.4 * fast.sum(), optimizer)
    np.testing.assert_allclose(slow.grad, [0.3, 0.3], rtol=1e-5)  # a short gradient stays


def test_the_schedule_goes_up_and_down_to_nothing():
    rates = [schedule(step, 100) for step in range(100)]
    assert np.argmax(rates) == 9 and 0.9 <= max(rates) <= 1.0
    assert rates[0] == pytest.approx(0.1) and rates[-1] == pytest.approx(0.01)
