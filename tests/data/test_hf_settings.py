"""Each setting of Hugging Face's that changes the numbers is taken over or refused, on disk and live."""

import json

import numpy as np
import pytest

from fmkit.bert import bert
from fmkit.data.hf_settings import bert_config, gpt2_config, llama_config
from fmkit.data.pretrained import load_bert, load_gpt2, load_llama
from fmkit.llama import RopeScaling, llama
from fmkit.transformer import gpt
from fmkit.twins.huggingface import from_hf_bert, from_hf_gpt2, from_hf_llama

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

NO_TOKENS = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
GPT2 = {"vocab_size": 20, "n_positions": 8, "n_embd": 8, "n_layer": 2, "n_head": 2} | NO_TOKENS
BERT = {
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
}
LLAMA = BERT | {"num_key_value_heads": 1} | NO_TOKENS
IDS = np.array([[3, 1, 4, 1, 5, 9, 2]])
ROPE = {"rope_type": "llama3", "rope_theta": 50.0, "factor": 8.0, "low_freq_factor": 0.1}
ROPE |= {"high_freq_factor": 0.6, "original_max_position_embeddings": 8}


def make(kind, config, **settings):
    torch.manual_seed(0)
    model = getattr(transformers, kind)(getattr(transformers, config)(**settings)).eval()
    for w in model.parameters():  # nothing at 0 or 1
        w.data = w.data * 5 + 0.2 * torch.randn_like(w)
    return model


def gpt2(kind="GPT2LMHeadModel", **settings):
    return make(kind, "GPT2Config", **GPT2 | settings)


def bert_model(kind="BertModel", **settings):
    return make(kind, "BertConfig", **BERT | settings)


def llama_model(kind="Llama", **settings):
    return make(f"{kind}ForCausalLM", f"{kind}Config", **LLAMA | settings)


def both_ways(model, load, from_hf, folder):
    """What the folder gives and what the model in memory gives: the same."""
    model.save_pretrained(folder)
    params, config = from_hf(model)
    loaded, loaded_config = load(folder)
    assert loaded_config == config
    return [(params, config), (loaded, loaded_config)]


def refused_both_ways(model, load, from_hf, folder, message):
    model.save_pretrained(folder)
    with pytest.raises(ValueError, match=message):
        from_hf(model)
    with pytest.raises(ValueError, match=message):
        load(folder)


# ------------------------------------------------------------------------------------------------------ GPT-2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx = True"),
        ({"scale_attn_weights": False}, "scale_attn_weights = False"),
        ({"reorder_and_upcast_attn": True}, "reorder_and_upcast_attn = True"),
        ({"add_cross_attention": True}, "add_cross_attention = True"),
        ({"activation_function": "gelu"}, "activation_function = 'gelu'"),
        ({"activation_function": "relu"}, "activation_function = 'relu'"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon = 1e-06"),
        ({"is_causal": False}, "is_causal = False"),
    ],
)
def test_gpt2_settings_that_are_refused(tmp_path, settings, message):
    refused_both_ways(gpt2(**settings), load_gpt2, from_hf_gpt2, tmp_path, message)


@pytest.mark.parametrize(
    "settings",
    [
        {"activation_function": "gelu_pytorch_tanh"},
        {"activation_function": "gelu_fast"},
        {"activation_function": "gelu_accurate"},
        {"n_inner": 20},
        {"tie_word_embeddings": False},
        {"attn_pdrop": 0.5, "summary_type": "mean"},
    ],
)
def test_gpt2_settings_that_are_taken_over(tmp_path, settings):
    model = gpt2(**settings)
    with torch.no_grad():
        expected = model(torch.from_numpy(IDS)).logits.numpy()
    for params, config in both_ways(model, load_gpt2, from_hf_gpt2, tmp_path):
        np.testing.assert_allclose(gpt(params, IDS, config)[0], expected, atol=2e-4)


