"""What `collect` says: which notebook counts and what is in the others, in numbers that add up."""

import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER, LINEAR, NEURON

from fmkit.command.cli import main
from fmkit.course.collecting.collect import collect, read_tries
from fmkit.errors import CourseError

EARLY, LATER = (2026, 11, 18, 9, 0, 0), (2026, 11, 19, 9, 0, 0)


@pytest.fixture
def course(tmp_path):
    return courses.make(tmp_path / "course")


def nb(words):
    return courses.data(courses.solved(why=words))


def take(course, tmp_path, entries, when=LATER):
    (tmp_path / "in.zip").write_bytes(courses.zipped(entries, when))
    return collect(course, tmp_path / "in.zip")


def half(*answered):
    """The chapter as it was handed out, with some of its answers."""
    found, whole = courses.untouched(), courses.solved()
    for id in answered:
        courses.cell(found, id).source = courses.cell(whole, id).source
    return courses.data(found)


# --- tries --------------------------------------------------------------------------------------------------


def test_two_halves_are_said_to_be_halves(course, tmp_path):
    entries = {"ada/teil1.ipynb": (half(NEURON), EARLY), "ada/teil2.ipynb": (half(LINEAR), LATER)}
    assert take(course, tmp_path, entries).notes == [
        "ada: ada/teil2.ipynb of 2026-11-19 09:00 counts, and not ada/teil1.ipynb of 2026-11-18 09:00 "
        "(it answers backprop-neuron, which the other does not)"
    ]
    found = take(course, tmp_path, {"emmy.ipynb": half(NEURON)}, EARLY)
    found = take(course, tmp_path, {"emmy.ipynb": half(LINEAR)}, LATER)
    assert "(it answers backprop-neuron, which the other does not)" in found.notes[0], (
        "in two collections, too"
    )
    found = take(course, tmp_path, {"jose.ipynb": half(NEURON)}, EARLY)
    found = take(course, tmp_path, {"jose.ipynb": half(NEURON, LINEAR)}, LATER)
    assert found.notes[0].endswith("jose.ipynb of 2026-11-18 09:00"), "nothing is lost"


def test_every_other_try_is_named_those_of_the_same_minute_too(course, tmp_path):
    entries = {f"ada/{k}.ipynb": (nb(str(k)), (2026, 11, 19, 9, 0, 2 * k)) for k in range(8)}
    (note,) = take(course, tmp_path, entries).notes
    others = ", ".join(f"ada/{k}.ipynb of 2026-11-19 09:00" for k in range(7))
    assert note == f"ada: ada/7.ipynb of 2026-11-19 09:00 counts, and not {others}"
    (note,) = take(course, tmp_path, {"ada/8.ipynb": nb("8")}, (2026, 11, 20, 9, 0, 0)).notes
    assert note.startswith("ada: ada/8.ipynb of 2026-11-20 09:00 counts, and not ada/0.ipynb of ")
    assert note.count(" of 2026-11-19 09:00") == 8


# --- numbers ------------------------------------------------------------------------------------------------


def said(course, source):
    done = CliRunner().invoke(main, ["course", "collect", str(source), "--course", str(course.root)])
    assert done.exit_code == 0 and done.stderr == "", done.output
    return done.stdout.splitlines()


def test_the_numbers_add_up(course, tmp_path):
    entries = {"ada/1.ipynb": nb("1"), "ada/2.ipynb": nb("2"), "ada/2b.ipynb": nb("2"), "emmy.ipynb": nb("e")}
    (tmp_path / "in.zip").write_bytes(courses.zipped(entries))
    assert said(course, tmp_path / "in.zip")[0] == "3 files of 2 students: 3 new"
    assert said(course, tmp_path / "in.zip")[0] == "3 files of 2 students: 3 there already"
    (tmp_path / "in.zip").write_bytes(courses.zipped(entries | {"jose.ipynb": nb("j")}))
    assert said(course, tmp_path / "in.zip")[0] == "4 files of 3 students: 1 new, 3 there already"
    (tmp_path / "in.zip").write_bytes(courses.zipped({"zoe.ipynb": nb("z")}))
    assert said(course, tmp_path / "in.zip")[0] == "1 file of 1 student: 1 new"
    (tmp_path / "in.zip").write_bytes(courses.zipped({"nobody.ipynb": nb("?")}))
    assert said(course, tmp_path / "in.zip")[0] == "0 files of 0 students"


# --- what an LMS writes itself ------------------------------------------------------------------------------


def test_blackboards_description_is_no_try(course, tmp_path):
    entries = {
        "HW1_ada_attempt_2026-11-19-10-00-22.txt": b"Name: Ada",
        "HW1_ada_attempt_2026-11-19-10-00-22_hw.pdf": b"%PDF-1.4",
        "HW1_ada_attempt_2026-11-18-10-00-22.txt": b"Name: Ada",
        "HW1_ada_attempt_2026-11-18-10-00-22_hw.ipynb": nb("ada"),
        "HW1_emmy_attempt_2026-11-19-10-00-22.txt": b"Name: Emmy",
    }
    found = take(course, tmp_path, entries)
    assert list(found.counted) == [("ada", CHAPTER)] and found.there == 1
    assert [one.source for one in read_tries(course, "ada", CHAPTER)] == list(entries)[3:4]
    words = "Blackboard's description of an attempt without a file; left out"
    assert found.notes[0] == f"HW1_emmy_attempt_2026-11-19-10-00-22.txt: {words}"
    assert len(found.notes) == 2 and "_hw.pdf (ada)" in found.notes[1]


