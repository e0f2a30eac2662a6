"""What Hugging Face calls the parameters and sizes of GPT-2, BERT, Llama, Qwen2 and Qwen3.

The outputs are the same as ours, the names are not. A table of names says which of their tensors make up a
parameter of ours. Where there are several (query, key, value) ours is theirs side by side; ".T" marks a
matrix that they store as (C_out, C_in). A table of shapes says what each of them has to look like then.
"""

from fmkit.bert import BertConfig
from fmkit.llama import LlamaConfig
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
_QWEN2_PARTS = {"attn.bqkv": ["self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"]}
_QWEN3_PARTS = {"attn.q_norm": ["self_attn.q_norm.weight"], "attn.k_norm": ["self_attn.k_norm.weight"]}

# the shape of each of their tensors, after ".T", by our name without "blocks.0."
_BLOCK_SHAPES = {
    "attn.wo": "C, C",
    "attn.bo": "C",
    "mlp.w1": "C, F",
    "mlp.b1": "F",
    "mlp.w2": "F, C",
    "mlp.b2": "C",
} | {f"{norm}.{part}": "C" for norm in ("ln", "ln1", "ln2", "lnf", "mlm.ln") for part in "wb"}
GPT2_SHAPES = _BLOCK_SHAPES | {
    "wte": "V, C",
    "wpe": "T, C",
    "head": "C, V",
    "attn.wqkv": "C, 3C",
    "attn.bqkv": "3C",
}
BERT_SHAPES = _BLOCK_SHAPES | {
    "wte": "V, C",
    "wpe": "T, C",
    "wse": "S, C",
    "attn.wqkv": "C, C",
    "attn.bqkv": "C",
    "pooler.w": "C, C",
    "pooler.b": "C",
    "classifier.w": "C, K",
    "classifier.b": "K",
    "mlm.w": "C, C",
    "mlm.b": "C",
    "mlm.bias": "V",
}
LLAMA_SHAPES = {
    "wte": "V, C",
    "norm": "C",
    "head": "C, V",
    "norm1": "C",
    "attn.wqkv": "C, HD | C, GD | C, GD",
    "attn.bqkv": "HD | GD | GD",
    "attn.q_norm": "D",
    "attn.k_norm": "D",
    "attn.wo": "HD, C",
    "norm2": "C",
    "mlp.w_gate": "C, F",
    "mlp.w_up": "C, F",
    "mlp.w_down": "F, C",
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


def llama_names(config: LlamaConfig) -> dict[str, list[str]]:
    names = {"wte": ["model.embed_tokens.weight"], "norm": ["model.norm.weight"]}
    parts = (
        _LLAMA_PARTS | (_QWEN2_PARTS if config.qkv_bias else {}) | (_QWEN3_PARTS if config.qk_norm else {})
    )
    for i in range(config.n_layers):
        for ours, theirs in parts.items():
            names[f"blocks.{i}.{ours}"] = [f"model.layers.{i}.{name}" for name in theirs]
    if not config.tied:
        names["head"] = ["lm_head.weight.T"]
    return names
