"""Losses without labels: values known by hand, and what must not matter."""

import math
from functools import partial

import numpy as np
import pytest

from fmkit.layers import mlp
from fmkit.unlabelled import (
    MAX_LOG_SCALE,
    autoencoder,
    contrastive,
    contrastive_backward,
    discriminator_loss,
    discriminator_loss_backward,
    generator_loss,
    generator_loss_backward,
    inception_score,
    init_autoencoder,
    mask_patches,
    masked_image_loss,
    masked_image_loss_backward,
    simclr,
    simclr_backward,
    two_views,
    unit_vectors,
    unit_vectors_backward,
    zero_shot,
)

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@both_dtypes
def test_a_vector_of_zeros_has_no_direction_and_no_gradient(dtype):
    out, cache = unit_vectors(np.array([[0.0, 0.0], [0.0, -5.0]], dtype))
    assert out.tolist() == [[0.0, 0.0], [0.0, -1.0]]
    dx = unit_vectors_backward(np.ones((2, 2), dtype), cache)
    assert dx.dtype == out.dtype == dtype
    assert dx.tolist() == [[0.0, 0.0], [pytest.approx(0.2), 0.0]]


@pytest.mark.parametrize("length", [1e-30, 1e30])
def test_squares_that_float32_cannot_hold_do_no_harm(length):
    out, cache = unit_vectors(np.array([[3.0, 4.0]], np.float32) * np.float32(length))
    np.testing.assert_allclose(out, [[0.6, 0.8]], rtol=1e-6)
    dx = unit_vectors_backward(np.array([[1.0, 0.0]], np.float32), cache)
    np.testing.assert_allclose(dx * np.float32(length), [[0.128, -0.096]], rtol=1e-5)


def test_the_length_of_a_vector_does_not_matter(rng):
    a, b, lengths = rng.standard_normal((5, 3)), rng.standard_normal((5, 3)), rng.random((5, 1)) + 0.1
    assert contrastive(a * lengths, b, 1.0)[0] == pytest.approx(contrastive(a, b, 1.0)[0])
    assert simclr(a, b * lengths)[0] == pytest.approx(simclr(a, b)[0])


def test_who_sees_no_difference_pays_the_log_of_all_there_are():
    alike = np.ones((6, 3))
    assert contrastive(alike, alike, 2.0)[0] == pytest.approx(math.log(6))
    assert simclr(alike, alike)[0] == pytest.approx(math.log(11))  # never itself


def test_both_directions_count_alike(rng):
    a, b = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    loss, cache = contrastive(a, b, 1.0)
    turned, turned_cache = contrastive(b, a, 1.0)
    assert loss == pytest.approx(turned)
    da, db, dscale = contrastive_backward(1.0, cache)
    db2, da2, dscale2 = contrastive_backward(1.0, turned_cache)
    np.testing.assert_allclose(da, da2)
    np.testing.assert_allclose(db, db2)
    assert dscale == pytest.approx(dscale2)


def test_the_same_caption_twice_is_no_mistake():
    a = np.array([[1.0, 0.3, 0.0], [1.0, -0.3, 0.0], [0.0, 0.0, 1.0]])
    b, same = np.eye(3)[[0, 0, 2]], np.array([8, 8, 3])  # one caption for pictures 0 and 1, between both
    assert contrastive(a, b, 4.0, same)[0] == pytest.approx(2 / 3 * math.log(2), abs=1e-3)  # either will do
    _, pulled, _ = contrastive_backward(1.0, contrastive(a, b, 4.0)[1])
    _, left, _ = contrastive_backward(1.0, contrastive(a, b, 4.0, same)[1])
    assert np.abs(pulled[:2]).max() > 0.5  # as a mistake, it pulls the caption two ways
    assert np.abs(left[:2]).max() < 1e-3


def test_numbers_that_are_all_different_are_as_good_as_none(rng):
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    assert contrastive(a, b, 1.0, np.array([7, -1, 0, 3]))[0] == pytest.approx(contrastive(a, b, 1.0)[0])


def test_the_scale_stops_where_clips_does(rng):
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    at, cache_at = contrastive(a, b, MAX_LOG_SCALE)
    above, cache_above = contrastive(a, b, 1000.0)  # exp(1000) is more than a float can hold
    assert at == above
    assert contrastive_backward(1.0, cache_at)[2] != 0.0
    assert contrastive_backward(1.0, cache_above)[2] == 0.0


