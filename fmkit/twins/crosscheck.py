"""Plain loop, NumPy, finite differences, torch on the CPU, torch on the GPU: do they agree? One table.

A `Case` says how to run one operation in each form; `check_case` runs it on random inputs with a *random*
upstream gradient, in float64 and in float32, and compares. (An all-ones upstream gradient hides real
mistakes: a LayerNorm backward without its variance term passes such a test with an error of 5e-16.)

>>> from fmkit.twins import crosscheck
>>> crosscheck.line("losses.mse")
losses.mse: loop ✓ < 1e-10 · finite differences ✓ < 1e-6 · float32 ✓ < 2e-5 · torch ✓ < 1e-10
"""

import importlib
import json
import pkgutil
import platform
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fmkit.errors import DeviceError
from fmkit.params import flatten, tree_map
from fmkit.twins import cases as cases_package
from fmkit.twins.case import DIFFERENCES, FLOAT32, LOOP, Case, tolerance

STEP = 2e-6  # of the central differences: shorter, and rounding takes over; longer, and the curvature does
ENTRIES = 50  # finite differences on at most so many entries of one array


@dataclass
class Row:
    """The result of one case: the largest error by column, and a sentence for each problem."""

    name: str
    errors: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def error(got: Any, want: Any) -> float:
    """Largest difference, relative to the largest entry wanted; infinite for another shape or a NaN."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if got.shape != want.shape:
        return float("inf")
    if want.size == 0:
        return 0.0
    worst = np.abs(got - want).max() / max(np.abs(want).max(), 1e-3)  # a zero gradient is compared absolutely
    return float(worst) if np.isfinite(worst) else float("inf")


# -- one case ------------------------------------------------------------------------------------------------


def check_case(name: str, case: Case, devices: Sequence[str] = ("cpu",), seed: int = 0) -> Row:
    """Run one case in every form and compare. Exceptions of the operation itself are not caught."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    inputs = list(case.inputs(rng))
    row = Row(name)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        out = case.forward(*_copy(inputs))[0]
        dout = rng.standard_normal(np.shape(out))
        exact = _run(case, inputs, dout, row)
        single = _run(case, _cast(inputs), dout.astype(np.float32), row)
        if exact is None or single is None:
            return row  # the shapes or names are wrong already: nothing to compare
        if case.loop:
            _compare(row, LOOP, {"out": exact["out"]}, {"out": case.loop(*_copy(inputs))})
        if case.backward:
            _compare(row, DIFFERENCES, exact, _differences(case, inputs, dout, exact, rng))
        _compare(row, FLOAT32, single, exact)
    for device in devices:
        _compare(row, f"torch ({device})", exact, _torch(case, inputs, dout, device))
        got = _torch(case, _cast(inputs), dout.astype(np.float32), device)
        _compare(row, f"torch ({device}, float32)", single, got)
    return row


def _run(case: Case, inputs: list, dout: np.ndarray, row: Row) -> dict[str, np.ndarray] | None:
    """Forward and backward in NumPy: "out" and the gradients by name, or None when their form is wrong."""
    given, upstream, dtype = _copy(inputs), dout.copy(), dout.dtype
    out, cache = case.forward(*given)
    out = np.array(out)
    backward = case.backward or (lambda dout, cache: ())
    grads = _gradients(case, inputs, backward(upstream, cache))
    wanted = _differentiable(case, inputs)
    if grads.keys() != wanted.keys():
        row.problems.append(f"gradients {sorted(grads)} where the inputs are {sorted(wanted)}")
        return None
    again = _gradients(case, inputs, backward(upstream, cache))
    for key, grad in grads.items():
        if grad.shape != wanted[key].shape:
            row.problems.append(f"gradient {key} has shape {grad.shape}, its input {wanted[key].shape}")
            return None
        if not np.array_equal(grad, again[key]):
            row.problems.append(f"gradient {key} differs at a second backward: the cache was overwritten")
    for key, value in {"out": out, **grads}.items():
        if value.dtype != dtype:
            row.problems.append(f"{key} is {value.dtype} from {dtype} inputs")
    for key, value in flatten(given).items():
        if isinstance(value, np.ndarray) and not np.array_equal(value, flatten(inputs)[key]):
            row.problems.append(f"input {key} was overwritten ({dtype})")
    if not np.array_equal(upstream, dout):
        row.problems.append(f"dout was overwritten ({dtype})")
    return {"out": out, **grads}


