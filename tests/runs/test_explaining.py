"""The photographs on trial: the pieces by themselves, and a part of what was written down, made again."""

import numpy as np
import pytest

from fmkit import explain
from fmkit.runs import explaining as photos


def test_blurred_is_the_mean_of_what_is_there():
    photo = np.random.default_rng(0).random((9, 7, 3)).astype(np.float32)
    found = photos.blurred(photo, size=5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[4, 3], photo[2:7, 1:6].mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(found[0, 6], photo[:3, 4:].mean((0, 1)), rtol=1e-5)


def test_patches_are_rows_of_seven():
    pixels = np.zeros((224, 224, 3), np.float32)
    pixels[40, 70, 1] = 2.0
    found = photos.by_patch(pixels)
    assert found.shape == (49,) and found[1 * 7 + 2] == 2.0 and found.sum() == 2.0


@pytest.fixture(scope="module")
def network():
    return photos.load()


def test_a_patch_that_is_hidden_shows_what_is_behind(network):
    photo = photos.photographs()["cat"]
    value = photos.showing(network, photo, 285)
    whole, nothing = value(np.array([np.ones(49), np.zeros(49)]))
    scores = photos.class_scores(network, np.stack([photo, photos.blurred(photo)]))
    p = np.exp(scores - scores.max(1, keepdims=True))
    np.testing.assert_allclose([whole, nothing], (p / p.sum(1, keepdims=True))[:, 285], rtol=1e-4)


def test_slopes_are_those_of_small_steps(network):
    photo = photos.photographs()["coffee"]
    k = int(photos.class_scores(network, photo[None])[0].argmax())
    slope = photos.slopes(network, k)(photo[None])[0]
    assert slope.shape == photo.shape
    way = np.sign(slope)
    ahead, behind = photos.class_scores(network, np.stack([photo + 2e-5 * way, photo - 2e-5 * way]))[:, k]
    assert (ahead - behind) / 4e-5 == pytest.approx((slope * way).sum(), rel=0.05)


def test_what_was_written_down_is_what_comes_out(network):
    made = photos.results()
    assert set(made) == {"cat", "coffee", "rocket"}
    for one in made.values():
        assert len(one["random"]) == 12 and len(one["explanations"]) == 8
        assert all(len(e["patches"]) == 49 for e in one["explanations"].values())
    cat, photo = made["cat"], photos.photographs()["cat"]
    k = int(photos.class_scores(network, photo[None])[0].argmax())
    assert k == cat["class"] and cat["probability"] == pytest.approx(0.714, abs=0.002)
    size = photos.by_patch(np.abs(photos.slopes(network, k)(photo[None])[0]))
    np.testing.assert_allclose(size, cat["explanations"]["size of the slope"]["patches"], rtol=1e-3)


@pytest.mark.slow
def test_an_area_that_was_written_down_comes_out_again(network):
    photo, one = photos.photographs()["coffee"], photos.results()["coffee"]
    value = photos.showing(network, photo, one["class"])
    for name in ("LIME", "integrated, black"):
        patches = np.array(one["explanations"][name]["patches"])
        areas = [explain.area(curve(value, patches)) for curve in photos.CURVES]
        np.testing.assert_allclose(areas, one["explanations"][name]["areas"], atol=0.005)