@both_dtypes
@pytest.mark.parametrize("loss", ["contrastive", "simclr"])
def test_following_the_gradient_finds_the_pairs(rng, loss, dtype):
    a, b = rng.standard_normal((2, 8, 4)).astype(dtype)
    for _ in range(200):
        if loss == "contrastive":
            value, cache = contrastive(a, b, 1.5)
            da, db, _ = contrastive_backward(1.0, cache)
        else:
            value, cache = simclr(a, b, 0.3)
            da, db = simclr_backward(1.0, cache)
        a, b = a - 3.0 * da, b - 3.0 * db
    assert a.dtype == dtype
    cosines = unit_vectors(a)[0] @ unit_vectors(b)[0].T
    assert cosines.argmax(1).tolist() == cosines.argmax(0).tolist() == list(range(8))


@both_dtypes
def test_only_hidden_patches_count(rng, dtype):
    target, hidden = rng.standard_normal((2, 4, 3)).astype(dtype), rng.random((2, 4)) < 0.5
    pred = np.where(hidden[..., None], target + 1.0, np.nan).astype(dtype)
    loss, cache = masked_image_loss(pred, target, hidden)
    assert loss == pytest.approx(1.0)
    dpred = masked_image_loss_backward(1.0, cache)
    assert dpred.dtype == dtype
    assert (dpred[hidden] > 0).all() and not dpred[~hidden].any()


def test_a_target_takes_the_dtype_of_the_answer():
    target, hidden = np.full((1, 2, 3), 200.0), np.array([[1, 0]])
    loss, cache = masked_image_loss(np.zeros((1, 2, 3), np.float32), target, hidden)
    assert loss == 40000.0
    assert masked_image_loss_backward(1.0, cache).dtype == loss.dtype == np.float32


def test_a_normalised_target_knows_neither_brightness_nor_contrast(rng):
    pred, target, hidden = (
        rng.standard_normal((1, 3, 8)),
        rng.standard_normal((1, 3, 8)),
        np.ones((1, 3), bool),
    )
    brighter = 7.0 + 3.0 * target
    assert masked_image_loss(pred, brighter, hidden, normalize=True)[0] == pytest.approx(
        masked_image_loss(pred, target, hidden, normalize=True)[0], rel=1e-5
    )
    assert masked_image_loss(pred, brighter, hidden)[0] > 10 * masked_image_loss(pred, target, hidden)[0]


def test_a_patch_of_one_colour_normalises_to_zeros():
    pred, hidden = np.zeros((1, 2, 4)), np.ones((1, 2), bool)
    assert masked_image_loss(pred, np.full((1, 2, 4), 0.7), hidden, normalize=True)[0] == pytest.approx(0.0)


A, PATCHES, HIDDEN = np.ones((4, 3)), np.ones((2, 4, 3)), np.ones((2, 4), int)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: contrastive(A, A[:3], 1.0), r"b: expected \(N, D\) = \(4, 3\), got \(3, 3\)"),
        (lambda: contrastive(A[:1], A[:1], 1.0), r"a: expected two pairs at least, got \(1, 3\)"),
        (lambda: contrastive(A, A, np.ones(4)), r"log_scale: expected one number \(\), got \(4,\)"),
        (lambda: contrastive(A, A, math.nan), "log_scale: expected a finite number, got nan"),
        (lambda: contrastive(A, A, 1.0, np.arange(3)), r"same: expected \(N,\) = \(4,\), got \(3,\)"),
        (lambda: simclr(A, A, 0.0), "temperature: expected a number > 0, got 0.0"),
        (lambda: simclr(A, A[0]), r"b: expected \(N, D\), got shape \(3,\)"),
        (lambda: masked_image_loss(PATCHES, PATCHES[:1], HIDDEN), r"target: expected .* got \(1, 4, 3\)"),
        (lambda: masked_image_loss(PATCHES, PATCHES, HIDDEN.T), r"hidden: expected .* got \(4, 2\)"),
        (lambda: masked_image_loss(PATCHES, PATCHES, 2 * HIDDEN), "hidden: expected 0 or 1"),
        (lambda: masked_image_loss(PATCHES, PATCHES, 0 * HIDDEN), "hidden: expected a hidden patch at least"),
    ],
)
def test_what_is_refused(call, said):
    with pytest.raises(ValueError, match="^" + said):
        call()


