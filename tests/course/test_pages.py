"""What comes out at the end: feedback pages, CSV files for the LMS, the report."""

import csv
import html.parser
import re
import zipfile
from collections import Counter

import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER, NEURON, WHY, by_hand

from fmkit.command.cli import main
from fmkit.course import report
from fmkit.course.chapter import Chapter
from fmkit.course.collecting.collect import collect
from fmkit.course.export import export
from fmkit.course.feedback import write_archive, write_feedback
from fmkit.course.grading.marking import verdict_card
from fmkit.errors import CourseError

SCRIPT = "<script>alert(1)</script>"
WRONG = {"status": "wrong", "misconception": "forgot the 1/N of the mean", "hint": "How many rows?"}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Ada: one mistake. Emmy: all right, nothing written. José: a crash. Zoë: nothing handed in."""
    course = courses.make(tmp_path / "course")
    courses.hand_in(course, "ada", courses.wrong_neuron(why=f"Because {SCRIPT}"))
    courses.hand_in(course, "emmy", courses.solved(why=""))
    courses.hand_in(course, "jose", courses.untouched())
    neuron = WRONG | {
        "message": f"At {SCRIPT}.",
        "rows": [["expected", "1"], ["got", SCRIPT]],
        "notes": [SCRIPT],
    }
    gone = {"status": "undone", "message": "Write it."}
    results = [
        courses.result(course, "ada", neuron=neuron),
        courses.result(course, "emmy"),
        courses.result(
            course, "jose", gone, {"status": "crashed"}, status="crashed", reason=f"=cmd {SCRIPT}"
        ),
    ]
    courses.enter(course, results, monkeypatch)
    return course


class Tags(html.parser.HTMLParser):
    """What stands in a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.words += data


def page(course, student):
    return course.notebook("feedback", CHAPTER, student).with_suffix(".html").read_text("utf-8")


def test_a_page_says_what_there_is_to_say(course):
    by_hand(course, "ada", points=3, comment="Nearly & <b>well</b>.\nRead on.")
    by_hand(course, "ada", NEURON, comment="Count the rows.")
    assert write_feedback(course, CHAPTER) == ["ada", "emmy", "jose"]
    words = Tags(page(course, "ada")).words
    for text in (
        "04-backprop: Ada Lovelace",
        "6 of 9 points",
        "forgot the 1/N of the mean",
        "How many rows?",
        "Nearly & <b>well</b>.\nRead on.",
        "Count the rows.",
        f"Because {SCRIPT}",
        "Why backwards?",
        "3 of 4",
        "0 of 2",
    ):
        assert text in words, text
    assert "still to be read" not in words and "still to be read" in page(course, "emmy")
    assert "to be read, 4 at most" in page(course, "emmy") and "(no answer)" in page(course, "emmy")
    assert "Status: crashed. =cmd" in page(course, "jose") and "Not done yet" in page(course, "jose")


def test_nothing_in_a_page_runs_and_nothing_is_fetched(course):
    by_hand(course, "ada", comment=SCRIPT)
    write_feedback(course, CHAPTER)
    for student in ("ada", "emmy", "jose"):
        tags = Tags(page(course, student))
        assert not {"script", "img", "iframe", "object", "link", "a", "form", "base"} & set(tags.tags)
        assert not [name for name in tags.attributes if name.startswith("on") or name in ("src", "href")]
        assert "default-src 'none'" in page(course, student)


def test_a_page_holds_no_solution_and_no_test(course):
    write_feedback(course, CHAPTER)
    assert "return x.T @ dz, dz.sum()" in page(course, "ada"), "their own answer is there"
    text = page(course, "jose")
    assert (
        "BEGIN SOLUTION" not in text and "return x.T" not in text and "One scalar, many weights" not in text
    )
    assert "check(" not in text


def test_a_card_tells_the_points_of_the_course(course):
    for points, words in ((7.0, "7 points"), (1.0, "1 point"), (2.5, "2.5 points")):
        entry = courses.entry("backprop.neuron", "One sigmoid neuron", points, points)
        assert f"right on every input. {words}." in repr(verdict_card(course, entry))


def test_one_student_only(course):
    assert write_feedback(course, CHAPTER, "emmy") == ["emmy"]
    assert not course.notebook("feedback", CHAPTER, "ada").with_suffix(".html").exists()
    with pytest.raises(CourseError, match="nothing of zoe has been graded yet"):
        write_feedback(course, CHAPTER, "zoe")


def test_a_page_shows_the_answer_that_was_graded(course):
    courses.hand_in(course, "ada", courses.solved(neuron="def newer(): pass"))
    done = CliRunner().invoke(main, ["course", "feedback", "--course", str(course.root)])
    words = f"another try counts than the one that was graded; run `fmkit course grade {CHAPTER}` again: ada"
    assert done.exit_code == 0 and f"{CHAPTER}: {words}" in done.stdout
    assert "Another try counts by now; these points are of the one graded before." in page(course, "ada")
    assert "newer" not in page(course, "ada")


