"""Plain data is read strictly: nothing that lies about itself gets through."""

from collections import Counter, OrderedDict, namedtuple
from fractions import Fraction

import numpy as np
import pytest

from fmkit.lab.judging.plain import Foreign, changed, copy, is_plain, leaves, plain


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "text", "", -0.0, 10**30])
def test_built_in_values_stay(value):
    assert plain(value) is value


def test_numpy_scalars_become_arrays_without_axes():
    for scalar in (np.float32(1.5), np.int8(3), np.bool_(True)):
        got = plain(scalar)
        assert type(got) is np.ndarray and got.shape == () and got.dtype == scalar.dtype and got == scalar
    assert plain(np.str_("x")) == "x" and type(plain(np.str_("x"))) is str


def test_arrays_are_copied():
    x = np.arange(6.0).reshape(2, 3)
    for view in (x, x[:, ::2], x.T, np.asfortranarray(x), np.broadcast_to(x, (2, 2, 3))):
        got = plain(view)
        assert type(got) is np.ndarray and not np.shares_memory(got, x) and np.array_equal(got, view)


def test_other_byte_order_is_the_same_number():
    got = plain(np.array([1.0, 2.0], dtype=">f4"))
    assert got.dtype == np.float32 and list(got) == [1.0, 2.0]


def test_containers_become_built_in_ones():
    pair = namedtuple("pair", "a b")(1, [2.0])
    assert plain(pair) == (1, [2.0]) and type(plain(pair)) is tuple
    for table in (OrderedDict(a=1), Counter("a")):
        assert plain(table) == {"a": 1} and type(plain(table)) is dict
    assert plain({np.int64(3): 1, (1, "b"): 2}) == {3: 1, (1, "b"): 2}


class LyingArray(np.ndarray):
    shape = property(lambda self: (99,))

    def __array__(self, *args, **kwargs):
        return np.full(3, 7.0)

    def __array_ufunc__(self, *args, **kwargs):
        return True

    def __array_function__(self, *args, **kwargs):
        return True

    def astype(self, *args, **kwargs):
        return np.full(3, 7.0)

    def __eq__(self, other):
        return True


def test_a_lying_array_is_taken_by_its_own_numbers():
    got = plain(np.array([1.0, 2.0, 3.0]).view(LyingArray))
    assert type(got) is np.ndarray and got.tolist() == [1.0, 2.0, 3.0]


class LyingFloat(float):
    def __float__(self):
        return 7.0

    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class LyingList(list):
    def __iter__(self):
        return iter([7.0, 7.0])

    def __len__(self):
        return 2


class LyingDict(dict):
    def items(self):
        return [("a", 7)]


class LyingText(str):
    def __str__(self):
        return "right"

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def test_lying_subclasses_are_taken_by_what_they_hold():
    assert plain(LyingFloat(1.0)) == 1.0 and type(plain(LyingFloat(1.0))) is float
    assert plain(LyingList([1.0])) == [1.0]
    assert plain(LyingDict(b=1)) == {"b": 1}
    assert plain(LyingText("wrong")) == "wrong" and type(plain(LyingText("wrong"))) is str


class EqualToAll:
    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        return np.zeros(3)

    def __float__(self):
        return 0.0

    __hash__ = None


class PretendsToBeAnArray:
    __class__ = np.ndarray


class Meta(type):
    __eq__ = lambda self, other: True  # noqa: E731
    __hash__ = lambda self: hash(float)  # noqa: E731


class EqualClass(metaclass=Meta):
    pass


def test_a_generator_is_foreign():
    assert plain(i for i in range(3)) == Foreign("a generator")


@pytest.mark.parametrize(
    "value",
    [
        EqualToAll(),
        PretendsToBeAnArray(),
        EqualClass(),
        Fraction(1, 2),
        {1, 2},
        b"bytes",
        range(3),
        np.array([1, None]),
        np.array([EqualToAll()], dtype=object),
        np.zeros(2, dtype=[("a", "f4")]),
        np.array(["2020-01-01"], dtype="datetime64"),
        np.ma.array([1.0], mask=[True]),
        np.float64,
        len,
        ...,
    ],
    ids=lambda v: type(v).__name__,
)
def test_everything_else_is_foreign(value):
    assert isinstance(plain(value), Foreign)
    assert not is_plain(plain([1, {"a": (value,)}]))


def test_foreign_keys_are_foreign():
    assert isinstance(plain({EqualClass: 1}), Foreign)
    assert isinstance(plain({frozenset(): 1}), Foreign)


def test_a_view_that_claims_to_be_huge_is_not_copied():
    assert "too large" in plain(np.broadcast_to(0.0, (10**6, 10**6))).kind


def test_one_array_many_times_does_not_fill_the_memory():
    large = np.zeros(1 << 22)
    assert not is_plain(plain([large] * 100))
    assert is_plain(plain([large] * 5))


def test_a_list_inside_itself_ends():
    loop = []
    loop.append(loop)
    assert not is_plain(plain(loop))
    laughs = [0]
    for _ in range(18):
        laughs = [laughs] * 10
    assert not is_plain(plain(laughs))


def test_leaves():
    assert leaves({"a": [1, (2, None)], "b": "x"}) == [1, 2, None, "x"]


def test_copies_share_nothing():
    x = np.arange(3.0)
    value = ({"w": x, "n": np.float32(2)}, [x])
    got = copy(value)
    assert type(got[0]["n"]) is np.float32
    got[0]["w"][0] = 9
    assert x[0] == 0 and got[1][0][0] == 0


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ('["w"]', lambda v: v["w"].__iadd__(1)),
        ('["w"]', lambda v: v.update(w=v["w"].astype(np.float32))),
        ('["w"]', lambda v: v.update(w=[1.0])),
        ('["blocks"][1]["b"]', lambda v: v["blocks"][1]["b"].fill(0)),
        ("", lambda v: v.pop("w")),
        ("", lambda v: v.update(new=1)),
        ('["blocks"]', lambda v: v["blocks"].append(1)),
    ],
)
def test_changed_says_where(path, change):
    before = {"w": np.array([1.0, np.nan]), "blocks": [1, {"b": np.ones((2, 2))}], "n": 3}
    after = copy(before)
    assert changed(before, after) is None
    change(after)
    assert changed(before, after) == path


def test_minus_zero_for_zero_is_a_change():
    assert changed(np.array([0.0]), np.array([-0.0])) == ""
