"""Check one learner's notebook, as continuous integration does: a line an exercise, JSON, JUnit's XML.

What is asked, and for how many points, the kit's own chapter says, whatever the learner's file says of it.
The answers run in the sandbox, as in grading, and nbgrader is not needed.
"""

import re
import secrets
from pathlib import Path
from xml.etree import ElementTree as ET

from fmkit._files import write_whole
from fmkit.chapters.find import chapters, find_chapter
from fmkit.course.chapter import Chapter, read_chapter
from fmkit.course.grading.grade import grade_submission
from fmkit.course.sandbox.process import DEFAULT, Limits
from fmkit.course.submission import Cell, read_bytes, read_cells
from fmkit.errors import ChapterError

SIGNS = {"ok": "✓", "undone": "–", "missing": "–"}
UNDONE = {"undone": "not done yet", "missing": "there is no answer"}


def check_notebook(
    path: Path, chapter: str | None = None, unsafe: bool = False, limits: Limits = DEFAULT
) -> dict:
    """Judge every exercise of a notebook.

    Parameters
    ----------
    path : Path
    chapter : str, optional
        Its number or name, where the notebook itself does not tell.
    unsafe : bool
        Without the sandbox.

    Returns
    -------
    dict
        As `fmkit.course.grading.grade` describes it, and ``right``: whether all answers are.

    Raises
    ------
    Unreadable
        The file cannot be read, or is not a notebook.
    ChapterError
        It is not one of the kit's chapters.
    SandboxError
        There is no sandbox.
    """
    data = read_bytes(path)
    notebook = find_chapter(chapter) if chapter else which_notebook(path.name, read_cells(data))
    seed = secrets.randbits(63)
    result = grade_submission(
        data, notebook, seed, chapter=notebook.stem, file=path.name, limits=limits, unsafe=unsafe
    )
    right = [entry["status"] == "ok" for entry in result["exercises"].values()]
    return result | {"right": all(right) and result["status"] == "graded"}


def which_notebook(name: str, cells: list[Cell]) -> Path:
    """The kit's chapter that these cells are of: the one they share most exercises with."""
    shared = {path: _shared(read_chapter(path), cells) for path in chapters()}
    best = max(shared, key=lambda path: (shared[path], path.stem in name))
    if not shared[best]:
        raise ChapterError(f"{name} holds no exercise of the kit's chapters; if it is one, say --chapter NN")
    return best


def _shared(chapter: Chapter, cells: list[Cell]) -> int:
    ids = {cell.grade_id for cell in cells} | {cell.id for cell in cells}
    source = "\n".join(cell.source for cell in cells if cell.kind == "code")
    called = re.findall(r"""\bcheck\(\s*["']([\w.]+)["']""", source)
    return sum(bool({a.check_id, a.answer_id} & ids) or a.exercise in called for a in chapter.asked)


def lines(result: dict) -> list[str]:
    """The result as a report: one line an exercise, then the sum."""
    found = list(result["exercises"].values())
    width = max((len(entry["exercise"]) for entry in found), default=0)
    report = [result["chapter"]]
    for entry in found:
        sign, points = SIGNS.get(entry["status"], "✗"), f"{entry['points']:g}/{entry['max_points']:g}"
        report.append(f"  {sign} {entry['exercise']:{width}}  {points:>5}  {_why(entry)}".rstrip())
    right = sum(entry["status"] == "ok" for entry in found)
    report.append(f"{right} of {len(found)} right, {result['score']:g} of {result['max_score']:g} points")
    if result["texts"]:
        report.append(f"Not judged here: free answers ({len(result['texts'])})")
    return report


def _why(entry: dict) -> str:
    """What is wrong with an answer, in one line."""
    if entry["status"] == "ok":
        return ""
    said = entry["misconception"] or entry["message"] or (entry["says"] or [""])[0]
    words = UNDONE.get(entry["status"]) or said or entry["status"]
    hint = entry["hint"] if entry["misconception"] else ""
    return " ".join(f"{words}. {hint}".split() if hint else words.split())


def write_junit(result: dict, path: Path) -> None:
    """Write the result as JUnit's XML, which GitHub, GitLab and Jenkins show: a test case an exercise."""
    found = list(result["exercises"].values())
    failed = [entry for entry in found if entry["status"] != "ok"]
    suite = ET.Element("testsuite", name=result["chapter"], time=f"{result['seconds']:.3f}")
    suite.set("tests", str(len(found)))
    suite.set("failures", str(len(failed)))
    suite.set("errors", "0")
    for entry in found:
        case = ET.SubElement(suite, "testcase", classname=result["chapter"], name=entry["exercise"])
        case.set("time", f"{entry['seconds']:.3f}")
        if entry["status"] != "ok":
            failure = ET.SubElement(case, "failure", type=entry["status"], message=_legal(_why(entry)))
            details = [*entry["says"], *(f"{label}: {text}" for label, text in entry["rows"])]
            failure.text = _legal("\n".join([_why(entry), *details]))
    write_whole(path, ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def write_junit_unread(name: str, reason: str, path: Path) -> None:
    """The same for a file that cannot be read: one case, an error."""
    suite = ET.Element("testsuite", name=_legal(name), tests="1", failures="0", errors="1")
    case = ET.SubElement(suite, "testcase", classname=_legal(name), name="the file can be read")
    ET.SubElement(case, "error", message=_legal(reason))
    write_whole(path, ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def _legal(text: str) -> str:
    """A learner's text without what XML cannot hold."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
