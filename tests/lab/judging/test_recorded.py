"""What is recorded of exercises judges answers and names mistakes, and holds no line of a program."""

import inspect
import os

import numpy as np
import pytest
from helpers import own as example
from helpers.samples import CENTER, center, exercise

from fmkit.errors import ExerciseError
from fmkit.lab import CheckFailed, check, exercises, hint
from fmkit.lab.judging import naming, own, recorded
from fmkit.lab.judging.answer import run_answer
from fmkit.lab.judging.judge import judge, judge_answer
from fmkit.lab.records import progress

# arrays and tuples; texts; lists
KINDS = ("backprop.linear", "preprocessing.clean_review", "preprocessing.merge_copies")


@pytest.fixture(scope="module")
def files():
    """id -> the file of that exercise alone, with its known mistakes only: that is quick. Made once."""
    made = {}

    def file(id) -> bytes:
        if id not in made:
            made[id] = recorded._packed({id: recorded._plain(exercises.get(id), recorded.DRAWS)})
        return made[id]

    return file


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    """The small example and its file."""
    found = own.load(example.write(tmp_path_factory.mktemp("own")))
    return found, recorded.record([found])


def verdicts(there, fn):
    """Of one answer, on each of the recorded draws."""
    for cases, known in there.recorded:
        yield judge(there, cases, run_answer(fn, cases), known=known)


@pytest.mark.parametrize("id", KINDS)
def test_it_judges_as_the_functions_do(files, id):
    exercise = exercises.get(id)
    there = recorded.read(files(id))[id]
    for mistake in exercise.mistakes:
        for found in verdicts(there, exercise.wrong(mistake)):
            assert (found.status, found.misconception, found.hint) == ("wrong", mistake.name, mistake.hint)
    for fn in (exercise.reference, *exercise.alternatives):
        assert {found.status for found in verdicts(there, fn)} == {"ok"}, fn.__name__
    for name in (
        "id",
        "title",
        "points",
        "minutes",
        "difficulty",
        "tolerance",
        "hints",
        "teaches",
        "allowed",
    ):
        assert getattr(there, name) == getattr(exercise, name)


@pytest.mark.parametrize("id", [*KINDS, example.ID])
def test_no_line_of_a_program_is_in_it(files, area, id):
    exercise, data = (exercises.get(id), files(id)) if id in KINDS else area
    assert len(data) < 1 << 20
    data = example.unpacked(data)
    functions = [exercise.reference, *exercise.alternatives, *map(exercise.wrong, exercise.mistakes)]
    texts = [getattr(fn, "text", None) or inspect.getsource(fn) for fn in functions]
    texts += [edit for m in exercise.mistakes if not callable(m.wrong) for edit in np.atleast_1d(m.wrong)]
    lines = {line.strip() for text in texts for line in text.splitlines()}
    lines = {line.split("  #")[0] for line in lines if len(line) > 9}
    hints = " ".join([*exercise.hints, *(m.hint for m in exercise.mistakes)])
    lines = {line for line in lines if line not in hints}  # there an author may quote one
    assert len(lines) > 8
    for line in lines:
        assert line.encode() not in data and line.encode("unicode_escape") not in data, line


def test_the_line_that_raises_is_not_in_it():
    def picky(x):
        if not x.size:
            raise ValueError("an empty array")
        return x.max()

    data = recorded.record([exercise(picky, lambda rng: [(rng.normal(size=n),) for n in (0, 1, 5)])])
    assert b"an empty array" in example.unpacked(data) and b"raise ValueError" not in example.unpacked(data)
    there = recorded.read(data)["sample.thing"]
    assert judge_answer(there, picky).status == "ok"
    assert judge_answer(there, lambda x: x.max(initial=0)).message.startswith("ValueError should be raised")


def test_two_mistakes_and_slips_are_named_too(area):
    there = recorded.read(area[1])[example.ID]

    def two(x, y):
        return np.sum(np.diff(x) * y[1:]) / max(len(x) - 1, 1)

    def slip(x, y):
        return np.sum(np.diff(x) * (y[1:] - y[:-1]) / 2)

    def exchanged(x, y):
        return area[0].reference(y, x)

    said = [[found.misconception for found in verdicts(there, fn)] for fn in (two, slip, exchanged)]
    both = "the right height of each strip; and the mean of the strips, not their sum"
    assert said == [
        [both] * 3,
        ["as if a plus and a minus were exchanged"] * 3,
        ["as if x and y were exchanged"] * 3,
    ]


