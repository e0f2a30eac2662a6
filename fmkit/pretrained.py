"""Real pretrained models for our NumPy code: a Hugging Face folder goes in, ``(params, config)`` comes out.

`load_bert` feeds `fmkit.bert`, `load_gpt2` feeds `fmkit.transformer`, `load_llama` feeds `fmkit.llama`.
Only names and layouts change on the way: torch keeps the weight of a linear layer as (C_out, C_in) and computes
``x @ w.T``, ours is (C_in, C_out) and computes ``x @ w``; and what torch keeps as three weights (query, key,
value) stands side by side in one. A transposed weight is a view, so that nothing is copied.

`convert_smollm2` makes such a folder of the packaged GGUF file, the quantised format of llama.cpp.
"""

import json
from pathlib import Path

import numpy as np

from fmkit._types import Array
from fmkit.bert import BertConfig
from fmkit.llama import LlamaConfig
from fmkit.transformer import Config

Tensors = dict[str, Array]  # Hugging Face's name of a weight -> the weight


# ----------------------------------------------------------------------------------------- reading a folder


def load_llama(folder: str | Path) -> tuple[dict, LlamaConfig]:
    """Read a Llama-style model (Llama, SmolLM, ...) for `fmkit.llama`.

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
        If the model has a part that `fmkit.llama` does not know (scaled rotary positions, biases, ...).
    """
    c = _read_config(folder, "llama")
    rope = c.get("rope_parameters") or c.get("rope_scaling") or {}  # the newer and the older name
    _refuse(folder, "rope_type", rope.get("rope_type", rope.get("type", "default")), "default")
    _refuse(folder, "hidden_act", c.get("hidden_act", "silu"), "silu")
    _refuse(folder, "attention_bias", c.get("attention_bias", False), False)
    _refuse(folder, "mlp_bias", c.get("mlp_bias", False), False)
    head = c["hidden_size"] // c["num_attention_heads"]
    _refuse(folder, "head_dim", c.get("head_dim") or head, head)
    config = LlamaConfig(
        vocab_size=c["vocab_size"],
        block_size=c["max_position_embeddings"],
        n_layers=c["num_hidden_layers"],
        n_heads=c["num_attention_heads"],
        n_kv_heads=c.get("num_key_value_heads") or c["num_attention_heads"],
        d_model=c["hidden_size"],
        d_ff=c["intermediate_size"],
        rope_base=float(c.get("rope_theta") or rope.get("rope_theta") or 10000.0),
        eps=c["rms_norm_eps"],
        tied=c.get("tie_word_embeddings", False),
    )
    return llama_params(read_safetensors(folder), config), config


def load_bert(folder: str | Path) -> tuple[dict, BertConfig]:
    """Read a BERT-style encoder (BERT, MiniLM, ...) for `fmkit.bert`; arguments and errors as `load_llama`."""
    c = _read_config(folder, "bert")
    _refuse(folder, "hidden_act", c.get("hidden_act", "gelu"), "gelu")
    _refuse(folder, "position_embedding_type", c.get("position_embedding_type", "absolute"), "absolute")
    config = BertConfig(
        vocab_size=c["vocab_size"],
        block_size=c["max_position_embeddings"],
        n_layers=c["num_hidden_layers"],
        n_heads=c["num_attention_heads"],
        d_model=c["hidden_size"],
        d_ff=c["intermediate_size"],
        n_segments=c["type_vocab_size"],
        eps=c["layer_norm_eps"],
    )
    return bert_params(read_safetensors(folder), config.n_layers), config


def load_gpt2(folder: str | Path) -> tuple[dict, Config]:
    """Read a GPT-2 for `fmkit.transformer`; arguments and errors as `load_llama`."""
    c = _read_config(folder, "gpt2")
    _refuse(folder, "activation_function", c.get("activation_function", "gelu_new"), "gelu_new")
    _refuse(folder, "layer_norm_epsilon", c.get("layer_norm_epsilon", 1e-5), 1e-5)
    config = Config(
        vocab_size=c["vocab_size"],
        block_size=c["n_positions"],
        n_layers=c["n_layer"],
        n_heads=c["n_head"],
        d_model=c["n_embd"],
        d_ff=c.get("n_inner") or 4 * c["n_embd"],
        tied=c.get("tie_word_embeddings", True),
    )
    return gpt2_params(read_safetensors(folder), config), config


def _read_config(folder: str | Path, kind: str) -> dict:
    """The folder's config.json, if it describes a model of this kind."""
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a Hugging Face model folder: it has no config.json")
    config = json.loads(path.read_text(encoding="utf-8"))
    if config.get("model_type") != kind:
        raise ValueError(f"{folder} holds a model of type {config.get('model_type')!r}, not {kind!r}")
    return config


def _refuse(folder: str | Path, name: str, got, known) -> None:
    """A setting that our code does not know would give wrong numbers silently: refuse it."""
    if got != known:
        raise ValueError(f"{folder}: {name} = {got!r} is not supported here, only {known!r}")


