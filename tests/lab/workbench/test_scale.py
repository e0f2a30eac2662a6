"""Chapter 15's stored runs, and small ones made now."""

import numpy as np
import pytest

from fmkit.data import datasets
from fmkit.errors import AssetError
from fmkit.lab.workbench import scale


def test_the_results_are_the_whole_grid_three_times():
    found = scale.results()
    shapes = {(w, s, seed) for w in scale.WIDTHS for s in scale.STEPS for seed in range(3)}
    assert {(r["width"], r["steps"], r["seed"]) for r in found["runs"]} == shapes
    assert {(r["width"], r["steps"]) for r in found["held_out"]} == {scale.HELD_OUT}
    for r in found["runs"]:
        assert r["D"] == r["steps"] * scale.ROWS * scale.BLOCK and 1.9 < r["loss"] < 3


def test_a_run_gives_what_is_stored():
    try:
        datasets.shakespeare()
    except AssetError as error:
        pytest.skip(str(error))
    stored = next(r for r in scale.results()["runs"] if (r["width"], r["steps"], r["seed"]) == (8, 100, 0))
    assert scale.run(8, 100) == pytest.approx(stored["loss"], abs=0.02)
    assert scale.inner_parameters(8) == stored["N"]
    assert scale.run(8, 20, seed=1) != scale.run(8, 20, seed=2)


def test_masks_drawn_anew_cost_something():
    same, anew = (scale.recomputed(anew, steps=80) for anew in (False, True))
    assert same < anew - 0.2


def test_gloo_was_run_on_this_tower():
    losses = scale.gloo()
    params, x, targets = scale.tower()
    assert set(losses) == {"torch", "data_parallel", "tensor_parallel", "pipeline"}
    from fmkit.parallel import train_alone

    alone = train_alone(params, x, targets, scale.TOWER_STEPS, scale.TOWER_LR)["losses"]
    for way in set(losses) - {"torch"}:
        for size in ("2", "4"):
            np.testing.assert_allclose(losses[way][size], alone, rtol=0, atol=1e-12)


def test_the_ring_ends_with_one_whole_piece_each():
    states = scale.ring_states(4)
    assert len(states) == 4 and states[0].sum() == 16
    last = states[-1].all(-1)
    np.testing.assert_array_equal(last, np.eye(4, dtype=bool))
