"""Chapter 15's small runs: one block of a GPT, of any width, for any number of steps.

`run` trains one; `benchmarks/scaling.py` has made them all, and `results` reads what came out.
"""

import json
from functools import cache

import numpy as np

from fmkit._paths import RESULTS
from fmkit.data import datasets
from fmkit.layers import dropout, dropout_backward, linear, linear_backward, mlp, mlp_backward
from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.optimizers import warmup_cosine
from fmkit.parallel import init_tower, tower_loss
from fmkit.params import count, tree_map
from fmkit.training import batches, train_step
from fmkit.transformer import Config, gpt, init_gpt

WIDTHS, STEPS, HELD_OUT = (8, 16, 32, 64), (100, 200, 400, 800), (128, 1600)
BLOCK, ROWS = 32, 32  # tokens a window, windows a step
FILE = RESULTS / "scaling.json"


def config_of(width: int) -> Config:
    """One block, heads of 16 (or one), a head of its own."""
    return Config(_texts()[2], BLOCK, 1, max(1, width // 16), width, 4 * width, tied=False)


def inner_parameters(width: int) -> int:
    """What a law counts as N: all but the tables of tokens and positions and the head."""
    params = init_gpt(np.random.default_rng(0), config_of(width))
    return count({name: part for name, part in params.items() if name in ("blocks", "lnf")})


def run(width: int, steps: int, seed: int = 0) -> float:
    """Train one model on the plays; its loss on 1,500 windows of plays that it has not seen, in nats."""
    train, held_back, _ = _texts()
    config = config_of(width)
    params, state = init_gpt(np.random.default_rng([seed, width]), config), None
    source = batches(train, ROWS, BLOCK, np.random.default_rng([seed, 1]))
    peak = 1e-2 * (16 / width) ** 0.5  # wider models want smaller steps
    for step in range(steps):
        lr = peak * warmup_cosine(step, steps // 10, steps)
        params, state, _ = train_step(params, state, *next(source), config, lr)
    ids, targets = next(batches(held_back, 1500, BLOCK, np.random.default_rng(0)))
    return float(cross_entropy(gpt(params, ids, config)[0], targets)[0])


def results() -> dict:
    """``runs``: a dict (width, steps, seed, N, D, loss) for each small one; ``held_out``: the larger ones."""
    return json.loads(FILE.read_text("utf-8"))


@cache
def _texts() -> tuple:
    train, held_back, _ = datasets.shakespeare_splits()
    code = {c: i for i, c in enumerate(sorted({*train, *held_back}))}
    return *(np.array([code[c] for c in text]) for text in (train, held_back)), len(code)


# What makers have reported: parameters (active ones), tokens, device, and of operations, device hours and
# tonnes of CO2 what their papers say. None: not reported.
REPORTS = {
    "GPT-3": (175e9, 300e9, "V100", 3.14e23, None, None),
    "Gopher": (280e9, 300e9, "TPU v3", 5.76e23, None, None),
    "BLOOM": (176e9, 366e9, "A100", None, 1_082_990, 24.7),
    "Llama 2 7B": (7e9, 2e12, "A100", None, 184_320, 31.22),
    "Llama 2 13B": (13e9, 2e12, "A100", None, 368_640, 62.44),
    "Llama 2 70B": (70e9, 2e12, "A100", None, 1_720_320, 291.42),
    "Llama 3.1 405B": (405e9, 15.6e12, "H100", 3.8e25, 30_840_000, 8_930),
    "DeepSeek-V3": (37e9, 14.8e12, "H800", None, 2_664_000, None),
}
PEAK = {"V100": 125e12, "A100": 312e12, "H100": 989e12, "H800": 989e12}  # operations a second in 16 bits
WATTS = {"A100": 400.0, "H100": 700.0}


def tower() -> tuple[dict, np.ndarray, np.ndarray]:
    """The tower of the byte table, and its one batch: parameters, x, targets. All sizes divide by 4."""
    rng = np.random.default_rng(15)
    params = init_tower(rng, C=32, F=128, V=64, n_blocks=4)
    return params, rng.normal(size=(32, 32)), rng.integers(0, 64, 32)


TOWER_STEPS, TOWER_LR = 10, 1e-3
GLOO = RESULTS / "gloo.json"  # benchmarks/gloo.py has written it


def gloo() -> dict:
    """Losses of the tower by torch.distributed: ``{"data_parallel": {"2": [...], "4": [...]}, ...}``."""
    return json.loads(GLOO.read_text("utf-8"))


def recomputed(anew: bool, seed: int = 0, steps: int = 200, lr: float = 0.05, p: float = 0.5) -> float:
    """Train a tower with dropout whose backward pass works the blocks out again; its loss without dropout.

    Parameters
    ----------
    anew : bool
        Whether the second time has masks of its own: the bug.
    """
    rng = np.random.default_rng(seed)
    params, x = init_tower(rng, C=32, F=64, V=8, n_blocks=4), rng.normal(size=(256, 32))
    targets = (x @ rng.normal(size=(32, 8))).argmax(1)
    for step in range(steps):
        seeds = [(step, i, 0) for i in range(4)]
        again = [(step, i, int(anew)) for i in range(4)]
        grads = _recomputed_grads(params, x, targets, seeds, again, p)
        params = tree_map(lambda w, g: w - lr * g, params, grads)
    return float(tower_loss(params, x, targets)[0])


def _recomputed_grads(params: dict, x, targets, seeds: list, again: list, p: float) -> dict:
    inputs = [x]
    for block, seed in zip(params["blocks"], seeds, strict=True):
        inputs.append(inputs[-1] + _dropped(block, inputs[-1], seed, p)[0])
    logits, head_cache = linear(inputs[-1], params["head"])
    _, loss_cache = cross_entropy(logits, targets)
    dx, dhead, _ = linear_backward(cross_entropy_backward(1.0, loss_cache), head_cache)
    blocks = []
    for i in reversed(range(len(again))):
        _, mlp_cache, mask_cache = _dropped(params["blocks"][i], inputs[i], again[i], p)
        dbelow, *found = mlp_backward(dropout_backward(dx, mask_cache), mlp_cache)
        dx = dx + dbelow
        blocks.insert(0, dict(zip(("w1", "b1", "w2", "b2"), found, strict=True)))
    return {"blocks": blocks, "head": dhead}


def _dropped(block: dict, h, seed: tuple, p: float) -> tuple:
    update, mlp_cache = mlp(h, **block)
    update, mask_cache = dropout(update, np.random.default_rng(seed).random(update.shape) >= p, p)
    return update, mlp_cache, mask_cache


def ring_states(n: int) -> list[np.ndarray]:
    """Whose parts are in each piece of each rank, before and after every step of the ring's first half.

    Arrays (n, n, n) of booleans: rank, piece, whose.
    """
    state = np.zeros((n, n, n), bool)
    state[np.arange(n), :, np.arange(n)] = True  # at first everybody's own
    states = [state]
    for step in range(1, n):
        state = states[-1].copy()
        for piece in range(n):
            sender = (piece + step) % n
            state[(sender + 1) % n, piece] |= states[-1][sender, piece]
        states.append(state)
    return states
