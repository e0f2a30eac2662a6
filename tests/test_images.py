"""Geometry against scipy.ndimage where the conventions agree, and what must hold of any image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from fmkit.data import datasets
from fmkit.images import add_noise, augment, bilinear, crop, flip, random_crop, rotate, scale, warp

SHAPES = [(8, 8), (7, 12), (6, 5, 3), (1, 4), (1, 1, 2)]


def picture(shape, dtype="float64"):
    return np.random.default_rng(7).random(shape).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("degrees", [0.0, 10.0, -33.0, 90.0, 137.0, 180.0, 270.0, 360.0, 725.0])
@pytest.mark.parametrize("fill", [0.0, 0.5])
def test_rotation_equals_scipys(shape, degrees, fill):
    image = picture(shape)
    expected = ndimage.rotate(image, degrees, reshape=False, order=1, mode="grid-constant", cval=fill)
    np.testing.assert_allclose(rotate(image, degrees, fill), expected, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [0.3, 0.9, 1.0, 1.1, 4.0])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.0, -2.0), (0.3, 0.7)])
def test_scale_and_shift_equal_scipys(shape, factor, shift):
    image = picture(shape)
    middle = (np.array(shape[:2]) - 1) / 2
    offset = middle - (middle + np.array(shift)) / factor
    options = {"matrix": np.eye(2) / factor, "offset": offset, "order": 1, "mode": "grid-constant"}
    layers = [ndimage.affine_transform(layer, **options) for layer in np.moveaxis(np.atleast_3d(image), 2, 0)]
    expected = np.stack(layers, axis=2).reshape(shape)
    np.testing.assert_allclose(warp(image, factor=factor, shift=shift), expected, atol=1e-12)


def test_interpolation_equals_scipys_at_random_places():
    image = picture((9, 6))
    rows, columns = np.random.default_rng(1).uniform(-4, 13, (2, 20, 30))
    expected = ndimage.map_coordinates(image, [rows, columns], order=1, mode="grid-constant", cval=0.25)
    np.testing.assert_allclose(bilinear(image, rows, columns, 0.25), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(8, 8), (5, 5, 3)])
def test_quarter_turns_of_a_square_are_exact(shape):
    image = picture(shape)
    np.testing.assert_array_equal(rotate(image, 0.0), image)
    for quarter in range(1, 5):
        np.testing.assert_allclose(rotate(image, 90.0 * quarter), np.rot90(image, quarter), atol=1e-12)
    np.testing.assert_allclose(rotate(rotate(image, 90.0), -90.0), image, atol=1e-12)


def test_whole_pixel_shifts_move_pixels():
    image = picture((6, 7))
    moved = warp(image, shift=(2.0, -3.0))
    np.testing.assert_array_equal(moved[2:, :-3], image[:-2, 3:])
    assert not moved[:2].any() and not moved[:, -3:].any()


def test_scaling_about_the_middle():
    image = np.zeros((9, 9))
    image[3:6, 3:6] = 1
    assert scale(image, 2.0).sum() > image.sum() > scale(image, 0.5).sum()
    np.testing.assert_array_equal(scale(image, 1.0), image)
    np.testing.assert_allclose(scale(image, 3.0)[1:-1, 1:-1], 1.0)
    for factor in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="factor"):
            scale(image, factor)


@given(
    st.sampled_from(SHAPES),
    st.floats(-400, 400),
    st.floats(0.05, 20),
    st.sampled_from(["float32", "float64"]),
)
def test_warps_stay_within_the_range_of_the_values(shape, degrees, factor, dtype):
    image = picture(shape, dtype)
    out = warp(image, degrees, factor, fill=0.5)
    assert out.shape == image.shape and out.dtype == dtype
    eps = 1e-6
    assert out.min() >= min(image.min(), 0.5) - eps and out.max() <= max(image.max(), 0.5) + eps


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_flipping_twice_gives_the_image_back(shape, direction):
    image = picture(shape)
    once = flip(image, direction)
    np.testing.assert_array_equal(flip(once, direction), image)
    assert not np.shares_memory(once, image)
    with pytest.raises(ValueError, match="direction"):
        flip(image, "diagonal")


def test_crop():
    image = picture((6, 7, 3))
    window = crop(image, 1, 2, 4, 5)
    np.testing.assert_array_equal(window, image[1:5, 2:7])
    assert window.shape == (4, 5, 3) and not np.shares_memory(window, image)
    assert crop(image, 6, 7, 0, 0).shape == (0, 0, 3)
    for place in [(-1, 0, 2, 2), (0, 0, 7, 2), (0, 6, 2, 2), (0, 0, -1, 2)]:
        with pytest.raises(ValueError, match="not inside"):
            crop(image, *place)


def test_random_crops_reach_every_place():
    image = np.arange(12.0).reshape(3, 4)
    rng = np.random.default_rng(0)
    corners = {random_crop(image, 2, 2, rng)[0, 0] for _ in range(200)}
    assert corners == {0, 1, 2, 4, 5, 6}
    np.testing.assert_array_equal(random_crop(image, 3, 4, rng), image)
    with pytest.raises(ValueError, match="not inside"):
        random_crop(image, 4, 4, rng)


def test_noise_has_the_wanted_size():
    image = np.full((100, 100), 0.5, dtype=np.float32)
    noisy = add_noise(image, 0.1, np.random.default_rng(0))
    assert noisy.dtype == np.float32 and abs(noisy.std() - 0.1) < 0.003 and abs(noisy.mean() - 0.5) < 0.003
    np.testing.assert_array_equal(add_noise(image, 0.0, np.random.default_rng(0)), image)


def test_augmented_digits_are_near_the_originals_and_reproducible():
    digits = datasets.digits()[0].reshape(-1, 8, 8)[:50]
    before = digits.copy()
    a, b = (np.stack([augment(d, rng) for d in digits]) for rng in map(np.random.default_rng, (0, 0)))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(digits, before)
    assert (a != digits).any(axis=(1, 2)).all()
    nearest = ((a[:, None] - digits) ** 2).sum((2, 3)).argmin(1)
    assert (nearest == np.arange(50)).mean() > 0.8


def test_augment_without_any_change_and_with_mirrors():
    image, rng = picture((5, 6, 3)), np.random.default_rng(0)
    still = {"degrees": 0.0, "zoom": 0.0, "shift": 0.0, "noise": 0.0}
    np.testing.assert_array_equal(augment(image, rng, **still), image)
    mirrored = [(augment(image, rng, **still, mirror=True) == image).all() for _ in range(100)]
    assert 30 < sum(mirrored) < 70


def test_images_of_bytes_are_refused():
    with pytest.raises(Exception, match="uint8|UInt8|u8|Float"):  # the signature check of the tests, or ours
        rotate(np.zeros((4, 4), dtype=np.uint8), 10.0)


IMAGE, BYTES, RNG = np.eye(3), np.eye(3, dtype=np.uint8), np.random.default_rng(0)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rotate(np.ones(3), 9.0), ValueError, r"image: expected \(H, W\) or \(H, W, C\), got \(3,\)"),
        (lambda: scale(np.ones((1, 2, 3, 4)), 2.0), ValueError, r"image: .* got \(1, 2, 3, 4\)"),
        (lambda: warp([[1.0]]), TypeError, "image: .* got a list"),
        (lambda: rotate(BYTES, 9.0), TypeError, "image: expected floats, got uint8"),
        (lambda: rotate(IMAGE, np.inf), ValueError, "degrees: expected a finite number, got inf"),
        (lambda: rotate(IMAGE, np.nan), ValueError, "degrees: .* got nan"),
        (lambda: scale(IMAGE, np.nan), ValueError, "factor: expected a number > 0"),
        (lambda: warp(IMAGE, shift=(0.0, np.nan)), ValueError, "shift: expected a (finite|pair of) number"),
        (lambda: warp(IMAGE, shift=(0.0,)), TypeError, "shift: expected a pair of numbers"),
        (
            lambda: bilinear(IMAGE, np.zeros(2), np.zeros(2)),
            ValueError,
            r"rows: expected \(h, w\), got \(2,\)",
        ),
        (
            lambda: bilinear(IMAGE, np.zeros((2, 1)), np.zeros((1, 2))),
            ValueError,
            r"columns: .* got \(1, 2\)",
        ),
        (lambda: crop(np.ones(3), 0, 0, 1, 1), ValueError, "image: expected"),
        (lambda: random_crop(np.ones(3), 1, 1, RNG), ValueError, "image: expected"),
        (lambda: flip(np.ones(3)), ValueError, "image: expected"),
        (lambda: add_noise(BYTES, 0.1, RNG), TypeError, "image: expected floats, got uint8"),
        (lambda: add_noise(IMAGE, -0.1, RNG), ValueError, "std: expected a number >= 0, got -0.1"),
        (lambda: augment(IMAGE, RNG, degrees=-1.0), ValueError, "degrees: expected a number >= 0, got -1.0"),
        (lambda: augment(IMAGE, RNG, zoom=-2.0), ValueError, "zoom: .* got -2.0"),
        (lambda: augment(IMAGE, RNG, shift=-2.0), ValueError, "shift: .* got -2.0"),
        (lambda: augment(IMAGE, RNG, noise=np.nan), ValueError, "noise: .* got nan"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.usefixtures("as_a_learner")
def test_bytes_may_be_cropped_and_flipped():
    assert crop(BYTES, 0, 0, 2, 2).dtype == flip(BYTES).dtype == np.uint8
