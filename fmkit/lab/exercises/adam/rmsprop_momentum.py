"""RMSProp with momentum: first divide, then remember."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(*shape, rho, mu, eps=1e-8):
        w, dw, u = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape)
        return w, dw, rng.uniform(0.2, 2.0, shape), u, float(rng.uniform(0.01, 0.1)), rho, mu, eps

    w, dw, v, u, *rest = case(5, 2, rho=0.99, mu=0.9)
    first = w, dw, np.zeros_like(v), np.zeros_like(u), *rest
    still = case(6, rho=0.9, mu=0.8, eps=0.1)
    still[1][::2] = 0.0  # weights whose gradient is zero today
    return [
        first,
        still,
        case(2, 4, 3, rho=0.7, mu=0.5, eps=0.3),
        as_float32(case(4, 7, rho=0.95, mu=0.9, eps=1e-3)),
    ]


def rmsprop_momentum(w, dw, v, u, lr, rho, mu, eps):
    v = rho * v + (1 - rho) * dw * dw
    u = mu * u + dw / (np.sqrt(v) + eps)  # first to scale, then to remember
    return w - lr * u, v, u


def towards(w, dw, v, u, lr, rho, mu, eps):
    v = v + (1 - rho) * (np.square(dw) - v)  # the same mean, as a step towards the new value
    u = dw / (v**0.5 + eps) + u * mu
    return w - u * lr, v, u


def loop(w, dw, v, u, lr, rho, mu, eps):
    w, v, u = w.copy(), v.copy(), u.copy()
    for i in np.ndindex(w.shape):
        v[i] = rho * v[i] + (1 - rho) * dw[i] ** 2
        u[i] = mu * u[i] + dw[i] / (math.sqrt(v[i]) + eps)
        w[i] -= lr * u[i]
    return w, v, u


EXERCISE = Exercise(
    title="RMSProp with momentum",
    points=2,
    minutes=10,
    difficulty=3,
    cases=cases,
    reference=rmsprop_momentum,
    alternatives=(towards, loop),
    mistakes=(
        mistake(
            "momentum first, then the division",
            ("u = mu * u + dw", "return w - lr * u / (np.sqrt(v) + eps), v, u"),
            "That is Adam's order. Here the gradient is divided first and then remembered.",
        ),
        mistake(
            "a sum instead of a mean",
            "v = v + dw * dw",
            "A sum only grows (that was AdaGrad): let the old squares fade by rho.",
        ),
        mistake(
            "rho and 1 - rho swapped",
            "v = (1 - rho) * v + rho * dw * dw",
            "rho is the share of the past that is kept.",
        ),
        mistake(
            "rho and mu swapped",
            ("v = mu * v + (1 - mu) * dw * dw", "u = rho * u + dw / (np.sqrt(v) + eps)"),
            "rho is for the squares, mu for the momentum.",
        ),
        mistake(
            "divided by the mean before this step",
            ("v = rho -> new_v = rho", "return w - lr * u, new_v, u"),
            "Today's square is part of the mean that you divide by.",
        ),
        mistake(
            "eps inside the root",
            "u = mu * u + dw / np.sqrt(v + eps)",
            "Here eps is added to the root, not to the mean under it.",
        ),
        mistake(
            "forgot the root",
            "u = mu * u + dw / (v + eps)",
            "v is a mean of squares: what brings it back to the unit of the gradient?",
        ),
        mistake(
            "1 - mu on the new step",
            "u = mu * u + (1 - mu) * dw / (np.sqrt(v) + eps)",
            "This momentum is a decaying sum: the new step enters in full.",
        ),
        mistake(
            "the learning rate inside the memory",
            ("u = mu * u + lr * dw / (np.sqrt(v) + eps)", "return w - u, v, u"),
            "Keep lr out of u: it multiplies u when w moves.",
        ),
        mistake(
            "the gradient not squared",
            "v = rho * v + (1 - rho) * dw",
            "v is a mean of squares, which are never negative: dw * dw.",
        ),
        mistake(
            "moved by the old memory",
            ("u = mu -> new_u = mu", "return w - lr * u, v, new_u"),
            "Today's gradient should move w today: which u do you take?",
        ),
        mistake(
            "eps outside the division",
            "u = mu * u + dw / np.sqrt(v) + eps",
            "a / b + eps divides first: put eps in brackets with the root.",
        ),
        mistake(
            "moved by the new step only",
            "return w - lr * dw / (np.sqrt(v) + eps), v, u",
            "u is remembered but never used: it is u that moves w.",
        ),
    ),
    hints=(
        "Three lines, in this order: the new v, the new u, the new w.",
        "u remembers gradients that have been divided already: dw / (sqrt(v) + eps).",
        "The new u is mu times the old one plus that; lr comes in when w moves.",
    ),
)
