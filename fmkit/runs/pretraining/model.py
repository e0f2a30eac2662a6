"""The language model of the laptop speedrun (chapter 07): GPT, Llama, or something between, by recipe.

Each field of `recipes.Recipe` that changes the model is one `if` here. The weights have the names and the
meaning of `fmkit.twins.models.GPT`, or with the body of a Llama those of `fmkit.twins.models.Llama`.
"""

import torch
import torch.nn.functional as F
from torch import nn

from fmkit.transformer import Config
from fmkit.twins.models import MLP, Attention, Block, LayerNorm, LlamaBlock, rope_tables, weight

PRIMES = (1_000_003, 92_821, 15_485_863)  # of the hash: any odd numbers without a pattern do


class ReluSquared(MLP):
    """The feed-forward part with max(0, x)² in place of GELU (So et al., "Primer", 2021)."""

    def forward(self, x):
        hidden = F.relu(F.linear(x, self.w1.T, self.b1))
        return F.linear(hidden * hidden, self.w2.T, self.b2)


class GPTBlock(Block):
    """`fmkit.twins.models.Block` with QK-norm and squared ReLU, as the recipe asks."""

    def __init__(self, recipe, config: Config, device=None):
        super().__init__(config, device)
        if recipe.qk_norm:
            self.attn = Attention(config.d_model, config.n_heads, device, eps=1e-5)
        if recipe.relu_squared:
            self.mlp = ReluSquared(config.d_model, config.d_ff, "tanh", device)


class SpeedrunModel(nn.Module):
    """``model(ids)`` gives logits (B, T, V).

    Parameters
    ----------
    recipe : fmkit.runs.pretraining.recipes.Recipe
    vocab_size : int
    device : torch device or its name, optional
    """

    def __init__(self, recipe, vocab_size: int, device=None):
        super().__init__()
        self.recipe, self.vocab_size = recipe, vocab_size
        self.wte = weight(vocab_size, recipe.d_model, device=device)
        if not recipe.rotary:
            self.wpe = weight(recipe.block_size, recipe.d_model, device=device)
        if recipe.previous:
            self.previous = weight(recipe.previous, vocab_size, recipe.d_model, device=device)
        if recipe.ngram_rows:
            rows = [min(vocab_size**n, recipe.ngram_rows) for n in range(2, recipe.longest_gram + 1)]
            self.grams = nn.ParameterList(weight(size, recipe.d_model, device=device) for size in rows)
        config = recipe.config(vocab_size) if recipe.n_layers else None
        if recipe.body == "llama":
            self.blocks = nn.ModuleList(LlamaBlock(config, device) for _ in range(recipe.n_layers))
            self.norm = nn.Parameter(torch.ones(recipe.d_model, device=device))
        else:
            self.blocks = nn.ModuleList(GPTBlock(recipe, config, device) for _ in range(recipe.n_layers))
            self.lnf = LayerNorm(recipe.d_model, 1e-5, device)
        if not recipe.tied:
            self.head = weight(recipe.d_model, vocab_size, device=device)

    def forward(self, ids):
        recipe, T = self.recipe, ids.shape[1]
        x, tables = self.embed(ids), None  # (B, T, C)
        if recipe.rotary and recipe.n_layers:
            tables = rope_tables(T, recipe.d_model // recipe.n_heads, 10000.0, x)
        for block in self.blocks:
            x = block(x, tables=tables)
        x = F.rms_norm(x, self.norm.shape, self.norm, 1e-5) if hasattr(self, "norm") else self.lnf(x)
        logits = x @ (self.wte.T if recipe.tied else self.head)  # (B, T, V)
        if recipe.soft_cap:
            logits = recipe.soft_cap * torch.tanh(logits / recipe.soft_cap)
        return logits

    def embed(self, ids):
        """The vector of the token, and what the recipe adds: of its position, of the tokens before it."""
        recipe = self.recipe
        x = F.embedding(ids, self.wte)
        if not recipe.rotary:
            x = x + self.wpe[: ids.shape[1]]
        for k in range(recipe.previous):
            x = x + F.embedding(back(ids, k + 1), self.previous[k])
        if recipe.ngram_rows:
            for n, table in enumerate(self.grams, 2):
                x = x + F.embedding(gram_rows(ids, n, self.vocab_size, recipe.ngram_rows), table)
        return x


def back(ids, k: int):
    """The token k places before each one (B, T); before the first stand zeros."""
    return F.pad(ids, (k, 0))[:, : ids.shape[1]]


def gram_rows(ids, n: int, vocab_size: int, rows: int):
    """The row of a table for the n tokens that end at each place (B, T).

    A row for each gram that there can be, if the table has so many; else a hash, and strangers share rows.
    """
    if vocab_size**n <= rows:
        return sum(back(ids, k) * vocab_size**k for k in range(n))
    return sum(back(ids, k) * factor for k, factor in enumerate((1, *PRIMES)[:n])) % rows
