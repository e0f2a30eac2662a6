"""What an instructor lays down in course.toml, extensions.csv and teams.csv: used, or named with its line."""

from datetime import datetime, timedelta

import pytest

from fmkit.course import rules
from fmkit.course.layout import Course
from fmkit.course.rules import Late, parse_moment, read_rules
from fmkit.errors import CourseError

BACKPROP, MODELS = "04-backprop", "07-language-models"
DUE = datetime(2026, 12, 1, 23, 59).astimezone()


@pytest.fixture
def course(tmp_path):
    course = Course(tmp_path)
    for chapter in (BACKPROP, MODELS):
        path = course.notebook("source", chapter)
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    (tmp_path / "students.csv").write_text("id,first_name\nada,Ada\nemmy,Emmy\n0042,Zoë\n")
    return course


def write(course, name, text):
    (course.root / name).write_text(text, "utf-8")
    return read_rules(course)


def test_without_files_there_are_no_rules(course):
    assert read_rules(course) == rules.Rules()
    assert rules.Rules().due("ada", BACKPROP, DUE) == DUE and rules.Rules().due("ada", BACKPROP, None) is None


def test_what_a_new_course_is_given_says_nothing_until_it_is_uncommented(course):
    assert write(course, "course.toml", rules.SETTINGS) == rules.Rules()
    inside = "\n".join(line.removeprefix("# ") for line in rules.SETTINGS.splitlines()[2:])
    found = write(course, "course.toml", inside)
    assert found.late == Late(0, 10, 50) and found.best and found.in_parts == {"backprop.linear"}
    assert found.day_first is True and not found.notes


def test_an_exercise_that_does_not_exist_is_named(course):
    found = write(course, "course.toml", '[points]\nin_parts = ["backprop.linear", "backprop.linaer"]\n')
    (note,) = found.notes
    assert note.startswith("course.toml: there is no exercise 'backprop.linaer'")


def test_an_extension_is_one_students_and_never_shortens(course):
    found = write(
        course, "extensions.csv", "id;chapter;due\nADA;4;2026-12-03 12:00\nemmy;04-backprop;2026-11-01\n"
    )
    assert not found.notes
    assert found.due("ada", BACKPROP, DUE) == datetime(2026, 12, 3, 12).astimezone()
    assert found.due("ada", MODELS, DUE) == found.due("emmy", BACKPROP, DUE) == DUE
    assert found.due("ada", BACKPROP, None) is None, "without a deadline nobody is late"


def test_each_line_that_cannot_be_used_is_named_and_the_rest_counts(course):
    found = write(
        course,
        "extensions.csv",
        "id,chapter,due\neve,04,2026-12-03\nada,05,2026-12-03\nada,04,12/3/2026\nada,04\n"
        "emmy,04,2026-12-03\nemmy,04-backprop,2026-12-04\n\n0042,7,3.12.2026 9.30\n",
    )
    assert set(found.extensions) == {("emmy", BACKPROP), ("0042", MODELS)}
    assert found.extensions["emmy", BACKPROP].day == 3
    assert found.extensions["0042", MODELS] == datetime(2026, 12, 3, 9, 30).astimezone()
    for number, words in (
        (2, "there is no student 'eve' in students.csv; left out"),
        (3, "there is no chapter '05'"),
        (4, "'12/3/2026' is not a date and time"),
        (5, "'' is not a date and time"),
        (7, "emmy has an extension of 04-backprop already"),
    ):
        assert any(n.startswith(f"extensions.csv: line {number}: {words}") for n in found.notes), words
    assert len(found.notes) == 5


def test_a_cell_that_is_empty_is_said_to_be(course):
    found = write(course, "extensions.csv", "id,chapter,due\n,4,2026-12-03\nada,,2026-12-03\n")
    assert [note.split(": ")[2] for note in found.notes] == [
        "it names no student; left out",
        "it names no chapter; left out",
    ]