def _differences(case: Case, inputs: list, dout: np.ndarray, exact: dict, rng: np.random.Generator) -> dict:
    """The gradients in ``exact``, their entries replaced by central differences of <out, dout>."""
    result = {}
    for key, array in _differentiable(case, inputs).items():
        slope = exact[key].copy()
        for i in rng.permutation(array.size)[:ENTRIES]:
            outs = []
            for step in (STEP, -STEP):
                moved = _copy(inputs)
                flatten(moved)[key].flat[i] += step
                outs.append(case.forward(*moved)[0])
            slope.flat[i] = ((outs[0] - outs[1]) * dout).sum() / (2.0 * STEP)
        result[key] = slope
    return result


def _torch(case: Case, inputs: list, dout: np.ndarray, device: str) -> dict[str, np.ndarray]:
    """The same in torch on a device, with torch's own automatic derivatives."""
    import torch

    tensors = tree_map(lambda a: torch.tensor(a, device=device) if isinstance(a, np.ndarray) else a, inputs)
    leaves = {key: flatten(tensors)[key].requires_grad_() for key in _differentiable(case, inputs)}
    out = case.torch(*tensors)
    upstream = torch.tensor(dout, device=device)
    result = {"out": out}
    if leaves:
        grads = torch.autograd.grad(out, leaves.values(), upstream, allow_unused=True, materialize_grads=True)
        result |= dict(zip(leaves, grads, strict=True))
    return {key: value.detach().cpu().numpy() for key, value in result.items()}


def _compare(row: Row, column: str, got: dict, want: dict) -> None:
    """Largest error of a column, over everything that ``want`` holds."""
    row.errors[column] = 0.0
    for key, value in want.items():
        worst = error(got[key], value)
        row.errors[column] = max(row.errors[column], worst)
        if worst > tolerance(column):
            row.problems.append(f"{key}: {column} differs by {worst:.1e}, {tolerance(column):.0e} allowed")


def _copy(inputs: list) -> list:
    return tree_map(lambda a: a.copy() if isinstance(a, np.ndarray) else a, inputs)


