"""Choosing tokens against Hugging Face, generating against recomputing, beams against all texts."""

import itertools
import math

import numpy as np
import pytest

from fmkit import generation
from fmkit.decoding import gpt_step, window_start
from fmkit.folded import fold_gpt, folded_gpt_step
from fmkit.generation import (
    ban_ngrams,
    beam_search,
    filter_min_p,
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
from fmkit.lab import exercises
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
    for share in (0.0, 0.02, 0.3, 0.9, 1.0):
        pairs.append(({"min_p": share}, [hf.MinPLogitsWarper(share)]))
    for n in (1, 2, 3, 20):
        pairs.append(({"no_repeat_ngram": n}, [hf.NoRepeatNGramLogitsProcessor(n)]))
    for penalty in (0.8, 1.0, 1.3):
        pairs.append(({"repetition_penalty": penalty}, [hf.RepetitionPenaltyLogitsProcessor(penalty)]))
    settings = {"repetition_penalty": 1.2, "no_repeat_ngram": 2, "temperature": 0.8}
    settings |= {"top_k": 12, "top_p": 0.85, "min_p": 0.05}
    everything = [
        hf.RepetitionPenaltyLogitsProcessor(1.2),
        hf.NoRepeatNGramLogitsProcessor(2),
        hf.TemperatureLogitsWarper(0.8),
        hf.TopKLogitsWarper(12),
        hf.TopPLogitsWarper(0.85),
        hf.MinPLogitsWarper(0.05),
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_top_p_has_reached_p_where_only_rounding_is_missing(dtype):
    """Whole numbers over their sum: which sum of the best is exactly p, is known."""
    rng = np.random.default_rng(0)
    for _ in range(1000):
        counts = np.sort(rng.integers(1, 1000, rng.integers(2, 40)))[::-1]
        n = int(rng.integers(1, len(counts)))
        p = int(counts[:n].sum()) / int(counts.sum())
        order = rng.permutation(len(counts))
        logits = (np.log(counts / counts.sum()) + rng.uniform(-5, 5)).astype(dtype)
        kept = filter_top_p(logits[order], p)
        assert kept.dtype == dtype and np.isfinite(kept).sum() == n
        np.testing.assert_array_equal(np.sort(kept[np.isfinite(kept)])[::-1], logits[:n])
        if p > 0.001:
            assert np.isfinite(filter_top_p(logits, p - 1e-4 * counts[-1] / counts.sum())).sum() == n


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_top_p_at_ties_and_ends(dtype):
    level = np.zeros(10, dtype)
    for n in range(1, 10):  # of equally good ones the first
        assert np.flatnonzero(np.isfinite(filter_top_p(level, n / 10))).tolist() == list(range(n))
    assert np.isfinite(filter_top_p(level, 1e-12)).tolist() == [True] + [False] * 9
    rare = np.log(np.array([1 - 5e-7, 5e-7], dtype))
    assert np.isfinite(filter_top_p(rare, 0.9999999)).all()  # the tolerance is smaller than what is missing
    assert np.isfinite(filter_top_p(np.array([3.0, -np.inf, 1.0], dtype), 0.9999)).tolist() == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_min_p_is_a_share_of_the_best(dtype):
    logits = np.log(np.array([0.1, 0.4, 0.3, 0.2], dtype)) + 1000
    for share, kept in [(0.0, "1111"), (0.2, "1111"), (0.4, "0111"), (0.51, "0110"), (1.0, "0100")]:
        out = filter_min_p(logits, share)
        assert out.dtype == dtype and "".join(map(str, np.isfinite(out).astype(int))) == kept, share
    assert np.isfinite(filter_min_p(np.log(np.array([0.5, 0.25, 0.05], dtype)), 0.5)).tolist() == [1, 1, 0]
    assert np.isfinite(filter_min_p(np.zeros(3, dtype), 1.0)).all()
    assert filter_min_p(np.array([0.0, -np.inf], dtype), 0.0).tolist() == [0.0, -np.inf]


def test_n_grams_are_banned_as_by_the_plain_loop():
    rng = np.random.default_rng(5)
    for n in (1, 2, 3, 4):
        for length in (0, 1, 2, 3, 30):
            ids = rng.integers(0, 3, length).tolist()
            banned = {
                ids[i + n - 1] for i in range(length - n + 1) if ids[i : i + n - 1] == ids[length - n + 1 :]
            }
            logits = rng.normal(size=4).astype(np.float32)
            before = logits.copy()
            out = ban_ngrams(logits, ids, n)
            assert out.dtype == np.float32
            np.testing.assert_array_equal(out, [-np.inf if i in banned else z for i, z in enumerate(logits)])
            np.testing.assert_array_equal(logits, before)


def test_a_generated_text_repeats_no_banned_n_gram(model):
    def choose(logits, ids):
        return greedy(ban_ngrams(logits, ids, 2))

    free = [5, *generate(gpt_step, model, [5], GPT, 30)]
    text = [5, *generate(gpt_step, model, [5], GPT, 30, choose=choose)]
    assert len(set(itertools.pairwise(free))) < 30
    assert len(set(itertools.pairwise(text))) == 30


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [9e-4, 1e-38, 1e-40, 1e-46, 5e-324])
def test_a_tiny_temperature_leaves_the_best(dtype, temperature):
    for logits in ([1.0, 2.0, 3.0], [-3.0, -1.0, -2.0], [0.0, 5.0, 5.0, -np.inf], [3e38, 2e38, -3e38]):
        logits = np.array(logits, dtype)
        best = logits == logits.max()
        with np.errstate(all="raise", under="ignore"):
            got = probabilities(logits, temperature=temperature, top_k=3, top_p=0.99)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, best / best.sum())


