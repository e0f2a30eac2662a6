"""SmolLM2 out of its GGUF file, the quantised format of llama.cpp, into a Hugging Face folder."""

import json
from pathlib import Path

import numpy as np

from fmkit._types import Array


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
