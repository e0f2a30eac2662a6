"""A moment as an LMS writes it into a name for people to read: in their language, and in their order."""

import contextlib
import re
import unicodedata
from datetime import datetime

BELIEVED = range(1990, 2200)  # years of a time that can be one
# How the names of the months begin, in the languages that Brightspace and its like speak
_MONTHS = (
    "jan ene gen sty tammi ocak led янв",
    "feb fev lut helmi sub uno фев",
    "mar mrt maa bre мар",
    "apr avr abr kwi huhti nis dub апр",
    "may mai maj mei mag touko kve май мая",
    "jun juin giu cze kesa haz cerven cervn июн",
    "jul juil lug lip heina tem cervenec cervence июл",
    "aug aou ago sie elo agu srp авг",
    "sep set wrz syys eyl zar сен",
    "oct okt ott out paz loka eki rij окт",
    "nov lis marras kas ноя",
    "dec dez dic des gru joulu ara pro дек",
)
_BEFORE_NOON, _AFTER_NOON = {"am", "上午", "午前", "오전"}, {"pm", "下午", "午後", "오후"}
_OTHERS = "at um uhr kl klo om de del du den le la a las o h u st nd rd th er 年 月 日 년 월 일"


def readings(text: str) -> list[datetime]:
    """The moments, in local time, that a text can mean.

    Returns
    -------
    list of datetime
        One; none where it cannot be read; two where the day or the month may stand first, in this order.
    """
    words, numbers = _words(text), re.findall(r"\d+", text)
    months = {month for word in words if (month := _month(word))}
    halves = {word in _AFTER_NOON for word in words if word in _BEFORE_NOON | _AFTER_NOON}
    unknown = [word for word in words if not _is_known(word)]
    if unknown or len(months) > 1 or len(halves) > 1:
        return []
    many = 2 if months else 3
    if len(numbers) <= many or max(map(len, numbers)) > 6:  # no time of the day, or none at all
        return []
    dates = _named(numbers, *months) if months else _numbered(numbers, _is_dotted(text))
    time, found = _time(numbers[many:], *halves), []
    for date in dates if time else ():
        with contextlib.suppress(ValueError):
            found += [datetime(*date, *time)] if date[0] in BELIEVED else []
    return list(dict.fromkeys(found))


def is_day_first(text: str) -> bool | None:
    """Whether the day stands first in a date of numbers; None where it does not show."""
    found = readings(text)
    numbers = [int(number) for number in re.findall(r"\d+", text)][:2]
    if len(found) != 1 or len(numbers) < 2 or any(_month(word) for word in _words(text)):
        return None
    if numbers[0] > 31 or numbers[0] == numbers[1]:
        return None
    return found[0].day == numbers[0]


def _words(text: str) -> list[str]:
    """The words, without accents and capitals; "p. m." is one."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate({ord("ł"): "l", ord("ı"): "i"}))
    plain = "".join(sign for sign in plain if unicodedata.category(sign)[0] != "M")
    plain = unicodedata.normalize("NFC", plain)  # the syllables of Korean again
    return re.findall(r"[^\W\d_]+", re.sub(r"\b([ap])\.?\s?m\b", r"\1m", plain))


def _month(word: str) -> int:
    """The month that a word names, or 0."""
    begins = [(len(name), month) for name, month in _BEGINNINGS if word.startswith(name)]
    return max(begins, default=(0, 0))[1]


_BEGINNINGS = [(name, month) for month, names in enumerate(_MONTHS, 1) for name in _words(names)]


def _is_known(word: str) -> bool:
    return bool(_month(word)) or word in _BEFORE_NOON | _AFTER_NOON | set(_OTHERS.split())


def _is_dotted(text: str) -> bool:
    """Whether it is a date such as 3.12.2026: with dots the day stands first."""
    return bool(re.match(r"\s*\d{1,2}\.\s?\d{1,2}\.", text))


def _named(numbers: list[str], month: int) -> list[tuple[int, int, int]]:
    """Year, month and day, where the month is a word."""
    one, other = numbers[:2]
    if (len(one) == 4) == (len(other) == 4):
        return []
    return [(int(one), month, int(other)) if len(one) == 4 else (int(other), month, int(one))]


def _numbered(numbers: list[str], dotted: bool) -> list[tuple[int, int, int]]:
    """Year, month and day, in both orders where the year stands last."""
    a, b, c = map(int, numbers[:3])
    if len(numbers[0]) == 4:
        return [(a, b, c)]
    if len(numbers[2]) != 4:
        return []
    return [(c, b, a)] if dotted else [(c, b, a), (c, a, b)]


def _time(numbers: list[str], after_noon: bool | None = None) -> tuple[int, ...]:
    """Hour, minute and maybe second, written as 1000 or 10 00; nothing where it is neither."""
    if len(numbers) == 1 and 3 <= len(numbers[0]) <= 6:
        digits = numbers[0].zfill(4 if len(numbers[0]) < 5 else 6)
        numbers = [digits[i : i + 2] for i in range(0, len(digits), 2)]
    if not 2 <= len(numbers) <= 3 or any(len(number) > 2 for number in numbers):
        return ()
    hour, *rest = map(int, numbers)
    if after_noon is not None:
        if not 1 <= hour <= 12:
            return ()
        hour = hour % 12 + 12 * after_noon
    return (hour, *rest)
