"""Chapter 04's known-wrong answers, the second half: the whole network, normalisation, sharing."""

import numpy as np

from fmkit.lab.exercises._backprop_wrong import named, sigmoid


def _network(mistake, params, x, labels, slope, decay):
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    z = x @ w1 + b1
    h = np.where(z > 0, z, slope * z)
    logits = h @ w2 + b2
    top = 0 if mistake == "exp without taking the maximum off" else logits.max(1, keepdims=True)
    with np.errstate(all="ignore"):
        e = np.exp(logits - top)
        d = e / e.sum(1, keepdims=True)
    if mistake == "float64 out of float32":
        d = d.astype(np.float64)  # what np.eye without a dtype does
    d[np.arange(len(labels)), labels] -= 1
    if mistake != "forgot the 1/N of the mean":
        d /= len(labels)
    dh = d @ w2.T
    gate = dh if mistake == "gated by the gradient's sign, not by z" else z
    below = 0 * dh if mistake == "plain ReLU on the way back" else slope * dh
    is_open = gate >= 0 if mistake == ">= at zero" else gate > 0
    dz = np.where(is_open, dh, below)
    if mistake == "the activation's slope left out":
        dz = dh
    elif mistake == "multiplied by h, not by the slope":
        dz = dh * h
    elif mistake == "a float64 gate":
        dz = dh * np.where(z > 0, 1.0, slope)
    into_w2 = z if mistake == "dw2 from z instead of h" else h
    keep = mistake == "bias gradients with a spare axis"
    grads = {
        "w1": x.T @ dz,
        "b1": dz.sum(0, keepdims=keep),
        "w2": into_w2.T @ d,
        "b2": d.sum(0, keepdims=keep),
    }
    if mistake == "averaged the bias gradients once more":
        grads |= {"b1": dz.mean(0), "b2": d.mean(0)}
    if mistake == "forgot the decay":
        return grads
    factors = {
        "the decay's half not cancelled": 0.5,
        "decayed twice as much": 2.0,
        "subtracted the decay": -1.0,
        "divided the decay by N": 1 / len(labels),
    }
    factor = factors.get(mistake, 1.0) * decay
    decayed = params if mistake == "decayed the biases too" else ("w1", "w2")
    return {k: g + factor * params[k] if k in decayed else g for k, g in grads.items()}


NETWORK = named(
    _network,
    {
        "forgot the 1/N of the mean": (
            "The cross-entropy is a mean over the rows; where does the 1/N go on the way back?"
        ),
        "the activation's slope left out": "Between h and z stands the leaky ReLU: dz is not dh.",
        "plain ReLU on the way back": "Forward leaks below zero, so backward leaks there as well.",
        "gated by the gradient's sign, not by z": (
            "The gate was set by z on the way forward; the gradient has no say in it."
        ),
        ">= at zero": "At exactly z = 0 the exercise wants the leak's slope. Which of > and >= says so?",
        "multiplied by h, not by the slope": (
            "On the way back a function multiplies by its slope (here 1 or slope), not by its value."
        ),
        "exp without taking the maximum off": "exp(1000) is inf: take each row's maximum off first.",
        "float64 out of float32": "np.eye and np.zeros make float64, and it spreads: give them x.dtype.",
        "a float64 gate": (
            "np.where of plain numbers makes float64: put dh inside it, or end with .astype(x.dtype)."
        ),
        "dw2 from z instead of h": "w2 was multiplied by something on the way forward: by what exactly?",
        "averaged the bias gradients once more": (
            "The 1/N is in p - y already; a bias adds up what reaches it."
        ),
        "bias gradients with a spare axis": (
            "b1 has shape (H,): an axis of size 1 kept in its gradient would broadcast silently."
        ),
        "forgot the decay": "The loss has a second term, and w1 and w2 reach it directly.",
        "subtracted the decay": "A larger weight makes the second term larger: mind the sign of its slope.",
        "divided the decay by N": "Look at the loss: the mean runs over its first term only.",
        "decayed the biases too": "The decay term holds w1 and w2 only.",
        "the decay's half not cancelled": "The slope of decay / 2 * w * w: the half meets a 2.",
        "decayed twice as much": "The slope of decay / 2 * w * w: the 2 meets a half.",
    },
)