def test_teams_hold_for_all_chapters_or_for_one(course):
    found = write(
        course, "teams.csv", "team,id,chapter\nred,ada,\nred,emmy,\nblue,emmy,7\n,0042,\nblue,Emmy,07\n"
    )
    assert [found.team(id, BACKPROP) for id in ("ada", "emmy", "0042")] == ["red", "red", ""]
    assert found.team("emmy", MODELS) == "blue"
    assert [note.split(":")[1].strip() for note in found.notes] == ["line 5", "line 6"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "extensions.csv",
            "id,chapter\nada,04\n",
            "has no column due; its first line should be id,chapter,due",
        ),
        ("extensions.csv", "", "has no column id"),
        ("teams.csv", "id,group\nada,x\n", "has no column team"),
        ("course.toml", "[late\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_is_refused(course, name, text, words):
    with pytest.raises(CourseError, match=words):
        write(course, name, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[late]\npercent_per_day = 10\n", "[late] has no percent_per_day, but grace_days, percent_a_day"),
        ("[latte]\n", "there is no setting [latte], but late, tries, points, minutes, dates"),
        ("late = 3\n", "late is a heading, [late], with lines such as grace_days = ... below it"),
        ("[late]\nat_most = true\n", "at_most is True; it should be a number from 0 to 100"),
        ('[late]\npercent_a_day = "10"\n', "percent_a_day is '10'"),
        ("[late]\ngrace_days = -1\n", "grace_days is -1"),
        ("[late]\ngrace_days = nan\n", "grace_days is nan"),
        ('[tries]\ncounts = "first"\n', "counts is 'first'; it should be"),
        ('[points]\nin_parts = "backprop.linear"\n', "in_parts is 'backprop.linear'; it should be a list"),
        ('[dates]\nday_first = "yes"\n', "day_first is 'yes'; it should be true or false"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_the_rest_counts(course, text, words):
    beside = '[tries]\ncounts = "best"\n' if "tries" not in text else "[dates]\nday_first = false\n"
    found = write(course, "course.toml", text + beside)
    (note,) = found.notes
    assert note.startswith(f"course.toml: {words}") and note.endswith("; left out")
    assert (found.best or found.day_first is False) and found.late == Late()


def test_a_file_in_another_encoding_says_so(course):
    (course.root / "course.toml").write_bytes("# für alle\n".encode("cp1252"))
    with pytest.raises(CourseError, match="it is not UTF-8. Save it as UTF-8"):
        read_rules(course)


def test_an_extension_that_changes_nothing_is_named(course):
    found = write(
        course,
        "extensions.csv",
        "id,chapter,due\nada,4,2026-12-03\nemmy,4,2026-11-01 12:00\n0042,7,2026-12-02\n",
    )
    before = "extensions.csv: emmy, 04-backprop: 2026-11-01 12:00 is not after the deadline, 2026-12-01 23:59"
    assert found.idle(BACKPROP, DUE) == [before] and found.idle(MODELS, DUE) == []
    assert found.idle(MODELS, None)[0].endswith("2026-12-02 23:59: there is no deadline")


def test_what_being_late_costs():
    rule = Late(grace_days=1, percent_a_day=10, at_most=25)
    hours = {1: 0, 24: 0, 25: 10, 48: 10, 49: 20, 73: 25, 2400: 25}
    assert {h: rule.percent(timedelta(hours=h)) for h in hours} == hours
    assert Late().percent(timedelta(days=9)) == 0
    assert (
        Late(0.25, 10).percent(timedelta(hours=6)) == 0 and Late(0.25, 10).percent(timedelta(hours=7)) == 10
    )


def test_deadlines_as_spreadsheets_write_them():
    assert parse_moment("3.12.2026") == datetime(2026, 12, 3, 23, 59, 59).astimezone()
    assert parse_moment("03.12.2026 09:05") == parse_moment("2026-12-03 9:05")
    for text in ("12/3/2026", "tomorrow", "", "31.2.2026", "2026-12-03 24:30"):
        with pytest.raises(CourseError, match="is not a date and time"):
            parse_moment(text)
