"""Parameters of the NumPy reference to and from Hugging Face's GPT-2, BERT, Llama and Qwen3.

The outputs are the same, the names are not. A table of names says which of their tensors make up a parameter
of ours. Where there are several (query, key, value) ours is theirs side by side; ".T" marks a matrix that
they store as (C_out, C_in).
"""

import numpy as np

from fmkit.bert import BertConfig
from fmkit.llama import LlamaConfig
from fmkit.params import flatten, unflatten
from fmkit.transformer import Config

# ours: theirs
GPT2_SIZES = {
    "vocab_size": "vocab_size",
    "block_size": "n_positions",
    "n_layers": "n_layer",
    "n_heads": "n_head",
    "d_model": "n_embd",
    "d_ff": "n_inner",
    "tied": "tie_word_embeddings",
}
BERT_SIZES = {
    "vocab_size": "vocab_size",
    "block_size": "max_position_embeddings",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "d_model": "hidden_size",
    "d_ff": "intermediate_size",
    "n_segments": "type_vocab_size",
    "eps": "layer_norm_eps",
}
LLAMA_SIZES = {
    "vocab_size": "vocab_size",
    "block_size": "max_position_embeddings",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "d_model": "hidden_size",
    "d_ff": "intermediate_size",
    "eps": "rms_norm_eps",
    "tied": "tie_word_embeddings",
}

_GPT2 = {
    "wte": ["transformer.wte.weight"],
    "wpe": ["transformer.wpe.weight"],
    "lnf.w": ["transformer.ln_f.weight"],
    "lnf.b": ["transformer.ln_f.bias"],
}
_GPT2_PARTS = {
    "ln1.w ln1.b": "ln_1",
    "attn.wqkv attn.bqkv": "attn.c_attn",
    "attn.wo attn.bo": "attn.c_proj",
    "ln2.w ln2.b": "ln_2",
    "mlp.w1 mlp.b1": "mlp.c_fc",
    "mlp.w2 mlp.b2": "mlp.c_proj",
}
_BERT_PARTS = {
    "attn.wqkv attn.bqkv": ["attention.self.query", "attention.self.key", "attention.self.value"],
    "attn.wo attn.bo": ["attention.output.dense"],
    "ln1.w ln1.b": ["attention.output.LayerNorm"],
    "mlp.w1 mlp.b1": ["intermediate.dense"],
    "mlp.w2 mlp.b2": ["output.dense"],
    "ln2.w ln2.b": ["output.LayerNorm"],
}
_LLAMA_PARTS = {
    "norm1": ["input_layernorm.weight"],
    "attn.wqkv": ["self_attn.q_proj.weight.T", "self_attn.k_proj.weight.T", "self_attn.v_proj.weight.T"],
    "attn.wo": ["self_attn.o_proj.weight.T"],
    "norm2": ["post_attention_layernorm.weight"],
    "mlp.w_gate": ["mlp.gate_proj.weight.T"],
    "mlp.w_up": ["mlp.up_proj.weight.T"],
    "mlp.w_down": ["mlp.down_proj.weight.T"],
}
_QWEN3_PARTS = {"attn.q_norm": ["self_attn.q_norm.weight"], "attn.k_norm": ["self_attn.k_norm.weight"]}


def gpt2_names(config: Config) -> dict[str, list[str]]:
    names = dict(_GPT2)
    for i in range(config.n_layers):
        for ours, theirs in _GPT2_PARTS.items():
            w, b = ours.split()
            names[f"blocks.{i}.{w}"] = [f"transformer.h.{i}.{theirs}.weight"]
            names[f"blocks.{i}.{b}"] = [f"transformer.h.{i}.{theirs}.bias"]
    if not config.tied:
        names["head"] = ["lm_head.weight.T"]
    return names


def bert_names(config: BertConfig, heads, prefix: str) -> dict[str, list[str]]:
    """``heads``: which of pooler, mlm, classifier there are; ``prefix``: "bert." if the encoder is a part."""
    names = {
        "wte": [f"{prefix}embeddings.word_embeddings.weight"],
        "wpe": [f"{prefix}embeddings.position_embeddings.weight"],
        "wse": [f"{prefix}embeddings.token_type_embeddings.weight"],
        "ln.w": [f"{prefix}embeddings.LayerNorm.weight"],
        "ln.b": [f"{prefix}embeddings.LayerNorm.bias"],
    }
    for i in range(config.n_layers):
        for ours, theirs in _BERT_PARTS.items():
            w, b = ours.split()
            transpose = "" if w.startswith("ln") else ".T"
            names[f"blocks.{i}.{w}"] = [f"{prefix}encoder.layer.{i}.{t}.weight{transpose}" for t in theirs]
            names[f"blocks.{i}.{b}"] = [f"{prefix}encoder.layer.{i}.{t}.bias" for t in theirs]
    if "pooler" in heads:
        names |= {"pooler.w": [f"{prefix}pooler.dense.weight.T"], "pooler.b": [f"{prefix}pooler.dense.bias"]}
    if "classifier" in heads:
        names |= {"classifier.w": ["classifier.weight.T"], "classifier.b": ["classifier.bias"]}
    if "mlm" in heads:
        part = "cls.predictions.transform"
        names |= {"mlm.w": [f"{part}.dense.weight.T"], "mlm.b": [f"{part}.dense.bias"]}
        names |= {"mlm.ln.w": [f"{part}.LayerNorm.weight"], "mlm.ln.b": [f"{part}.LayerNorm.bias"]}
        names |= {"mlm.bias": ["cls.predictions.bias"]}
    return names


