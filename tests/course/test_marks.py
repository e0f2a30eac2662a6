"""What a student gets: extensions, being late, teams, sections; the points that were given stay."""

import csv
import io
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER, WHY, by_hand

from fmkit.command.cli import main
from fmkit.course import gradebook, report
from fmkit.course.collecting.collect import collect, handed_in, settle_all, settle_best
from fmkit.course.export import export, waiting
from fmkit.course.feedback import write_feedback
from fmkit.course.grading import marking
from fmkit.course.grading.grade import grade_submission
from fmkit.course.grading.journal import Journal
from fmkit.course.layout import open_course
from fmkit.course.marks import STALE, enter, file_name, lateness, marks, members
from fmkit.course.rules import Late
from fmkit.course.submission import digest
from fmkit.course.term import write_term
from fmkit.errors import CourseError
from fmkit.lab import exercises

DUE = datetime(2026, 11, 20, 12, 0).astimezone()
RULES = "[late]\npercent_a_day = 10\nat_most = 50\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Due on the 20th at noon. Ada: in time, Emmy: a day and a half late, José: two hours late; all right."""
    tmp_path = tmp_path_factory.mktemp("marks")
    course = courses.make(tmp_path / "course", due=DUE)
    hours = {"ada": -1, "emmy": 36, "jose": 2}
    entries = {
        f"{name}.ipynb": (courses.solved(why=name), (DUE + timedelta(hours=h)).timetuple()[:6])
        for name, h in hours.items()
    }
    (tmp_path / "in.zip").write_bytes(courses.zipped(entries))
    collect(course, tmp_path / "in.zip")
    with pytest.MonkeyPatch.context() as patch:
        courses.enter(course, [courses.result(course, name) for name in hours], patch)
    return course.root


@pytest.fixture
def course(made, tmp_path):
    shutil.copytree(made, tmp_path / "course")
    return open_course(tmp_path / "course")


def lay_down(course, **files):
    for name, text in files.items():
        (course.root / name.replace("_", ".")).write_text(text)


def table(course, name="grades.csv"):
    export(course, [CHAPTER], course.root / "export", course.students())
    rows = list(csv.DictReader(io.StringIO((course.root / "export" / name).read_text("utf-8-sig"))))
    return {row.get("student") or row["ID number"]: row for row in rows}


def of_nbgrader(course, student):
    with gradebook.opened(course) as book:
        submission = book.find_submission(CHAPTER, student)
        return submission.score, submission.late_submission_penalty, submission.extension


# --- late ---------------------------------------------------------------------------------------------------


def test_without_rules_late_is_said_and_costs_nothing(course):
    found = marks(course, CHAPTER)
    assert [found[s].score for s in ("ada", "emmy", "jose", "zoe")] == [5, 5, 5, None]
    assert [found[s].remarks for s in ("ada", "emmy", "zoe")] == [(), ("2 days late",), ()]


def test_late_costs_and_the_points_stay(course):
    lay_down(course, course_toml=RULES)
    found = marks(course, CHAPTER)
    assert [(found[s].raw, found[s].score) for s in ("ada", "emmy", "jose")] == [(5, 5), (5, 4), (5, 4.5)]
    assert found["emmy"].remarks == ("2 days late: -20 %",) and found["jose"].remarks == (
        "1 day late: -10 %",
    )
    enter(course, CHAPTER)
    assert of_nbgrader(course, "emmy") == (5, 1, None) and of_nbgrader(course, "ada") == (5, 0, None)
    by_hand(course, "emmy", points=4)
    enter(course, CHAPTER)
    assert of_nbgrader(course, "emmy") == (9, 1.8, None), "it is a share of the points that were reached"
    lay_down(course, course_toml="")
    enter(course, CHAPTER)
    assert of_nbgrader(course, "emmy") == (9, 0, None)


def test_export_and_feedback_say_what_late_costs(course):
    lay_down(course, course_toml=RULES)
    rows = table(course)
    row = rows["emmy"]
    assert [row[k] for k in ("score", "raw_score", "late_penalty", "late")] == ["4", "5", "1", "yes"]
    assert row["remark"] == "2 days late: -20 %" and rows["ada"]["remark"] == rows["zoe"]["remark"] == ""
    assert table(course, "moodle.csv")["emmy"][CHAPTER] == "4" and rows["zoe"]["raw_score"] == ""
    write_feedback(course, CHAPTER)
    page = course.notebook("feedback", CHAPTER, "emmy").with_suffix(".html").read_text()
    assert (
        "4 of 9 points" in page and "2 days late: -20 %." in page and "5 points without the deduction" in page
    )
    assert "deduction" not in course.notebook("feedback", CHAPTER, "ada").with_suffix(".html").read_text()


