"""MiniLM's vectors of chapter 16: what is stored, and that it is what would be made now."""

import numpy as np
import pytest

from fmkit.data import documents
from fmkit.data.assets import asset_path
from fmkit.errors import AssetError
from fmkit.runs import finding


@pytest.fixture
def assets():
    try:
        for name in ("minilm", "questions", "tables", "film-summaries"):
            asset_path(name)
    except AssetError as error:
        pytest.skip(str(error))


def test_words():
    assert finding.words("What's BM25, or (k1)?") == ["what", "s", "bm25", "or", "k1"]


def test_a_byte_a_number_and_a_scale_a_text():
    vectors = np.array([[0.5, -1.0, 0.25], [0.01, 0.0, 0.0]])
    numbers, scale = finding.to_bytes(vectors)
    assert numbers.dtype == np.int8 and numbers.tolist() == [[64, -127, 32], [127, 0, 0]]
    np.testing.assert_allclose(numbers * scale[:, None], vectors, atol=1 / 254)


def test_places_count_from_one_and_ties_go_by_number():
    scores = np.array([[0.1, 0.9, 0.1], [0.5, 0.5, 0.5]])
    assert finding.place_of(scores, [2, 1]).tolist() == [3, 2]
    assert finding.both(np.array([3.0, 1.0]), np.array([0.0, 5.0])) == pytest.approx([1 / 61 + 1 / 62] * 2)


def test_what_is_stored_has_the_right_size():
    assert finding.VECTORS.stat().st_size < 1_500_000
    found = finding.results()
    assert {len(at) for at in found["places"].values()} == {3270} == {len(found["best"])}
    share = {name: np.mean(np.array(at) == 1) for name, at in found["places"].items()}
    assert share["BM25"] == pytest.approx(0.665, abs=0.01) and share["MiniLM"] == pytest.approx(
        0.79, abs=0.01
    )
    norms = np.linalg.norm(finding.stored_vectors(), axis=1)
    assert norms.shape == (2938,) and np.abs(norms - 1).max() < 0.01


def test_vectors_made_now_are_those_stored(assets):
    passages, asked, answers = documents.questions()
    some = [5, 700, 2900]
    made = finding.embed([passages[i] for i in some])
    cosine = (made * finding.stored_vectors()[some]).sum(1)
    assert (cosine > 0.999).all()
    titles, texts = finding.films()
    assert len(titles) == len(finding.stored_vectors("films"))
    assert (finding.embed(texts[:1]) @ finding.stored_vectors("films").T).argmax() == 0


def test_the_places_are_those_of_the_stored_vectors(assets):
    _, asked, answers = documents.questions()
    scores = finding.embed(asked[:12]) @ finding.stored_vectors().T
    places = finding.place_of(scores, answers[:12])
    assert np.sum(places != finding.results()["places"]["MiniLM"][:12]) <= 1  # a hair may decide
