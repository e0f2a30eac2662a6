"""Hugging Face's settings of GPT-2, BERT, Llama, Qwen2 and Qwen3 as ours, if our code does all that they say.

A setting that were overlooked would give wrong numbers without a word. So each one that changes them is
either taken over here or has to stand at the value that our code is written for.
"""

from collections.abc import Collection
from typing import Any

from fmkit.bert import BertConfig
from fmkit.data.hf_names import BERT_SIZES, GPT2_SIZES, LLAMA_SIZES
from fmkit.llama import LlamaConfig, RopeScaling
from fmkit.transformer import Config

Settings = dict[str, Any]  # what stands in a config.json

# one function under several names
GELU_TANH = ("gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate")
GELU_ERF = ("gelu", "gelu_python")
SILU = ("silu", "swish")
LLAMA_KINDS = ("llama", "qwen2", "qwen3")

BERT_CLASSES = ("BertModel", "BertForMaskedLM", "BertForSequenceClassification", "BertForMultipleChoice")


def gpt2_config(c: Settings, where: object = "the model") -> Config:
    """Hugging Face's settings of a GPT-2 as ours; ValueError for what `fmkit.transformer` does not do."""
    _refuse_kind(c, where, "gpt2")
    only = {
        "activation_function": GELU_TANH,
        "layer_norm_epsilon": (1e-5,),
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "reorder_and_upcast_attn": (False,),
        "add_cross_attention": (False,),
        "is_causal": (True,),
    }
    _refuse(c, where, only)
    c = {"tie_word_embeddings": True} | c
    if c.get("n_inner") is None:
        c["n_inner"] = 4 * (c.get("n_embd") or 1)
    sizes = _sizes(c, GPT2_SIZES, where)
    _refuse_uneven(where, "n_head", sizes["n_heads"], "n_embd", sizes["d_model"])
    return Config(**sizes)


def bert_config(c: Settings, where: object = "the model") -> BertConfig:
    """Hugging Face's settings of a BERT as ours; ValueError for what `fmkit.bert` does not do."""
    _refuse_kind(c, where, "bert")
    only = {
        "hidden_act": GELU_ERF,
        "position_embedding_type": ("absolute",),
        "is_decoder": (False,),
        "add_cross_attention": (False,),
        "is_encoder_decoder": (False,),
    }
    _refuse(c, where, only)
    classes = c.get("architectures") or BERT_CLASSES
    if not set(classes) & set(BERT_CLASSES):
        raise ValueError(f"{where}: {classes[0]} is not supported here, only {_or(BERT_CLASSES)}")
    sizes = _sizes({"type_vocab_size": 2, "layer_norm_eps": 1e-12} | c, BERT_SIZES, where)
    _refuse_uneven(where, "num_attention_heads", sizes["n_heads"], "hidden_size", sizes["d_model"])
    return BertConfig(**sizes)


def llama_config(c: Settings, where: object = "the model") -> LlamaConfig:
    """Hugging Face's settings of a Llama, Qwen2 or Qwen3 as ours; ValueError for what `fmkit.llama` lacks."""
    kind = _refuse_kind(c, where, *LLAMA_KINDS)
    only = {
        "hidden_act": SILU,
        "attention_bias": (False,),
        "mlp_bias": (False,),
        "use_sliding_window": (False,),
        "is_causal": (True,),
    }
    _refuse(c, where, only)
    for layer in c.get("layer_types") or ():
        if layer != "full_attention":
            raise ValueError(f"{where}: layer_types has {layer!r}, supported here is only 'full_attention'")
    longest, groups = (2048, None) if kind == "llama" else (32768, 32)  # what stands for a setting left out
    c = {"tie_word_embeddings": False, "rms_norm_eps": 1e-6, "max_position_embeddings": longest} | c
    if c.setdefault("num_key_value_heads", groups) is None:
        c["num_key_value_heads"] = c.get("num_attention_heads")
    sizes = _sizes(c, LLAMA_SIZES, where)
    sizes |= {"qk_norm": kind == "qwen3", "qkv_bias": kind == "qwen2", "head_dim": _head_dim(c, kind, where)}
    try:
        sizes["rope_base"], sizes["rope_scaling"] = _rope(c)
        return LlamaConfig(**sizes)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _head_dim(c: Settings, kind: str, where: object) -> int | None:
    """The width of a head, or None where it is just hidden_size / num_attention_heads."""
    got = c.get("head_dim", 128 if kind == "qwen3" else None)  # 128: what Qwen3 takes where nothing is said
    if got is not None and (type(got) is not int or got < 2):
        raise ValueError(f"{where}: head_dim has to be a whole number from 2 on, got {got!r}")
    if got is None:
        _refuse_uneven(
            where, "num_attention_heads", c["num_attention_heads"], "hidden_size", c["hidden_size"]
        )
    return None if got and got * c["num_attention_heads"] == c["hidden_size"] else got


