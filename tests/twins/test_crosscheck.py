"""Every operation agrees with its plain loop, finite differences and torch; and the engine catches real bugs.

The first test runs all cases of all modules in `twins.cases`. Others put a known bug into an operation and
ask for a row that says so: an engine that lets one through proves nothing.
"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from fmkit import activations, convolution, layers, losses, unlabelled
from fmkit.errors import DeviceError
from fmkit.twins import crosscheck
from fmkit.twins.case import Case
from fmkit.twins.crosscheck import Row, all_cases, check_case, line, run

CASES = all_cases()


@pytest.mark.parametrize("name", CASES)
def test_all_forms_agree(name):
    row = check_case(name, CASES[name])
    assert row.problems == []
    assert {"float32", "torch (cpu)", "torch (cpu, float32)"} <= row.errors.keys()
    assert ("finite differences" in row.errors) == (CASES[name].backward is not None)
    assert ("loop" in row.errors) == (CASES[name].loop is not None)


def test_only_optimizers_go_without_a_backward():
    assert {name.split(".")[0] for name, case in CASES.items() if case.backward is None} == {"optimizers"}


@pytest.mark.gpu
def test_all_forms_agree_on_the_gpu():
    find_device = pytest.importorskip("fmkit.twins.device").find_device
    try:
        find_device("cuda")
    except DeviceError as missing:
        pytest.skip(str(missing))
    rows = run(CASES, ["cpu", "cuda"])
    assert {row.name: row.problems for row in rows if row.problems} == {}
    assert all("torch (cuda)" in row.errors for row in rows)


@pytest.mark.parametrize("name", CASES)
def test_the_torch_form_stays_on_the_device_it_is_given(name):
    """On the "meta" device, which computes shapes only: a tensor made on the CPU does not mix in."""
    torch = pytest.importorskip("torch")
    case = CASES[name]
    inputs = list(case.inputs(np.random.default_rng(0)))
    tensors = crosscheck.tree_map(
        lambda a: torch.tensor(a, device="meta") if isinstance(a, np.ndarray) else a, inputs
    )
    out = case.torch(*tensors)
    assert out.device.type == "meta"
    assert tuple(out.shape) == np.shape(case.forward(*inputs)[0])


@pytest.mark.parametrize("name", CASES)
def test_every_axis_of_an_input_has_its_own_size(name):
    """Or a transposed axis would not show. (Inside a model's parameters some matrices have to be square.)"""
    for array in CASES[name].inputs(np.random.default_rng(0)):
        if isinstance(array, np.ndarray):
            sizes = [n for n in array.shape if n > 1]
            assert len(set(sizes)) == len(sizes), array.shape


LAYERS = "activations", "losses", "layers", "convolution", "vision", "mobilenet", "unlabelled"


@pytest.mark.parametrize("name", [n for n in CASES if n.split(".")[0] in LAYERS])
def test_the_memory_layout_does_not_matter(name):
    case = CASES[name]
    inputs = list(case.inputs(np.random.default_rng(0)))
    turned = [np.array(a, order="F") if isinstance(a, np.ndarray) else a for a in inputs]
    out, cache = case.forward(*inputs)
    out_turned, cache_turned = case.forward(*turned)
    dout = np.random.default_rng(1).standard_normal(np.shape(out))
    grads = crosscheck._gradients(case, inputs, case.backward(dout, cache))
    grads_turned = crosscheck._gradients(case, inputs, case.backward(np.array(dout, order="F"), cache_turned))
    np.testing.assert_allclose(out_turned, out, rtol=1e-12, atol=1e-12)
    for key, grad in grads.items():
        np.testing.assert_allclose(grads_turned[key], grad, rtol=1e-12, atol=1e-12)


# -- the engine catches bugs ---------------------------------------------------------------------------------


def layernorm_without_variance(dout, cache):
    norm, rstd, w = cache
    dnorm = dout * w
    dx = (dnorm - dnorm.mean(-1, keepdims=True)) * rstd  # the term through the variance is missing
    return dx, (dout * norm).reshape(-1, len(w)).sum(0), dout.reshape(-1, len(w)).sum(0)


def layernorm_swapped(dout, cache):
    dx, dw, db = layers.layernorm_backward(dout, cache)
    return dx, db, dw


def softmax_without_the_sum(dout, cache):
    out, _ = cache
    return dout * out * (1.0 - out)  # only the diagonal of the Jacobian


def softmax_in_place(x):
    x -= x.max(-1, keepdims=True)
    return activations.softmax(x)


def linear_bias_of_the_first_row(dout, cache):
    dx, dw, _ = layers.linear_backward(dout, cache)
    return dx, dw, dout.reshape(-1, dout.shape[-1])[0]


def linear_transposed(dout, cache):
    dx, dw, db = layers.linear_backward(dout, cache)
    return dx, dw.T, db


def linear_forgets_the_bias(dout, cache):
    return layers.linear_backward(dout, cache)[:2]


def sigmoid_right_for_ones_only(dout, cache):
    return activations.sigmoid_backward(np.ones_like(dout), cache)


def sigmoid_overwrites_dout(dout, cache):
    dout *= activations.sigmoid_backward(np.ones_like(dout), cache)
    return dout.copy()


def sigmoid_overwrites_its_cache(dout, cache):
    dx = activations.sigmoid_backward(dout, cache)
    cache *= 1.0 - cache
    return dx


def sigmoid_that_overflows(x):
    out = 1.0 / (1.0 + np.exp(-1000.0 * x))
    return out, out


def gelu_leaks_float64(x):
    out, cache = activations.gelu_tanh(x)
    return out * (np.sqrt(np.float64(2.0)) / np.sqrt(np.float64(2.0))), cache  # NumPy scalars are float64


def gelu_backward_leaks_float64(dout, cache):
    return activations.gelu_tanh_backward(dout, cache).astype(np.float64)


def relu_lets_everything_through(dout, cache):
    return dout.copy()


def relu_gives_nan(x):
    return np.where(x > 0, x, np.nan), x > 0


def embedding_loses_repeats(dout, cache):
    ids, shape = cache
    dw = np.zeros(shape, dout.dtype)
    dw[ids] += dout  # a repeated id is written once, not added up
    return dw


def cross_entropy_mean_over_ignored_too(logits, targets):
    loss, cache = losses.cross_entropy(logits, targets)
    return loss * float((targets != -100).mean()), cache


def lstm_forgets_the_cell(dout, cache):
    grads = [
        layers.lstm_backward(np.where(np.arange(dout.shape[1])[:, None] == t, dout, 0), cache) for t in (0, 1)
    ]
    return tuple(a + b if a is not None else None for a, b in zip(*grads, strict=True))


def mean_pool_over_the_padding(x, mask):
    return layers.mean_pool(x, np.ones_like(mask))


def conv2d_flipped(x, w, b):
    return convolution.conv2d(x, w[::-1, ::-1], b)


def conv2d_groups_interleaved(x, w, b):
    order = np.arange(x.shape[3]).reshape(-1, 2).T.ravel()  # channels 0, 2, 1, 3: every other one is a group
    return convolution.conv2d(x[..., order], w, b, padding=1, groups=2)


def batchnorm_without_variance(dout, cache):
    norm, rstd, w = cache[:3]
    dw, db = (dout * norm).reshape(-1, len(w)).sum(0), dout.reshape(-1, len(w)).sum(0)
    return (dout - db / (norm.size // len(w))) * (w * rstd), dw, db


def patches_channels_first(images):
    n, h, w, c = images.shape
    cut = images.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4)
    return cut.reshape(n, -1, 4 * c), images.shape


def contrastive_one_direction(dout, cache):
    a_unit, b_unit, a_cache, b_cache, logits, scale, right, rows, _, _ = cache
    dlogits = activations.log_softmax_backward(right * (-float(dout) / len(right)), rows)
    da = unlabelled.unit_vectors_backward(scale * (dlogits @ b_unit), a_cache)
    db = unlabelled.unit_vectors_backward(scale * (dlogits.T @ a_unit), b_cache)
    return da, db, (dlogits * logits).sum()


def contrastive_clamp_lets_through(dout, cache):
    return unlabelled.contrastive_backward(dout, (*cache[:-1], True))


def masked_loss_over_all(pred, target, hidden):
    return unlabelled.masked_image_loss(pred, target, np.ones_like(hidden))


BUGS = [
    ("layers.layernorm", "backward", layernorm_without_variance, "0: torch (cpu) differs"),
    ("layers.layernorm", "backward", layernorm_without_variance, "0: finite differences differs"),
    ("layers.layernorm", "backward", layernorm_swapped, "1: torch (cpu) differs"),
    ("activations.softmax", "backward", softmax_without_the_sum, "0: finite differences differs"),
    ("activations.softmax", "forward", softmax_in_place, "input 0 was overwritten (float64)"),
    ("layers.linear", "backward", linear_bias_of_the_first_row, "2: torch (cpu) differs"),
    ("layers.linear", "backward", linear_transposed, "gradient 1 has shape (7, 5), its input (5, 7)"),
    ("layers.linear", "backward", linear_forgets_the_bias, "gradients ['0', '1'] where the inputs are"),
    ("activations.sigmoid", "backward", sigmoid_right_for_ones_only, "0: torch (cpu) differs"),
    ("activations.sigmoid", "backward", sigmoid_overwrites_dout, "dout was overwritten (float64)"),
    ("activations.sigmoid", "backward", sigmoid_overwrites_its_cache, "differs at a second backward"),
    ("activations.sigmoid", "forward", sigmoid_that_overflows, "FloatingPointError: overflow"),
    ("activations.gelu_tanh", "forward", gelu_leaks_float64, "out is float64 from float32 inputs"),
    ("activations.gelu_tanh", "backward", gelu_backward_leaks_float64, "0 is float64 from float32 inputs"),
    ("activations.relu", "backward", relu_lets_everything_through, "0: finite differences differs"),
    ("activations.relu", "forward", relu_gives_nan, "out: loop differs by inf"),
    ("layers.embedding", "backward", embedding_loses_repeats, "1: torch (cpu) differs"),
    (
        "losses.cross_entropy_ignored",
        "forward",
        cross_entropy_mean_over_ignored_too,
        "out: torch (cpu) differs",
    ),
    ("layers.lstm", "backward", lstm_forgets_the_cell, "torch (cpu) differs"),
    ("layers.mean_pool", "forward", mean_pool_over_the_padding, "out: loop differs"),
    ("convolution.conv2d", "forward", conv2d_flipped, "out: loop differs"),
    ("convolution.conv2d_groups", "forward", conv2d_groups_interleaved, "out: torch (cpu) differs"),
    ("convolution.batchnorm", "backward", batchnorm_without_variance, "0: torch (cpu) differs"),
    ("vision.patches", "forward", patches_channels_first, "out: loop differs"),
    ("unlabelled.contrastive", "backward", contrastive_one_direction, "1: torch (cpu) differs"),
    ("unlabelled.contrastive_clamped", "backward", contrastive_clamp_lets_through, "2: torch (cpu) differs"),
    ("unlabelled.masked_image_loss", "forward", masked_loss_over_all, "out: loop differs"),
]


@pytest.mark.parametrize(
    ("name", "part", "wrong", "said"), BUGS, ids=[f"{b[2].__name__}-{b[3]}" for b in BUGS]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_bug_is_caught_and_named(name, part, wrong, said, seed):
    [row] = run({name: replace(CASES[name], **{part: wrong})}, seed=seed)
    assert any(said in problem for problem in row.problems), row.problems


def test_a_wrong_loop_and_a_wrong_torch_are_caught_too():
    case = CASES["losses.mse"]
    assert "out: loop differs" in check_case("", replace(case, loop=lambda p, t: 0.5)).problems[0]
    row = check_case("", replace(case, torch=lambda p, t: ((p - t) ** 2).sum()))
    assert sum("torch (cpu) differs" in problem for problem in row.problems) == 2  # the loss and its gradient


def test_why_the_upstream_gradient_is_random():
    """With all ones and no gain yet, the LayerNorm backward that forgot the variance looks perfect."""
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((4, 8)), np.ones(8), np.zeros(8)
    _, cache = layers.layernorm(x, w, b)

    def gap(dout):
        return np.abs(
            layernorm_without_variance(dout, cache)[0] - layers.layernorm_backward(dout, cache)[0]
        ).max()

    assert gap(np.ones((4, 8))) < 1e-14
    assert gap(rng.standard_normal((4, 8))) > 0.1


# -- inputs that are nested dicts, constants, None -----------------------------------------------------------


def _two_layers(x, params):
    hidden, cache1 = layers.linear(x, params["layers"][0]["w"])
    out, cache2 = layers.linear(hidden, params["layers"][1]["w"])
    return out, (cache1, cache2)


def _two_layers_backward(dout, cache):
    dhidden, dw2, _ = layers.linear_backward(dout, cache[1])
    dx, dw1, _ = layers.linear_backward(dhidden, cache[0])
    return dx, {"layers": [{"w": dw1}, {"w": dw2}]}


NESTED = Case(
    _two_layers,
    _two_layers_backward,
    lambda rng: (
        rng.standard_normal((2, 3)),
        {"layers": [{"w": rng.standard_normal((3, 5))}, {"w": rng.standard_normal((5, 4))}]},
    ),
    lambda x, params: x @ params["layers"][0]["w"] @ params["layers"][1]["w"],
)


def test_nested_parameters():
    assert check_case("nested", NESTED).problems == []


def test_a_bug_inside_nested_parameters_is_named():
    def wrong(dout, cache):
        dx, grads = _two_layers_backward(dout, cache)
        grads["layers"][1]["w"] *= 1.001
        return dx, grads

    row = check_case("nested", replace(NESTED, backward=wrong))
    assert any(problem.startswith("1.layers.1.w: torch (cpu) differs") for problem in row.problems)
    assert not any(problem.startswith("1.layers.0.w") for problem in row.problems)


def test_overwriting_nested_parameters_is_seen():
    def wrong(x, params):
        params["layers"][0]["w"] *= 2.0
        return _two_layers(x, params)

    row = check_case("nested", replace(NESTED, forward=wrong))
    assert "input 1.layers.0.w was overwritten (float64)" in row.problems


def test_a_gradient_for_a_constant_or_for_none_is_a_problem():
    def both(dout, cache):
        dpred = losses.mse_backward(dout, cache)
        return dpred, -dpred

    row = check_case("", replace(CASES["losses.mse"], backward=both))
    assert "where the inputs are ['0']" in row.problems[0]

    def bias_anyway(dout, cache):
        dx, dw, _ = layers.linear_backward(dout, cache)
        return dx, dw, dout.sum(0)

    row = check_case("", replace(CASES["layers.linear_no_bias"], backward=bias_anyway))
    assert "where the inputs are ['0', '1']" in row.problems[0]


# -- what is printed and written -----------------------------------------------------------------------------


def test_the_line_of_a_notebook_prints_thresholds_only(capsys):
    line("losses.mse")
    printed = capsys.readouterr().out
    forms = "loop ✓ < 1e-10 · finite differences ✓ < 1e-6 · float32 ✓ < 2e-5 · torch ✓ < 1e-10"
    assert printed == f"losses.mse: {forms}\n"


def test_the_line_of_a_wrong_operation_says_so(capsys, monkeypatch):
    wrong = replace(CASES["losses.mse"], backward=lambda dout, cache: 2.0 * losses.mse_backward(dout, cache))
    monkeypatch.setattr(crosscheck, "_cases_of", lambda module: {"mse": wrong})
    line("losses.mse")
    printed = capsys.readouterr().out
    assert "loop ✓" in printed
    assert "torch ✗" in printed


@pytest.fixture
def few_cases(monkeypatch):
    cases = {name: CASES[name] for name in ("losses.mse", "layers.linear")}
    monkeypatch.setattr(crosscheck, "all_cases", lambda: cases)
    return cases


def test_the_table_when_all_agree(few_cases, capsys, tmp_path):
    assert crosscheck.crosscheck("cpu", tmp_path / "table.json") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "All 2 agree."
    assert len({len(text) for text in printed[2:6]}) == 1  # aligned
    report = json.loads((tmp_path / "table.json").read_text())
    assert report["agree"] is True
    assert report["versions"].keys() == {"fmkit", "python", "numpy", "torch"}
    assert report["devices"].keys() == {"cpu"}
    assert [case["name"] for case in report["cases"]] == list(few_cases)
    assert report["cases"][0]["errors"]["torch (cpu)"] < 1e-10


def test_the_table_when_one_does_not(few_cases, capsys, tmp_path):
    few_cases["losses.mse"] = replace(few_cases["losses.mse"], loop=lambda pred, target: math.nan)
    few_cases["layers.linear"] = replace(few_cases["layers.linear"], forward=lambda *inputs: 1 / 0)
    assert crosscheck.crosscheck("cpu", tmp_path / "table.json") == 1
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "2 of 2 do not agree: losses.mse, layers.linear"
    assert "out: loop differs by inf, 1e-10 allowed" in printed
    assert "ZeroDivisionError" in printed
    report = json.loads(
        (tmp_path / "table.json").read_text(), parse_constant=pytest.fail
    )  # no NaN, no Infinity
    assert report["agree"] is False
    assert report["cases"][0]["errors"]["loop"] is None


@pytest.fixture
def no_gpu(monkeypatch):
    def missing(name, dtype):
        raise DeviceError("there is none")

    monkeypatch.setattr("fmkit.twins.device.find_device", missing)


def test_a_missing_gpu_is_a_column_of_dashes_with_the_reason_once(few_cases, capsys, no_gpu):
    assert crosscheck.crosscheck() == 0
    printed = capsys.readouterr().out
    assert "torch (cuda)" in printed.splitlines()[2]
    assert all(text.split()[-1] == "-" for text in printed.splitlines()[4:6])
    assert printed.count("there is none") == 1


def test_a_device_that_was_asked_for_and_is_missing_is_an_error(few_cases, no_gpu):
    with pytest.raises(DeviceError, match="there is none"):
        crosscheck.crosscheck("cuda")


def test_the_error_is_relative_and_infinite_for_what_cannot_be_compared():
    assert crosscheck.error([100.0, 1.0], [101.0, 1.0]) == pytest.approx(1 / 101)
    assert crosscheck.error([1.0], [1.0, 1.0]) == math.inf
    assert crosscheck.error([math.nan], [1.0]) == math.inf
    assert crosscheck.error([1e-17], [0.0]) < 1e-13


def test_rows_do_not_depend_on_the_order_of_the_cases():
    names = ["losses.mse", "activations.silu"]
    rows = run({name: CASES[name] for name in names})
    turned = run({name: CASES[name] for name in reversed(names)})
    assert rows == turned[::-1]
    assert isinstance(rows[0], Row)
