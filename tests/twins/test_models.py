"""The torch models are the NumPy models; Hugging Face's are too; and no device is ever taken for granted."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit.bert import BertConfig, bert, classification_head, init_bert, mlm_head
from fmkit.llama import LlamaConfig, RopeScaling, init_llama, llama, llama_backward
from fmkit.params import flatten, tree_map, unflatten
from fmkit.transformer import Config, gpt, init_gpt
from fmkit.twins.cases.transformer import shake

torch = pytest.importorskip("torch")

from fmkit.twins.models import GPT, Bert, Llama, from_params, to_params  # noqa: E402

GPT_CONFIG = Config(vocab_size=23, block_size=10, n_layers=2, n_heads=4, d_model=16, d_ff=40)
LLAMA_CONFIG = LlamaConfig(
    vocab_size=23, block_size=10, n_layers=2, n_heads=6, n_kv_heads=3, d_model=24, d_ff=40, rope_base=50.0
)
BERT_CONFIG = BertConfig(
    vocab_size=23, block_size=10, n_layers=2, n_heads=4, d_model=16, d_ff=40, n_segments=3
)
IDS = np.random.default_rng(1).integers(0, 23, (3, 7))
MASK = (np.arange(7) < np.array([[7], [4], [5]])).astype(int)
SEGMENTS = np.arange(7) // 3 * np.ones((3, 1), int)
BERT_INPUTS = [torch.from_numpy(a) for a in (IDS, MASK, SEGMENTS)]


@pytest.fixture
def rng():
    return np.random.default_rng(666)


def close(ours, theirs, tolerance=1e-5):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


def float32(params):
    return tree_map(lambda w: w.astype(np.float32), params)


# ----------------------------------------------------------------------------------------- to and from NumPy


@pytest.mark.parametrize("tied", [True, False])
def test_gpt_is_the_reference(rng, tied):
    config = replace(GPT_CONFIG, tied=tied)
    params = shake(rng, init_gpt(rng, config))
    model = from_params(params, config)
    assert model.state_dict().keys() == GPT(config).state_dict().keys() == flatten(params).keys()
    close(gpt(params, IDS, config)[0], model(torch.from_numpy(IDS)), 1e-11)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"qk_norm": True},
        {"qk_norm": True, "head_dim": 10},
        {"qkv_bias": True},
        {"qkv_bias": True, "qk_norm": True},
        {"rope_scaling": RopeScaling(factor=8.0, low=0.1, high=0.6, block_size=8), "head_dim": 8},
    ],
    ids=lambda kind: " ".join(kind) or "plain",
)
def test_llama_is_the_reference(rng, kind, tied):
    config = replace(LLAMA_CONFIG, **kind, tied=tied)
    params = shake(rng, init_llama(rng, config))
    model = from_params(params, config)
    assert model.state_dict().keys() == Llama(config).state_dict().keys() == flatten(params).keys()
    logits, cache = llama(params, IDS, config)
    expected = model(torch.from_numpy(IDS))
    close(logits, expected, 1e-10)
    dlogits = rng.standard_normal(logits.shape)
    expected.backward(torch.from_numpy(dlogits))
    theirs = unflatten({name: w.grad.numpy() for name, w in model.named_parameters()})
    ours = llama_backward(dlogits, cache)
    tree_map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9), ours, theirs)


@pytest.mark.parametrize("heads", [{}, {"mlm": True}, {"n_classes": 4}])
def test_bert_is_the_reference(rng, heads):
    params = shake(rng, init_bert(rng, BERT_CONFIG, **heads))
    model = from_params(params, BERT_CONFIG)
    assert model.state_dict().keys() == flatten(params).keys()
    hidden, _ = bert(params, IDS, MASK, SEGMENTS, BERT_CONFIG)
    close(hidden, model(*BERT_INPUTS), 1e-10)
    if "mlm" in heads:
        close(mlm_head(hidden, params["mlm"], params["wte"])[0], model.mlm_logits(*BERT_INPUTS), 1e-10)
    if "n_classes" in heads:
        logits, _ = classification_head(hidden, params["pooler"], params["classifier"])
        close(logits, model.class_logits(*BERT_INPUTS), 1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_come_back_the_same_and_independent(rng, dtype):
    params = init_bert(rng, BERT_CONFIG, mlm=True, n_classes=2, dtype=dtype)
    before = tree_map(np.copy, params)
    model = from_params(params, BERT_CONFIG)
    back = to_params(model)
    tree_map(np.testing.assert_array_equal, back, params)
    assert {w.dtype for w in flatten(back).values()} == {np.dtype(dtype)}
    with torch.no_grad():
        for w in model.parameters():
            w += 1.0
    tree_map(np.testing.assert_array_equal, back, before)
    tree_map(np.testing.assert_array_equal, params, before)


# --------------------------------------------------------------------------------------------- Hugging Face


@pytest.mark.parametrize("tied", [True, False])
def test_gpt2_of_hugging_face(rng, tied):
    pytest.importorskip("transformers")
    from fmkit.twins.huggingface import from_hf_gpt2, to_hf_gpt2

    config = replace(GPT_CONFIG, tied=tied)
    params = float32(shake(rng, init_gpt(rng, config)))
    model = to_hf_gpt2(params, config)
    close(gpt(params, IDS, config)[0], model(torch.from_numpy(IDS)).logits)
    back, same_config = from_hf_gpt2(model)
    assert same_config == config
    tree_map(np.testing.assert_array_equal, back, params)


def test_a_fresh_gpt2_of_hugging_face_runs_in_numpy():
    transformers = pytest.importorskip("transformers")
    from fmkit.twins.huggingface import from_hf_gpt2

    sizes = {"vocab_size": 23, "n_positions": 10, "n_layer": 2, "n_head": 2, "n_embd": 8}
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)
    ).eval()
    params, config = from_hf_gpt2(model)
    assert config.d_ff == 32
    close(gpt(params, IDS, config)[0], model(torch.from_numpy(IDS)).logits)
    with pytest.raises(ValueError, match="relu"):
        model.config.activation_function = "relu"
        from_hf_gpt2(model)


HF_INPUTS = dict(zip(("input_ids", "attention_mask", "token_type_ids"), BERT_INPUTS, strict=True))


@pytest.mark.parametrize("heads", [{}, {"mlm": True}, {"n_classes": 4}])
def test_bert_of_hugging_face(rng, heads):
    pytest.importorskip("transformers")
    from fmkit.twins.huggingface import from_hf_bert, to_hf_bert

    params = float32(shake(rng, init_bert(rng, BERT_CONFIG, **heads)))
    model = to_hf_bert(params, BERT_CONFIG)
    out = model(**HF_INPUTS)
    hidden, _ = bert(params, IDS, MASK, SEGMENTS, BERT_CONFIG)
    real = MASK == 1
    if "mlm" in heads:
        assert type(model).__name__ == "BertForMaskedLM"
        close(mlm_head(hidden, params["mlm"], params["wte"])[0][real], out.logits[real])
    elif "n_classes" in heads:
        assert type(model).__name__ == "BertForSequenceClassification"
        close(classification_head(hidden, params["pooler"], params["classifier"])[0], out.logits)
    else:
        close(hidden[real], out.last_hidden_state[real])
    back, same_config = from_hf_bert(model)
    assert same_config == BERT_CONFIG
    assert all(w.flags.c_contiguous and w.flags.owndata for w in flatten(back).values())
    tree_map(np.testing.assert_array_equal, back, params)


@pytest.mark.parametrize("kind", ["BertModel", "BertForMaskedLM", "BertForSequenceClassification"])
def test_a_fresh_bert_of_hugging_face_runs_in_numpy(kind):
    transformers = pytest.importorskip("transformers")
    from fmkit.twins.huggingface import from_hf_bert

    sizes = {"vocab_size": 23, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.BertConfig(**sizes, intermediate_size=40, type_vocab_size=3, num_labels=5)
    model = getattr(transformers, kind)(config).eval()
    params, config = from_hf_bert(model)
    hidden, _ = bert(params, IDS, MASK, SEGMENTS, config)
    out = model(**HF_INPUTS)
    real = MASK == 1
    if kind == "BertModel":
        assert "pooler" in params
        close(hidden[real], out.last_hidden_state[real])
    elif kind == "BertForMaskedLM":
        close(mlm_head(hidden, params["mlm"], params["wte"], config.eps)[0][real], out.logits[real])
    else:
        close(classification_head(hidden, params["pooler"], params["classifier"])[0], out.logits)


def test_heads_that_hugging_face_has_no_model_for_are_refused(rng):
    pytest.importorskip("transformers")
    from fmkit.twins.huggingface import to_hf_bert

    with pytest.raises(ValueError, match="both"):
        to_hf_bert(init_bert(rng, BERT_CONFIG, mlm=True, n_classes=2), BERT_CONFIG)


# ------------------------------------------------------------------------------------------------- devices


def backward_on_a_fake_device(make_loss):
    """Run forward and backward on tensors without data, not on the CPU: any mix with CPU tensors raises.

    (The device is "meta": a torch built without CUDA cannot slice or differentiate a fake "cuda" tensor.)
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        model, loss = make_loss(torch.device("meta"))
        loss.backward()
        devices = {tensor.device.type for w in model.parameters() for tensor in (w, w.grad)}
        assert devices == {loss.device.type} == {"meta"}


