"""Collecting: whose a file is, which try counts, and that nothing an LMS or a student packs does any harm."""

import io
import os
import struct
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import courses

from fmkit.command.cli import main
from fmkit.course import gradebook
from fmkit.course.collecting import incoming
from fmkit.course.collecting.collect import collect, handed_in, read_tries, settle_all
from fmkit.errors import CourseError

CHAPTER = courses.CHAPTER
DUE = datetime(2026, 11, 20, 12).astimezone()
EARLY, LATER, LATE = (2026, 11, 18, 9, 0, 0), (2026, 11, 19, 9, 0, 0), (2026, 11, 21, 9, 0, 0)
MOODLE = "{}_101_assignsubmission_file_"


@pytest.fixture
def course(tmp_path):
    return courses.make(tmp_path / "course", due=DUE)


@pytest.fixture
def undue(tmp_path):
    """A course without a deadline, which is made in a moment."""
    return courses.make(tmp_path / "course")


def take(course, tmp_path, entries, when=LATER, **options):
    path = tmp_path / "in.zip"
    path.write_bytes(entries if isinstance(entries, bytes) else courses.zipped(entries, when))
    return collect(course, path, **options)


def counts(course, student):
    return course.notebook("submitted", CHAPTER, student).read_bytes()


def nb(words):
    """A submission that can be told from others."""
    return courses.data(courses.solved(why=words))


# --- archives and folders -----------------------------------------------------------------------------------


def test_an_archive_of_moodle(course, tmp_path):
    found = take(
        course,
        tmp_path,
        {
            "Ada Lovelace_101_assignsubmission_file_/p1.ipynb": (nb("first"), EARLY),
            "Ada Lovelace_101_assignsubmission_file_/p1 (1).ipynb": (nb("second"), LATER),
            "José Muñoz Ñandú_103_assignsubmission_file_/übung.ipynb": nb("jose"),
            "Emmy Noether_102_assignsubmission_file_/late.ipynb": (nb("emmy"), LATE),
            "Emmy Noether_102_assignsubmission_onlinetext_/onlinetext.html": "<p>see file</p>",
            "Nobody Known_105_assignsubmission_file_/ada.ipynb": nb("nobody"),
            "__MACOSX/Ada Lovelace_101_assignsubmission_file_/._p1.ipynb": b"\0",
        },
    )
    assert found.counted == {
        ("ada", CHAPTER): "on time",
        ("jose", CHAPTER): "on time",
        ("emmy", CHAPTER): "late",
    }
    assert found.new == 4 and counts(course, "ada") == nb("second") and counts(course, "emmy") == nb("emmy")
    nobodys, several, beside = found.notes
    assert beside == "no notebooks, so left in the archive beside one: onlinetext.html (emmy)"
    assert "Nobody Known" in nobodys and "kept as tries/_nobody/" in nobodys
    assert several == (
        "ada: Ada Lovelace_101_assignsubmission_file_/p1 (1).ipynb of 2026-11-19 09:00 counts, and not "
        "Ada Lovelace_101_assignsubmission_file_/p1.ipynb of 2026-11-18 09:00"
    )
    (kept,) = (course.root / "tries" / "_nobody").iterdir()
    assert kept.read_bytes() == nb("nobody")
    assert handed_in(course, "emmy", CHAPTER) == (datetime(*LATE).astimezone(UTC), True)
    assert handed_in(course, "zoe", CHAPTER) == (None, False)


def test_the_same_archive_again_changes_nothing(course, tmp_path):
    entries = {f"{name}.ipynb": nb(name) for name in courses.STUDENTS}
    take(course, tmp_path, entries)
    before = {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()}
    assert take(course, tmp_path, entries).new == 0
    assert {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()} == before


