"""Chapter 07's workbench: its model's gradients, its two tasks, and that it learns."""

import itertools

import numpy as np
import pytest

from fmkit.lab.workbench import pretraining as lab
from fmkit.params import flatten, unflatten

V = 9


def doubles(params):
    return unflatten({name: w.astype(np.float64) for name, w in flatten(params).items()})


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("rotary", [True, False])
def test_gradients_are_the_slopes(causal, rotary):
    rng = np.random.default_rng(0)
    params = doubles(lab.init(1, V, d_model=8, n_heads=2, block_size=6, rotary=rotary))
    ids, targets = rng.integers(0, V, (2, 3, 5))
    targets[0, 2:] = -100
    flat = flatten(params)
    grads = flatten(lab.loss_and_grads(params, ids, targets, causal, n_heads=2)[1])
    assert grads.keys() == flat.keys()
    for name, w in flat.items():
        place = tuple(rng.integers(0, n) for n in w.shape)
        values = []
        for step in (1e-5, -1e-5):
            moved = w.copy()
            moved[place] += step
            nudged = unflatten({**flat, name: moved})
            values.append(lab.loss_and_grads(nudged, ids, targets, causal, n_heads=2)[0])
        assert (values[0] - values[1]) / 2e-5 == pytest.approx(grads[name][place], rel=1e-4, abs=1e-8), name


def test_only_the_causal_model_is_blind_to_the_future():
    params = lab.init(0, V)
    ids = np.random.default_rng(1).integers(0, V, (2, 7))
    changed = ids.copy()
    changed[:, -1] = (changed[:, -1] + 1) % V
    for causal in (True, False):
        a, b = (lab.model(params, x, causal)[0][:, 0] for x in (ids, changed))
        assert np.array_equal(a, b) == causal


@pytest.mark.parametrize("step", [lab.adamw_step, lab.muon_step])
def test_it_learns_a_text_that_repeats(step):
    text = np.tile(np.arange(V), 40)
    source = lab.batches(text, 4, 12, np.random.default_rng(0))
    params = lab.init(0, V, d_model=16, n_heads=2)
    before = flatten(params)["wte"].copy()
    trained, losses, watched = lab.train(
        params, source, 60, True, step, n_heads=2, lr=2.0, watch=lambda p: p["wte"].dtype
    )
    assert losses[0] == pytest.approx(np.log(V), abs=0.1) and losses[-1] < 0.5
    assert watched == [np.float32] * 10
    np.testing.assert_array_equal(params["wte"], before)


def test_it_learns_from_a_loss_that_it_is_given():
    """A learner's own loss: half of it has half the gradient, and the clipping sees that."""

    def half(logits, targets):
        value, dlogits = lab.library_loss(logits, targets)
        return value / 2, dlogits / 2

    text, runs = np.tile(np.arange(V), 40), []
    for loss in (lab.library_loss, half):
        source = lab.batches(text, 4, 12, np.random.default_rng(0))
        _, losses, _ = lab.train(
            lab.init(0, V, d_model=16, n_heads=2), source, 20, True, n_heads=2, loss=loss
        )
        runs.append(losses)
    assert runs[1][0] == pytest.approx(runs[0][0] / 2) and runs[1][-1] < runs[1][0]


def test_hidden_tokens():
    ids = np.random.default_rng(2).integers(0, V, (200, 50))
    inputs, targets = lab.hide(ids, np.random.default_rng(3), V, 0.15)
    chosen = targets != -100
    assert 0.14 < chosen.mean() < 0.16
    np.testing.assert_array_equal(targets[chosen], ids[chosen])
    np.testing.assert_array_equal(inputs[~chosen], ids[~chosen])
    assert 0.77 < (inputs == V)[chosen].mean() < 0.83
    kept = (inputs == ids)[chosen].mean()
    assert 0.09 < kept < 0.14  # a tenth, and a ninth of the random ones


def test_hidden_batches_can_be_learnt_and_judged():
    text = np.tile(np.arange(V), 40)
    source = lab.hidden_batches(text, V, np.random.default_rng(0), size=8, T=12)
    inputs, targets = next(source)
    assert inputs.shape == targets.shape == (8, 12)
    params, _, _ = lab.train(lab.init(0, V + 1, d_model=32), source, 150, causal=False)
    assert lab.hidden_right(params, inputs, targets) > 0.8


def test_pairs_of_lines():
    lines = [
        "MACBETH:",
        "Too short.",
        "A line of words enough",
        "Another line of words",
        "The third line of words",
    ]
    text = "\n".join([*lines, "", "BANQUO:", "x", "y"])
    pairs = lab.line_pairs(text, length=10)
    assert pairs[0] == ("Too short.", "A line of ")
    assert pairs[-1] == ("e of words", "The third ") and len(pairs) == 3


def test_a_batch_of_pairs():
    pairs = np.random.default_rng(0).integers(0, V, (50, 2, 4))
    inputs, targets = lab.pair_batch(pairs, V, np.random.default_rng(1), 400)
    assert inputs.shape == (400, 10) and set(inputs[:, 0]) == {V} and set(inputs[:, 5]) == {V + 1}
    assert set(targets[:, 0]) == {V + 2, V + 3} and (targets[:, 1:] == -100).all()
    together = {tuple(pair.ravel()) for pair in pairs}
    follows = np.array([tuple(row) in together for row in np.delete(inputs, [0, 5], 1)])
    assert (follows[targets[:, 0] == V + 3]).all() and 0.4 < follows.mean() < 0.6
    asked = lab.pair_batch(
        pairs, V, np.random.default_rng(1), 20, label=lambda a, b: (b[:, 0] == 0).astype(int)
    )
    np.testing.assert_array_equal(asked[1][:, 0] - (V + 2), asked[0][:, 6] == 0)
    assert 0.3 < lab.answers_right(lab.init(0, V + 4), inputs, targets) < 0.7


def test_the_same_seed_gives_the_same_batches():
    text = np.arange(100) % V
    streams = [lab.hidden_batches(text, V, np.random.default_rng(4)) for _ in range(2)]
    for (a, b), (c, d) in itertools.islice(zip(*streams, strict=True), 3):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)
