"""Parameters of the NumPy reference to and from Hugging Face's GPT-2 and BERT: same outputs, other names.

A table of names says which of their tensors make up a parameter of ours. Where there are several (query, key,
value) ours is theirs side by side; ".T" marks a matrix that they store as (C_out, C_in).
"""

import numpy as np

from fmkit.bert import BertConfig
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


def _to_sizes(config: Config | BertConfig, table: dict[str, str]) -> dict:
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