def test_moodles_flat_archive(course, tmp_path):
    entries = {
        "Ada Lovelace_101_assignsubmission_file_p1.ipynb": nb("p1"),
        "Ada Lovelace_101_assignsubmission_file_p1 (2).ipynb": nb("p1 (2)"),
        "Ada Lovelace_101_assignsubmission_file_p1 (1).ipynb": nb("p1 (1)"),
        "Emmy Noether_102_assignsubmission_file_x.ipynb": nb("emmy"),
    }
    assert set(take(course, tmp_path, entries).counted) == {("ada", CHAPTER), ("emmy", CHAPTER)}
    assert counts(course, "ada") == nb("p1 (2)"), "all of one minute: the highest number is the last"


def test_canvas_says_itself_who_is_late(course, tmp_path):
    entries = {"lovelaceada_11_22_hw-1.ipynb": nb("ada"), "noetheremmy_LATE_12_23_hw.ipynb": nb("emmy")}
    found = take(course, tmp_path, entries, when=LATE)  # the download, which is all that Canvas writes
    assert found.counted == {("ada", CHAPTER): "on time", ("emmy", CHAPTER): "late"} and not found.notes
    assert handed_in(course, "ada", CHAPTER)[1] is False


def test_times_of_a_download_are_noticed(course, tmp_path):
    entries = {
        MOODLE.format(f"{s.first_name} {s.last_name}") + "/a.ipynb": nb(s.id) for s in course.students()
    }
    found = take(course, tmp_path, entries, when=LATE)
    assert set(found.counted.values()) == {"late"} and found.notes[0].endswith("--on-time")
    found = take(course, tmp_path, entries, when=LATE, on_time=True)
    assert set(found.counted.values()) == {"on time"} and found.new == 0 and not found.notes
    assert not handed_in(course, "ada", CHAPTER)[1]


@pytest.mark.parametrize("flat", [True, False])
def test_a_plain_folder(course, tmp_path, flat):
    folder = tmp_path / "in"
    for student in courses.STUDENTS[:3]:
        path = folder / (f"{student}.ipynb" if flat else f"{student}/my home work (1).ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(nb(student))
        moment = (DUE + timedelta(days=1 if student == "jose" else -1)).timestamp()
        os.utime(path, (moment, moment))
    found = collect(course, folder)
    assert found.counted == {
        ("ada", CHAPTER): "on time",
        ("emmy", CHAPTER): "on time",
        ("jose", CHAPTER): "late",
    }
    assert collect(course, folder).new == 0


def test_nbgraders_own_folder(course, tmp_path):
    for student, moment in (("ada", "2026-11-19 10:00:00.000000 UTC"), ("emmy", "2026-11-21 10:00:00 +0100")):
        folder = tmp_path / "submitted" / student / CHAPTER
        folder.mkdir(parents=True)
        (folder / f"{CHAPTER}.ipynb").write_bytes(nb(student))
        (folder / "timestamp.txt").write_text(moment)
    found = collect(course, tmp_path / "submitted")
    assert found.counted == {("ada", CHAPTER): "on time", ("emmy", CHAPTER): "late"}
    assert handed_in(course, "emmy", CHAPTER)[0] == datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_links_are_left_where_they_are(course, tmp_path):
    secret, folder = tmp_path / "secret.ipynb", tmp_path / "in"
    secret.write_bytes(nb("secret"))
    (folder / "emmy").mkdir(parents=True)
    (folder / "ada").symlink_to(tmp_path, target_is_directory=True)
    (folder / "emmy" / "x.ipynb").symlink_to(secret)
    os.mkfifo(folder / "emmy" / "pipe.ipynb")
    found = collect(course, folder)
    assert found.counted == {} and len(found.notes) == 3
    assert all("a link or special file" in note for note in found.notes)
    entry = zipfile.ZipInfo("jose/x.ipynb", LATER)
    entry.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, str(secret))
    assert take(course, tmp_path, out.getvalue()).notes == ["jose/x.ipynb: a link; left out"]


