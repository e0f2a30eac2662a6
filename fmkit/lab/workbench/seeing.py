"""Chapter 10's digits: readers with labels, encoders trained without, and what a linear reader makes of them.

What takes minutes is trained once, ``python -m fmkit.lab.workbench.seeing``, and kept as figures in
``fmkit/data/results/seeing.json``.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fmkit import unlabelled, vision
from fmkit._files import write_whole
from fmkit._paths import PACKAGE
from fmkit.activations import leaky_relu, leaky_relu_backward
from fmkit.attention import attention, attention_backward, attention_weights
from fmkit.data import pictures
from fmkit.lab.workbench import emoji_clip
from fmkit.layers import linear, linear_backward, mlp, mlp_backward
from fmkit.losses import cross_entropy, cross_entropy_backward, mse, mse_backward
from fmkit.metrics import accuracy
from fmkit.optimizers import adamw, apply, warmup_cosine

RESULTS = PACKAGE / "data" / "results" / "seeing.json"
VIT = vision.ViTConfig(28, 28, 1, patch=7, n_layers=2, n_heads=4, d_model=64, d_ff=128, n_out=10)
CODES = 64  # numbers that an encoder makes of a picture
PATCH = 4
HIDDEN = 37  # of 49 patches: three quarters


def digits(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """4,000 digits and their labels to learn from, 1,000 to be asked about: float32 (N, 28, 28, 1)."""
    images, labels = pictures.mnist()
    order = np.random.default_rng(seed).permutation(len(images))
    x = images[order, :, :, None].astype(np.float32) / 255
    return x[:4000], labels[order[:4000]], x[4000:], labels[order[4000:]]


def some_of_each(labels: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Rows with the same number of each of ten digits, ``n`` in all."""
    return np.concatenate([rng.permutation(np.flatnonzero(labels == c))[: n // 10] for c in range(10)])


# ----------------------------------------------------------------------------------------------- augmentation


def warped(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each picture turned, scaled and shifted a little, in a way of its own.

    Up to 20 degrees, a fifth of its size, two pixels: `fmkit.images.warp`, of all at once.
    """
    B, H, W, C = images.shape
    turn, size, shift = rng.uniform(-0.35, 0.35, B), rng.uniform(0.8, 1.2, B), rng.uniform(-2, 2, (2, B, 1))
    cos, sin = (f(turn)[:, None] / size[:, None] for f in (np.cos, np.sin))
    rows, columns = (axis.ravel() for axis in np.mgrid[0:H, 0:W])
    rows, columns = rows - (H - 1) / 2 - shift[0], columns - (W - 1) / 2 - shift[1]  # (B, H*W)
    at = np.stack([cos * rows + sin * columns + (H - 1) / 2, cos * columns - sin * rows + (W - 1) / 2])
    at = np.clip(at, -1, [[[H]], [[W]]]) + 1  # in a picture with a frame
    first = np.minimum(at.astype(int), [[[H]], [[W]]])
    down, right = (at - first).astype(images.dtype)[..., None]
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(B, -1, C)
    corner = first[0] * (W + 2) + first[1]
    n = np.arange(B)[:, None]
    above = framed[n, corner] * (1 - right) + framed[n, corner + 1] * right
    below = framed[n, corner + W + 2] * (1 - right) + framed[n, corner + W + 3] * right
    return (above * (1 - down) + below * down).reshape(images.shape)


# ----------------------------------------------------------------------------------- readers that have labels

Pair = tuple[Callable, Callable]  # forward (params, images) -> (scores, cache), and its backward


def linear_reader(params: dict, images: np.ndarray) -> tuple[np.ndarray, Any]:
    """Scores straight from the pixels."""
    return linear(images.reshape(len(images), -1), **params)


def linear_reader_backward(dout: np.ndarray, cache: Any) -> tuple[dict, np.ndarray]:
    """Gradient of `linear_reader`."""
    dx, dw, db = linear_backward(dout, cache)
    return {"w": dw, "b": db}, dx


def reader(kind: str, seed: int) -> tuple[dict, Pair]:
    """A new "linear", "CNN" or "ViT" reader of digits: its parameters, its forward and backward."""
    rng = np.random.default_rng(seed)
    if kind == "linear":
        params = {"w": np.zeros((784, 10), np.float32), "b": np.zeros(10, np.float32)}
        return params, (linear_reader, linear_reader_backward)
    if kind == "CNN":
        return vision.init_cnn(rng, (28, 28, 1), widths=(16, 32, 64)), (vision.cnn, vision.cnn_backward)
    return vision.init_vit(rng, VIT), (lambda p, x: vision.vit(p, x, VIT), vision.vit_backward)


def train_reader(
    kind: str,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    steps: int = 300,
    change: Callable | None = None,
    seed: int = 0,
    batch: int = 64,
    rate: float = 2e-3,
) -> tuple[dict, Callable]:
    """Train a reader; ``change(images, rng)`` alters each batch before it is seen.

    Returns
    -------
    params, forward
    """
    rng = np.random.default_rng(seed)
    params, (forward, backward) = reader(kind, seed)
    state = None
    for k in range(steps):
        rows = rng.integers(0, len(images), batch)
        x = change(images[rows], rng) if change else images[rows]
        logits, cache = forward(params, x)
        _, loss_cache = cross_entropy(logits, labels[rows])
        grads, _ = backward(cross_entropy_backward(1.0, loss_cache), cache)
        params, state = apply(adamw, params, grads, state, lr=rate * warmup_cosine(k, 20, steps))
    return params, forward


def read_right(params: dict, forward: Callable, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of digits that a reader reads."""
    scores = np.concatenate([forward(params, images[i : i + 250])[0] for i in range(0, len(images), 250)])
    return accuracy(scores.argmax(1), labels)


# ----------------------------------------------------------------------------------- encoders that have none

KINDS = "random", "autoencoder", "denoising", "masked", "contrastive", "GAN"


def hide_patches(images: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Three quarters of the patches of each picture made black: the picture, and which they are (B, 49)."""
    tokens = vision.patches(images, PATCH)  # (B, 49, 16)
    _, restore = unlabelled.mask_patches(tokens, rng.random(tokens.shape[:2]), tokens.shape[1] - HIDDEN)
    hidden = restore >= tokens.shape[1] - HIDDEN
    return vision.unpatch(np.where(hidden[..., None], 0.0, tokens).astype(np.float32), PATCH, 28, 28), hidden


def pretrain(kind: str, images: np.ndarray, steps: int, seed: int = 0, batch: int = 128) -> tuple[dict, list]:
    """Train an encoder (a small CNN, `CODES` numbers a picture) without labels, by one of `KINDS`.

    Returns
    -------
    encoder : dict
        For `fmkit.vision.cnn`.
    losses : list
    """
    rng = np.random.default_rng(seed)
    params = {"encoder": vision.init_cnn(rng, (28, 28, 1), (16, 32, 64), CODES), "top": _top(kind, rng)}
    if kind == "GAN":
        return _pretrain_gan(params, images, steps, rng, batch)
    state, losses = None, []
    for k in range(steps if kind != "random" else 0):
        x = images[rng.integers(0, len(images), batch)]
        loss, grads = LOSSES[kind](params, x, rng)
        rate = 2e-3 * warmup_cosine(k, 20, steps)
        params, state = apply(adamw, params, grads, state, lr=rate)
        losses.append(float(loss))
    return params["encoder"], losses


def _top(kind, rng) -> dict:
    """What stands on the codes while the encoder is trained, and is thrown away afterwards."""
    sizes = {"contrastive": (CODES, 64, 32), "GAN": (CODES, 64, 1)}.get(kind, (CODES, 256, 784))
    return _layers(rng, *sizes)


def _layers(rng, n_in, n_hidden, n_out) -> dict:
    def normal(n, m, gain):
        return rng.normal(0.0, (gain / n) ** 0.5, (n, m)).astype(np.float32)

    return {
        "w1": normal(n_in, n_hidden, 2.0),
        "b1": np.zeros(n_hidden, np.float32),
        "w2": normal(n_hidden, n_out, 1.0),
        "b2": np.zeros(n_out, np.float32),
    }


def _through(params, x):
    codes, cache1 = vision.cnn(params["encoder"], x)
    out, cache2 = mlp(codes, **params["top"])
    return out, (cache1, cache2)


def _back(dout, caches):
    dcodes, *dtop = mlp_backward(dout, caches[1])
    grads, dx = vision.cnn_backward(dcodes, caches[0])
    return {"encoder": grads, "top": _named(dtop)}, dx


def _rebuild(params, shown, wanted):
    out, caches = _through(params, shown)
    loss, cache = mse(out, wanted.reshape(len(wanted), -1))
    return loss, _back(mse_backward(1.0, cache), caches)[0]


def _autoencode(params, x, rng):
    return _rebuild(params, x, x)


def _denoise(params, x, rng):
    return _rebuild(params, x + rng.normal(0.0, 0.5, x.shape).astype(np.float32), x)


def _unmask(params, x, rng):
    shown, hidden = hide_patches(x, rng)
    out, caches = _through(params, shown)
    pred = out.reshape(len(x), 49, PATCH * PATCH)
    loss, cache = unlabelled.masked_image_loss(pred, vision.patches(x, PATCH), hidden)
    return loss, _back(unlabelled.masked_image_loss_backward(1.0, cache).reshape(out.shape), caches)[0]


def _contrast(params, x, rng):
    z, caches = _through(params, np.concatenate([warped(x, rng), warped(x, rng)]))
    loss, cache = unlabelled.simclr(z[: len(x)], z[len(x) :], temperature=0.2)
    return loss, _back(np.concatenate(unlabelled.simclr_backward(1.0, cache)), caches)[0]


LOSSES = {"autoencoder": _autoencode, "denoising": _denoise, "masked": _unmask, "contrastive": _contrast}


def _pretrain_gan(params, images, steps, rng, batch):
    """The detective's codes: it has looked at real pictures and at forgeries."""
    forger, states, losses = _layers(rng, 32, 256, 784), [None, None], []
    for _ in range(steps):
        x = images[rng.integers(0, len(images), batch)]
        forged, forger_cache = mlp(rng.normal(size=(batch, 32)).astype(np.float32), **forger)
        fakes = _squashed(forged).reshape(x.shape)
        logits, caches = _through(params, np.concatenate([x, fakes]))
        loss, cache = unlabelled.discriminator_loss(logits[:batch, 0], logits[batch:, 0])
        dlogits = np.concatenate(unlabelled.discriminator_loss_backward(1.0, cache))[:, None]
        grads, _ = _back(dlogits, caches)
        params, states[0] = apply(adamw, params, grads, states[0], lr=5e-4, betas=(0.5, 0.999))
        logits, caches = _through(params, fakes)
        _, cache = unlabelled.generator_loss(logits[:, 0])
        _, dx = _back(unlabelled.generator_loss_backward(1.0, cache)[:, None], caches)
        dforged = dx.reshape(forged.shape) * _squashed(forged) * (1 - _squashed(forged))
        _, *dforger = mlp_backward(dforged, forger_cache)
        grads = _named(dforger)
        forger, states[1] = apply(adamw, forger, grads, states[1], lr=1e-3, betas=(0.5, 0.999))
        losses.append(float(loss))
    return params["encoder"], losses


def _squashed(x):
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def train_guesser(images: np.ndarray, steps: int, seed: int = 0, batch: int = 128) -> dict:
    """A feed-forward net that is shown a quarter of the patches and says all, each at mean 0 and variance 1.

    It is told which patches are hidden: black may be hidden, or paper.
    """
    rng = np.random.default_rng(seed)
    params, state = _layers(rng, 784 + 49, 256, 784), None
    for k in range(steps):
        x = images[rng.integers(0, len(images), batch)]
        shown, hidden = hide_patches(x, rng)
        said, cache = _guess(params, shown, hidden)
        _, loss_cache = unlabelled.masked_image_loss(said, vision.patches(x, PATCH), hidden, normalize=True)
        dsaid = unlabelled.masked_image_loss_backward(1.0, loss_cache)
        grads = _named(mlp_backward(dsaid.reshape(batch, -1), cache)[1:])
        params, state = apply(adamw, params, grads, state, lr=2e-3 * warmup_cosine(k, 20, steps))
    return params


def guess(params: dict, shown: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """What the net of `train_guesser` says of all patches, (B, 49, 16)."""
    return _guess(params, shown, hidden)[0]


def _guess(params, shown, hidden):
    seen = np.concatenate([shown.reshape(len(shown), -1), hidden.astype(np.float32)], 1)
    out, cache = mlp(seen, **params)
    return out.reshape(len(shown), 49, PATCH * PATCH), cache


# -------------------------------------------------------------------------------- a forger of digits

NOISE = 16  # random numbers that a forgery is made of
LEAKY = leaky_relu, leaky_relu_backward


def forge(
    images: np.ndarray,
    steps: int,
    *,
    forger_rate: float = 1e-3,
    detective_rate: float = 5e-4,
    seed: int = 0,
    batch: int = 64,
    count: int = 500,
) -> np.ndarray:
    """Train a GAN of two small feed-forward nets on digits, and let the forger make ``count`` of them."""
    rng = np.random.default_rng(seed)
    x = images.reshape(len(images), -1)
    forger, detective = _layers(rng, NOISE, 128, x.shape[1]), _layers(rng, x.shape[1], 128, 1)
    states = [None, None]

    def forgeries(n):
        out, cache = mlp(rng.normal(size=(n, NOISE)).astype(np.float32), **forger)
        return _squashed(out), cache

    for _ in range(steps):
        real = x[rng.integers(0, len(x), batch)]
        fake, forger_cache = forgeries(batch)
        logits, cache = mlp(np.concatenate([real, fake]), **detective, activation=LEAKY)
        _, loss_cache = unlabelled.discriminator_loss(logits[:batch, 0], logits[batch:, 0])
        dlogits = np.concatenate(unlabelled.discriminator_loss_backward(1.0, loss_cache))[:, None]
        grads = _named(mlp_backward(dlogits, cache)[1:])
        detective, states[0] = apply(
            adamw, detective, grads, states[0], lr=detective_rate, betas=(0.5, 0.999)
        )
        logits, cache = mlp(fake, **detective, activation=LEAKY)
        _, loss_cache = unlabelled.generator_loss(logits[:, 0])
        dfake, *_ = mlp_backward(unlabelled.generator_loss_backward(1.0, loss_cache)[:, None], cache)
        grads = _named(mlp_backward(dfake * fake * (1 - fake), forger_cache)[1:])  # through the sigmoid
        forger, states[1] = apply(adamw, forger, grads, states[1], lr=forger_rate, betas=(0.5, 0.999))
    return forgeries(count)[0].reshape(count, *images.shape[1:])


def _named(grads) -> dict:
    return dict(zip(("w1", "b1", "w2", "b2"), grads, strict=True))


# --------------------------------------------------------------------------------------------------- a graph


def club_guess(
    club: np.ndarray, may_look: np.ndarray, asked: int, *, steps: int = 120, seed: int = 0, rate: float = 0.03
) -> tuple[int, np.ndarray]:
    """Guess one member's club by attention, trained on hiding the others, one or several at a time.

    Parameters
    ----------
    club : (N,) of 0 and 1
        That of ``asked`` is never used.
    may_look : (N, N) booleans
        True where a member may look at another: the edges of the graph.

    Returns
    -------
    guess : int
    weights : (N,)
        How much the asked member looked at each.
    """
    rng = np.random.default_rng(seed)
    n, width = len(club), 8
    params = {
        "qkv": rng.normal(0.0, 0.5, (4, 3 * width)),
        "out": rng.normal(0.0, 0.5, (width, 2)),
        "bias": np.zeros(2),
    }
    state = None
    for _ in range(steps):
        hidden = rng.random(n) < 0.3
        hidden[asked] = True
        logits, caches = _look(params, _members(club, hidden, may_look), may_look)
        targets = np.where(hidden & (np.arange(n) != asked), club, -100)  # nobody tells the one that is asked
        if (targets == -100).all():
            continue
        _, cache = cross_entropy(logits, targets)
        grads = _look_backward(cross_entropy_backward(1.0, cache), caches)
        params, state = apply(adamw, params, grads, state, lr=rate)
    hidden = np.arange(n) == asked
    logits, caches = _look(params, _members(club, hidden, may_look), may_look)
    return int(logits[asked].argmax()), attention_weights(caches[1])[0, 0, asked]


def _members(club, hidden, may_look):
    """What is known of each: on which side, or that it is hidden; and how many friends."""
    friends = may_look.sum(1) / len(club)
    return np.stack([(club == 0) & ~hidden, (club == 1) & ~hidden, hidden, friends], 1).astype(float)


def _look(params, x, may_look):
    qkv, cache1 = linear(x, params["qkv"])
    q, k, v = (part[None, None] for part in np.split(qkv, 3, axis=1))
    seen, cache2 = attention(q, k, v, may_look)
    logits, cache3 = linear(seen[0, 0], params["out"], params["bias"])
    return logits, (cache1, cache2, cache3)


def _look_backward(dlogits, caches):
    dseen, dout, dbias = linear_backward(dlogits, caches[2])
    dq, dk, dv = attention_backward(dseen[None, None], caches[1])
    _, dqkv, _ = linear_backward(np.concatenate([d[0, 0] for d in (dq, dk, dv)], axis=1), caches[0])
    return {"qkv": dqkv, "out": dout, "bias": dbias}


# -------------------------------------------------------------------------------- a linear reader of codes


def codes_of(encoder: dict | None, images: np.ndarray) -> np.ndarray:
    """What an encoder makes of pictures; without one, their pixels."""
    if encoder is None:
        return images.reshape(len(images), -1)
    return np.concatenate([vision.cnn(encoder, images[i : i + 500])[0] for i in range(0, len(images), 500)])


def probe(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray, steps: int = 200
) -> float:
    """Accuracy of a linear reader of codes, all of which are scaled alike first; weights are kept small."""
    mean, std = codes.mean(0), codes.std(0) + 1e-3
    x, x_test = (codes - mean) / std, (test_codes - mean) / std
    params = {"w": np.zeros((x.shape[1], 10), np.float32), "b": np.zeros(10, np.float32)}
    state = None
    for k in range(steps):
        logits, cache = linear(x, **params)
        _, loss_cache = cross_entropy(logits, labels)
        _, dw, db = linear_backward(cross_entropy_backward(1.0, loss_cache), cache)
        grads = {"w": dw + 0.02 * params["w"], "b": db}
        rate = 0.03 * warmup_cosine(k, 0, steps, 0.05)
        params, state = apply(adamw, params, grads, state, lr=rate, weight_decay=0.0)
    return accuracy(linear(x_test, **params)[0].argmax(1), test_labels)


# --------------------------------------------------------------------------------------------- the long run

LABELS = 20, 100, 1000
DRAWS = 5  # of the labelled digits
SEEDS = 0, 1
STEPS = 600


def compare(say: Callable[[str], None] = print, steps: int = STEPS) -> dict:
    """Every kind of pretraining against pixels and against supervised training: accuracy on 1,000 digits."""
    found = {"steps": steps, "labels": LABELS, "probe": {}, "supervised": {}}
    for kind in ("pixels", *KINDS):
        for seed in SEEDS if kind != "pixels" else (0,):
            x, y, x_test, y_test = digits(0)
            start = time.process_time()
            encoder = pretrain(kind, x, steps, seed)[0] if kind != "pixels" else None
            seconds = time.process_time() - start
            codes, test_codes = codes_of(encoder, x), codes_of(encoder, x_test)
            rows = [[some_of_each(y, n, np.random.default_rng(q)) for q in range(DRAWS)] for n in LABELS]
            right = [[probe(codes[i], y[i], test_codes, y_test) for i in draws] for draws in rows]
            found["probe"].setdefault(kind, []).append({"right": right, "seconds": round(seconds, 1)})
            say(f"{kind} {seed} {np.mean(right, 1).round(3)} {seconds:.0f} s")
    x, y, x_test, y_test = digits(0)
    for name, change in {"plain": None, "augmented": warped}.items():
        for seed in range(DRAWS):
            right = []
            start = time.process_time()
            for n in LABELS:
                i = some_of_each(y, n, np.random.default_rng(seed))
                params, forward = train_reader("CNN", x[i], y[i], steps=steps, change=change, seed=seed)
                right.append([read_right(params, forward, x_test, y_test)])
            seconds = time.process_time() - start
            found["supervised"].setdefault(name, []).append({"right": right, "seconds": round(seconds, 1)})
            say(f"supervised, {name} {seed} {np.mean(right, 1).round(3)} {seconds:.0f} s")
    return found


def compare_readers(say: Callable[[str], None] = print, steps: int = 2000) -> dict:
    """Three readers with all 4,000 labels, with and without augmentation, for longer than a chapter has."""
    found = {"steps": steps}
    x, y, x_test, y_test = digits(0)
    for kind in ("linear", "CNN", "ViT"):
        for name, change in {"plain": None, "augmented": warped}.items():
            for seed in SEEDS:
                start = time.process_time()
                params, forward = train_reader(kind, x, y, steps=steps, change=change, seed=seed)
                seconds = round(time.process_time() - start, 1)
                right = read_right(params, forward, x_test, y_test)
                found.setdefault(f"{kind}, {name}", []).append({"right": right, "seconds": seconds})
                say(f"{kind}, {name} {seed}: {right:.3f} {seconds} s")
    return found


def compare_clip(say: Callable[[str], None] = print, steps: int = 300) -> list[dict]:
    """The emoji's CLIP with other seeds and other unseen combinations; and with English names only."""
    found = []
    for languages, seed in (((0, 1), 0), ((0, 1), 1), ((0,), 0), ((0,), 1)):
        emoji = emoji_clip.load(seed)
        start = time.process_time()
        params, _ = emoji_clip.train(emoji, steps, seed=seed, languages=languages)
        right = emoji_clip.unseen(params, emoji)
        seconds = round(time.process_time() - start, 1)
        found.append({"languages": list(languages), "seed": seed, "right": right, "seconds": seconds})
        say(f"clip {languages} {seed}: {right} {seconds} s")
    return found


def main() -> None:
    """Make ``seeing.json`` again: some ten minutes of one core."""
    found = {"readers": compare_readers(), "pretraining": compare(), "clip": compare_clip()}
    write_whole(RESULTS, (json.dumps(found, indent=1) + "\n").encode())


def results() -> dict:
    """The figures that `main` has made."""
    return json.loads(RESULTS.read_text("utf-8"))


if __name__ == "__main__":
    main()
