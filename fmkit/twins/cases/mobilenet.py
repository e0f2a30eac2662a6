"""MobileNetV2's first blocks, in torch: with and without an expansion, a sum, a stride of 2."""

from fmkit import mobilenet
from fmkit.twins.case import Case
from fmkit.twins.cases.convolution import torch_conv2d
from fmkit.twins.cases.layers import torch_linear

WIDTHS = (4, 5, 6, 6, 7)  # after the stem, then after each of four blocks


def torch_mobilenet_v2(params, images):
    import torch

    mean, std = (
        torch.tensor(v, dtype=images.dtype, device=images.device) for v in (mobilenet.MEAN, mobilenet.STD)
    )
    x = torch.nn.functional.relu6(torch_conv2d((images - mean) / std, **params["stem"], stride=2, padding=1))
    for p, stride in zip(params["blocks"], mobilenet.STRIDES, strict=False):
        x = torch_block(x, p, stride)
    x = torch.nn.functional.relu6(torch_linear(x, **params["last"]))
    return torch_linear(x.mean((1, 2)), **params["head"])


def torch_block(x, p, stride):
    from torch.nn.functional import relu6

    h = relu6(torch_linear(x, **p["expand"])) if "expand" in p else x
    w, b = p["depth"]["w"], p["depth"]["b"]
    h = relu6(torch_conv2d(h, w[:, :, None], b, stride=stride, padding=1, groups=len(b)))
    out = torch_linear(h, **p["project"])
    return out + x if out.shape == x.shape else out


def _inputs(rng):
    def layer(*shape, fan_in):
        return {"w": rng.normal(0.0, 2.0 * fan_in**-0.5, shape), "b": rng.normal(0.0, 1.0, shape[-1])}

    blocks = []
    for i, (C_in, C_out) in enumerate(zip(WIDTHS, WIDTHS[1:], strict=False)):
        wide = 3 * C_in if i else C_in
        block = {"expand": layer(C_in, wide, fan_in=C_in)} if i else {}
        block["depth"] = layer(3, 3, wide, fan_in=9)
        block["project"] = layer(wide, C_out, fan_in=wide)
        blocks.append(block)
    params = {"stem": layer(3, 3, 3, WIDTHS[0], fan_in=27), "blocks": blocks}
    params |= {"last": layer(WIDTHS[-1], 9, fan_in=7), "head": layer(9, 8, fan_in=9)}
    return params, rng.random((2, 11, 14, 3))


CASES = {
    "mobilenet_v2": Case(
        mobilenet.mobilenet_v2, mobilenet.mobilenet_v2_backward, _inputs, torch_mobilenet_v2, constant=(0,)
    )
}
