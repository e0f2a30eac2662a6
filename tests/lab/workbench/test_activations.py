import math

import numpy as np
import pytest

from fmkit.lab.workbench.activations import watch


def he(fan_in, fan_out):
    return math.sqrt(2 / fan_in)


def dead(z):
    return np.mean((z <= 0).all(0))


@pytest.mark.parametrize(("activation", "std"), [("relu", he), ("tanh", lambda i, o: math.sqrt(2 / (i + o)))])
def test_it_learns(activation, std):
    start, end = watch(activation, std, steps=(0, 200))
    assert (start.step, end.step) == (0, 200)
    assert start.read < 0.4 and end.read > 0.85
    assert [z.shape for z in end.z] == [(1347, 64)] * 3


def test_the_same_seed_gives_the_same_run():
    one, two = (watch("relu", he, steps=(0, 5), seed=1, depth=2) for _ in range(2))
    other = watch("relu", he, steps=(0, 5), seed=2, depth=2)
    assert np.array_equal(one[1].z[1], two[1].z[1])
    assert not np.array_equal(one[1].z[1], other[1].z[1])


def test_too_large_weights_kill_units_and_nothing_becomes_nan():
    start, end = watch("relu", lambda fan_in, fan_out: 1.0, steps=(0, 40))
    assert dead(start.z[0]) < 0.1 < 0.5 < dead(end.z[0])
    assert all(np.isfinite(z).all() for z in end.z)


def test_centring_takes_off_the_mean():
    (plain,), (centred,) = (watch("relu", he, steps=(0,), centre=c) for c in (False, True))
    assert abs(centred.z[0].mean(0)).max() < 0.1 < abs(plain.z[0].mean(0)).max()


def test_the_first_layer_gets_the_scale_that_was_asked_for():
    small, large = (watch("relu", lambda i, o, s=s: s, steps=(0,))[0].z[0] for s in (0.1, 0.2))
    np.testing.assert_allclose(large, 2 * small, rtol=1e-4, atol=1e-6)
