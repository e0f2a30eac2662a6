"""Pretraining recipes (chapter 07): which model, trained how, for how long, as one record.

`CLASSIC` is where the laptop speedrun starts and `SPEEDRUN` where it ends; between them one thing changes at
a time (``dataclasses.replace(CLASSIC, lr=3e-3)``). `FAST` ends at a model that other libraries know. A recipe
and its seed decide a run: every batch depends on (seed, step) alone, so a run that was stopped goes on with
the same batches, and so do several processes that share the work.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from fmkit.llama import LlamaConfig
from fmkit.optimizers import warmup_cosine
from fmkit.runs.pretraining.model import SpeedrunModel
from fmkit.transformer import Config
from fmkit.twins.models import GPT, Llama
from fmkit.twins.muon import Muon


@dataclass(frozen=True)
class Recipe:
    """How to pretrain a small language model; plain values only, so that it can be written as JSON."""

    name: str
    # the model
    n_layers: int = 4
    n_heads: int = 4
    d_model: int = 128
    d_ff: int = 512
    block_size: int = 64
    body: str = "gpt"  # "gpt", or "llama": RMSNorm, SwiGLU, no biases
    rotary: bool = False  # rotary positions instead of learned ones
    qk_norm: bool = False  # a norm of each head's query and key
    relu_squared: bool = False  # instead of GELU
    tied: bool = True  # the output layer is the embedding table
    soft_cap: float = 0.0  # logits between -soft_cap and soft_cap; 0: no cap
    ngram_rows: int = 0  # rows at most of the tables of pairs and triples; 0: no tables
    longest_gram: int = 3  # 4: a table of quadruples, too
    previous: int = 0  # to each token so many before it are added, each place back by a table of its own
    zero_init: bool = False  # what a block adds to the residual stream starts at zero
    # the run
    seed: int = 0
    batch_size: int = 12
    steps: int = 2000
    # the optimizer
    lr: float = 1e-3  # of AdamW, at its peak
    table_lr: float = 0.0  # of the embedding tables; 0: lr
    muon_lr: float = 0.0  # above 0: Muon for the matrices in the blocks
    newton_schulz: int = 5  # rounds of Muon's iteration
    warmup: int = 100  # steps
    decay: str = "cosine"  # "cosine" or "linear"
    floor: float = 0.1  # of the learning rate at the end, as a part of the peak
    beta2: float = 0.99
    weight_decay: float = 0.1  # of AdamW, on what has two axes
    clip: float = 1.0  # the gradient's largest norm; 0: no clipping

    def config(self, vocab_size: int) -> Config | LlamaConfig:
        """The sizes of the model, for `fmkit.transformer` or `fmkit.llama`."""
        sizes = {
            "vocab_size": vocab_size,
            "block_size": self.block_size,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "d_model": self.d_model,
            "d_ff": self.d_ff,
            "tied": self.tied,
        }
        if self.body == "gpt":
            return Config(**sizes)
        return LlamaConfig(**sizes, n_kv_heads=self.n_heads, qk_norm=self.qk_norm)

    @property
    def plain(self) -> bool:
        """Whether the model is a `fmkit.twins.models.GPT` or `Llama` without additions."""
        return not (
            self.ngram_rows
            or self.previous
            or not self.n_layers
            or self.soft_cap
            or (self.body == "gpt" and (self.rotary or self.qk_norm or self.relu_squared))
        )


# The laptop recipe of A. Karpathy's nanoGPT (2022), with biases, and all weights from a normal of 0.02.
CLASSIC = Recipe("classic")

# The classic's loss in less than a third of its time, with a model that Hugging Face knows as a Qwen3.
FAST = Recipe(
    "fast",
    body="llama",
    d_ff=344,
    rotary=True,
    qk_norm=True,
    zero_init=True,
    batch_size=24,
    steps=220,
    lr=4e-3,
    muon_lr=0.03,
    warmup=5,
    decay="linear",
    floor=0.0,
    weight_decay=0.0,
    clip=0.0,
)

# The record: a single block, which is given the three characters before each one ready-made.
SPEEDRUN = Recipe(
    "speedrun",
    n_layers=1,
    n_heads=2,
    d_ff=384,
    rotary=True,
    qk_norm=True,
    relu_squared=True,
    previous=3,
    zero_init=True,
    steps=560,
    lr=4e-3,
    table_lr=2e-2,
    muon_lr=0.03,
    newton_schulz=3,
    warmup=5,
    decay="linear",
    floor=0.0,
    weight_decay=0.0,
    clip=0.0,
)

# The record with tables: of pairs and triples instead of single characters.
TABLES = replace(SPEEDRUN, name="tables", previous=0, ngram_rows=16384, muon_lr=0.02, steps=240)

# The control: the tables alone. Without a block there is no attention, and three characters are all it sees.
BLOCKLESS = replace(TABLES, name="blockless", n_layers=0, steps=480)

# The model that the package brings along: FAST for much longer, and with a longer memory.
SHAKESPEARE = replace(
    FAST, name="shakespeare", block_size=256, batch_size=6, steps=2600, lr=3e-3, muon_lr=0.02, warmup=20
)

RECIPES = {recipe.name: recipe for recipe in (FAST, SPEEDRUN, TABLES, BLOCKLESS, CLASSIC, SHAKESPEARE)}


# ------------------------------------------------------------------------------------------- model, optimizer


def make_model(recipe: Recipe, vocab_size: int, device=None):
    """A new torch model on ``device``, its weights drawn by the recipe's seed.

    A `fmkit.twins.models.GPT` or `Llama` where it is one, else a `pretraining.model.SpeedrunModel`.

    Raises
    ------
    ValueError
        If the recipe names an unknown body, or a Llama without rotary positions.
    """
    if recipe.body not in ("gpt", "llama") or (recipe.body == "llama" and not recipe.rotary):
        raise ValueError(f"no model has body={recipe.body!r} and rotary={recipe.rotary}")
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers are left alone
        torch.default_generator.manual_seed(recipe.seed)  # of the CPU: the same weights on every device
        if recipe.plain:
            model = (GPT if recipe.body == "gpt" else Llama)(recipe.config(vocab_size))
        else:
            model = SpeedrunModel(recipe, vocab_size)
    if recipe.zero_init:
        for name, w in model.named_parameters():
            if name.endswith(("attn.wo", "mlp.w2", "mlp.w_down")):
                torch.nn.init.zeros_(w)
    return model.to(device)


class Optimizers:
    """AdamW and, if the recipe has it, Muon, used as one optimizer."""

    def __init__(self, optimizers: list, clip: float):
        self.optimizers, self.clip = optimizers, clip

    @property
    def param_groups(self) -> list[dict]:
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def step(self) -> None:
        if self.clip:
            weights = [w for group in self.param_groups for w in group["params"]]
            torch.nn.utils.clip_grad_norm_(weights, self.clip)
        for optimizer in self.optimizers:
            optimizer.step()

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def state_dict(self) -> dict:
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state: dict) -> None:
        for optimizer, its_state in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(its_state)


def make_optimizer(model, recipe: Recipe) -> Optimizers:
    """The recipe's optimizer for a model that `make_model` made."""
    tables, matrices, others, vectors = [], [], [], []
    for name, w in model.named_parameters():
        if w.ndim < 2:
            vectors.append(w)
        elif recipe.muon_lr and name.startswith("blocks."):
            matrices.append(w)
        elif name in ("wte", "wpe", "previous") or name.startswith("grams."):
            tables.append(w)
        else:
            others.append(w)
    groups = [
        {"params": tables, "lr": recipe.table_lr or recipe.lr, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    optimizers = [torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, recipe.beta2), fused=True)]
    if matrices:
        optimizers.append(Muon(matrices, lr=recipe.muon_lr, rounds=recipe.newton_schulz))
    made = Optimizers(optimizers, recipe.clip)
    for group in made.param_groups:
        group["peak_lr"] = group["lr"]
    return made


