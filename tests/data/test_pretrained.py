"""Real models: folders of the three kinds; MiniLM and SmolLM2 through our code and Hugging Face's."""

import json

import numpy as np
import pytest

from fmkit.bert import BertConfig, bert, init_bert
from fmkit.data.datasets import pretrained_path, reviews
from fmkit.data.gguf import convert_smollm2
from fmkit.data.pretrained import load_bert, load_gpt2, load_llama, read_safetensors
from fmkit.decoding import gpt_step
from fmkit.errors import AssetError
from fmkit.generation import generate, stream_text
from fmkit.layers import mean_pool
from fmkit.llama import LlamaConfig, init_llama, llama, llama_step
from fmkit.params import flatten
from fmkit.transformer import Config, init_gpt
from fmkit.twins.huggingface import to_hf_llama

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def asset(name):
    try:
        return pretrained_path(name)
    except AssetError as error:
        pytest.skip(str(error))


def same(got, expected):
    got, expected = flatten(got), flatten(expected)
    assert got.keys() == expected.keys()
    for key, w in expected.items():
        assert got[key].dtype == np.float32
        np.testing.assert_array_equal(got[key], w, err_msg=key)


# ----------------------------------------------------------------------- folders, made here

LLAMA = LlamaConfig(19, 32, n_layers=2, n_heads=6, n_kv_heads=2, d_model=24, d_ff=28, rope_base=777.0)


@pytest.mark.parametrize("tied", [True, False])
def test_llama_folder(tmp_path, tied):
    config = LlamaConfig(**vars(LLAMA) | {"tied": tied})
    params = init_llama(np.random.default_rng(0), config)
    to_hf_llama(params, config).save_pretrained(tmp_path)
    loaded, loaded_config = load_llama(tmp_path)
    assert loaded_config == config
    same(loaded, params)


@pytest.mark.parametrize("heads", [{}, {"mlm": True}, {"n_classes": 3}])
def test_bert_folder(tmp_path, heads):
    from fmkit.twins.huggingface import to_hf_bert

    config = BertConfig(
        vocab_size=19, block_size=16, n_layers=2, n_heads=2, d_model=24, d_ff=20, n_segments=3
    )
    params = init_bert(np.random.default_rng(0), config, **heads)
    to_hf_bert(params, config).save_pretrained(tmp_path)
    loaded, loaded_config = load_bert(tmp_path)
    assert loaded_config == config
    same(loaded, params)


def test_bert_folder_with_the_first_names(tmp_path):
    """The first published BERT calls a norm's gain gamma and its shift beta."""
    from safetensors.numpy import save_file

    from fmkit.twins.huggingface import to_hf_bert

    config = BertConfig(vocab_size=19, block_size=16, n_layers=1, n_heads=2, d_model=24, d_ff=20)
    params = init_bert(np.random.default_rng(0), config)
    to_hf_bert(params, config).save_pretrained(tmp_path)
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    tensors = read_safetensors(tmp_path)
    for new_name, old_name in old.items():
        tensors = {name.replace(new_name, old_name): w for name, w in tensors.items()}
    save_file(tensors, tmp_path / "model.safetensors")
    same(load_bert(tmp_path)[0], params)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("with_head", [True, False])
