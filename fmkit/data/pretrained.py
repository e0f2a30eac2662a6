"""Real pretrained models for our NumPy code: a Hugging Face folder goes in, ``(params, config)`` comes out.

`load_llama` feeds `fmkit.llama`, `load_bert` feeds `fmkit.bert`, `load_gpt2` feeds `fmkit.transformer`. Only
names and layouts change on the way. torch keeps the weight of a linear layer as (C_out, C_in) and computes
``x @ w.T``, ours is (C_in, C_out) and computes ``x @ w`` (a transposed weight is a view: nothing is copied);
and what torch keeps as three weights (query, key, value) stands side by side in one.
"""

import json
from pathlib import Path

import numpy as np

from fmkit._moved import names_of
from fmkit._types import Array
from fmkit.bert import BertConfig
from fmkit.data.hf_names import (
    BERT_SIZES,
    GPT2_SIZES,
    bert_names,
    gpt2_names,
    llama_config,
    llama_names,
    refuse,
)
from fmkit.llama import LlamaConfig
from fmkit.params import unflatten
from fmkit.transformer import Config

Tensors = dict[str, Array]  # Hugging Face's name of a weight -> the weight

__getattr__ = names_of(__name__)  # old import lines

# ----------------------------------------------------------------------------------------- reading a folder


def load_llama(folder: str | Path) -> tuple[dict, LlamaConfig]:
    """Read a Llama-style model (SmolLM, TinyLlama, Qwen3, ...) for `fmkit.llama`.

    Parameters
    ----------
    folder : path
        A Hugging Face folder: ``config.json`` and ``*.safetensors``.

    Returns
    -------
    params, config
        As `fmkit.llama.llama` takes them, float32.

    Raises
    ------
    FileNotFoundError
        If the folder has no config.json or no safetensors.
    ValueError
        If it is another kind of model, has a part that `fmkit.llama` does not know, or lacks a weight.
    """
    config = llama_config(_read_config(folder, "llama", "qwen3"), folder)
    return _gather(read_safetensors(folder), llama_names(config)), config


def load_bert(folder: str | Path) -> tuple[dict, BertConfig]:
    """Read a BERT-style encoder (BERT, MiniLM, ...) for `fmkit.bert`; arguments and errors as `load_llama`.

    The pooler and the heads for masked words and for classes are taken along where the model has them.
    """
    c = {"type_vocab_size": 2, "layer_norm_eps": 1e-12} | _read_config(folder, "bert")
    refuse(folder, "hidden_act", c.get("hidden_act", "gelu"), "gelu")
    refuse(folder, "position_embedding_type", c.get("position_embedding_type", "absolute"), "absolute")
    config = BertConfig(**_sizes(c, BERT_SIZES))
    tensors = read_safetensors(folder)
    for name in list(tensors):  # the names that the first published BERT gave its gains and biases
        new = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
        tensors[new] = tensors.pop(name)
    prefix = "bert." if any(name.startswith("bert.") for name in tensors) else ""
    signs = {
        "pooler": f"{prefix}pooler.dense.weight",
        "mlm": "cls.predictions.bias",
        "classifier": "classifier.weight",
    }
    heads = [head for head, name in signs.items() if name in tensors]
    return _gather(tensors, bert_names(config, heads, prefix)), config


def load_gpt2(folder: str | Path) -> tuple[dict, Config]:
    """Read a GPT-2 for `fmkit.transformer`; arguments and errors as `load_llama`."""
    c = {"tie_word_embeddings": True} | _read_config(folder, "gpt2")
    c["n_inner"] = c.get("n_inner") or 4 * c["n_embd"]
    refuse(folder, "activation_function", c.get("activation_function", "gelu_new"), "gelu_new")
    refuse(folder, "layer_norm_epsilon", c.get("layer_norm_epsilon", 1e-5), 1e-5)
    config = Config(**_sizes(c, GPT2_SIZES))
    tensors = read_safetensors(folder)
    if "wte.weight" in tensors:  # saved without its head: the names lack the first part
        tensors = {f"transformer.{name}": w for name, w in tensors.items()}
    return _gather(tensors, gpt2_names(config)), config


def _read_config(folder: str | Path, *kinds: str) -> dict:
    """The folder's config.json, if it describes a model of one of these kinds."""
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a Hugging Face model folder: it has no config.json")
    config = json.loads(path.read_text(encoding="utf-8"))
    if config.get("model_type") not in kinds:
        known = " or ".join(map(repr, kinds))
        raise ValueError(f"{folder} holds a model of type {config.get('model_type')!r}, not {known}")
    return config


def _sizes(config: dict, table: dict[str, str]) -> dict:
    return {ours: config[theirs] for ours, theirs in table.items()}


def _gather(tensors: Tensors, names: dict[str, list[str]]) -> dict:
    """Our nested parameters out of their tensors, by a table of names (see `hf_names`)."""

    def find(name: str) -> Array:
        plain = name.removesuffix(".T")
        if plain not in tensors:
            raise ValueError(f"the model lacks the weight {plain!r}")
        return tensors[plain].T if name.endswith(".T") else tensors[plain]

    flat = {}
    for ours, theirs in names.items():
        parts = [find(name) for name in theirs]
        flat[ours] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
    return unflatten(flat)


def read_safetensors(folder: str | Path) -> Tensors:
    """Every tensor of a folder's ``*.safetensors`` files, floating ones as float32.

    The format is simple: the length of a header in 8 bytes, the header (JSON: name, dtype, shape and place of
    each tensor), then the numbers.
    """
    from safetensors import deserialize, safe_open

    files = sorted(Path(folder).glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no *.safetensors file")
    tensors = {}
    for path in files:
        with safe_open(path, "numpy") as f:
            names = f.keys()
            bfloat16 = any(f.get_slice(name).get_dtype() == "BF16" for name in names)
            if not bfloat16:
                tensors |= {name: f.get_tensor(name) for name in names}
        if bfloat16:
            tensors |= {name: _from_bytes(t) for name, t in deserialize(path.read_bytes())}
    return {
        name: t.astype(np.float32, copy=False) if t.dtype.kind == "f" else t for name, t in tensors.items()
    }


def _from_bytes(tensor: dict) -> Array:
    """A tensor of a file with bfloat16, which NumPy lacks: such a number is the upper half of a float32."""
    if tensor["dtype"] == "BF16":
        flat = (np.frombuffer(tensor["data"], "<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        kind, bits = tensor["dtype"][0].lower(), int(tensor["dtype"][1:])  # "F32", "I64", ...
        flat = np.frombuffer(tensor["data"], f"<{kind}{bits // 8}")
    return flat.reshape(tensor["shape"])
