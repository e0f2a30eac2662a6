"""A pretrained BERT that learns to classify (chapter 08), in torch: which parts are trained, which are new.

The maths of the new parts is that of `fmkit.adapters`. The method decides what else is trained.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from fmkit.adapters import merge_lora
from fmkit.bert import BertConfig
from fmkit.twins.models import Bert, from_params, to_params

METHODS = ("frozen", "head", "last2", "full", "lora", "adapter", "prefix")
LORA_WEIGHTS = ("wqkv", "wo", "w1", "w2")


class NewParts(nn.Module):
    """What one block gets beside its frozen weights; for most methods nothing.

    Parameters
    ----------
    config : BertConfig
    method : "lora", "adapter", "prefix" or another
    rank : int
        R, of LoRA or of the adapters' bottleneck.
    positions : int
        P, of the prefix.
    """

    ALPHA = 16.0

    def __init__(self, config: BertConfig, method: str, rank: int, positions: int):
        super().__init__()
        C, H, d_ff = config.d_model, config.n_heads, config.d_ff
        self.lora, self.adapters = nn.ModuleDict(), nn.ModuleList()
        self.prefix = None
        if method == "lora":
            sizes = {"wqkv": (C, 3 * C), "wo": (C, C), "w1": (C, d_ff), "w2": (d_ff, C)}
            for name in LORA_WEIGHTS:
                c_in, c_out = sizes[name]
                a = nn.Parameter(torch.randn(c_in, rank) / math.sqrt(c_in))
                self.lora[name] = nn.ParameterDict({"a": a, "bb": nn.Parameter(torch.zeros(rank, c_out))})
        if method == "adapter":
            for _ in range(2):  # behind the attention, and behind the feed-forward part
                down = {"w_down": torch.randn(C, rank) * 0.02, "b_down": torch.zeros(rank)}
                up = {"w_up": torch.zeros(rank, C), "b_up": torch.zeros(C)}
                parts = {name: nn.Parameter(w) for name, w in (down | up).items()}
                self.adapters.append(nn.ParameterDict(parts))
        if method == "prefix":
            shape = (H, positions, C // H)
            prefix = {"pk": torch.randn(shape) * 0.5, "pv": torch.randn(shape) * 0.1}
            self.prefix = nn.ParameterDict({name: nn.Parameter(w) for name, w in prefix.items()})

    def linear(self, name: str, x, w, b, columns=slice(None)):
        """x @ w + b, or with LoRA `fmkit.adapters.lora_linear`; only some columns of the output."""
        out = F.linear(x, w[:, columns].T, b[columns])
        if name in self.lora:
            a, bb = self.lora[name]["a"], self.lora[name]["bb"]
            out = out + self.ALPHA / a.shape[1] * ((x @ a) @ bb[:, columns])
        return out

    def adapt(self, i: int, x):
        """`fmkit.adapters.adapter` number i, if there are adapters."""
        if not self.adapters:
            return x
        p = self.adapters[i]
        return x + F.gelu(x @ p["w_down"] + p["b_down"], approximate="tanh") @ p["w_up"] + p["b_up"]

    def attention(self, q, k, v, look):
        """Attention, with a learned prefix (`fmkit.adapters.prefix_attention`) if there is one."""
        if self.prefix is not None:
            pk, pv = self.prefix["pk"], self.prefix["pv"]
            k = torch.cat([pk.expand(len(k), -1, -1, -1), k], dim=2)  # (B, H, P+T, D)
            v = torch.cat([pv.expand(len(v), -1, -1, -1), v], dim=2)
            look = look if look is None else F.pad(look, (pk.shape[1], 0), value=True)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=look)


class Classifier(nn.Module):
    """BERT with pooler, tanh and a linear layer on [CLS]: Hugging Face's ``BertForSequenceClassification``.

    In the last block only [CLS] is computed, since nothing else is read: the same numbers for a seventh less
    work.

    Parameters
    ----------
    params, config
        A pretrained BERT with a pooler, from `fmkit.data.pretrained.load_bert`.
    method : str
        Of `METHODS`. "frozen" and "head" leave the body as it is; "last2" trains its last two blocks; "full"
        all of them (but not the table of word vectors: half of all parameters, and few of its rows ever
        occur in a small data set); the others train new parts in a frozen body. All train the head.
    n_classes : int
    seed : int
        Of the new parts. The classifier begins with zeros: at first every class is equally likely.
    device : torch device or its name
    """

    def __init__(self, params: dict, config: BertConfig, method="full", n_classes=2, seed=0, device="cpu",
                 rank: int = 8, positions: int = 16):  # fmt: skip
        super().__init__()
        if method not in METHODS:
            raise ValueError(f"{method!r} is not a method; choose from {', '.join(METHODS)}")
        self.config, self.method = config, method
        params = {name: part for name, part in params.items() if name not in ("mlm", "classifier")}
        self.bert: Bert = from_params(params, config)
        self.bert.requires_grad_(False)
        self.bert.pooler.requires_grad_(method != "frozen")
        blocks = {"full": 0, "last2": max(0, config.n_layers - 2)}.get(method, config.n_layers)
        for block in self.bert.blocks[blocks:]:
            block.requires_grad_(True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            new = [NewParts(config, method, rank, positions) for _ in range(config.n_layers)]
        self.new = nn.ModuleList(new)
        self.w = nn.Parameter(torch.zeros(config.d_model, n_classes))
        self.b = nn.Parameter(torch.zeros(n_classes))
        self.to(device)

    def trainable(self) -> int:
        """How many numbers are learned."""
        return sum(w.numel() for w in self.parameters() if w.requires_grad)

    def forward(self, ids, mask):
        """Logits (B, K) from ids and mask (B, T); the mask may be None where nothing is padding."""
        return self.classify(self.cls(ids, mask))

    def classify(self, cls):
        """Logits (B, K) from what [CLS] has become, (B, C)."""
        return torch.tanh(self.bert.pooler(cls)) @ self.w + self.b

    def cls(self, ids, mask):
        """The last hidden state of [CLS], (B, C)."""
        return self.hidden(ids, mask, rows=1)[:, 0]

    def hidden(self, ids, mask, rows: int | None = None):
        """Hidden states (B, T, C) of the last block; ``rows`` only the first so many positions of it."""
        bert = self.bert
        x = F.embedding(ids, bert.wte) + bert.wse[0] + bert.wpe[: ids.shape[1]]
        x = bert.ln(x)  # (B, T, C)
        look = None if mask is None else mask.bool()[:, None, None, :]  # (B, 1, 1, T)
        for i in range(len(bert.blocks)):
            x = self.block(i, x, look, rows if i == len(bert.blocks) - 1 else None)
        return x

    def block(self, i: int, x, look, rows: int | None = None):
        """Block i on x (B, T, C): queries for the first ``rows`` positions, keys and values for all."""
        block, new = self.bert.blocks[i], self.new[i]
        attn, mlp, H = block.attn, block.mlp, self.config.n_heads
        B, T, C = x.shape
        first = x[:, :rows]  # (B, R, C)
        if rows is None:
            q, kv = new.linear("wqkv", x, attn.wqkv, attn.bqkv).split([C, 2 * C], dim=-1)
        else:
            q = new.linear("wqkv", first, attn.wqkv, attn.bqkv, slice(0, C))
            kv = new.linear("wqkv", x, attn.wqkv, attn.bqkv, slice(C, 3 * C))
        q = q.unflatten(-1, (H, -1)).transpose(1, 2)  # (B, H, R, D)
        k, v = kv.unflatten(-1, (2 * H, -1)).transpose(1, 2).chunk(2, dim=1)  # (B, H, T, D)
        out = new.attention(q, k, v, look).transpose(1, 2).flatten(2)  # (B, R, C)
        out = new.adapt(0, new.linear("wo", out, attn.wo, attn.bo))
        x = block.ln1(first + out)
        hidden = F.gelu(new.linear("w1", x, mlp.w1, mlp.b1))
        return block.ln2(x + new.adapt(1, new.linear("w2", hidden, mlp.w2, mlp.b2)))

    def parameter_groups(self, lr: float, head_lr: float, decay: float = 1.0) -> list[dict]:
        """Discriminative learning rates: ``lr`` for the last block, ``decay`` times it for the one below, ...

        New parts all get ``lr``, the head gets ``head_lr``.

        References
        ----------
        Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification" (2018), section 3.2.
        """
        L = self.config.n_layers
        groups = [(list(b.parameters()), lr * decay ** (L - 1 - i)) for i, b in enumerate(self.bert.blocks)]
        groups.append((list(self.new.parameters()), lr))
        groups.append(([*self.bert.pooler.parameters(), self.w, self.b], head_lr))
        learned = (([w for w in weights if w.requires_grad], rate) for weights, rate in groups)
        return [{"params": weights, "lr": rate} for weights, rate in learned if weights]

    def merged(self) -> dict:
        """The parameters of a plain BERT with pooler and classifier that gives the same logits.

        Raises
        ------
        ValueError
            For adapters and prefixes: a plain BERT has no place for them.
        """
        if self.method in ("adapter", "prefix"):
            raise ValueError(f"a plain BERT has no place for what method {self.method!r} adds")
        params = to_params(self.bert)
        for block, new in zip(params["blocks"], self.new, strict=True):
            for name, lora in new.lora.items():
                part = block["attn" if name in block["attn"] else "mlp"]
                a, bb = (lora[key].numpy(force=True) for key in ("a", "bb"))
                part[name] = merge_lora(part[name], a, bb, new.ALPHA)
        head = {"w": self.w.numpy(force=True).copy(), "b": self.b.numpy(force=True).copy()}
        return params | {"classifier": head}