def test_names_that_an_archiver_spoilt(course, tmp_path):
    """UTF-8 without the flag that says so, backslashes, and letters in two parts."""
    name = MOODLE.format("José Muñoz Ñandú") + "/a.ipynb"
    raw = courses.zipped({"?" * len(name.encode()): nb("jose")})
    raw = raw.replace(b"?" * len(name.encode()), name.encode())
    assert take(course, tmp_path, raw).counted == {("jose", CHAPTER): "on time"}
    entries = {"Zoe\u0308 O'Brien-Łos\u0301_1_assignsubmission_file_\\a.ipynb": nb("zoe")}
    assert take(course, tmp_path, entries).counted == {("zoe", CHAPTER): "on time"}


def test_archives_inside_an_archive(course, tmp_path):
    entries = {
        MOODLE.format("Ada Lovelace") + "/all.zip": courses.zipped(
            {"work/p1.ipynb": nb("ada"), "data.csv": "1"}
        ),
        "noetheremmy_11_22_hw.zip": courses.zipped({"p1.ipynb": nb("emmy")}),
        MOODLE.format("José Muñoz Ñandú") + "/broken.zip": b"PK\x03\x04 no archive",
    }
    found = take(course, tmp_path, entries)
    assert set(found.counted) == {("ada", CHAPTER), ("emmy", CHAPTER), ("jose", CHAPTER)}
    assert counts(course, "ada") == nb("ada") and counts(course, "emmy") == nb("emmy")
    assert counts(course, "jose").startswith(b"PK"), "kept: grading says that it is not a notebook"


def test_damaged_and_encrypted_entries_cost_only_themselves(course, tmp_path):
    raw = bytearray(
        courses.zipped({"ada.ipynb": nb("ada"), "emmy.ipynb": nb("emmy"), "jose.ipynb": nb("jose")})
    )
    for name, spoil in ((b"ada.ipynb", "data"), (b"emmy.ipynb", "flag")):
        local, central = raw.index(name) - 30, raw.rindex(name) - 46
        if spoil == "data":
            raw[local + 60 : local + 90] = bytes(30)
        else:
            struct.pack_into("<H", raw, local + 6, 1)
            struct.pack_into("<H", raw, central + 8, 1)
    found = take(course, tmp_path, bytes(raw))
    assert found.counted == {("jose", CHAPTER): "on time"}
    damaged, encrypted = sorted(found.notes)
    assert damaged.startswith("ada.ipynb: damaged") and encrypted == "emmy.ipynb: encrypted; left out"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither a folder nor a complete zip"),
        (b"%PDF", "neither a folder nor a complete zip archive: it is a PDF. Download it again"),
        (b"Rar!", "neither .*: it is a RAR archive. Unpack it and collect the folder"),
        (b"\x1f\x8b", "neither .*: it is a gzip archive. Unpack it and collect the folder"),
        ("cut", "neither a folder nor a complete zip|cannot be read"),
    ],
)
def test_what_is_no_archive(course, tmp_path, data, words):
    data = courses.zipped({"ada.ipynb": nb("ada")})[:-30] if data == "cut" else data
    with pytest.raises(CourseError, match=words):
        take(course, tmp_path, data)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes need a POSIX system")