def read_safetensors(folder: str | Path) -> Tensors:
    """Every tensor of a folder's ``*.safetensors`` files, floating ones as float32.

    The format is simple: the length of a header in 8 bytes, the header (JSON: name, dtype, shape and place of each
    tensor), then the numbers.
    """
    from safetensors import deserialize, safe_open

    files = sorted(Path(folder).glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no *.safetensors file")
    tensors = {}
    for path in files:
        with safe_open(path, "numpy") as f:
            dtypes = {name: f.get_slice(name).get_dtype() for name in f.keys()}  # noqa: SIM118 (not a dict)
            plain = f.get_tensors() if "BF16" not in dtypes.values() else {}
        if not plain:  # NumPy has no bfloat16: it is the upper half of a float32
            plain = {name: _from_bytes(t) for name, t in deserialize(path.read_bytes())}
        tensors.update(plain)
    return {name: t.astype(np.float32, copy=False) if t.dtype.kind == "f" else t for name, t in tensors.items()}


def _from_bytes(tensor: dict) -> Array:
    """One tensor as `safetensors.deserialize` gives it: raw bytes, dtype and shape."""
    kind = tensor["dtype"]
    if kind == "BF16":
        upper = np.frombuffer(tensor["data"], "<u2").astype(np.uint32) << 16
        return upper.view(np.float32).reshape(tensor["shape"])
    letter = {"F": "f", "I": "i", "U": "u", "B": "?"}[kind[0]]
    dtype = "?" if letter == "?" else f"<{letter}{int(kind[1:]) // 8}"
    return np.frombuffer(tensor["data"], dtype).reshape(tensor["shape"])


# --------------------------------------------------------------------------- Hugging Face's names into ours


def llama_params(t: Tensors, config: LlamaConfig) -> dict:
    """Hugging Face's Llama weights, by name, as the nested parameters of `fmkit.llama`."""

    def block(i: int) -> dict:
        at = f"model.layers.{i}."
        qkv = [t[f"{at}self_attn.{x}_proj.weight"] for x in "qkv"]  # (H*D, C), (G*D, C), (G*D, C)
        return {
            "norm1": t[at + "input_layernorm.weight"],
            "attn": {"wqkv": np.concatenate(qkv).T, "wo": t[at + "self_attn.o_proj.weight"].T},
            "norm2": t[at + "post_attention_layernorm.weight"],
            "mlp": {f"w_{x}": t[f"{at}mlp.{x}_proj.weight"].T for x in ("gate", "up", "down")},
        }

    params = {
        "wte": t["model.embed_tokens.weight"],
        "blocks": [block(i) for i in range(config.n_layers)],
        "norm": t["model.norm.weight"],
    }
    if not config.tied:
        params["head"] = t["lm_head.weight"].T
    return params


def bert_params(t: Tensors, n_layers: int) -> dict:
    """Hugging Face's BERT weights, by name, as the nested parameters of `fmkit.bert`.

    The pooler and the heads for masked words and for classes are taken along where the model has them.
    """
    t = {name.removeprefix("bert."): w for name, w in t.items()}

    def norm(at: str) -> dict:
        return {"w": t[at + ".weight"], "b": t[at + ".bias"]}

    def dense(at: str) -> dict:
        return {"w": t[at + ".weight"].T, "b": t[at + ".bias"]}

    def block(i: int) -> dict:
        at = f"encoder.layer.{i}."
        qkv = [dense(f"{at}attention.self.{x}") for x in ("query", "key", "value")]
        out, up, down = (dense(at + x) for x in ("attention.output.dense", "intermediate.dense", "output.dense"))
        return {
            "attn": {
                "wqkv": np.concatenate([x["w"] for x in qkv], axis=1),
                "bqkv": np.concatenate([x["b"] for x in qkv]),
                "wo": out["w"],
                "bo": out["b"],
            },
            "ln1": norm(at + "attention.output.LayerNorm"),
            "mlp": {"w1": up["w"], "b1": up["b"], "w2": down["w"], "b2": down["b"]},
            "ln2": norm(at + "output.LayerNorm"),
        }

    params = {
        "wte": t["embeddings.word_embeddings.weight"],
        "wpe": t["embeddings.position_embeddings.weight"],
        "wse": t["embeddings.token_type_embeddings.weight"],
        "ln": norm("embeddings.LayerNorm"),
        "blocks": [block(i) for i in range(n_layers)],
    }
    if "pooler.dense.weight" in t:
        params["pooler"] = dense("pooler.dense")
    if "cls.predictions.bias" in t:
        at = "cls.predictions."
        params["mlm"] = {
            **dense(at + "transform.dense"),
            "ln": norm(at + "transform.LayerNorm"),
            "bias": t[at + "bias"],
        }
    if "classifier.weight" in t:
        params["classifier"] = dense("classifier")
    return params


def gpt2_params(t: Tensors, config: Config) -> dict:
    """Hugging Face's GPT-2 weights, by name, as the nested parameters of `fmkit.transformer`.

    GPT-2 is the one model whose linear weights are (C_in, C_out) there too: nothing to transpose.
    """
    t = {name.removeprefix("transformer."): w for name, w in t.items()}

    def norm(at: str) -> dict:
        return {"w": t[at + ".weight"], "b": t[at + ".bias"]}

    def block(i: int) -> dict:
        at = f"h.{i}."
        qkv, out, up, down = (norm(at + x) for x in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"))
        return {
            "ln1": norm(at + "ln_1"),
            "attn": {"wqkv": qkv["w"], "bqkv": qkv["b"], "wo": out["w"], "bo": out["b"]},
            "ln2": norm(at + "ln_2"),
            "mlp": {"w1": up["w"], "b1": up["b"], "w2": down["w"], "b2": down["b"]},
        }

    blocks = [block(i) for i in range(config.n_layers)]
    params = {"wte": t["wte.weight"], "wpe": t["wpe.weight"], "blocks": blocks, "lnf": norm("ln_f")}
    if not config.tied:
        params["head"] = t["lm_head.weight"].T
    return params