def test_an_archive_that_moodle_takes_back(course, tmp_path):
    names = {
        "Lovelace Ada_101_assignsubmission_file_/hw.ipynb": courses.solved(why="ada"),
        "Group 1-Emmy Noether_102_assignsubmission_file_hw_1.ipynb": courses.solved(why="emmy"),
        "jose/Emmy Noether_102_assignsubmission_file_/x.ipynb": courses.solved(why="jose"),
    }
    for number, (name, nb) in enumerate(names.items()):
        (tmp_path / f"{number}.zip").write_bytes(courses.zipped({name: nb}))
        collect(course, tmp_path / f"{number}.zip")
    path, others = write_archive(course, CHAPTER, write_feedback(course, CHAPTER))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [
            f"Lovelace Ada_101_assignsubmission_file_/{CHAPTER}.html",
            f"Group 1-Emmy Noether_102_assignsubmission_file_/{CHAPTER}.html",
            f"jose/{CHAPTER}.html",
        ], "José does not get into Emmy's folder by naming one like hers"
        assert archive.read(archive.namelist()[0]).decode() == page(course, "ada")
    assert others == ["jose"]


# --- export -------------------------------------------------------------------------------------------------


def tables(course):
    paths = export(course, [CHAPTER], course.root / "export", course.students())
    raw = {path.name: path.read_bytes() for path in paths}
    assert all(data.startswith(b"\xef\xbb\xbf") for data in raw.values()), "so that Excel reads the accents"
    return {name: list(csv.reader(data.decode("utf-8-sig").splitlines())) for name, data in raw.items()}


def test_the_lms_gets_its_columns(course):
    by_hand(course, "ada", points=2.5)
    found = tables(course)
    assert found["moodle.csv"] == [
        ["ID number", "First name", "Last name", "Email address", CHAPTER],
        ["ada", "Ada", "Lovelace", "ada@example.org", "5.5"],
        ["emmy", "Emmy", "Noether", "e.noether@example.org", "5"],
        ["jose", "José", "Muñoz Ñandú", "jose@example.org", "0"],
        ["zoe", "Zoë", "O'Brien-Łoś", "zoe@example.org", ""],
    ]
    assert found["canvas.csv"][:3] == [
        ["Student", "ID", "SIS Login ID", "Section", CHAPTER],
        ["    Points Possible", "", "", "", "9"],
        ["Lovelace, Ada", "", "ada", "", "5.5"],
    ]


def test_the_plain_tables_say_why(course):
    by_hand(course, "ada", points=2.5)
    found = tables(course)
    grades = {row[0]: dict(zip(found["grades.csv"][0], row, strict=True)) for row in found["grades.csv"][1:]}
    assert grades["ada"]["score"] == "5.5" and grades["ada"]["waiting"] == "no"
    assert grades["emmy"]["waiting"] == "yes" and grades["emmy"]["status"] == "graded"
    assert grades["jose"]["status"] == "crashed" and grades["jose"]["reason"] == f"'=cmd {SCRIPT}"
    assert grades["zoe"]["status"] == "nothing handed in" and grades["zoe"]["score"] == ""
    rows = {(row[0], row[2]): row[3:] for row in found["exercises.csv"][1:]}
    assert rows["ada", "backprop.neuron"][:4] == ["0", "2", "wrong", "forgot the 1/N of the mean"]
    assert rows["ada", WHY][:3] == ["2.5", "4", "graded by hand"]
    assert rows["emmy", WHY][:3] == ["", "4", "waits for points by hand"]
    assert rows["jose", "backprop.linear"][2] == "crashed" and len(rows) == 9


def test_no_cell_is_a_formula(course):
    (course.root / "students.csv").write_text('id,first_name,last_name\nada,=1+1,"@SUM(1)"\nemmy,-2,+3\n')
    for name, rows in tables(course).items():
        for row in rows:
            assert not [cell for cell in row if re.match(r"\s*[=+@-]", cell)], (name, row)


# --- report -------------------------------------------------------------------------------------------------


def test_the_report_counts(course):
    neuron, linear = report.rows(course, CHAPTER)
    counts = {what: neuron[what] for what in ("title", "right", "wrong", "not answered")}
    assert counts == {"title": "One sigmoid neuron", "right": 1, "wrong": 1, "not answered": 1}
    assert neuron["mistakes"] == {"forgot the 1/N of the mean": 1}
    assert (linear["right"], linear["wrong"], linear["not answered"]) == (2, 1, 0)
    lines = report.lines([neuron, linear])
    assert lines[1].split() == ["One", "sigmoid", "neuron", "1", "1", "1"]
    assert lines[2].strip() == "1 x forgot the 1/N of the mean"


def test_a_chapter_without_checks_has_no_report(course, monkeypatch):
    monkeypatch.setattr(report.marking, "asked", lambda *_: Chapter((), (), frozenset(), frozenset(), ""))
    with pytest.raises(CourseError, match="no check grades any of it"):
        report.rows(course, CHAPTER)


def test_the_picture_holds_long_titles(course):
    found = report.rows(course, CHAPTER)
    for row in found:
        row["title"], row["mistakes"] = "A very long title indeed " * 5, Counter({"forgot " * 40: 3})
    path = report.draw(found, CHAPTER, course.root / "report" / "x.png")
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size < 300_000
