"""Refusals that many functions share: a seed instead of a generator, parameters of another model."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit import batching, bert, images, llama, losses, text, training, transformer
from fmkit.llama import LlamaConfig

pytestmark = pytest.mark.usefixtures("as_a_learner")
CONFIG = LlamaConfig(vocab_size=7, block_size=8, n_layers=1, n_heads=2, n_kv_heads=1, d_model=8, d_ff=16)
BERT = bert.BertConfig(7, 8, 1, 2, 8, 16)
IDS = np.array([[3, 1, 4]])
GREY = np.ones((4, 4))


@pytest.mark.parametrize(
    "call",
    [
        lambda: text.split_by_group(["a", "b"], (0.5, 0.5), 0),
        lambda: text.random_deletion(["a", "b"], 0.5, 0),
        lambda: text.random_swap(["a", "b"], 1, 0),
        lambda: images.random_crop(GREY, 2, 2, 0),
        lambda: images.add_noise(GREY, 0.1, 0),
        lambda: next(training.batches(np.arange(9), 2, 3, 0)),
        lambda: transformer.init_gpt(0, transformer.Config(7, 8, 1, 2, 8, 16)),
        lambda: bert.init_bert(0, BERT),
        lambda: llama.init_llama(0, CONFIG),
    ],
)
def test_a_seed_is_no_generator(call):
    with pytest.raises(
        TypeError, match=r"rng: expected a numpy.random.Generator, got 0; np.random.default_rng"
    ):
        call()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"qk_norm": True}, "qk_norm: expected False, as the params, got True"),
        ({"qkv_bias": True}, "qkv_bias: expected False, as the params, got True"),
        ({"n_layers": 2}, "params: expected 2 blocks, got 1"),
        ({"vocab_size": 9}, r"wte: expected \(V, C\) = \(9, 8\), got \(7, 8\)"),
        ({"tied": False}, "tied: expected True, as the params, got False"),
    ],
)
def test_a_llamas_parameters_are_its_configs(changed, message):
    params = llama.init_llama(np.random.default_rng(0), CONFIG)
    with pytest.raises(ValueError, match=message):
        llama.llama(params, IDS, replace(CONFIG, **changed))


def test_a_head_that_is_not_there_is_named():
    params = bert.init_bert(np.random.default_rng(0), BERT)
    mask = np.ones_like(IDS)
    with pytest.raises(
        ValueError, match=r"params: expected the head of init_bert\(..., mlm=True\), got none"
    ):
        bert.mlm_loss(params, IDS, mask, 0 * IDS, IDS, BERT)
    with pytest.raises(
        ValueError, match=r"params: expected the head of init_bert\(..., n_classes=2\), got none"
    ):
        bert.classification_loss(params, IDS, mask, 0 * IDS, np.array([0]), BERT)


def test_a_batch_is_not_one_text_and_a_number_no_key():
    with pytest.raises(TypeError, match=r"ids: expected whole numbers, the ids of one text, got \[1, 2, 3\]"):
        batching.truncate([[1, 2, 3], [4, 5, 6]], 1)
    with pytest.raises(TypeError, match="keys: expected one str, got an int"):
        text.split_by_hash([1, 2], (0.5, 0.5))


def test_what_is_no_probability_has_no_divergence():
    half = np.log(np.full((1, 2), 0.5))
    with pytest.raises(ValueError, match="p: expected probabilities, 0 to 1, got -2.3"):
        losses.kl_divergence(np.array([[0.9, 0.1]]), np.log(np.array([[0.1, 0.2]])))
    assert losses.kl_divergence(half, np.full((1, 2), 0.5))[0] == 0
