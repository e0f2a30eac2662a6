"""One step of AdamW for a dict of arrays; only matrices decay."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(shapes, t, *betas, eps=1e-8):
        def draw(make):
            return {name: make(shape) for name, shape in shapes.items()}

        def zeros_or(make):
            return draw(lambda shape: make(shape) if t > 1 else np.zeros(shape))

        params, grads = draw(lambda s: rng.normal(size=s)), draw(lambda s: rng.normal(size=s))
        m = zeros_or(lambda s: 0.3 * rng.normal(size=s))
        v = zeros_or(lambda s: rng.uniform(0.1, 0.5, s))
        lr, decay = float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.2, 0.6))
        return params, grads, m, v, t, lr, decay, *betas, eps

    one = {"w": np.array([[1.0]]), "b": np.array([1.0])}
    two = {name: 2 * w for name, w in one.items()}
    zeros = {name: 0 * w for name, w in one.items()}
    return [
        (one, two, zeros, dict(zeros), 1, 0.1, 0.5, 0.9, 0.99, 0.0),
        case({"w": (4, 3), "b": (3,)}, 1, 0.9, 0.99),
        case({"emb": (7, 2), "w": (2, 5), "gain": (5,), "b": (5,), "w_scale": (5,)}, 4, 0.8, 0.95),
        case({"kernel": (2, 3, 4), "b": (4,)}, 30, 0.9, 0.999, eps=0.1),
        case({"b": (3, 2), "w": (4,), "bias": (1, 5)}, 3, 0.7, 0.98, eps=0.05),  # names say nothing
        as_float32(case({"w": (3, 6), "b": (6,)}, 2, 0.7, 0.9, eps=1e-3)),
    ]


def adamw_model(params, grads, m, v, t, lr, decay, beta1, beta2, eps):
    new_params, new_m, new_v = {}, {}, {}
    for name, w in params.items():
        dw = grads[name]
        new_m[name] = beta1 * m[name] + (1 - beta1) * dw
        new_v[name] = beta2 * v[name] + (1 - beta2) * dw * dw
        m_hat = new_m[name] / (1 - beta1**t)
        v_hat = new_v[name] / (1 - beta2**t)
        step = m_hat / (np.sqrt(v_hat) + eps)
        shrink = lr * decay if w.ndim >= 2 else 0.0  # matrices only
        new_params[name] = w - shrink * w - lr * step
    return new_params, new_m, new_v


def in_comprehensions(params, grads, m, v, t, lr, decay, beta1, beta2, eps):
    m = {k: m[k] + (1 - beta1) * (grads[k] - m[k]) for k in params}
    v = {k: v[k] + (1 - beta2) * (grads[k] ** 2 - v[k]) for k in params}
    c1, c2 = 1 - beta1**t, math.sqrt(1 - beta2**t)
    steps = {k: c2 / c1 * m[k] / (np.sqrt(v[k]) + eps * c2) for k in params}
    decays = {k: decay * (params[k].ndim > 1) for k in params}
    return {k: params[k] * (1 - lr * decays[k]) - lr * steps[k] for k in params}, m, v


def array_by_array(params, grads, m, v, t, lr, decay, beta1, beta2, eps):
    params, m, v = dict(params), dict(m), dict(v)
    for name in list(params):
        if len(params[name].shape) >= 2:  # first shrink, then Adam's own step
            params[name] = (1 - lr * decay) * params[name]
        m[name] = grads[name] * (1 - beta1) + m[name] * beta1
        v[name] = grads[name] ** 2 * (1 - beta2) + v[name] * beta2
        scale = (v[name] / (1 - beta2**t)) ** 0.5 + eps
        params[name] = params[name] - lr / (1 - beta1**t) * m[name] / scale
    return params, m, v


EXERCISE = Exercise(
    title="AdamW on a whole model",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=adamw_model,
    alternatives=(in_comprehensions, array_by_array),
    teaches=("optimizers.adam", "optimizers.adamw"),
    mistakes=(
        mistake(
            "a penalty in the gradient (L2, not AdamW)",
            (
                "dw = grads[name] + (decay * w if w.ndim >= 2 else 0.0)",
                "new_params[name] = w - lr * step",
            ),
            "Put into dw, the decay passes through m and v and is divided like everything else: keep it "
            "apart.",
        ),
        mistake(
            "a penalty in the gradient (L2, not AdamW), for biases, too",
            (
                "dw = grads[name] + decay * w",
                "new_params[name] = w - lr * step",
            ),
            "Put into dw, the decay passes through m and v and is divided like everything else: keep it "
            "apart, and for matrices only.",
        ),
        mistake(
            "a penalty in the gradient, and the decay besides",
            "dw = grads[name] + (decay * w if w.ndim >= 2 else 0.0)",
            "The decay acts once, on w itself: it never enters the gradient.",
        ),
        mistake(
            "decayed the biases, too",
            "shrink = lr * decay",
            "Arrays with one axis (biases, gains) are not to be decayed.",
        ),
        mistake(
            "told by the name b",
            'w.ndim >= 2 -> name != "b"',
            "A gain has one axis and no b in its name: count the axes, w.ndim.",
        ),
        mistake(
            "told by names that begin with b",
            'w.ndim >= 2 -> not name.startswith("b")',
            "A gain has one axis and no b in its name: count the axes, w.ndim.",
        ),
        mistake(
            "told by the names b and gain",
            'w.ndim >= 2 -> name not in ("b", "gain")',
            "There may be other names for arrays of one axis: count the axes, w.ndim.",
        ),
        mistake(
            "told by the name w",
            'w.ndim >= 2 -> name == "w"',
            "A matrix may have any name: count the axes, w.ndim.",
        ),
        mistake(
            "told by names that begin with w",
            'w.ndim >= 2 -> name.startswith("w")',
            "A matrix may have any name, and an array of one axis too: count the axes, w.ndim.",
        ),
        mistake(
            "only arrays with exactly two axes",
            "w.ndim >= 2 -> w.ndim == 2",
            "Two axes *or more* decay: a kernel may have three.",
        ),
        mistake(
            "only arrays with more than two axes",
            "w.ndim >= 2 -> w.ndim > 2",
            "Two axes or more decay: a matrix has just two.",
        ),
        mistake("decayed only the biases", "w.ndim >= 2 -> w.ndim < 2", "It is the matrices that decay."),
        mistake(
            "told by the size, not by the axes",
            "w.ndim >= 2 -> len(w) > 1",
            "len(w) is the length of the first axis; w.ndim is the number of axes.",
        ),
        mistake(
            "eps inside the root",
            "step = m_hat / np.sqrt(v_hat + eps)",
            "eps is added to the root of the corrected v, not to v.",
        ),
        mistake(
            "eps outside the division",
            "step = m_hat / np.sqrt(v_hat) + eps",
            "a / b + eps divides first: put eps in brackets with the root.",
        ),
        mistake(
            "eps before the correction",
            "step = m_hat / ((np.sqrt(new_v[name]) + eps) / (1 - beta2**t) ** 0.5)",
            "eps is added last, to the root of the *corrected* v.",
        ),
        mistake(
            "eps left out", "step = m_hat / np.sqrt(v_hat)", "eps is added to the root of the corrected v."
        ),
        mistake(
            "forgot the root",
            "step = m_hat / (v_hat + eps)",
            "v is a mean of squares: what brings it back to the unit of the gradient?",
        ),
        mistake(
            "v corrected after the root",
            "v_hat = new_v[name] / (1 - beta2**t) -> v_hat = new_v[name] / (1 - beta2**t) ** 2",
            "First divide v by its correction, then take the root.",
        ),
        mistake("corrected m only", "v_hat = new_v[name]", "v starts at zero, too."),
        mistake("corrected v only", "m_hat = new_m[name]", "m starts at zero, too."),
        mistake(
            "no bias correction",
            (
                "m_hat = new_m[name]",
                "v_hat = new_v[name]",
            ),
            "Adam's own step is the corrected one; t counts from 1.",
        ),
        mistake(
            "counted the steps from 0: t + 1",
            (
                "m_hat = new_m[name] / (1 - beta1 ** (t + 1))",
                "v_hat = new_v[name] / (1 - beta2 ** (t + 1))",
            ),
            "t is 1 for the first step already.",
        ),
        mistake(
            "one step too few: t - 1",
            (
                "m_hat = new_m[name] / (1 - beta1 ** (t - 1))",
                "v_hat = new_v[name] / (1 - beta2 ** (t - 1))",
            ),
            "t is 1 for the first step: with t - 1 its correction is a division by zero.",
        ),
        mistake(
            "betas swapped in the corrections",
            (
                "m_hat = new_m[name] / (1 - beta2**t)",
                "v_hat = new_v[name] / (1 - beta1**t)",
            ),
            "beta1 belongs to the mean of the gradients, beta2 to that of their squares.",
        ),
        mistake(
            "betas swapped in the means",
            (
                "new_m[name] = beta2 * m[name] + (1 - beta2) * dw",
                "new_v[name] = beta1 * v[name] + (1 - beta1) * dw * dw",
            ),
            "beta1 belongs to the mean of the gradients, beta2 to that of their squares.",
        ),
        mistake(
            "beta and 1 - beta swapped in the means",
            (
                "new_m[name] = (1 - beta1) * m[name] + beta1 * dw",
                "new_v[name] = (1 - beta2) * v[name] + beta2 * dw * dw",
            ),
            "A beta is the share of the old mean that is kept.",
        ),
        mistake(
            "multiplied by the corrections",
            (
                "m_hat = new_m[name] * (1 - beta1**t)",
                "v_hat = new_v[name] * (1 - beta2**t)",
            ),
            "The means are too small at first. Does 1 - beta**t, which is below 1, make them larger?",
        ),
        mistake(
            "powers of 1 - beta",
            (
                "m_hat = new_m[name] / (1 - beta1) ** t",
                "v_hat = new_v[name] / (1 - beta2) ** t",
            ),
            "1 - beta**t is one less a power, not a power of 1 - beta.",
        ),
        mistake(
            "squared the mean, not the gradient",
            "new_v[name] = beta2 * v[name] + (1 - beta2) * new_m[name] ** 2",
            "v is the mean of the squared gradients, not the square of their mean.",
        ),
        mistake(
            "the gradient not squared",
            "new_v[name] = beta2 * v[name] + (1 - beta2) * dw",
            "v is a mean of squares, which are never negative: dw * dw.",
        ),
        mistake(
            "moved by the gradient, not by its mean",
            "step = dw / (np.sqrt(v_hat) + eps)",
            "Adam's step is the corrected mean of the gradients over the root.",
        ),
        mistake(
            "the decay without the learning rate",
            "lr * decay -> decay",
            "In one step a weight shrinks by the share lr * decay.",
        ),
        mistake(
            "the learning rate left out of Adam's step",
            "new_params[name] = w - shrink * w - step",
            "Adam's own step is lr times m over the root of v.",
        ),
        mistake(
            "decayed after the step",
            "new_params[name] = (w - lr * step) * (1 - shrink)",
            "The shrinking acts on the old w; Adam's step is not shrunk.",
        ),
        mistake(
            "the decay divided by the scale, too",
            "new_params[name] = w - (shrink * w + lr * m_hat) / (np.sqrt(v_hat) + eps)",
            "Decoupled means: the decay never meets sqrt(v).",
        ),
        mistake(
            "grew instead of shrinking",
            "new_params[name] = w + shrink * w - lr * step",
            "Decay pulls towards zero: check the sign.",
        ),
        mistake(
            "uphill",
            "new_params[name] = w - shrink * w + lr * step",
            "The gradient points uphill: Adam's step is taken off.",
        ),
        mistake(
            "returned the corrected means",
            (
                "m_hat = -> m_hat = new_m[name] =",
                "v_hat = -> v_hat = new_v[name] =",
            ),
            "The corrected means are for this step only: what is kept for the next one are m and v "
            "themselves.",
        ),
        mistake(
            "the decay left out",
            "new_params[name] = w - lr * step",
            "This is Adam: where does the W, the decay of the matrices, come in?",
        ),
        mistake(
            "shrank by a fixed amount",
            "new_params[name] = w - shrink * np.sign(w) - lr * step",
            "Each weight shrinks by a share of itself, so large ones shrink more.",
        ),
    ),
    hints=(
        "Write Adam for one array first, then put it into a loop over the names.",
        "w.ndim is the number of axes: decay where it is 2 or more.",
        "The decay is a separate term, lr * decay * w, taken off besides Adam's step; it never enters m or "
        "v.",
    ),
)
