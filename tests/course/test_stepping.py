"""Right answers whose gradients come from steps are told to the instructor, and no others are."""

import ast
import inspect
import textwrap

import pytest
from helpers import submissions as s
from helpers.grading import needs_sandbox

from fmkit.course.grading.grade import _told, grade_submission
from fmkit.course.sandbox.stepping import COMPLEX, FINITE, note, ways
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
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_told(name):
    source, told = STEPS[name]
    assert ways(ast.parse(source).body) == {told}


@pytest.mark.parametrize("name", PLAIN)
def test_a_backward_pass_is_not(name):
    assert ways(ast.parse(PLAIN[name]).body) == set()


def test_no_right_answer_of_ours_is_told():
    every = [(exercise, fn) for exercise in exercises.every() for fn in exercise.alternatives]
    assert len(every) > 100
    for exercise, fn in every:
        found = ways(ast.parse(textwrap.dedent(inspect.getsource(fn))).body)
        assert not found & _told(exercise.reference), (exercise.id, fn.__name__)


@needs_sandbox
def test_the_note_is_in_the_result():
    steps = f"""{s.HEAD}
    def loss(w, b):
        return 0.5 * np.mean((1 / (1 + np.exp(-(x @ w + b))) - t) ** 2)
    kind, x, w, b = w.dtype, x.astype(float), w.astype(float), float(b)
    step = 1e-50j * np.eye(len(w))
    dw = np.array([loss(w + s, b).imag / 1e-50 for s in step]).astype(kind)
    return dw, kind.type(loss(w, b + 1e-50j).imag / 1e-50)
"""
    result = grade_submission(s.data_of(s.with_answer(steps)), s.NOTEBOOK, 1)
    entries = result["exercises"]
    assert note(COMPLEX) in entries[f"{s.NEURON}-check"]["notes"]
    assert result["score"] == s.POINTS and not entries["backprop-linear-check"]["notes"]
