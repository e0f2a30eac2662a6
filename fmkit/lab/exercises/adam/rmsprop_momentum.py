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
    never = case(4, rho=0.9, mu=0.7)
    never[1][:2] = never[2][:2] = 0.0  # no gradient, neither today nor before
    return [
        (np.array([1.0]), np.array([2.0]), np.array([0.0]), np.array([0.5]), 0.1, 0.75, 0.5, 1.0),
        first,
        still,
        never,
        case(2, 4, 3, rho=0.7, mu=0.5, eps=0.3),
        as_float32(case(4, 7, rho=0.95, mu=0.9, eps=1e-3)),
    ]


def rmsprop_momentum(w, dw, v, u, lr, rho, mu, eps):
    new_v = rho * v + (1 - rho) * dw * dw
    scale = np.sqrt(new_v) + eps
    new_u = mu * u + dw / scale  # first to scale, then to remember
    new_w = w - lr * new_u
    return new_w, new_v, new_u


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
            (
                "new_u = mu * u + dw",
                "new_w = w - lr * new_u / scale",
            ),
            "That is Adam's order. Here the gradient is divided first and then remembered.",
        ),
        mistake(
            "the memory divided, too",
            "new_u = (mu * u + dw) / scale",
            "What u remembers has been divided already: only dw is divided today.",
        ),
        mistake(
            "a sum instead of a mean",
            "new_v = v + dw * dw",
            "A sum only grows (that was AdaGrad): let the old squares fade by rho.",
        ),
        mistake(
            "no 1 - rho on the new square",
            "new_v = rho * v + dw * dw",
            "v is a mean: the new square enters with 1 - rho.",
        ),
        mistake(
            "the old squares not kept",
            "new_v = (1 - rho) * dw * dw",
            "v is a moving mean: what does it keep of the past?",
        ),
        mistake(
            "rho and 1 - rho swapped",
            "new_v = (1 - rho) * v + rho * dw * dw",
            "rho is the share of the past that is kept.",
        ),
        mistake(
            "rho and mu swapped",
            (
                "new_v = mu * v + (1 - mu) * dw * dw",
                "new_u = rho * u + dw / scale",
            ),
            "rho is for the squares, mu for the momentum.",
        ),
        mistake(
            "divided by the mean before this step",
            "scale = np.sqrt(v) + eps",
            "Today's square is part of the mean that you divide by.",
        ),
        mistake(
            "eps inside the root",
            "scale = np.sqrt(new_v + eps)",
            "Here eps is added to the root, not to the mean under it.",
        ),
        mistake(
            "forgot the root",
            "scale = new_v + eps",
            "v is a mean of squares: what brings it back to the unit of the gradient?",
        ),
        mistake(
            "eps left out",
            "scale = np.sqrt(new_v)",
            "Where no gradient ever came dw and v are 0: what is 0 / 0, and what is eps for?",
        ),
        mistake(
            "a bias correction that was not asked for",
            "scale = np.sqrt(new_v / (1 - rho)) + eps",
            "That correction is Adam's. Here v is used as it is.",
        ),
        mistake(
            "1 - mu on the new step",
            "new_u = mu * u + (1 - mu) * dw / scale",
            "This momentum is a decaying sum: the new step enters in full.",
        ),
        mistake("mu left out", "new_u = u + dw / scale", "Old steps fade: where does mu belong?"),
        mistake(
            "the learning rate inside the memory",
            (
                "new_u = mu * u + lr * dw / scale",
                "new_w = w - new_u",
            ),
            "Keep lr out of u: it multiplies u when w moves.",
        ),
        mistake(
            "the learning rate inside the memory and again when w moves",
            "new_u = mu * u + lr * dw / scale",
            "lr comes in once: when w moves, not in u.",
        ),
        mistake("the learning rate left out", "new_w = w - new_u", "w moves by lr times u."),
        mistake(
            "a remembered step: u with the other sign and with the learning rate",
            (
                "new_u = mu * u - lr * dw / scale",
                "new_w = w + new_u",
            ),
            "That is the form of exercise 5.1. Here u points uphill, without lr, and is taken off.",
        ),
        mistake(
            "uphill", "new_w = w + lr * new_u", "u points uphill, as the gradient does: it is taken off."
        ),
        mistake("no memory", "new_u = dw / scale", "u remembers: what is kept of the old one?"),
        mistake(
            "the gradient not squared",
            "new_v = rho * v + (1 - rho) * dw",
            "v is a mean of squares, which are never negative: dw * dw.",
        ),
        mistake(
            "the gradient's size instead of its square",
            "new_v = rho * v + (1 - rho) * np.abs(dw)",
            "v is a mean of squares: dw * dw.",
        ),
        mistake(
            "moved by the old memory",
            "new_w = w - lr * u",
            "Today's gradient should move w today: which u do you take?",
        ),
        mistake(
            "eps outside the division",
            "new_u = mu * u + dw / np.sqrt(new_v) + eps",
            "a / b + eps divides first: put eps in brackets with the root.",
        ),
        mistake(
            "moved by the new step only",
            "new_w = w - lr * dw / scale",
            "u is remembered but never used: it is u that moves w.",
        ),
        mistake("v and u in the other order", "return new_w, new_u, new_v", "The triple is (w, v, u)."),
    ),
    hints=(
        "Three lines, in this order: the new v, the new u, the new w.",
        "u remembers gradients that have been divided already: dw / (sqrt(v) + eps).",
        "The new u is mu times the old one plus that; lr comes in when w moves.",
    ),
)
