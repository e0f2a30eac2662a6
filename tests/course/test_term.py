"""The term on one page."""

import re

import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER, LINEAR, NEURON

from fmkit.command.cli import main
from fmkit.course import report, term
from fmkit.course.grading.journal import Journal
from fmkit.course.layout import open_course
from fmkit.course.marks import file_name
from fmkit.course.term import write_term

NASTY = "<script>alert(1)</script>"
MISTAKE = {"status": "wrong", "misconception": f"forgot {NASTY}"}
LONG = """def neuron_gradients(x, w, b, t):
    {0} = x @ w + b
    {1} = np.zeros_like({0})
    for i in range(len({0})):
        {1}[i] = 1 / (1 + np.exp(-{0}[i]))
        {1}[i] = ({1}[i] - t[i]) * {1}[i] * (1 - {1}[i])
    return x.T @ {1}, {1}.sum()
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Ada and Emmy have one answer, José another one, wrong at first; Zoë has handed in nothing."""
    roster = "id,first_name,section\nada,Ada,A\nemmy,Emmy,B\njose,<b>José</b>,B\nzoe,Zoë,A\n"
    course = courses.make(tmp_path_factory.mktemp("term") / f"course {NASTY[:8]}", roster)
    answers = {"ada": LONG.format("z", "d"), "emmy": LONG.format("s", "slope"), "jose": "def neuron(): pass"}
    results = []
    linear = courses.cell(courses.chapter(), LINEAR).source.replace("# ", "#")
    for student, source in answers.items():
        courses.hand_in(course, student, courses.solved(neuron=source, linear=linear))
        neuron = MISTAKE if student == "jose" else {}
        results.append(courses.result(course, student, neuron=neuron))
    first = courses.result(course, "ada", neuron=MISTAKE, linear={"status": "undone"}) | {"sha256": "0" * 64}
    with Journal(course.journal) as journal:
        journal.add((CHAPTER, "ada", "0" * 64, ""), first)
    with pytest.MonkeyPatch.context() as patch:
        courses.enter(course, results, patch)
    return open_course(course.root)


@pytest.fixture(scope="module")
def page(course):
    path = write_term(course, [CHAPTER], course.students(), course.root / "report" / "term.html")
    return path.read_text("utf-8")


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("<body>")[1]).split())


def test_the_page_says_what_there_is(page):
    text = words(page)
    assert f"{CHAPTER} 3 0 83 % 4.3 of 9 3" in text, "handed in, late, right, points, waiting"
    assert "A 2 56 % (1)" in text and "B 2 44 % (2)" in text, "by section"
    assert "One sigmoid neuron 67 % 1.3 of 2 1.3 1&nbsp;×&nbsp;forgot" in text
    assert "A linear layer 100 % 3.0 of 3 1.3" in text, "Ada was right in her second version"
    assert f"ada, emmy the same but for names {CHAPTER}: One sigmoid neuron" in text


def test_everything_is_escaped_and_nothing_runs(page):
    assert "<script" not in page and "<b>" not in page and "default-src 'none'" in page
    assert "forgot &lt;script&gt;" in page
    assert not re.search(r"\s(src|href|on\w+)=", page)


def test_bars_are_whole(page):
    for bar in re.findall(r'<div class="bar">(.*?)</div></div>', page):
        widths = [float(number) for number in re.findall(r"width: ([\d.]+)%", bar)]
        assert len(widths) == 3 and sum(widths) == pytest.approx(100, abs=0.2)


def test_one_section_alone(course):
    students = [s for s in course.students() if s.section == "A"]
    path = write_term(course, [CHAPTER], students, course.root / "a.html")
    text = words(path.read_text("utf-8"))
    assert "2 students." in text and f"{CHAPTER} 1 0 100 %" in text
    assert "By section" not in text and "alike" not in text


def test_a_section_that_has_handed_in_nothing(course):
    students = [s for s in course.students() if s.id == "zoe"]
    text = words(write_term(course, [CHAPTER], students, course.root / "z.html").read_text("utf-8"))
    assert "1 student." in text and f"{CHAPTER} 0 0 0 %" in text and "One sigmoid neuron" not in text


def test_one_line_for_a_pair_however_many_answers():
    from fmkit.course.likeness import Hints

    alike = [(f"Exercise {i}", Hints([["a", "b"]], ["c"] if i else [])) for i in range(5)]
    rows = term._hints([{"name": "04-x", "alike": alike}, {"name": "05-y", "alike": alike[:1]}])
    assert [(row["who"], row["where"]) for row in rows] == [("a, b", "04-x (5), 05-y (1)"), ("c", "04-x (4)")]
    rows = term._hints([{"name": "04-x", "alike": alike[:2]}])
    assert rows[0]["where"] == "04-x: Exercise 0; 04-x: Exercise 1"


def test_the_command(course, monkeypatch):
    monkeypatch.setattr(report, "draw", lambda found, chapter, path, time: path)
    done = CliRunner().invoke(main, ["course", "report", "--section", "b", "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    assert (course.root / "report" / "term-b.html").exists() and f"{CHAPTER}-b.png" in done.output
    line = next(line for line in done.output.splitlines() if line.startswith("One sigmoid neuron"))
    assert line.split()[3:] == ["1", "1", "0"]
    assert file_name("../x", "term").startswith("term-.._x-") and file_name(None, "term") == "term"


def test_an_untouched_answer_is_no_hint(course):
    assert f"{NEURON}-check" in term._cells(course.notebook("release", CHAPTER))
    assert term._cells(course.root / "nothing.ipynb") == {}