def test_what_may_have_no_end_is_not_read(course, tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    for source in (tmp_path / "pipe.zip", Path("/dev/zero")):
        with pytest.raises(CourseError, match="neither a folder nor a file: save the archive as a file"):
            collect(course, source)


def test_paths_that_climb_out_stay_inside(course, tmp_path):
    before = set(tmp_path.rglob("*"))
    take(
        course,
        tmp_path,
        {"../../ada.ipynb": nb("x"), "/etc/ada.ipynb": nb("y"), "ada/../../e.ipynb": nb("z")},
    )
    new = {p for p in set(tmp_path.rglob("*")) - before if p.name != "in.zip"}
    assert new and all(p.is_relative_to(course.root) for p in new)


def test_what_is_no_notebook_is_kept_for_grading_to_say_so(course, tmp_path):
    take(course, tmp_path, {"ada/homework.pdf": b"%PDF-1.4", "emmy/empty.ipynb": b""})
    assert counts(course, "ada") == b"%PDF-1.4" and counts(course, "emmy") == b""


def test_another_notebook_beside_the_right_one(course, tmp_path):
    other = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    take(course, tmp_path, {"ada/p1.ipynb": (nb("ada"), EARLY), "ada/notes.ipynb": (other, LATER)})
    assert counts(course, "ada") == nb("ada")


def test_each_notebook_says_which_chapter_it_is(course, tmp_path):
    name = "00-start-here"
    source = course.notebook("source", name)
    source.parent.mkdir()
    source.write_bytes((courses.s.NOTEBOOK.parent / f"{name}.ipynb").read_bytes())
    gradebook.release(course, name)
    other = course.notebook("release", name).read_bytes()
    entries = {
        "ada/a.ipynb": nb("ada"),
        "ada/b.ipynb": other,
        "emmy/00 start here.ipynb": b"{",
        "jose/x.ipynb": b"{",
    }
    found = take(course, tmp_path, entries)
    assert set(found.counted) == {("ada", CHAPTER), ("ada", name), ("emmy", name)}
    wanted = "; its chapter is not known (`--chapter NN` names it); kept as"
    (note,) = [note for note in found.notes if wanted in note]
    assert note.startswith("jose/x.ipynb: the file is not a notebook: ")
    found = take(course, tmp_path, {"jose/x.ipynb": b"{"}, chapter=CHAPTER)
    assert found.counted == {("jose", CHAPTER): "on time"}


# --- tries and deadlines ------------------------------------------------------------------------------------


def test_the_last_try_before_the_deadline_counts(course, tmp_path):
    take(course, tmp_path, {"ada.ipynb": nb("one")}, EARLY)
    take(course, tmp_path, {"ada.ipynb": nb("three")}, LATE)
    found = take(course, tmp_path, {"ada.ipynb": nb("two")}, LATER)
    assert found.counted == {("ada", CHAPTER): "on time"} and counts(course, "ada") == nb("two")
    assert found.notes == [
        "ada: ada.ipynb of 2026-11-19 09:00 counts, and not ada.ipynb of 2026-11-18 09:00, "
        "ada.ipynb of 2026-11-21 09:00 (after the deadline)"
    ]
    assert len(read_tries(course, "ada", CHAPTER)) == 3


def test_a_deadline_that_moves(course, tmp_path):
    for words, when in (("one", EARLY), ("two", LATER), ("three", LATE)):
        take(course, tmp_path, {"ada.ipynb": nb(words), "emmy.ipynb": nb("emmy")}, when)
    assert counts(course, "ada") == nb("two")

    def move(due):
        done = CliRunner().invoke(
            main, ["course", "release", "4", "--due", due, "--course", str(course.root)]
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "another try counts now, grade again: ada" in move("2026-11-30 12:00")
    assert counts(course, "ada") == nb("three") and not handed_in(course, "ada", CHAPTER)[1]
    assert "another try" not in move("2026-11-30 13:00")
    assert "another try counts now, grade again: ada" in move("2026-11-18 12:00")
    assert counts(course, "ada") == nb("one")
    move("2026-11-17")
    assert counts(course, "ada") == nb("three") and handed_in(course, "ada", CHAPTER)[1]
    assert settle_all(course, CHAPTER) == []


def test_a_day_lasts_to_its_end():
    from fmkit.course.rules import parse_moment

    assert parse_moment("2026-12-01") == datetime(2026, 12, 1, 23, 59, 59).astimezone()
    assert parse_moment("2026-12-01 08:00") == datetime(2026, 12, 1, 8).astimezone()
    assert parse_moment("2026-12-01T08:00+05:00").utcoffset() == timedelta(hours=5)
    assert parse_moment("2026-W49-2") == parse_moment("2026-12-01")


def test_a_dot_in_a_time_is_no_part_of_an_hour():
    from fmkit.course.rules import parse_moment

    just_before = datetime(2026, 12, 1, 23, 59)
    for text in ("2026-12-01 23.59", "2026-12-01T23.59", " 2026-12-01  23.59 ", "2026-12-01 23.59.00"):
        assert parse_moment(text) == just_before.astimezone()
    assert parse_moment("2026-12-01 23.59Z") == just_before.replace(tzinfo=UTC)
    assert parse_moment("2026-12-01 9.05") == parse_moment("2026-12-01 9:05")
    for text in (
        "2026-12-01 23.5",
        "2026-12-01 23,59",
        "2026-12-01 23:59.5",
        "2026-12-01 25.00",
        "0001-01-01",
        "9999-12-31 23:59",
        "1/12/2026",
    ):
        with pytest.raises(CourseError, match="write it like 2026-12-01 23:59"):
            parse_moment(text)


def test_the_command_says_what_it_found(course, tmp_path):
    path = tmp_path / "in.zip"
    path.write_bytes(
        courses.zipped({"ada.ipynb": nb("a"), "emmy.ipynb": (nb("e"), LATE), "p1.ipynb": nb("?")})
    )
    done = CliRunner().invoke(main, ["course", "collect", str(path), "--course", str(course.root)])
    assert done.exit_code == 0 and done.stderr == ""
    assert done.stdout.splitlines()[:2] == ["2 files of 2 students: 2 new", "late: emmy (04-backprop)"]
    assert "p1.ipynb: no student in students.csv has this id, e-mail or name" in done.stdout
    assert done.stdout.splitlines()[-1] == "nothing in it from: jose, zoe"


def test_a_deadline_is_shown_with_its_zone(course):
    words = ["course", "release", "4", "--due", "2026-12-01 23:59+05:30", "--course", str(course.root)]
    assert CliRunner().invoke(main, words).stdout.endswith("ipynb, due 2026-12-01 23:59+05:30\n")


# --- times --------------------------------------------------------------------------------------------------


def test_the_time_of_the_outer_archive_counts(course, tmp_path):
    """What a student's own archiver or timestamp.txt says does not."""
    inside = courses.zipped(
        {"x.ipynb": nb("a"), "timestamp.txt": b"1999-01-01 00:00:00 UTC"}, (1999, 1, 1, 0, 0, 0)
    )
    found = take(course, tmp_path, {MOODLE.format("Ada Lovelace") + "/work.zip": inside}, LATE)
    assert found.counted == {("ada", CHAPTER): "late"}
    assert handed_in(course, "ada", CHAPTER)[0] == datetime(*LATE).astimezone(UTC)


def test_the_second_upload_counts_whatever_dates_are_in_it(undue, tmp_path):
    for words, when, inner in (
        ("first", EARLY, (2026, 11, 17, 0, 0, 0)),
        ("second", LATER, (2001, 1, 1, 0, 0, 0)),
    ):
        take(undue, tmp_path, {"ada.zip": courses.zipped({"x.ipynb": nb(words)}, inner)}, when)
    assert counts(undue, "ada") == nb("second")


@pytest.mark.parametrize("where", ["ada", "ada/inbound/x", "ada/submitted/x/y", f"ada/{CHAPTER}"])
def test_a_timestamp_of_a_students_own_is_not_believed(course, tmp_path, where):
    folder = tmp_path / "in" / where
    folder.mkdir(parents=True)
    (folder / "x.ipynb").write_bytes(nb("ada"))
    (folder / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")
    os.utime(folder / "x.ipynb", (datetime(*LATE).timestamp(),) * 2)
    assert collect(course, tmp_path / "in").counted == {("ada", CHAPTER): "late"}


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_nbgraders_exchange(course, tmp_path, form):
    names = {
        s: f"{s}+{CHAPTER}+2026-11-{day} 10:00:00.000000 UTC+x9" for s, day in (("ada", 19), ("emmy", 21))
    }
    if form == "archive":
        found = take(
            course, tmp_path, {f"inbound/{name}/{CHAPTER}.ipynb": nb(s) for s, name in names.items()}, LATE
        )
    else:
        for student, name in names.items():
            (tmp_path / "inbound" / name).mkdir(parents=True)
            (tmp_path / "inbound" / name / f"{CHAPTER}.ipynb").write_bytes(nb(student))
        found = collect(course, tmp_path / "inbound")
    assert found.counted == {("ada", CHAPTER): "on time", ("emmy", CHAPTER): "late"}


def test_a_file_without_a_date_is_not_new_each_time(undue, tmp_path):
    raw = bytearray(courses.zipped({"ada.ipynb": nb("ada")}))
    for mark, at in ((b"PK\3\4", 12), (b"PK\1\2", 14)):
        struct.pack_into("<H", raw, raw.index(mark) + at, 0)
    assert take(undue, tmp_path, bytes(raw)).new == 1
    assert take(undue, tmp_path, bytes(raw)).new == 0


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31 23:59:59 UTC", "x" * 99, "pipe", "zero"]
)
def test_odd_timestamps_stop_nobody(undue, tmp_path, moment):
    from fmkit.course.collecting.incoming import read_stamp

    folder = tmp_path / "submitted" / "ada" / CHAPTER
    folder.mkdir(parents=True)
    (folder / f"{CHAPTER}.ipynb").write_bytes(nb("ada"))
    os.utime(folder / f"{CHAPTER}.ipynb", (2**40, 2**40))
    if moment == "pipe":
        os.mkfifo(folder / "timestamp.txt")
    elif moment == "zero":
        (folder / "timestamp.txt").symlink_to("/dev/zero")
    else:
        (folder / "timestamp.txt").write_text(moment)
    assert read_stamp(folder) is None
    assert ("ada", CHAPTER) in collect(undue, tmp_path / "submitted").counted
    assert handed_in(undue, "ada", CHAPTER)[0].astimezone(), "can be shown in any zone"


# --- which notebook -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("untouched_at", [EARLY, LATER])
@pytest.mark.parametrize("lost", [False, True])
def test_the_notebook_with_work_in_it_counts(undue, tmp_path, untouched_at, lost):
    empty, worked = courses.untouched(), courses.untouched()
    courses.cell(worked, courses.NEURON).source = "def neuron_gradients(x, w, b, t):\n    return w, b"
    if lost:  # as some editors do
        for cell in [*empty.cells, *worked.cells]:
            cell.metadata.pop("nbgrader", None)
    empty, worked = courses.data(empty), courses.data(worked)
    entries = {"ada/hw-Copy1.ipynb": (worked, EARLY), "ada/hw.ipynb": (empty, untouched_at)}
    found = take(undue, tmp_path, entries)
    assert counts(undue, "ada") == worked
    day = untouched_at[2]
    assert found.notes[-1] == (
        "ada: ada/hw-Copy1.ipynb of 2026-11-18 09:00 counts, and not "
        f"ada/hw.ipynb of 2026-11-{day} 09:00 (nothing answered)"
    )


def test_what_answers_nothing_does_not_replace_an_answer(undue, tmp_path):
    take(undue, tmp_path, {"ada.ipynb": nb("one")}, EARLY)
    for later in (courses.untouched(), b"%PDF"):
        found = take(undue, tmp_path, {"ada.ipynb": later}, LATER)
        assert counts(undue, "ada") == nb("one") and "11-19 09:00 (nothing answered)" in found.notes[-1]


def test_the_name_says_which_of_two_chapters_with_the_same_exercises_it_is(undue, tmp_path):
    for name in ("04-backprop-a", "04-backprop-b"):
        source = undue.notebook("source", name)
        source.parent.mkdir()
        source.write_bytes(undue.notebook("source", CHAPTER).read_bytes())
        gradebook.release(undue, name)
    entries = {
        "ada/04-backprop-a (1).ipynb": nb("a"),
        "emmy/04_backprop_b-Copy1.ipynb": nb("b"),
        "jose/04-backprop.ipynb": nb("plain"),
        "zoe/homework.ipynb": nb("?"),
    }
    found = take(undue, tmp_path, entries)
    wanted = {("ada", "04-backprop-a"), ("emmy", "04-backprop-b"), ("jose", CHAPTER)}
    assert set(found.counted) == wanted
    assert "zoe/homework.ipynb: its chapter is not known (`--chapter NN` names it)" in found.notes[0]


@pytest.mark.parametrize("name", ["04-backprop [group B]", "hw[1-3]", "what*"])
def test_a_chapter_whose_name_is_a_pattern(undue, tmp_path, name):
    from fmkit.course.grading.marking import jobs

    source = undue.notebook("source", name)
    source.parent.mkdir()
    source.write_bytes(undue.notebook("source", CHAPTER).read_bytes())
    gradebook.release(undue, name)
    take(undue, tmp_path, {"ada/x.ipynb": nb("ada")}, chapter=name)
    assert [job["student"] for job in jobs(undue, [name])] == ["ada"]
    assert settle_all(undue, name) == []


# --- who ----------------------------------------------------------------------------------------------------


def test_a_stranger_of_a_students_name_is_said(undue, tmp_path):
    entries = {f"Ada Lovelace_{n}_assignsubmission_file_/x.ipynb": nb(str(n)) for n in (5, 6)}
    entries["Emmy Noether_7_assignsubmission_file_/x.ipynb"] = nb("emmy")
    found = take(undue, tmp_path, entries)
    assert set(found.counted) == {("emmy", CHAPTER)} and len(found.notes) == 2
    assert all("2 participants are called Ada Lovelace (5, 6)" in note for note in found.notes)
    one_a_week = {f"HW{n}/Ada Lovelace_{n}_assignsubmission_file_/x.ipynb": nb(str(n)) for n in (5, 6)}
    assert ("ada", CHAPTER) in take(undue, tmp_path, one_a_week).counted


def test_a_table_says_whose_it_is(undue, tmp_path):
    table = tmp_path / "map.csv"
    table.write_text("Group A_*,ada\nGroup A_*,zoe\nhw7.ipynb,emmy\nhw8*,jose\n")
    entries = {"Group A_12_assignsubmission_file_/x.ipynb": nb("team"), "hw7.ipynb": nb("emmy")}
    found = take(undue, tmp_path, entries, table=table)
    assert {student for student, _ in found.counted} == {"ada", "zoe", "emmy"}
    assert found.notes == ["map.csv: hw8* fits nothing in in.zip"]
    assert counts(undue, "ada") == counts(undue, "zoe") == nb("team") and counts(undue, "emmy") == nb("emmy")
    path = tmp_path / "in.zip"
    done = CliRunner().invoke(
        main, ["course", "collect", str(path), "--map", str(table), "--course", str(undue.root)]
    )
    assert done.stdout.splitlines()[0] == "3 files of 3 students: 3 there already"


def test_the_roster_is_looked_at_again(undue, tmp_path):
    (undue.root / "students.csv").write_text("id,first_name\nada,Ada\n../x,Eve\n")
    found = take(undue, tmp_path, {"ada.ipynb": nb("ada")})
    assert found.notes[0].startswith("students.csv: line 3: Eve: '../x' cannot be an id")
    assert list(found.counted) == [("ada", CHAPTER)]


# --- one odd file is only that ------------------------------------------------------------------------------


def odd(course, tmp_path, data, name="work.zip"):
    """Collect ada's honest notebook beside something odd of emmy's; what is said."""
    found = take(course, tmp_path, {"ada/x.ipynb": nb("ada"), f"emmy/{name}": data})
    assert found.counted["ada", CHAPTER] == "on time" and counts(course, "ada") == nb("ada")
    return found.notes


def test_archives_that_cannot_be_opened_are_named(undue, tmp_path):
    good = courses.zipped({"x.ipynb": nb("emmy")})
    newer, nameless = bytearray(good), courses.zipped({"": nb("emmy")})
    newer[newer.rindex(b"PK\1\2") + 6] = 99
    assert odd(undue, tmp_path, bytes(newer))[0].startswith("emmy/work.zip: damaged (zip file version 9.9)")
    assert odd(undue, tmp_path, nameless)[0] == "emmy/work.zip: there is nothing in it; kept as it is"
    assert odd(undue, tmp_path, good[:-30])[0] == (
        "emmy/work.zip: it is not a complete zip archive; kept as it is"
    )
    assert odd(undue, tmp_path, courses.zipped({"a/" * 50 + "x.ipynb": b""}))[0].endswith(
        "inside each other (1 such files); left out"
    )
    (others,) = odd(undue, tmp_path, good)
    assert counts(undue, "emmy") == nb("emmy") and others.count("(nothing answered)") == 4


def test_archives_that_unpack_to_too_much(undue, tmp_path, monkeypatch):
    many = courses.zipped({f"{k}.txt": b"" for k in range(30)})
    monkeypatch.setattr(incoming, "MAX_INSIDE", 20)
    assert odd(undue, tmp_path, many)[0] == "emmy/work.zip: it holds 30 files; kept as it is"
    monkeypatch.setattr(incoming, "MAX_DIRECTORY", 100)
    assert odd(undue, tmp_path, many)[0] == "emmy/work.zip: it holds too many files; kept as it is"
    monkeypatch.setattr(incoming, "MAX_DIRECTORY", 10_000)
    monkeypatch.setattr(incoming, "MAX_BYTES", 3 * len(nb("e")))
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(5):
            archive.writestr(f"{k}.ipynb", nb(str(k)))
    (note, *_) = odd(undue, tmp_path, large.getvalue())
    assert note == "emmy/work.zip: it unpacks to more than 0 MB; 2 of its files left out"
    assert len(read_tries(undue, "emmy", CHAPTER)) == 4, "three of these, and the archive kept before"


def test_an_archive_inside_is_opened_once(undue, tmp_path, monkeypatch):
    inside = courses.zipped({f"{k}.ipynb": nb(str(k)) for k in range(9)})
    (tmp_path / "in.zip").write_bytes(courses.zipped({"ada/work.zip": inside}))
    opened, true = [], zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda *args: opened.append(1) or true(*args))
    collect(undue, tmp_path / "in.zip")
    assert len(opened) == 2 and len(read_tries(undue, "ada", CHAPTER)) == 9


def test_archives_in_a_folder_are_opened(undue, tmp_path):
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "work.zip").write_bytes(courses.zipped({"w/x.ipynb": nb("ada")}))
    assert collect(undue, tmp_path / "in").new == 1 and counts(undue, "ada") == nb("ada")


