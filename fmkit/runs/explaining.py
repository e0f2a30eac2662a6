"""Eight explanations of what MobileNetV2 sees in three photographs, each put on trial.

``python -m fmkit.runs.explaining`` makes them (some three minutes a photograph) and writes them to
``fmkit/data/results/explanations.json``, which chapter 12 shows. The parts of a photograph are 49 patches of
32 x 32 pixels; a patch that is taken away is replaced by the same place of the blurred photograph.
"""

import json
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from fmkit import explain
from fmkit._files import write_whole
from fmkit._paths import PACKAGE
from fmkit._types import Array
from fmkit.activations import softmax
from fmkit.data import pictures, pretrained
from fmkit.data.assets import asset_path
from fmkit.mobilenet import mobilenet_v2, mobilenet_v2_backward

RESULTS = PACKAGE / "data" / "results" / "explanations.json"
GRID, SIDE = 7, 32  # patches in a row, and pixels along a patch
PARTS = GRID * GRID
ASKED = 300  # questions that LIME and Shapley may ask

Photo = Float[Array, "H W 3"]  # from 0 to 1


def load() -> dict:
    """MobileNetV2, as `fmkit.mobilenet.mobilenet_v2` takes it."""
    return pretrained.load_mobilenet(asset_path("mobilenet"))


def photographs() -> dict[str, Photo]:
    """The kit's three, from 0 to 1."""
    return {name: photo.astype(np.float32) / 255 for name, photo in pictures.photographs().items()}


def blurred(photo: Photo, size: int = 31) -> Photo:
    """Each pixel the mean of the square of ``size`` pixels around it, as far as there are some."""

    def along(x, axis):
        n, half = x.shape[axis], size // 2
        total = np.insert(np.cumsum(x.astype(np.float64), axis), 0, 0, axis)
        low, high = np.maximum(np.arange(n) - half, 0), np.minimum(np.arange(n) + half + 1, n)
        shape = [-1 if k == axis else 1 for k in range(x.ndim)]
        return (total.take(high, axis) - total.take(low, axis)) / (high - low).reshape(shape)

    return along(along(photo, 0), 1).astype(photo.dtype)


def class_scores(params: dict, photos: Float[Array, "B H W 3"]) -> Float[Array, "B 1000"]:
    """The logits of all classes, one photograph at a time: several at once are slower."""
    return np.concatenate([mobilenet_v2(params, photo[None])[0] for photo in photos])


def showing(params: dict, photo: Photo, k: int, hidden: Photo | None = None) -> Callable[[Array], Array]:
    """``value(masks)`` for `fmkit.explain`: the probability of class k when only some patches are shown."""
    hidden = blurred(photo) if hidden is None else hidden

    def value(masks):
        found = []
        for mask in masks.reshape(-1, GRID, GRID):
            shown = np.kron(mask, np.ones((SIDE, SIDE)))[..., None].astype(photo.dtype)
            seen = shown * photo + (1 - shown) * hidden
            found.append(softmax(class_scores(params, seen[None]))[0][0, k])
        return np.array(found)

    return value


def slopes(params: dict, k: int) -> Callable[[Array], Array]:
    """``gradient(points)`` for `fmkit.explain`: the slopes of the logit of class k in the pixels."""

    def gradient(points):
        found = []
        for point in points:
            scores, cache = mobilenet_v2(params, point[None])
            found.append(mobilenet_v2_backward(np.eye(scores.shape[1], dtype=scores.dtype)[[k]], cache)[0])
        return np.stack(found)

    return gradient


def by_patch(pixels: Photo) -> Float[Array, "49"]:
    """The sum over each patch and its colours."""
    return pixels.reshape(GRID, SIDE, GRID, SIDE, -1).sum((1, 3, 4)).ravel().astype(np.float64)


def explanations(params: dict, photo: Photo, k: int, seed: int = 0) -> dict[str, Float[Array, "49"]]:
    """How much each patch speaks for class k, in eight ways; the slopes are those of its logit."""
    rng, gradient, value = np.random.default_rng(seed), slopes(params, k), showing(params, photo, k)
    slope, blur = gradient(photo[None])[0], blurred(photo)
    smooth = explain.smoothgrad(gradient, photo, rng, 0.15, draws=16)
    masks = rng.integers(0, 2, (ASKED, PARTS)).astype(float)
    return {
        "size of the slope": by_patch(np.abs(slope)),
        "slope × pixel": by_patch(slope * photo),
        "SmoothGrad × pixel": by_patch(smooth * photo),
        "integrated, black": by_patch(explain.integrated_gradients(gradient, photo, 0 * photo)),
        "integrated, blurred": by_patch(explain.integrated_gradients(gradient, photo, blur)),
        "occlusion": explain.occlusion(value, PARTS),
        "LIME": explain.lime(masks, value(masks))[0],
        "Shapley": explain.shapley_sampled(value, PARTS, rng, orders=3),
    }


def on_trial(params: dict, photo: Photo, seed: int = 0) -> dict:
    """Explanations of the class that the network names first, and how they fare against 12 random orders."""
    scores = class_scores(params, photo[None])[0]
    k, rng = int(scores.argmax()), np.random.default_rng(seed + 1)
    value, found = showing(params, photo, k), explanations(params, photo, k, seed)
    random = [[explain.area(curve(value, x)) for curve in CURVES] for x in rng.random((12, PARTS))]
    return {
        "class": k,
        "probability": float(softmax(scores)[0][k]),
        "random": np.round(random, 4).tolist(),
        "explanations": {
            name: {
                "patches": np.round(x, 5).tolist(),
                "areas": [round(explain.area(curve(value, x)), 4) for curve in CURVES],
            }
            for name, x in found.items()
        },
    }


CURVES = explain.deletion_curve, explain.insertion_curve


def results() -> dict:
    """What the command has written, by photograph."""
    return json.loads(RESULTS.read_text("utf-8"))


def main() -> None:
    """Make all, and write them."""
    params = load()
    found = {}
    for name, photo in photographs().items():
        found[name] = on_trial(params, photo)
        print(name, {way: one["areas"] for way, one in found[name]["explanations"].items()}, flush=True)
    write_whole(RESULTS, (json.dumps(found, indent=0, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
