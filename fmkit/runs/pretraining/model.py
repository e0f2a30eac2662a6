"""The language model of the laptop speedrun (chapter 07): GPT, Llama, or something between, by recipe.

Each field of `recipes.Recipe` that changes the model is one `if` here. The weights have the names and the
meaning of `fmkit.twins.models.GPT`, or with the body of a Llama those of `fmkit.twins.models.Llama`.
"""

import torch
import torch.nn.functional as F
from torch import nn

from fmkit.llama import LlamaConfig
from fmkit.transformer import Config
from fmkit.twins.models import MLP, Attention, Block, LayerNorm, LlamaBlock, rope_tables, weight

PRIMES = (1_000_003, 92_821)  # of the hash: any odd numbers without a pattern do


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
        config = recipe.config(vocab_size)
        llama = isinstance(config, LlamaConfig)
        self.recipe, self.rope_base = recipe, getattr(config, "rope_base", 10000.0)

        self.wte = weight(vocab_size, recipe.d_model, device=device)
        if not recipe.rotary:
            self.wpe = weight(recipe.block_size, recipe.d_model, device=device)
        if recipe.ngram_rows:
            self.bigrams = weight(recipe.ngram_rows, recipe.d_model, device=device)
            self.trigrams = weight(recipe.ngram_rows, recipe.d_model, device=device)
        layers = range(recipe.n_layers)
        if llama:
            self.blocks = nn.ModuleList(LlamaBlock(config, device) for _ in layers)
            self.norm = nn.Parameter(torch.ones(recipe.d_model, device=device))
        else:
            self.blocks = nn.ModuleList(GPTBlock(recipe, config, device) for _ in layers)
            self.lnf = LayerNorm(recipe.d_model, 1e-5, device)
        if not recipe.tied:
            self.head = weight(recipe.d_model, vocab_size, device=device)

    def forward(self, ids):
        recipe, T = self.recipe, ids.shape[1]
        x, tables = self.embed(ids), None  # (B, T, C)
        if recipe.rotary:
            tables = rope_tables(T, recipe.d_model // recipe.n_heads, self.rope_base, x)
        for block in self.blocks:
            x = block(x, tables=tables)
        x = F.rms_norm(x, self.norm.shape, self.norm, 1e-5) if hasattr(self, "norm") else self.lnf(x)
        logits = x @ (self.wte.T if recipe.tied else self.head)  # (B, T, V)
        if recipe.soft_cap:
            logits = recipe.soft_cap * torch.tanh(logits / recipe.soft_cap)
        return logits

    def embed(self, ids):
        """The vector of the token, plus those of its position and of the pair and triple that end here."""
        x = F.embedding(ids, self.wte)
        if not self.recipe.rotary:
            x = x + self.wpe[: ids.shape[1]]
        if rows := self.recipe.ngram_rows:
            one_back, two_back = F.pad(ids, (1, 0))[:, :-1], F.pad(ids, (2, 0))[:, :-2]
            pair = ids + one_back * PRIMES[0]
            x = x + F.embedding(pair % rows, self.bigrams)
            x = x + F.embedding((pair + two_back * PRIMES[1]) % rows, self.trigrams)
        return x