def test_an_ordinary_temperature_divides_and_nothing_else():
    logits = np.random.default_rng(0).normal(0, 5, 50).astype(np.float32)
    logits[3] = -np.inf
    for temperature in (0.1, 0.7, 1.0, 3.0):
        np.testing.assert_array_equal(scale_temperature(logits, temperature), logits / temperature)


ROW_FUNCTIONS = {
    "scale_temperature": lambda g, x: g.scale_temperature(x, 0.5),
    "filter_top_k": lambda g, x: g.filter_top_k(x, 2),
    "filter_top_k, all": lambda g, x: g.filter_top_k(x, 100),
    "filter_top_p": lambda g, x: g.filter_top_p(x, 0.5),
    "filter_top_p, all": lambda g, x: g.filter_top_p(x, 1.0),
    "filter_min_p": lambda g, x: g.filter_min_p(x, 0.5),
    "penalise_repetition": lambda g, x: g.penalise_repetition(x, [0], 1.2),
    "penalise_repetition, none": lambda g, x: g.penalise_repetition(x, [], 1.0),
    "ban_ngrams": lambda g, x: g.ban_ngrams(x, [0], 1),
    "probabilities": lambda g, x: g.probabilities(x),
    "greedy": lambda g, x: g.greedy(x),
    "sample": lambda g, x: g.sample(np.random.default_rng(0), x),
    "sampler": lambda g, x: g.sampler(np.random.default_rng(0), top_k=1)(x, []),
}


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("name", ROW_FUNCTIONS)
def test_a_batch_of_rows_and_what_is_no_row_are_refused(name):
    call = ROW_FUNCTIONS[name]
    for shape in [(2, 4), (1, 4), (4, 1), (0, 4), (0,), ()]:
        with pytest.raises(ValueError, match=r"(logits|probs): expected \(V,\), of one text.*got \("):
            call(generation, np.ones(shape))
    with pytest.raises(TypeError, match="got a list"):
        call(generation, [0.5, 0.5])
    with pytest.raises(TypeError, match="expected numbers, got <U1"):
        call(generation, np.array(["a", "b"]))
    whole_numbers = call(generation, np.array([1, 2, 3, 0]))
    np.testing.assert_array_equal(whole_numbers, call(generation, np.array([1.0, 2.0, 3.0, 0.0])))


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("ids", [[0.5], ["a"], "a", [[0, 1]], [None]])
def test_ids_that_are_no_tokens_are_refused(ids):
    for call in (
        lambda: generation.penalise_repetition(np.ones(3), ids, 1.2),
        lambda: generation.ban_ngrams(np.ones(3), ids, 2),
    ):
        with pytest.raises((TypeError, ValueError), match=r"tokens are whole|ids: expected (\(T,\)|a list)"):
            call()


def test_repetition_penalty_counts_a_token_once():
    logits = np.array([2.0, -2.0, 1.0])
    np.testing.assert_allclose(penalise_repetition(logits, [0, 0, 1, 0], 2.0), [1.0, -4.0, 1.0])