def test_gpt2_folder(tmp_path, tied, with_head):
    from fmkit.twins.huggingface import to_hf_gpt2

    config = Config(vocab_size=19, block_size=16, n_layers=2, n_heads=3, d_model=24, d_ff=50, tied=tied)
    params = init_gpt(np.random.default_rng(0), config)
    model = to_hf_gpt2(params, config)
    if not with_head:
        model = model.transformer
    model.save_pretrained(tmp_path)
    if not tied and not with_head:
        with pytest.raises(ValueError, match="lm_head"):
            load_gpt2(tmp_path)
        return
    loaded, loaded_config = load_gpt2(tmp_path)
    assert loaded_config == config
    same(loaded, params)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_number_formats_become_float32(tmp_path, dtype):
    from safetensors.torch import save_file

    w = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).to(getattr(torch, dtype))
    save_file({"w": w, "ids": torch.arange(6).reshape(2, 3)}, tmp_path / "a.safetensors")
    got = read_safetensors(tmp_path)
    assert got["w"].dtype == np.float32
    np.testing.assert_array_equal(got["w"], w.float().numpy())
    assert got["ids"].tolist() == [[0, 1, 2], [3, 4, 5]]


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"model_type": "mamba"}, "mamba"),
        ({"hidden_act": "relu"}, "hidden_act"),
        ({"attention_bias": True}, "attention_bias"),
        ({"head_dim": 8}, r"q_proj.weight.T: expected \(C, HD\) = \(24, 48\), got \(24, 24\)"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "rope_type"),
        ({"num_hidden_layers": 3}, "model.layers.2"),
    ],
)
def test_what_we_do_not_know_is_refused(tmp_path, changes, what):
    to_hf_llama(init_llama(np.random.default_rng(0), LLAMA), LLAMA).save_pretrained(tmp_path)
    edit(tmp_path, **changes)
    with pytest.raises(ValueError, match=what):
        load_llama(tmp_path)


# ----------------------------------------------------------------------- several files, damaged files

QWEN2 = LlamaConfig(
    19, 32, n_layers=2, n_heads=4, n_kv_heads=2, d_model=24, d_ff=28, qkv_bias=True, head_dim=10, tied=False
)


@pytest.fixture
def shards(tmp_path):
    """A model in several files with an index, and its parameters."""
    params = init_llama(np.random.default_rng(0), QWEN2)
    to_hf_llama(params, QWEN2).save_pretrained(tmp_path, max_shard_size="8KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    return tmp_path, params


def test_a_model_in_several_files(shards):
    folder, params = shards
    loaded, config = load_llama(folder)
    assert config == QWEN2
    same(loaded, params)
    (folder / "model.safetensors.index.json").unlink()  # not needed if all are there
    same(load_llama(folder)[0], params)


def test_a_missing_shard_is_named(shards):
    folder, _ = shards
    gone = sorted(folder.glob("model-*.safetensors"))[1]
    gone.unlink()
    with pytest.raises(FileNotFoundError, match=f"{gone.name} is missing, with the tensor"):
        load_llama(folder)


def test_a_tensor_in_two_files_is_refused(shards):
    from safetensors.numpy import save_file

    folder, _ = shards
    for name in ("model.safetensors", "adapter.safetensors"):
        save_file({"model.norm.weight": np.ones(24, np.float32)}, folder / name)
        with pytest.raises(ValueError, match="both .* and .* hold the tensor 'model.norm.weight'"):
            load_llama(folder)
        (folder / name).unlink()


def test_a_tensor_that_is_not_where_the_index_says(shards):
    folder, _ = shards
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    files = sorted(set(index["weight_map"].values()))
    index["weight_map"]["model.norm.weight"] = next(
        f for f in files if f != index["weight_map"]["model.norm.weight"]
    )
    path.write_text(json.dumps(index))
    with pytest.raises(ValueError, match="lacks the tensor 'model.norm.weight', which the index puts there"):
        load_llama(folder)


def test_an_index_that_is_left_from_before_is_not_read(shards):
    folder, params = shards
    for path in folder.glob("model-*.safetensors"):
        path.unlink()
    to_hf_llama(params, QWEN2).save_pretrained(folder / "new")
    (folder / "new" / "model.safetensors").rename(folder / "model.safetensors")
    same(load_llama(folder)[0], params)


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1", b"\xff" * 100])
def test_a_damaged_file_is_named(shards, content):
    folder, _ = shards
    sorted(folder.glob("model-*.safetensors"))[0].write_bytes(content)
    with pytest.raises(ValueError, match="model-00001-.* cannot be read"):
        load_llama(folder)


def test_numbers_that_numpy_lacks_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"w": torch.ones(3).to(torch.float8_e4m3fn)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="w holds numbers of type F8_E4M3, which NumPy lacks"):
        read_safetensors(tmp_path)


