"""Spot the bug: a published Adam."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(t, *shape, betas=(0.9, 0.999), eps=1e-8, size=1.0):
        grads = size * (0.5 + rng.normal(size=(t, *shape)))
        lrs = np.linspace(0.1, 0.02, t) * float(rng.uniform(0.5, 2.0))
        return rng.normal(size=shape), grads, lrs, *betas, eps

    return [
        (np.array([1.0]), np.array([[1000.0], [1000.0]]), np.array([0.1, 0.05]), 0.9, 0.999, 0.0),
        case(6, 3),
        (np.zeros(2), rng.normal(size=(3, 2)), np.array([0.1, 0.2, 0.1]), 0.9, 0.99, 1e-8),  # w begins at 0
        case(1, 4, 2),
        case(15, 2, 3, betas=(0.8, 0.95), eps=0.05),
        case(8, 5, betas=(0.7, 0.99), eps=1e-4, size=1e-3),  # an eps that is not small beside the gradients
        as_float32(case(7, 4, 3, eps=1e-3)),
    ]


def mended_adam(w, grads, lrs, beta1, beta2, eps):
    m, v, path = np.zeros_like(w), np.zeros_like(w), []
    for i in range(len(grads)):
        dw, lr = grads[i], float(lrs[i])
        m = beta1 * m + (1 - beta1) * dw
        v = beta2 * v + (1 - beta2) * dw**2
        m_hat = m / (1 - beta1 ** (i + 1))  # both means start at zero
        v_hat = v / (1 - beta2 ** (i + 1))
        step = m_hat / (np.sqrt(v_hat) + eps)
        w = w - lr * step
        path.append(w)
    return np.stack(path)


def correction_in_the_rate(w, grads, lrs, beta1, beta2, eps):
    m, v, path = 0 * w, 0 * w, np.zeros_like(grads)
    for i in range(len(grads)):
        m = m + (1 - beta1) * (grads[i] - m)
        v = v + (1 - beta2) * (grads[i] ** 2 - v)
        root = math.sqrt(1 - beta2 ** (i + 1))
        rate = float(lrs[i]) * root / (1 - beta1 ** (i + 1))
        w = w - rate * m / (np.sqrt(v) + eps * root)
        path[i] = w
    return path


def by_weighted_means(w, grads, lrs, beta1, beta2, eps):
    steps = []
    for t in range(1, len(grads) + 1):
        age = np.arange(t)[::-1]
        means = []
        for beta, values in ((beta1, grads[:t]), (beta2, grads[:t] ** 2)):
            weights = float(beta) ** age
            means.append(np.tensordot(weights / weights.sum(), values, 1))
        steps.append(float(lrs[t - 1]) * means[0] / (means[1] ** 0.5 + eps))
    return (w - np.cumsum(steps, 0)).astype(w.dtype)


EXERCISE = Exercise(
    title="Spot the bug: a published Adam",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=mended_adam,
    alternatives=(correction_in_the_rate, by_weighted_means),
    teaches=("optimizers.adam", "optimizers.adamw"),
    mistakes=(
        mistake(
            "still as published: nothing corrected",
            (
                "m_hat = m",
                "v_hat = v",
            ),
            "m and v start at zero: by which factor is each too small after the first step?",
        ),
        mistake("corrected m only", "v_hat = v", "v starts at zero, too."),
        mistake("corrected v only", "m_hat = m", "m starts at zero, too."),
        mistake(
            "betas swapped in the corrections",
            (
                "m_hat = m / (1 - beta2 ** (i + 1))",
                "v_hat = v / (1 - beta1 ** (i + 1))",
            ),
            "beta1 belongs to the mean of the gradients, beta2 to that of their squares.",
        ),
        mistake(
            "beta1 in both corrections",
            "v_hat = v / (1 - beta1 ** (i + 1))",
            "v has a beta of its own, and so has its correction.",
        ),
        mistake(
            "beta and 1 - beta swapped in the corrections",
            (
                "m_hat = m / (1 - (1 - beta1) ** (i + 1))",
                "v_hat = v / (1 - (1 - beta2) ** (i + 1))",
            ),
            "A beta is the share of the old mean that is kept: after t steps the zero still has beta**t.",
        ),
        mistake(
            "divided by beta to the power of t",
            (
                "m_hat = m / beta1 ** (i + 1)",
                "v_hat = v / beta2 ** (i + 1)",
            ),
            "beta**t is what the zero still has; the gradients have the rest.",
        ),
        mistake(
            "counted the steps from 0",
            (
                "m_hat = m / (1 - beta1**i)",
                "v_hat = v / (1 - beta2**i)",
            ),
            "At t = 0 the correction divides by zero: the first step is t = 1.",
        ),
        mistake(
            "counted one step too many",
            (
                "m_hat = m / (1 - beta1 ** (i + 2))",
                "v_hat = v / (1 - beta2 ** (i + 2))",
            ),
            "The first step, i = 0, is t = 1.",
        ),
        mistake(
            "corrected for the last step throughout",
            (
                "m_hat = m / (1 - beta1 ** len(grads))",
                "v_hat = v / (1 - beta2 ** len(grads))",
            ),
            "What is missing shrinks from step to step: each has a correction of its own.",
        ),
        mistake(
            "the corrected means fed back",
            (
                "m_hat = m -> m_hat = m = m",
                "v_hat = v -> v_hat = v = v",
            ),
            "The recursion goes on with the uncorrected m and v; the corrected ones are only for the step.",
        ),
        mistake(
            "eps inside the root",
            "step = m_hat / np.sqrt(v_hat + eps)",
            "eps is added to the root of the corrected v, not to v.",
        ),
        mistake(
            "eps before the correction",
            "step = m_hat / ((np.sqrt(v) + eps) / (1 - beta2 ** (i + 1)) ** 0.5)",
            "eps is added last, to the root of the corrected v: there it is compared with a gradient's "
            "true size.",
        ),
        mistake(
            "v corrected after the root",
            "v_hat = v / (1 - beta2 ** (i + 1)) -> v_hat = v / (1 - beta2 ** (i + 1)) ** 2",
            "First divide v by its correction, then take the root: with beta2 = 0.999 sqrt(v) is 32 times "
            "too small at step 1, not 1,000 times.",
        ),
        mistake(
            "powers of 1 - beta",
            (
                "m_hat = m / (1 - beta1) ** (i + 1)",
                "v_hat = v / (1 - beta2) ** (i + 1)",
            ),
            "1 - beta**t is one less a power, not a power of 1 - beta.",
        ),
        mistake(
            "beta times t instead of beta to the power of t",
            (
                "m_hat = m / (1 - beta1 * (i + 1))",
                "v_hat = v / (1 - beta2 * (i + 1))",
            ),
            "Each step multiplies the zero's weight by beta: after t steps that is beta**t.",
        ),
        mistake(
            "multiplied by the corrections",
            (
                "m_hat = m * (1 - beta1 ** (i + 1))",
                "v_hat = v * (1 - beta2 ** (i + 1))",
            ),
            "The means are too small at first. Does 1 - beta**t, which is below 1, make them larger?",
        ),
        mistake(
            "eps outside the division",
            "step = m_hat / np.sqrt(v_hat) + eps",
            "a / b + eps divides first: put eps in brackets with the root.",
        ),
        mistake(
            "eps outside the division, and not scaled",
            "w = w - lr * m_hat / np.sqrt(v_hat) + eps",
            "a / b + eps divides first: put eps in brackets with the root.",
        ),
        mistake(
            "eps left out", "step = m_hat / np.sqrt(v_hat)", "eps is added to the root of the corrected v."
        ),
        mistake(
            "forgot the root",
            "step = m_hat / (v_hat + eps)",
            "The step should not change when all gradients are multiplied by 10. Does yours?",
        ),
        mistake(
            "moved by the gradient, not by its mean",
            "step = dw / (np.sqrt(v_hat) + eps)",
            "Adam's step is the corrected mean of the gradients over the root.",
        ),
        mistake(
            "the root of the square of the mean",
            "step = m_hat / (np.sqrt(m_hat**2) + eps)",
            "Below the line stands v, the mean of the squares; what is v_hat for?",
        ),
        mistake(
            "every step corrected like the first",
            (
                "m_hat = m / (1 - beta1)",
                "v_hat = v / (1 - beta2)",
            ),
            "What is missing shrinks from step to step: which power of beta still sits on the zero after t "
            "steps?",
        ),
        mistake(
            "w -= also changes the places already stored",
            "w = w - lr * step -> w -= lr * step",
            "All entries of the path came out alike: w -= ... works inside the one array that you stored "
            "again and again. w = w - ... makes a new one.",
        ),
        mistake(
            "the first learning rate throughout",
            "w = w - float(lrs[0]) * step",
            "lrs holds one learning rate for each step.",
        ),
        mistake(
            "the learning rate left out",
            "w = w - step",
            "lr is there already: Adam's step is lr times m over the root of v.",
        ),
        mistake("uphill", "w = w + lr * step", "The gradient points uphill: the step is taken off."),
        mistake("w does not move", "w = w - lr * step ->", "The step is made, but w has to take it."),
    ),
    equal=(
        ("m, v, path = (0, 0 * w, np.zeros_like(grads))", "NumPy stretches a single 0"),
        ("m, v, path = (0 * w, 0, np.zeros_like(grads))", "NumPy stretches a single 0"),
        ("m, v, path = (0 * w, 0 * w, np.ones_like(grads))", "every entry is written over"),
    ),
    hints=(
        "Give it a single gradient of 1000 and a learning rate of 0.1: how far does w move, and how far "
        "should it?",
        "The two moving means are right. What is missing between them and the step?",
        "m / (1 - beta1**t) and v / (1 - beta2**t) with t = 1 for the first step; m and v themselves stay.",
    ),
)
