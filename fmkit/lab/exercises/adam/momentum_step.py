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
        (np.array([1.0]), np.array([2.0]), np.array([-0.5]), 0.1, 0.9),
        first,
        case(5, beta=0.8),
        case(2, 3, 4, beta=0.7),
        case(1, beta=0.95),
        case(3, beta=0.0),
        as_float32(case(6, 2, beta=0.9)),
    ]


def momentum_step(w, dw, delta, lr, beta):
    new_delta = beta * delta - lr * dw  # the step, with its sign and its learning rate in it
    new_w = w + new_delta
    return new_w, new_delta


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
            "new_w = w - new_delta",
            "delta is the step itself and points downhill already: which sign takes w along with it?",
        ),
        mistake(
            "torch's velocity instead of the step",
            (
                "new_delta = beta * delta + dw",
                "new_w = w - lr * new_delta",
            ),
            "That is the other convention. Here delta is the step that was taken, in units of w, with lr "
            "inside it.",
        ),
        mistake(
            "a velocity with the learning rate in it, that is taken off",
            (
                "new_delta = beta * delta + lr * dw",
                "new_w = w - new_delta",
            ),
            "Here delta is the step with its sign: downhill is minus lr * dw, and w moves by plus delta.",
        ),
        mistake(
            "moved by the old step",
            "new_w = w + delta",
            "Today's gradient should move w today: which delta do you add?",
        ),
        mistake(
            "the learning rate on the memory, too",
            "new_delta = lr * (beta * delta - dw)",
            "delta holds steps, in which lr is already: scale the new gradient only.",
        ),
        mistake(
            "the learning rate left out",
            "new_delta = beta * delta - dw",
            "delta is a step, in units of w: what scales the gradient?",
        ),
        mistake(
            "the learning rate left out of the step, and put in when w moves",
            (
                "new_delta = beta * delta - dw",
                "new_w = w + lr * new_delta",
            ),
            "Here lr is inside of delta: what is remembered is the whole step.",
        ),
        mistake(
            "a moving mean: 1 - beta on the gradient",
            "new_delta = beta * delta - (1 - beta) * lr * dw",
            "This momentum is a decaying sum, not a mean: the newest gradient counts in full.",
        ),
        mistake(
            "added the gradient",
            "new_delta = beta * delta + lr * dw",
            "dw points uphill. What is the step of plain gradient descent?",
        ),
        mistake(
            "beta left out",
            "new_delta = delta - lr * dw",
            "Without friction the old steps never fade: where does beta belong?",
        ),
        mistake(
            "beta on the gradient, too",
            "new_delta = beta * (delta - lr * dw)",
            "Only the old step fades; today's gradient counts in full. Mind the brackets.",
        ),
        mistake(
            "1 - beta on the memory",
            "new_delta = (1 - beta) * delta - lr * dw",
            "beta is the share that is kept: at beta = 0.9 nine tenths of the last step live on.",
        ),
        mistake(
            "no memory: plain gradient descent",
            "new_delta = -lr * dw",
            "What is remembered of the last step?",
        ),
        mistake(
            "Nesterov's look-ahead",
            "new_w = w + beta * new_delta - lr * dw",
            "That is Nesterov's form, which looks one step ahead; the plain one adds delta as it is.",
        ),
        mistake(
            "the learning rate twice",
            "new_w = w + lr * new_delta",
            "delta has lr in it already: w moves by delta itself.",
        ),
        mistake(
            "the gradient counted twice",
            "new_w = w + new_delta - lr * dw",
            "Today's gradient is in delta already: w moves by delta alone.",
        ),
        mistake("w left as it was", "new_w = w", "delta is made, but w must move by it."),
        mistake("the two in the other order", "return new_delta, new_w", "First w, then delta."),
    ),
    hints=(
        "At beta = 0 it must be plain gradient descent: w - lr * dw.",
        "delta is the step: first make the new one, then move w by it.",
        "The new delta is beta times the old one, less lr * dw.",
    ),
)
