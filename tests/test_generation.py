"""Choosing tokens against Hugging Face, generating against recomputing, beams against all texts."""

import itertools
import math

import numpy as np
import pytest

from fmkit.decoding import gpt_step, window_start
from fmkit.folded import fold_gpt, folded_gpt_step
from fmkit.generation import (
    beam_search,
    filter_top_k,
    filter_top_p,
    generate,
    generate_by_recomputing,
    greedy,
    penalise_repetition,
    probabilities,
    sample,
    sampler,
    scale_temperature,
    stream_text,
)
from fmkit.llama import LlamaConfig, init_llama, llama, llama_step
from fmkit.params import tree_map
from fmkit.transformer import Config, gpt, init_gpt

GPT = Config(vocab_size=11, block_size=12, n_layers=2, n_heads=3, d_model=24, d_ff=40)
LLAMA = LlamaConfig(vocab_size=13, block_size=10, n_layers=2, n_heads=6, n_kv_heads=2, d_model=24, d_ff=36)


def spread(params, rng, factor=10.0):
    """Larger weights and gains that are not 1: a fresh model hardly tells tokens and positions apart."""
    return tree_map(lambda w: w * factor + rng.normal(0, 0.1, w.shape).astype(w.dtype), params)


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    return spread(init_gpt(rng, GPT, np.float64), rng)


# ----------------------------------------------------------------------- logits to probabilities


def hf_probs(warpers, logits, ids=(0,)):
    torch = pytest.importorskip("torch")
    scores = torch.from_numpy(logits)[None]
    for warper in warpers:
        scores = warper(torch.tensor([list(ids)]), scores)
    return torch.softmax(scores, -1)[0].numpy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(5))
def test_filters_equal_hugging_face(seed, dtype):
    hf = pytest.importorskip("transformers.generation.logits_process")
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, 37).astype(dtype)
    logits[rng.integers(0, 37, 4)] = -np.inf
    logits[5:8] = logits[5]  # level with each other
    before = logits.copy()
    ids = rng.integers(0, 37, 12).tolist()
    pairs = []
    for t in (0.1, 0.7, 1.0, 3.0):
        pairs.append(({"temperature": t}, [hf.TemperatureLogitsWarper(t)]))
    for k in (1, 2, 10, 37, 50):
        pairs.append(({"top_k": k}, [hf.TopKLogitsWarper(k)]))
    for p in (0.01, 0.3, 0.9, 0.999, 1.0):
        pairs.append(({"top_p": p}, [hf.TopPLogitsWarper(p)]))
    for penalty in (0.8, 1.0, 1.3):
        pairs.append(({"repetition_penalty": penalty}, [hf.RepetitionPenaltyLogitsProcessor(penalty)]))
    settings = {"repetition_penalty": 1.2, "temperature": 0.8, "top_k": 12, "top_p": 0.85}
    everything = [
        hf.RepetitionPenaltyLogitsProcessor(1.2),
        hf.TemperatureLogitsWarper(0.8),
        hf.TopKLogitsWarper(12),
        hf.TopPLogitsWarper(0.85),
    ]
    for ours, theirs in [*pairs, (settings, everything)]:
        got = probabilities(logits, ids, **ours)
        assert got.dtype == dtype
        np.testing.assert_allclose(
            got, hf_probs(theirs, logits, ids), rtol=1e-5, atol=1e-8, err_msg=str(ours)
        )
    np.testing.assert_array_equal(logits, before)


def test_top_p_keeps_the_fewest():
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    for p, kept in [(0.2, 1), (0.49, 1), (0.6, 2), (0.79, 2), (0.81, 3), (0.96, 4), (1.0, 4)]:
        assert np.isfinite(filter_top_p(logits, p)).sum() == kept, p


def test_repetition_penalty_counts_a_token_once():
    logits = np.array([2.0, -2.0, 1.0])
    np.testing.assert_allclose(penalise_repetition(logits, [0, 0, 1, 0], 2.0), [1.0, -4.0, 1.0])


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda x: scale_temperature(x, 0.0), "temperature"),
        (lambda x: scale_temperature(x, -1.0), "temperature"),
        (lambda x: scale_temperature(x, math.nan), "temperature"),
        (lambda x: filter_top_k(x, 0), "top_k"),
        (lambda x: filter_top_k(x, -3), "top_k"),
        (lambda x: filter_top_p(x, 0.0), "top_p"),
        (lambda x: filter_top_p(x, 1.01), "top_p"),
        (lambda x: filter_top_p(x, math.nan), "top_p"),
        (lambda x: penalise_repetition(x, [1], 0.0), "penalty"),
        (lambda x: penalise_repetition(x, [7], 1.2), "vocabulary"),
        (lambda x: penalise_repetition(x, [-1], 1.2), "vocabulary"),
        (lambda x: probabilities(x * math.nan), "finite"),
        (lambda x: probabilities(x + np.array([0, math.inf, 0])), "finite"),
        (lambda x: probabilities(x - math.inf), "finite"),
        (lambda x: greedy(x * math.nan), "finite"),
        (lambda x: sample(np.random.default_rng(0), x * 0), "probabilities"),
        (lambda x: sample(np.random.default_rng(0), x * math.nan), "probabilities"),
        (lambda x: sample(np.random.default_rng(0), np.array([1.0, -0.5, 0.5])), "probabilities"),
    ],
)
def test_senseless_settings_and_logits_are_refused(call, what):
    with pytest.raises(ValueError, match=what):
        call(np.array([1.0, 2.0, 3.0]))