def test_long_names(undue, tmp_path):
    found = take(undue, tmp_path, {"ada.ipynb": nb("ada"), "学" * 84 + ".ipynb": nb("?")})
    assert list(found.counted) == [("ada", CHAPTER)]
    (kept,) = (undue.root / "tries" / "_nobody").iterdir()
    assert kept.name.endswith("学.ipynb") and kept.read_bytes() == nb("?")


def test_names_keep_their_vowel_signs(undue, tmp_path):
    take(undue, tmp_path, {"ada.ipynb": nb("ada"), "राम\x1b[1m.ipynb": nb("?")})
    (kept,) = (undue.root / "tries" / "_nobody").iterdir()
    assert kept.name.endswith("-राम__1m.ipynb")


def test_folders_far_inside_each_other(undue, tmp_path, monkeypatch):
    monkeypatch.setattr(incoming, "MAX_DEPTH", 3)
    for folder in ("ada", "a/a/a/a/a/a/a"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "x.ipynb").write_bytes(nb("ada"))
    found = collect(undue, tmp_path / "in")
    assert list(found.counted) == [("ada", CHAPTER)]
    assert found.notes == ["a/a/a/a: more than 3 folders inside each other; left out"]


def test_no_name_steers_the_terminal(undue, tmp_path):
    path = tmp_path / "in.zip"
    path.write_bytes(
        courses.zipped({"\x1b]0;x\x07\x1b[2J\nlate: ada\u202e.ipynb": nb("?"), "ada.ipynb": nb("ada")})
    )
    done = CliRunner().invoke(main, ["course", "collect", str(path), "--course", str(undue.root)])
    assert done.exit_code == 0 and not set(done.stdout) & set("\x1b\x07\u202e")
    assert not any(line.startswith("late: ") for line in done.stdout.splitlines())
    assert "?]0;x??[2J?late: ada?.ipynb: no student" in done.stdout
