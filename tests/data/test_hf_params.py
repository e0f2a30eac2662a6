"""Every tensor of a model is read, in the shape that its settings announce; what is left over has a name."""

import numpy as np
import pytest

from fmkit.bert import BertConfig, init_bert
from fmkit.data.hf_params import bert_params, gpt2_params, llama_params
from fmkit.llama import LlamaConfig, init_llama
from fmkit.params import flatten
from fmkit.transformer import Config, init_gpt

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from fmkit.twins.huggingface import (  # noqa: E402
    from_hf_bert,
    from_hf_gpt2,
    from_hf_llama,
    state_of,
    to_hf_bert,
    to_hf_gpt2,
    to_hf_llama,
)

GPT2 = Config(vocab_size=19, block_size=16, n_layers=2, n_heads=3, d_model=24, d_ff=50)
BERT = BertConfig(vocab_size=19, block_size=16, n_layers=2, n_heads=2, d_model=24, d_ff=20, n_segments=3)
LLAMA = LlamaConfig(
    19, 16, n_layers=2, n_heads=4, n_kv_heads=2, d_model=24, d_ff=28, qkv_bias=True, head_dim=10, tied=False
)
READ = {"gpt2": (gpt2_params, GPT2), "bert": (bert_params, BERT), "llama": (llama_params, LLAMA)}


def tensors_of(kind, **heads):
    rng = np.random.default_rng(0)
    if kind == "gpt2":
        return state_of(to_hf_gpt2(init_gpt(rng, GPT2), GPT2))
    if kind == "llama":
        return state_of(to_hf_llama(init_llama(rng, LLAMA), LLAMA))
    return state_of(to_hf_bert(init_bert(rng, BERT, **heads or {"n_classes": 3}), BERT))


@pytest.mark.parametrize("kind", READ)
def test_each_tensor_is_needed_and_in_its_shape(kind):
    read, config = READ[kind]
    tensors = tensors_of(kind)
    read(tensors, config)
    copies = {"lm_head.weight"} if kind == "gpt2" else set()  # a tied head may be missing
    for name, w in tensors.items():
        if name in copies:
            continue
        rest = {n: v for n, v in tensors.items() if n != name}
        with pytest.raises(ValueError, match=r"lacks the weight|nothing here reads|without a pooler"):
            read(rest, config)
        for wrong in (w[:-1], w[..., None], np.concatenate([w, w], axis=-1)):
            with pytest.raises(ValueError, match=r"expected \(.* got \(|is not the same as"):
                read(rest | {name: wrong}, config)
        with pytest.raises(ValueError, match="int8, supported here are only floating|is not the same as"):
            read(rest | {name: w.astype(np.int8)}, config)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("gpt2", {"n_layers": 1}, r"reads: transformer.h.1.ln_1.weight, .*, and \d+ more"),
        ("gpt2", {"n_layers": 3}, "lacks the weight 'transformer.h.2.ln_1.weight'"),
        ("gpt2", {"vocab_size": 18}, r"wte.weight: expected \(V, C\) = \(18, 24\), got \(19, 24\)"),
        ("gpt2", {"block_size": 17}, r"wpe.weight: expected \(T, C\) = \(17, 24\), got \(16, 24\)"),
        ("gpt2", {"d_ff": 51}, r"mlp.c_fc.weight: expected \(C, F\) = \(24, 51\), got \(24, 50\)"),
        ("bert", {"n_segments": 2}, r"token_type_embeddings.weight: expected \(S, C\) = \(2, 24\)"),
        ("bert", {"n_layers": 1}, "nothing here reads: bert.encoder.layer.1.attention.self.query.weight"),
        ("llama", {"n_layers": 1}, "nothing here reads: model.layers.1.self_attn.q_proj.weight"),
        ("llama", {"n_kv_heads": 4}, r"k_proj.weight.T: expected \(C, GD\) = \(24, 40\), got \(24, 20\)"),
        ("llama", {"n_heads": 2, "head_dim": 20}, r"k_proj.weight.T: expected \(C, GD\) = \(24, 40\)"),
        ("llama", {"qkv_bias": False}, "nothing here reads: model.layers.0.self_attn.q_proj.bias"),
        ("llama", {"qk_norm": True}, "lacks the weight 'model.layers.0.self_attn.q_norm.weight'"),
        ("llama", {"tied": True}, "lm_head.weight is not the same as model.embed_tokens.weight"),
    ],
)
def test_settings_and_tensors_have_to_fit(kind, change, message):
    read, config = READ[kind]
    with pytest.raises(ValueError, match=f"^here.*{message}"):
        read(tensors_of(kind), type(config)(**vars(config) | change), "here")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("gpt2", "score.weight"),  # a classifier on top
        ("gpt2", "transformer.h.0.crossattention.c_attn.weight"),
        ("gpt2", "transformer.h.0.attn.c_attn.lora_A.weight"),
        ("bert", "qa_outputs.weight"),
        ("bert", "cls.seq_relationship.weight"),
        ("bert", "bert.encoder.layer.0.attention.self.distance_embedding.weight"),
        ("llama", "model.layers.0.post_feedforward_layernorm.weight"),
        ("llama", "model.layers.0.self_attn.o_proj.bias"),
        ("llama", "score.weight"),
    ],
)
def test_a_tensor_that_is_left_over_is_named(kind, name):
    read, config = READ[kind]
    with pytest.raises(ValueError, match=f"holds tensors that nothing here reads: {name}$"):
        read(tensors_of(kind) | {name: np.ones(3, np.float32)}, config)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("gpt2", "transformer.h.1.attn.bias"),
        ("gpt2", "transformer.h.0.attn.masked_bias"),
        ("bert", "bert.embeddings.position_ids"),
        ("llama", "model.layers.0.self_attn.rotary_emb.inv_freq"),
        ("llama", "model.rotary_emb.inv_freq"),
    ],
)
def test_masks_and_positions_of_older_versions_do_no_harm(kind, name):
    read, config = READ[kind]
    tensors = tensors_of(kind)
    expected, got = flatten(read(tensors, config)), flatten(read(tensors | {name: np.arange(3)}, config))
    assert got.keys() == expected.keys()
    for key, w in expected.items():
        np.testing.assert_array_equal(got[key], w)