def test_greedy_takes_the_first_of_the_best():
    assert greedy(np.array([0.0, 5.0, 5.0, -np.inf])) == 1


def test_sample_draws_by_the_probabilities():
    probs = np.array([0.0, 0.1, 0.0, 0.6, 0.3, 0.0], np.float32)
    rng = np.random.default_rng(0)
    counts = np.bincount([sample(rng, probs) for _ in range(20000)], minlength=6)
    assert counts[[0, 2, 5]].sum() == 0
    np.testing.assert_allclose(counts / 20000, probs, atol=4 * math.sqrt(0.25 / 20000))
    assert sample(rng, np.array([0.0, 0.0, 1.0])) == 2


# ----------------------------------------------------------------------- generating


@pytest.mark.parametrize("n_prompt", [1, 4, 11, 12, 13, 40])
def test_gpt_with_a_cache_equals_recomputing(model, n_prompt):
    prompt = np.random.default_rng(n_prompt).integers(0, 11, n_prompt).tolist()
    given = list(prompt)
    expected = list(generate_by_recomputing(gpt, model, prompt, GPT, 30))
    assert len(set(expected)) > 2  # not stuck on a token, which any bug could imitate
    assert list(generate(gpt_step, model, prompt, GPT, 30)) == expected
    assert list(generate(folded_gpt_step, fold_gpt(model, GPT), prompt, GPT, 30)) == expected
    assert prompt == given


@pytest.mark.parametrize("n_prompt", [1, 3, 10, 11, 25])
def test_llama_with_a_cache_equals_recomputing(n_prompt):
    rng = np.random.default_rng(8)
    params = spread(init_llama(rng, LLAMA, np.float64), rng)
    prompt = rng.integers(0, 13, n_prompt)
    expected = list(generate_by_recomputing(llama, params, prompt, LLAMA, 25))
    assert len(set(expected)) > 2
    assert list(generate(llama_step, params, prompt, LLAMA, 25)) == expected


def test_sampling_is_repeatable_and_follows_the_seed(model):
    def draw(how, step, seed):
        choose = sampler(np.random.default_rng(seed), temperature=0.9, top_k=6, repetition_penalty=1.1)
        return list(how(step, model, [1, 2], GPT, 25, choose=choose))

    assert draw(generate, gpt_step, 1) == draw(generate_by_recomputing, gpt, 1)
    assert draw(generate, gpt_step, 1) != draw(generate, gpt_step, 2)


def test_gpt_equals_hugging_face(model):
    torch = pytest.importorskip("torch")
    from fmkit.twins.huggingface import to_hf_gpt2

    prompt = [3, 1, 4]
    out = to_hf_gpt2(model, GPT).generate(
        torch.tensor([prompt]), max_new_tokens=9, do_sample=False, pad_token_id=0
    )
    assert list(generate(gpt_step, model, prompt, GPT, 9)) == out[0, 3:].tolist()


def test_window_moves_by_half_a_block():
    assert [window_start(n, 4) for n in range(1, 11)] == [0, 0, 0, 0, 2, 2, 4, 4, 6, 6]
    assert [window_start(n, 1) for n in range(1, 4)] == [0, 1, 2]
    assert all(0 < n - window_start(n, b) <= b for b in range(1, 9) for n in range(1, 40))


def test_tokens_come_one_by_one(model):
    calls = []

    def step(*args):
        calls.append(args[1].shape)
        return gpt_step(*args)

    stream = generate(step, model, [1, 2, 3], GPT, 5)
    assert calls == []
    next(stream)
    assert calls == [(1, 3)]  # the prompt
    next(stream)
    assert calls == [(1, 3), (1, 1)]  # then a token at a time


def test_stop_token_ends_the_text_and_is_not_part_of_it(model):
    free = list(generate(gpt_step, model, [5], GPT, 30))
    stop = free[7]
    expected = free[: free.index(stop)]
    assert list(generate(gpt_step, model, [5], GPT, 30, stop=[stop])) == expected
    assert list(generate_by_recomputing(gpt, model, [5], GPT, 30, stop=[stop])) == expected
    assert list(generate(gpt_step, model, [5], GPT, 0)) == []


