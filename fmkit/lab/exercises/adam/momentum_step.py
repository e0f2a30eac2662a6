"""Momentum in the form of the articles: the last step is remembered."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(*shape, beta):
        w, dw = rng.normal(size=shape), rng.normal(size=shape)
        return w, dw, 0.3 * rng.normal(size=shape), float(rng.uniform(0.05, 0.4)), beta

    w, dw, delta, lr, beta = case(4, 3, beta=0.9)
    first = w, dw, np.zeros_like(delta), lr, beta
    return [
        first,
        case(5, beta=0.8),
        case(2, 3, 4, beta=0.7),
        case(1, beta=0.95),
        as_float32(case(6, 2, beta=0.9)),
    ]


def momentum_step(w, dw, delta, lr, beta):
    delta = beta * delta - lr * dw  # the step, with its sign and its learning rate in it
    return w + delta, delta


def by_velocity(w, dw, delta, lr, beta):
    velocity = -delta  # torch's way round: a velocity that is taken off
    velocity = beta * velocity + lr * dw
    return w - velocity, -velocity


def loop(w, dw, delta, lr, beta):
    w_new, delta_new = w.copy(), delta.copy()
    for i in np.ndindex(w.shape):
        delta_new[i] = beta * delta[i] - lr * dw[i]
        w_new[i] = w[i] + delta_new[i]
    return w_new, delta_new


EXERCISE = Exercise(
    title="Momentum as a remembered step",
    points=2,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=momentum_step,
    alternatives=(by_velocity, loop),
    mistakes=(
        mistake(
            "took the step off instead of adding it",
            "return w - delta, delta",
            "delta is the step itself and points downhill already: which sign takes w along with it?",
        ),
        mistake(
            "torch's velocity instead of the step",
            ("delta = beta * delta + dw", "return w - lr * delta, delta"),
            "That is the other convention. Here delta is the step that was taken, in units of w, with lr "
            "inside it.",
        ),
        mistake(
            "moved by the old step",
            ("delta = beta -> new_delta = beta", "return w + delta, new_delta"),
            "Today's gradient should move w today: which delta do you add?",
        ),
        mistake(
            "the learning rate on the memory, too",
            "delta = lr * (beta * delta - dw)",
            "delta holds steps, in which lr is already: scale the new gradient only.",
        ),
        mistake(
            "a moving mean: 1 - beta on the gradient",
            "delta = beta * delta - (1 - beta) * lr * dw",
            "This momentum is a decaying sum, not a mean: the newest gradient counts in full.",
        ),
        mistake(
            "added the gradient",
            "delta = beta * delta + lr * dw",
            "dw points uphill. What is the step of plain gradient descent?",
        ),
        mistake(
            "beta left out",
            "delta = delta - lr * dw",
            "Without friction the old steps never fade: where does beta belong?",
        ),
        mistake(
            "1 - beta on the memory",
            "delta = (1 - beta) * delta - lr * dw",
            "beta is the share that is kept: at beta = 0.9 nine tenths of the last step live on.",
        ),
        mistake(
            "Nesterov's look-ahead",
            "return w + beta * delta - lr * dw, delta",
            "That is Nesterov's form, which looks one step ahead; the plain one adds delta as it is.",
        ),
        mistake(
            "the learning rate twice",
            "return w + lr * delta, delta",
            "delta has lr in it already: w moves by delta itself.",
        ),
    ),
    hints=(
        "At beta = 0 it must be plain gradient descent: w - lr * dw.",
        "delta is the step: first make the new one, then move w by it.",
        "The new delta is beta times the old one, less lr * dw.",
    ),
)