@pytest.mark.parametrize("kind", ["bool", "uint8", "int16", "int64"])
def test_other_kinds_beside_bfloat16_stay_as_they_are(tmp_path, kind):
    from safetensors.torch import save_file

    w = torch.tensor([0, 1, 1]).to(getattr(torch, kind))
    save_file({"w": w, "half": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "a.safetensors")
    got = read_safetensors(tmp_path)["w"]
    assert got.dtype == kind and got.tolist() == w.tolist()


def test_folder_without_a_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="config.json"):
        load_bert(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_embd": 4, "vocab_size": 5}))
    with pytest.raises(FileNotFoundError, match="safetensors"):
        read_safetensors(tmp_path)


# ----------------------------------------------------------------------- the real MiniLM


@pytest.fixture(scope="module")
def minilm():
    folder = asset("minilm")
    params, config = load_bert(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return params, config, transformers.AutoModel.from_pretrained(folder).eval(), tokenizer


def test_minilm_gives_the_same_hidden_states(minilm):
    params, config, model, tokenizer = minilm
    try:
        rows = reviews()
    except AssetError as error:
        pytest.skip(str(error))
    rng = np.random.default_rng(0)
    for _ in range(3):
        texts = [rows[i][0] for i in rng.integers(0, len(rows), 12)]
        batch = tokenizer(texts, padding=True, return_tensors="np")
        mask = batch["attention_mask"]
        assert (mask == 0).any()
        hidden, _ = bert(params, batch["input_ids"], mask, batch["token_type_ids"], config)
        with torch.no_grad():
            expected = model(**{k: torch.from_numpy(v) for k, v in batch.items()}).last_hidden_state.numpy()
        assert hidden.dtype == np.float32
        np.testing.assert_allclose(hidden[mask == 1], expected[mask == 1], atol=1e-4)


def test_minilm_puts_like_meanings_side_by_side(minilm):
    params, config, _, tokenizer = minilm
    texts = [
        "A man plays the guitar.",
        "Someone is making music on a guitar, outdoors.",
        "Shares fell sharply.",
    ]
    batch = tokenizer(texts, padding=True, return_tensors="np")
    hidden, _ = bert(params, batch["input_ids"], batch["attention_mask"], batch["token_type_ids"], config)
    vectors, _ = mean_pool(hidden, batch["attention_mask"])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.5 > 0.2 > alike[0, 2]


# ----------------------------------------------------------------------- the real SmolLM2


@pytest.fixture(scope="module")
def smollm2():
    folder = asset("smollm2")
    params, config = load_llama(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return params, config, transformers.AutoModelForCausalLM.from_pretrained(folder).eval(), tokenizer


def ask(tokenizer, question):
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False
    )


def hf_greedy(model, prompt, n):
    ids = torch.tensor([prompt])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=n, do_sample=False)
    return [t for t in out[0, len(prompt) :].tolist() if t != model.config.eos_token_id]


def test_smollm2_gives_the_same_logits_and_tokens(smollm2):
    params, config, model, tokenizer = smollm2
    prompt = ask(tokenizer, "What is the capital of France?")
    with torch.no_grad():
        expected = model(torch.tensor([prompt])).logits.numpy()
    logits, _ = llama(params, np.array([prompt]), config)
    np.testing.assert_allclose(logits, expected, atol=1e-3)
    last, _ = llama_step(params, np.array([prompt]), config)
    np.testing.assert_allclose(last, expected[:, -1], atol=1e-3)

    answer = list(generate(llama_step, params, prompt, config, 12, stop=[tokenizer.eos_token_id]))
    assert answer == hf_greedy(model, prompt, 12)
    assert "Paris" in "".join(stream_text(answer, tokenizer.decode))


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    ["Explain in three sentences why the sky is blue.", "Écris un haïku sur la mer 🌊", "12 + 30 = ?"],
)
def test_smollm2_writes_the_same_long_texts(smollm2, question):
    params, config, model, tokenizer = smollm2
    prompt = ask(tokenizer, question)
    answer = list(generate(llama_step, params, prompt, config, 128, stop=[tokenizer.eos_token_id]))
    assert answer == hf_greedy(model, prompt, 128)


