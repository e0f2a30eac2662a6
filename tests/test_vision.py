"""Models of pictures: what is tied to what, that they learn, and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit.convolution import conv2d
from fmkit.layers import linear
from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.optimizers import adamw, apply
from fmkit.params import flatten
from fmkit.vision import ViTConfig, cnn, cnn_backward, init_cnn, init_vit, patches, unpatch, vit, vit_backward

VIT = ViTConfig(6, 4, 3, patch=2, n_layers=2, n_heads=2, d_model=8, d_ff=12, n_out=7)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def bars(rng, n=60):
    """Pictures (n, 8, 8, 1) of a bar that lies (0) or stands (1), somewhere, in noise."""
    images, targets = 0.3 * rng.standard_normal((n, 8, 8, 1)), rng.integers(0, 2, n)
    for image, standing, at in zip(images, targets, rng.integers(0, 8, n), strict=True):
        image[(slice(None), at) if standing else at] += 1.0
    return images.astype(np.float32), targets


def test_patches_read_row_by_row_and_keep_the_channels_of_a_pixel_together():
    image = np.arange(2.0 * 4 * 3).reshape(1, 2, 4, 3)
    first = patches(image, 2)[0, 0]
    assert first.tolist() == [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]


@pytest.mark.parametrize(
    ("shape", "size"), [((3, 6, 4, 2), 2), ((1, 5, 5, 1), 1), ((2, 4, 8, 3), 4), ((0, 2, 4, 1), 2)]
)
def test_unpatch_undoes_patches(rng, shape, size):
    images = rng.standard_normal(shape).astype(np.float32)
    back = unpatch(patches(images, size), size, *shape[1:3])
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, images)


def test_reading_patches_is_a_convolution_whose_stride_is_its_window(rng):
    images, w = rng.standard_normal((2, 6, 4, 3)), rng.standard_normal((2, 2, 3, 5))
    tokens, _ = linear(patches(images, 2), w.reshape(12, 5))
    np.testing.assert_allclose(tokens, conv2d(images, w, stride=2)[0].reshape(2, 6, 5), rtol=1e-12)


def test_without_positions_the_order_of_the_patches_does_not_matter(rng):
    params = init_vit(rng, VIT, np.float64)
    images = rng.standard_normal((2, 6, 4, 3))
    turned = unpatch(patches(images, 2)[:, ::-1], 2, 6, 4)
    with_positions = vit(params, images, VIT)[0] - vit(params, turned, VIT)[0]
    params["wpe"][1:] = 0.0
    assert np.abs(with_positions).max() > 1e-4
    np.testing.assert_allclose(vit(params, images, VIT)[0], vit(params, turned, VIT)[0], rtol=1e-9)


@pytest.mark.parametrize("kind", ["cnn", "vit", "vit_mean"])
def test_it_learns_to_tell_bars_apart(rng, kind):
    if kind == "cnn":
        params, run, back = init_cnn(rng, (8, 8, 1), widths=(8, 16), n_out=2), cnn, cnn_backward
    else:
        config = ViTConfig(8, 8, 1, patch=2, n_layers=1, n_heads=2, d_model=16, d_ff=32, n_out=2)
        config = replace(config, class_token=kind == "vit")
        params, back = init_vit(rng, config), vit_backward

        def run(params, images):
            return vit(params, images, config)

    state = None
    for _ in range(160):
        images, targets = bars(rng, 40)
        logits, cache = run(params, images)
        _, loss_cache = cross_entropy(logits, targets)
        grads, _ = back(cross_entropy_backward(1.0, loss_cache), cache)
        params, state = apply(adamw, params, grads, state, lr=0.01)
    fresh, labels = bars(rng)
    assert (run(params, fresh)[0].argmax(1) == labels).mean() > 0.9
    assert {w.dtype for w in flatten(params).values()} == {np.dtype(np.float32)}


def test_training_needs_no_gradient_of_the_images(rng):
    params = init_cnn(rng, (8, 8, 3), n_out=2)
    out, cache = cnn(params, rng.standard_normal((5, 8, 8, 3)).astype(np.float32))
    dout = rng.standard_normal(out.shape).astype(np.float32)
    grads, dimages = cnn_backward(dout, cache, needs_dimages=False)
    assert dimages is None
    for name, expected in flatten(cnn_backward(dout, cache)[0]).items():
        np.testing.assert_array_equal(flatten(grads)[name], expected)


def test_each_picture_is_seen_by_itself(rng):
    params, images = init_vit(rng, VIT), rng.standard_normal((3, 6, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(vit(params, images, VIT)[0][1:2], vit(params, images[1:2], VIT)[0], rtol=1e-4)


IMAGES, TOKENS = np.zeros((2, 6, 4, 3)), np.zeros((2, 6, 12))
PARAMS = init_vit(np.random.default_rng(0), VIT)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: patches(IMAGES, 4), "size: expected a divisor of 6 and 4, got 4"),
        (lambda: patches(IMAGES[0], 2), r"images: expected \(B, H, W, C\), got shape \(6, 4, 3\)"),
        (lambda: unpatch(TOKENS, 2, 6, 6), r"tokens: expected .* = \(2, 9, 12\), got \(2, 6, 12\)"),
        (lambda: unpatch(TOKENS[:, :, :3], 2, 6, 4), r"tokens: expected .* = \(2, 6, 4\), got \(2, 6, 3\)"),
        (lambda: unpatch(TOKENS, 2, 5, 4), "size: expected a divisor of 5 and 4, got 2"),
        (lambda: replace(VIT, patch=4), "patch: expected a divisor of 6 and 4, got 4"),
        (lambda: replace(VIT, n_heads=3), "n_heads: expected a divisor of 8, got 3"),
        (
            lambda: vit(PARAMS, IMAGES[:, :4], VIT),
            r"images: expected .* = \(2, 6, 4, 3\), got \(2, 4, 4, 3\)",
        ),
        (lambda: vit(PARAMS, IMAGES, replace(VIT, class_token=False)), r"wpe: expected \(T, C\) = \(6, 8\)"),
        (lambda: vit(PARAMS, IMAGES, replace(VIT, n_layers=3)), "params: expected 3 blocks, got 2"),
        (lambda: vit({}, IMAGES, VIT), "params: expected a vision transformer's, as init_vit makes them"),
        (
            lambda: cnn(init_cnn(np.random.default_rng(0), (8, 8, 3)), np.zeros((2, 9, 8, 3))),
            r"images: expected the height and width that params were made for, got \(2, 9, 8, 3\)",
        ),
        (lambda: cnn({}, IMAGES), "params: expected a CNN's, as init_cnn makes them, got a dict of nothing"),
        (
            lambda: init_cnn(np.random.default_rng(0), (8, 8, 1), ()),
            "widths: expected a convolution",
        ),
        (
            lambda: vit_backward(IMAGES[0], vit(PARAMS, IMAGES, VIT)[1]),
            r"dout: expected \(..., C_out\) = \(2, 7\), got \(6, 4, 3\)",
        ),
    ],
)
def test_what_is_refused(call, said):
    with pytest.raises(ValueError, match="^" + said):
        call()


@pytest.mark.usefixtures("as_a_learner")
def test_a_shape_without_channels_is_refused():
    with pytest.raises(TypeError, match=r"shape: expected a tuple \(H, W, C\), got \(8, 8\)"):
        init_cnn(np.random.default_rng(0), (8, 8))
