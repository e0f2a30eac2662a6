"""GPT and BERT in torch, with the parameter names and layouts of the NumPy reference.

A ``state_dict`` key here is a key of `fmkit.params.flatten`, so parameters move between the two unchanged:
`from_params` and `to_params`. Everything is made on the ``device`` that you name. (`fmkit.huggingface` goes
between the reference and Hugging Face's models.)
"""

import torch
import torch.nn.functional as F
from torch import nn

from fmkit.bert import BertConfig
from fmkit.huggingface import from_hf_bert, from_hf_gpt2, to_hf_bert, to_hf_gpt2
from fmkit.params import flatten, unflatten
from fmkit.transformer import Config

__all__ = [
    "GPT",
    "Bert",
    "from_hf_bert",
    "from_hf_gpt2",
    "from_params",
    "to_hf_bert",
    "to_hf_gpt2",
    "to_params",
]

# ----------------------------------------------------------------------------------------------------- layers


def _weight(*shape, device=None) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, device=device) * 0.02)


def _bias(n, device=None) -> nn.Parameter:
    return nn.Parameter(torch.zeros(n, device=device))


class Linear(nn.Module):
    """x @ w + b with ``w`` (C_in, C_out), as in the reference; torch's own Linear stores the transpose."""

    def __init__(self, c_in: int, c_out: int, device=None):
        super().__init__()
        self.w, self.b = _weight(c_in, c_out, device=device), _bias(c_out, device=device)

    def forward(self, x):
        return F.linear(x, self.w.T, self.b)


class LayerNorm(nn.Module):
    """Layer norm over the last axis."""

    def __init__(self, c: int, eps: float, device=None):
        super().__init__()
        self.w, self.b, self.eps = nn.Parameter(torch.ones(c, device=device)), _bias(c, device=device), eps

    def forward(self, x):
        return F.layer_norm(x, self.w.shape, self.w, self.b, self.eps)


class Attention(nn.Module):
    """Multi-head self-attention through torch's fused `scaled_dot_product_attention`."""

    def __init__(self, c: int, n_heads: int, device=None):
        super().__init__()
        self.n_heads = n_heads
        self.wqkv, self.bqkv = _weight(c, 3 * c, device=device), _bias(3 * c, device=device)
        self.wo, self.bo = _weight(c, c, device=device), _bias(c, device=device)

    def forward(self, x, mask=None, causal=False):
        B, T, C = x.shape
        qkv = F.linear(x, self.wqkv.T, self.bqkv)  # (B, T, 3C)
        heads = qkv.view(B, T, 3 * self.n_heads, C // self.n_heads).transpose(1, 2)  # (B, 3H, T, D)
        q, k, v = heads.chunk(3, dim=1)  # (B, H, T, D)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        out = out.transpose(1, 2).reshape(B, T, C)
        return F.linear(out, self.wo.T, self.bo)


class MLP(nn.Module):
    """Two linear layers with a GELU between: "tanh" for the approximation of GPT-2, "none" for the erf."""

    def __init__(self, c: int, hidden: int, gelu: str, device=None):
        super().__init__()
        self.gelu = gelu
        self.w1, self.b1 = _weight(c, hidden, device=device), _bias(hidden, device=device)
        self.w2, self.b2 = _weight(hidden, c, device=device), _bias(c, device=device)

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

    def forward(self, x, causal=True):
        x = x + self.attn(self.ln1(x), causal=causal)
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
        self.wte = _weight(config.vocab_size, config.d_model, device=device)
        self.wpe = _weight(config.block_size, config.d_model, device=device)
        self.blocks = nn.ModuleList(Block(config, device) for _ in range(config.n_layers))
        self.lnf = LayerNorm(config.d_model, 1e-5, device)
        if not config.tied:
            self.head = _weight(config.d_model, config.vocab_size, device=device)

    def forward(self, ids):
        x = F.embedding(ids, self.wte) + self.wpe[: ids.shape[1]]  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        x = self.lnf(x)
        return x @ (self.wte.T if self.config.tied else self.head)  # (B, T, V)


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
        self.w, self.b = _weight(c, c, device=device), _bias(c, device=device)
        self.ln = LayerNorm(c, config.eps, device)
        self.bias = _bias(config.vocab_size, device=device)

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
        self.wte = _weight(config.vocab_size, c, device=device)
        self.wpe = _weight(config.block_size, c, device=device)
        self.wse = _weight(config.n_segments, c, device=device)
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


def from_params(params: dict, config: Config | BertConfig, device=None) -> GPT | Bert:
    """A torch model with a copy of NumPy parameters.

    Parameters
    ----------
    params : nested dict of arrays
        Of `fmkit.transformer` or `fmkit.bert`.
    config : Config or BertConfig
        Decides which model is made.
    device : torch device or its name, optional
    """
    if isinstance(config, BertConfig):
        classes = params["classifier"]["b"].size if "classifier" in params else None
        model = Bert(config, "mlm" in params, "pooler" in params, classes, device)
    else:
        model = GPT(config, device)
    model = model.to(torch.from_numpy(params["wte"]).dtype)
    model.load_state_dict({name: torch.from_numpy(w) for name, w in flatten(params).items()})
    return model


def to_params(model: nn.Module) -> dict:
    """The parameters of a torch model as NumPy arrays (copies), nested as the reference wants them."""
    return unflatten({name: w.numpy(force=True).copy() for name, w in model.state_dict().items()})
