"""The small language: numbers read back, its words, and that each sentence has one translation."""

import re

import numpy as np
import pytest

from fmkit.data import bilingual

NUMBERS = [
    *range(1, 2300),
    *range(9_990, 10_130),
    *range(99_000, 101_200, 7),
    20_000,
    123_400,
    10_203_040,
    99_999_999,
]


def read_chinese(text):
    """The number that a text of digits and units says."""
    total = group = digit = 0
    for character in text:
        if character == "万":
            total, group, digit = (total + group + digit) * 10_000, 0, 0
        elif character in "十百千":
            group += max(digit, 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
        else:
            digit = 2 if character == "两" else bilingual.DIGITS.index(character)
    return total + group + digit


def read_english(text):
    total = group = 0
    for word in text.split():
        if word == "hundred":
            group *= 100
        elif word in ("thousand", "million"):
            total, group = total + group * {"thousand": 1000, "million": 1_000_000}[word], 0
        else:
            group += bilingual.ONES.index(word) if word in bilingual.ONES else 10 * bilingual.TENS.index(word)
    return total + group


def test_numbers_can_be_read_back():
    assert [read_chinese(bilingual.chinese_number(n)) for n in NUMBERS] == NUMBERS
    assert [read_english(bilingual.english_number(n)) for n in NUMBERS] == NUMBERS


@pytest.mark.parametrize(
    ("n", "chinese"),
    [
        (10, "十"),
        (110, "一百一十"),
        (10_010, "一万零一十"),
        (20_002, "两万零二"),
        (100_000, "十万"),
        (12_000_305, "一千二百万零三百零五"),
    ],
)
def test_where_a_zero_is_said(n, chinese):
    assert bilingual.chinese_number(n) == chinese


@pytest.mark.parametrize("n", [0, 100_000_000])
def test_what_has_no_name_is_refused(n):
    for name in (bilingual.chinese_number, bilingual.english_number):
        with pytest.raises(ValueError, match="n: expected"):
            name(n)


def test_a_sentence_uses_its_vocabulary_and_a_vocabulary_holds_nothing_else():
    rng = np.random.default_rng(0)
    pairs = [bilingual.sentence(rng, 1 + i % 2) for i in range(6000)]
    characters, words = bilingual.vocabularies()
    assert sorted(set("".join(chinese for chinese, _ in pairs))) == characters
    assert sorted({word for _, english in pairs for word in english.split()}) == words


def test_a_chinese_sentence_has_one_translation():
    rng, seen = np.random.default_rng(1), {}
    for _ in range(4000):
        chinese, english = bilingual.clause(rng)
        assert seen.setdefault(chinese, english) == english


def test_one_and_two_and_what_is_watched():
    rng = np.random.default_rng(2)
    for chinese, english in (bilingual.clause(rng) for _ in range(3000)):
        count = re.search(r"(?:了)(一|两)(?:[本份部个条碗杯瓶张把件辆])", chinese)
        if count:
            assert (" one " if count[1] == "一" else " two ") in english
        assert not re.search(r"了二[本份部个条碗杯瓶张把件辆]", chinese)
        assert ("看了" in chinese and "部电影" in chinese) == ("watched" in english.split())
        assert english.split()[-1] != "on" and "  " not in english


def test_clauses_are_joined():
    chinese, english = bilingual.sentence(np.random.default_rng(3), 3)
    assert chinese.count("，") == 2 == english.split().count("and")
    with pytest.raises(ValueError, match="clauses"):
        bilingual.sentence(np.random.default_rng(3), 0)
