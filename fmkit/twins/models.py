"""GPT, BERT and Llama in torch, with the parameter names and layouts of the NumPy reference.

A ``state_dict`` key here is a key of `fmkit.params.flatten`, so parameters move between the two unchanged:
`from_params` and `to_params`. Everything is made on the ``device`` that you name. (`twins.huggingface` goes
between the reference and Hugging Face's models.)
"""

import torch
import torch.nn.functional as F
from torch import nn

from fmkit.bert import BertConfig
from fmkit.llama import LlamaConfig, RopeScaling
from fmkit.params import flatten, unflatten
from fmkit.transformer import Config

# ----------------------------------------------------------------------------------------------------- layers


def weight(*shape, device=None) -> nn.Parameter:
    """A new weight, from a normal of 0.02."""
    return nn.Parameter(torch.randn(*shape, device=device) * 0.02)


def zeros(n, device=None) -> nn.Parameter:
    """A new bias."""
    return nn.Parameter(torch.zeros(n, device=device))


class Linear(nn.Module):
    """x @ w + b with ``w`` (C_in, C_out), as in the reference; torch's own Linear stores the transpose."""

    def __init__(self, c_in: int, c_out: int, device=None):
        super().__init__()
        self.w, self.b = weight(c_in, c_out, device=device), zeros(c_out, device=device)

    def forward(self, x):
        return F.linear(x, self.w.T, self.b)


class LayerNorm(nn.Module):
    """Layer norm over the last axis."""

    def __init__(self, c: int, eps: float, device=None):
        super().__init__()
        self.w, self.b, self.eps = nn.Parameter(torch.ones(c, device=device)), zeros(c, device=device), eps

    def forward(self, x):
        return F.layer_norm(x, self.w.shape, self.w, self.b, self.eps)


def rope_tables(T: int, D: int, base: float, like, scaling: RopeScaling | None = None) -> tuple:
    """Cosines and sines (T, D/2) of rotary positions, of the dtype and on the device of ``like``.

    ``scaling`` stretches them, as `fmkit.llama.llama_rope` does.
    """
    frequency = base ** (-torch.arange(0, D, 2, dtype=like.dtype, device=like.device) / D)
    if scaling is not None:
        wavelength = 2 * torch.pi / frequency  # in positions
        short, long = scaling.block_size / scaling.high, scaling.block_size / scaling.low
        kept = (scaling.block_size / wavelength - scaling.low) / (scaling.high - scaling.low)
        mixed = kept * frequency + (1 - kept) * frequency / scaling.factor
        slower = torch.where(wavelength > long, frequency / scaling.factor, mixed)
        frequency = torch.where(wavelength < short, frequency, slower)
    angle = torch.outer(torch.arange(T, dtype=like.dtype, device=like.device), frequency)
    return angle.cos(), angle.sin()


def rope(x, cos, sin):
    """Turn coordinates i and i + D/2 of each head by an angle proportional to the position."""
    x1, x2 = x.chunk(2, dim=-1)  # (B, H, T, D/2) each
    return torch.cat([x1 * cos - x2 * sin, x2 * cos + x1 * sin], dim=-1)


class Attention(nn.Module):
    """Multi-head self-attention through torch's fused `scaled_dot_product_attention`.

    ``bias`` gives the projections theirs ("qkv": all but the last), ``eps`` gives queries and keys a norm
    (QK-norm) that adds it, ``width`` is that of a head where it is not c / n_heads.
    """

    def __init__(self, c: int, n_heads: int, device=None, n_kv_heads=None, bias=True, eps=None, width=None):
        super().__init__()
        H, G, D = n_heads, n_kv_heads or n_heads, width or c // n_heads
        self.widths, self.eps = (H, G, G), eps
        self.wqkv, self.wo = weight(c, (H + 2 * G) * D, device=device), weight(H * D, c, device=device)
        self.bqkv = zeros((H + 2 * G) * D, device=device) if bias else None
        self.bo = zeros(c, device=device) if bias and bias != "qkv" else None
        if eps is not None:
            self.q_norm = nn.Parameter(torch.ones(D, device=device))
            self.k_norm = nn.Parameter(torch.ones(D, device=device))

    def forward(self, x, mask=None, causal=False, tables=None):
        B, T, _ = x.shape
        qkv = F.linear(x, self.wqkv.T, self.bqkv)  # (B, T, (H+2G)*D)
        heads = qkv.view(B, T, sum(self.widths), -1).transpose(1, 2)  # (B, H+2G, T, D)
        q, k, v = heads.split(self.widths, dim=1)
        if self.eps is not None:
            q_norm, k_norm = self.q_norm.to(q.dtype), self.k_norm.to(q.dtype)  # in bfloat16, if q and k are
            q = F.rms_norm(q, q_norm.shape, q_norm, self.eps)
            k = F.rms_norm(k, k_norm.shape, k_norm, self.eps)
        if tables is not None:
            q, k = rope(q, *tables), rope(k, *tables)
        grouped = self.widths[0] != self.widths[1]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, enable_gqa=grouped)
        out = out.transpose(1, 2).reshape(B, T, -1)  # (B, T, H*D)
        return F.linear(out, self.wo.T, self.bo)


