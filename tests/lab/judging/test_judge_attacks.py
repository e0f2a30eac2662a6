"""The judge: lazy and cunning answers fail."""

import numpy as np
import pytest
from helpers.samples import CENTER, center, right_but

from fmkit.lab.judging.answer import Outcome, run_answer
from fmkit.lab.judging.judge import judge, known_outcomes, make_cases


def verdict_of(fn, of=CENTER, seed=0):
    cases = make_cases(of, seed)
    return judge(of, cases, run_answer(fn, cases))


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __array__(self, *args, **kwargs):
        raise RuntimeError("asked")

    __hash__ = None


class YesArray(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __array_ufunc__(self, *args, **kwargs):
        return np.True_

    def __array_function__(self, *args, **kwargs):
        return np.True_

    def all(self, *args, **kwargs):
        return True


class Chameleon(tuple):
    """Holds zeros, shows the right answer when asked in the usual ways."""

    def __iter__(self):
        return iter(center(*self.args))

    def __getitem__(self, i):
        return center(*self.args)[i]


def chameleon(x, w):
    value = Chameleon((np.zeros_like(x), np.zeros(len(x))))
    value.args = (x, w)
    return value


calls = []


def right_once(x, w):
    calls.append(1)
    return center(x, w) if len(calls) == 1 else (np.zeros_like(x), np.zeros(len(x)))


def zeroes_its_inputs(x, w):
    x[:] = 0
    w[:] = 0
    return center(x, w)


CUNNING = {
    "an object equal to all": lambda x, w: AlwaysEqual(),
    "two objects equal to all": lambda x, w: (AlwaysEqual(), AlwaysEqual()),
    "an array of objects equal to all": lambda x, w: (np.full(x.shape, AlwaysEqual(), object), x.mean(1)),
    "an array that says yes": lambda x, w: (np.zeros_like(x).view(YesArray), x.mean(-1).view(YesArray)),
    "a tuple that shows something else": chameleon,
    "zeros": lambda x, w: (np.zeros_like(x), np.zeros(len(x), x.dtype)),
    "ones": lambda x, w: (np.ones_like(x), np.ones(len(x), x.dtype)),
    "the arguments": lambda x, w: (x, w),
    "a constant": lambda x, w: (np.full_like(x, 0.5), np.full_like(x[:, 0], 0.5)),
    "NaN of the right shape": lambda x, w: (x * np.nan, x.mean(-1) * np.nan),
    "a thousandth too large": right_but(lambda y, m: (y * (1 + 1e-3), m * (1 + 1e-3))),
    "noise": right_but(lambda y, m: (y + 1e-3 * np.sin(np.arange(y.size)).reshape(y.shape), m)),
    "the right answer to the first input": right_once,
    "rounded": right_but(lambda y, m: (y.round(3), m.round(3))),
    "only one dtype": lambda x, w: center(x, w) if x.dtype == np.float64 else (x, w),
    "changes the inputs": zeroes_its_inputs,
    "None": lambda x, w: None,
    "nothing": lambda x, w: (),
    "an exception": lambda x, w: exec("raise SystemExit(0)"),
    "a function": lambda x, w: center,
    "a promise": lambda x, w: lambda: center(x, w),
    "a huge view": lambda x, w: (np.broadcast_to(0.0, (10**6, 10**6)), w),
    "infinities": lambda x, w: (np.full_like(x, np.inf), np.full(len(x), np.inf, x.dtype)),
}


@pytest.mark.parametrize("attack", CUNNING)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_attacks_fail(attack):
    calls.clear()
    for seed in range(3):
        assert verdict_of(CUNNING[attack], seed=seed).status == ("undone" if attack == "None" else "wrong")


def test_an_attack_on_the_inputs_does_not_reach_the_reference():
    cases = make_cases(CENTER, 0)
    before = [(x.copy(), w.copy()) for x, w in cases]
    judge(CENTER, cases, run_answer(zeroes_its_inputs, cases))
    for (x, w), (x0, w0) in zip(cases, before, strict=True):
        assert np.array_equal(x, x0) and np.array_equal(w, w0)


def test_inputs_cannot_be_learned_by_heart():
    seen = {make_cases(CENTER)[0][0].tobytes() for _ in range(5)}
    assert len(seen) == 5
    assert make_cases(CENTER, 7)[0][0].tobytes() == make_cases(CENTER, 7)[0][0].tobytes()


def test_too_few_outcomes_are_wrong():
    cases = make_cases(CENTER, 0)
    assert judge(CENTER, cases, run_answer(center, cases)[:-1]).kind == "missing"
    assert judge(CENTER, cases, []).kind == "missing"


def test_forged_outcomes_are_read_strictly():
    cases = make_cases(CENTER, 0)
    forged = [Outcome((AlwaysEqual(), np.zeros(1).view(YesArray))) for _ in cases]
    assert judge(CENTER, cases, forged).status == "wrong"


def test_many_answers_can_be_judged_on_what_is_known():
    cases = make_cases(CENTER, 5)
    known = known_outcomes(CENTER, cases)
    for fn in (center, *(m.wrong for m in CENTER.mistakes), chameleon):
        outcomes = run_answer(fn, cases)
        assert judge(CENTER, cases, outcomes, known=known) == judge(CENTER, cases, outcomes)
