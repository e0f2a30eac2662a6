"""The packaged data, against what their sources say of themselves. `fmkit fetch` must have been run."""

import re
from collections import Counter

import numpy as np
import pytest

from fmkit.data import datasets
from fmkit.errors import AssetError


@pytest.fixture(scope="module")
def plays():
    return datasets.shakespeare()


def test_shakespeare_has_38_plays(plays):
    assert len(plays) == 38
    assert list(plays) == sorted(plays)
    assert {"Hamlet", "Measure for Measure", "Henry IV, Part 1", "Henry IV, Part 2", "Edward III"} <= set(
        plays
    )
    assert 4_990_000 < sum(map(len, plays.values())) < 5_010_000
    assert all(text.startswith(f"{title}\n") for title, text in plays.items())


def test_shakespeare_is_clean(plays):
    text = "".join(plays.values())
    assert not re.search(r"[_*#\\]| +$", text, flags=re.M), "markdown or blanks at a line's end are left"
    assert text.count("[") == text.count("]") and not re.search(r"\[[^\]]*\[", text)
    assert len(set(text)) == 80


def test_shakespeare_keeps_speeches_and_stage_directions(plays):
    macbeth = plays["Macbeth"]
    assert "\nMACBETH:\nSo foul and fair a day I have not seen.\n" in macbeth
    assert "\n[Thunder and lightning. Enter three Witches]\n" in macbeth
    assert re.search(
        r"^\[Alarum within\. Enter DUNCAN.*\n.*Sergeant\]$", macbeth, flags=re.M
    )  # over two lines
    assert "[Aside]" in macbeth


def test_splits_are_by_play(plays):
    train, val, test = datasets.shakespeare_splits()
    for title, text in plays.items():
        home = [part for part in (train, val, test) if text in part]
        assert len(home) == 1, title
    assert plays["Twelfth Night"] in val and plays["The Tempest"] in test and plays["Hamlet"] in train
    assert len(train) > 0.9 * sum(map(len, plays.values()))
    assert train == datasets.shakespeare_splits()[0]


# rows, positive, negative: counted in the files that the authors of the ratings published
RATED = [
    (datasets.reviews, 10_605, 5_242, 5_326),
    (datasets.tweets, 4_200, 2_897, 1_299),
    (datasets.products, 3_708, 2_128, 1_482),
    (datasets.editorials, 5_190, 2_204, 2_742),
]


@pytest.mark.parametrize("load, n, positive, negative", RATED)
def test_ratings(load, n, positive, negative):
    rows = load()
    texts, ratings = zip(*rows, strict=True)
    assert len(rows) == n
    assert (sum(r > 0 for r in ratings), sum(r < 0 for r in ratings)) == (positive, negative)
    assert all(-4 <= r <= 4 for r in ratings)
    assert all(isinstance(t, str) and t and t == t.strip() and "\t" not in t for t in texts)


def test_reviews_read_right():
    rows = datasets.reviews()
    assert ("Effective but too tepid biopic", -0.6) in rows
    assert any("Clément" in text or "é" in text for text, _ in rows)  # decoded as UTF-8
    assert not any("�" in text for text, _ in rows)


@pytest.mark.parametrize(
    "kind, n, top", [("female", 4275, "Mary"), ("male", 1219, "James"), ("last", 88799, "Smith")]
)
def test_names(kind, n, top):
    rows = datasets.names(kind)
    assert len(rows) == n and rows[0][0] == top
    frequencies = [frequency for _, frequency in rows]
    assert frequencies == sorted(frequencies, reverse=True) and 75 < sum(frequencies) < 100
    assert all(re.fullmatch("[A-Z][a-z]+", name) for name, _ in rows)


def test_first_names_are_female_and_male_together():
    rows = datasets.names()
    female, male = dict(datasets.names("female")), dict(datasets.names("male"))
    assert Counter(name for name, _ in rows).most_common(1)[0][1] == 1
    assert {name for name, _ in rows} == set(female) | set(male) and len(rows) == 5163
    assert dict(rows)["James"] == pytest.approx((male["James"] + female["James"]) / 2)
    with pytest.raises(ValueError, match="kind is one of"):
        datasets.names("middle")


def test_digits():
    x, y = datasets.digits()
    assert x.shape == (1797, 64) and x.min() == 0 and x.max() == 1 and x.dtype == np.float64
    assert sorted(set(y.tolist())) == list(range(10)) and len(y) == 1797


def test_photos():
    photos = datasets.photos()
    assert set(photos) == {"china", "flower"}
    for photo in photos.values():
        assert photo.shape == (427, 640, 3) and photo.dtype == np.uint8
        photo[0, 0, 0] = 1  # the learner may write into it


def test_minilm_loads_offline_and_knows_what_is_alike():
    import torch

    model, tokenizer = datasets.pretrained()
    assert sum(p.numel() for p in model.parameters()) == 22_713_216 and not model.training
    texts = ["A cat sits on the mat.", "A kitten rests on the rug.", "Stock prices fell sharply today."]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    mean = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
    assert mean[0] @ mean[1] > 0.5 > 0.2 > mean[0] @ mean[2]


def test_smollm2_loads_offline_and_answers():
    model, tokenizer = datasets.pretrained("smollm2")
    question = [{"role": "user", "content": "What is the capital of France?"}]
    ids = tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    answer = model.generate(**ids, max_new_tokens=8, do_sample=False)[0, ids["input_ids"].shape[1] :]
    assert tokenizer.decode(answer, skip_special_tokens=True) == "The capital of France is Paris."


def test_pretrained_path_is_a_hugging_face_folder():
    for name in ("minilm", "smollm2"):
        folder = datasets.pretrained_path(name)
        assert {"config.json", "model.safetensors", "tokenizer.json"} <= {p.name for p in folder.iterdir()}
    with pytest.raises(ValueError, match="minilm and smollm2, not 'shakespeare'"):
        datasets.pretrained_path("shakespeare")


def test_a_hub_model_without_a_network_is_a_clear_error():
    with pytest.raises(AssetError, match="'distilbert-base-uncased' could not be loaded.*no network"):
        datasets.pretrained("distilbert-base-uncased")


@pytest.mark.parametrize(
    "load",
    [datasets.shakespeare, datasets.reviews, datasets.names, datasets.pretrained_path, datasets.pretrained],
)
def test_nothing_is_downloaded_silently(load, monkeypatch, tmp_path):
    monkeypatch.setenv("FMKIT_HOME", str(tmp_path))
    with pytest.raises(AssetError, match=r"Run `.*fmkit fetch"):
        load()
    assert not list(tmp_path.iterdir())
