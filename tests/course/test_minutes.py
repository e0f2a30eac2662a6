"""Minutes that students share: asked for where the course says so, and shown of five or more."""

import json

import nbformat
import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER
from nbformat.v4 import new_code_cell, new_output

from fmkit.command.cli import main
from fmkit.course import gradebook, minutes, report
from fmkit.course.minutes import said_in, shared
from fmkit.course.term import write_term
from fmkit.lab.cards import MINUTES

IDS = ["backprop.neuron", "backprop.linear"]
NAMES = [f"s{number}" for number in range(7)]


def sharing(found, answer="yes", nb=None):
    """A submission whose cell holds this in its output."""
    nb = courses.solved() if nb is None else nb
    output = new_output("display_data", {"text/plain": "a table"})
    nb.cells.append(new_code_cell(f'share_minutes("{answer}", "backprop")', outputs=[output]))
    raw = json.loads(nbformat.writes(nb))
    raw["cells"][-1]["outputs"][0]["data"][MINUTES] = found
    return json.dumps(raw).encode()


def test_a_notebook_asks_where_the_course_says_so(tmp_path):
    course = courses.make(tmp_path / "course")
    path = course.notebook("release", CHAPTER)
    assert "share_minutes" not in path.read_text("utf-8")
    (course.root / "course.toml").write_text("[minutes]\nask = true\n")
    gradebook.release(course, CHAPTER)
    nb = nbformat.read(path, 4)
    nbformat.validate(nb)
    assert nb.cells[-1].source == 'from fmkit.lab import share_minutes\n\nshare_minutes("no", "backprop")'
    assert "You need not, and it" in nb.cells[-2].source
    (course.root / "course.toml").write_text('[minutes]\nask = "yes"\n')
    gradebook.release(course, CHAPTER)
    assert "share_minutes" not in path.read_text("utf-8")


def test_what_a_student_shares_is_read():
    assert said_in(sharing({"backprop.neuron": 12, "losses.text_bits": 3}), IDS) == {"backprop.neuron": 12}
    assert said_in(nbformat.writes(courses.solved()).encode(), IDS) is None


def test_a_no_counts_whatever_the_output_holds():
    assert said_in(sharing({"backprop.neuron": 12}, "no"), IDS) is None
    assert said_in(sharing({"backprop.neuron": 12}, "maybe"), IDS) is None


def test_the_last_cell_that_answers_counts():
    both = nbformat.reads(sharing({"backprop.neuron": 12}).decode(), 4)
    assert said_in(sharing({}, "no", both), IDS) is None


@pytest.mark.parametrize(
    "found",
    [
        {"backprop.neuron": -1},
        {"backprop.neuron": 1e9},
        {"backprop.neuron": 12.5},
        {"backprop.neuron": True},
        {"backprop.neuron": "12"},
        {"backprop.neuron": [12]},
        {"backprop.neuron": None},
        {"backprop.neuron": float("nan")},
        {"backprop.neuron": 10**400},
        {"<script>": "x"},
        [12],
        "12",
    ],
)
def test_what_is_no_number_of_minutes_is_left_out_and_said(tmp_path, found):
    path = tmp_path / "one.ipynb"
    path.write_bytes(sharing(found))
    ours = shared([path], IDS)
    assert (ours.by, ours.unusable, ours.medians) == (0, 1, {})
    assert ours.lines() == ["What 1 notebook said of minutes could not be used and is left out."]


def test_odd_outputs_and_files_end_nothing(tmp_path):
    paths = []
    for number, outputs in enumerate((None, 3, [3], [{}], [{"data": 3}], [{"data": {}}])):
        raw = json.loads(sharing({"backprop.neuron": 1}))
        raw["cells"][-1]["outputs"] = outputs
        raw["metadata"]["mentions"] = MINUTES
        paths.append(tmp_path / f"{number}.ipynb")
        paths[-1].write_text(json.dumps(raw))
    paths += [tmp_path / "missing.ipynb", tmp_path / "text.ipynb"]
    paths[-1].write_text(f"no notebook, but {MINUTES}")
    assert shared(paths, IDS) == minutes.NOTHING


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Seven students; the first six can share."""
    roster = "id,first_name\n" + "".join(f"{name},{name.title()}\n" for name in NAMES)
    course = courses.make(tmp_path / "course", roster)
    for number, name in enumerate(NAMES):
        courses.hand_in(course, name, sharing({IDS[0]: 10 * number} | ({IDS[1]: 5} if number < 2 else {})))
    courses.enter(course, [courses.result(course, name) for name in NAMES], monkeypatch)
    return course


def test_five_make_a_median_and_fewer_none(course):
    everybody = report.minutes(course, CHAPTER)
    assert (everybody.by, everybody.medians) == (7, {"backprop.neuron": 30}), "only two share the other one"
    few = report.minutes(course, CHAPTER, set(NAMES[:4]))
    assert (few.by, few.medians) == (4, {})
    assert few.lines() == ["Minutes: 4 students share theirs, and medians are shown from 5 on."]
    one = report.minutes(course, CHAPTER, set(NAMES[:1]))
    assert one.lines() == ["Minutes: 1 student shares theirs, and medians are shown from 5 on."]


def test_the_report_shows_medians_and_nobodys_own(course):
    done = CliRunner().invoke(main, ["course", "report", "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    assert "not answered  minutes\n" in done.output and "Minutes: medians of those who share" in done.output
    page = (course.root / "report" / "term.html").read_text("utf-8")
    assert '<th class="n">minutes</th>' in page and '<td class="n">30</td>' in page and "(7)" in page
    assert not any(name in page.split("Answers that are alike")[0] for name in NAMES)
    students = course.students()[:4]
    page = write_term(course, [CHAPTER], students, course.root / "few.html").read_text("utf-8")
    assert '<th class="n">minutes</th>' not in page and "4 students share theirs" in page


def test_who_takes_it_back_is_out_at_once(course):
    for name in NAMES[:3]:
        courses.hand_in(course, name, courses.solved())
    assert report.minutes(course, CHAPTER).lines() == [
        "Minutes: 4 students share theirs, and medians are shown from 5 on."
    ]


def test_without_anybody_nothing_is_said(course):
    for name in NAMES:
        courses.hand_in(course, name, courses.solved())
    done = CliRunner().invoke(main, ["course", "report", "--course", str(course.root)])
    assert "inutes" not in done.output
    assert "inutes" not in (course.root / "report" / "term.html").read_text("utf-8")