def _rope(c: Settings) -> tuple[float, RopeScaling | None]:
    """Base and scaling of the rotary positions: ``rope_parameters``, in older folders ``rope_scaling``."""
    rope = c.get("rope_scaling") or c.get("rope_parameters") or {}
    if not isinstance(rope, dict) or any(isinstance(value, dict) for value in rope.values()):
        raise ValueError(f"rope_parameters = {rope!r} is not supported, only one for all layers")
    kind = rope.get("rope_type", rope.get("type", "default"))
    _refuse({"rope_type": kind}, "rotary positions", {"rope_type": ("default", "llama3")})
    for source in (rope, c):
        _refuse(source, "rotary positions", {"partial_rotary_factor": (1.0,)})
    base = float(rope.get("rope_theta") or c.get("rope_theta") or 10000.0)
    if kind == "default":
        return base, None
    old = c.get("original_max_position_embeddings") or rope.get("original_max_position_embeddings")
    facts = {"block_size": old or c["max_position_embeddings"]}
    for ours, theirs in {"factor": "factor", "low": "low_freq_factor", "high": "high_freq_factor"}.items():
        if not isinstance(rope.get(theirs), int | float):
            raise ValueError(
                f"rotary positions of type 'llama3' need a number {theirs}, got {rope.get(theirs)!r}"
            )
        facts[ours] = float(rope[theirs])
    return base, RopeScaling(**facts)


# ----------------------------------------------------------------------------------------------------- checks


def _refuse_kind(c: Settings, where: object, *kinds: str) -> str:
    """The type of the model, if it is one of these; and nothing in its settings that no kind here does."""
    kind = c.get("model_type")
    if kind not in kinds:
        raise ValueError(f"{where} holds a model of type {kind!r}, not {_or(kinds)}")
    for name in ("quantization_config", "per_layer_config"):
        if c.get(name):
            raise ValueError(f"{where}: a model with {name} is not supported here")
    return kind


def _refuse(c: Settings, where: object, only: dict[str, Collection]) -> None:
    """A setting that is there and has none of the values that our code is written for; null is like false."""
    for name, known in only.items():
        got = c.get(name)
        if name in c and got not in known and (got is not None or known == (True,)):
            raise ValueError(f"{where}: {name} = {got!r} is not supported here, only {_or(known)}")


def _refuse_uneven(where: object, name: str, parts: int, of: str, whole: int) -> None:
    if whole % parts:
        raise ValueError(f"{where}: {name} = {parts} does not divide {of} = {whole}")


def _sizes(c: Settings, table: dict[str, str], where: object) -> dict[str, Any]:
    """Our sizes out of theirs; ValueError for one that is missing or no size."""
    sizes = {}
    for ours, theirs in table.items():
        if c.get(theirs) is None:
            raise ValueError(f"{where}: its settings (config.json) lack {theirs!r}")
        value = sizes[ours] = c[theirs]
        if ours == "tied":
            fits, wanted = isinstance(value, bool), "true or false"
        elif ours == "eps":
            fits, wanted = isinstance(value, int | float) and 0 <= value < 1, "a number from 0 to below 1"
        else:
            fits, wanted = type(value) is int and value > 0, "a whole number from 1 on"
        if not fits:
            raise ValueError(f"{where}: {theirs} has to be {wanted}, got {value!r}")
    return sizes


def _or(names: Collection) -> str:
    return " or ".join(map(repr, names))
