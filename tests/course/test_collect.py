"""Collecting: whose a file is, which try counts, and that nothing an LMS or a student packs does any harm."""

import io
import os
import struct
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from helpers import courses

from fmkit.command.cli import main
from fmkit.course import gradebook
from fmkit.course.collecting.collect import collect, handed_in, read_tries, settle_all
from fmkit.course.collecting.matching import Matcher
from fmkit.course.roster import Student
from fmkit.errors import CourseError

CHAPTER = courses.CHAPTER
DUE = datetime(2026, 11, 20, 12).astimezone()
EARLY, LATER, LATE = (2026, 11, 18, 9, 0, 0), (2026, 11, 19, 9, 0, 0), (2026, 11, 21, 9, 0, 0)
MOODLE = "{}_101_assignsubmission_file_"


@pytest.fixture
def course(tmp_path):
    return courses.make(tmp_path / "course", due=DUE)


def take(course, tmp_path, entries, when=LATER, **options):
    path = tmp_path / "in.zip"
    path.write_bytes(entries if isinstance(entries, bytes) else courses.zipped(entries, when))
    return collect(course, path, **options)


def counts(course, student):
    return course.notebook("submitted", CHAPTER, student).read_bytes()


def nb(words):
    """A submission that can be told from others."""
    return courses.data(courses.solved(why=words))


# --- whose is it? -------------------------------------------------------------------------------------------

PEOPLE = [
    Student("ada", "Ada", "Lovelace", "ada@example.org"),
    Student("s123", "José", "Muñoz Ñandú", "jose.munoz@example.org"),
    Student("zoe", "Zoë", "O'Brien-Łoś", "zoe@example.org"),
    Student("k1", "Kim", "Lee", "kim1@example.org"),
    Student("k2", "Kim", "Lee", "kim2@example.org"),
    Student("li", "雷", "李", ""),
    Student("lovelace", "Someone", "Else", ""),
]


@pytest.mark.parametrize(
    ("path", "depth", "id"),
    [
        ("Ada Lovelace_101_assignsubmission_file_/p1 (1).ipynb", 0, "ada"),
        ("Ada Lovelace_101_assignsubmission_file_hw_1.ipynb", 0, "ada"),
        ("Lovelace Ada_101_assignsubmission_file_/x.ipynb", 0, "ada"),
        ("HW 1/José Muñoz Ñandú_7_assignsubmission_file_/übung.ipynb", 1, "s123"),
        ("Jose\u0301 Munoz Nandu_7_assignsubmission_file_/a.ipynb", 0, "s123"),
        ("Zoë O'Brien-Łoś_9_assignsubmission_file_/a.ipynb", 0, "zoe"),
        ("obrienloszoe_LATE_340934_208490284_hw-1.ipynb", 0, "zoe"),
        ("lovelaceada_340934_208490284_hw.ipynb", 0, "ada"),
        ("lovelaceada_340934_208490284_all.zip/x/hw.ipynb", 0, "ada"),
        ("李雷_5_assignsubmission_file_/作业.ipynb", 0, "li"),
        ("ada/p1.ipynb", 0, "ada"),
        ("ADA/p1.ipynb", 0, "ada"),
        ("submitted/ada/04-backprop/04-backprop.ipynb", 1, "ada"),
        ("jose.munoz@example.org/x.ipynb", 0, "s123"),
        ("jose.munoz/x.ipynb", 0, "s123"),
        ("ada.ipynb", 0, "ada"),
        ("Ada_Lovelace.ipynb", 0, "ada"),
        ("ada_p1.ipynb", 0, "ada"),
        ("Ada Lovelace - p1.ipynb", 0, "ada"),
        ("HW 1/ada.ipynb", 1, "ada"),
        ("k2/x.ipynb", 0, "k2"),
        # an id is an id, whoever else has that name
        ("lovelace/x.ipynb", 0, "lovelace"),
        # nobody's; above all not that of the one whom a stranger names the file after
        ("Nobody Known_105_assignsubmission_file_/ada.ipynb", 0, None),
        ("Nobody Known_105_assignsubmission_file_ada.ipynb", 0, None),
        ("Nobody Known/ada.ipynb", 0, None),
        ("Nobody Known/ada_1_2_x.ipynb", 0, None),
        ("Nobody Known/ada.zip/x.ipynb", 0, None),
        ("nobodyknown_1_2_ada.ipynb", 0, None),
        ("p1.ipynb", 0, None),
        ("Kim Lee_5_assignsubmission_file_/x.ipynb", 0, None),
    ],
)
def test_whose_a_path_is(path, depth, id):
    match = Matcher(PEOPLE).find(path, depth)
    assert (match.student.id if match.student else None) == id
    assert bool(match.reason) == (id is None)


def test_two_of_one_name_are_told_apart_by_hand():
    reason = Matcher(PEOPLE).find("Kim Lee_5_assignsubmission_file_/x.ipynb").reason
    assert "two students have this name (k1 and k2); put it into a folder named by the id" in reason


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
    (note,) = found.notes
    assert "Nobody Known" in note and "kept as tries/_nobody/" in note
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
        (b"%PDF", "neither a folder nor a complete zip"),
        ("cut", "neither a folder nor a complete zip|cannot be read"),
    ],
)
def test_what_is_no_archive(course, tmp_path, data, words):
    data = courses.zipped({"ada.ipynb": nb("ada")})[:-30] if data == "cut" else data
    with pytest.raises(CourseError, match=words):
        take(course, tmp_path, data)


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
    assert "jose/x.ipynb: its chapter is not known (`--chapter NN` names it); kept as" in found.notes[0]
    found = take(course, tmp_path, {"jose/x.ipynb": b"{"}, chapter=CHAPTER)
    assert found.counted == {("jose", CHAPTER): "on time"}


# --- tries and deadlines ------------------------------------------------------------------------------------


def test_the_last_try_before_the_deadline_counts(course, tmp_path):
    take(course, tmp_path, {"ada.ipynb": nb("one")}, EARLY)
    take(course, tmp_path, {"ada.ipynb": nb("three")}, LATE)
    found = take(course, tmp_path, {"ada.ipynb": nb("two")}, LATER)
    assert found.counted == {("ada", CHAPTER): "on time"} and counts(course, "ada") == nb("two")
    assert "a later try (2026-11-21" in found.notes[0] and "does not count" in found.notes[0]
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


def test_a_day_lasts_to_its_end(course):
    from fmkit.course.grading.marking import parse_moment

    assert parse_moment("2026-12-01") == datetime(2026, 12, 1, 23, 59, 59).astimezone()
    assert parse_moment("2026-12-01 08:00") == datetime(2026, 12, 1, 8).astimezone()
    assert parse_moment("2026-12-01T08:00+05:00").utcoffset() == timedelta(hours=5)
    assert parse_moment("2026-W49-2") == parse_moment("2026-12-01")


def test_a_dot_in_a_time_is_no_part_of_an_hour():
    from fmkit.course.grading.marking import parse_moment

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
    assert done.stdout.splitlines()[:2] == ["2 submissions, 2 new", "late: emmy (04-backprop)"]
    assert "p1.ipynb: no student in students.csv has this id, e-mail or name" in done.stdout
    assert done.stdout.splitlines()[-1] == "nothing in it from: jose, zoe"
