"""MobileNetV2: what it refuses, how it treats a batch, and what it says of the kit's photographs."""

import numpy as np
import pytest

from fmkit.data.assets import asset_path
from fmkit.data.pictures import imagenet_names, photographs
from fmkit.data.pretrained import load_mobilenet
from fmkit.errors import AssetError
from fmkit.mobilenet import mobilenet_v2, mobilenet_v2_backward
from fmkit.twins.cases.mobilenet import _inputs


@pytest.fixture(scope="module")
def params():
    try:
        return load_mobilenet(asset_path("mobilenet"))
    except AssetError as error:
        pytest.skip(str(error))


def test_bytes_are_refused(as_a_learner):
    small, images = _inputs(np.random.default_rng(0))
    with pytest.raises(TypeError, match="images: expected float32 or float64 from 0 to 1, got uint8"):
        mobilenet_v2(small, (255 * images).astype(np.uint8))


def test_a_grey_picture_is_refused(as_a_learner):
    small, images = _inputs(np.random.default_rng(0))
    with pytest.raises(ValueError, match="images"):
        mobilenet_v2(small, images[..., :1])


def test_no_more_blocks_than_the_network_has():
    small, images = _inputs(np.random.default_rng(0))
    with pytest.raises(ValueError, match="params: expected 17 blocks, got 68"):
        mobilenet_v2(small | {"blocks": small["blocks"] * 17}, images)


def test_each_image_stands_for_itself():
    small, images = _inputs(np.random.default_rng(0))
    logits, cache = mobilenet_v2(small, images)
    dout = np.random.default_rng(1).standard_normal(logits.shape)
    dimages = mobilenet_v2_backward(dout, cache)
    for n in range(len(images)):
        alone, cache = mobilenet_v2(small, images[n : n + 1])
        np.testing.assert_allclose(alone, logits[n : n + 1], rtol=1e-12)
        np.testing.assert_allclose(mobilenet_v2_backward(dout[n : n + 1], cache)[0], dimages[n], rtol=1e-9)


def test_it_names_the_photographs(params):
    found, names = photographs(), imagenet_names()
    images = np.stack(list(found.values())).astype(np.float32) / 255
    logits, _ = mobilenet_v2(params, images)
    assert logits.dtype == np.float32
    said = dict(zip(found, (names[i].lower() for i in logits.argmax(1)), strict=True))
    assert said["cat"] == "egyptian mau"
    assert said["coffee"] == "espresso"
    assert said["rocket"] == "space shuttle"


def test_a_step_along_the_gradient_does_what_it_says(params):
    image = photographs()["cat"][None].astype(np.float64) / 255
    params = _float64(params)
    logits, cache = mobilenet_v2(params, image)
    top = int(logits.argmax())
    dout = np.zeros_like(logits)
    dout[0, top] = 1.0
    slope = mobilenet_v2_backward(dout, cache)
    step = 1e-6 * slope / np.abs(slope).max()
    up, down = (mobilenet_v2(params, image + sign * step)[0][0, top] for sign in (1, -1))
    assert (up - down) / 2 == pytest.approx((slope * step).sum(), rel=1e-3)


def _float64(tree):
    if isinstance(tree, dict):
        return {name: _float64(value) for name, value in tree.items()}
    return [_float64(value) for value in tree] if isinstance(tree, list) else tree.astype(np.float64)
