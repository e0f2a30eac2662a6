"""Text metrics against sacrebleu and rouge-score: short texts, empty ones, Chinese, punctuation."""

import numpy as np
import pytest
import sacrebleu
from hypothesis import example, given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from fmkit.textmetrics import (
    bleu,
    bleu_counts,
    chrf,
    chrf_counts,
    corpus_bleu,
    corpus_chrf,
    rouge_l,
    rouge_lsum,
    rouge_n,
    sentence_bleu,
    tokenize_13a,
    tokenize_rouge,
)

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "1,000.5",
    "didn't",
    "(no)",
    "3-4",
    "&quot;so&quot;",
    "猫坐",
    "é",
    ".",
]
TEXT = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join),
    st.lists(st.sampled_from(["the", "cat"]), max_size=7).map(" ".join),  # the same n-grams again and again
    st.sampled_from(["", " ", "猫坐在垫子上。", "猫在垫子上坐", "🙂 ok", "-\n", "a-\nb\n"]),
)


def theirs(references):
    """sacrebleu wants the first reference of every text, then the second; None where there are fewer."""
    most = max(map(len, references))
    return [[refs[i] if i < len(refs) else None for refs in references] for i in range(most)]


@given(st.text(alphabet="ab 019.,-'\"&;quotampl<>skiped()_^`{~\n猫é", max_size=30))
@example("<skipped>a-\nb &amp;quot; &lt;x&gt; 1,000.00, 3-4 5,a .,., _^`[]{}~!@#$%&*+=|\\/?:;")
@example("a-\n")  # the end of a text is no dash that parts a word
def test_tokens_as_sacrebleu_cuts_them(text):
    assert tokenize_13a(text) == Tokenizer13a()(text.rstrip()).split()


@given(st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=4))
@example([("the cat", ["the cat sat"]), ("", ["a"])])
@example([("the the the the the", ["the cat", "the the on a mat"])])
@example([("the cat sat", ["mat on a the"])])
@example([("", [""])])
def test_corpora_of_several_references(texts):
    hypotheses, references = zip(*texts, strict=True)
    their = theirs(references)
    assert corpus_bleu(hypotheses, references) == pytest.approx(
        sacrebleu.corpus_bleu(hypotheses, their).score, abs=1e-9
    )
    assert corpus_chrf(hypotheses, references) == pytest.approx(
        sacrebleu.corpus_chrf(hypotheses, their).score, abs=1e-9
    )


@given(TEXT, st.lists(TEXT, min_size=1, max_size=3))
def test_one_sentence(hypothesis, references):
    assert sentence_bleu(hypothesis, references) == pytest.approx(
        sacrebleu.sentence_bleu(hypothesis, references).score, abs=1e-9
    )
    assert corpus_chrf([hypothesis], [references]) == pytest.approx(
        sacrebleu.sentence_chrf(hypothesis, references).score, abs=1e-9
    )


def test_the_counts_are_sacrebleus():
    hypotheses = ["the the the cat sat", "a mat.", ""]
    references = [["the cat sat", "on the mat the cat slept well"], ["a mat", "a mat, a cat"], ["on"]]
    rows = BLEU()._extract_corpus_statistics(hypotheses, theirs(references))
    ours = bleu_counts(hypotheses, references)
    np.testing.assert_array_equal(ours, [[*row[2:], row[1]] for row in rows])
    rows = CHRF()._extract_corpus_statistics(hypotheses, theirs(references))
    there, wanted, same = np.array(rows).reshape(3, 6, 3).transpose(2, 0, 1)
    np.testing.assert_array_equal(chrf_counts(hypotheses, references), np.stack([there, wanted, same], -1))


def test_many_sums_at_once_have_the_scores_of_each():
    hypotheses = ["the cat sat on the mat", "a cat", "the mat is 3-4 m long", "no"]
    references = ["the cat sat on a mat", "the cat", "the mat is 3 m long", "yes"]
    for count, score in ((bleu_counts, bleu), (chrf_counts, chrf)):
        counts = count(hypotheses, references)
        np.testing.assert_allclose(score(counts), [float(score(row)) for row in counts])
        sums = np.stack([counts[:2].sum(0), counts.sum(0)])
        np.testing.assert_allclose(score(sums), [float(score(row)) for row in sums])
        assert score(sums).dtype == np.float64


def test_bleu_by_hand():
    # of 7 the's two are in the first reference: the example of the paper of 2002
    counts = bleu_counts(["the the the the the the the"], [["The cat is on the mat.", "the cat the dog"]])
    assert counts[0, 0] == 2 and counts[0, 4] == 7
    # a corpus is no mean of sentences, and garbage has nothing
    assert corpus_bleu(["the cat sat on a mat", "no"], ["the cat sat on a mat", "yes"]) == pytest.approx(
        100 * (6 / 7) ** 0.25
    )
    assert corpus_bleu(["a b c d"], ["e f g h"]) == 0.0
    # the first precision of 0 is 1/2 of a hit, the second 1/4: 2/4, 1/2 of 3, 1/4 of 2, 1/8 of 1
    assert corpus_bleu(["a x b y"], ["a c b d"]) == pytest.approx(100 * (2 / 4 / 6 / 8 / 8) ** 0.25)
    # of two lengths as close, the shorter one: no penalty
    assert corpus_bleu(["a b c d e"], [["a b c d", "x a b c d e"]]) == pytest.approx(100.0)


