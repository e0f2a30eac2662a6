"""Chapter 05's known-wrong answers, first half (5.1 to 5.5): one function for each exercise.

Each is the right answer with the named mistake in it and nothing else.
"""

from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


def _named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


def _momentum(mistake, w, dw, delta, lr, beta):
    if mistake == "torch's velocity instead of the step":
        velocity = beta * delta + dw
        return w - lr * velocity, velocity
    if mistake == "moved by the old step":
        return w + delta, beta * delta - lr * dw
    if mistake == "the learning rate on the memory, too":
        new = lr * (beta * delta - dw)
    elif mistake == "a moving mean: 1 - beta on the gradient":
        new = beta * delta - (1 - beta) * lr * dw
    elif mistake == "added the gradient":
        new = beta * delta + lr * dw
    elif mistake == "beta left out":
        new = delta - lr * dw
    elif mistake == "1 - beta on the memory":
        new = (1 - beta) * delta - lr * dw
    else:
        new = beta * delta - lr * dw
    if mistake == "took the step off instead of adding it":
        return w - new, new
    if mistake == "Nesterov's look-ahead":
        return w + beta * new - lr * dw, new
    if mistake == "the learning rate twice":
        return w + lr * new, new
    return w + new, new


MOMENTUM = _named(
    _momentum,
    {
        "took the step off instead of adding it": "delta is the step itself and points downhill already: "
        "which sign takes w along with it?",
        "torch's velocity instead of the step": "That is the other convention. Here delta is the step that "
        "was taken, in units of w, with lr inside it.",
        "moved by the old step": "Today's gradient should move w today: which delta do you add?",
        "the learning rate on the memory, too": "delta holds steps, in which lr is already: scale the new "
        "gradient only.",
        "a moving mean: 1 - beta on the gradient": "This momentum is a decaying sum, not a mean: the "
        "newest gradient counts in full.",
        "added the gradient": "dw points uphill. What is the step of plain gradient descent?",
        "beta left out": "Without friction the old steps never fade: where does beta belong?",
        "1 - beta on the memory": "beta is the share that is kept: at beta = 0.9 nine tenths of the last "
        "step live on.",
        "Nesterov's look-ahead": "That is Nesterov's form, which looks one step ahead; the plain one adds "
        "delta as it is.",
        "the learning rate twice": "delta has lr in it already: w moves by delta itself.",
    },
)


def _smoothed(mistake, values, beta):
    means, m, corrected = [], np.zeros_like(values[0]), np.zeros_like(values[0])
    if mistake in ("started from the first value", "started from the first value, then corrected"):
        m = values[0]
    for i, value in enumerate(values):
        if mistake == "beta and 1 - beta swapped" or mistake == "beta and 1 - beta swapped everywhere":
            m = (1 - beta) * m + beta * value
        elif mistake == "the corrected mean fed back":
            m = beta * corrected + (1 - beta) * value
        elif mistake == "a plain mean of all values":
            m = values[: i + 1].mean(0)
        else:
            m = beta * m + (1 - beta) * value
        t = {"counted the steps from 0": i, "one correction for all steps": len(values)}.get(mistake, i + 1)
        kept = 1 - beta if mistake == "beta and 1 - beta swapped everywhere" else beta
        with np.errstate(all="ignore"):
            corrected = m / values.dtype.type(1 - kept**t)
        if mistake == "multiplied by the correction":
            corrected = m * (1 - beta**t)
        bare = ("no correction", "started from the first value", "a plain mean of all values")
        means.append(m if mistake in bare else corrected)
    return np.array(means, values.dtype)


SMOOTHED = _named(
    _smoothed,
    {
        "no correction": "Smooth the values 5, 5, 5: does yours say 5 from the start?",
        "counted the steps from 0": "At the first value the weights in the mean sum to 1 - beta. Which t "
        "gives that?",
        "the corrected mean fed back": "The correction is for reading only: the recursion goes on with the "
        "uncorrected m.",
        "started from the first value": "Then the first value keeps a weight of beta**t, far above its "
        "neighbours': start from zero and correct.",
        "beta and 1 - beta swapped": "beta is the share of the past that is kept, the new value enters "
        "with the rest.",
        "started from the first value, then corrected": "Only a mean that starts from zero falls short: "
        "start from zero, or do not divide.",
        "beta and 1 - beta swapped everywhere": "beta is the share of the past that is kept, the new value "
        "enters with the rest.",
        "a plain mean of all values": "In a plain mean old values never fade.",
        "multiplied by the correction": "The mean is too small at first. Does 1 - beta**t, which is below "
        "1, make it larger?",
        "one correction for all steps": "The shortfall shrinks from step to step, so each step has a "
        "correction of its own.",
    },
)


