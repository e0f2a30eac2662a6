"""Hugging Face's tensors of GPT-2, BERT, Llama, Qwen2 and Qwen3 as our nested parameters.

Every tensor has to be there, in the shape that the settings announce; and every one that is there has to be
read, since a layer or a head that were left out would give wrong numbers without a word.
"""

import re

import numpy as np

from fmkit._shapes import expect
from fmkit._types import Array
from fmkit.bert import BertConfig
from fmkit.data.hf_names import BERT_SHAPES, GPT2_SHAPES, LLAMA_SHAPES, bert_names, gpt2_names, llama_names
from fmkit.llama import LlamaConfig
from fmkit.params import unflatten
from fmkit.transformer import Config

Tensors = dict[str, Array]  # Hugging Face's name of a weight -> the weight

# what older versions saved beside the weights: masks and positions, which anyone can make again
_GPT2_BUFFERS = r"transformer\.h\.\d+\.attn\.(masked_)?bias"
_BERT_BUFFERS = r"(bert\.)?embeddings\.(position_ids|token_type_ids)"
_LLAMA_BUFFERS = r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq"


def gpt2_params(tensors: Tensors, config: Config, where: object = "the model") -> dict:
    """Parameters of `fmkit.transformer.gpt`.

    Raises
    ------
    ValueError
        For a tensor that is missing, left over, or of another shape than the settings say.
    """
    if "wte.weight" in tensors:  # saved without its head: the names lack the first part
        tensors = {f"transformer.{name}": w for name, w in tensors.items()}
    if config.tied:
        tensors = _without_copy(where, tensors, "lm_head.weight", "transformer.wte.weight")
    sizes = _sizes(config) | {"3C": 3 * config.d_model}
    return _gather(where, tensors, gpt2_names(config), GPT2_SHAPES, sizes, _GPT2_BUFFERS)


def bert_params(
    tensors: Tensors, config: BertConfig, where: object = "the model", classes=(), tied: bool = True
) -> dict:
    """Parameters of `fmkit.bert`, with pooler and heads where the model has them; errors as `gpt2_params`.

    Parameters
    ----------
    classes
        Hugging Face's name of the model, as ``architectures`` in its settings.
    tied
        Whether the head for masked words has the table of tokens as its output layer.
    """
    tensors = _with_newer_names(where, tensors)
    prefix = "bert." if any(name.startswith("bert.") for name in tensors) else ""
    parts = {
        "pooler": f"{prefix}pooler.dense.weight",
        "mlm": "cls.predictions.transform.dense.weight",
        "classifier": "classifier.weight",
    }
    heads = [head for head, name in parts.items() if name in tensors]
    if "classifier" in heads and "pooler" not in heads:
        raise ValueError(f"{where}: a classifier without a pooler (one for tokens?) is not supported here")
    output = "cls.predictions.decoder.weight"
    if "mlm" in heads and not tied and output not in tensors:
        raise ValueError(f"{where}: {output} is missing, though tie_word_embeddings is false")
    tensors = _without_copy(where, tensors, output, f"{prefix}embeddings.word_embeddings.weight")
    tensors = _without_copy(where, tensors, "cls.predictions.decoder.bias", "cls.predictions.bias")
    unread = _BERT_BUFFERS
    if (
        "BertForMaskedLM" in classes
    ):  # often saved with the other head of its pre-training, which it never uses
        unread += r"|cls\.seq_relationship\.(weight|bias)"
    sizes = _sizes(config) | {"S": config.n_segments, "K": len(tensors.get("classifier.weight", ()))}
    return _gather(where, tensors, bert_names(config, heads, prefix), BERT_SHAPES, sizes, unread)


def llama_params(tensors: Tensors, config: LlamaConfig, where: object = "the model") -> dict:
    """Parameters of `fmkit.llama.llama`; errors as `gpt2_params`."""
    if config.tied:
        tensors = _without_copy(where, tensors, "lm_head.weight", "model.embed_tokens.weight")
    D = config.head_width
    sizes = _sizes(config) | {"D": D, "HD": config.n_heads * D, "GD": config.n_kv_heads * D}
    return _gather(where, tensors, llama_names(config), LLAMA_SHAPES, sizes, _LLAMA_BUFFERS)


# ----------------------------------------------------------------------------------------- what all three use


def _sizes(config: Config | BertConfig | LlamaConfig) -> dict[str, int | None]:
    return {"V": config.vocab_size, "T": config.block_size, "C": config.d_model, "F": config.d_ff}


def _gather(
    where: object,
    tensors: Tensors,
    names: dict[str, list[str]],
    shapes: dict[str, str],
    sizes: dict,
    unread: str,
) -> dict:
    """Our nested parameters out of their tensors; ``unread`` is a pattern of names that may be left over."""
    flat, read = {}, set()
    for ours, theirs in names.items():
        wanted = shapes[re.sub(r"^blocks\.\d+\.", "", ours)].split(" | ")
        parts = []
        for name, letters in zip(theirs, wanted * (len(theirs) // len(wanted)), strict=True):
            w = _find(where, tensors, name)
            expect(
                f"{where}: {name}", w, tuple(sizes[letter] for letter in letters.split(", ")), f"({letters})"
            )
            parts.append(w)
            read.add(name.removesuffix(".T"))
        flat[ours] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
    left = [name for name in tensors if name not in read and not re.fullmatch(unread, name)]
    if left:
        more = f", and {len(left) - 3} more" if len(left) > 3 else ""
        raise ValueError(f"{where} holds tensors that nothing here reads: {', '.join(left[:3])}{more}")
    return unflatten(flat)


def _find(where: object, tensors: Tensors, name: str) -> Array:
    plain = name.removesuffix(".T")
    if plain not in tensors:
        raise ValueError(f"{where}: the model lacks the weight {plain!r}")
    w = tensors[plain]
    if w.dtype.kind != "f":
        raise ValueError(
            f"{where}: {plain} holds numbers of type {w.dtype}, supported here are only floating ones"
        )
    return w.T if name.endswith(".T") else w


def _without_copy(where: object, tensors: Tensors, copy: str, of: str) -> Tensors:
    """Without a tensor that is another one once more; ValueError if it is not."""
    if copy not in tensors or of not in tensors:
        return tensors
    if not np.array_equal(tensors[copy], tensors[of]):
        raise ValueError(f"{where}: {copy} is not the same as {of}; only one for both is supported here")
    return {name: w for name, w in tensors.items() if name != copy}


def _with_newer_names(where: object, tensors: Tensors) -> Tensors:
    """The first published BERT called its gains gamma and its shifts beta."""
    newer = {}
    for name, w in tensors.items():
        new = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
        if new in newer:
            raise ValueError(f"{where} holds {new!r} under an old and a new name")
        newer[new] = w
    return newer
