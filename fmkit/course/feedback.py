"""Feedback: one HTML page a student and chapter, without scripts, solutions or tests."""

import html
import re

from fmkit._files import write_whole
from fmkit.course import gradebook
from fmkit.course.collecting.collect import handed_in
from fmkit.course.grading import marking
from fmkit.course.layout import Course
from fmkit.course.roster import Student
from fmkit.errors import CourseError

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # no script runs, whatever got in
STYLE = """
:root { color-scheme: light dark; }
body { max-width: 46em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 sans-serif;
  color: #1d2733; background: #ffffff; overflow-wrap: anywhere; }
h1 { font-size: 1.6em; line-height: 1.25; margin-bottom: 0.2em; }
h2 { display: flex; justify-content: space-between; gap: 1em; font-size: 1.15em; margin: 2em 0 0.3em; }
.score { font-size: 1.15em; } .note { color: #4a5868; } .points { font-weight: normal; white-space: nowrap; }
summary { padding: 0.4em 0; cursor: pointer; }
pre { margin: 0.3em 0; padding: 0.7em 1em; font-size: 0.85em; line-height: 1.4; white-space: pre-wrap;
  background: #f2f4f7; }
blockquote { margin: 0.7em 0; padding: 0.3em 1em; border-left: 4px solid #17518f; white-space: pre-wrap; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e9ee; background: #15191e; } .note { color: #a9b5c1; } pre { background: #20262d; }
  blockquote { border-color: #7db4ea; }
}
"""
LONGEST = 20_000  # characters of an answer that are shown


def write_feedback(course: Course, chapter: str, student: str | None = None) -> list[str]:
    """Write the pages of a chapter; returns the students who have one.

    Raises
    ------
    CourseError
        When nothing has been graded.
    """
    results = marking.latest(course, chapter)
    if student is not None:
        results = {name: result for name, result in results.items() if name == student}
    if not results:
        whose = f" of {student}" if student else ""
        raise CourseError(f"{chapter}: nothing{whose} has been graded yet: `fmkit course grade` does it")
    grades, students = gradebook.grades(course, chapter), {s.id: s for s in course.students()}
    titles = text_titles(course, chapter)
    for name, result in results.items():
        text = page(course, students.get(name, Student(name)), result, grades.get(name), titles)
        path = course.notebook("feedback", chapter, name).with_suffix(".html")
        write_whole(path, text.encode("utf-8", "replace"))
    return sorted(results)


def text_titles(course: Course, chapter: str) -> dict[str, str]:
    """Free-text answer -> the last heading above it."""
    title, titles = "", {}
    texts = {id for id, _ in marking.asked(course, chapter).texts}
    for cell in gradebook.read_notebook(course.notebook("release", chapter)).cells:
        if cell.cell_type == "markdown" and (headings := re.findall(r"^#+ +(.+)$", cell.source, re.M)):
            title = headings[-1]
        if (id := marking.grade_id_of(cell)) in texts:
            titles[id] = title or id
    return titles


def page(course: Course, student: Student, result: dict, grade: dict | None, titles: dict[str, str]) -> str:
    """The page of one student; ``grade`` is what the gradebook says, with manual points and comments."""
    chapter = result["chapter"]
    score, most = (grade["score"], grade["max_score"]) if grade else (result["score"], result["max_score"])
    grade = grade or {"points": {}, "comments": {}, "waiting": set()}
    answers = marking.shown_answers(course, chapter, student.id)
    cells = {a.check_id: a.answer_id for a in marking.asked(course, chapter).asked}
    title = f"{html.escape(chapter)}: {html.escape(student.name)}"
    lines = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>',
        f"<body><main><h1>{title}</h1>",
        f'<p class="score"><strong>{score:g} of {most:g} points</strong></p>',
        *_remarks(course, student, result, grade),
    ]
    for check_id, entry in result["exercises"].items():
        answer = cells.get(check_id, check_id)
        lines += _exercise(check_id, entry, answers.get(answer), grade)
        lines += _comment(answer, grade)
    for grade_id, text in result["texts"].items():
        lines += _text(grade_id, titles.get(grade_id, grade_id), text, grade)
        lines += _comment(grade_id, grade)
    return "\n".join([*lines, "</main></body></html>"]) + "\n"


def _remarks(course, student, result, grade) -> list[str]:
    remarks = []
    when, late = handed_in(course, student.id, result["chapter"])
    if when:
        words = f"Handed in {when.astimezone():%Y-%m-%d %H:%M}{', after the deadline' if late else ''}."
        remarks.append(words)
    if result["status"] != "graded":
        remarks.append(f"Status: {result['status']}. {result['reason']}")
    if grade["waiting"]:
        remarks.append("Part of it is still to be read by a person.")
    return [f'<p class="note">{html.escape(remark)}</p>' for remark in remarks]


def _heading(title, points, most) -> str:
    words = f"{points:g} of {most:g}" if points is not None else f"to be read, {most:g} at most"
    return f'<h2><span>{html.escape(title)}</span> <span class="points">{words}</span></h2>'


def _exercise(check_id, entry, answer, grade) -> list[str]:
    points, most = grade["points"].get(check_id, (entry["points"], entry["max_points"]))
    card = marking.verdict_card(entry)._repr_html_().replace(' role="status"', "", 1)  # nothing here is live
    lines = [_heading(entry["title"], points, most), card]
    if entry["status"] not in ("missing", "undone") and answer:
        words = html.escape(answer[:LONGEST])
        lines.append(f"<details><summary>Your answer</summary><pre>{words}</pre></details>")
    return lines


def _text(grade_id, title, text, grade) -> list[str]:
    points, most = grade["points"].get(grade_id, (0, 0))
    words = html.escape(text[:LONGEST]) if text.strip() else "(no answer)"
    return [_heading(title, None if grade_id in grade["waiting"] else points, most), f"<pre>{words}</pre>"]


def _comment(grade_id, grade) -> list[str]:
    comment = grade["comments"].get(grade_id, "")
    if not comment:
        return []
    return [f"<blockquote><strong>Comment:</strong> {html.escape(comment)}</blockquote>"]