def _adagrad_gradient(mistake, w, ids, drows):
    """What the mistakes in adding up make of dw; and of dw squared."""
    dw, squares = np.zeros_like(w), np.zeros_like(w)
    if mistake == "repeated ids: only the last one counts":
        dw[ids] += drows
    else:
        np.add.at(dw, ids, drows)
    if mistake == "squared before adding up":
        np.add.at(squares, ids, drows * drows)
    elif mistake == "one sum for the whole row":
        squares += (dw * dw).mean(1, keepdims=True)
    else:
        squares = dw * dw
    if mistake == "averaged over repeated ids":
        times = np.maximum(np.bincount(ids, minlength=len(w)), 1)[:, None].astype(w.dtype)
        dw, squares = dw / times, squares / (times * times)
    return dw, squares


def _adagrad(mistake, w, s, ids, drows, lr, eps):
    if mistake == "one step for each occurrence":
        w, s = w.copy(), s.copy()
        for row, d in zip(ids, drows, strict=True):
            s[row] += d * d
            w[row] -= lr * d / (np.sqrt(s[row]) + eps)
        return w, s
    dw, squares = _adagrad_gradient(mistake, w, ids, drows)
    new = s + squares
    if mistake == "a moving mean instead of a sum":
        new = 0.9 * s + 0.1 * squares
    used = s if mistake == "divided by the sum before this step" else new
    if mistake == "forgot the root":
        return w - lr * dw / (used + eps), new
    if mistake == "eps inside the root":
        return w - lr * dw / np.sqrt(used + eps), new
    if mistake == "eps left out":
        with np.errstate(all="ignore"):
            return w - lr * dw / np.sqrt(used), new
    return w - lr * dw / (np.sqrt(used) + eps), new


ADAGRAD = _named(
    _adagrad,
    {
        "repeated ids: only the last one counts": "dw[ids] += drows writes each row once, however often "
        "its id occurs.",
        "squared before adding up": "The gradient of a row is the sum over its occurrences; its square is "
        "taken after that.",
        "one step for each occurrence": "A batch is one step: first add up what each row received, then "
        "move once.",
        "averaged over repeated ids": "The loss has been averaged already; occurrences of one row add up.",
        "divided by the sum before this step": "The sum includes today's gradient: at the very first step "
        "it is all there is.",
        "forgot the root": "Squares carry the unit of the gradient squared: what brings it back?",
        "eps inside the root": "Here eps is added to the root, not to the sum under it.",
        "eps left out": "A row that was never read has dw = 0 and s = 0: what is 0 / 0, and what is eps for?",
        "a moving mean instead of a sum": "AdaGrad forgets nothing: a plain sum from the first step on.",
        "one sum for the whole row": "Every weight has a sum of its own: s has the shape of w.",
    },
)


def _rmsprop(mistake, w, dw, v, u, lr, rho, mu, eps):
    old = v
    if mistake == "a sum instead of a mean":
        v = v + dw * dw
    elif mistake == "rho and 1 - rho swapped":
        v = (1 - rho) * v + rho * dw * dw
    elif mistake == "rho and mu swapped":
        rho, mu = mu, rho
        v = rho * v + (1 - rho) * dw * dw
    elif mistake == "the gradient not squared":
        v = rho * v + (1 - rho) * dw
    else:
        v = rho * v + (1 - rho) * dw * dw
    used = old if mistake == "divided by the mean before this step" else v
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(used) + eps
    if mistake == "eps inside the root":
        scale = np.sqrt(used + eps)
    elif mistake == "forgot the root":
        scale = used + eps
    return _rmsprop_move(mistake, w, dw, v, u, lr, mu, eps, scale)