def test_a_hypothesis_shorter_than_an_n_gram():
    assert corpus_bleu(["the cat"], ["the cat"]) == 0.0
    assert sentence_bleu("the cat", "the cat") == pytest.approx(100)
    assert sentence_bleu("", "the cat") == 0.0
    assert corpus_chrf(["at"], ["at"]) == pytest.approx(100)
    assert corpus_chrf([""], ["at"]) == corpus_chrf(["at"], [""]) == 0.0


def test_chinese():
    hypothesis, reference = "猫坐在垫子上面", "猫坐在垫子上"
    assert corpus_bleu([hypothesis], [reference]) == 0.0  # one token each
    assert corpus_bleu([hypothesis], [reference], list) == pytest.approx(
        sacrebleu.corpus_bleu([hypothesis], [[reference]], tokenize="char").score
    )
    assert corpus_chrf([hypothesis], [reference]) > 50
    assert tokenize_rouge(hypothesis) == [] and rouge_l(hypothesis, reference) == (0, 0, 0)
    assert rouge_l(hypothesis, reference, list) == pytest.approx((6 / 7, 1, 12 / 13))


SCORER = RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
LINES = st.lists(TEXT, max_size=4).map("\n".join)


@given(LINES, st.lists(LINES, min_size=1, max_size=3))
@example("a b c\nb a", ["b c a\na b", "a"])
@example("a a\na b", ["a a a"])  # which of the subsequences that are as long
def test_rouge(hypothesis, references):
    expected = SCORER.score_multi(references, hypothesis)
    ours = {
        "rouge1": rouge_n(hypothesis, references, 1),
        "rouge2": rouge_n(hypothesis, references, 2),
        "rougeL": rouge_l(hypothesis, references),
        "rougeLsum": rouge_lsum(hypothesis, references),
    }
    for name, rouge in ours.items():
        assert rouge == pytest.approx(tuple(expected[name]), abs=1e-12), name


def test_the_example_of_the_paper():
    """Of w1 to w5 the two sentences have w1, w2 and w1, w3, w5: four, and w1 once."""
    rouge = rouge_lsum("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5")
    assert rouge == pytest.approx((4 / 10, 4 / 5, 8 / 15))


def test_one_reference_is_a_list_of_one():
    assert rouge_n("the cat", "the cat sat", 1) == rouge_n("the cat", ["the cat sat"], 1)
    assert corpus_bleu(["a b c d e"], ["a b c d f"]) == corpus_bleu(["a b c d e"], [["a b c d f"]])


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("corpus", [corpus_bleu, corpus_chrf, bleu_counts, chrf_counts])
@pytest.mark.parametrize(
    ("hypotheses", "references", "error", "message"),
    [
        ("the cat", ["the cat"], TypeError, "hypotheses: expected a list of texts, got one str"),
        (["the cat"], "the cat", TypeError, "references: expected a list of texts, got one str"),
        ([], [], ValueError, "hypotheses: expected a text at least, got none"),
        (
            ["a", "b"],
            [["a", "b"]],
            ValueError,
            "references: expected one for each of the 2 hypotheses, got 1",
        ),
        (["a"], [[]], ValueError, "references: expected a text at least, got none"),
        (["a"], [None], TypeError, "references: expected a list of texts, got None"),
        (["a"], [["a", None]], TypeError, "references: expected one str, got None"),
        ([["a"]], ["a"], TypeError, "hypotheses: expected one str, got a list"),
    ],
)
def test_what_is_no_corpus_is_refused(corpus, hypotheses, references, error, message):
    with pytest.raises(error, match=message):
        corpus(hypotheses, references)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tokenize_13a(["a"]), TypeError, "text: expected one str, got a list"),
        (lambda: rouge_n("a", "a", 0), ValueError, "n: expected a whole number >= 1, got 0"),
        (lambda: rouge_n(["a"], "a", 1), TypeError, "hypothesis: expected one str, got a list"),
        (lambda: rouge_l("a", []), ValueError, "references: expected a text at least, got none"),
        (lambda: bleu(np.ones(10)), ValueError, r"counts: expected \(..., 9\) = \(9,\), got \(10,\)"),
        (lambda: bleu(3), TypeError, r"counts: expected an array \(..., 9\), got an int"),
        (lambda: chrf(np.ones((2, 6))), ValueError, r"counts: expected \(..., 6, 3\)"),
        (lambda: chrf(np.ones(3)), ValueError, r"counts: expected \(..., 6, 3\)"),
    ],
)
def test_what_else_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
