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
        case(6, 3),
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
        w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
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
    mistakes=(
        mistake(
            "still as published: nothing corrected",
            "w = w - lr * m / (np.sqrt(v) + eps)",
            "m and v start at zero: by which factor is each too small after the first step?",
        ),
        mistake("corrected m only", "v_hat = v", "v starts at zero, too."),
        mistake("corrected v only", "m_hat = m", "m starts at zero, too."),
        mistake(
            "betas taken for learning rates",
            ("m = (1 - beta1) * m + beta1 * dw", "v = (1 - beta2) * v + beta2 * dw**2"),
            "A beta is the share of the old mean that is kept, not the speed at which the new value comes "
            "in.",
        ),
        mistake(
            "betas swapped",
            (
                "m = beta2 * m + (1 - beta2) * dw",
                "v = beta1 * v + (1 - beta1) * dw**2",
                "m_hat = m / (1 - beta2 ** (i + 1))",
                "v_hat = v / (1 - beta1 ** (i + 1))",
            ),
            "beta1 belongs to the mean of the gradients, beta2 to that of their squares.",
        ),
        mistake(
            "counted the steps from 0",
            ("m_hat = m / (1 - beta1**i)", "v_hat = v / (1 - beta2**i)"),
            "At t = 0 the correction divides by zero: the first step is t = 1.",
        ),
        mistake(
            "the corrected means fed back",
            ("m_hat = m -> m_hat = m = m", "v_hat = v -> v_hat = v = v"),
            "The recursion goes on with the uncorrected m and v; the corrected ones are only for the step.",
        ),
        mistake(
            "eps inside the root",
            "w = w - lr * m_hat / np.sqrt(v_hat + eps)",
            "eps is added to the root of the corrected v, not to v.",
        ),
        mistake(
            "eps before the correction",
            "w = w - lr * m_hat / ((np.sqrt(v) + eps) / (1 - beta2 ** (i + 1)) ** 0.5)",
            "eps is added last, to the root of the corrected v: there it is compared with a gradient's true "
            "size.",
        ),
        mistake(
            "v corrected after the root",
            ("v_hat = np.sqrt(v) / (1 - beta2 ** (i + 1))", "w = w - lr * m_hat / (v_hat + eps)"),
            "First divide v by its correction, then take the root: with beta2 = 0.999 sqrt(v) is 32 times "
            "too small at step 1, not 1,000 times.",
        ),
        mistake(
            "powers of 1 - beta",
            ("m_hat = m / (1 - beta1) ** (i + 1)", "v_hat = v / (1 - beta2) ** (i + 1)"),
            "1 - beta**t is one less a power, not a power of 1 - beta.",
        ),
        mistake(
            "multiplied by the corrections",
            ("m_hat = m * (1 - beta1 ** (i + 1))", "v_hat = v * (1 - beta2 ** (i + 1))"),
            "The means are too small at first. Does 1 - beta**t, which is below 1, make them larger?",
        ),
        mistake(
            "eps outside the division",
            "w = w - lr * m_hat / np.sqrt(v_hat) + eps",
            "a / b + eps divides first: put eps in brackets with the root.",
        ),
        mistake(
            "forgot the root",
            "w = w - lr * m_hat / (v_hat + eps)",
            "The step should not change when all gradients are multiplied by 10. Does yours?",
        ),
        mistake(
            "squared the mean, not the gradient",
            "v = beta2 * v + (1 - beta2) * m**2",
            "v is the mean of the squared gradients, not the square of their mean.",
        ),
        mistake(
            "every step corrected like the first",
            ("m_hat = m / (1 - beta1)", "v_hat = v / (1 - beta2)"),
            "What is missing shrinks from step to step: which power of beta still sits on the zero after t "
            "steps?",
        ),
        mistake(
            "w -= also changes the places already stored",
            "w = w - -> w -=",
            "All entries of the path came out alike: w -= ... works inside the one array that you stored "
            "again and again. w = w - ... makes a new one.",
        ),
        mistake(
            "the first learning rate throughout",
            "float(lrs[i]) -> float(lrs[0])",
            "lrs holds one learning rate for each step.",
        ),
    ),
    hints=(
        "Give it a single gradient of 1000 and a learning rate of 0.1: how far does w move, and how far "
        "should it?",
        "The two moving means are right. What is missing between them and the step?",
        "m / (1 - beta1**t) and v / (1 - beta2**t) with t = 1 for the first step; m and v themselves stay.",
    ),
)