def test_a_gpt2_without_its_head(tmp_path):
    model = gpt2("GPT2Model")
    for params, config in both_ways(model, load_gpt2, from_hf_gpt2, tmp_path):
        with torch.no_grad():
            expected = (model(torch.from_numpy(IDS)).last_hidden_state @ model.wte.weight.T).numpy()
        np.testing.assert_allclose(gpt(params, IDS, config)[0], expected, atol=2e-4)


# ------------------------------------------------------------------------------------------------------- BERT


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("BertModel", {"is_decoder": True}, "is_decoder = True"),
        ("BertLMHeadModel", {"is_decoder": True}, "is_decoder = True"),
        ("BertModel", {"is_decoder": True, "add_cross_attention": True}, "is_decoder = True"),
        ("BertModel", {"hidden_act": "relu"}, "hidden_act = 'relu'"),
        ("BertModel", {"hidden_act": "gelu_new"}, "hidden_act = 'gelu_new'"),
        ("BertModel", {"position_embedding_type": "relative_key"}, "'relative_key' is not supported"),
        (
            "BertForQuestionAnswering",
            {},
            "BertForQuestionAnswering is not supported here, only 'BertModel'",
        ),
        (
            "BertForMaskedLM",
            {"tie_word_embeddings": False},
            "cls.predictions.decoder.weight is not the same as",
        ),
        ("BertForNextSentencePrediction", {}, "BertForNextSentencePrediction"),
        ("BertForPreTraining", {}, "BertForPreTraining"),
        ("BertForTokenClassification", {}, "BertForTokenClassification"),
    ],
)
def test_bert_settings_that_are_refused(tmp_path, kind, settings, message):
    refused_both_ways(bert_model(kind, **settings), load_bert, from_hf_bert, tmp_path, message)


@pytest.mark.parametrize(
    "settings", [{}, {"hidden_act": "gelu_python"}, {"layer_norm_eps": 0.1}, {"type_vocab_size": 1}]
)
@pytest.mark.parametrize("kind", ["BertModel", "BertForMaskedLM", "BertForSequenceClassification"])
def test_bert_settings_that_are_taken_over(tmp_path, settings, kind):
    model = bert_model(kind, **settings)
    encoder = getattr(model, "bert", model)
    with torch.no_grad():
        expected = encoder(torch.from_numpy(IDS)).last_hidden_state.numpy()
    for params, config in both_ways(model, load_bert, from_hf_bert, tmp_path):
        hidden, _ = bert(params, IDS, np.ones_like(IDS), np.zeros_like(IDS), config)
        np.testing.assert_allclose(hidden, expected, atol=2e-4)


# ------------------------------------------------------------------------------------------------------ Llama


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("Mistral", {"sliding_window": 4}, "a model of type 'mistral', not 'llama' or 'qwen2' or 'qwen3'"),
        ("Granite", {"residual_multiplier": 0.5}, "'granite'"),
        ("Gemma", {"head_dim": 8}, "'gemma'"),
        ("Olmo2", {}, "'olmo2'"),
        ("Llama", {"attention_bias": True}, "attention_bias = True"),
        ("Llama", {"mlp_bias": True}, "mlp_bias = True"),
        ("Llama", {"hidden_act": "gelu"}, "hidden_act = 'gelu'"),
        ("Llama", {"is_causal": False}, "is_causal = False"),
        (
            "Llama",
            {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}},
            "rope_type = 'lin",
        ),
        (
            "Llama",
            {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}},
            "rope_type = 'dy",
        ),
        (
            "Llama",
            {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}},
            "rope_type = 'yarn'",
        ),
        ("Qwen3", {"attention_bias": True, "head_dim": 8}, "attention_bias = True"),
        (
            "Qwen3",
            {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
            "use_sliding_window",
        ),
        (
            "Qwen2",
            {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
            "use_sliding_window",
        ),
    ],
)
def test_llama_settings_that_are_refused(tmp_path, kind, settings, message):
    refused_both_ways(llama_model(kind, **settings), load_llama, from_hf_llama, tmp_path, message)


