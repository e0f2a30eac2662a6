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


# --- what chapter 02 says of first weights, over its three runs -------------------------------------------


INITS = {
    "std 0.01": lambda fan_in, fan_out: 0.01,
    "Glorot": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    "He": he,
    "3 × He": lambda fan_in, fan_out: 3 * he(fan_in, fan_out),
    "std 1": lambda fan_in, fan_out: 1.0,
}


def ends(activation, init, steps=(256,), **options):
    return [watch(activation, INITS[init], steps=steps, seed=seed, **options)[-1] for seed in range(3)]


@pytest.mark.parametrize(
    ("activation", "init", "low", "high"),
    [
        ("relu", "std 0.01", 0.0, 0.2),
        ("relu", "Glorot", 0.93, 1.0),
        ("relu", "He", 0.93, 1.0),
        ("relu", "std 1", 0.0, 0.2),
        ("tanh", "std 0.01", 0.0, 0.2),
        ("tanh", "Glorot", 0.93, 1.0),
        ("tanh", "std 1", 0.78, 0.91),
        ("sigmoid", "std 0.01", 0.0, 0.2),
        ("sigmoid", "Glorot", 0.0, 0.2),
        ("sigmoid", "std 1", 0.85, 0.95),
    ],
)
def test_what_is_read_in_256_steps(activation, init, low, high):
    assert all(low < end.read < high for end in ends(activation, init))


@pytest.mark.slow
def test_the_sigmoid_is_slow_and_not_lost():
    assert all(0.4 < end.read < 0.8 for end in ends("sigmoid", "Glorot", (1024,)))


@pytest.mark.slow
def test_large_weights_kill_the_first_layer_and_centring_saves_it():
    assert all(dead(end.z[0]) < 0.1 for init in ("std 0.01", "Glorot", "He") for end in ends("relu", init))
    for init in ("3 × He", "std 1"):
        plain, centred = (
            np.mean([dead(e.z[0]) for e in ends("relu", init, centre=c)]) for c in (False, True)
        )
        assert plain > 0.6 and centred < 0.6 * plain
    leaky = [dead(end.z[0]) for end in ends("leaky_relu", "3 × He", (1024,))]
    assert min(leaky) > 0.3 and np.mean(leaky) > 0.5


def test_the_first_layers_dead_stay_dead_and_most_of_those_above_wake():
    died, woke = np.zeros(3), np.zeros(3)
    for seed in range(3):
        run = watch("relu", INITS["3 × He"], steps=(0, 1, 2, 4, 8, 16, 32, 64, 128, 256), seed=seed)
        for layer in range(3):
            is_dead = np.array([(s.z[layer] <= 0).all(0) for s in run])
            died[layer] += is_dead.any(0).sum()
            woke[layer] += (is_dead[:-1] & ~is_dead[1:]).any(0).sum()
    assert died[0] > 100 and woke[0] == 0
    assert (woke[1:] > 0.5 * died[1:]).all()


def test_large_weights_saturate_tanh_and_learning_makes_it_worse():
    def saturated(z):
        return np.mean(1 - np.tanh(z) ** 2 < 0.05)

    for init in ("3 × He", "std 1"):
        for seed in range(3):
            start, end = watch("tanh", INITS[init], steps=(0, 256), seed=seed)
            assert saturated(end.z[0]) > saturated(start.z[0]) + 0.02
    assert all(saturated(end.z[0]) < 0.05 for end in ends("tanh", "Glorot"))
