"""Right answers whose gradients come from steps are told to the instructor, and no others are."""

import inspect
import textwrap

import pytest
from helpers import submissions as s
from helpers.grading import needs_sandbox

from fmkit.course.grading import stepping
from fmkit.course.grading.grade import grade_submission
from fmkit.course.grading.stepping import COMPLEX, FINITE
from fmkit.lab import exercises

STEPS = {
    "nudged up": ("def f(x):\n    return (loss(x + h) - loss(x)) / h", FINITE),
    "in two lines": (
        "def f(x):\n    up, down = g(x), g(-x)\n    return (up - down) / h",
        FINITE,
    ),
    "a difference with a name": ("def f(x):\n    d = g(x) - g(y)\n    return 0.5 * d / h", FINITE),
    "by a helper": (
        "def f(x):\n    return help(x)\ndef help(x):\n    return (g(x) - g(0)) / x",
        FINITE,
    ),
    "complex": ("def f(x):\n    return loss(x + 1e-99j).imag / 1e-99", COMPLEX),
    "complex by dtype": (
        "h = 1e-9\ndef f(x):\n    return g(x.astype(complex)).imag / h",
        COMPLEX,
    ),
}
PLAIN = {
    "functions of NumPy": "def f(x):\n    return (np.exp(x) - np.exp(-x)) / 2",
    "two functions": "def f(x):\n    return (g(x) - h(x)) / 2",
    "rotated in the plane": "def f(x):\n    z = x * np.exp(1j)\n    return z.real, z.imag",
    "somewhere else": "def other(x):\n    return (g(x) - g(0)) / x\ndef f(x):\n    return x",
    "not Python": "def f(x:",
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_told(name):
    source, told = STEPS[name]
    assert stepping.notes("f", [source], "def f(x): return x") == [told]
    assert stepping.notes("f", [source], source) == []  # where they are asked for


@pytest.mark.parametrize("name", PLAIN)
def test_a_backward_pass_is_not(name):
    assert stepping.notes("f", [PLAIN[name]], "def f(x): return x") == []


def test_no_right_answer_of_ours_is_told():
    every = [(exercise, fn) for exercise in exercises.every() for fn in exercise.alternatives]
    assert len(every) > 100
    for exercise, fn in every:
        source = textwrap.dedent(inspect.getsource(fn))
        told = stepping.notes(fn.__name__, [source], inspect.getsource(exercise.reference))
        assert not told, (exercise.id, fn.__name__)


@needs_sandbox
def test_the_note_is_in_the_result():
    steps = f"""{s.HEAD}
    def loss(w, b):
        return 0.5 * np.mean((1 / (1 + np.exp(-(x @ w + b))) - t) ** 2)
    step = 1e-50j * np.eye(len(w))
    dw = np.array([loss(w + s, b).imag / 1e-50 for s in step]).astype(w.dtype)
    return dw, loss(w, b + 1e-50j).imag / 1e-50
"""
    result = grade_submission(s.data_of(s.with_answer(steps)), s.NOTEBOOK, 1)
    entries = result["exercises"]
    assert COMPLEX in entries[f"{s.NEURON}-check"]["notes"]
    assert result["score"] == s.POINTS and not entries["backprop-linear-check"]["notes"]