def _channel_norm(mistake, dout, x, eps):
    if mistake == "forgot keepdims":  # raises an exception unless the shapes happen to fit
        xc = x - x.mean(1)
        rstd = 1 / np.sqrt((xc * xc).mean(1) + eps)
        norm = xc * rstd
        return (dout - dout.mean(1) - norm * (dout * norm).mean(1)) * rstd
    axis = {"normalised over the last axis": 2, "normalised over channels and time": (1, 2)}.get(mistake, 1)
    C = x.size // x.mean(axis).size  # how many share a mean
    xc = x - x.mean(axis, keepdims=True)
    ddof = int(mistake == "the variance with N - 1")
    var = (xc * xc).sum(axis, keepdims=True) / (C - ddof)
    if mistake == "forgot eps":
        eps = 0.0
    with np.errstate(all="ignore"):
        rstd = 1 / np.sqrt(var + eps)
    if mistake == "eps outside the square root":
        rstd = 1 / (np.sqrt(var) + eps)
    with np.errstate(all="ignore"):
        norm = xc * rstd  # 0 * inf without eps
    mean_path = dout.mean(axis, keepdims=True)
    var_path = norm * (dout * norm).mean(axis, keepdims=True)
    if mistake == "the means of dout run over the whole array":
        mean_path, var_path = dout.mean(), norm * (dout * norm).mean()
    if mistake == "the path through the variance is missing":
        return (dout - mean_path) * rstd
    if mistake == "the path through the mean is missing":
        return (dout - var_path) * rstd
    if mistake == "mean and variance taken for constants":
        return dout * rstd
    if mistake == "sums where there should be means":
        return (dout - C * mean_path - C * var_path) * rstd
    if mistake == "the centred x instead of norm":
        var_path = xc * (dout * xc).mean(axis, keepdims=True)
    factors = {
        "added the path through the variance": -1,
        "the path through the variance twice": 2,
        "the path through the variance without its 1/C": C,
    }
    var_path = factors.get(mistake, 1) * var_path
    if mistake == "forgot the division by the standard deviation":
        return dout - mean_path - var_path
    return (dout - mean_path - var_path) * rstd


CHANNEL_NORM = named(
    _channel_norm,
    {
        "the path through the variance is missing": (
            "Moving one x moves the variance, and with it every output of that column. "
            "An upstream gradient of ones cannot see this."
        ),
        "the path through the mean is missing": (
            "Moving one x moves the mean, and with it every output of that column."
        ),
        "mean and variance taken for constants": (
            "The mean and the variance are made of x: two more paths lead back to it."
        ),
        "sums where there should be means": "A mean hands 1/C of its gradient to each entry.",
        "the means of dout run over the whole array": "Each column has a mean of its own: name the axis.",
        "forgot keepdims": (
            "Without keepdims=True a mean over axis 1 has the shape (B, T): it lines up with the wrong axes."
        ),
        "the centred x instead of norm": (
            "Look at the slope of the variance's path: both of its factors are normalised."
        ),
        "added the path through the variance": (
            "Moving a large x up makes s larger, and that shrinks the outputs: mind the sign."
        ),
        "the path through the variance twice": "The square brings a 2, the root a half: what is left?",
        "the path through the variance without its 1/C": (
            "The variance is a mean: each entry has a share of 1/C in it."
        ),
        "normalised over channels and time": "Each moment has a mean of its own: over axis 1 only.",
        "forgot eps": "eps stands in the forward pass: a column that does not vary would divide by 0.",
        "forgot the division by the standard deviation": "Forward divides by s: what is the slope of that?",
        "normalised over the last axis": "The channels are axis 1 here, the time is axis 2.",
        "the variance with N - 1": "The forward pass divides the sum of squares by C, not by C - 1.",
        "eps outside the square root": "Look where eps stands in the forward pass: inside the root.",
    },
)