def test_late_in_words():
    rule = Late(grace_days=1, percent_a_day=10)
    assert lateness(rule, DUE + timedelta(hours=3), DUE) == ("1 day late", 0)
    assert lateness(rule, DUE + timedelta(hours=25), DUE) == ("2 days late: -10 %", 10)
    for when, due in ((None, DUE), (DUE, None), (DUE - timedelta(hours=1), DUE)):
        assert lateness(Late(0, 10), when, due) == ("late: -10 %", 10), "the LMS says so, but not by how much"


# --- tries --------------------------------------------------------------------------------------------------


def hand_in_more(course, tmp_path, *tries):
    """More tries of Ada's, each as the words of its free answer, and hours before the deadline."""
    for words, hours in tries:
        when = (DUE - timedelta(hours=hours)).timetuple()[:6]
        (tmp_path / "more.zip").write_bytes(courses.zipped({"ada.ipynb": (courses.solved(why=words), when)}))
        collect(course, tmp_path / "more.zip")


def test_the_best_try_counts_where_the_course_says_so(course, tmp_path, monkeypatch):
    hand_in_more(course, tmp_path, ("good", 3), ("poor", 2), ("too late", -2))
    scores = {"good": 5.0, "poor": 2.0, "too late": 5.0, "ada": 3.0}

    def batch(todo, *options, **more):
        for job in todo:
            data = Path(job["file"]).read_bytes()
            words = next(w for w in scores if f'"{w}"'.encode() in data)
            linear = {"status": "ok"} if scores[words] == 5 else {"status": "wrong"}
            yield courses.result(course, "ada", linear=linear) | {"sha256": digest(data)}

    lay_down(course, course_toml='[tries]\ncounts = "best"\n')
    monkeypatch.setattr(marking, "grade_batch", batch)
    marking.grade_tries(course, marking.jobs(course, [CHAPTER], "ada"))
    assert b'"good"' in course.notebook("submitted", CHAPTER, "ada").read_bytes()
    assert handed_in(course, "ada", CHAPTER) == (DUE - timedelta(hours=3), False)


def test_the_result_is_that_of_the_try_that_counts(course, tmp_path):
    before = marking.latest(course, CHAPTER)["ada"]
    with Journal(course.journal) as journal:
        journal.add((CHAPTER, "ada", "x", ""), before | {"sha256": "0" * 64, "reason": "another version"})
    assert marking.latest(course, CHAPTER)["ada"] == before
    hand_in_more(course, tmp_path, ("new", 0.5))
    assert marking.latest(course, CHAPTER)["ada"] == before, "until the new one is graded"
    course.notebook("autograded", CHAPTER, "ada").with_name(marking.ENTERED).unlink()
    assert marking.latest(course, CHAPTER)["ada"]["reason"] == "another version", "where nothing is noted"


# --- extensions ---------------------------------------------------------------------------------------------


def test_an_extension_decides_which_try_counts(course, tmp_path):
    second = {"ada.ipynb": (courses.solved(why="second"), (DUE + timedelta(hours=20)).timetuple()[:6])}
    (tmp_path / "more.zip").write_bytes(courses.zipped(second))
    assert "08:00 (after the deadline)" in "".join(collect(course, tmp_path / "more.zip").notes)
    lay_down(course, extensions_csv=f"id,chapter,due\nada,4,2026-11-21\nemmy,{CHAPTER},2026-11-21 12:00\n")
    assert settle_all(course, CHAPTER, only_changed=True) == ["ada"], "Emmy has one try; it counts as before"
    assert b"second" in course.notebook("submitted", CHAPTER, "ada").read_bytes()
    assert [handed_in(course, s, CHAPTER)[1] for s in ("ada", "emmy", "jose")] == [False, True, True]
    assert settle_all(course, CHAPTER, only_changed=True) == []
    (course.root / "extensions.csv").unlink()
    assert settle_all(course, CHAPTER, only_changed=True) == ["ada"], "taken back again"