def test_empty_prompt_needs_a_token_to_begin_with(model):
    with pytest.raises(ValueError, match="prompt is empty"):
        generate(gpt_step, model, [], GPT, 5)
    assert list(generate(gpt_step, model, [], GPT, 5, bos=4)) == list(generate(gpt_step, model, [4], GPT, 5))


@pytest.mark.parametrize("prompt", [[11], [0, -1], [10**9]])
def test_prompt_outside_the_vocabulary_is_refused_at_once(model, prompt):
    with pytest.raises(ValueError, match="vocabulary"):
        generate(gpt_step, model, prompt, GPT, 5)


def test_senseless_numbers_are_refused(model):
    with pytest.raises(ValueError, match="max_new_tokens"):
        generate(gpt_step, model, [1], GPT, -1)
    broken = tree_map(lambda w: w * math.nan, model)
    with pytest.raises(ValueError, match="finite"):
        list(generate(gpt_step, broken, [1], GPT, 3))


def test_stream_text_waits_for_whole_characters():
    text = "naïve 🙂 日本"
    pieces = list(stream_text(text.encode(), lambda tokens: bytes(tokens).decode(errors="replace")))
    assert pieces == list(text)
    cut = "é".encode()[:1]
    assert list(stream_text(cut, lambda tokens: bytes(tokens).decode(errors="replace"))) == ["\ufffd"]


# ----------------------------------------------------------------------- beam search


def log_prob(params, prompt, new):
    """The sum of the log-probabilities of new tokens, from one plain forward pass."""
    logits = gpt(params, np.array([[*prompt, *new]]), GPT)[0][0]
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return sum(logp[len(prompt) - 1 + i, token] for i, token in enumerate(new))


def test_beam_search_with_room_for_all_finds_the_best_of_all_texts(model):
    texts = list(itertools.product(range(11), repeat=3))
    scores = {text: log_prob(model, [2, 7], text) / 3 for text in texts}
    expected = sorted(texts, key=lambda text: -scores[text])[:5]
    found = beam_search(gpt_step, model, [2, 7], GPT, 3, n_beams=121)
    assert [tuple(text) for text, _ in found[:5]] == expected
    np.testing.assert_allclose([score for _, score in found[:5]], [scores[text] for text in expected])


def test_one_beam_is_greedy_and_more_are_no_worse(model):
    ((text, score),) = beam_search(gpt_step, model, [5], GPT, 8, n_beams=1)
    assert text == list(generate(gpt_step, model, [5], GPT, 8))
    assert beam_search(gpt_step, model, [5], GPT, 8, n_beams=20)[0][1] >= score


@pytest.mark.parametrize("penalty", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("n_beams", [2, 3, 5])
@pytest.mark.parametrize("stop", [(), (4,), (4, 9)])
def test_beam_search_equals_hugging_face(model, n_beams, penalty, stop):
    torch = pytest.importorskip("torch")
    from fmkit.twins.huggingface import to_hf_gpt2

    prompt = [3, 1]
    out = to_hf_gpt2(model, GPT).generate(
        torch.tensor([prompt]),
        max_new_tokens=9,
        num_beams=n_beams,
        num_return_sequences=n_beams,
        do_sample=False,
        length_penalty=penalty,
        eos_token_id=list(stop) or None,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
    )
    found = beam_search(gpt_step, model, prompt, GPT, 9, n_beams=n_beams, length_penalty=penalty, stop=stop)
    np.testing.assert_allclose([score for _, score in found], out.sequences_scores, atol=1e-5)
    for (text, _), theirs in zip(found, out.sequences[:, len(prompt) :].tolist(), strict=True):
        assert theirs[: len(text)] == text
        assert len(text) == len(theirs) or text[-1] in stop  # theirs are padded


def test_beam_search_refuses_what_does_not_fit(model):
    with pytest.raises(ValueError, match="block"):
        beam_search(gpt_step, model, [1] * 10, GPT, 3)
    with pytest.raises(ValueError, match="beam"):
        beam_search(gpt_step, model, [1], GPT, 3, n_beams=0)
    with pytest.raises(ValueError, match="empty"):
        beam_search(gpt_step, model, [], GPT, 3)


def test_beam_search_runs_a_llama():
    rng = np.random.default_rng(1)
    params = spread(init_llama(rng, LLAMA), rng)
    ((text, _),) = beam_search(llama_step, params, [1, 2], LLAMA, 6, n_beams=1)
    assert text == list(generate(llama_step, params, [1, 2], LLAMA, 6))