def test_nor_are_sakais_own_files(course, tmp_path):
    folder = "HW/Lovelace, Ada(ada)"
    entries = {f"{folder}/{name}": b"x" for name in ("comments.txt", "feedbackText.html", "timestamp.txt")}
    assert take(course, tmp_path, entries).counted == {}
    found = take(course, tmp_path, entries | {f"{folder}/Submission attachment(s)/comments.txt": b"by Ada"})
    assert list(found.counted) == [("ada", CHAPTER)], "this one is hers"


# --- ids in capitals ----------------------------------------------------------------------------------------


@pytest.fixture
def numbered(tmp_path):
    return courses.make(tmp_path / "course", "id,first_name,last_name\na-7,Ada,Lovelace\nB-2,Emmy,Noether\n")


def test_an_id_in_other_capitals_is_said(numbered, tmp_path):
    entries = {"A-7/hw.ipynb": nb("ada"), "b-2/hw.ipynb": nb("emmy")}
    found = take(numbered, tmp_path, entries)
    assert {student for student, _ in found.counted} == {"a-7", "B-2"}
    assert found.notes == ["taken for the id that differs in capitals only: A-7 for a-7, b-2 for B-2"]
    entries = {"a-7/hw.ipynb": nb("ada"), "Emmy Noether_5_assignsubmission_file_/hw.ipynb": nb("emmy")}
    assert take(numbered, tmp_path, entries).notes == []


def test_where_two_could_be_meant_nobody_is(numbered, tmp_path):
    entries = {"A-7/hw.ipynb": nb("stranger"), "a-7/hw.ipynb": nb("ada")}
    found = take(numbered, tmp_path, entries)
    assert numbered.notebook("submitted", CHAPTER, "a-7").read_bytes() == nb("ada")
    (note,) = found.notes
    words = "A-7 and a-7 differ in capitals only, and students.csv has one, a-7; kept as tries/_nobody/"
    assert note.startswith(f"A-7/hw.ipynb: {words}")


def test_addresses_have_no_capitals(tmp_path):
    course = courses.make(tmp_path / "course", "email\nada@example.org\n")
    found = take(course, tmp_path, {"Ada@Example.org/hw.ipynb": nb("ada")})
    assert list(found.counted) == [("ada@example.org", CHAPTER)]
    assert not [note for note in found.notes if "capitals" in note]


def test_zeros_that_a_spreadsheet_dropped_are_said(tmp_path):
    course = courses.make(tmp_path / "course", "id\n0042\n7\n")
    found = take(course, tmp_path, {"42/hw.ipynb": nb("?"), "7/hw.ipynb": nb("7")})
    (note,) = found.notes
    assert list(found.counted) == [("7", CHAPTER)]
    assert "no student in students.csv has this id, e-mail or name (only 0042, with zeros in front)" in note


# --- what is no source --------------------------------------------------------------------------------------


def test_one_notebook_alone_says_what_to_do(course, tmp_path):
    (tmp_path / "hw.ipynb").write_bytes(nb("x"))
    with pytest.raises(CourseError, match="lay it into a folder that is named by the student's id"):
        collect(course, tmp_path / "hw.ipynb")


@pytest.mark.parametrize("place", [".", "..", "tries", "tries/ada", "autograded", "release"])
def test_the_courses_own_folders_are_refused(course, tmp_path, place):
    take(course, tmp_path, {"ada.ipynb": nb("ada")})
    (course.root / place).mkdir(exist_ok=True)
    with pytest.raises(CourseError, match="is the course's own"):
        collect(course, course.root / place)
    assert collect(course, course.root / "submitted").new == 0


# --- one thing that is odd ----------------------------------------------------------------------------------


def test_a_damaged_list_of_tries_costs_one_student(course, tmp_path):
    take(course, tmp_path, {"ada.ipynb": nb("ada"), "zoe.ipynb": nb("zoe")})
    (course.root / "tries" / "ada" / CHAPTER / "tries.json").write_text("{")
    found = take(course, tmp_path, {"ada.ipynb": nb("ada"), "emmy.ipynb": nb("emmy"), "zoe.ipynb": nb("zoe")})
    assert {student for student, _ in found.counted} == {"emmy", "zoe"}
    (note,) = found.notes
    assert note.startswith("ada: ") and note.endswith("is damaged: delete it and collect the same again")


def test_what_is_no_notebook_beside_one_is_named(course, tmp_path):
    entries = {"ada/hw.ipynb": nb("ada"), "ada/proof.pdf": b"%PDF", "emmy/only.pdf": b"%PDF"}
    entries |= {f"{student}/README.md": b"x" for student in ("ada", "jose", "zoe")}
    entries |= {f"{student}/hw.ipynb": nb(student) for student in ("jose", "zoe")}
    notes = take(course, tmp_path, entries).notes
    assert "no notebooks, so left in the archive beside one: proof.pdf (ada)" in notes
