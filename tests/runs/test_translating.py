"""The translators of chapter 16: encoding, counting, and what is stored."""

import numpy as np
import pytest

from fmkit.errors import UserError
from fmkit.params import count
from fmkit.runs import translating


def test_encoding_fills_up_at_the_end():
    source, mask = translating.encode(["他买了两本书", "我"])
    assert (
        mask.tolist() == [[1] * 6, [1] + [0] * 5]
        and (source[1, 1:] == 0).all()
        and (source[mask == 1] > 0).all()
    )


@pytest.mark.parametrize(("text", "message"), [("我买了2本书", "2: not among the 106"), ("", "empty")])
def test_what_it_cannot_read_is_said(text, message):
    with pytest.raises(UserError, match=message):
        translating.encode([text])


def test_a_batch_begins_and_ends():
    _, _, words, targets = translating.batch([("我", "i sold one book"), ("他", "he sold")])
    numbers = translating.vocabularies()[1]
    assert words[1].tolist() == [0, numbers["he"], numbers["sold"], 0, 0]
    assert targets[1].tolist() == [numbers["he"], numbers["sold"], 1, -100, -100]
    assert min(numbers.values()) == 2 and words[0].tolist()[1:] == targets[0].tolist()[:-1]


@pytest.mark.parametrize("attend", [True, False])
def test_training_lowers_the_loss_and_is_the_same_each_time(attend):
    _, losses = translating.train(attend, seed=3, steps=30, size=8)
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.4
    assert translating.train(attend, seed=3, steps=30, size=8)[1] == losses


def test_classes_of_length():
    asked = {"1": {"words": [3, 5, 9], "wrong": [0, 1, 0]}, "2": {"words": [9], "wrong": [4]}}
    assert translating.by_words(asked, (1, 6, 8, 12)) == [(4.0, 1, 2), (9.0, 1, 2)]


def test_what_is_stored_is_small_and_complete():
    found, params = translating.results(), translating.stored()
    assert translating.STORED.stat().st_size < 200_000 and count(params) == 64_638
    for kind in translating.KINDS:
        assert sorted(run["seed"] for run in found[kind]) == list(translating.SEEDS)
        for run in found[kind]:
            for clauses in range(1, translating.ASKED + 1):
                words = [len(english.split()) for _, english in translating.sentences(clauses)]
                assert run["asked"][str(clauses)]["words"] == words


def test_what_is_stored_translates_as_the_figures_say():
    found = translating.results()["with attention"][0]["asked"]["2"]["wrong"]
    pairs = translating.sentences(2)[:100]
    written, weights = translating.write(translating.stored(), [chinese for chinese, _ in pairs])
    right = [text == english for text, (_, english) in zip(written, pairs, strict=True)]
    assert np.mean(right) == pytest.approx(np.mean(np.array(found[:100]) == 0), abs=0.02)
    assert weights.shape[::2] == (100, max(len(chinese) for chinese, _ in pairs))