def test_the_head_for_masked_words_is_tied():
    tensors = tensors_of("bert", mlm=True)
    output, bias = "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"
    assert "mlm" in bert_params(tensors, BERT)
    for name in (output, bias):
        with pytest.raises(ValueError, match=f"{name} is not the same"):
            bert_params(tensors | {name: tensors[name] + 1}, BERT)
    without = {name: w for name, w in tensors.items() if name not in (output, bias)}
    assert "mlm" in bert_params(without, BERT)
    with pytest.raises(ValueError, match="decoder.weight is missing, though tie_word_embeddings is false"):
        bert_params(without, BERT, tied=False)


def test_the_other_head_of_the_pretraining_is_left_out_of_a_masked_lm_only():
    """As in bert-base-uncased: its class has no use for that head."""
    tensors = tensors_of("bert", mlm=True) | {"cls.seq_relationship.bias": np.zeros(2, np.float32)}
    assert "mlm" in bert_params(tensors, BERT, classes=["BertForMaskedLM"])
    with pytest.raises(ValueError, match="seq_relationship"):
        bert_params(tensors, BERT, classes=["BertForSequenceClassification"])


def test_a_classifier_needs_a_pooler():
    tensors = {name: w for name, w in tensors_of("bert").items() if "pooler" not in name}
    with pytest.raises(ValueError, match="a classifier without a pooler"):
        bert_params(tensors, BERT)


def test_a_gain_under_two_names_is_refused():
    tensors = tensors_of("bert")
    twice = tensors | {"bert.embeddings.LayerNorm.gamma": np.ones(24, np.float32)}
    with pytest.raises(ValueError, match="'bert.embeddings.LayerNorm.weight' under an old and a new name"):
        bert_params(twice, BERT)


# ------------------------------------------------------------------------------------------- live models


def test_a_live_model_in_bfloat16_becomes_float32():
    model = to_hf_llama(init_llama(np.random.default_rng(0), LLAMA), LLAMA).to(torch.bfloat16)
    params, _ = from_hf_llama(model)
    assert {w.dtype for w in flatten(params).values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(params["norm"], model.model.norm.weight.float().detach().numpy())


def test_parameters_of_a_live_model_are_copies():
    model = to_hf_gpt2(init_gpt(np.random.default_rng(0), GPT2), GPT2)
    params, _ = from_hf_gpt2(model)
    before = params["blocks"][0]["attn"]["wqkv"].copy()
    with torch.no_grad():
        model.transformer.h[0].attn.c_attn.weight += 1
    np.testing.assert_array_equal(params["blocks"][0]["attn"]["wqkv"], before)
    assert all(w.flags.c_contiguous and w.flags.owndata for w in flatten(params).values())


@pytest.mark.parametrize(
    ("kind", "config", "sizes", "read"),
    [
        (
            "GPT2ForSequenceClassification",
            "GPT2Config",
            {"n_embd": 8, "n_head": 2, "n_layer": 1},
            from_hf_gpt2,
        ),
        ("GPT2DoubleHeadsModel", "GPT2Config", {"n_embd": 8, "n_head": 2, "n_layer": 1}, from_hf_gpt2),
        ("LlamaForSequenceClassification", "LlamaConfig", {"tie_word_embeddings": True}, from_hf_llama),
        ("LlamaModel", "LlamaConfig", {}, from_hf_llama),
        ("Qwen2ForTokenClassification", "Qwen2Config", {}, from_hf_llama),
        ("BertForTokenClassification", "BertConfig", {}, from_hf_bert),
        ("BertForQuestionAnswering", "BertConfig", {}, from_hf_bert),
        ("DistilBertModel", "DistilBertConfig", {"dim": 8, "n_heads": 2, "n_layers": 1}, from_hf_bert),
        ("RobertaModel", "RobertaConfig", {}, from_hf_bert),
    ],
)
def test_live_models_with_other_heads_are_refused(kind, config, sizes, read):
    import transformers

    if "n_embd" not in sizes and "dim" not in sizes:
        sizes = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1} | sizes
        sizes |= {"intermediate_size": 8, "num_key_value_heads": 2}
    model = getattr(transformers, kind)(getattr(transformers, config)(vocab_size=9, pad_token_id=0, **sizes))
    with pytest.raises(ValueError, match=r"nothing here reads|lacks the weight|not supported here|of type"):
        read(model)