def llama_names(config: LlamaConfig) -> dict[str, list[str]]:
    names = {"wte": ["model.embed_tokens.weight"], "norm": ["model.norm.weight"]}
    for i in range(config.n_layers):
        for ours, theirs in (_LLAMA_PARTS | (_QWEN3_PARTS if config.qk_norm else {})).items():
            names[f"blocks.{i}.{ours}"] = [f"model.layers.{i}.{name}" for name in theirs]
    if not config.tied:
        names["head"] = ["lm_head.weight.T"]
    return names


def gather_state(model, names: dict[str, list[str]]) -> dict:
    """Gather our parameters out of their ``state_dict``."""
    state = {name: w.numpy(force=True) for name, w in model.state_dict().items()}
    state |= {f"{name}.T": w.T for name, w in state.items()}
    flat = {ours: np.concatenate([state[t] for t in theirs], axis=-1) for ours, theirs in names.items()}
    return unflatten({ours: np.ascontiguousarray(w) for ours, w in flat.items()})


def _to_hf(params: dict, names: dict[str, list[str]]) -> dict:
    """Cut our parameters up into their ``state_dict``."""
    import torch

    flat, state = flatten(params), {}
    for ours, theirs in names.items():
        for name, w in zip(theirs, np.split(flat[ours], len(theirs), axis=-1), strict=True):
            w = w.T if name.endswith(".T") else w
            state[name.removesuffix(".T")] = torch.from_numpy(w.copy())
    return state


def _to_sizes(config: Config | BertConfig | LlamaConfig, table: dict[str, str]) -> dict:
    return {theirs: getattr(config, ours) for ours, theirs in table.items()}


def _from_sizes(hf_config, table: dict[str, str]) -> dict:
    return {ours: getattr(hf_config, theirs) for ours, theirs in table.items()}


# ------------------------------------------------------------------------------------------------------ GPT-2