class MLP(nn.Module):
    """Two linear layers with a GELU between: "tanh" for the approximation of GPT-2, "none" for the erf."""

    def __init__(self, c: int, hidden: int, gelu: str, device=None):
        super().__init__()
        self.gelu = gelu
        self.w1, self.b1 = weight(c, hidden, device=device), zeros(hidden, device=device)
        self.w2, self.b2 = weight(hidden, c, device=device), zeros(c, device=device)

    def forward(self, x):
        hidden = F.gelu(F.linear(x, self.w1.T, self.b1), approximate=self.gelu)
        return F.linear(hidden, self.w2.T, self.b2)


# -------------------------------------------------------------------------------------------------------- GPT


class Block(nn.Module):
    """Pre-norm block, as `fmkit.transformer.block`."""

    def __init__(self, config: Config, device=None):
        super().__init__()
        self.ln1 = LayerNorm(config.d_model, 1e-5, device)
        self.attn = Attention(config.d_model, config.n_heads, device)
        self.ln2 = LayerNorm(config.d_model, 1e-5, device)
        self.mlp = MLP(config.d_model, config.d_ff, "tanh", device)

    def forward(self, x, causal=True, tables=None):
        x = x + self.attn(self.ln1(x), causal=causal, tables=tables)
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    """GPT, as `fmkit.transformer.gpt`: ``model(ids)`` gives logits (B, T, V).

    Parameters
    ----------
    config : Config
    device : torch device or its name, optional
    """

    def __init__(self, config: Config, device=None):
        super().__init__()
        self.config = config
        self.wte = weight(config.vocab_size, config.d_model, device=device)
        self.wpe = weight(config.block_size, config.d_model, device=device)
        self.blocks = nn.ModuleList(Block(config, device) for _ in range(config.n_layers))
        self.lnf = LayerNorm(config.d_model, 1e-5, device)
        if not config.tied:
            self.head = weight(config.d_model, config.vocab_size, device=device)

    def forward(self, ids):
        x = F.embedding(ids, self.wte) + self.wpe[: ids.shape[1]]  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        x = self.lnf(x)
        return x @ (self.wte.T if self.config.tied else self.head)  # (B, T, V)


# ------------------------------------------------------------------------------------------------------ Llama


class SwiGLU(nn.Module):
    """The gated feed-forward part, as `fmkit.layers.swiglu`."""

    def __init__(self, c: int, hidden: int, device=None):
        super().__init__()
        self.w_gate, self.w_up = weight(c, hidden, device=device), weight(c, hidden, device=device)
        self.w_down = weight(hidden, c, device=device)

    def forward(self, x):
        return (F.silu(x @ self.w_gate) * (x @ self.w_up)) @ self.w_down


class LlamaBlock(nn.Module):
    """As `fmkit.llama.llama_block`."""

    def __init__(self, config: LlamaConfig, device=None):
        super().__init__()
        c, qk_eps = config.d_model, config.eps if config.qk_norm else None
        bias, self.eps = "qkv" if config.qkv_bias else False, config.eps
        self.norm1, self.norm2 = (nn.Parameter(torch.ones(c, device=device)) for _ in range(2))
        self.attn = Attention(c, config.n_heads, device, config.n_kv_heads, bias, qk_eps, config.head_width)
        self.mlp = SwiGLU(c, config.d_ff, device)

    def forward(self, x, tables):
        normed = F.rms_norm(x, self.norm1.shape, self.norm1, self.eps)
        x = x + self.attn(normed, causal=True, tables=tables)
        return x + self.mlp(F.rms_norm(x, self.norm2.shape, self.norm2, self.eps))


class Llama(nn.Module):
    """Llama (Qwen2, Qwen3), as `fmkit.llama.llama`: ``model(ids)`` gives logits (B, T, V).

    Parameters
    ----------
    config : LlamaConfig
    device : torch device or its name, optional
    """

    def __init__(self, config: LlamaConfig, device=None):
        super().__init__()
        self.config = config
        self.wte = weight(config.vocab_size, config.d_model, device=device)
        self.blocks = nn.ModuleList(LlamaBlock(config, device) for _ in range(config.n_layers))
        self.norm = nn.Parameter(torch.ones(config.d_model, device=device))
        if not config.tied:
            self.head = weight(config.d_model, config.vocab_size, device=device)

    def forward(self, ids):
        config = self.config
        x = F.embedding(ids, self.wte)  # (B, T, C)
        tables = rope_tables(ids.shape[1], config.head_width, config.rope_base, x, config.rope_scaling)
        for block in self.blocks:
            x = block(x, tables)
        x = F.rms_norm(x, self.norm.shape, self.norm, config.eps)
        return x @ (self.wte.T if config.tied else self.head)  # (B, T, V)


