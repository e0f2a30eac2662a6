"""Real pretrained models for our NumPy code: a Hugging Face folder goes in, ``(params, config)`` comes out.

`load_llama` feeds `fmkit.llama`, `load_bert` feeds `fmkit.bert`, `load_gpt2` feeds `fmkit.transformer`. Only
names and layouts change on the way. torch keeps the weight of a linear layer as (C_out, C_in) and computes
``x @ w.T``, ours is (C_in, C_out) and computes ``x @ w`` (a transposed weight is a view: nothing is copied);
and what torch keeps as three weights (query, key, value) stands side by side in one.

`convert_smollm2` makes such a folder of the packaged GGUF file, the quantised format of llama.cpp.
`load_shakespeare` gives the small model that comes with the package.
"""

import json
from pathlib import Path

import numpy as np

from fmkit._types import Array
from fmkit.bert import BertConfig
from fmkit.data.shipped import load_shakespeare
from fmkit.llama import LlamaConfig
from fmkit.params import unflatten
from fmkit.transformer import Config
from fmkit.twins.huggingface import (
    BERT_SIZES,
    GPT2_SIZES,
    bert_names,
    from_hf_llama,
    gpt2_names,
    llama_config,
    llama_names,
    refuse,
    to_hf_llama,
)

__all__ = [
    "convert_smollm2",
    "from_hf_llama",
    "load_bert",
    "load_gpt2",
    "load_llama",
    "load_shakespeare",
    "read_safetensors",
    "to_hf_llama",
]

Tensors = dict[str, Array]  # Hugging Face's name of a weight -> the weight

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
    """Our nested parameters out of their tensors, by a table of names (see `fmkit.twins.huggingface`)."""

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


# --------------------------------------------------------------------------------------------- out of a GGUF


def convert_smollm2(gguf_path: str | Path, out_folder: str | Path) -> None:
    """Unpack SmolLM2's GGUF file into a Hugging Face folder: float32 weights, tokenizer, chat template.

    A GGUF file is all in one: settings, vocabulary, and weights stored in about 4 bits each. In the kind
    Q4_1, 32 neighbouring weights share a step d and an offset m, and each is one of the 16 values m, m + d,
    ... m + 15 d.

    Parameters
    ----------
    gguf_path : path
        The file of SmolLM2 (any Llama with a byte-level BPE of the "smollm" kind will do).
    out_folder : path
        Made if need be; gets ``model.safetensors``, ``config.json``, ``generation_config.json``,
        ``tokenizer.json`` and ``tokenizer_config.json``. For one that must never be seen half-written,
        give a temporary folder and rename it.

    Raises
    ------
    ValueError
        If the file holds another kind of model or tokenizer.
    """
    from gguf import GGUFReader

    reader = GGUFReader(gguf_path)
    meta = {key: field.contents() for key, field in reader.fields.items()}
    kinds = tuple(meta.get(f"{key}") for key in ("general.architecture", "tokenizer.ggml.pre"))
    if kinds != ("llama", "smollm"):
        raise ValueError(f"{gguf_path} holds {kinds}, not a Llama with SmolLM's tokenizer")
    out = Path(out_folder)
    out.mkdir(parents=True, exist_ok=True)
    _write_weights(reader, meta, out / "model.safetensors")
    _write_tokenizer(meta, out / "tokenizer.json")
    tied = all(tensor.name != "output.weight" for tensor in reader.tensors)
    for name, content in _configs(meta, tied).items():
        (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


_GGUF_PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_GGUF_ENDS = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def _write_weights(reader, meta: dict, path: Path) -> None:
    from gguf.quants import dequantize
    from safetensors.numpy import save_file

    tensors = {}
    for tensor in reader.tensors:
        w = dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
        part = tensor.name.removesuffix(".weight")
        if part in _GGUF_ENDS:
            name = _GGUF_ENDS[part]
        else:
            _, i, part = part.split(".")  # "blk.7.attn_q"
            name = f"model.layers.{i}.{_GGUF_PARTS[part]}"
        if part in ("attn_q", "attn_k"):
            w = _half_split(w, meta["llama.attention.head_count" + ("_kv" if part == "attn_k" else "")])
        tensors[f"{name}.weight"] = np.ascontiguousarray(w)
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # it was made for the owner alone; a class may share the folder


def _half_split(w: Array, n_heads: int) -> Array:
    """Put the rows of a query or key weight into the order that our rotary positions want.

    llama.cpp turns neighbouring coordinates as a pair, (0, 1), (2, 3), ...; Hugging Face and we turn i with i
    + D/2.
    """
    rows, C = w.shape
    return w.reshape(n_heads, rows // n_heads // 2, 2, C).swapaxes(1, 2).reshape(rows, C)


def _write_tokenizer(meta: dict, path: Path) -> None:
    """The byte-level BPE (chapter 01) as a file of the ``tokenizers`` library."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    vocab = {token: i for i, token in enumerate(meta["tokenizer.ggml.tokens"])}
    merges = [tuple(merge.split(" ")) for merge in meta["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence(  # every digit is a piece of its own; then words as GPT-2
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    )
    tokenizer.decoder = decoders.ByteLevel()
    CONTROL = 3  # llama.cpp's mark of a token that is a signal, not text: <|im_start|>, <|endoftext|>, ...
    types = zip(vocab, meta["tokenizer.ggml.token_type"], strict=True)
    control = [token for token, type_ in types if type_ == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in control])
    tokenizer.save(str(path), pretty=False)


def _configs(meta: dict, tied: bool) -> dict[str, dict]:
    """The three small JSON files of a Hugging Face folder."""
    tokens = meta["tokenizer.ggml.tokens"]
    keys = {
        "bos": "bos_token_id",
        "eos": "eos_token_id",
        "unk": "unknown_token_id",
        "pad": "padding_token_id",
    }
    special = {name: meta[f"tokenizer.ggml.{key}"] for name, key in keys.items()}
    ids = {f"{name}_token_id": special[name] for name in ("bos", "eos", "pad")}
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(tokens),
        "hidden_size": meta["llama.embedding_length"],
        "intermediate_size": meta["llama.feed_forward_length"],
        "num_hidden_layers": meta["llama.block_count"],
        "num_attention_heads": meta["llama.attention.head_count"],
        "num_key_value_heads": meta["llama.attention.head_count_kv"],
        "max_position_embeddings": meta["llama.context_length"],
        "rms_norm_eps": float(f"{meta['llama.attention.layer_norm_rms_epsilon']:.6g}"),  # was a float32
        "rope_theta": meta["llama.rope.freq_base"],
        "hidden_act": "silu",
        "tie_word_embeddings": tied,
        "torch_dtype": "float32",
        **ids,
    }
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": meta["llama.context_length"],
        "clean_up_tokenization_spaces": False,
        "chat_template": meta["tokenizer.chat_template"],
        **{f"{name}_token": tokens[i] for name, i in special.items()},
    }
    return {"config.json": config, "tokenizer_config.json": tokenizer_config, "generation_config.json": ids}
