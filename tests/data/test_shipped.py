"""The packaged Shakespeare model: small, whole, as good as its record says, made by one of the recipes."""

import numpy as np
import pytest

from fmkit._paths import WEIGHTS
from fmkit.data.datasets import shakespeare_splits
from fmkit.data.shipped import load_shakespeare, shakespeare_facts
from fmkit.errors import AssetError
from fmkit.folded import fold_llama, folded_llama_step
from fmkit.generation import generate
from fmkit.llama import llama, llama_step
from fmkit.losses import cross_entropy
from fmkit.params import count, flatten
from fmkit.tokenizers import UNK


@pytest.fixture(scope="module")
def shipped():
    return load_shakespeare()


def test_the_files_are_small_and_say_how_they_were_made(shipped):
    params, config, tokenizer = shipped
    facts = shakespeare_facts()
    assert (WEIGHTS / "shakespeare.safetensors").stat().st_size <= 4e6
    assert {w.dtype for w in flatten(params).values()} == {np.dtype("float32")}
    assert count(params) == facts["parameters"]
    assert tokenizer.vocab_size == config.vocab_size
    assert {"command", "recipe", "seed", "steps", "val_loss", "cpu_seconds", "versions"} <= facts.keys()


def test_the_recipe_is_the_one_of_today():
    pytest.importorskip("torch")
    from fmkit.runs.pretraining.recipes import SHAKESPEARE, Recipe

    assert Recipe(**shakespeare_facts()["recipe"]) == SHAKESPEARE  # a newer field is as if it were not there


def validation_loss(params, config, ids):
    """In NumPy alone: windows side by side, every token but the first scored."""
    T, nats, n = config.block_size, 0.0, len(ids) - 1
    whole = ids[: n // T * T].reshape(-1, T), ids[1 : n // T * T + 1].reshape(-1, T)
    rest = ids[n // T * T : -1][None], ids[n // T * T + 1 :][None]
    pieces = [(whole[0][i : i + 8], whole[1][i : i + 8]) for i in range(0, len(whole[0]), 8)]
    for x, y in [*pieces, rest]:
        if y.size:
            logits, _ = llama(params, x, config)
            nats += float(cross_entropy(logits.reshape(y.size, -1), y.reshape(-1))[0]) * y.size
    return nats / n


@pytest.mark.slow
def test_its_validation_loss_is_what_the_record_says(shipped):
    try:
        _, val, _ = shakespeare_splits()
    except AssetError as error:
        pytest.skip(str(error))
    params, config, tokenizer = shipped
    loss = validation_loss(params, config, np.array(tokenizer.encode(val)))
    assert loss == pytest.approx(shakespeare_facts()["val_loss"], abs=1e-3)


def test_any_text_can_be_a_prompt(shipped):
    params, config, tokenizer = shipped
    prompt = tokenizer.encode("Zürich, 世界 🎭\n")
    assert tokenizer.decode(prompt).count(UNK) >= 3
    out = tokenizer.decode(generate(llama_step, params, prompt, config, 20))
    assert len(out) == 20 and UNK not in out


def test_hugging_face_and_the_short_step_give_the_same_tokens(shipped):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from fmkit.twins.huggingface import to_hf_llama

    params, config, tokenizer = shipped
    prompt = tokenizer.encode("MACBETH:\n")
    ours = list(generate(llama_step, params, prompt, config, 64))
    assert list(generate(folded_llama_step, fold_llama(params, config), prompt, config, 64)) == ours
    hf = to_hf_llama(params, config)
    ids = torch.tensor([prompt])
    out = hf.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, do_sample=False, pad_token_id=0
    )
    assert out[0, len(prompt) :].tolist() == ours
