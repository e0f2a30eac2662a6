"""Chapter 14's trainings, and the canary game of its check against right and wrong steps."""

import numpy as np
import pytest

from fmkit import privacy
from fmkit.data.assets import asset_path
from fmkit.lab import exercises
from fmkit.lab.cards import card
from fmkit.lab.judging.answer import Failure, Outcome, run_answer
from fmkit.lab.judging.judge import judge, judge_answer, make_cases
from fmkit.lab.workbench import private as bench

LEAKS = {  # these give away more than they claim; the other mistakes cost accuracy only
    "the batch's sum clipped, not each gradient",
    "the batch's mean clipped, then multiplied up again",
    "each layer clipped by itself",
    "no clipping",
    "the largest entry taken for the norm",
    "each number clipped",
    "noise without clip",
    "sigma taken for the variance",
    "one draw for all numbers of a layer",
    "the same noise in each step",
    "no noise",
    "noise for the first layer only",
    "noise divided by the root of the batch",
    "divided by the actual batch",
}

# --- the game -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_game_catches_the_steps_that_leak_and_no_right_one(seed):
    rows = bench.leaks(seed)
    caught = {name for name, _, proven in rows if proven > bench.CLAIMED}
    assert len(LEAKS) >= 9 and caught == LEAKS
    assert {name for name, is_wrong, _ in rows if not is_wrong} == {"reference", "loop", "joined"}


@pytest.mark.slow
def test_a_right_step_is_never_said_to_leak():
    exercise = exercises.get("private.dp_step")
    from fmkit.lab.exercises.private import _canary

    for seed in range(200):
        inputs = _canary.games(np.random.default_rng(1000 + seed))
        assert _canary.proven(inputs, run_answer(exercise.reference, inputs)) <= bench.CLAIMED


def shared_noise(grads, clip, sigma, expected, noise):
    norms = np.sqrt(sum((g * g).sum(1) for g in grads))
    factors = clip / np.maximum(norms, clip)
    return [
        ((factors[:, None] * g).sum(0) + sigma * clip * z[:, :1]) / expected
        for g, z in zip(grads, noise, strict=True)
    ]


def test_the_card_names_the_mistake_and_says_what_was_proven():
    exercise = exercises.get("private.dp_step")
    verdict = judge_answer(exercise, shared_noise, seed=0)
    assert verdict.misconception == "one draw for all numbers of a layer"
    (said,) = [s for s in verdict.says if "canary games prove" in s]
    assert said.startswith("4 of your steps claim epsilon 2.3") and "give away more" in said
    assert said in repr(card(exercise, verdict))


def test_a_right_answer_hears_that_no_leak_was_found():
    exercise = exercises.get("private.dp_step")
    verdict = judge_answer(exercise, exercise.reference, seed=0)
    assert verdict.status == "ok" and "found no leak" in repr(card(exercise, verdict))


@pytest.mark.parametrize(
    "value", [None, 3, "text", [], [1, 2], [np.zeros(2)], [np.full((16000, 2), np.nan)] * 2, {"a": 1}]
)
def test_an_answer_that_returns_anything_is_judged_as_ever(value):
    exercise = exercises.get("private.dp_step")
    cases = make_cases(exercise, 0)
    verdict = judge(exercise, cases, [Outcome(value=value)] * len(cases))
    assert verdict.status == "wrong" and verdict.message


def test_a_step_that_fails_is_not_attacked():
    exercise = exercises.get("private.dp_step")
    cases = make_cases(exercise, 0)
    failed = [Outcome(failure=Failure("raised", "ValueError", "no", ("ValueError",)))] * len(cases)
    assert judge(exercise, cases, failed).kind == "raised"


# --- trainings ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blobs():
    """Something as wide as digits that is learned at once: a bright spot for each of ten classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 400)
    x = rng.uniform(0, 0.2, (400, 784)).astype(np.float32)
    for k in range(10):
        x[y == k, 70 * k : 70 * k + 30] += 0.7
    return x, y


def test_training_learns_with_and_without_privacy_and_by_clients(blobs):
    x, y = blobs
    assert bench.right(bench.train(x, y, 150), x, y).mean() > 0.95
    assert bench.right(bench.train_private(x, y, 0.5, steps=100), x, y).mean() > 0.9
    clients = [(x[:300], y[:300]), (x[300:], y[300:])]
    assert bench.right(bench.federate(clients, 6, [300, 100]), x, y).mean() > 0.9


def test_the_slope_is_that_of_the_loss(blobs):
    x, y = blobs
    params = bench.train(x, y, 20)
    wide = {n: {k: v.astype(float) for k, v in layer.items()} for n, layer in params.items()}
    at, d = x[:1].astype(float), np.random.default_rng(0).normal(size=784)

    def loss(p):
        return -np.log(bench.forward(wide, p)[1][0, y[0]])

    measured = (loss(at + 1e-6 * d) - loss(at - 1e-6 * d)) / 2e-6
    assert bench.loss_slope(wide, y[:1])(at)[0] @ d == pytest.approx(measured, rel=1e-4)


def test_a_private_step_clips_what_it_adds_up(blobs):
    """One step without noise moves no further than rate times clip, all parameters together."""
    x, y = blobs
    before, after = bench.start(), bench.train_private(x, y, 0.0, q=1.0, steps=1, clip=0.01)
    moved = [after[n][k] - before[n][k] for n in before for k in before[n]]
    assert 0 < np.sqrt(sum((m**2).sum() for m in moved)) <= 0.5 * 0.01 * (1 + 1e-4)


def test_shadows_hold_models_with_and_without_each_example(blobs):
    x, y = blobs
    inside, outside = bench.shadows(x[:60], y[:60], 2, steps=40)
    assert inside.shape == outside.shape == (60, 2) and inside.mean() > outside.mean()
    score = privacy.likelihood_ratio(inside[:, 0], inside, outside)
    assert np.isfinite(score).all()


def test_stamp_marks_a_corner_and_leaves_the_rest(blobs):
    x = blobs[0][:3]
    changed = (bench.stamp(x) != x).reshape(3, 28, 28)
    assert changed[:, 25:, 25:].all() and changed.sum() == 27


def test_with_few_leaves_out_one_digit_only(blobs):
    x, y = blobs
    few_x, few_y = bench.with_few(x, y, 8, 5)
    assert (few_y == 8).sum() == 5 and len(few_x) == len(few_y) == len(y) - (y == 8).sum() + 5


def test_certify_keeps_apart_what_is_wrong(blobs):
    x, y = blobs
    params = bench.train(x, y, 150)
    radii = bench.certify(params, x[:4], (y[:4] + np.array([0, 1, 0, 1])) % 10, 0.1, 100)
    assert (radii[[1, 3]] == -1).all() and (radii[[0, 2]] > 0).all()


def test_digits_are_shuffled():
    try:
        asset_path("mnist")
    except Exception:
        pytest.skip("the digits have not been fetched")
    x, y = bench.digits()
    assert x.shape == (5000, 784) and x.dtype == np.float32 and x.max() == 1.0
    assert len(set(y[:40].tolist())) > 5
