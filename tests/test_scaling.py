"""Operations and bytes on paper against runs and published figures; the law against scipy's fit."""

import inspect

import numpy as np
import pytest

from fmkit import scaling
from fmkit.parallel import activation_bytes
from fmkit.params import count
from fmkit.training import train_step
from fmkit.transformer import Config, gpt_loss, init_gpt

CONFIGS = [
    Config(vocab_size=11, block_size=9, n_layers=1, n_heads=1, d_model=6, d_ff=5),
    Config(vocab_size=65, block_size=16, n_layers=3, n_heads=4, d_model=8, d_ff=40, tied=False),
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(("rows", "T"), [(1, 1), (3, 7), (2, 9)])
def test_operations_on_paper_are_those_of_a_run(config, rows, T):
    params = init_gpt(np.random.default_rng(0), config)
    ids = np.random.default_rng(1).integers(0, config.vocab_size, (rows, T))
    plain = gpt_loss(params, ids, ids, config)[0]
    seen = []

    def loss(p):
        seen.append(gpt_loss(p, ids, ids, config)[0])

    assert scaling.count_flops(loss, params) == scaling.training_flops(config, rows, T)
    assert float(seen[0]) == float(plain)  # counting changes nothing


def test_matrix_parameters_are_all_but_tables_and_vectors():
    for config in CONFIGS:
        params = init_gpt(np.random.default_rng(0), config)
        matrices = count(params["blocks"]) - sum(
            count(p["ln1"]) + count(p["ln2"]) + p["attn"]["bqkv"].size + p["attn"]["bo"].size
            + p["mlp"]["b1"].size + p["mlp"]["b2"].size for p in params["blocks"]
        )  # fmt: skip
        assert scaling.matrix_parameters(config) == matrices + config.vocab_size * config.d_model


def test_bytes_of_a_training_state_are_those_of_a_run():
    config = CONFIGS[1]
    params, ids = init_gpt(np.random.default_rng(0), config), np.zeros((1, 3), int)
    _, grads = gpt_loss(params, ids, ids, config)
    _, state, _ = train_step(params, None, ids, ids, config)
    measured = sum(activation_bytes(part) for part in (params, grads, state))
    assert measured == scaling.state_bytes(count(params), mixed=False)


def test_zeros_figure_one():
    """Rajbhandari et al. (2020), figure 1: 7.5 billion parameters, 64 devices."""
    found = [scaling.state_bytes(7.5e9, 64, stage) / 1e9 for stage in range(4)]
    assert found == pytest.approx([120, 31.4, 16.6, 1.9], abs=0.05)


def test_gpt3():
    config = Config(vocab_size=50257, block_size=2048, n_layers=96, n_heads=96, d_model=12288, d_ff=49152)
    assert scaling.matrix_parameters(config) == pytest.approx(175e9, rel=0.005)
    assert scaling.plan(175e9, 300e9, 1, 125e12).flops == pytest.approx(3.14e23, rel=0.005)


def test_llama2s_hours_energy_and_carbon():
    """Touvron et al. (2023), table 2: the energy is that of the devices alone."""
    made = scaling.plan(
        70e9, 2e12, 1024, 312e12, utilisation=0.4347, watts=400.0, overhead=1.0, kg_co2_a_kwh=0.4235
    )
    assert made.device_hours == pytest.approx(1_720_320, rel=0.001)
    assert made.tonnes_co2 == pytest.approx(291.42, rel=0.002)
    assert made.days == pytest.approx(made.device_hours / 1024 / 24)
    assert made.dollars == pytest.approx(2 * made.device_hours)


# --- the law ------------------------------------------------------------------------------------------------


def grid(n=4):
    return (x.ravel() for x in np.meshgrid(np.geomspace(1e6, 1e9, n), np.geomspace(1e8, 1e11, n)))


LAWS = [
    scaling.Law(1.69, 406.4, 0.34, 410.7, 0.28),
    scaling.Law(0.5, 20.0, 0.2, 3000.0, 0.45),
    scaling.Law(1.0, 900.0, 0.8, 5.0, 0.1),
]


@pytest.mark.parametrize("law", LAWS)
def test_a_law_without_noise_is_found(law):
    N, D = grid()
    found = scaling.fit_law(N, D, law.loss(N, D))
    assert (found.a, found.b) == pytest.approx((law.a, law.b), abs=0.01)
    np.testing.assert_allclose(found.loss(N, D), law.loss(N, D), rtol=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_it_fits_as_well_as_scipy(seed):
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    N, D = grid()
    losses = LAWS[seed % 3].loss(N, D) * np.exp(rng.normal(0, 0.01, N.size))

    def error(p):
        E, log_A, a, log_B, b = p
        return ((E + np.exp(log_A - a * np.log(N)) + np.exp(log_B - b * np.log(D))) / losses - 1) @ (
            (E + np.exp(log_A - a * np.log(N)) + np.exp(log_B - b * np.log(D))) / losses - 1
        )

    starts = [[1.0, A, a, B, b] for A in (3, 6) for a in (0.2, 0.5) for B in (3, 8) for b in (0.2, 0.5)]
    bounds = [(0, None), (None, None), (0.02, 2), (None, None), (0.02, 2)]
    best = min(optimize.minimize(error, x, method="L-BFGS-B", bounds=bounds).fun for x in starts)
    law = scaling.fit_law(N, D, losses)
    ours = error([law.E, np.log(law.A), law.a, np.log(law.B), law.b])
    assert ours < best * 1.01


def test_nothing_negative_comes_out():
    rng = np.random.default_rng(0)
    N, D = grid(3)
    for _ in range(20):
        law = scaling.fit_law(N, D, rng.uniform(1, 3, N.size))
        assert min(law.E, law.A, law.B) >= 0
        assert scaling.EXPONENTS[0] <= law.a <= scaling.EXPONENTS[1]


def test_the_bootstrap_draws_runs():
    N, D = grid(3)
    losses = LAWS[0].loss(N, D) * np.exp(np.random.default_rng(1).normal(0, 0.05, N.size))
    laws = scaling.bootstrap_laws(N, D, losses, 15, np.random.default_rng(2))
    assert laws == scaling.bootstrap_laws(N, D, losses, 15, np.random.default_rng(2))
    low, high = scaling.quantiles([law.a for law in laws])
    assert len(laws) == 15 and high - low > 0.02


@pytest.mark.parametrize("law", LAWS)
def test_the_optimum_is_the_lowest_point_of_the_budget(law):
    N, D = scaling.optimum(law, 1e21)
    assert pytest.approx(1e21) == 6 * N * D
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert law.loss(N * factor, D / factor) > law.loss(N, D)


def test_what_cannot_be_meant_is_refused(as_a_learner):
    N, D = grid(2)
    with pytest.raises(ValueError, match="5 runs at least"):
        scaling.fit_law(N, D, np.ones(4))
    with pytest.raises(ValueError, match="stage: expected 0, 1, 2 or 3"):
        scaling.state_bytes(10, 2, 4)
    with pytest.raises(ValueError, match="utilisation"):
        scaling.plan(1e9, 1e9, 1, 1e12, utilisation=1.5)
    with pytest.raises(ValueError, match="above 0"):
        scaling.optimum(scaling.Law(1.0, 0.0, 0.3, 1.0, 0.3), 1e20)
    with pytest.raises(TypeError, match="rng: expected"):
        inspect.unwrap(scaling.bootstrap_laws)(N, D, np.ones(4), 3, 0)