@pytest.mark.parametrize(
    ("kind", "settings", "took"),
    [
        ("Llama", {"hidden_act": "swish"}, {}),
        ("Llama", {"tie_word_embeddings": True}, {"tied": True}),
        ("Llama", {"head_dim": 6}, {"head_dim": 6}),
        ("Llama", {"rms_norm_eps": 0.1}, {"eps": 0.1}),
        (
            "Llama",
            {"rope_parameters": ROPE},
            {"rope_scaling": RopeScaling(8.0, 0.1, 0.6, 8), "rope_base": 50.0},
        ),
        ("Llama", {"rope_scaling": ROPE | {"rope_theta": 7.0}}, {"rope_base": 7.0}),
        ("Qwen2", {}, {"qkv_bias": True, "tied": False, "qk_norm": False}),
        (
            "Qwen2",
            {"tie_word_embeddings": True, "rope_parameters": ROPE},
            {"qkv_bias": True, "rope_base": 50.0},
        ),
        ("Qwen2", {"head_dim": 6}, {"head_dim": 6}),
        ("Qwen3", {}, {"head_dim": 128, "qk_norm": True}),
        ("Qwen3", {"head_dim": 4, "tie_word_embeddings": True}, {"head_dim": 4, "tied": True}),
        ("Qwen3", {"head_dim": 8, "rope_parameters": ROPE}, {"head_dim": None, "rope_base": 50.0}),
    ],
)
def test_llama_settings_that_are_taken_over(tmp_path, kind, settings, took):
    model = llama_model(kind, **settings)
    with torch.no_grad():
        expected = model(torch.from_numpy(IDS)).logits.numpy()
    for params, config in both_ways(model, load_llama, from_hf_llama, tmp_path):
        assert {name: getattr(config, name) for name in took} == took
        np.testing.assert_allclose(llama(params, IDS, config)[0], expected, atol=1e-3)


# ------------------------------------------------------------------- settings that no class lets through


SETTINGS = {
    gpt2_config: {"model_type": "gpt2"} | GPT2,
    bert_config: {"model_type": "bert"} | BERT,
    llama_config: {"model_type": "llama"} | LLAMA,
}


