"""Two plain values are compared: what is equal, what differs, and the words for it."""

import numpy as np
import pytest

from fmkit.lab.judging.compare import agree, difference, distance, where
from fmkit.lab.judging.plain import plain

TOL = 1e-5
RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4))


def kind_of(expected, got, strict=True):
    found = difference(plain(expected), plain(got), TOL, strict)
    assert agree(plain(expected), plain(got), TOL, strict) is (found is None)
    return found and found.kind


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A, A * (1 + 1e-7)),
        (A, A + 1e-9),
        (A.astype(np.float32), A.astype(np.float32) * np.float32(1 + 1e-5)),
        (np.array([1e8, 1.0]), np.array([1e8, 1.0 + 1e-7])),
        (np.array([np.nan, np.inf, -np.inf, 1.0]), np.array([np.nan, np.inf, -np.inf, 1.0])),
        (np.zeros(3), np.full(3, 1e-16)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.array(0.5), np.float64(0.5)),
        (0.5, np.float32(0.5)),
        (0.5, np.array(0.5)),
        (2.0, 2),
        (3, np.int32(3)),
        (True, np.bool_(True)),
        ([1, 2], (1, 2)),
        ((A, 1.0), [A, 1.0]),
        ([1, 2], [np.int64(1), np.int64(2)]),
        (np.array([1, 2]), np.array([1, 2], dtype=np.int32)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ("日本", "日本"),
        (None, None),
        (np.array(["a", "b"]), np.array(["a", "b"])),
    ],
)
def test_equal(expected, got):
    assert kind_of(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "kind"),
    [
        (A, A * (1 + 1e-3), "value"),
        (A.astype(np.float32), A.astype(np.float32) * np.float32(1 + 1e-3), "value"),
        (0.5, 0.5 * (1 + 1e-3), "value"),
        (np.array([1e8, 1.0]), np.array([1e8, 1.01]), "value"),
        (np.array([np.inf, 1.0]), np.array([5.0, 1.0]), "value"),
        (np.array([np.inf]), np.array([-np.inf]), "value"),
        (np.array([np.nan]), np.array([0.0]), "value"),
        (A, np.full_like(A, np.nan), "nan"),
        (A, np.full_like(A, np.inf), "nan"),
        (A, A.T, "shape"),
        (A, A[None], "shape"),
        (A, 3.0, "shape"),
        (0.5, np.array([0.5]), "shape"),
        (A, A.astype(np.float32), "dtype"),
        (A.astype(np.float32), A, "dtype"),
        (np.float32(0.5), np.float64(0.5), "dtype"),
        (0.5, np.float16(0.5), "dtype"),
        (np.array([1, 2]), np.array([1.0, 2.0]), "dtype"),
        (np.array([1.0, 2.0]), np.array([1, 2]), "dtype"),
        (3, 3.0, "dtype"),
        (True, 1, "dtype"),
        (1.0, True, "dtype"),
        (np.array([True]), np.array([1]), "dtype"),
        (A, [1.0, 2.0], "type"),
        ([1, 2], np.array([[1, 2]]), "type"),
        (A, "text", "type"),
        ("1", 1, "type"),
        (A, {"a": A}, "type"),
        ({"a": 1}, [1], "type"),
        (0.5, 0.5 + 0j, "dtype"),
        (A, (A, None), "count"),
        (A, (A,), "count"),
        ((A, A), A, "count"),
        ((A, A), (A,), "count"),
        ((A, A), (A, A, A), "count"),
        ((A, 2 * A), (2 * A, A), "order"),
        ([1, 2], [1, 2, 3], "shape"),
        ({"a": 1, "b": 2}, {"a": 1}, "keys"),
        ({"a": 1}, {"a": 1, "b": 2}, "keys"),
        ({"a": A}, {"a": 2 * A}, "value"),
        ("abc", "abd", "value"),
        ("abc", "ab", "value"),
        (A, None, "none"),
        ((A, A), (A, None), "none"),
        (None, A, "none"),
        (3, 4, "value"),
        (True, False, "value"),
        (A, object(), "type"),
    ],
)
def test_different(expected, got, kind):
    assert kind_of(expected, got) == kind


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A, A.astype(np.float32)),
        (3, 3.0),
        (True, 1),
        (np.array([1]), np.array([1.0])),
        (0.5, np.float32(0.5)),
    ],
)
def test_values_alone_may_have_another_dtype(expected, got):
    assert kind_of(expected, got, strict=False) is None


