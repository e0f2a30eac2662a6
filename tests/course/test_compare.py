"""Grades read back from the gradebooks of Moodle and Canvas."""

from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from helpers.courses import CHAPTER

from fmkit.command.cli import main
from fmkit.course import commands, compare
from fmkit.course.layout import Course
from fmkit.course.roster import read_roster
from fmkit.errors import CourseError

ROSTER = """id,first_name,last_name,email,section
ada,Ada,Lovelace,ada@example.org,A
emmy,Emmy,Noether,e.noether@example.org,A
jose,José,Muñoz,jose@example.org,B
zoe,Zoë,Łoś,zoe@example.org,B
"""
SCORES = {"ada": 7.2, "emmy": 4 / 3, "jose": 0.0, "zoe": None}
MOODLE = """First name,Last name,ID number,Email address,Assignment: 04-backprop (Real),\
Assignment: 04-backprop (Percentage),Course total (Real)
Ada,Lovelace,,ada@example.org,"7,20","80,00 %","7,20"
Emmy,Noether,,E.Noether@example.org,"1,33",15 %,"1,33"
Jose,Munoz,,other@example.org,"0,00",0 %,"0,00"
Zoë,Łoś,,zoe@example.org,-,-,-
"""
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,04-backprop (8812),Final Score
    Points Possible,,,,,9.00,(read only)
"Lovelace, Ada",1,,ada,A,7.20,80
"Noether, Emmy",2,,emmy,A,1.33,14.8
"Muñoz, José",3,,jose,B,0.00,0
"Łoś, Zoë",4,,zoe,B,,
"Student, Test",5,,,A,,
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    (tmp_path / "students.csv").write_text(ROSTER, "utf-8")
    (tmp_path / "nbgrader_config.py").write_text("")
    scores = {id: SimpleNamespace(score=score) for id, score in SCORES.items()}
    scores |= {id: SimpleNamespace(score=None) for id in ("a1", "a2", "x")}
    monkeypatch.setattr(compare, "marks", lambda *_: scores)
    return Course(tmp_path)


def found(course, text, column=None, students=None):
    path, notes = course.root / "lms.csv", []
    path.write_text(text, "utf-8")
    students = course.students() if students is None else students
    return compare.differences(course, CHAPTER, path, column, students, notes), notes


@pytest.mark.parametrize("text", [MOODLE, CANVAS])
def test_equal_gradebooks(course, text):
    lines, notes = found(course, text)
    assert lines == [] and not [note for note in notes if "e-mail" not in note]


def test_what_differs_is_named(course):
    text = CANVAS.replace("7.20", "8").replace(',,\n"Student', ',3,\n"Student').replace("0.00,0", ",")
    lines, _ = found(course, text)
    assert lines == ["ada: 7.2 here, 8 there", "jose: 0 here, nothing there", "zoe: nothing here, 3 there"]


def test_who_is_missing_on_either_side_is_named(course):
    text = CANVAS.replace('"Muñoz, José",3,,jose', '"Gauß, Carl",3,,carl')
    lines, _ = found(course, text)
    assert lines == [
        "Carl Gauß (lms.csv, line 5) is not in students.csv",
        "jose (José Muñoz) is not in lms.csv",
    ]
    roster = [s for s in course.students() if s.section == "A"]
    only_a = "\n".join(line for line in CANVAS.splitlines() if ",B," not in line)
    assert found(course, only_a, students=roster)[0] == []


def test_a_name_that_two_have_is_said_to_be_theirs(course):
    (course.root / "students.csv").write_text(ROSTER + "a1,Anna,Schmidt,,B\na2,Anna,Schmidt,,B\n", "utf-8")
    names = [(s.first_name, s.last_name) for s in course.students()]
    assert names.count(("Anna", "Schmidt")) == 2
    for text in ("Schmidt, Anna", "Anna, Schmidt"):
        lines, _ = found(course, CANVAS + f'"{text}",9,,,B,3,3\n')
        (line,) = lines
        assert line.endswith(
            "(lms.csv, line 8) may be any: 2 students in students.csv have this name (a1 and a2), "
            "and the line has no id or e-mail of theirs"
        )
    lines, _ = found(course, CANVAS + '"Schmidt, Anna",9,,a2,B,,3\n')
    assert lines == ["a1 (Anna Schmidt) is not in lms.csv"]