@pytest.mark.filterwarnings("ignore:overflow")
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
        (lambda x: filter_top_k(x, 0.5), "top_k"),
        (lambda x: filter_top_k(x * math.nan, 2), "finite"),
        (lambda x: filter_top_p(x * math.nan, 0.5), "finite"),
        (lambda x: filter_top_p(x + np.array([0, math.inf, 0]), 1.0), "finite"),
        (lambda x: filter_min_p(x, -0.1), "min_p"),
        (lambda x: filter_min_p(x, 1.01), "min_p"),
        (lambda x: filter_min_p(x, math.nan), "min_p"),
        (lambda x: filter_min_p(x * math.nan, 0.5), "finite"),
        (lambda x: filter_min_p(x + np.array([0, math.inf, 0]), 0.5), "finite"),
        (lambda x: ban_ngrams(x, [1], 0), "n-grams: expected a whole number >= 1"),
        (lambda x: ban_ngrams(x, [1], 1.5), "1.5"),
        (lambda x: ban_ngrams(x, [3], 2), "vocabulary"),
        (lambda x: probabilities(x, [1, 0, 2], no_repeat_ngram=1), "finite"),  # all are ruled out
        (lambda x: probabilities(x, [1], repetition_penalty=1e-320), "finite"),  # 2 / 1e-320 is infinite
        (lambda x: sampler(np.random.default_rng(0), temperature=-1.0), "temperature"),
        (lambda x: sampler(42), "rng"),
        (lambda x: sampler(np.random.default_rng(0), min_p=2.0), "min_p"),
        (lambda x: sampler(np.random.default_rng(0), tempreture=0.5), "tempreture"),
        (lambda x: greedy(x * math.nan), "finite"),
        (lambda x: sample(np.random.default_rng(0), x * 0), "probabilities"),
        (lambda x: sample(np.random.default_rng(0), x * math.nan), "probabilities"),
        (lambda x: sample(np.random.default_rng(0), np.array([1.0, -0.5, 0.5])), "probabilities"),
    ],
)
def test_senseless_settings_and_logits_are_refused(call, what):
    with pytest.raises((ValueError, TypeError), match=what):
        call(np.array([1.0, 2.0, 3.0]))


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    "name", ["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "no_repeat_ngram"]
)
def test_a_setting_that_is_no_number_is_refused_by_name(name):
    said = {"repetition_penalty": "repetition penalty", "no_repeat_ngram": "n-grams"}.get(name, name)
    with pytest.raises(TypeError, match=f"{said}.*: expected a (whole )?number.*, got '2'"):
        generation.sampler(np.random.default_rng(0), **{name: "2"})


def test_greedy_takes_the_first_of_the_best():
    assert greedy(np.array([0.0, 5.0, 5.0, -np.inf])) == 1


def test_sample_draws_by_the_probabilities():
    probs = np.array([0.0, 0.1, 0.0, 0.6, 0.3, 0.0], np.float32)
    rng = np.random.default_rng(0)
    counts = np.bincount([sample(rng, probs) for _ in range(20000)], minlength=6)
    assert counts[[0, 2, 5]].sum() == 0
    np.testing.assert_allclose(counts / 20000, probs, atol=4 * math.sqrt(0.25 / 20000))
    assert sample(rng, np.array([0.0, 0.0, 1.0])) == 2


class LastPoint:
    """Draws the largest number below 1 that there is."""

    def random(self):
        return 1 - 2.0**-53


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    "probs", [[5e-324, 0.0, 0.0], [0.0, 5e-324, 5e-324], [0.3, 0.7, 0.0], [1e300, 7e299]]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_last_point_of_the_line_falls_on_the_last_token_that_has_a_piece(probs, dtype):
    probs = np.array(probs, dtype) if dtype == np.float64 else np.array(probs) / sum(probs)
    last = int(np.flatnonzero(probs)[-1])
    assert generation.sample(LastPoint(), probs.astype(dtype)) == last


