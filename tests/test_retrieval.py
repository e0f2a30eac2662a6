"""Retrieval against slow, plain forms of the same formulas."""

import math

import numpy as np
import pytest

from fmkit import retrieval as rt


def documents(rng, n=12):
    words = [f"w{i}" for i in range(9)]
    return [list(rng.choice(words, rng.integers(0, 20))) for _ in range(n)]


@pytest.mark.parametrize("k1, b", [(1.2, 0.75), (0.0, 0.75), (2.0, 0.0), (1.5, 1.0)])
def test_bm25_against_the_formula(k1, b):
    docs = documents(np.random.default_rng(0))
    query = ["w1", "w4", "w1", "nowhere"]
    mean = sum(map(len, docs)) / len(docs)
    scores = rt.bm25(rt.build_index(docs), query, k1, b)
    for score, doc in zip(scores, docs, strict=True):
        expected = 0.0
        for word in set(query):
            n = sum(word in other for other in docs)
            tf = doc.count(word)
            if tf:
                idf = math.log(1 + (len(docs) - n + 0.5) / (n + 0.5))
                expected += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(doc) / mean))
        assert score == pytest.approx(expected)


def test_a_word_in_nearly_all_documents_never_counts_against_one():
    scores = rt.bm25(rt.build_index([["a"], ["a"], ["a", "b"]]), ["a"])
    assert (scores > 0).all()


def test_no_documents_and_empty_ones():
    assert rt.bm25(rt.build_index([]), ["a"]).shape == (0,)
    assert rt.bm25(rt.build_index([[], []]), ["a"]).tolist() == [0, 0]


def test_a_text_instead_of_words_is_refused():
    with pytest.raises(TypeError, match="query: expected a list of words"):
        rt.bm25(rt.build_index([["a"]]), "a")


def test_ranks_of_ties_follow_their_order():
    assert rt.ranks(np.array([1.0, 3.0, 1.0, 3.0])).tolist() == [3, 1, 4, 2]


def test_fusion_uses_places_and_gives_nothing_to_who_is_missing():
    fused = rt.fuse([[4, 2], [2], [9]], k=60.0)
    score = {2: 1 / 62 + 1 / 61, 4: 1 / 61, 9: 1 / 61}
    assert fused == sorted(score, key=lambda d: (-score[d], d)) == [2, 4, 9]


@pytest.mark.parametrize("seed", range(20))
def test_chunks_hold_every_word_and_never_too_many(seed):
    rng = np.random.default_rng(seed)
    n, size = int(rng.integers(0, 60)), int(rng.integers(1, 15))
    overlap = int(rng.integers(0, size))
    breaks = rng.choice(np.arange(1, 61), 10, replace=False).tolist()
    pieces = rt.chunks(n, size, overlap, breaks)
    assert {i for start, stop in pieces for i in range(start, stop)} == set(range(n))
    assert all(0 < stop - start <= size for start, stop in pieces)
    for (_, before), (start, _) in zip(pieces, pieces[1:], strict=False):
        assert start == before - overlap
    assert len(set(pieces)) == len(pieces)
    assert not pieces or pieces[-1][1] == n


def test_a_piece_ends_with_a_sentence_where_one_ends_in_its_second_half():
    assert rt.chunks(20, 10, breaks=[8])[0] == (0, 8)
    assert rt.chunks(20, 10, breaks=[3])[0] == (0, 10)
    assert rt.chunks(20, 10, breaks=[10])[0] == (0, 10)


def test_an_overlap_as_long_as_a_piece_is_refused():
    with pytest.raises(ValueError, match="overlap: expected below the size, 3, got 3"):
        rt.chunks(10, 3, 3)


def test_ndcg_against_scikit_learn():
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(1)
    for _ in range(20):
        relevance = rng.integers(0, 3, 12)
        order = rng.permutation(12)
        scores = np.empty(12)
        scores[order] = -np.arange(12.0)
        ours = rt.ndcg(order.tolist(), {i: float(r) for i, r in enumerate(relevance) if r}, k=5)
        assert ours == pytest.approx(ndcg_score([2.0**relevance - 1], [scores], k=5))


def test_ndcg_counts_what_was_not_found_and_keeps_questions_without_answer():
    assert rt.ndcg([1, 2], {3: 1.0}) == 0.0
    assert rt.ndcg([1, 2], {}) == 0.0
    assert rt.ndcg([1], {1: 1.0, 2: 1.0}) < 1.0


def test_risk_and_coverage_by_counting():
    rng = np.random.default_rng(2)
    score, right = rng.integers(0, 5, 40) / 4, rng.random(40) < 0.6
    for threshold, coverage, risk in zip(*rt.risk_coverage(score, right), strict=True):
        answered = score >= threshold
        assert coverage == answered.mean()
        assert risk == pytest.approx((~right[answered]).mean())
    assert len(rt.risk_coverage(score, right)[0]) == len(set(score))