def _rmsprop_move(mistake, w, dw, v, u, lr, mu, eps, scale):
    if mistake == "momentum first, then the division":
        u = mu * u + dw
        return w - lr * u / scale, v, u
    if mistake == "1 - mu on the new step":
        u = mu * u + (1 - mu) * dw / scale
    elif mistake == "the learning rate inside the memory":
        u = mu * u + lr * dw / scale
        return w - u, v, u
    elif mistake == "moved by the new step only":
        return w - lr * dw / scale, v, mu * u + dw / scale
    elif mistake == "moved by the old memory":
        return w - lr * u, v, mu * u + dw / scale
    elif mistake == "eps outside the division":
        u = mu * u + dw / (scale - eps) + eps
    else:
        u = mu * u + dw / scale
    return w - lr * u, v, u


RMSPROP = _named(
    _rmsprop,
    {
        "momentum first, then the division": "That is Adam's order. Here the gradient is divided first and "
        "then remembered.",
        "a sum instead of a mean": "A sum only grows (that was AdaGrad): let the old squares fade by rho.",
        "rho and 1 - rho swapped": "rho is the share of the past that is kept.",
        "rho and mu swapped": "rho is for the squares, mu for the momentum.",
        "divided by the mean before this step": "Today's square is part of the mean that you divide by.",
        "eps inside the root": "Here eps is added to the root, not to the mean under it.",
        "forgot the root": "v is a mean of squares: what brings it back to the unit of the gradient?",
        "1 - mu on the new step": "This momentum is a decaying sum: the new step enters in full.",
        "the learning rate inside the memory": "Keep lr out of u: it multiplies u when w moves.",
        "the gradient not squared": "v is a mean of squares, which are never negative: dw * dw.",
        "moved by the old memory": "Today's gradient should move w today: which u do you take?",
        "eps outside the division": "a / b + eps divides first: put eps in brackets with the root.",
        "moved by the new step only": "u is remembered but never used: it is u that moves w.",
    },
)


def _overshoot(mistake, t, beta1, beta2):
    with np.errstate(all="ignore"):
        if mistake == "forgot the root":
            return (1 - beta1**t) / (1 - beta2**t)
        if mistake == "upside down":
            return np.sqrt(1 - beta2**t) / (1 - beta1**t)
        if mistake == "betas swapped":
            return (1 - beta2**t) / np.sqrt(1 - beta1**t)
        if mistake == "the first step's ratio for every step":
            return np.full(len(t), (1 - beta1) / (1 - beta2) ** 0.5)
        if mistake == "m only":
            return 1 - beta1**t
        if mistake == "v only":
            return 1 / np.sqrt(1 - beta2**t)
        if mistake == "the root over everything":
            return np.sqrt((1 - beta1**t) / (1 - beta2**t))
        if mistake == "counted the steps from 0":
            return (1 - beta1 ** (t - 1)) / np.sqrt(1 - beta2 ** (t - 1))
        if mistake == "powers of 1 - beta":
            return (1.0 - beta1) ** t / np.sqrt((1.0 - beta2) ** t)
        if mistake == "the place in the array instead of t":
            t = np.arange(1, len(t) + 1)
            return (1 - beta1**t) / np.sqrt(1 - beta2**t)
        return (beta1**t) / np.sqrt(beta2**t)


OVERSHOOT = _named(
    _overshoot,
    {
        "forgot the root": "v is divided by its correction under the root: what is left of it outside?",
        "upside down": "Is the article's step longer or shorter than Adam's at t = 1 with betas (0.9, "
        "0.999)?",
        "betas swapped": "beta1 belongs to m, which stands above the line, beta2 to v below it.",
        "the first step's ratio for every step": "t enters the ratio: after many steps it must be 1.",
        "the root over everything": "Only v stands under a root.",
        "m only": "v is too small at first, as well: what does dividing by its root do to the step?",
        "v only": "m is too small at first, as well: what does that do to the step?",
        "counted the steps from 0": "The first step is t = 1: there m is 1 - beta1 times the gradient.",
        "powers of 1 - beta": "1 - beta**t is one less a power, not a power of 1 - beta.",
        "the place in the array instead of t": "The array holds the step numbers, in any order: the first "
        "entry need not be step 1.",
        "the weight of the zero instead of the rest": "beta**t is what is still missing; the mean holds "
        "the rest.",
    },
)