@pytest.mark.usefixtures("as_a_learner")
def test_no_last_point_falls_off_the_end():
    rng, draw = np.random.default_rng(0), generation.sample
    for _ in range(2000):
        probs = rng.dirichlet(np.ones(5)).astype(rng.choice([np.float32, np.float64]))
        assert draw(LastPoint(), probs) == 4


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


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("prompt", "settings", "message"),
    [
        ("42", {}, "prompt: expected tokens, got the text '42'; a tokenizer's encode makes them"),
        ("", {"bos": 1}, "prompt: expected tokens, got the text"),
        ([1.9], {}, "prompt: expected whole numbers, the tokens of one text, got 1.9"),
        ([1, 2.0], {}, "prompt: expected whole numbers, the tokens of one text, got 2.0"),
        (["1"], {}, "got '1'"),
        ([[1, 2]], {}, r"got \[1, 2\]"),
        (np.array([[1, 2]]), {}, r"got array\(\[1, 2\]\)"),
        (np.array([1.0]), {}, "got np.float64\\(1.0\\)"),
        (5, {}, r"prompt: expected a list of tokens, got 5; \[5\] is a list of one"),
        (None, {}, "prompt: expected a list of tokens, got None"),
        ([1], {"stop": "."}, "stop: expected tokens, got the text '.'"),
        ([1], {"stop": 3}, r"stop: expected a list of tokens, got 3; \[3\] is a list of one"),
        ([1], {"stop": [1.5]}, "stop: expected whole numbers"),
        ([1], {"stop": [11]}, "vocabulary"),
        ([1], {"stop": [-1]}, "vocabulary"),
        ([], {"bos": 1.5}, "bos: expected whole numbers"),
        ([], {"bos": 11}, "vocabulary"),
        ([True, 0.0], {}, "got 0.0"),
        ([1], {"max_new_tokens": 2.5}, "max_new_tokens: expected a whole number.*, got 2.5"),
        ([1], {"max_new_tokens": None}, "max_new_tokens: expected a whole number.*, got None"),
    ],
)
def test_what_is_no_prompt_is_refused_at_once(model, prompt, settings, message):
    n = settings.pop("max_new_tokens", 3)
    for call in (
        lambda: generation.generate(gpt_step, model, prompt, GPT, n, **settings),
        lambda: next(generation.generate_by_recomputing(gpt, model, prompt, GPT, n, **settings)),
        lambda: generation.beam_search(gpt_step, model, prompt, GPT, n, **settings),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            call()


@pytest.mark.usefixtures("as_a_learner")
def test_a_way_to_choose_that_is_no_function_is_refused_at_once(model):
    with pytest.raises(TypeError, match="choose: expected greedy, or a function .*, got 'greedy'"):
        generation.generate(gpt_step, model, [1], GPT, 3, choose="greedy")
    with pytest.raises(
        TypeError, match="rng: expected a numpy.random.Generator, got 42; np.random.default_rng"
    ):
        generation.sampler(42)


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


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_beams": 1.5}, "n_beams: expected a whole number"),
        ({"n_beams": -1}, "n_beams: expected a whole number >= 1"),
        ({"length_penalty": math.nan}, "length_penalty: expected a number >= -50 and <= 50, got nan"),
        ({"length_penalty": 1e6}, "length_penalty"),
        ({"length_penalty": -math.inf}, "length_penalty"),
        ({"no_repeat_ngram": 0}, "n-grams: expected a whole number >= 1"),
        ({"no_repeat_ngram": 1.5}, "n-grams: expected a whole number"),
    ],
)
def test_beam_search_refuses_settings_out_of_range(model, settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        generation.beam_search(gpt_step, model, [1], GPT, 3, **settings)
    with pytest.raises(ValueError, match="max_new_tokens: expected a whole number >= 1"):
        beam_search(gpt_step, model, [1], GPT, 0)


@pytest.mark.parametrize("n_beams", [1, 3])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [0, 2])
def test_beam_search_refuses_scores_that_are_not_finite(model, value, at, n_beams):
    """In one text of several, at a later step, in one token: as `generate`."""
    steps = itertools.count()

    def step(*args):
        logits, kv = gpt_step(*args)
        if next(steps) == at:
            logits[-1, slice(3, 4) if value > -math.inf or value != value else slice(None)] = value
        return logits, kv

    with pytest.raises(ValueError, match="finite"):
        beam_search(step, model, [1], GPT, 4, n_beams=n_beams)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("n_beams", [2, 4])
def test_beam_search_without_repeats_equals_hugging_face(model, n_beams, n):
    torch = pytest.importorskip("torch")
    from fmkit.twins.huggingface import to_hf_gpt2

    prompt = [3, 1, 3]
    out = to_hf_gpt2(model, GPT).generate(
        torch.tensor([prompt]),
        max_new_tokens=8,
        num_beams=n_beams,
        num_return_sequences=n_beams,
        do_sample=False,
        no_repeat_ngram_size=n,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
    )
    found = beam_search(gpt_step, model, prompt, GPT, 8, n_beams=n_beams, no_repeat_ngram=n)
    assert [text for text, _ in found] == out.sequences[:, len(prompt) :].tolist()
    np.testing.assert_allclose([score for _, score in found], out.sequences_scores, atol=1e-5)


def test_beam_search_runs_a_llama():
    rng = np.random.default_rng(1)
    params = spread(init_llama(rng, LLAMA), rng)
    ((text, _),) = beam_search(llama_step, params, [1, 2], LLAMA, 6, n_beams=1)
    assert text == list(generate(llama_step, params, [1, 2], LLAMA, 6))


# ----------------------------------------------------------------------- beside the exercise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_answer_of_exercise_9_2_draws_tokens_of_the_vocabulary_only(dtype):
    draw, rng = exercises.get("generation.min_p").reference, np.random.default_rng(0)
    points = np.array([0.0, 1 - 2.0**-24, 1 - 2.0**-53])
    for _ in range(1000):
        logits = rng.normal(0, 2, rng.integers(1, 12)).astype(dtype)
        kept = np.flatnonzero(np.isfinite(filter_min_p(logits, 0.1)))
        assert draw(logits, 0.1, 1.5, points)[[0, 2]].tolist() == [kept[0], kept[-1]]
        assert np.isin(draw(logits, 0.1, 1.5, rng.random(20)), kept).all()
