"""The optimizers against torch.optim, over whole runs and not a single step."""

import inspect
import math

import numpy as np
import pytest
import torch

from fmkit.optimizers import (
    _fused_adam,
    _fused_orthogonalize,
    adagrad,
    adam,
    adamw,
    apply,
    clip_grad_norm,
    momentum,
    muon,
    nesterov,
    orthogonalize,
    rmsprop,
    sgd,
    warmup_constant_decay,
    warmup_cosine,
)

STEPS = 200

# name: (our step, our settings, torch's optimizer); both on their own defaults but for what is named here
PAIRS = {
    "sgd": (sgd, {"lr": 0.05}, lambda p: torch.optim.SGD(p, lr=0.05)),
    "momentum": (momentum, {"lr": 0.02}, lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9)),
    "nesterov": (
        nesterov,
        {"lr": 0.02, "beta": 0.8},
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, nesterov=True),
    ),
    "adagrad": (adagrad, {}, lambda p: torch.optim.Adagrad(p)),
    "rmsprop": (rmsprop, {}, lambda p: torch.optim.RMSprop(p)),
    "rmsprop, beta 0.9": (
        rmsprop,
        {"beta": 0.9, "eps": 1e-4},
        lambda p: torch.optim.RMSprop(p, alpha=0.9, eps=1e-4),
    ),
    "adam": (adam, {}, lambda p: torch.optim.Adam(p)),
    "adam, large eps": (
        adam,
        {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-2},
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-2),
    ),
    "adamw": (adamw, {"lr": 0.01}, lambda p: torch.optim.AdamW(p, lr=0.01)),
    "adamw, strong decay": (
        adamw,
        {"lr": 0.01, "weight_decay": 0.5},
        lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.5),
    ),
}


def problem(dtype, shape=(7, 5)):
    """A noisy least-squares fit: the start, and a function (step, w) -> gradient."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(STEPS, 11, shape[0])).astype(dtype)
    y = rng.normal(size=(STEPS, 11, shape[1])).astype(dtype)
    w = rng.normal(size=shape).astype(dtype)

    def gradient(step, w):
        return x[step].T @ (x[step] @ w - y[step]) / 11

    return w, gradient


def run_ours(step, settings, dtype, shape=(7, 5)):
    w, gradient = problem(dtype, shape)
    path, state = [], None
    for i in range(STEPS):
        w, state = step(w, gradient(i, w), state, **settings)
        path.append(w)
    return np.stack(path)


def run_torch(make, dtype, shape=(7, 5)):
    w, gradient = problem(dtype, shape)
    p = torch.nn.Parameter(torch.tensor(w))
    optimizer, path = make([p]), []
    for i in range(STEPS):
        p.grad = torch.tensor(gradient(i, p.detach().numpy()))
        optimizer.step()
        path.append(p.detach().numpy().copy())
    return np.stack(path)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 2e-4)])
def test_every_step_of_a_run_agrees_with_torch(name, dtype, tolerance):
    step, settings, make = PAIRS[name]
    ours, theirs = run_ours(step, settings, dtype), run_torch(make, dtype)
    assert ours.dtype == dtype
    assert np.abs(ours[-1] - ours[0]).max() > 0.1  # it did move
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (6, 6), (3, 1), (1, 1), (40, 3)])
def test_muon_agrees_with_torch_in_full_precision(shape, monkeypatch):
    """torch works in bfloat16 on (C_out, C_in); without that rounding the runs are the same."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    w, gradient = problem("float64", shape)
    p = torch.nn.Parameter(torch.tensor(w.T.copy()))
    optimizer, state = torch.optim.Muon([p], lr=0.02, weight_decay=0.1), None
    for i in range(STEPS):
        p.grad = torch.tensor(gradient(i, p.detach().numpy().T).T.copy())
        optimizer.step()
        w, state = muon(w, gradient(i, w), state, lr=0.02, weight_decay=0.1)
        np.testing.assert_allclose(w, p.detach().numpy().T, rtol=1e-8, atol=1e-10, err_msg=f"step {i}")