def to_hf_gpt2(params: dict, config: Config):
    """Parameters of `fmkit.transformer.gpt` as a Hugging Face ``GPT2LMHeadModel``, in evaluation mode."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = _to_sizes(config, GPT2_SIZES)
    model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=None, eos_token_id=None))
    state = _to_hf(params, gpt2_names(config))
    state.setdefault("lm_head.weight", state["transformer.wte.weight"])  # tied
    model.to(state["lm_head.weight"].dtype).load_state_dict(state)
    return model.eval()


def from_hf_gpt2(model) -> tuple[dict, Config]:
    """NumPy parameters and config of a Hugging Face ``GPT2LMHeadModel``.

    Raises
    ------
    ValueError
        If the model is not `fmkit.transformer.gpt`: another activation, or another eps in its norms.
    """
    hf = model.config
    if hf.activation_function != "gelu_new" or hf.layer_norm_epsilon != 1e-5:
        raise ValueError(
            f"activation {hf.activation_function}, eps {hf.layer_norm_epsilon}: not the GPT-2 here"
        )
    sizes = _from_sizes(hf, GPT2_SIZES)
    config = Config(**sizes | {"d_ff": hf.n_inner or 4 * hf.n_embd})
    return gather_state(model, gpt2_names(config)), config


# ------------------------------------------------------------------------------------------------------- BERT


def to_hf_bert(params: dict, config: BertConfig):
    """Parameters of `fmkit.bert` as a Hugging Face model, in evaluation mode.

    The head decides: ``mlm`` makes a ``BertForMaskedLM``, ``classifier`` a ``BertForSequenceClassification``,
    neither a ``BertModel``.

    Raises
    ------
    ValueError
        If there are both ``mlm`` and ``pooler``: none of these models has both.
    """
    import transformers

    if "mlm" in params and "pooler" in params:
        raise ValueError("no Hugging Face model has both the mlm head and the pooler: leave one out")
    hf = transformers.BertConfig(**_to_sizes(config, BERT_SIZES))
    prefix = "bert." if "mlm" in params or "classifier" in params else ""
    state = _to_hf(params, bert_names(config, params, prefix))
    if "mlm" in params:
        model = transformers.BertForMaskedLM(hf)
        state["cls.predictions.decoder.weight"] = state["bert.embeddings.word_embeddings.weight"]  # tied
        state["cls.predictions.decoder.bias"] = state["cls.predictions.bias"]
    elif "classifier" in params:
        hf.num_labels = params["classifier"]["b"].size
        model = transformers.BertForSequenceClassification(hf)
    else:
        model = transformers.BertModel(hf, add_pooling_layer="pooler" in params)
    model.to(state[f"{prefix}embeddings.LayerNorm.weight"].dtype).load_state_dict(state)
    return model.eval()


def from_hf_bert(model) -> tuple[dict, BertConfig]:
    """NumPy parameters and config of a ``BertModel``, with or without a head (masked LM, classification).

    Raises
    ------
    ValueError
        If the model's activation is not the erf-GELU of `fmkit.bert`.
    """
    if model.config.hidden_act != "gelu":
        raise ValueError(f"activation {model.config.hidden_act}: not the BERT here")
    config = BertConfig(**_from_sizes(model.config, BERT_SIZES))
    prefix = "bert." if hasattr(model, "bert") else ""
    first_tensors = {
        "pooler": f"{prefix}pooler.dense.weight",
        "mlm": "cls.predictions.bias",
        "classifier": "classifier.weight",
    }
    state = model.state_dict()
    heads = [head for head, name in first_tensors.items() if name in state]
    return gather_state(model, bert_names(config, heads, prefix)), config


# -------------------------------------------------------------------------------------------- Llama and Qwen3


def refuse(where, name: str, got, known) -> None:
    """A setting that our code does not know would give wrong numbers silently: refuse it."""
    if got != known:
        raise ValueError(f"{where}: {name} = {got!r} is not supported here, only {known!r}")


def llama_config(c: dict, where="the model") -> LlamaConfig:
    """Hugging Face's settings of a Llama or Qwen3 as ours, if we know them all."""
    qk_norm = c.get("model_type") == "qwen3"
    c = {"tie_word_embeddings": False, "rms_norm_eps": 1e-6, "max_position_embeddings": 2048} | c
    c["num_key_value_heads"] = c.get("num_key_value_heads") or c["num_attention_heads"]
    rope = c.get("rope_parameters") or c.get("rope_scaling") or {}  # the newer and the older name
    head_dim = c["hidden_size"] // c["num_attention_heads"]
    refuse(where, "rope_type", rope.get("rope_type", rope.get("type", "default")), "default")
    refuse(where, "hidden_act", c.get("hidden_act", "silu"), "silu")
    refuse(where, "attention_bias", c.get("attention_bias", False), False)
    refuse(where, "mlp_bias", c.get("mlp_bias", False), False)
    refuse(where, "use_sliding_window", c.get("use_sliding_window", False), False)
    refuse(
        where, "head_dim", c.get("head_dim") or (128 if qk_norm else head_dim), head_dim
    )  # 128: its default
    base = float(c.get("rope_theta") or rope.get("rope_theta") or 10000.0)
    sizes = {ours: c[theirs] for ours, theirs in LLAMA_SIZES.items()}
    return LlamaConfig(**sizes, rope_base=base, qk_norm=qk_norm)


def from_hf_llama(model) -> tuple[dict, LlamaConfig]:
    """NumPy parameters and config of a Hugging Face ``LlamaForCausalLM`` or ``Qwen3ForCausalLM``.

    Raises
    ------
    ValueError
        If the model has a part that `fmkit.llama` does not know.
    """
    config = llama_config(model.config.to_dict())
    return gather_state(model, llama_names(config)), config


def to_hf_llama(params: dict, config: LlamaConfig):
    """Parameters of `fmkit.llama.llama` as a Hugging Face model, in evaluation mode.

    A ``LlamaForCausalLM``, or with ``config.qk_norm`` a ``Qwen3ForCausalLM``.
    """
    import torch
    import transformers

    sizes = _to_sizes(config, LLAMA_SIZES) | {"rope_theta": config.rope_base}
    sizes |= {"bos_token_id": None, "eos_token_id": None}
    D = config.d_model // config.n_heads
    if config.qk_norm:
        make, hf = transformers.Qwen3ForCausalLM, transformers.Qwen3Config(**sizes, head_dim=D)
    else:
        make, hf = transformers.LlamaForCausalLM, transformers.LlamaConfig(**sizes)
    ends = [config.n_heads * D, (config.n_heads + config.n_kv_heads) * D]  # of queries and keys in wqkv
    flat, state = flatten(params), {}
    for ours, theirs in llama_names(config).items():
        for name, w in zip(theirs, np.split(flat[ours], ends if len(theirs) > 1 else [], -1), strict=True):
            w = w.T if name.endswith(".T") else w
            state[name.removesuffix(".T")] = torch.from_numpy(w.copy())
    state.setdefault("lm_head.weight", state["model.embed_tokens.weight"])  # tied
    model = make(hf).to(state["lm_head.weight"].dtype)
    model.load_state_dict(state)
    return model.eval()
