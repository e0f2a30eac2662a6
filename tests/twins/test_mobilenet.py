"""MobileNetV2 with its real weights: our NumPy, batch norm folded, against torch, where it is not."""

import numpy as np
import pytest

from fmkit.data.assets import asset_path
from fmkit.data.mobilenet_params import mobilenet_params
from fmkit.data.pretrained import load_mobilenet, read_safetensors
from fmkit.errors import AssetError
from fmkit.mobilenet import MEAN, STD, STRIDES, mobilenet_v2, mobilenet_v2_backward

torch = pytest.importorskip("torch")
F = torch.nn.functional


@pytest.fixture(scope="module")
def tensors():
    try:
        return read_safetensors(asset_path("mobilenet"))
    except AssetError as error:
        pytest.skip(str(error))


def torch_forward(tensors, images):
    """From the paper's table and torchvision's names; nothing of ours is used but the strides."""
    w = {name: torch.tensor(array) for name, array in tensors.items()}

    def layer(x, conv, norm, **options):
        x = F.conv2d(x, w[conv + ".weight"], **options)
        stored = (w[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *stored)

    mean, std = (torch.tensor(v, dtype=images.dtype)[:, None, None] for v in (MEAN, STD))
    x = (images.permute(0, 3, 1, 2) - mean) / std
    x = F.relu6(layer(x, "features.0.0", "features.0.1", stride=2, padding=1))
    for i, stride in enumerate(STRIDES, 1):
        at, h, k = f"features.{i}.conv", x, int(i > 1)
        if k:
            h = F.relu6(layer(h, f"{at}.0.0", f"{at}.0.1"))
        h = F.relu6(layer(h, f"{at}.{k}.0", f"{at}.{k}.1", stride=stride, padding=1, groups=h.shape[1]))
        h = layer(h, f"{at}.{k + 1}", f"{at}.{k + 2}")
        x = x + h if x.shape == h.shape else h
    x = F.relu6(layer(x, "features.18.0", "features.18.1")).mean((2, 3))
    return F.linear(x, w["classifier.1.weight"], w["classifier.1.bias"])


def test_scores_and_the_gradient_of_the_pixels_agree(tensors):
    rng = np.random.default_rng(0)
    images = rng.random((2, 224, 224, 3))  # noise, and a soft picture
    images[1] = np.linspace(0, 1, 224)[:, None, None] * np.array([1, 0.5, 0.2])
    # The gradient in float64: in float32 a rounding at a corner of ReLU6 takes a whole patch of pixels along.
    exact = {name: w.astype(np.float64) for name, w in tensors.items()}
    leaf = torch.tensor(images, requires_grad=True)
    want = torch_forward(exact, leaf)
    got, cache = mobilenet_v2(mobilenet_params(exact), images)
    np.testing.assert_allclose(got, want.detach().numpy(), atol=1e-9)
    dout = rng.standard_normal(got.shape)
    (dwant,) = torch.autograd.grad(want, leaf, torch.tensor(dout))
    dgot = mobilenet_v2_backward(dout, cache)
    np.testing.assert_allclose(dgot, dwant.numpy(), atol=1e-9 * float(dwant.abs().max()))

    small, cache = mobilenet_v2(load_mobilenet(asset_path("mobilenet")), images.astype(np.float32))
    np.testing.assert_allclose(small, got, atol=1e-4)
    dsmall = mobilenet_v2_backward(dout.astype(np.float32), cache)
    assert small.dtype == dsmall.dtype == np.float32
    assert np.linalg.norm(dsmall - dgot) < 3e-3 * np.linalg.norm(dgot)


def test_a_missing_and_a_foreign_weight_are_told(tensors):
    without = {name: w for name, w in tensors.items() if name != "features.3.conv.1.0.weight"}
    with pytest.raises(ValueError, match="features.3.conv.1.0.weight is missing"):
        mobilenet_params(without)
    with pytest.raises(ValueError, match="holds extra, which MobileNetV2 has not"):
        mobilenet_params(tensors | {"extra": np.ones(1)})