def _unbroadcast(mistake, dout, shape):
    lead = dout.ndim - len(shape)
    added = tuple(range(lead))
    stretched = tuple(lead + i for i, size in enumerate(shape) if size == 1)
    if mistake == "takes one slice instead of the sum":
        keep = tuple(slice(0, 1) if i in added + stretched else slice(None) for i in range(dout.ndim))
        return dout[keep].reshape(shape)
    if mistake == "the mean instead of the sum":
        return dout.mean(added + stretched, keepdims=True).reshape(shape)
    if mistake == "only the leading axes":
        return dout.sum(added)
    if mistake == "the axes move while it sums":
        for axis in range(lead):
            dout = dout.sum(axis)
        return dout.sum(tuple(axis - lead for axis in stretched), keepdims=True)
    if mistake == "keeps the new axes":
        return dout.sum(added + stretched, keepdims=True)
    if mistake == "drops the axes of size 1":
        return dout.sum(added + stretched)
    if mistake == "sums the trailing axes, not the leading ones":
        return dout.sum(tuple(range(dout.ndim - lead, dout.ndim)))
    if mistake == "sums everything whenever shapes differ" and dout.shape != tuple(shape):
        return np.full(shape, dout.sum(), dout.dtype)
    return dout.sum(added + stretched, keepdims=True).reshape(shape)


UNBROADCAST = named(
    _unbroadcast,
    {
        "only the leading axes": "An axis of size 1 was stretched, too: its copies must be added up as well.",
        "the axes move while it sums": (
            "After one sum the other axes move up: the next new axis is axis 0 again."
        ),
        "keeps the new axes": "Axes that the broadcast added must go: only those of `shape` stay.",
        "drops the axes of size 1": (
            "The gradient has the shape of what it is the gradient of, axes of size 1 included."
        ),
        "the mean instead of the sum": (
            "Each copy carries its own share back. Shares of one thing are added, not averaged."
        ),
        "takes one slice instead of the sum": "Every copy carries something back, not only the first.",
        "sums the trailing axes, not the leading ones": (
            "Broadcasting lines shapes up at their right ends: new axes appear on the left."
        ),
        "sums everything whenever shapes differ": (
            "Only the axes that were stretched are summed; the others stay as they are."
        ),
    },
)


def _tied(mistake, dout, x, w):
    z = x @ w
    h = np.tanh(z)
    dh = dout @ w
    slope = 1 - h * h
    if mistake == "tanh's slope left out":
        slope = 1
    elif mistake == "tanh's slope from z instead of h":
        slope = 1 - z * z
    elif mistake == "tanh taken twice":
        slope = 1 - np.tanh(h) ** 2
    elif mistake == "forgot the square in tanh's slope":
        slope = 1 - h
    elif mistake == "tanh's value instead of its slope":
        slope = h
    dz = dh * slope
    first, second = x.T @ dz, dout.T @ h
    dw = {
        "only the first use of w": first,
        "only the second use of w": second,
        "the two uses averaged": (first + second) / 2,
        "the second use taken from z instead of h": first + dout.T @ z,
        "the second use subtracted": first - second,
        "counted the first use twice": 2 * first,
        "reshaped the second use, not turned round": first + (h.T @ dout).reshape(w.shape),
    }.get(mistake, first + second)
    if mistake == "the second use not turned round":
        dw = first + second.T  # raises an exception unless w is square
    return dh @ w.T if mistake == "dx skips the tanh" else dz @ w.T, dw


