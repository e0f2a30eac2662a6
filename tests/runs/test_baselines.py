"""What a pretrained model has to beat: the rules bend the right way, the LSTM learns, a mistake costs it."""

import numpy as np
import pytest
import torch

from fmkit.errors import AssetError
from fmkit.runs.finetuning.baselines import LSTMClassifier, tfidf_logistic, tfidf_ridge, vader, vader_lexicon

LEXICON = {"good": 1.9, "great": 3.1, "bad": -2.5, "no": -1.2, ":)": 2.0}


def score(text):
    return vader(text, LEXICON)


def test_words_that_are_not_known_say_nothing():
    assert score("") == score("the film was a film !!!") == 0.0


def test_the_sum_is_squeezed():
    assert score("good") == pytest.approx(1.9 / np.sqrt(1.9**2 + 15))
    assert score("Great, good film :)") == pytest.approx(7.0 / np.sqrt(49 + 15))
    assert -1 < score("bad " * 99) < -0.99


@pytest.mark.parametrize(
    "stronger, weaker",
    [
        ("very good", "good"),
        ("very good", "very fine good"),  # it fades with the distance
        ("good!", "good"),
        ("good!!", "good!"),
        ("a GOOD film", "a good film"),
        ("good", "hardly good"),
        ("bad but good", "bad good"),
        ("good", "good but bad"),
        ("bad", "very bad"),
        ("bad", "bad!"),
    ],
)
def test_what_stands_around_a_word_bends_it(stronger, weaker):
    assert score(stronger) > score(weaker)


def test_a_negation_turns_it_round():
    for text in ("not good", "isn't good", "not a very good film", "never good"):
        assert score(text) < 0
    assert score("not bad") > 0
    assert score("not that I mind it good") > 0  # too far away
    assert score("not good") == pytest.approx(-0.74 * 1.9 / np.sqrt((0.74 * 1.9) ** 2 + 15))


def test_four_exclamation_marks_are_enough():
    assert score("good!!!!") == score("good!!!!!!!!")


def test_a_text_all_in_capitals_does_not_shout():
    assert score("GOOD FILM") == score("good film")


def test_the_published_lexicon():
    try:
        lexicon = vader_lexicon()
    except AssetError as error:
        pytest.skip(str(error))
    assert len(lexicon) > 7000
    assert lexicon["great"] > lexicon["good"] > 0 > lexicon["bad"] and lexicon[":("] < 0
    assert all(-4 <= valence <= 4 for valence in lexicon.values())
    assert vader("A great film, but the cast is awful!", lexicon) < 0


def rows(n, seed=0):
    """Whether it is good stands near the front, so that it must be remembered."""
    rng = np.random.default_rng(seed)
    texts = [
        f"{'good' if i % 2 else 'bad'} {' '.join(rng.choice(['film', 'plot', 'cast'], rng.integers(1, 6)))}"
        for i in range(n)
    ]
    return texts, [i % 2 for i in range(n)]


def test_counted_words_learn():
    texts, labels = rows(40)
    for characters in (False, True):
        positive = tfidf_logistic(
            list(zip(texts, labels, strict=True)), ["good plot", "bad plot"], characters
        )
        assert positive[0] > 0.6 and positive[1] < 0.4


@pytest.fixture(scope="module")
def lstm():
    model = LSTMClassifier(width=12)
    history = model.fit(*rows(160), epochs=6, lr=1e-2)
    return model, history


def test_the_lstm_learns(lstm):
    model, history = lstm
    assert history[-1]["loss"] < history[0]["loss"]
    assert model.evaluate(*rows(40, seed=1)) > 0.95
    assert model.predict("good cast") > 0.5 > model.predict("bad plot")


def test_reading_the_last_padded_step_loses_everything(lstm):
    model = LSTMClassifier(width=12, read="padded")
    model.fit(*rows(160), epochs=3, lr=1e-2)
    assert model.evaluate(*rows(40, seed=1)) < 0.7 < lstm[0].evaluate(*rows(40, seed=1))


def test_padding_does_not_matter_to_the_last_real_step(lstm):
    model, _ = lstm
    together = model.predict(["good film", "bad film plot cast film plot cast film"])
    assert together[0] == pytest.approx(model.predict("good film"), abs=1e-6)


def test_empty_and_unknown_texts_are_judged_all_the_same(lstm):
    model, _ = lstm
    assert model.predict("") == pytest.approx(model.predict("Ζορμπάς"), abs=1e-6)
    assert 0 < model.predict("film " * 500) < 1


def test_a_saved_model_comes_back(lstm, tmp_path):
    model, _ = lstm
    model.save(tmp_path / "lstm.safetensors")
    again = LSTMClassifier.load(tmp_path / "lstm.safetensors")
    texts = rows(9)[0]
    np.testing.assert_array_equal(again.predict(texts), model.predict(texts))
    assert again.settings == model.settings


def test_the_validation_texts_are_not_learned_from():
    texts, labels = rows(40)
    model = LSTMClassifier(width=4)
    seen = []
    model._epoch = lambda ids, labels, *rest: seen.append(len(ids)) or 0.0
    model.fit(texts, labels, epochs=2, validation_split=0.25)
    assert seen == [30, 30]


def test_the_best_epoch_is_kept():
    texts, labels = rows(40)
    model, answers = LSTMClassifier(width=4), iter([0.5, 0.9, 0.6, 0.5, 0.7])
    weights = []

    def learn(ids, labels, *rest):
        torch.nn.init.normal_(model.dense.weight)
        weights.append(model.dense.weight.detach().clone())
        return 0.0

    def judge(ids):
        right = round(next(answers) * len(ids))
        return np.array([1.0] * right + [0.0] * (len(ids) - right))

    model._epoch, model._positive = learn, judge
    history = model.fit(texts, [1] * 40, epochs=5, validation_split=0.5, patience=2)
    assert [row["val_accuracy"] for row in history] == [0.5, 0.9, 0.6, 0.5]
    assert torch.equal(model.dense.weight, weights[1])


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="not 'last'"):
        LSTMClassifier(read="last")
    with pytest.raises(RuntimeError, match="fit the model"):
        LSTMClassifier().predict("good")


def test_the_ridge_predicts_ratings():
    train = [("a good film", 2.0), ("a great film", 3.0), ("a bad film", -2.0), ("an awful film", -3.0)] * 5
    good, bad = tfidf_ridge(train).predict(["good and great", "bad and awful"])
    assert good > 0.5 and bad < -0.5