def test_muon_is_near_torch_with_its_rounding():
    w, gradient = problem("float32", (24, 16))
    p = torch.nn.Parameter(torch.tensor(w.T.copy()))
    optimizer, state = torch.optim.Muon([p], lr=0.02, weight_decay=0.0), None
    for i in range(5):
        dw = gradient(i, w)
        p.grad = torch.tensor(dw.T.copy())
        optimizer.step()
        w, state = muon(w, dw, state)
    assert w.dtype == np.float32
    np.testing.assert_allclose(w, p.detach().numpy().T, atol=0.01)


@pytest.mark.parametrize("shape", [(64, 16), (16, 64), (32, 32), (1, 9), (128, 512)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_orthogonalize_against_the_svd(shape, dtype):
    g = np.random.default_rng(1).normal(size=shape).astype(dtype)
    g *= np.logspace(0, -1, shape[1])  # columns of different length: singular values over a decade or so
    out = orthogonalize(g.astype(dtype))
    u, s, vt = np.linalg.svd(g.astype(dtype), full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    assert out.dtype == dtype and out.shape == shape
    np.testing.assert_allclose(out, (u * s) @ vt, atol=1e-4 if dtype == "float32" else 1e-11)
    assert s.min() > 0.6 and s.max() < 1.25


def test_orthogonalize_survives_zero_tiny_huge_and_rank_one():
    assert not orthogonalize(np.zeros((3, 4))).any()
    g = np.random.default_rng(2).normal(size=(5, 8))
    np.testing.assert_allclose(orthogonalize(g * 1e-5), orthogonalize(g), rtol=1e-9)
    np.testing.assert_allclose(orthogonalize(g * 1e12), orthogonalize(g), rtol=1e-9)
    rank_one = orthogonalize(np.outer([1.0, 2.0, 3.0], [4.0, 5.0]))
    s = np.linalg.svd(rank_one, compute_uv=False)
    assert 0.6 < s[0] < 1.25 and s[1] < 1e-8


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_what_is_fused_agrees_with_the_formula(dtype, tolerance):
    w, gradient = problem(dtype)
    plain = fused = w
    state = fused_state = None
    for i in range(STEPS):
        dw = gradient(i, plain)
        plain, state = adam(plain, dw, state, lr=0.02, betas=(0.8, 0.95), eps=1e-2)
        fused, fused_state = _fused_adam(fused, dw, fused_state, 0.02, (0.8, 0.95), 1e-2)
        np.testing.assert_allclose(fused, plain, rtol=tolerance, atol=tolerance)
    assert fused.dtype == dtype and state.keys() == fused_state.keys() and state["t"] == fused_state["t"]
    for shape in [(7, 5), (5, 7), (6, 6), (1, 9), (40, 3)]:
        g = np.random.default_rng(0).normal(size=shape).astype(dtype)
        out = _fused_orthogonalize(g)
        assert out.dtype == dtype
        np.testing.assert_allclose(out, orthogonalize(g), atol=tolerance)


def test_muon_rejects_what_is_not_a_matrix():
    with pytest.raises(Exception, match="muon"):  # the signature check of the tests
        muon(np.ones(3), np.ones(3))


def test_adams_first_step_with_and_without_bias_correction():
    dw = np.array([1e3, 1.0, -1e-3])
    w, state = adam(np.zeros(3), dw, lr=0.01)
    np.testing.assert_allclose(np.abs(w), 0.01, rtol=1e-4)
    assert (np.sign(w) == -np.sign(dw)).all() and state["t"] == 1
    without = 0.01 * state["m"] / np.sqrt(state["v"])
    np.testing.assert_allclose(np.abs(without) / 0.01, math.sqrt(10), rtol=1e-9)
    assert abs(math.sqrt(10) - 3.162) < 1e-3


def test_adam_without_correction_depends_on_the_betas():
    """The factor is (1 - b1) / sqrt(1 - b2): too long at b2 = .999, just right at .99, too short at .95."""
    for beta2, factor in [(0.999, 3.162), (0.99, 1.0), (0.95, 0.447)]:
        _, state = adam(np.zeros(1), np.ones(1), betas=(0.9, beta2))
        assert abs((state["m"] / np.sqrt(state["v"])).item() - factor) < 1e-3


ALL_STEPS = [sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, muon]


@pytest.mark.parametrize("step", ALL_STEPS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_are_pure_and_keep_the_dtype(step, dtype):
    rng = np.random.default_rng(3)
    w, dw = rng.normal(size=(2, 4, 3)).astype(dtype)
    _, state = step(w, dw, None)
    arguments = [w, dw, *(v for v in state.values() if isinstance(v, np.ndarray))]
    before = [a.copy() for a in arguments]
    for a in arguments:
        a.flags.writeable = False
    w_new, state_new = step(w, dw, state)
    again, _ = step(w, dw, state)
    assert w_new.dtype == dtype and w_new.shape == w.shape
    assert all(v.dtype == dtype for v in state_new.values() if isinstance(v, np.ndarray))
    np.testing.assert_array_equal(w_new, again)
    for a, b in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, w_new)


@pytest.mark.parametrize("step", ALL_STEPS, ids=lambda f: f.__name__)
def test_zero_gradients_and_empty_arrays(step):
    w, _ = step(np.ones((2, 3)), np.zeros((2, 3)), None)
    assert np.isfinite(w).all() and (np.abs(w - 1) < 1e-3).all()
    if step is not muon:
        assert step(np.ones(0), np.ones(0), None)[0].shape == (0,)


def test_apply_maps_over_the_nesting():
    rng = np.random.default_rng(4)
    params = {
        "wte": rng.normal(size=(5, 3)),
        "blocks": [{"w": rng.normal(size=2)}, {"w": rng.normal(size=4)}],
    }
    grads = {"blocks": [{"w": np.ones(2)}, {"w": np.full(4, -2.0)}], "wte": np.ones((5, 3))}
    state = None
    for _ in range(3):
        params_new, state = apply(adam, params, grads, state, lr=0.1)
    assert list(params_new) == ["wte", "blocks"] and state["blocks"][1]["w"]["t"] == 3
    alone, state_alone = params["blocks"][1]["w"], None
    for _ in range(3):
        expected, state_alone = adam(alone, np.full(4, -2.0), state_alone, lr=0.1)
    np.testing.assert_array_equal(params_new["blocks"][1]["w"], expected)
    assert apply(sgd, params, grads)[1] == {"wte": {}, "blocks": [{"w": {}}, {"w": {}}]}
    assert apply(sgd, {}, {}) == ({}, {}) and apply(sgd, [], []) == ([], [])


@pytest.mark.parametrize(
    "grads",
    [
        {"w": np.ones(3)},
        {"v": np.ones(2)},
        {},
        {"w": np.ones(2), "b": np.ones(1)},
        [np.ones(2)],
        {"w": [np.ones(2)]},
    ],
    ids=["shape", "name", "missing", "extra", "list", "deeper"],
)
def test_apply_refuses_gradients_that_do_not_fit(grads):
    with pytest.raises(ValueError, match="differ|shape"):
        apply(sgd, {"w": np.zeros(2)}, grads)


@pytest.mark.parametrize("max_norm", [0.5, 3.0, 1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_agrees_with_torch(max_norm, dtype):
    rng = np.random.default_rng(6)
    grads = {"a": rng.normal(size=(4, 3)).astype(dtype), "b": [rng.normal(size=5).astype(dtype)]}
    before = grads["a"].copy()
    tensors = [torch.nn.Parameter(torch.zeros(4, 3)), torch.nn.Parameter(torch.zeros(5))]
    for p, g in zip(tensors, [grads["a"], grads["b"][0]], strict=True):
        p.data = torch.zeros(g.shape, dtype=getattr(torch, dtype))
        p.grad = torch.tensor(g)
    theirs = torch.nn.utils.clip_grad_norm_(tensors, max_norm)
    clipped, norm = clip_grad_norm(grads, max_norm)
    rtol = 1e-12 if dtype == "float64" else 1e-6
    assert isinstance(norm, float)
    np.testing.assert_allclose(norm, theirs.item(), rtol=rtol)
    np.testing.assert_allclose(clipped["a"], tensors[0].grad.numpy(), rtol=rtol)
    np.testing.assert_allclose(clipped["b"][0], tensors[1].grad.numpy(), rtol=rtol)
    assert clipped["a"].dtype == dtype
    np.testing.assert_array_equal(grads["a"], before)


def test_clipping_reports_a_broken_gradient():
    with np.errstate(invalid="ignore"):
        assert clip_grad_norm({"w": np.array([np.inf, 1.0])}, 1.0)[1] == np.inf
    assert np.isnan(clip_grad_norm({"w": np.array([np.nan, 1.0])}, 1.0)[1])
    assert clip_grad_norm({"w": np.zeros(3)}, 1.0)[1] == 0.0


def multipliers(scheduler, optimizer, steps):
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return out


def test_warmup_cosine_is_linear_then_cosine_of_torch():
    warmup, total, floor = 7, 50, 0.1
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedulers = [
        torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1),
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total - warmup, eta_min=floor),
    ]
    both = torch.optim.lr_scheduler.SequentialLR(optimizer, schedulers, milestones=[warmup])
    ours = [warmup_cosine(s, warmup, total, floor) for s in range(total + 1)]
    np.testing.assert_allclose(ours, multipliers(both, optimizer, total + 1), atol=1e-12)
    assert ours[0] == 1 / warmup and ours[warmup - 1] == ours[warmup] == 1 and ours[total] == floor
    assert warmup_cosine(total + 1000, warmup, total, floor) == floor


def test_warmup_constant_decay_is_a_product_of_torchs_linear_pieces():
    warmup, decay, total = 5, 20, 60
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    pieces = [
        torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1),
        torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=decay),
    ]
    both = torch.optim.lr_scheduler.SequentialLR(optimizer, pieces, milestones=[total - decay])
    ours = [warmup_constant_decay(s, warmup, decay, total) for s in range(total + 3)]
    np.testing.assert_allclose(ours, multipliers(both, optimizer, total + 3), atol=1e-12)


def test_schedules_in_extreme_settings():
    assert warmup_cosine(0, 0, 0) == 0.0 and warmup_cosine(0, 0, 1) == 1.0
    assert [warmup_constant_decay(s, 0, 0, 2) for s in range(4)] == [1.0, 1.0, 0.0, 0.0]
    triangle = [warmup_constant_decay(s, 8, 8, 8) for s in range(9)]  # warm-up and decay overlap
    assert max(triangle) < 1 and triangle[-1] == 0 and all(v >= 0 for v in triangle)


# ------------------------------------------------------------------------------------------------- refusals

ALL_STEPS = [sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, muon]
every_step = pytest.mark.parametrize("step", ALL_STEPS, ids=lambda step: step.__name__)
W = np.ones((3, 2))


@pytest.mark.usefixtures("as_a_learner")
@every_step
@pytest.mark.parametrize("shape", [(3, 1), (2,), (1, 2), (2, 3), (3, 2, 1), ()])
def test_a_gradient_of_another_shape_is_refused(step, shape):
    with pytest.raises(ValueError, match=r"dw: expected the shape of w = \(3, 2\), got"):
        step(W, np.ones(shape))


@pytest.mark.usefixtures("as_a_learner")
@every_step
def test_a_step_needs_floats(step):
    with pytest.raises(TypeError, match="dw: expected an array, got a list"):
        step(W, W.tolist())
    with pytest.raises(TypeError, match="w: expected float32 or float64, got float16"):
        step(W.astype(np.float16), W)
    got, _ = step(W.astype(int), W.astype(int))
    np.testing.assert_array_equal(got, step(W, W)[0])


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("step", ALL_STEPS[1:], ids=lambda step: step.__name__)
def test_a_state_of_another_weight_or_optimizer_is_refused(step):
    _, state = step(W, W)
    with pytest.raises(ValueError, match=r"state\['\w'\]: expected the shape of w = \(3, 3\), got \(3, 2\)"):
        step(np.ones((3, 3)), np.ones((3, 3)), state)
    with pytest.raises(ValueError, match="state: expected what this optimizer keeps"):
        step(W, W, {"momentum": W})


SETTINGS = [
    (step, name)
    for step in ALL_STEPS
    for name in ("lr", "eps", "weight_decay", "beta")
    if name in inspect.signature(step).parameters
]


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("step", "name"), SETTINGS, ids=[f"{step.__name__}-{name}" for step, name in SETTINGS]
)
@pytest.mark.parametrize("value", [-0.1, math.nan])
def test_a_setting_below_0_is_refused(step, name, value):
    with pytest.raises(ValueError, match=f"{name}: expected a number .* got {value}"):
        step(W, W, **{name: value})


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: momentum(W, W, beta=1.0), ValueError, "beta: expected a number >= 0 and < 1, got 1.0"),
        (lambda: rmsprop(W, W, beta=1.5), ValueError, "beta: .* got 1.5"),
        (lambda: adam(W, W, betas=(1, 1)), ValueError, "betas: expected a number >= 0 and < 1, got 1"),
        (lambda: adamw(W, W, betas=(0.9, 1.5)), ValueError, "betas: .* got 1.5"),
        (lambda: adam(W, W, betas=0.9), TypeError, "betas: expected a pair of numbers, got 0.9"),
        (lambda: adamw(W, W, betas=(0.9,)), TypeError, r"betas: expected a pair of numbers, got \(0.9,\)"),
        (lambda: muon(np.ones(3), np.ones(3)), ValueError, r"w: expected \(C_in, C_out\), got \(3,\)"),
        (lambda: muon(np.ones((1, 2, 3)), np.ones((1, 2, 3))), ValueError, r"w: .* got \(1, 2, 3\)"),
        (
            lambda: muon(np.ones((0, 3)), np.ones((0, 3))),
            ValueError,
            r"w: expected a row and a column .* \(0, 3\)",
        ),
        (lambda: orthogonalize(np.ones(3)), ValueError, r"g: expected \(N, M\), got \(3,\)"),
        (lambda: orthogonalize(W, steps=-1), ValueError, "steps: expected a whole number >= 0, got -1"),
        (lambda: orthogonalize(W.astype(np.float16)), TypeError, "g: .* got float16"),
        (lambda: clip_grad_norm({"w": W}, -1.0), ValueError, "max_norm: expected a number >= 0, got -1.0"),
        (lambda: clip_grad_norm({"w": W}, math.nan), ValueError, "max_norm: .* got nan"),
        (lambda: clip_grad_norm({"w": W.astype(np.float16)}, 1.0), TypeError, "w: .* got float16"),
        (lambda: warmup_cosine(-3, 2, 6), ValueError, "step: expected a whole number >= 0, got -3"),
        (lambda: warmup_cosine(0, -2, 6), ValueError, "warmup: .* got -2"),
        (
            lambda: warmup_cosine(0, 2, 6, floor=1.5),
            ValueError,
            "floor: expected a number >= 0 and <= 1, got 1.5",
        ),
        (lambda: warmup_constant_decay(-1, 2, 3, 6), ValueError, "step: .* got -1"),
        (lambda: warmup_constant_decay(0, 2, -3, 6), ValueError, "decay: .* got -3"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