def fake_ids(device):
    return torch.zeros(3, 7, dtype=torch.long, device=device)


@pytest.mark.parametrize("tied", [True, False])
def test_gpt_runs_on_the_device_it_is_given(tied):
    def make_loss(device):
        model = GPT(replace(GPT_CONFIG, tied=tied), device=device)
        logits = model(fake_ids(device)).flatten(0, 1)
        return model, torch.nn.functional.cross_entropy(logits, fake_ids(device).flatten())

    backward_on_a_fake_device(make_loss)


def test_llama_runs_on_the_device_it_is_given():
    def make_loss(device):
        scaling = RopeScaling(factor=8.0, low=0.1, high=0.6, block_size=8)
        config = replace(LLAMA_CONFIG, qk_norm=True, qkv_bias=True, head_dim=10, rope_scaling=scaling)
        model = Llama(config, device=device)
        return model, model(fake_ids(device)).sum()

    backward_on_a_fake_device(make_loss)


@pytest.mark.parametrize("head", ["mlm", "class"])
def test_bert_runs_on_the_device_it_is_given(head):
    def make_loss(device):
        model = Bert(BERT_CONFIG, mlm=head == "mlm", n_classes=None if head == "mlm" else 2, device=device)
        ids = fake_ids(device)
        logits = (model.mlm_logits if head == "mlm" else model.class_logits)(ids, ids + 1, ids)
        return model, logits.sum()

    backward_on_a_fake_device(make_loss)


class ForgetsAMask(GPT):
    """Makes a tensor of its own in the forward pass, and leaves it on the CPU."""

    def forward(self, ids):
        return super().forward(ids) * torch.ones(ids.shape[1], 1)


class ForgetsAParameter(GPT):
    """Makes one of its parameters without saying where."""

    def __init__(self, config, device=None):
        super().__init__(config, device)
        self.wpe = torch.nn.Parameter(torch.zeros(config.block_size, config.d_model))


@pytest.mark.parametrize("broken", [ForgetsAMask, ForgetsAParameter])
def test_a_model_that_mixes_devices_is_caught(broken):
    def make_loss(device):
        model = broken(GPT_CONFIG, device=device)
        return model, model(fake_ids(device)).sum()

    with pytest.raises(RuntimeError, match="two (different )?devices"):
        backward_on_a_fake_device(make_loss)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_models_on_a_real_gpu_equal_the_reference(rng):
    params = shake(rng, init_gpt(rng, GPT_CONFIG))
    model = from_params(params, GPT_CONFIG, device="cuda")
    logits = model(torch.from_numpy(IDS).to("cuda"))
    assert logits.device.type == "cuda"
    close(gpt(params, IDS, GPT_CONFIG)[0], logits.cpu(), 1e-10)
