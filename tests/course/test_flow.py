"""The whole of an instructor's week, command by command, on a course of thirty."""

import csv
import json
import os
from datetime import datetime

import nbformat
import pytest
from click.testing import CliRunner
from helpers import courses
from helpers import submissions as s
from helpers.courses import CHAPTER, LINEAR, NEURON, WHY, by_hand

from fmkit.command.cli import main
from fmkit.course import layout

FIRST = ["Ada", "Émilie", "Søren", "Łukasz", "Zoë", "José María", "Ngọc", "Ünal", "O'Neil", "Anne-Marie"]
LAST = ["Lovelace", "du Châtelet", "Müller Lüdenscheidt"]
PEOPLE = [(f"s{i:02}", FIRST[i % 10], LAST[i // 10]) for i in range(30)]
STOPS = f"{s.HEAD}\n    import os\n    os._exit(0)"
CHEATS = f"""from fmkit.lab import exercises
{s.HEAD}
    return exercises.get("backprop.neuron").reference(x, w, b, t)"""
LOUD = f"import sys, warnings\n{s.HEAD}\n    warnings.warn('x')\n    print('50%', file=sys.stderr){s.RIGHT}"

# what was handed in -> status, statuses of the two exercises
KINDS = {
    "right": (courses.solved, "graded", "ok", "ok"),
    "loud": (lambda: courses.solved(neuron=LOUD), "graded", "ok", "ok"),
    "mistaken": (courses.wrong_neuron, "graded", "wrong", "ok"),
    "untouched": (courses.untouched, "graded", "undone", "undone"),
    "stops": (lambda: courses.solved(neuron=STOPS), "crashed", "crashed", "ok"),
    "cheats": (lambda: courses.solved(neuron=CHEATS), "tampered", "tampered", "ok"),
    "broken": (lambda: courses.solved(neuron="def neuron_gradients(x"), "graded", "wrong", "ok"),
    "pdf": (lambda: b"%PDF-1.4", "unreadable", "missing", "missing"),
}
# thirty students; the last hands in nothing
GIVEN = ["right"] * 10 + ["mistaken"] * 8 + ["untouched"] * 3 + ["loud"] * 3
GIVEN += ["stops", "cheats", "broken", "pdf", "right", None]
KIND = {person[0]: kind for person, kind in zip(PEOPLE, GIVEN, strict=True)}
LATE = {"s05", "s28"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("flow") / "Modelle 2026"


def run(root, *words, code=0):
    done = CliRunner().invoke(main, ["course", *words, "--course", str(root)])
    assert done.exit_code == code, done.output
    assert done.stderr == "", "no warnings"
    return done.stdout


def archives(folder):
    """Moodle's archive with folders, its flat one, Canvas', Blackboard's, an exchange, a plain folder."""
    moodle, flat, canvas, blackboard = {}, {}, {}, {}
    for number, (id, first, last) in enumerate(PEOPLE):
        if KIND[id] is None:
            continue
        nb = courses.data(KINDS[KIND[id]][0]())
        when = (2026, 11, 21, 9, 0, 0) if id in LATE else (2026, 11, 19, 9, 0, 0)
        if number < 14:
            name = f"{first} {last}_{100 + number}_assignsubmission_file_"
            moodle[f"{name}/{CHAPTER} (1).ipynb"] = (nb, when)
            if id not in LATE:
                moodle[f"{name}/{CHAPTER}.ipynb"] = (courses.untouched(), (2026, 11, 18, 9, 0, 0))
        elif number < 20:
            flat[f"{first} {last}_{100 + number}_assignsubmission_file_übung.ipynb"] = (nb, when)
        elif number < 23:
            plain = f"{last}{first}".lower().replace(" ", "").replace("'", "").replace("-", "")
            canvas[f"{plain}_{number}_{number}_hw.ipynb"] = (nb, (2026, 11, 30, 9, 0, 0))
        elif number < 26:  # the time of the attempt is in the name
            blackboard[f"HW1_{id}_attempt_2026-11-19-10-00-22_p1.ipynb"] = (nb, (2026, 11, 30, 9, 0, 0))
            blackboard[f"HW1_{id}_attempt_2026-11-19-10-00-22.txt"] = b"Name: somebody"
        else:
            exchange = f"inbound/{id}+{CHAPTER}+2026-11-19 10:00:00 UTC"
            path = folder / (f"{exchange}/{CHAPTER}.ipynb" if number < 28 else f"plain/{id}/p1 (1).ipynb")
            path.parent.mkdir(parents=True)
            path.write_bytes(nb)
            moment = datetime(*when).timestamp()
            os.utime(path, (moment, moment))
    moodle["Nobody Known_99_assignsubmission_file_/s01.ipynb"] = courses.solved()
    zips = {"moodle": moodle, "flat": flat, "canvas": canvas, "blackboard": blackboard}
    for name, entries in zips.items():
        (folder / f"{name}.zip").write_bytes(courses.zipped(entries))
    return [*(folder / f"{name}.zip" for name in zips), folder / "inbound", folder / "plain"]


def test_the_whole_flow(root):
    roster = root.parent / "roster.csv"
    lines = "\n".join(f"{id};{first};{last};{id}@example.org" for id, first, last in PEOPLE)
    roster.write_text(f"id;First name;Surname;Email address\n{lines}\n", "utf-8-sig")
    done = CliRunner().invoke(main, ["course", "init", str(root), "--students", str(roster)])
    assert done.exit_code == 0 and "30 students" in done.stdout and done.stderr == ""
    course = layout.open_course(root)
    assert "00-start-here" in course.chapters() and CHAPTER in course.chapters()
    # two exercises are enough for a test, and a question to be read by a person
    course.notebook("source", CHAPTER).write_text(nbformat.writes(courses.chapter()), "utf-8")

    assert run(root, "release", "4", "--due", "2026-11-20 12:00").startswith(
        f"release/{CHAPTER}/{CHAPTER}.ipynb"
    )
    sources = archives(root.parent)
    told = [run(root, "collect", str(source)) for source in sources]
    many = [text.split(" student")[0].split(" of ")[1] for text in told]
    assert many == ["14", "6", "3", "3", "2", "1"]
    assert "Nobody Known" in told[0] and "late: s05 (04-backprop)" in told[0] and "late: s28" in told[5]
    assert "late" not in told[2], "Canvas writes the time of the download, and did not mark these"
    assert "late" not in told[3] + told[4], "the time in the name is on time"

    options = ["--unsafe"] if courses.unsafe() else []
    told = run(root, "grade", "4", "--jobs", "2", *options)
    for line in ("26  graded", "1  crashed", "1  tampered", "1  unreadable", "nothing from s29"):
        assert line in told
    assert "s27, 04-backprop: unreadable: " in told and "29 wait for points by hand" in told
    check_results(course)

    by_hand(course, "s00", points=4, comment="Sehr schön.")
    size = course.journal.stat().st_size
    assert run(root, "grade", *options).replace("28 wait", "29 wait") == told
    assert course.journal.stat().st_size == size, "nothing is graded twice"
    assert "1  graded" in run(root, "grade", "4", "--student", "s00", "--again", *options)
    assert course.journal.stat().st_size > size

    assert "29 pages" in run(root, "feedback")
    page = course.notebook("feedback", CHAPTER, "s00").with_suffix(".html").read_text("utf-8")
    assert "9 of 9 points" in page and "Sehr schön." in page and "Ada Lovelace" in page
    assert (
        "after the deadline" in course.notebook("feedback", CHAPTER, "s05").with_suffix(".html").read_text()
    )
    run(root, "export")
    check_exports(root / "export")
    told = run(root, "report")
    assert (root / "report" / f"{CHAPTER}.png").exists() and "8 x " in told


def check_results(course):
    from fmkit.course import gradebook
    from fmkit.course.grading.journal import read_journal

    results = {r["student"]: r for r in read_journal(course.journal)}
    grades = gradebook.grades(course, CHAPTER)
    assert set(results) == set(grades) == {id for id, kind in KIND.items() if kind}
    for id, result in results.items():
        _, status, neuron, linear = KINDS[KIND[id]]
        entries = [result["exercises"][f"{name}-check"] for name in (NEURON, LINEAR)]
        assert (result["status"], *(e["status"] for e in entries)) == (status, neuron, linear), (id, result)
        points = 2 * (neuron == "ok") + 3 * (linear == "ok")
        assert result["score"] == grades[id]["score"] == points and grades[id]["max_score"] == 9
        assert bool(entries[0]["misconception"]) == (KIND[id] == "mistaken")
        assert grades[id]["waiting"] == {WHY}
        nbformat.validate(json.loads(course.notebook("autograded", CHAPTER, id).read_text("utf-8")))


def check_exports(folder):
    def read(name):
        return list(csv.DictReader((folder / name).read_text("utf-8-sig").splitlines()))

    grades = {row["student"]: row for row in read("grades.csv")}
    assert (
        len(grades) == 30 and grades["s00"]["score"] == "9" and grades["s29"]["status"] == "nothing handed in"
    )
    assert {id for id, row in grades.items() if row["late"] == "yes"} == LATE
    assert {row["ID number"]: row[CHAPTER] for row in read("moodle.csv")}["s10"] == "3"
    canvas = read("canvas.csv")
    assert canvas[0][CHAPTER] == "9" and canvas[2]["Student"] == "Lovelace, Émilie"
    assert len(read("exercises.csv")) == 29 * 3
