"""Refusals of numbers and lists."""

import numpy as np
import pytest

from fmkit._values import listed, share, whole


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: whole("n", 2.0, 1), TypeError, "n must be a whole number, got 2.0"),
        (lambda: whole("n", "3", 1), TypeError, "n must be a whole number, got '3'"),
        (lambda: whole("n", None, 1), TypeError, "n must be a whole number, got None"),
        (lambda: whole("n", 0, 1), ValueError, "n must be at least 1, got 0"),
        (lambda: whole("n", np.int64(-1), 0), ValueError, "n must be at least 0, got -1"),
        (lambda: share("p", 1.01), ValueError, "p must be from 0 to 1, got 1.01"),
        (lambda: share("p", -1e-9), ValueError, "p must be from 0 to 1"),
        (lambda: share("p", float("nan")), ValueError, "p must be from 0 to 1, got nan"),
        (lambda: share("p", "1"), TypeError, "p must be a number, got '1'"),
        (lambda: share("p", None), TypeError, "p must be a number, got None"),
        (
            lambda: listed("texts", "to be"),
            TypeError,
            "texts: expected a list of texts, got one str; \\[text\\]",
        ),
        (
            lambda: listed("words", b"to", "words"),
            TypeError,
            "words: expected a list of words, got one bytes",
        ),
        (lambda: listed("words", None, "words"), TypeError, "words: expected a list of words, got None"),
    ],
)
def test_a_wrong_value_is_refused_by_name(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_right_values_pass():
    whole("n", 1, 1)
    whole("n", np.int32(7), 1)
    for p in (0, 1, 0.5, np.float32(0.5)):
        share("p", p)
    for texts in ([], ("a",), {"a"}, iter("ab"), np.array(["a"])):
        listed("texts", texts)