def test_date_and_points_are_of_the_try_that_was_graded(course, tmp_path, monkeypatch):
    """An extension that is taken away again lets an older try count, which nobody has graded."""
    lay_down(course, course_toml=RULES, extensions_csv="id,chapter,due\nada,4,2026-11-21\n")
    hand_in_more(course, tmp_path, ("first", 0.5), ("second", -20))
    courses.enter(course, [courses.result(course, "ada", linear={"status": "wrong"})], monkeypatch)
    later = (DUE + timedelta(hours=20)).astimezone(UTC)
    assert (marks(course, CHAPTER)["ada"].when, marks(course, CHAPTER)["ada"].score) == (later, 2)
    (course.root / "extensions.csv").unlink()
    done = CliRunner().invoke(main, ["course", "feedback", "--course", str(course.root)])
    assert done.stdout.splitlines()[0] == (
        f"{CHAPTER}: the rules have changed, so another try counts now: ada"
    )
    assert b'"first"' in course.notebook("submitted", CHAPTER, "ada").read_bytes()
    words = f"another try counts than the one that was graded; run `fmkit course grade {CHAPTER}` again"
    again = f"{CHAPTER}: {words}: ada"
    for command in ("feedback", "export", "report"):
        done = CliRunner().invoke(main, ["course", command, "--course", str(course.root)])
        assert again in done.stdout.splitlines() and done.exit_code == 0
    # what was graded came 20 hours late, as it is now, and its own score is what it costs a share of
    ada = marks(course, CHAPTER)["ada"]
    assert (ada.when, ada.late, ada.raw, ada.score) == (later, True, 2, 1.8)
    assert ada.remarks == (
        "1 day late: -10 %",
        "another try counts by now; these points are of the one graded before",
    )
    row = table(course)["ada"]
    assert row["handed in"].startswith("2026-11-21") and row["late"] == "yes" and row["score"] == "1.8"
    text = course.notebook("feedback", CHAPTER, "ada").with_suffix(".html").read_text()
    assert "Handed in 2026-11-21" in text and "another try counts by now" in text
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    ada = marks(course, CHAPTER)["ada"]
    assert (ada.when, ada.late, ada.score, ada.remarks) == (
        (DUE - timedelta(hours=0.5)).astimezone(UTC),
        False,
        5,
        (),
    )


def test_points_are_of_the_same_try_where_both_have_been_graded(course, tmp_path, monkeypatch):
    """The journal holds both results, the gradebook that of the later one until `grade` runs again."""
    hand_in_more(course, tmp_path, ("second", -20))
    lay_down(course, extensions_csv="id,chapter,due\nada,4,2026-11-21\n")
    assert settle_all(course, CHAPTER, only_changed=True) == ["ada"]
    courses.enter(course, [courses.result(course, "ada", linear={"status": "wrong"})], monkeypatch)
    (course.root / "extensions.csv").unlink()
    assert settle_all(course, CHAPTER, only_changed=True) == ["ada"]
    ada = marks(course, CHAPTER)["ada"]
    assert (ada.when, ada.raw) == ((DUE + timedelta(hours=20)).astimezone(UTC), 2)
    assert ada.result["exercises"]["backprop-linear-check"]["status"] == "wrong"
    assert STALE in ada.remarks
    assert marking.ungraded(course, CHAPTER)[1] == ["ada"]
    options = ["--unsafe"] if courses.unsafe() else []
    done = CliRunner().invoke(
        main, ["course", "grade", "--student", "ada", *options, "--course", str(course.root)]
    )
    assert done.exit_code == 0, done.output
    ada = marks(course, CHAPTER)["ada"]
    assert (ada.when, ada.raw, ada.remarks) == ((DUE - timedelta(hours=1)).astimezone(UTC), 5, ())


def test_what_came_by_another_way_has_the_date_of_its_grading(course, monkeypatch):
    """nbgrader's own collect replaces the file, and knows nothing of tries."""
    shutil.rmtree(course.root / "tries" / "ada")
    courses.hand_in(course, "ada", courses.solved(why="by the exchange"))
    ada = marks(course, CHAPTER)["ada"]
    assert (ada.when, ada.late) == ((DUE - timedelta(hours=1)).astimezone(UTC), False)
    assert ada.remarks == ("another try counts by now; these points are of the one graded before",)