def _is_float(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def _cast(inputs: list) -> list:
    return tree_map(lambda a: a.astype(np.float32) if _is_float(a) else a, inputs)


def _differentiable(case: Case, inputs: list) -> dict[str, np.ndarray]:
    """The arrays that get a gradient, by name: "0" for the first input, "1.blocks.0.w" inside the second."""
    flat = flatten(inputs) if case.backward else {}
    return {k: a for k, a in flat.items() if _is_float(a) and int(k.split(".")[0]) not in case.constant}


def _gradients(case: Case, inputs: list, grads: Any) -> dict[str, np.ndarray]:
    """Copies of what a backward returned, under the same names as `_differentiable`."""
    grads = list(grads) if isinstance(grads, tuple) else [grads]
    wanted = {key.split(".")[0] for key in _differentiable(case, inputs)}
    positions = [str(i) for i, value in enumerate(inputs) if str(i) in wanted or value is None]
    named = dict(zip(positions, grads, strict=False))
    named.update({f"extra {i}": extra for i, extra in enumerate(grads[len(positions) :])})
    flat = {}
    for position, grad in named.items():
        leaves = flatten([grad])  # names begin with "0"
        flat.update({position + key[1:]: np.array(g) for key, g in leaves.items() if g is not None})
    return flat


# -- all cases -----------------------------------------------------------------------------------------------


def all_cases() -> dict[str, Case]:
    """Every case of every module in `fmkit.twins.cases`, as "layers.linear"."""
    modules = [module.name for module in pkgutil.iter_modules(cases_package.__path__)]
    return {f"{m}.{name}": case for m in _course_order(modules) for name, case in _cases_of(m).items()}


def _course_order(modules: list[str]) -> list[str]:
    order = ["activations", "losses", "layers", "optimizers", "attention", "transformer", "bert", "llama"]
    order += ["convolution", "vision", "mobilenet", "unlabelled"]
    return sorted(modules, key=lambda m: (order.index(m) if m in order else len(order), m))


def _cases_of(module: str) -> dict[str, Case]:
    return importlib.import_module(f"{cases_package.__name__}.{module}").CASES


def run(cases: dict[str, Case], devices: Sequence[str] = ("cpu",), seed: int = 0) -> list[Row]:
    """A row for every case; an exception in one becomes that row's problem."""
    rows = []
    for name, case in cases.items():
        try:
            rows.append(check_case(name, case, devices, seed))
        except Exception as exception:
            rows.append(Row(name, {}, [f"{type(exception).__name__}: {exception}"]))
    return rows


def line(name: str) -> None:
    """Print the check of one case on one line, for a notebook. The text is the same on every machine."""
    module, _, short = name.partition(".")
    row = check_case(name, _cases_of(module)[short])
    print(f"{name}: " + " · ".join(_verdict(column, row.errors[column]) for column in _columns([row])))
    for problem in row.problems:
        print(f"  ✗ {problem}")


def _verdict(column: str, worst: float) -> str:
    limit = f"{tolerance(column):.0e}".replace("e-0", "e-")
    shown = column.removesuffix(" (cpu)")  # without a GPU's column beside it there is one torch
    return f"{shown} ✓ < {limit}" if worst <= tolerance(column) else f"{shown} ✗ {worst:.0e}"


# -- the table: `fmkit crosscheck` ---------------------------------------------------------------------------


def crosscheck(device: str | None = None, json_path: Path | None = None, seed: int = 0) -> int:
    """Print the table of all cases, and write it as JSON.

    Parameters
    ----------
    device : a torch device such as "cuda", checked beside the CPU; None takes CUDA if this machine has it
    json_path : where to write the same table with versions, device names, seed and every error, or None

    Returns
    -------
    status : 0 when all agree, 1 when a case does not

    Raises
    ------
    DeviceError
        The device that was asked for cannot be used.
    """
    import torch

    from fmkit.twins.device import find_device

    extra, reason = device or "cuda", None
    try:
        find_device(extra, torch.float64)
    except DeviceError as missing:
        if device:
            raise
        reason = str(missing)
    devices = ["cpu"] if reason or extra == "cpu" else ["cpu", extra]
    rows = run(all_cases(), devices, seed)
    absent = [f"torch ({extra})"] if reason else []
    _print_table(rows, absent)
    if reason:
        print(f"\n-  torch ({extra}) was left out: {reason}")
    wrong = [row for row in rows if row.problems]
    for row in wrong:
        print(f"\n✗ {row.name}\n  " + "\n  ".join(row.problems))
    if json_path:
        json_path.write_text(json.dumps(_report(rows, devices, reason, seed), indent=2) + "\n")
    names = ", ".join(row.name for row in wrong)
    print(f"\n{len(wrong)} of {len(rows)} do not agree: {names}" if wrong else f"\nAll {len(rows)} agree.")
    return 1 if wrong else 0


def _columns(rows: list[Row]) -> list[str]:
    """The columns that are shown: torch's float32 ones are only in the JSON and in the problems."""
    names = dict.fromkeys(column for row in rows for column in row.errors)
    order = [LOOP, DIFFERENCES, FLOAT32]
    shown = [column for column in names if column in order or FLOAT32 not in column]
    return sorted(shown, key=lambda column: order.index(column) if column in order else len(order))


def _print_table(rows: list[Row], absent: list[str]) -> None:
    columns = _columns(rows) + absent
    width = max(len(row.name) for row in rows)
    print("Largest difference between our NumPy and each other form, relative to the largest entry\n")
    _print_row("", width, columns)
    _print_row("allowed", width, [f"{tolerance(column):.0e}" for column in columns])
    for row in rows:
        errors = [row.errors.get(column) for column in columns]
        cells = ["-" if worst is None else "0" if worst == 0 else f"{worst:.0e}" for worst in errors]
        _print_row(row.name, width, cells, mark="  ✗" if row.problems else "")


def _print_row(name: str, width: int, cells: list[str], mark: str = "") -> None:
    print(name.ljust(width) + "".join(f"  {cell:>18}" for cell in cells) + mark)


def _report(rows: list[Row], devices: list[str], reason: str | None, seed: int) -> dict[str, Any]:
    """The table as plain data for JSON, which has no infinity: an infinite error becomes null."""
    import torch

    from fmkit.twins.device import versions

    names = {device: platform.processor() or platform.machine() for device in devices if device == "cpu"}
    names.update({d: torch.cuda.get_device_name(d) for d in devices if d.startswith("cuda")})
    return {
        "agree": not any(row.problems for row in rows),
        "seed": seed,
        "versions": versions(),
        "devices": names,
        "left_out": reason,
        "cases": [
            {
                "name": row.name,
                "errors": {column: e if np.isfinite(e) else None for column, e in row.errors.items()},
                "problems": row.problems,
            }
            for row in rows
        ],
    }