# ------------------------------------------------------------------------------------------------------- BERT


class BertBlock(nn.Module):
    """Post-norm block, as `fmkit.bert.bert_block`."""

    def __init__(self, config: BertConfig, device=None):
        super().__init__()
        self.attn = Attention(config.d_model, config.n_heads, device)
        self.ln1 = LayerNorm(config.d_model, config.eps, device)
        self.mlp = MLP(config.d_model, config.d_ff, "none", device)
        self.ln2 = LayerNorm(config.d_model, config.eps, device)

    def forward(self, x, mask):
        x = self.ln1(x + self.attn(x, mask))
        return self.ln2(x + self.mlp(x))


class MLMHead(nn.Module):
    """Logits (B, T, V) of masked tokens, as `fmkit.bert.mlm_head`: ``head(hidden, wte)``."""

    def __init__(self, config: BertConfig, device=None):
        super().__init__()
        c = config.d_model
        self.w, self.b = weight(c, c, device=device), zeros(c, device=device)
        self.ln = LayerNorm(c, config.eps, device)
        self.bias = zeros(config.vocab_size, device=device)

    def forward(self, hidden, wte):
        return F.linear(self.ln(F.gelu(F.linear(hidden, self.w.T, self.b))), wte, self.bias)


class Bert(nn.Module):
    """BERT, as `fmkit.bert`: ``model(ids, mask, segments)`` gives hidden states (B, T, C).

    Parameters
    ----------
    config : BertConfig
    mlm : bool
        With the masked-token head; `mlm_logits` uses it.
    pooler : bool
        With the pooler.
    n_classes : int, optional
        With pooler and classifier for that many classes; `class_logits` uses them.
    device : torch device or its name, optional
    """

    def __init__(self, config: BertConfig, mlm=False, pooler=False, n_classes=None, device=None):
        super().__init__()
        self.config = config
        c = config.d_model
        self.wte = weight(config.vocab_size, c, device=device)
        self.wpe = weight(config.block_size, c, device=device)
        self.wse = weight(config.n_segments, c, device=device)
        self.ln = LayerNorm(c, config.eps, device)
        self.blocks = nn.ModuleList(BertBlock(config, device) for _ in range(config.n_layers))
        if mlm:
            self.mlm = MLMHead(config, device)
        if pooler or n_classes:
            self.pooler = Linear(c, c, device)
        if n_classes:
            self.classifier = Linear(c, n_classes, device)

    def forward(self, ids, mask, segments):
        x = F.embedding(ids, self.wte) + F.embedding(segments, self.wse) + self.wpe[: ids.shape[1]]
        x = self.ln(x)  # (B, T, C)
        may_look = mask.bool()[:, None, None, :]  # (B, 1, 1, T)
        for block in self.blocks:
            x = block(x, may_look)
        return x

    def mlm_logits(self, ids, mask, segments):
        """Scores (B, T, V) of the token at each position."""
        return self.mlm(self(ids, mask, segments), self.wte)

    def class_logits(self, ids, mask, segments):
        """Scores (B, K) of the class of each text."""
        return self.classifier(torch.tanh(self.pooler(self(ids, mask, segments)[:, 0])))


# -------------------------------------------------------------------------------------- to and from NumPy


def from_params(params: dict, config: Config | BertConfig | LlamaConfig, device=None) -> GPT | Bert | Llama:
    """A torch model with a copy of NumPy parameters.

    Parameters
    ----------
    params : nested dict of arrays
        Of `fmkit.transformer`, `fmkit.bert` or `fmkit.llama`.
    config : Config, BertConfig or LlamaConfig
        Decides which model is made.
    device : torch device or its name, optional
    """
    if isinstance(config, BertConfig):
        classes = params["classifier"]["b"].size if "classifier" in params else None
        model = Bert(config, "mlm" in params, "pooler" in params, classes, device)
    else:
        model = (Llama if isinstance(config, LlamaConfig) else GPT)(config, device)
    model = model.to(torch.from_numpy(params["wte"]).dtype)
    model.load_state_dict({name: torch.from_numpy(w) for name, w in flatten(params).items()})
    return model


def to_params(model: nn.Module) -> dict:
    """The parameters of a torch model as NumPy arrays (copies), nested as the reference wants them."""
    return unflatten({name: w.numpy(force=True).copy() for name, w in model.state_dict().items()})