def test_the_best_try_stays_the_best_when_the_same_is_collected_again(course, tmp_path, monkeypatch):
    lay_down(course, course_toml='[tries]\ncounts = "best"\n')
    hand_in_more(course, tmp_path, ("good", 3), ("poor", 0.5))
    good, poor = (digest(courses.data(courses.solved(why=words))) for words in ("good", "poor"))
    settle_best(course, "ada", CHAPTER, {good: 5.0, poor: 2.0})
    path = course.notebook("submitted", CHAPTER, "ada")
    assert b'"good"' in path.read_bytes()
    collect(course, tmp_path / "more.zip")
    assert b'"good"' in path.read_bytes()
    hand_in_more(course, tmp_path, ("newer", 0.4))
    assert b'"good"' in path.read_bytes(), "until the new one has been graded"
    with Journal(course.journal) as journal:
        for number, sha in enumerate((good, poor)):
            result = courses.result(course, "ada") | {"sha256": sha}
            journal.add((CHAPTER, "ada", str(number), ""), result)
    assert "ada" in marking.ungraded(course, CHAPTER)[1]
    lay_down(course, course_toml="")
    assert settle_all(course, CHAPTER, only_changed=True) == ["ada"], "the rule is another one"
    assert b'"newer"' in path.read_bytes()


def test_days_late_are_counted_from_the_own_deadline(course):
    lay_down(course, course_toml=RULES, extensions_csv="id,chapter,due\nemmy,4,2026-11-21 12:00\n")
    settle_all(course, CHAPTER, only_changed=True)
    emmy = marks(course, CHAPTER)["emmy"]
    assert emmy.score == 4.5 and emmy.remarks == ("1 day late: -10 %", "extended to 2026-11-21 12:00")
    enter(course, CHAPTER)
    assert of_nbgrader(course, "emmy") == (5, 0.5, timedelta(days=1))


def test_canvas_knows_of_no_extension(course, tmp_path):
    when = (DUE + timedelta(hours=5)).timetuple()[:6]
    for id in ("ada", "jose"):
        (tmp_path / "late.zip").write_bytes(
            courses.zipped({f"{id}_LATE_7_88_{id}.ipynb": (courses.solved(why="x"), when)})
        )
        lay_down(course, extensions_csv="id,chapter,due\njose,4,2026-11-21\n")
        collect(course, tmp_path / "late.zip")
    assert not handed_in(course, "jose", CHAPTER)[1]
    assert b'"x"' not in course.notebook("submitted", CHAPTER, "ada").read_bytes(), "late for Ada"


def test_bad_lines_are_said_where_they_matter_and_once(course):
    lines = "".join(f"eve{k},4,2026-11-23\n" for k in range(5))
    lay_down(course, extensions_csv=f"id,chapter,due\n{lines}emmy,4,2026-11-01\n", course_toml="[latte]\n")
    lay_down(course, teams_csv="team,id\nred,eve\n")

    def said(*words):
        done = CliRunner().invoke(main, ["course", *words, "--course", str(course.root)])
        assert done.exit_code == 0, done.output
        return [
            line for line in done.stdout.splitlines() if line.startswith(("extensions", "teams", "course.t"))
        ]

    assert said("report") == said("feedback") == []
    assert said("export") == [
        "course.toml: there is no setting [latte], but late, tries, points, minutes, dates; left out",
        *(
            f"extensions.csv: line {k + 2}: there is no student 'eve{k}' in students.csv; left out"
            for k in range(3)
        ),
        "extensions.csv: 3 more such lines",
        "teams.csv: line 2: there is no student 'eve' in students.csv; left out",
    ]
    lay_down(course, extensions_csv="id,chapter,due\nemmy,4,2026-11-01\n", course_toml="")
    assert said("export")[1] == (
        "extensions.csv: emmy, 04-backprop: 2026-11-01 23:59 is not after the deadline, 2026-11-20 12:00"
    )
    options = ["--unsafe"] if courses.unsafe() else []
    assert said("grade", "--student", "ada", *options)[1].startswith("extensions.csv: emmy")