@pytest.mark.parametrize(
    ("read", "change", "message"),
    [
        (gpt2_config, {"model_type": None}, "a model of type None, not 'gpt2'"),
        (gpt2_config, {"scale_attn_weights": None}, "scale_attn_weights = None"),
        (gpt2_config, {"n_embd": None}, r"its settings \(config.json\) lack 'n_embd'"),
        (gpt2_config, {"n_head": 3}, "n_head = 3 does not divide n_embd = 8"),
        (gpt2_config, {"n_layer": 0}, "n_layer has to be a whole number from 1 on, got 0"),
        (gpt2_config, {"n_inner": 2.5}, "n_inner has to be a whole number from 1 on, got 2.5"),
        (
            gpt2_config,
            {"tie_word_embeddings": "yes"},
            "tie_word_embeddings has to be true or false, got 'yes'",
        ),
        (bert_config, {"hidden_size": None}, "lack 'hidden_size'"),
        (bert_config, {"num_attention_heads": 3}, "num_attention_heads = 3 does not divide hidden_size = 16"),
        (bert_config, {"layer_norm_eps": "tiny"}, "layer_norm_eps has to be a number"),
        (bert_config, {"add_cross_attention": True}, "add_cross_attention = True"),
        (bert_config, {"is_encoder_decoder": True}, "is_encoder_decoder = True"),
        (
            bert_config,
            {"architectures": ["JinaBertForMaskedLM"]},
            "JinaBertForMaskedLM is not supported here",
        ),
        (llama_config, {"hidden_size": None}, "lack 'hidden_size'"),
        (
            llama_config,
            {"num_attention_heads": None, "num_key_value_heads": None},
            "lack 'num_attention_heads'",
        ),
        (llama_config, {"hidden_size": "16"}, "hidden_size has to be a whole number"),
        (
            llama_config,
            {"num_attention_heads": 3, "num_key_value_heads": 3},
            "3 does not divide hidden_size = 16",
        ),
        (
            llama_config,
            {"num_attention_heads": 4, "num_key_value_heads": 3},
            "n_kv_heads: expected a divisor",
        ),
        (llama_config, {"head_dim": 7}, "even head width, got 7"),
        (llama_config, {"head_dim": 0}, "head_dim has to be a whole number from 2 on, got 0"),
        (
            llama_config,
            {"layer_types": ["full_attention", "sliding_attention"]},
            "layer_types has 'sliding_att",
        ),
        (llama_config, {"partial_rotary_factor": 0.5}, "partial_rotary_factor = 0.5"),
        (llama_config, {"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor = 0.5"),
        (llama_config, {"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_type = 'linear'"),
        (llama_config, {"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}, "one for all layers"),
        (
            llama_config,
            {"rope_scaling": {"rope_type": "llama3", "factor": 8.0}},
            "need a number low_freq_factor, got None",
        ),
        (llama_config, {"rope_scaling": ROPE | {"high_freq_factor": 0.1}}, "expected low < high"),
        (llama_config, {"quantization_config": {"bits": 4}}, "a model with quantization_config is not"),
        (
            llama_config,
            {"per_layer_config": {"0": {"hidden_size": 8}}},
            "a model with per_layer_config is not",
        ),
    ],
)
def test_settings_that_make_no_model_here(read, change, message):
    assert read(SETTINGS[read]) is not None
    with pytest.raises(ValueError, match=f"^here.*{message}"):
        read(SETTINGS[read] | change, "here")


def test_defaults_are_hugging_faces():
    """A config.json may leave out what stands at its default."""
    bare = {name: value for name, value in LLAMA.items() if name not in NO_TOKENS}
    for kind, longest in [("llama", 2048), ("qwen2", 32768), ("qwen3", 32768)]:
        ours = {name: n for name, n in bare.items() if name != "max_position_embeddings"}
        config = llama_config(ours | {"model_type": kind})
        assert (config.block_size, config.eps, config.rope_base, config.tied) == (longest, 1e-6, 1e4, False)
    wide = bare | {"num_attention_heads": 32, "hidden_size": 128, "num_key_value_heads": None}
    assert llama_config(wide | {"model_type": "llama"}).n_kv_heads == 32
    del wide["num_key_value_heads"]
    assert llama_config(wide | {"model_type": "qwen2"}).n_kv_heads == 32
    assert llama_config(wide | {"model_type": "llama"}).n_kv_heads == 32
    assert bert_config({"model_type": "bert"} | BERT).eps == 1e-12
    assert gpt2_config({"model_type": "gpt2"} | GPT2).d_ff == 32


def test_the_length_of_the_first_training_is_found_where_hugging_face_finds_it():
    scaling = {name: x for name, x in ROPE.items() if name != "original_max_position_embeddings"}
    settings = {"model_type": "llama"} | LLAMA
    assert llama_config(settings | {"rope_scaling": scaling}).rope_scaling.block_size == 16
    assert llama_config(settings | {"rope_scaling": ROPE}).rope_scaling.block_size == 8
    outside = settings | {"rope_scaling": ROPE, "original_max_position_embeddings": 4}
    assert llama_config(outside).rope_scaling.block_size == 4
    for c in (settings | {"rope_scaling": scaling}, outside):
        theirs = transformers.LlamaConfig(**{k: v for k, v in c.items() if k != "model_type"})
        transformers.models.llama.modeling_llama.LlamaRotaryEmbedding(theirs)  # settles it
        ours = llama_config(c).rope_scaling
        assert theirs.rope_parameters["original_max_position_embeddings"] == ours.block_size


def test_a_config_that_is_no_config(tmp_path):
    for text, message in [("{", "not valid JSON"), ("[1]", "holds a list"), (json.dumps({}), "of type None")]:
        (tmp_path / "config.json").write_text(text)
        for load in (load_bert, load_gpt2, load_llama):
            with pytest.raises(ValueError, match=message):
                load(tmp_path)