@pytest.mark.usefixtures("as_a_learner")
def test_captions_have_to_be_numbered():
    with pytest.raises(TypeError, match="same: expected an array of integers, got float64 numbers"):
        contrastive(A, A, 1.0, np.ones(4))


# --- views, hidden patches, codes, forgeries, words ---------------------------------------------------------


def test_two_views_are_windows_of_their_own_picture(rng):
    images = rng.random((4, 6, 5, 2))
    offsets = np.stack([rng.integers(0, 4, (2, 4)), rng.integers(0, 3, (2, 4))], -1)
    flips = np.array([[True, False, True, False], [False, True, True, False]])
    for v, view in enumerate(two_views(images, offsets, flips, 3)):
        for n, (top, left) in enumerate(offsets[v]):
            window = images[n, top : top + 3, left : left + 3]
            assert np.array_equal(view[n], window[:, ::-1] if flips[v, n] else window)
    bytes_ = (255 * images).astype(np.uint8)
    assert two_views(bytes_, offsets, flips, 3)[0].dtype == np.uint8


def test_a_view_that_sticks_out_is_refused(rng):
    images, flips = rng.random((1, 4, 4)), np.zeros((2, 1), bool)
    for corner in (-1, 2):
        with pytest.raises(ValueError, match="offsets: expected 0 to 1 rows"):
            two_views(images, np.full((2, 1, 2), corner), flips, 3)


def test_hidden_patches_can_be_put_back(rng):
    tokens, noise = rng.random((3, 7, 2)), rng.random((3, 7))
    everything, restore = mask_patches(tokens, noise, 7)
    assert np.array_equal(np.take_along_axis(everything, restore[..., None], 1), tokens)
    visible, same = mask_patches(tokens, noise, 2)
    assert np.array_equal(visible, everything[:, :2]) and np.array_equal(same, restore)
    seen = same < 2
    assert (seen.sum(1) == 2).all()
    assert (np.where(seen, noise, -1).max(1) < np.where(seen, 9, noise).min(1)).all()


def test_more_patches_than_there_are_cannot_stay(rng):
    with pytest.raises(ValueError, match="keep: expected at most 4 patches, got 5"):
        mask_patches(rng.random((1, 4, 2)), rng.random((1, 4)), 5)


def test_the_codes_of_an_autoencoder_are_its_encoders(rng):
    params, x = init_autoencoder(rng, 6, 5, 2), rng.random((3, 6)).astype(np.float32)
    codes = mlp(x, **params["encoder"])[0]
    assert codes.shape == (3, 2)
    assert np.array_equal(autoencoder(params, x)[0], mlp(codes, **params["decoder"])[0])


@both_dtypes
def test_a_gan_is_safe_far_from_0(dtype):
    far = np.array([-1000.0, 1000.0], dtype)
    loss, cache = discriminator_loss(far, far)
    assert loss == 1000.0 and loss.dtype == dtype
    dreal, dfake = discriminator_loss_backward(1.0, cache)
    assert dreal.tolist() == [-0.5, 0.0] and dfake.tolist() == [0.0, 0.5]
    loss, cache = generator_loss(far)
    assert loss == 500.0 and generator_loss_backward(2.0, cache).tolist() == [-1.0, 0.0]


def test_no_pictures_no_loss():
    for loss in (generator_loss, partial(discriminator_loss, np.zeros(2))):
        with pytest.raises(ValueError, match="fake_logits: expected a picture at least"):
            loss(np.zeros(0))


def test_the_inception_score_counts_classes_that_are_seen_surely():
    two = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert inception_score(two) == pytest.approx(2.0)
    assert inception_score(0.9 * two + 0.1 / 3) < 2.0
    with pytest.raises(ValueError, match="rows that sum to 1"):
        inception_score(2 * two)


def test_a_class_counts_the_same_however_many_sentences_it_has(rng):
    image, cat = rng.standard_normal((2, 4)), rng.standard_normal((1, 4))
    one = zero_shot(image, [cat, -cat])
    again = zero_shot(3.0 * image, [np.repeat(cat, 5, 0) * np.arange(1.0, 6.0)[:, None], -cat])
    np.testing.assert_allclose(again, one, atol=1e-12)
    with pytest.raises(ValueError, match="prompts: expected a sentence at least"):
        zero_shot(image, [cat, cat[:0]])