def test_of_several_values_the_wrong_one_is_named():
    data = recorded.record([CENTER])
    there = recorded.read(data)[CENTER.id]

    def other(x, w):  # the second value as with a known mistake, the first as with none
        return center(x, w)[0] + 7, x.sum(-1)

    def one(x, w):
        return center(x, w)[0], x.sum(-1)

    assert {found.misconception for found in verdicts(there, other)} == {""}
    found = list(verdicts(there, one))
    assert {v.right for v in found} == {"value 1 of 2 is right, value 2 of 2 is not."}


def test_an_exception_is_named_by_its_words_only(area):
    there = recorded.read(area[1])[example.ID]

    def raises(x, y):
        raise ValueError("something else")

    assert {found.misconception for found in verdicts(there, raises)} == {""}


def test_what_may_not_be_used_is_refused(files):
    there = recorded.read(files("backprop.linear"))["backprop.linear"]

    def answer(dout, x, w, scale):
        import scipy  # noqa: F401

        return exercises.get("backprop.linear").reference(dout, x, w, scale)

    assert judge_answer(there, answer).kind == "module"


def test_a_draw_follows_the_seed(area):
    there = recorded.read(area[1])[example.ID]
    wrong = area[0].wrong(area[0].mistakes[0])
    one, same = (judge_answer(there, wrong, seed=5) for _ in range(2))
    assert one == same
    assert len({repr(cases) for cases, _ in there.recorded}) == recorded.DRAWS


def test_lists_dicts_texts_and_tuples_come_back_as_they_were():
    def mixed(n, words):
        return {"n": [n, None, True], "words": (words, words.upper()), "x": np.arange(n, dtype=np.int32)}

    cases = [(0, "ä"), (3, "")]
    data = recorded.record([exercise(mixed, lambda rng: cases, {"one more": lambda n, w: mixed(n + 1, w)})])
    there = recorded.read(data)["sample.thing"]
    (outcome, _), right = there.recorded[0][1].reference, mixed(0, "ä")
    assert there.recorded[0][0] == cases
    assert repr(outcome.value) == repr(right)
    assert judge_answer(there, mixed).status == "ok"
    assert judge_answer(there, lambda n, w: mixed(n + 1, w)).misconception == "one more"


def test_numbers_are_cut_where_no_check_looks():
    values = np.array([1 / 3, -1e300, 1e-300, np.inf, np.nan, 0.0, 1.7976931348623157e308])
    cut = recorded._rounded({"a": [values, 1 / 3]}, 24)
    assert np.allclose(cut["a"][0], values, rtol=1e-7, atol=0, equal_nan=True) and cut["a"][1] == 1 / 3
    assert cut["a"][0].dtype == np.float64 and cut["a"][0][0] != 1 / 3


def test_a_function_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(naming, "LONGEST", 0.05)

    def endless(x):
        while True:
            pass

    with pytest.raises(ExerciseError, match="sample.thing: mistake 'no end' does not end"):
        recorded.record([exercise(lambda x: x, lambda rng: [(1.0,)], {"no end": endless})])


def test_what_is_too_large_is_refused_or_drawn_less_often(monkeypatch):
    def large(x):
        return x

    thing = exercise(large, lambda rng: [(rng.integers(1 << 62, size=2000),)])
    monkeypatch.setattr(recorded, "ROOM", 40_000)
    assert len(recorded.read(recorded.record([thing]))["sample.thing"].recorded) == 2
    monkeypatch.setattr(recorded, "ROOM", 10_000)
    with pytest.raises(ExerciseError, match="sample.thing take .* KB"):
        recorded.record([thing])


# --- the file -----------------------------------------------------------------------------------------------


