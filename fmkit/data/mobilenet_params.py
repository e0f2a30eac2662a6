"""torchvision's tensors of MobileNetV2 as our nested parameters, with batch norm folded into the weights.

A trained batch norm multiplies by a fixed number and adds another, channel by channel. The layer before it
can do both: so 52 layers go, and nothing changes.
"""

import re

import numpy as np

from fmkit._types import Array
from fmkit.mobilenet import STRIDES

EPS = 1e-5  # of its batch norms

Tensors = dict[str, Array]


def mobilenet_params(tensors: Tensors, where: object = "the model") -> dict:
    """Parameters of `fmkit.mobilenet.mobilenet_v2`.

    Raises
    ------
    ValueError
        For a tensor that is missing, left over, or of another shape than the layer has.
    """
    rest = {name: w for name, w in tensors.items() if not re.search(r"\.num_batches_tracked$", name)}
    n = len(STRIDES)

    def take(name: str) -> Array:
        if name not in rest:
            raise ValueError(f"{where}: {name} is missing")
        return rest.pop(name)

    def folded(conv: str, norm: str) -> dict:
        w = take(conv + ".weight")  # (C_out, C_in / groups, i, j)
        gain, shift, mean, var = (
            take(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        if w.ndim != 4 or any(v.shape != w.shape[:1] for v in (gain, shift, mean, var)):
            raise ValueError(f"{where}: {conv} has the shape {w.shape}, and its norm {gain.shape}")
        scale = gain / np.sqrt(var + EPS)
        w = (w * scale[:, None, None, None]).transpose(2, 3, 1, 0)  # (i, j, C_in / groups, C_out)
        return {"w": np.ascontiguousarray(w), "b": shift - mean * scale}

    def pointwise(conv: str, norm: str) -> dict:
        p = folded(conv, norm)
        return {"w": _without(p["w"], (0, 1), where, conv), "b": p["b"]}

    def block(i: int) -> dict:
        at = f"features.{i}.conv"
        p = {"expand": pointwise(f"{at}.0.0", f"{at}.0.1")} if i > 1 else {}
        step = int(i > 1)
        depth = folded(f"{at}.{step}.0", f"{at}.{step}.1")
        p["depth"] = {"w": _without(depth["w"], (2,), where, at), "b": depth["b"]}
        p["project"] = pointwise(f"{at}.{step + 1}", f"{at}.{step + 2}")
        return p

    params = {
        "stem": folded("features.0.0", "features.0.1"),
        "blocks": [block(i) for i in range(1, n + 1)],
        "last": pointwise(f"features.{n + 1}.0", f"features.{n + 1}.1"),
        "head": {"w": np.ascontiguousarray(take("classifier.1.weight").T), "b": take("classifier.1.bias")},
    }
    if rest:
        raise ValueError(f"{where}: holds {', '.join(sorted(rest)[:3])}, which MobileNetV2 has not")
    return params


def _without(w: Array, axes: tuple[int, ...], where: object, name: str) -> Array:
    """The weights without axes that have one place only."""
    if any(w.shape[axis] != 1 for axis in axes):
        raise ValueError(f"{where}: {name} has windows of {w.shape}, another shape than MobileNetV2's")
    return w.squeeze(axes)
