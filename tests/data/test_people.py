"""The tables about people: as many rows as were published, the published figures, and nobody's name."""

import numpy as np
import pytest

from fmkit.data import people
from fmkit.data.assets import asset_path
from fmkit.fairness import weat


def column(rows, name):
    return np.array([row[name] for row in rows])


def test_compas_has_the_published_rows_and_rates():
    rows = people.compas()
    assert len(rows) == 7214
    race, high = column(rows, "race"), column(rows, "decile_score").astype(int) > 4
    again = column(rows, "two_year_recid") == "1"
    published = {"African-American": (0.448, 0.280), "Caucasian": (0.235, 0.477)}
    for name, (fpr, fnr) in published.items():
        assert high[(race == name) & ~again].mean() == pytest.approx(fpr, abs=6e-4)
        assert (~high)[(race == name) & again].mean() == pytest.approx(fnr, abs=6e-4)


def test_compas_says_of_nobody_who_it_is():
    (path,) = (asset_path("people") / "dataset/compas").glob("*.csv")
    columns = set(path.read_text("utf-8").split("\n", 1)[0].split(","))
    assert columns == set(people.compas()[0])
    assert not columns & {"name", "first", "last", "dob", "c_case_number", "r_case_number", "vr_case_number"}


@pytest.mark.parametrize(("part", "n"), [("train", 32_561), ("test", 16_281)])
def test_adult(part, n):
    rows = people.adult(part)
    assert len(rows) == n
    assert set(column(rows, "income")) == {">50K", "<=50K"}
    assert set(column(rows, "sex")) == {"Male", "Female"}
    rich = column(rows, "income") == ">50K"
    sex = column(rows, "sex")
    if part == "train":
        assert rich[sex == "Male"].mean() == pytest.approx(0.306, abs=5e-4)
        assert rich[sex == "Female"].mean() == pytest.approx(0.109, abs=5e-4)


def test_adult_has_two_parts():
    with pytest.raises(ValueError, match="part is train or test, not 'val'"):
        people.adult("val")


def test_the_published_call_backs():
    found = people.resumes()
    called, group = np.array(found["call"]) == "yes", np.array(found["ethnicity"])
    assert len(called) == 4870
    for name, share in {"cauc": 0.0965, "afam": 0.0645}.items():
        assert called[group == name].mean() == pytest.approx(share, abs=5e-5)
        assert (group == name).sum() == 2435


def test_word_vectors():
    words, vectors = people.word_vectors()
    assert vectors.shape == (26_423, 300) and vectors.dtype == np.float32
    assert len(words) == len(set(words)) == 26_423
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    at = {word: i for i, word in enumerate(words)}
    assert vectors[at["king"]] @ vectors[at["queen"]] > vectors[at["king"]] @ vectors[at["car"]] + 0.3


def test_the_word_tests_give_the_known_effects():
    words, vectors = people.word_vectors()
    at, tests = {word: i for i, word in enumerate(words)}, people.word_tests()
    for name, effect in {"Instruments / Weapons": 1.53, "Math / Arts": 0.88, "Science / Arts": 1.35}.items():
        sets = [vectors[[at[w] for w in listed if w in at]] for listed in tests[name].values()]
        assert weat(*sets) == pytest.approx(effect, abs=0.006)
    assert len(tests["Instruments / Weapons"]["Weapons"]) == 25
    assert all(w == w.lower() for lists in tests.values() for listed in lists.values() for w in listed)