def words(expected, got):
    found = difference(plain(expected), plain(got), TOL)
    return found.message, dict(found.rows)


def test_the_first_place_that_differs_is_told():
    wrong = A.copy()
    wrong[1, 2] += 1
    wrong[2, 0] += 3
    message, rows = words((A, A), (A, wrong))
    assert rows["where"] == "value 2 of 2, [1, 2]"
    assert rows["expected"] == f"{A[1, 2]:.6g}" and rows["yours"] == f"{A[1, 2] + 1:.6g}"
    assert rows["wrong"] == "2 of 12 elements, shape (3, 4)"
    assert rows["largest error"] == "3"


def test_nearly_equal_numbers_are_shown_with_the_digits_that_differ():
    rows = words(np.array([1.0]), np.array([1.0 + 1e-4]))[1]
    assert rows["expected"] != rows["yours"]
    rows = words(np.array([123456.0]), np.array([123456.0 * (1 + 3e-5)]))[1]
    assert rows["expected"] != rows["yours"]


def test_patterns_that_a_person_would_see():
    assert "transposed: its values are right" in words(A, A.T)[0]
    assert words(A, 2 * A.T)[0].endswith("transposed.")
    assert "another order" in words(np.zeros((2, 3, 4)), np.zeros((3, 2, 4)))[0]
    assert "yours come as 2, 1" in words((A, 2 * A), (2 * A, A))[0]


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A, A.tolist()),
        (A.astype(np.float32), A.astype(np.float32).tolist()),
        ([1, 2], np.array([1, 2])),
        ((1.0, 2.0), np.array([1.0, 2.0])),
        ([1.0], (1.0,)),
    ],
)
def test_a_list_is_as_good_as_an_array(expected, got):
    assert kind_of(expected, got) is None


def test_a_list_of_another_dtype_is_not():
    assert kind_of(A.astype(np.float32), list(A)) == "dtype"


def test_kind_words():
    assert "yield" in words(A, (i for i in "a"))[0]
    assert "np.array" in words(A, [1.0, 2.0])[0]
    assert "stray comma" in words(A, (A,))[0]
    assert "return" in words(A, None)[0]
    assert "float32 came in" in words(A.astype(np.float32), A)[0]
    assert "missing: 'b'" in words({"a": 1, "b": 2}, {"a": 1, "c": 2})[0]
    assert "extra: 'c'" in words({"a": 1, "b": 2}, {"a": 1, "c": 2})[0]


def test_text_is_told_by_its_first_wrong_character():
    rows = words("the quick fox", "the quack fox")[1]
    assert rows["where"] == "the result, character 6"


def test_a_longer_list_is_told_by_its_first_wrong_element():
    rows = words([5, 6, 7], [5, 8, 6, 7])[1]
    assert rows["differs from"] == "[1]"
    assert rows["expected"].startswith("length 3") and rows["yours"].startswith("length 4")


def test_places_in_words():
    assert where(()) == "the result"
    assert where(((0, 3), "w1", 2), (0, 4)) == 'value 1 of 3, ["w1"], [2], [0, 4]'


def test_distance():
    assert distance((A, {"a": 1}), (A, {"a": 1})) == 0
    top = np.abs(A).max()
    assert distance([A], [A + 0.1]) == pytest.approx(0.1 / top)
    assert distance(np.array([np.inf, 1.0]), np.array([np.inf, 1.5])) == 0.5
