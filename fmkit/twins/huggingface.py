"""Parameters of the NumPy reference to and from live Hugging Face models: GPT-2, BERT, Llama and Qwen3.

The tables of names are in `fmkit.data.hf_names`.
"""

from contextlib import contextmanager

import numpy as np
import torch

from fmkit.bert import BertConfig
from fmkit.data.hf_names import (
    BERT_SIZES,
    GPT2_SIZES,
    LLAMA_SIZES,
    bert_names,
    gpt2_names,
    llama_config,
    llama_names,
)
from fmkit.llama import LlamaConfig
from fmkit.params import flatten, unflatten
from fmkit.transformer import Config


@contextmanager
def quietly():
    """Without the progress bars and warnings of ``transformers``."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.enable_progress_bar()
        logging.set_verbosity(before)


def gather_state(model, names: dict[str, list[str]]) -> dict:
    """Gather our parameters from their ``state_dict``."""
    state = {name: w.numpy(force=True) for name, w in model.state_dict().items()}
    state |= {f"{name}.T": w.T for name, w in state.items()}
    flat = {ours: np.concatenate([state[t] for t in theirs], axis=-1) for ours, theirs in names.items()}
    return unflatten({ours: np.ascontiguousarray(w) for ours, w in flat.items()})


def _to_hf(params: dict, names: dict[str, list[str]], ends: list[int] | None = None) -> dict:
    """Cut our parameters up into their ``state_dict``: in equal parts, or in parts that end at ``ends``."""
    flat, state = flatten(params), {}
    for ours, theirs in names.items():
        parts = ends if ends and len(theirs) > 1 else len(theirs)
        for name, w in zip(theirs, np.split(flat[ours], parts, axis=-1), strict=True):
            w = w.T if name.endswith(".T") else w
            state[name.removesuffix(".T")] = torch.from_numpy(w.copy())
    return state


def _loaded(model, state: dict):
    """The model with the weights of a ``state_dict``, of their dtype, in evaluation mode."""
    model.to(next(iter(state.values())).dtype).load_state_dict(state)
    return model.eval()


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
    return _loaded(model, state)


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
    return _loaded(model, state)


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
    import transformers

    sizes = _to_sizes(config, LLAMA_SIZES) | {"rope_theta": config.rope_base}
    sizes |= {"bos_token_id": None, "eos_token_id": None}
    D = config.d_model // config.n_heads
    if config.qk_norm:
        model = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**sizes, head_dim=D))
    else:
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes))
    ends = [config.n_heads * D, (config.n_heads + config.n_kv_heads) * D]  # of queries and keys in wqkv
    state = _to_hf(params, llama_names(config), ends)
    state.setdefault("lm_head.weight", state["model.embed_tokens.weight"])  # tied
    return _loaded(model, state)