def test_zeros_that_a_spreadsheet_dropped_are_said(course):
    (course.root / "students.csv").write_text("id\n007\n", "utf-8")
    text = "Login ID,04-backprop\n7,3\n"
    lines, _ = found(course, text, students=[])
    assert lines == ["7 (lms.csv, line 2) is not in students.csv (only 007, with other zeros in front)"]


def test_names_alone_will_do(course):
    text = "Student;04-backprop\nLovelace, Ada;7,20\nEmmy Noether;1,33\nMunoz, José;1\n"
    assert found(course, text)[0] == ["jose: 0 here, 1 there", "zoe (Zoë Łoś) is not in lms.csv"]
    text = "Vorname;Nachname;04-backprop\nAda;Lovelace;7,20\n"
    assert found(course, text, students=course.students()[:1])[0] == []
    with pytest.raises(CourseError, match="has no column id"):
        found(course, "Who;04-backprop\nada;7\n")


def test_a_name_in_the_other_order_is_found_unless_somebody_is_called_so(course):
    turned = CANVAS.replace('"Lovelace, Ada",1,,ada', '"Ada, Lovelace",1,,').replace("7.20", "8")
    assert found(course, turned)[0] == ["ada: 7.2 here, 8 there"]
    (course.root / "students.csv").write_text(ROSTER + "x,Lovelace,Ada,,B\n", "utf-8")
    lines, _ = found(course, CANVAS + '"Ada, Lovelace",9,,,B,,3\n')
    assert lines == []


def test_what_cannot_be_read_is_named_with_its_line(course):
    lines, notes = found(course, CANVAS.replace("7.20", "excellent") + '"Noether, Emmy",2,,emmy,A,9,9\n')
    assert lines == ["ada: 7.2 here, nothing there"]
    assert any("lms.csv: line 3: 'excellent' is not a number" in note for note in notes)
    assert any("line 8: emmy occurs twice" in note for note in notes)


def test_the_column(course):
    other = CANVAS.replace("04-backprop (8812)", "Homework 4")
    with pytest.raises(CourseError, match="no column with 04-backprop in its name.*--column.*'Homework 4'"):
        found(course, other)
    assert found(course, other, "homework 4")[0] == []
    with pytest.raises(CourseError, match="no column called 'x'"):
        found(course, other, "x")
    two = CANVAS.replace("Final Score", "04-backprop again")
    with pytest.raises(CourseError, match="several columns with 04-backprop"):
        found(course, two)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("5,50", 5.5),
        ("5.5", 5.5),
        ("5.50 / 9", 5.5),
        ("-1", -1),
        ("", None),
        ("-", None),
        ("EX", None),
    ],
)
def test_numbers_of_an_lms(text, value):
    assert compare._number(text) == value


@pytest.mark.parametrize("text", ["A", "1e5", "nan", "inf", "1,000.5", "80 %"])
def test_what_is_not_a_number(text):
    assert compare._number(text) != compare._number(text)


def test_the_commands_exit_code(course, monkeypatch):
    monkeypatch.setattr(commands, "_graded", lambda *_: [CHAPTER])
    path = course.root / "lms.csv"
    for text, code, words in (
        (CANVAS, 0, "no differences"),
        (CANVAS.replace("7.20", "7"), 1, "1 difference"),
    ):
        path.write_text(text, "utf-8")
        done = CliRunner().invoke(main, ["course", "compare", str(path), "04", "--course", str(course.root)])
        assert done.exit_code == code and words in done.output, done.output


def test_our_own_export_is_equal_to_itself(course):
    head = "ID number,First name,Last name,Email address,04-backprop"
    text = "\n".join([head, "ada,A,L,x,7.2", "emmy,,,,1.33333", "jose,,,,0", "zoe,,,,"])
    assert found(course, text)[0] == [] and len(read_roster(course.root / "lms.csv")) == 4