def test_a_damaged_file_is_told(area):
    data = area[1]
    rng = np.random.default_rng(0)
    broken = [data[:n] for n in (0, 5, 20, len(data) // 2, len(data) - 1)]
    broken += [b"%PDF", b"<html>Sign in</html>", data + b"x", data.replace(b"checks 1", b"checks 2")]
    for at in rng.integers(len(data), size=60):
        broken.append(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    refused = 0
    for other in broken:
        try:
            assert recorded.read(other)[example.ID].title
        except ExerciseError:
            refused += 1
    assert refused >= len(broken) - 2  # a byte behind the end, and one that nothing reads, may be another


def test_a_file_of_another_form_is_refused(area):
    from fmkit.lab.judging import wire

    table = wire.decode(example.unpacked(area[1]))[example.ID]
    changes = {
        "title": 3,
        "points": "2",
        "hints": [3],
        "parameters": ["x", "y): pass\nimport os"],
        "mistakes": table["mistakes"][:1],
        "draws": [],
        "made": [["same"]],
    }
    for name, value in changes.items():
        with pytest.raises(ExerciseError, match="damaged"):
            recorded.read(recorded._packed({example.ID: table | {name: value}}))
    with pytest.raises(ExerciseError, match="damaged"):
        recorded.read(recorded._packed([table]))
    with pytest.raises(ExerciseError, match="another version"):
        recorded.read(area[1].replace(b"checks 1", b"checks 2"))


# --- in a notebook ------------------------------------------------------------------------------------------


@pytest.fixture
def student(tmp_path, monkeypatch, area):
    """A student's folder, with the file and without the exercise."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"01-area{recorded.SUFFIX}").write_bytes(area[1])
    return tmp_path


def test_check_and_hint_find_the_file_beside_the_notebook(student, area, capsys):
    check(example.ID, area[0].reference)
    with pytest.raises(CheckFailed, match="roots.area: not right yet"):
        check(example.ID, area[0].wrong(area[0].mistakes[1]))
    hint(example.ID)
    progress()
    out = capsys.readouterr().out
    assert "roots.area: correct (2 points)" in out and "Looks like: the right height of each strip" in out
    assert "1: Between two points" in out and "your progress" in out


def test_the_newer_file_counts(student, area):
    changed = recorded.record(
        [exercise(area[0].reference, lambda rng: [(np.ones(2), np.ones(2))], id=example.ID)]
    )
    other = student / f"01-area (1){recorded.SUFFIX}"
    other.write_bytes(changed)
    os.utime(other, ns=(1, 1))
    assert exercises.here(example.ID).title == "The area under a line"
    os.utime(other)
    assert exercises.here(example.ID).title == "A sample"


def test_a_damaged_file_is_one_line_in_the_notebook(student):
    (student / f"02{recorded.SUFFIX}").write_bytes(b"<html>")
    with pytest.raises(CheckFailed, match=r"02.checks: it is damaged .*: get it again"):
        check(example.ID, len)


def test_where_the_file_is_missing_that_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        LookupError, match="NAME.checks handed out with the notebook. It belongs beside it, in "
    ):
        check(example.ID, len)


def test_in_the_course_itself_no_file_is_needed(tmp_path, monkeypatch, capsys):
    (tmp_path / own.COURSE).touch()
    example.write(tmp_path / "exercises")
    (tmp_path / "source" / "01-area").mkdir(parents=True)
    for folder in ("source/01-area", "exercises/roots"):
        monkeypatch.chdir(tmp_path / folder)
        check(example.ID, lambda x, y: np.sum(np.diff(x) * (y[1:] + y[:-1])) / np.float32(2))
    assert capsys.readouterr().out.count("correct") == 2


def test_what_is_beside_the_notebook_goes_first(tmp_path, monkeypatch, files):
    monkeypatch.chdir(tmp_path)
    assert not exercises.here("backprop.linear").recorded
    (tmp_path / f"04{recorded.SUFFIX}").write_bytes(files("backprop.linear"))
    there = exercises.here("backprop.linear")
    assert there.recorded and there.chapter == "04"
    assert exercises.every_here() != exercises.every()
    assert [e.id for e in exercises.every_here()].count("backprop.linear") == 1


def test_what_only_looks_like_a_file_stops_no_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"folder{recorded.SUFFIX}").mkdir()
    assert exercises.here("start.ink").id == "start.ink"
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert exercises.here("start.ink").id == "start.ink" and exercises.every_here() == exercises.every()