def test_smollm2_tokenizer(smollm2):
    *_, tokenizer = smollm2
    for text in ["Hello, world!", "naïve café 🙂 日本語\n\n\tx = 1;", " two  spaces ", ""]:
        assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert len(tokenizer("2025").input_ids) == 4  # every digit is a token of its own
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer("<|im_start|>").input_ids == [tokenizer.bos_token_id] == [1]
    assert tokenizer.eos_token == "<|im_end|>"


def test_gpt_step_runs_a_gpt2_folder(tmp_path):
    from fmkit.twins.huggingface import to_hf_gpt2

    config = Config(vocab_size=19, block_size=16, n_layers=2, n_heads=3, d_model=24, d_ff=50)
    model = to_hf_gpt2(init_gpt(np.random.default_rng(0), config), config)
    model.save_pretrained(tmp_path)
    params, config = load_gpt2(tmp_path)
    out = model.generate(torch.tensor([[1, 2]]), max_new_tokens=6, do_sample=False, pad_token_id=0)
    assert list(generate(gpt_step, params, [1, 2], config, 6)) == out[0, 2:].tolist()


# ------------------------------------------------------------------------------------------------------ GGUF


def write_gguf(path, params, config, pre="smollm"):
    """A tiny Llama as llama.cpp would store it, unquantised."""
    gguf = pytest.importorskip("gguf")
    state = {name: w.numpy() for name, w in to_hf_llama(params, config).state_dict().items()}
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"abcdefghĠ12", "ab", "Ġab", "cd", "abcd", "x"]
    assert len(tokens) == config.vocab_size
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.n_layers)
    writer.add_context_length(config.block_size)
    writer.add_embedding_length(config.d_model)
    writer.add_feed_forward_length(config.d_ff)
    writer.add_head_count(config.n_heads)
    writer.add_head_count_kv(config.n_kv_heads)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_layer_norm_rms_eps(config.eps)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["a b", "Ġ ab", "c d", "ab cd"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    heads = {"q_proj": config.n_heads, "k_proj": config.n_kv_heads}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.n_layers)
    for name, w in state.items():
        if name == "lm_head.weight" and config.tied:
            continue
        for part, n in heads.items():
            if part in name:  # pairs side by side: row i and row i + D/2 become neighbours
                w = np.stack(np.split(w.reshape(n, -1, w.shape[1]), 2, axis=1), axis=2).reshape(w.shape)
        writer.add_tensor(names.get_name(name, (".weight",)), w.copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("tied", [True, False])
def test_gguf_becomes_a_folder(tmp_path, tied):
    config = LlamaConfig(**vars(LLAMA) | {"tied": tied})
    params = init_llama(np.random.default_rng(0), config)
    write_gguf(tmp_path / "tiny.gguf", params, config)
    convert_smollm2(tmp_path / "tiny.gguf", tmp_path / "made")
    loaded, loaded_config = load_llama(tmp_path / "made")
    assert loaded_config == config
    same(loaded, params)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "made")
    ids = np.array([[3, 1, 4, 1, 5]])
    with torch.no_grad():
        expected = model(torch.from_numpy(ids)).logits.numpy()
    np.testing.assert_allclose(llama(loaded, ids, loaded_config)[0], expected, atol=1e-5)

    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "made")
    assert tokenizer.tokenize("abcd ab12<|im_end|>") == ["abcd", "Ġab", "1", "2", "<|im_end|>"]
    assert tokenizer.decode(tokenizer("abcd ab12").input_ids) == "abcd ab12"
    chat = [{"role": "user", "content": "cd"}]
    assert tokenizer.apply_chat_template(chat, tokenize=False) == "cd"


def test_gguf_of_another_kind_is_refused(tmp_path):
    write_gguf(tmp_path / "tiny.gguf", init_llama(np.random.default_rng(0), LLAMA), LLAMA, pre="qwen2")
    with pytest.raises(ValueError, match="qwen2"):
        convert_smollm2(tmp_path / "tiny.gguf", tmp_path / "made")
    assert not (tmp_path / "made").exists()