TIED = named(
    _tied,
    {
        "only the first use of w": "w stands twice in the forward pass; count the terms of your dw.",
        "only the second use of w": (
            "w stands twice in the forward pass; count the terms of your dw (and mind = against +=)."
        ),
        "the two uses averaged": "Shares of one thing are added, not averaged.",
        "the second use not turned round": (
            "In out = h @ w.T the weight is w.T, so its gradient has the shape of w.T: turn it round."
        ),
        "the second use subtracted": "Shares of one thing are added.",
        "tanh's slope left out": "Between h and z stands tanh: on the way back it multiplies by its slope.",
        "tanh taken twice": "h is tanh(z) already: with it the slope is 1 - h * h.",
        "forgot the square in tanh's slope": "The slope is 1 - tanh(z)^2: where is the square?",
        "tanh's value instead of its slope": (
            "On the way back a function multiplies by its slope, not by its value."
        ),
        "counted the first use twice": "The second use has a share of its own: out = h @ w.T.",
        "reshaped the second use, not turned round": (
            "A reshape keeps the order in memory, so it deals the numbers out differently: .T turns round."
        ),
        "tanh's slope from z instead of h": "The slope is 1 - tanh(z)^2: which of your names holds tanh(z)?",
        "the second use taken from z instead of h": (
            "In the second use w.T was multiplied by something: by what exactly?"
        ),
        "dx skips the tanh": "dw and dx both lie behind the tanh: both start from dz.",
    },
)


def _deltas(mistake, z1, w, b, t):
    y = sigmoid(np.maximum(0, z1) * w.sum() + b)
    slope2 = y * (1 - y)
    if mistake in ("still the slope at the output", "all three as published"):
        slope2 = sigmoid(y) * (1 - sigmoid(y))
    if mistake == "the short way of cross-entropy":
        slope2 = 1
    delta2 = (t - y if mistake == "t - y instead of y - t" else y - t) * slope2
    if mistake == "averaged over the examples":
        delta2 = delta2 / len(t)
    back = (
        y - t
        if mistake in ("still no output slope in the hidden delta", "all three as published")
        else delta2
    )
    delta1 = w.sum() * back
    if mistake == "only one of the wires":
        delta1 = w[0] * back
    if mistake == "the wires not added up":
        return np.outer(back, w) * (z1 > 0)[:, None], delta2
    if mistake == ">= at zero":
        return np.where(z1 >= 0, delta1, 0 * delta1), delta2
    if mistake == "the ReLU's value, not its slope":
        return delta1 * np.maximum(z1, 0), delta2
    if mistake in ("still no slope of the hidden ReLU", "all three as published"):
        return delta1, delta2
    return np.where(z1 > 0, delta1, 0 * delta1), delta2


DELTAS = named(
    _deltas,
    {
        "all three as published": (
            "This is the published recipe. Nudge z2, then z1, and see which number moves otherwise."
        ),
        "still the slope at the output": (
            "One mistake is left: the sigmoid's slope where the sigmoid was entered, at z2."
        ),
        "still no output slope in the hidden delta": (
            "One mistake is left: what travels back through the wires is delta2, not the bare error y - t."
        ),
        "still no slope of the hidden ReLU": (
            "One mistake is left: a hidden neuron that is off has no influence at all."
        ),
        "the short way of cross-entropy": (
            "y - t alone is the short way of cross-entropy; this loss is the halved square."
        ),
        "averaged over the examples": "Here the loss is that of each example: there is no mean.",
        "t - y instead of y - t": (
            "Check the sign: y above its target must give a positive slope with respect to y."
        ),
        ">= at zero": "At exactly zero the slope is to be 0. Which of > and >= says so?",
        "the wires not added up": "You have one number for each wire: all of them lead back to one z1.",
        "the ReLU's value, not its slope": (
            "On the way back the ReLU multiplies by its slope (0 or 1), not by its value."
        ),
        "only one of the wires": "All wires start at the same a: every one of them brings something back.",
    },
)