def lr_multiplier(step: int, recipe: Recipe) -> float:
    """What the learning rates of a step (0 is the first) are multiplied by: warm-up, then decay."""
    if recipe.decay == "cosine":
        return warmup_cosine(step, recipe.warmup, recipe.steps, recipe.floor)
    left = (recipe.steps - step) / max(1, recipe.steps - recipe.warmup)  # 1 after the warm-up, 0 at the end
    return min(1.0, (step + 1) / max(1, recipe.warmup), recipe.floor + (1 - recipe.floor) * left)


def set_lr(optimizer: Optimizers, multiplier: float) -> None:
    """Set every learning rate to its peak times the multiplier."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * multiplier


# ------------------------------------------------------------------------------------------------------- data


def get_batch(ids: np.ndarray, recipe: Recipe, step: int, device=None, rank: int = 0, world: int = 1):
    """The batch of a step: random windows of the text, and the same one token later.

    It depends on its arguments alone: a given (recipe.seed, step) always has the same batch.

    Parameters
    ----------
    ids : (N,) integers
        The training text.
    recipe, step, device
        ``step`` counts from 0.
    rank, world : int
        Process ``rank`` of ``world`` gets its share of the rows; all shares together are the batch.

    Returns
    -------
    ids, targets : torch tensors (B / world, T), int64
    """
    B, T = recipe.batch_size, recipe.block_size
    starts = np.random.default_rng([recipe.seed, step]).integers(0, len(ids) - T, size=B)
    starts = starts[rank * B // world : (rank + 1) * B // world]
    windows = torch.from_numpy(ids[starts[:, None] + np.arange(T + 1)].astype(np.int64))  # (B, T+1)
    return windows[:, :-1].to(device), windows[:, 1:].to(device)


def validation_loss(model, ids: np.ndarray, recipe: Recipe) -> float:
    """Mean loss over a whole text, in nats per token: windows side by side, every token but the first counts.

    As in training, the first token of a window is predicted from the one token before it alone.
    """
    T, device = recipe.block_size, next(model.parameters()).device
    total, count = 0.0, len(ids) - 1
    rows = max(1, 16384 // T)
    whole = torch.from_numpy(np.asarray(ids, dtype=np.int64))
    with torch.no_grad():
        for start in range(0, count, rows * T):
            piece = whole[start : start + rows * T + 1].to(device)
            n = (len(piece) - 1) // T * T
            for x, y in ((piece[:n].view(-1, T), piece[1 : n + 1]), (piece[None, n:-1], piece[n + 1 :])):
                if y.numel():
                    logits = model(x).float().flatten(0, 1)
                    total += torch.nn.functional.cross_entropy(logits, y, reduction="sum").item()
    return total / count
