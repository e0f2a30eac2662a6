"""Parameters of the NumPy reference to and from live Hugging Face models: GPT-2, BERT, Llama, Qwen2, Qwen3.

Names, settings and what is refused are those of the folders (`fmkit.data.hf_names` and its neighbours).
"""

from contextlib import contextmanager

import numpy as np
import torch

from fmkit.bert import BertConfig
from fmkit.data.hf_names import BERT_SIZES, GPT2_SIZES, LLAMA_SIZES, bert_names, gpt2_names, llama_names
from fmkit.data.hf_params import Tensors, bert_params, gpt2_params, llama_params
from fmkit.data.hf_settings import bert_config, gpt2_config, llama_config
from fmkit.llama import LlamaConfig
from fmkit.params import flatten, tree_map
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


def state_of(model) -> Tensors:
    """Their ``state_dict`` in NumPy; what is bfloat16, which NumPy lacks, becomes float32."""
    state = model.state_dict().items()
    return {name: (w.float() if w.dtype == torch.bfloat16 else w).numpy(force=True) for name, w in state}


def settings_of(model) -> dict:
    """Their settings as in a config.json; ``architectures`` are the classes that the model is of."""
    return model.config.to_dict() | {"architectures": [kind.__name__ for kind in type(model).__mro__]}


def _own(params: dict) -> dict:
    """Copies that share no memory with the model."""
    return tree_map(lambda w: np.array(w, order="C"), params)


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
        If the model is not `fmkit.transformer.gpt`: another activation, other scores, a part more.
    """
    config = gpt2_config(settings_of(model))
    return _own(gpt2_params(state_of(model), config)), config


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
        If the model is not that of `fmkit.bert`: another activation, a decoder, a head that we do not have.
    """
    settings = settings_of(model)
    config = bert_config(settings)
    classes, tied = settings["architectures"], settings.get("tie_word_embeddings", True)
    return _own(bert_params(state_of(model), config, classes=classes, tied=tied)), config


# ------------------------------------------------------------------------------------------------------ Llama


def from_hf_llama(model) -> tuple[dict, LlamaConfig]:
    """NumPy parameters and config of a Hugging Face ``LlamaForCausalLM``, or the same of Qwen2 or Qwen3.

    Raises
    ------
    ValueError
        If the model is of another kind, or has a part that `fmkit.llama` does not know.
    """
    config = llama_config(settings_of(model))
    return _own(llama_params(state_of(model), config)), config


def to_hf_llama(params: dict, config: LlamaConfig):
    """Parameters of `fmkit.llama.llama` as a Hugging Face model, in evaluation mode.

    A ``LlamaForCausalLM``, with ``config.qk_norm`` a ``Qwen3ForCausalLM``, with ``config.qkv_bias`` a
    ``Qwen2ForCausalLM``.

    Raises
    ------
    ValueError
        If there are both norms and biases: none of these models has both.
    """
    import transformers

    if config.qk_norm and config.qkv_bias:
        raise ValueError("no Hugging Face model here has both qk_norm and qkv_bias")
    D = config.head_width
    sizes = _to_sizes(config, LLAMA_SIZES) | {"rope_parameters": _rope_parameters(config)}
    sizes |= {"bos_token_id": None, "eos_token_id": None}
    if config.qk_norm or config.head_dim:
        sizes["head_dim"] = D
    kind = "Qwen3" if config.qk_norm else "Qwen2" if config.qkv_bias else "Llama"
    hf_config = getattr(transformers, f"{kind}Config")(**sizes)
    model = getattr(transformers, f"{kind}ForCausalLM")(hf_config)
    ends = [config.n_heads * D, (config.n_heads + config.n_kv_heads) * D]  # of queries and keys in wqkv
    state = _to_hf(params, llama_names(config), ends)
    state.setdefault("lm_head.weight", state["model.embed_tokens.weight"])  # tied
    return _loaded(model, state)


def _rope_parameters(config: LlamaConfig) -> dict:
    """The base of the rotary positions and their scaling, as Hugging Face has them."""
    scaling = config.rope_scaling
    if scaling is None:
        return {"rope_type": "default", "rope_theta": config.rope_base}
    return {
        "rope_type": "llama3",
        "rope_theta": config.rope_base,
        "factor": scaling.factor,
        "low_freq_factor": scaling.low,
        "high_freq_factor": scaling.high,
        "original_max_position_embeddings": scaling.block_size,
    }