def test_the_commands_take_extensions_up_and_name_bad_lines(course):
    lay_down(course, extensions_csv="id,chapter,due\nemmy,4,2026-11-23\neve,4,2026-11-23\n")
    done = CliRunner().invoke(main, ["course", "export", "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    assert "extensions.csv: line 3: there is no student 'eve'" in done.stdout
    assert not handed_in(course, "emmy", CHAPTER)[1] and of_nbgrader(course, "emmy")[2] == timedelta(
        days=3, hours=11, minutes=59, seconds=59
    )
    assert f"{CHAPTER}: 3 free answers wait for a mark" in done.stdout


# --- parts of an answer -------------------------------------------------------------------------------------

HALF = """def scaled_linear_backward(dout, x, w, scale):
    dy = dout * scale
    return dy @ w.T, np.zeros_like(w)
"""


def test_parts_give_points_where_the_course_says_so(course, monkeypatch):
    wrong = {"status": "wrong", "parts": {"dx": True, "dw": False, "db": True}}
    results = [courses.result(course, "ada", linear=wrong), courses.result(course, "emmy", neuron=wrong)]
    courses.enter(course, results, monkeypatch)
    assert [marks(course, CHAPTER)[s].raw for s in ("ada", "emmy")] == [2, 3], (
        "off, unless the course says so"
    )
    lay_down(course, course_toml='[points]\nin_parts = ["backprop.linear"]\n')
    courses.enter(course, results, monkeypatch)
    found = marks(course, CHAPTER)
    assert found["ada"].raw == 4 and found["ada"].result["score"] == 4 and found["emmy"].raw == 3
    write_feedback(course, CHAPTER, "ada")
    page = course.notebook("feedback", CHAPTER, "ada").with_suffix(".html").read_text()
    assert "2 of 3 (2 of 3 values right)" in page and "4 of 9 points" in page


def test_an_exercise_can_say_so_itself(course, monkeypatch):
    entry = courses.entry(
        "backprop.linear", "", 2.0, 2.0, "wrong", parts={"dx": True, "dw": False, "db": False}
    )
    assert marking.in_shares(course, entry, frozenset())["points"] == 0
    exercise = replace(exercises.get("backprop.linear"), parts=True)
    monkeypatch.setattr(marking.exercises, "get", lambda id, folder: exercise)
    assert marking.in_shares(course, entry, frozenset())["points"] == 0.67
    for status in ("crashed", "tampered", "undone"):
        whole = courses.entry("backprop.linear", "", 2.0, 2.0, status)
        assert marking.in_shares(course, whole, frozenset()) == whole


def test_grading_notes_which_values_are_right(course):
    data = courses.data(courses.solved(linear=HALF))
    graded = grade_submission(data, course.notebook("release", CHAPTER), 1, unsafe=True)["exercises"]
    linear, neuron = graded["backprop-linear-check"], graded["backprop-neuron-check"]
    assert linear["parts"] == {"dx": True, "dw": False} and (linear["status"], linear["points"]) == (
        "wrong",
        0,
    )
    assert "parts" not in neuron and neuron["status"] == "ok"


# --- teams and sections -------------------------------------------------------------------------------------


def test_a_team_shares_what_counts(course):
    lay_down(course, course_toml=RULES, teams_csv="team,id\nred,emmy\nred,zoe\nblue,ada\nblue,jose\n")
    by_hand(course, "jose", points=4)
    found = marks(course, CHAPTER)
    assert [(found[s].by, found[s].score) for s in courses.STUDENTS] == [
        ("ada", 5),
        ("emmy", 4),
        ("ada", 5),
        ("emmy", 4),
    ], "what came in time goes before what was better and late"
    assert found["zoe"].remarks == ("2 days late: -20 %", "team red: handed in by emmy")
    rows = table(course)
    assert (rows["zoe"]["score"], rows["zoe"]["status"], rows["zoe"]["late"]) == ("4", "graded", "yes")
    assert table(course, "moodle.csv")["jose"][CHAPTER] == "5"
    assert write_feedback(course, CHAPTER) == list(courses.STUDENTS)
    page = course.notebook("feedback", CHAPTER, "zoe").with_suffix(".html").read_text()
    assert "Zoë O&#39;Brien-Łoś" in page and "return x.T @ dz" in page, "the team's answer"
    assert waiting(course, [CHAPTER], course.students()) == {CHAPTER: 2}, "each is counted once"
    lines = marking.summary(course, [], [CHAPTER], list(courses.STUDENTS))
    assert not [line for line in lines if "nothing from" in line]


def test_report_and_export_count_the_same_people(course, monkeypatch):
    """Of a team each member has what counts for the team, and who is in no roster any more is nobody."""
    lay_down(course, teams_csv="team,id\nred,emmy\nred,zoe\nblue,ada\nblue,jose\n")
    undone = {"status": "undone"}
    courses.enter(course, [courses.result(course, "jose", neuron=undone, linear=undone)], monkeypatch)
    rows = {row["exercise"]: row for row in report.rows(course, CHAPTER)}
    counted = [rows["backprop.neuron"][what] for what in ("right", "wrong", "not answered")]
    assert counted == [4, 0, 0], "José's own does not count: Ada's does, as the export says"
    assert [table(course)[s]["score"] for s in courses.STUDENTS] == ["5"] * 4
    text = write_term(course, [CHAPTER], course.students(), course.root / "t.html").read_text()
    words = " ".join(re.sub(r"<[^>]+>", " ", text.split("<body>")[1]).split())
    assert f"{CHAPTER} 4 2 100 %" in words, "handed in, late, right: over the same four"
    (course.root / "students.csv").write_text("id\nemmy\nzoe\n")
    done = CliRunner().invoke(main, ["course", "report", "4", "--course", str(course.root)])
    assert next(x for x in done.stdout.splitlines() if x.startswith("One sigmoid")).split()[3:] == [
        "2",
        "0",
        "0",
    ]


def test_of_a_team_what_answers_something_goes_before_what_does_not(course, tmp_path):
    lay_down(course, teams_csv="team,id\nblue,ada\nblue,zoe\n")
    when = (DUE - timedelta(minutes=5)).timetuple()[:6]
    (tmp_path / "z.zip").write_bytes(courses.zipped({"zoe.ipynb": (courses.untouched(), when)}))
    collect(course, tmp_path / "z.zip")
    found = marks(course, CHAPTER)
    assert (found["ada"].by, found["zoe"].by, found["zoe"].score) == ("ada", "ada", 5)


def test_who_waits_of_a_team_whose_work_another_section_handed_in(course):
    lay_down(course, teams_csv="team,id\nblue,ada\nblue,zoe\n")
    zoe = [s for s in course.students() if s.id == "zoe"]
    assert waiting(course, [CHAPTER], zoe) == {CHAPTER: 1}


def test_sections(course):
    (course.root / "students.csv").write_text('id,section\nada,A\nemmy,"B, evening"\njose,b\nzoe,\n')
    assert [s.id for s in members(course, "B")] == ["emmy", "jose"]
    assert [s.id for s in members(course, " Evening ")] == ["emmy"] and len(members(course, None)) == 4
    with pytest.raises(CourseError, match="nobody is in the section 'C'; there are A, B, b, evening"):
        members(course, "C")
    done = CliRunner().invoke(main, ["course", "export", "--section", "b", "--course", str(course.root)])
    assert done.exit_code == 0 and f"{CHAPTER}: 2 free answers wait" in done.stdout, done.output
    rows = list(csv.reader(io.StringIO((course.root / "export" / "moodle-b.csv").read_text("utf-8-sig"))))
    assert [row[0] for row in rows] == ["ID number", "emmy", "jose"]
    lines = marking.summary(course, [], [CHAPTER], ["emmy", "jose"])
    assert lines == [f"{CHAPTER}: 2 wait for points by hand, in formgrader"]


def test_no_export_overwrites_another_sections(course):
    names = ["A", "B", "A 1", "A/1", "A?1", "组一", "组二", "x" * 60, "x" * 61, "..", "e\u0301", "con."]
    every = [file_name(name, "grades") for name in [None, *names]]
    assert len(set(every)) == len(every) and every[:4] == ["grades", "grades-a", "grades-b", "grades-a 1"]
    assert not any(set(name) & set('/\\:*?"<>|') or len(name.encode()) > 150 for name in every)
    assert file_name("é", "x") == file_name("e\u0301", "x") and file_name(" B", "x") == file_name("b", "x")
    (course.root / "students.csv").write_text("id,section\nada,A\nemmy,B\n")
    for more in ([], ["--section", "A"], ["--section", "B"]):
        done = CliRunner().invoke(main, ["course", "export", *more, "--course", str(course.root)])
        assert done.exit_code == 0, done.output
    found = {path.name: path.read_text("utf-8-sig") for path in (course.root / "export").glob("grades*")}
    assert sorted(found) == ["grades-a.csv", "grades-b.csv", "grades.csv"]
    assert ["ada" in text for _, text in sorted(found.items())] == [True, False, True]


def test_a_course_without_sections(course):
    with pytest.raises(CourseError, match="students.csv has no column section"):
        members(course, "A")


def test_no_answer_waits_when_all_is_read(course):
    for student in ("ada", "emmy", "jose"):
        by_hand(course, student, WHY, points=1)
    assert waiting(course, [CHAPTER], course.students()) == {}
