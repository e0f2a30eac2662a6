"""Times that an LMS writes for people: read in many languages, and named where they cannot be told."""

from datetime import datetime

import pytest
from helpers import courses

from fmkit.course.collecting.collect import collect, handed_in, read_tries
from fmkit.course.collecting.matching import Matcher
from fmkit.course.collecting.moments import is_day_first, readings
from fmkit.course.roster import Student

CHAPTER = courses.CHAPTER
TEN = datetime(2026, 11, 19, 10, 0)
DOWNLOAD = (2026, 11, 30, 9, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "Nov 19, 2026 1000 AM",
        "November 19, 2026 10:00 AM",
        "19 November, 2026 1000",
        "19 nov. 2026 10h00",
        "19. November 2026 10.00 Uhr",
        "19 de noviembre de 2026 10:00",
        "19 de novembro, 2026 1000 a. m.",
        "19 novembre 2026 1000",
        "2026 nov 19 1000",
        "19 listopada 2026 10:00",
        "19 marraskuu 2026 10.00",
        "19 Kasım 2026 1000",
        "19 ноября 2026 1000",
        "2026年11月19日 1000",
        "2026-11-19 1000",
        "19-11-2026 1000",
        "19.11.2026 10.00",
        "11_19_2026 1000 AM",
        "11-19-2026 100000",
    ],
)
def test_one_reading(text):
    assert readings(text) == [TEN]


@pytest.mark.parametrize(
    ("text", "hour"),
    [("1000 PM", 22), ("1200 AM", 0), ("12:05 PM", 12), ("705 p.m.", 19), ("下午 0105", 13), ("945", 9)],
)
def test_half_days(text, hour):
    (found,) = readings(f"Nov 19, 2026 {text}")
    assert found.hour == hour


def test_dots_put_the_day_first_and_other_signs_leave_it_open():
    both = [datetime(2026, 12, 3, 9, 30), datetime(2026, 3, 12, 9, 30)]
    assert readings("3.12.2026 9.30") == both[:1]
    assert readings("3-12-2026 930") == readings("03_12_2026 09:30") == both
    assert readings("5-5-2026 930") == [datetime(2026, 5, 5, 9, 30)]
    orders = {"19-11-2026 1000": True, "11-19-2026 1000": False, "3-12-2026 1000": None, "5-5-2026 930": None}
    assert {text: is_day_first(text) for text in orders} == orders
    assert is_day_first("Nov 19, 2026 1000 AM") is is_day_first("2026-11-19 1000") is None


@pytest.mark.parametrize(
    "text",
    [
        "19 November, 2026",
        "19 brumaire 2026 1000",
        "31 Feb 2026 1000",
        "Nov 19, 2026 1000 CET",
        "Nov 19, 0026 1000",
        "Nov 19, 2026 2500",
        "Nov 19, 2026 1300 PM",
        "Nov Dec 19, 2026 1000",
        "19-11-26 1000",
        "1000 19-11-2026",
        "",
        "9" * 5000,
        "1 " * 5000,
        "9" * 5000 + "-1-2026 1000",
    ],
)
def test_no_reading(text):
    assert readings(text) == []


# --- at collect ---------------------------------------------------------------------------------------------


def brightspace(tmp_path, **dates):
    """An archive of Brightspace's: student -> the date in the name of the folder."""
    names = {"ada": "Ada Lovelace", "emmy": "Emmy Noether", "jose": "José Muñoz Ñandú"}
    entries = {"index.html": b"<html>"}
    entries |= {
        f"12-34 - {names[id]} - {date}/hw.ipynb": courses.solved(why=id) for id, date in dates.items()
    }
    (tmp_path / "in.zip").write_bytes(courses.zipped(entries, DOWNLOAD))
    return tmp_path / "in.zip"


@pytest.fixture
def course(tmp_path):
    return courses.make(tmp_path / "course")


def test_a_time_that_cannot_be_read_is_named(course, tmp_path):
    found = collect(course, brightspace(tmp_path, ada="19 brumaire 2026 1000", emmy="19 nov. 2026 1000"))
    words = "the time '19 brumaire 2026 1000' cannot be read, so that of the archive counts, for ada"
    assert found.notes == [words]
    assert handed_in(course, "ada", CHAPTER)[0] == datetime(*DOWNLOAD).astimezone()
    assert handed_in(course, "emmy", CHAPTER)[0] == TEN.astimezone()


def test_other_dates_of_the_archive_show_the_order(course, tmp_path):
    found = collect(course, brightspace(tmp_path, ada="3-12-2026 1000", emmy="19-11-2026 1000"))
    assert (
        found.notes == [] and handed_in(course, "ada", CHAPTER)[0] == datetime(2026, 12, 3, 10).astimezone()
    )
    paths = [
        f"1-2 - Ada Lovelace - {date} 1000/x.ipynb" for date in ("3-12-2026", "19-11-2026", "11-19-2026")
    ]
    match = Matcher([Student("ada", "Ada", "Lovelace")], paths).find(paths[0])
    assert match.when is None and match.unread == "'3-12-2026 1000' can be read two ways", "they contradict"


def test_the_course_can_say_the_order_and_what_was_guessed_is_put_right(course, tmp_path):
    source = brightspace(tmp_path, ada="3-12-2026 1000", emmy="4-5-2026 1000")
    (note,) = collect(course, source).notes
    assert note == (
        "the time '3-12-2026 1000' can be read two ways, so that of the archive counts, for ada, emmy. "
        "Say which in course.toml ([dates], day_first) and collect the same again"
    )
    assert collect(course, source).new == 0, "as before"
    (course.root / "course.toml").write_text("[dates]\nday_first = true\n")
    found = collect(course, source)
    assert found.notes == [] and found.new == 0 and len(read_tries(course, "ada", CHAPTER)) == 1
    assert handed_in(course, "ada", CHAPTER)[0] == datetime(2026, 12, 3, 10).astimezone()
    (course.root / "course.toml").write_text("[dates]\nday_first = false\n")
    collect(course, source)
    assert len(read_tries(course, "emmy", CHAPTER)) == 2, (
        "another time is another try; the first one was said"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HW1_ada_attempt_2026-99-19-10-00-22_x.ipynb", "'2026-99-19-10-00-22' cannot be read"),
        ("ada+04-backprop+2026-11-19 10:00:22 CET+x/x.ipynb", "'2026-11-19 10:00:22 CET' cannot be read"),
        ("Lovelace_Ada_ada_6789/20269919100022_p1.ipynb", "'20269919100022' cannot be read"),
        ("1-2 - Ada Lovelace - 19.11.26 10.00/x.ipynb", "'19.11.26 10.00' cannot be read"),
        ("1-2 - Ada Lovelace - 19 November, 2026/x.ipynb", "'19 November, 2026' cannot be read"),
    ],
)
def test_so_is_a_time_of_any_other_lms(course, tmp_path, name, words):
    (tmp_path / "in.zip").write_bytes(courses.zipped({name: courses.solved()}, DOWNLOAD))
    (note,) = collect(course, tmp_path / "in.zip").notes
    assert note == f"the time {words}, so that of the archive counts, for ada"
