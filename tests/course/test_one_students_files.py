"""What stands in the way of one student stops nobody else, and is said; so is a gradebook that is gone."""

import shutil

import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER

from fmkit.command.cli import main
from fmkit.course.collecting.collect import settle_all
from fmkit.course.feedback import write_feedback
from fmkit.course.layout import one_students, tell
from fmkit.errors import CourseError


@pytest.fixture
def course(tmp_path):
    return courses.make(tmp_path / "course")


def run(course, *command):
    return CliRunner().invoke(main, ["course", *map(str, command), "--course", str(course.root)])


def in_the_way(course, step, student="ada"):
    """A file where the student's folder should be."""
    path = course.root / step / student
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way")


@pytest.mark.parametrize("step", ["tries", "submitted"])
def test_the_others_are_collected(course, tmp_path, step):
    source = tmp_path / "in.zip"
    names = [f"{student}/{CHAPTER}.ipynb" for student in ("ada", "emmy", "zoe")]
    source.write_bytes(courses.zipped(dict.fromkeys(names, courses.solved())))
    in_the_way(course, step)
    done = run(course, "collect", source)
    assert done.exit_code == 0, done.output
    assert f"{step}/ada" in done.output and "Mend that, and collect the same again" in done.output
    assert "nothing in it from: ada, jose" in done.output
    assert all(course.notebook("submitted", CHAPTER, s).exists() for s in ("emmy", "zoe"))
    (course.root / step / "ada").unlink()
    assert "of 3 students" in run(course, "collect", source).output
    assert course.notebook("submitted", CHAPTER, "ada").exists()


def test_the_others_are_graded_and_get_their_pages(course, monkeypatch):
    for student in ("ada", "emmy"):
        courses.hand_in(course, student, courses.solved())
    results = [courses.result(course, student) for student in ("ada", "emmy")]
    in_the_way(course, "autograded")
    with pytest.raises(CourseError, match="ada: .*autograded/ada.*; all others are done"):
        courses.enter(course, results, monkeypatch)
    assert course.notebook("autograded", CHAPTER, "emmy").exists()
    (course.root / "autograded" / "ada").unlink()
    assert len(courses.enter(course, results, monkeypatch)) == 2
    in_the_way(course, "feedback")
    with pytest.raises(CourseError, match="feedback/ada"):
        write_feedback(course, CHAPTER)
    assert course.notebook("feedback", CHAPTER, "emmy").with_suffix(".html").exists()


def test_another_deadline_is_taken_up_for_all_but_whose_tries_are_gone(course, tmp_path):
    source = tmp_path / "in.zip"
    source.write_bytes(courses.zipped({f"{s}/{CHAPTER}.ipynb": courses.solved() for s in ("ada", "emmy")}))
    run(course, "collect", source)
    next((course.root / "tries" / "ada" / CHAPTER).glob("*.ipynb")).unlink()
    course.notebook("submitted", CHAPTER, "emmy").unlink()
    with pytest.raises(CourseError, match="ada: .*No such file.*all others are done"):
        settle_all(course, CHAPTER)
    assert course.notebook("submitted", CHAPTER, "emmy").exists()


def test_a_full_disk_is_everybodys():
    faults = []
    with pytest.raises(OSError, match="No space"), one_students("ada", faults):
        raise OSError(28, "No space left on device", "x")
    for number in range(7):
        with one_students(f"s{number}", faults):
            raise CourseError("odd")
    with pytest.raises(CourseError, match=r"^s0: odd; .*s4: odd; and 2 more\. Mend that"):
        tell(faults)


def test_a_gradebook_that_is_gone_is_not_made_anew_in_silence(course, monkeypatch):
    courses.hand_in(course, "ada", courses.solved())
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    (course.root / "gradebook.db").unlink()
    for command in (
        ["export"],
        ["report"],
        ["feedback"],
        ["grade", CHAPTER, "--unsafe"],
        ["release", CHAPTER],
    ):
        done = run(course, *command)
        assert done.exit_code == 1 and "gradebook.db is missing: points by hand" in done.output, done.output
        assert not (course.root / "gradebook.db").exists()
    done = CliRunner().invoke(main, ["course", "init", str(course.root)])
    assert done.exit_code == 0 and (course.root / "gradebook.db").exists(), done.output
