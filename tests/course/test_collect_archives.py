"""Archives that students pack, inside the LMS's: opened within limits, or named; nothing goes astray."""

import bz2
import gzip
import io
import tarfile
import zipfile

import pytest
from helpers import courses

from fmkit.course.collecting import incoming
from fmkit.course.collecting.collect import collect, read_tries

CHAPTER = courses.CHAPTER


@pytest.fixture
def course(tmp_path):
    return courses.make(tmp_path / "course")


def nb(words):
    return courses.data(courses.solved(why=words))


def take(course, tmp_path, entries):
    (tmp_path / "in.zip").write_bytes(courses.zipped(entries))
    return collect(course, tmp_path / "in.zip")


def counts(course, student):
    return course.notebook("submitted", CHAPTER, student).read_bytes()


def tarred(entries, pack=lambda data: data):
    """A tar archive of name -> bytes, or name -> a type of entry with another one's name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    return pack(out.getvalue())


def deflated(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def all_files(tmp_path):
    return {path for path in tmp_path.rglob("*") if path.is_file()}


# --- archives in archives -----------------------------------------------------------------------------------


def test_an_archive_in_an_archive_is_opened(course, tmp_path):
    inner = courses.zipped({"work/x.ipynb": nb("ada")})
    found = take(course, tmp_path, {"ada/all.zip": courses.zipped({"hw.zip": inner, "data.csv": b"1"})})
    assert found.notes == [] and counts(course, "ada") == nb("ada")
    assert read_tries(course, "ada", CHAPTER)[0].source == "ada/all.zip/hw.zip/work/x.ipynb"


def test_one_beside_a_notebook_is_opened_too(course, tmp_path):
    inner = courses.zipped({"x.ipynb": nb("inner")})
    found = take(course, tmp_path, {"ada/all.zip": courses.zipped({"hw.zip": inner, "x.ipynb": nb("outer")})})
    assert len(read_tries(course, "ada", CHAPTER)) == 2
    assert "ada/all.zip/" in found.notes[0] and " counts, and not ada/all.zip/" in found.notes[0]


def test_too_many_inside_each_other_are_named(course, tmp_path):
    packed = courses.zipped({"x.ipynb": nb("ada")})
    for level in range(incoming.MAX_NESTED):
        packed = courses.zipped({f"{level}.zip": packed})
    (note, *_) = take(course, tmp_path, {"ada/all.zip": packed, "emmy.ipynb": nb("emmy")}).notes
    assert note == "ada/all.zip/2.zip/1.zip/0.zip: more than 3 archives inside each other; kept as it is"
    assert counts(course, "emmy") == nb("emmy") and counts(course, "ada").startswith(b"PK")


def test_limits_hold_for_all_of_a_students_archive_together(course, tmp_path, monkeypatch):
    monkeypatch.setattr(incoming, "MAX_INSIDE", 10)
    many = {f"{k}.zip": courses.zipped({f"{j}.ipynb": nb(f"{k} {j}") for j in range(4)}) for k in range(4)}
    found = take(course, tmp_path, {"ada/all.zip": courses.zipped(many)})
    assert sum("it holds 4 files; kept as it is" in note for note in found.notes) == 3
    monkeypatch.setattr(incoming, "MAX_INSIDE", 1000)
    monkeypatch.setattr(incoming, "MAX_BYTES", 20 * len(nb("0 0")))
    bomb = deflated({f"{k}.zip": deflated({"x.ipynb": bytes(1 << 20)}) for k in range(50)})
    found = take(course, tmp_path, {"emmy/all.zip": bomb, "jose.ipynb": nb("jose")})
    assert sum("it unpacks to more than" in note for note in found.notes) >= 50
    assert counts(course, "jose") == nb("jose")


def test_the_archive_around_is_not_read_anew_for_each_one_in_it(course, tmp_path, monkeypatch):
    inside = {f"{k}.zip": courses.zipped({"x.ipynb": nb(str(k))}) for k in range(9)}
    (tmp_path / "in.zip").write_bytes(courses.zipped({"ada/work.zip": courses.zipped(inside)}))
    opened, true = [], zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda *args: opened.append(1) or true(*args))
    collect(course, tmp_path / "in.zip")
    assert len(opened) < 3 + 2 * 9, "the LMS's, the student's, and each one in it: listed, then read"


# --- other kinds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pack"), [("w.tar.gz", gzip.compress), ("W.TGZ", gzip.compress), ("w.tar", lambda data: data)]
)
def test_a_tar_archive_is_opened(course, tmp_path, name, pack):
    packed = tarred({"./work/x.ipynb": nb("ada"), "./work/data.csv": b"1"}, pack)
    found = take(
        course, tmp_path, {f"ada/{name}": packed, "emmy.tar.gz": tarred({"p.ipynb": nb("e")}, gzip.compress)}
    )
    assert found.notes == [] and counts(course, "ada") == nb("ada") and counts(course, "emmy") == nb("e")
    assert read_tries(course, "ada", CHAPTER)[0].source == f"ada/{name}/work/x.ipynb"


def test_links_and_paths_in_a_tar_archive_lead_nowhere(course, tmp_path):
    before = all_files(tmp_path)
    packed = tarred(
        {
            "link.ipynb": (tarfile.SYMTYPE, "/etc/passwd"),
            "hard.ipynb": (tarfile.LNKTYPE, "../../../secret"),
            "dev.ipynb": (tarfile.CHRTYPE, ""),
            "../../emmy/hw.ipynb": nb("climbs"),
            "/tmp/abs.ipynb": nb("absolute"),
        },
        gzip.compress,
    )
    found = take(course, tmp_path, {"ada/w.tar.gz": packed})
    text = "\n".join(found.notes)
    assert text.count("a link or special file; left out") == 3
    assert (
        "ada/w.tar.gz/../../emmy/hw.ipynb: its path leads out of the archive; taken for a file in it" in text
    )
    assert list(found.counted) == [("ada", CHAPTER)] and len(read_tries(course, "ada", CHAPTER)) == 2
    new = {path for path in all_files(tmp_path) - before if path.name != "in.zip"}
    assert all(path.is_relative_to(course.root) for path in new)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: gzip.compress(bytes(1 << 20)), "it unpacks to more than 0 MB"),
        (lambda: gzip.compress(b"no tar"), "damaged ("),
        (lambda: gzip.compress(tarred({"x.ipynb": b"1"}))[:60], "damaged ("),
        (lambda: b"Rar!\x1a\x07\x00", "it is a RAR archive"),
        (lambda: b"%PDF-1.4", "it is a PDF"),
        (lambda: b"", "damaged ("),
        (lambda: tarred({}), "there is nothing in it"),
    ],
)
def test_a_tar_archive_that_cannot_be_opened_is_named(course, tmp_path, monkeypatch, data, words):
    monkeypatch.setattr(incoming, "MAX_BYTES", 1 << 19)
    found = take(course, tmp_path, {"ada/w.tar.gz": data(), "emmy.ipynb": nb("emmy")})
    assert found.notes[0].startswith(f"ada/w.tar.gz: {words}") and found.notes[0].endswith("; kept as it is")
    assert counts(course, "emmy") == nb("emmy")


def test_a_tar_archive_of_too_many_entries_is_named(course, tmp_path, monkeypatch):
    monkeypatch.setattr(incoming, "MAX_ENTRIES", 20)
    packed = tarred({f"{k}.txt": b"" for k in range(30)}, gzip.compress)
    assert take(course, tmp_path, {"ada/w.tgz": packed}).notes[0] == (
        "ada/w.tgz: it holds too many files; kept as it is"
    )


@pytest.mark.parametrize("name", ["w.rar", "w.7z", "w.tar.bz2", "w.tar.xz", "hw.ipynb.gz"])
def test_kinds_that_are_not_opened_are_named(course, tmp_path, name):
    note = f"ada/{name}: an archive of a kind that is not opened; ask for a zip"
    assert take(course, tmp_path, {f"ada/{name}": b"7z\xbc\xaf"}).notes[0] == note
    beside = {f"ada/{name}": b"7z\xbc\xaf", "ada/x.ipynb": nb("ada")}
    assert note in take(course, tmp_path, beside).notes, "also beside a notebook"
    packed = courses.zipped({name: b"7z\xbc\xaf", "x.ipynb": nb("emmy")})
    assert f"emmy/w.zip/{name}: an archive of a kind that is not opened; ask for a zip" in "\n".join(
        take(course, tmp_path, {"emmy/w.zip": packed}).notes
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.4", "it is a PDF"),
        (b"Rar!\x1a\x07", "it is a RAR archive"),
        (bz2.compress(b"x"), "it is a bzip2 archive"),
        (courses.zipped({"word/document.xml": b"<w/>"}), "it is a Word document"),
        (courses.zipped({"xl/workbook.xml": b"<w/>"}), "it is an Excel workbook"),
        (courses.zipped({"a.txt": b""}), "it is a zip archive"),
        (b"\x89PNG\r\n\x1a\n", "it is a picture"),
        (b"<!doctype html>", "it is a web page"),
        (b"import numpy as np\n", "it is not JSON"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "it is a document of an older Word, Excel or PowerPoint"),
    ],
)
def test_what_is_no_notebook_is_told_at_once_and_without_the_parsers_words(course, tmp_path, data, words):
    found = take(course, tmp_path, {"ada/hw.ipynb": data})
    assert found.notes == [f"ada/hw.ipynb: the file is not a notebook: {words}"]


@pytest.mark.parametrize("at", [0, 3])
def test_a_merge_that_was_never_finished_is_said(course, tmp_path, at):
    lines = nb("ada").decode().splitlines()
    conflict = ["<<<<<<< HEAD", ' "a": 1,', "=======", ' "a": 2,', ">>>>>>> origin/main"]
    data = "\r\n".join([*lines[:at], *conflict, *lines[at:]]).encode()
    (note,) = take(course, tmp_path, {"ada/hw.ipynb": data}).notes
    assert note == (
        "ada/hw.ipynb: the file is not a notebook: two versions in it were never merged "
        f"(git's mark <<<<<<< in line {at + 1})"
    )


def test_signs_of_a_merge_in_a_text_are_none(course, tmp_path):
    found = take(course, tmp_path, {"ada/hw.ipynb": nb("<<<<<<< HEAD\n=======\n")})
    assert found.notes == []


# --- paths that climb ---------------------------------------------------------------------------------------


def test_a_path_that_climbs_in_a_students_archive_is_theirs_and_named(course, tmp_path):
    before = all_files(tmp_path)
    packed = courses.zipped({"../../emmy/hw.ipynb": nb("climbs")})
    found = take(course, tmp_path, {"ada/w.zip": packed, "emmy/hw.ipynb": nb("emmy")})
    words = "its path leads out of the archive; taken for a file in it"
    assert found.notes == [f"ada/w.zip/../../emmy/hw.ipynb: {words}"]
    assert counts(course, "ada") == nb("climbs") and counts(course, "emmy") == nb("emmy")
    assert all(p.is_relative_to(course.root) or p.name == "in.zip" for p in all_files(tmp_path) - before)


def test_one_in_the_lmss_own_archive_is_nobodys_and_named(course, tmp_path):
    entries = {"../../emmy/hw.ipynb": nb("climbs"), "HW/ada.ipynb": nb("ada"), "HW/zoe.ipynb": nb("zoe")}
    found = take(course, tmp_path, entries)
    assert {student for student, _ in found.counted} == {"ada", "zoe"}, "the others lie where they lie"
    (note,) = found.notes
    assert note.startswith("../../emmy/hw.ipynb: its path leads out of the archive; kept as tries/_nobody/")
    (kept,) = (course.root / "tries" / "_nobody").iterdir()
    assert kept.read_bytes() == nb("climbs")


@pytest.mark.parametrize("name", [".", "..", "../..", "./..", "/.."])
def test_names_that_are_none_stop_nobody(course, tmp_path, name):
    packed = courses.zipped({name: nb("odd"), "x.ipynb": nb("ada")})
    found = take(course, tmp_path, {name: nb("odd"), "ada/w.zip": packed, "emmy.ipynb": nb("emmy")})
    assert {student for student, _ in found.counted} == {"ada", "emmy"}
    assert counts(course, "ada") == nb("ada")
