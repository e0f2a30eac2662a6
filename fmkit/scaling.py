"""Scale on paper (chapter 15): what a model costs before it is trained, and how its loss falls with size.

Operations (FLOPs: a multiplication and an addition are two), bytes, messages, days; then the law
``L = E + A / N**a + B / D**b`` of the loss after D tokens with N parameters: its fit, how sure it is, what it
advises. B rows, T positions, C width, F hidden width, V vocabulary, L layers, n devices.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, generator, instance, number, whole
from fmkit.params import tree_map
from fmkit.transformer import Config

# ----------------------------------------------------------------------------------------- operations, bytes


def matrix_parameters(config: Config) -> int:
    """Parameters of a GPT that stand in matrix products: blocks without biases and norms, and the head.

    Examples
    --------
    >>> config = Config(vocab_size=50257, block_size=2048, n_layers=96, n_heads=96, d_model=12288, d_ff=49152)
    >>> print(f"{matrix_parameters(config):.3g}")  # GPT-3
    1.75e+11
    """
    instance("config", config, Config)
    C = config.d_model
    return config.n_layers * (4 * C * C + 2 * C * config.d_ff) + C * config.vocab_size


def training_flops(config: Config, rows: int, T: int) -> int:
    """Operations in the matrix products of one training step of our GPT, exactly. (All else is small.)

    Forward, a parameter costs 2 for each token, and attention ``4 T C`` in each layer (every query meets
    every key, those of the future, too). Backward is twice as much: one product
    for the input, one for the weight.

    Examples
    --------
    >>> config = Config(vocab_size=65, block_size=64, n_layers=2, n_heads=4, d_model=32, d_ff=128)
    >>> training_flops(config, rows=8, T=64), 6 * matrix_parameters(config) * 8 * 64
    (107053056, 81887232)
    """
    rows, T = whole("rows", rows, 1), whole("T", T, 1)
    per_token = 2 * matrix_parameters(config) + config.n_layers * 4 * T * config.d_model
    return 3 * per_token * rows * T


def count_flops(f: Callable, *args: Any) -> int:
    """Run ``f(*args)`` and count the operations of its matrix products, as they happen.

    Parameters
    ----------
    args
        Arrays, also in dicts and lists: what comes out of them counts, too.

    Examples
    --------
    >>> count_flops(lambda x, w: x @ w @ w, np.ones((5, 3)), np.ones((3, 3)))
    180
    """
    total = 0

    class Counted(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
            nonlocal total
            plain = [np.asarray(x) if isinstance(x, Counted) else x for x in inputs]
            if out is not None:
                kwargs["out"] = tuple(np.asarray(x) for x in out)
            result = getattr(ufunc, method)(*plain, **kwargs)
            if ufunc is np.matmul:
                total += 2 * result.size * plain[0].shape[-1]
            if out is not None:
                return out[0]
            return result.view(Counted) if isinstance(result, np.ndarray) else result

    def counted(x: Any) -> Any:
        return x.view(Counted) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

    f(*(tree_map(counted, arg) for arg in args))
    return total


def state_bytes(parameters: float | int, ranks: int = 1, stage: int = 0, mixed: bool = True) -> float:
    """Bytes that one device keeps for weights, gradients and Adam's averages; activations come on top.

    Mixed precision: weights and gradients of 2 bytes, and for Adam 12 (a copy of the weights and two
    averages, of 4 each). Else 4, 4 and 8. ZeRO's stages divide Adam's part, the gradients, the weights.

    References
    ----------
    Rajbhandari et al. (2020), section 3.1 and figure 1.

    Examples
    --------
    >>> [state_bytes(7.5e9, 64, stage) / 1e9 for stage in range(4)]  # figure 1: 120, 31.4, 16.6 and 1.9 GB
    [120.0, 31.40625, 16.640625, 1.875]
    """
    parameters, ranks = number("parameters", parameters, 0), whole("ranks", ranks, 1)
    demand(stage in (0, 1, 2, 3), "stage", "0, 1, 2 or 3", stage)
    parts = (12, 2, 2) if mixed else (8, 4, 4)  # Adam's, gradients, weights: in the order of the stages
    return parameters * sum(size / (ranks if i < stage else 1) for i, size in enumerate(parts))


def layer_activation_bytes(config: Config, rows: int, T: int, recompute: bool = False) -> int:
    """Bytes of activations that one layer keeps for the backward pass, in 16 bits, on usual GPU kernels.

    ``rows T C (34 + 5 H T / C)``; with everything recomputed, the layer's input only.

    References
    ----------
    Korthikanti et al., "Reducing activation recomputation in large transformer models" (2022), equation 1.

    Examples
    --------
    >>> config = Config(vocab_size=50257, block_size=2048, n_layers=96, n_heads=96, d_model=12288, d_ff=49152)
    >>> [round(layer_activation_bytes(config, 1, 2048, way) / 1e9, 2) for way in (False, True)]
    [2.87, 0.05]
    """
    instance("config", config, Config)
    tokens, C = whole("rows", rows, 1) * whole("T", T, 1), config.d_model
    return 2 * tokens * C if recompute else 34 * tokens * C + 5 * config.n_heads * tokens * T


# ----------------------------------------------------------------------------------- messages, a step, a rank


def data_parallel_bytes(parameters: float | int, ranks: int, size: int = 8) -> float:
    """Bytes that a rank sends in a step of data parallelism, and of ZeRO's stages 1 and 2.

    Examples
    --------
    >>> data_parallel_bytes(1000, 4)
    12000.0
    """
    return 2 * (ranks - 1) / ranks * parameters * size


def zero3_bytes(parameters: int, last_layer: int, ranks: int, size: int = 8) -> float:
    """Bytes that a rank sends in a step of ZeRO's stage 3: weights twice (the last layer once), gradients.

    Examples
    --------
    >>> zero3_bytes(1000, 100, 4)
    17400.0
    """
    return (ranks - 1) / ranks * (3 * parameters - last_layer) * size


def tensor_parallel_bytes(rows: int, C: int, n_blocks: int, ranks: int, size: int = 8) -> float:
    """Bytes that a rank sends in a step of `fmkit.parallel.tensor_parallel`: activations, not weights.

    Examples
    --------
    >>> tensor_parallel_bytes(rows=6, C=4, n_blocks=2, ranks=2)
    912.0
    """
    return 2 * (ranks - 1) / ranks * (2 * n_blocks * rows * C + 3 * rows) * size


def pipeline_bytes(rows: int, C: int, ranks: int, rank: int, size: int = 8) -> int:
    """Bytes that a rank sends in a step of a pipeline: activations up, unless it is the last; gradients down.

    Examples
    --------
    >>> [pipeline_bytes(rows=6, C=4, ranks=3, rank=rank) for rank in range(3)]
    [192, 384, 192]
    """
    return rows * C * size * ((rank < ranks - 1) + (rank > 0))


# -------------------------------------------------------------------------------------------------- a plan


@dataclass(frozen=True)
class Plan:
    """What a training run takes, by `plan`.

    Examples
    --------
    >>> Plan(8.4e23, 1.0, 24.0, 10.0, 4.0, 48.0, 16e9, 2.0).days
    1.0
    """

    flops: float
    days: float
    device_hours: float
    megawatt_hours: float
    tonnes_co2: float
    dollars: float
    bytes_a_device: float  # weights, gradients and Adam, with ZeRO-1
    seconds_to_share: float  # one all-reduce of the gradient, 2 bytes a number


def plan(
    parameters: float | int,
    tokens: float | int,
    devices: int,
    device_flops: float,
    utilisation: float = 0.4,
    watts: float = 400.0,
    overhead: float = 1.1,
    kg_co2_a_kwh: float = 0.4,
    dollars_an_hour: float = 2.0,
    bandwidth: float = 25e9,
) -> Plan:
    """Days, memory, energy and money of a training run, from a few numbers.

    Parameters
    ----------
    parameters, tokens : float
        Operations are taken as ``6 * parameters * tokens``. Of a mixture of experts, count the active ones.
    device_flops : float
        What a device can do in a second, by its data sheet.
    utilisation : float
        The part of it that training reaches: .3 to .5 in reports.
    watts : float
        Of a device; ``overhead`` times that for all around it (cooling, network).
    bandwidth : float
        Bytes a second that a device sends.

    References
    ----------
    Kaplan et al., "Scaling laws for neural language models" (2020), section 2.1, for the 6.

    Examples
    --------
    >>> llama = plan(70e9, 2e12, devices=2000, device_flops=312e12, utilisation=0.43)
    >>> print(f"{llama.flops:.2g} operations, {llama.device_hours:.3g} hours, {llama.days:.0f} days")
    8.4e+23 operations, 1.74e+06 hours, 36 days
    """
    devices = whole("devices", devices, 1)
    for name, value in {"parameters": parameters, "tokens": tokens, "device_flops": device_flops}.items():
        number(name, value, above=0)
    utilisation = number("utilisation", utilisation, above=0, most=1)
    flops = 6.0 * parameters * tokens
    hours = flops / (device_flops * utilisation) / 3600
    energy = hours * watts / 1000 * overhead  # kWh
    return Plan(
        flops=flops,
        days=hours / devices / 24,
        device_hours=hours,
        megawatt_hours=energy / 1000,
        tonnes_co2=energy * kg_co2_a_kwh / 1000,
        dollars=hours * dollars_an_hour,
        bytes_a_device=state_bytes(parameters, devices, 1),
        seconds_to_share=data_parallel_bytes(parameters, devices, 2) / bandwidth,
    )


# --------------------------------------------------------------------------------------------------- the law

EXPONENTS = 0.02, 2.0  # where they are looked for


@dataclass(frozen=True)
class Law:
    """``L = E + A / N**a + B / D**b``: what nothing mends, what parameters mend, what data mend.

    Examples
    --------
    >>> chinchilla = Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28)  # Hoffmann et al. (2022), section 3.3
    >>> print(round(chinchilla.loss(70e9, 1.4e12), 2))
    1.94
    """

    E: float
    A: float
    a: float
    B: float
    b: float

    def loss(self, N: Any, D: Any) -> Any:
        """The loss it expects of N parameters after D tokens."""
        return self.E + self.A * np.power(N, -self.a) + self.B * np.power(D, -self.b)


def fit_law(N: Float[Array, "R"], D: Float[Array, "R"], losses: Float[Array, "R"]) -> Law:
    """The law nearest to some runs: least squares of the relative error, E, A and B not below 0.

    For given exponents the law is linear in E, A and B: a small system of equations. So only the two
    exponents are searched for, on a grid that draws closer three times.

    Parameters
    ----------
    N, D, losses : (R,)
        Parameters, tokens and the loss of each run; 5 runs at least.

    Examples
    --------
    >>> N, D = (x.ravel() for x in np.meshgrid([1e3, 1e4, 1e5], [1e5, 1e6, 1e7]))
    >>> law = fit_law(N, D, Law(1.5, 8.0, 0.3, 90.0, 0.4).loss(N, D))
    >>> print(round(law.E, 2), round(law.a, 2), round(law.b, 2))
    1.5 0.3 0.4
    """
    N, D, losses = (floats(k, x, 1, "(R,)") for k, x in (("N", N), ("D", D), ("losses", losses)))
    expect("D", D, N.shape, "(R,)")
    expect("losses", losses, N.shape, "(R,)")
    demand(len(N) >= 5, "losses", "5 runs at least, for 5 numbers", len(N))
    low, high = math.log(EXPONENTS[0]), math.log(EXPONENTS[1])
    grids = [np.exp(np.linspace(low, high, 25))] * 2
    step = (high - low) / 24
    for _ in range(4):
        pairs = np.array([*itertools.product(*grids)])  # (P, 2)
        errors, parts = _linear_parts(pairs, N, D, losses)
        best = int(errors.argmin())
        grids = [np.exp(np.clip(math.log(x) + step * np.linspace(-1, 1, 9), low, high)) for x in pairs[best]]
        step /= 4
    (a, b), (E, A, B) = pairs[best].tolist(), parts[best].tolist()
    return Law(E, A, a, B, b)


def _linear_parts(pairs: Array, N: Array, D: Array, losses: Array) -> tuple[Array, Array]:
    """For each pair of exponents the best E, A, B that are not negative, and the error that is left."""
    ones = np.ones((len(pairs), len(N)))
    middle = np.exp(np.log(N).mean()), np.exp(np.log(D).mean())  # numbers near 1: the equations are solvable
    columns = np.stack(
        [ones, (N / middle[0]) ** -pairs[:, :1], (D / middle[1]) ** -pairs[:, 1:]], axis=-1
    )  # (P, R, 3)
    columns = columns / losses[:, None]  # of pred / loss - 1
    errors, parts = np.full(len(pairs), np.inf), np.zeros((len(pairs), 3))
    for used in ([0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2]):  # the others are 0
        x = columns[:, :, used]
        gram = x.transpose(0, 2, 1) @ x + 1e-13 * np.eye(len(used))
        found = np.linalg.solve(gram, x.sum(1)[:, :, None])  # (P, k, 1)
        error = ((x @ found - 1.0) ** 2).sum((1, 2))
        better = (found >= 0).all((1, 2)) & (error < errors)
        errors[better] = error[better]
        parts[better] = 0.0
        parts[np.ix_(better, used)] = found[better, :, 0]
    parts[:, 1] *= middle[0] ** pairs[:, 0]
    parts[:, 2] *= middle[1] ** pairs[:, 1]
    return errors, parts


def bootstrap_laws(
    N: Float[Array, "R"],
    D: Float[Array, "R"],
    losses: Float[Array, "R"],
    draws: int,
    rng: np.random.Generator,
) -> list[Law]:
    """`fit_law` on as many runs drawn from these, with repeats: what other runs might have said.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> N, D = (x.ravel() for x in np.meshgrid([1e3, 1e4, 1e5], [1e5, 1e6, 1e7]))
    >>> losses = Law(1.5, 8.0, 0.3, 90.0, 0.4).loss(N, D) * np.exp(rng.normal(0, 0.01, 9))
    >>> laws = bootstrap_laws(N, D, losses, 20, rng)
    >>> min(law.a for law in laws) < 0.3 < max(law.a for law in laws)
    True
    """
    generator(rng)
    R = len(losses)
    rows = rng.integers(0, R, (whole("draws", draws, 1), R))
    return [fit_law(N[i], D[i], losses[i]) for i in rows]


def optimum(law: Law, flops: float) -> tuple[float, float]:
    """Parameters and tokens that give the lowest loss for a budget of ``6 N D`` operations.

    References
    ----------
    Hoffmann et al., "Training compute-optimal large language models" (2022), equation 4.

    Examples
    --------
    >>> N, D = optimum(Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28), 5.76e23)  # Gopher's budget
    >>> print(f"{N:.2g} parameters, {D:.2g} tokens")
    3.2e+10 parameters, 3e+12 tokens
    """
    instance("law", law, Law)
    flops = number("flops", flops, above=0)
    demand(min(law.A, law.B, law.a, law.b) > 0, "law", "A, a, B, b above 0", law)
    # The slope along N D = const is 0 where a A / N**a = b B / D**b
    G = (law.a * law.A / (law.b * law.B)) ** (1 / (law.a + law.b))
    N = G * (flops / 6) ** (law.b / (law.a + law.b))
    return N, flops / 6 / N


def quantiles(values: Sequence[float], coverage: float = 0.9) -> tuple[float, float]:
    """The two ends between which the middle part of some values lies.

    Examples
    --------
    >>> print(*np.round(quantiles([float(i) for i in range(101)]), 9))
    5.0 95.0
    """
    out = (1 - number("coverage", coverage, 0, 1)) / 2
    return tuple(np.quantile(np.asarray(values, float), [out, 1 - out]).tolist())
