"""Texts that people have judged, against what their sources say of them. `fmkit fetch` must have been run."""

import numpy as np
import pytest

from fmkit.agreement import krippendorff_alpha
from fmkit.data import datasets, judged
from fmkit.textmetrics import corpus_bleu


@pytest.fixture(scope="module")
def wmt():
    return judged.wmt17()


def test_sixteen_systems_translated_every_sentence(wmt):
    systems, reference = wmt
    assert set(systems) == set(judged.OFFICIAL_BLEU) == set(judged.HUMAN_SCORE) and len(systems) == 16
    assert {len(sentences) for sentences in systems.values()} == {len(reference)} == {3004}
    assert all(isinstance(s, str) and s.strip() for s in reference)
    assert len({tuple(sentences) for sentences in systems.values()}) == 16


@pytest.mark.parametrize("name", ["uedin-nmt", "online-F"])
def test_bleu_is_the_organisers_figure(wmt, name):
    systems, reference = wmt
    assert f"{corpus_bleu(systems[name], reference):.2f}" == f"{judged.OFFICIAL_BLEU[name]:.2f}"


def test_no_class_of_a_pickle_is_built(wmt):
    systems, reference = wmt
    assert type(reference) is list and {type(s) for s in systems.values()} == {list}


RATED = [  # kind, texts, fewest and most ratings of one, alpha to two decimals
    ("reviews", datasets.reviews, 10_605, 15, 29, 0.80),
    ("tweets", datasets.tweets, 4_200, 20, 99, 0.78),
    ("products", datasets.products, 3_708, 20, 20, 0.82),
    ("editorials", datasets.editorials, 5_190, 20, 20, 0.53),
]


@pytest.mark.parametrize("kind, means, n, fewest, most, alpha", RATED)
def test_single_ratings(kind, means, n, fewest, most, alpha):
    ratings = judged.single_ratings(kind)
    known = ~np.isnan(ratings)
    assert ratings.shape == (n, most) and known.sum(1).min() == fewest and known.sum(1).max() == most
    assert np.nanmin(ratings) >= -4 and np.nanmax(ratings) <= 4
    assert np.array_equal(ratings[known], np.round(ratings[known]))
    assert (known[:, :-1] >= known[:, 1:]).all(), "gaps stand at the end of a row"
    assert round(krippendorff_alpha(ratings), 2) == alpha


@pytest.mark.parametrize("kind, means, n, fewest, most, alpha", RATED)
def test_single_ratings_are_behind_the_means(kind, means, n, fewest, most, alpha):
    """Row by row; of some tweets the source gives two means."""
    by_hand = np.nanmean(judged.single_ratings(kind), 1)
    differ = np.abs(by_hand - [rating for _, rating in means()]) > 1e-6
    assert differ.sum() == (199 if kind == "tweets" else 0)


def test_an_unknown_kind_is_told():
    with pytest.raises(ValueError, match="reviews, tweets, products, editorials"):
        judged.single_ratings("films")


def test_news_summaries_are_no_part_of_their_article():
    pairs = judged.news_summaries()
    assert len(pairs) == 1000 and all(summary.strip() for _, summary in pairs)
    assert [i for i, (body, _) in enumerate(pairs) if not body.strip()] == [219]
    assert sum(summary in body for body, summary in pairs) == 0
    assert np.mean([len(body) > 5 * len(summary) for body, summary in pairs]) > 0.85


def test_summary_pairs_differ():
    triples = judged.summary_pairs()
    assert len(triples) == 371 and all(article and true and false for article, true, false in triples)
    assert sum(true == false for _, true, false in triples) == 3


def test_half_of_the_chinese_reviews_are_copies():
    positive, negative = judged.chinese_reviews()
    assert (len(positive), len(negative)) == (16_548, 18_575)
    assert (len(set(positive)), len(set(negative))) == (8_379, 9_078)
    assert all(line.strip() and "\n" not in line for line in positive + negative)
    chinese = sum("\u4e00" <= c <= "\u9fff" for line in positive for c in line)
    assert chinese / sum(map(len, positive)) > 0.7
