"""Feedback: one HTML page a student and chapter, without scripts, solutions or tests."""

import html

from fmkit.course import gradebook, marking
from fmkit.course.collect import handed_in
from fmkit.course.layout import Course, CourseError, Student

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # no script runs, whatever got in
STYLE = """
body { max-width: 50em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 sans-serif; color: #1d2733; }
h1 { font-size: 1.6em; margin-bottom: 0.2em; } h2 { font-size: 1.15em; margin: 2em 0 0.3em; }
.score { font-size: 1.15em; } .note { color: #4a5868; }
pre { padding: 0.7em 1em; overflow-x: auto; font-size: 0.85em; line-height: 1.4; background: #f4f6f8; }
blockquote { margin: 0.5em 0; padding: 0.3em 1em; border-left: 4px solid #17518f; white-space: pre-wrap; }
.points { float: right; font-weight: normal; }
"""


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
        raise CourseError(f"{chapter}: nothing has been graded yet: `fmkit course grade` does it")
    grades = gradebook.grades(course, chapter)
    students = {s.id: s for s in course.students()}
    for name, result in results.items():
        text = page(course, students.get(name, Student(name)), result, grades.get(name))
        path = course.notebook("feedback", chapter, name).with_suffix(".html")
        gradebook.write_whole(path, text.encode("utf-8", "replace"))
    return sorted(results)


def page(course: Course, student: Student, result: dict, grade: dict | None) -> str:
    """The page of one student; ``grade`` is what the gradebook says, with manual points and comments."""
    chapter = result["chapter"]
    score, most = (grade["score"], grade["max_score"]) if grade else (result["score"], result["max_score"])
    answers = marking.answer_sources(course, chapter, student.id)
    title = f"{html.escape(chapter)}: {html.escape(student.name)}"
    lines = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>',
        f"<h1>{title}</h1>",
        f'<p class="score"><strong>{score:g} of {most:g} points</strong></p>',
        *_remarks(course, student, result, grade),
    ]
    for check_id, entry in result["exercises"].items():
        lines += _exercise(check_id, entry, answers.get(check_id), grade)
    for grade_id, text in result["texts"].items():
        lines += _text(grade_id, text, grade)
    return "\n".join([*lines, "</body></html>"]) + "\n"


def _remarks(course, student, result, grade) -> list[str]:
    remarks = []
    when, late = handed_in(course, student.id, result["chapter"])
    if when:
        words = f"Handed in {when.astimezone():%Y-%m-%d %H:%M}{', after the deadline' if late else ''}."
        remarks.append(words)
    if result["status"] != "graded":
        remarks.append(f"Status: {result['status']}. {result['reason']}")
    if grade and grade["waiting"]:
        remarks.append("Part of it is still to be read by a person.")
    return [f'<p class="note">{html.escape(remark)}</p>' for remark in remarks]


def _exercise(check_id, entry, answer, grade) -> list[str]:
    points, most = (grade or {}).get("points", {}).get(check_id, (entry["points"], entry["max_points"]))
    lines = [
        f'<h2>{html.escape(entry["title"])} <span class="points">{points:g} of {most:g}</span></h2>',
        marking.verdict_card(entry)._repr_html_(),
    ]
    lines += _comment(check_id.removesuffix("-check"), grade)
    if answer is not None:
        lines.append(
            f"<details><summary>Your answer</summary><pre>{html.escape(answer[:20_000])}</pre></details>"
        )
    return lines


def _text(grade_id, text, grade) -> list[str]:
    points, most = (grade or {}).get("points", {}).get(grade_id, (0, 0))
    words = html.escape(text[:20_000]) or "(no answer)"
    head = f'<h2>{html.escape(grade_id)} <span class="points">{points:g} of {most:g}</span></h2>'
    return [head, f"<pre>{words}</pre>", *_comment(grade_id, grade)]


def _comment(grade_id, grade) -> list[str]:
    comment = (grade or {}).get("comments", {}).get(grade_id, "")
    return [f"<blockquote>{html.escape(comment)}</blockquote>"] if comment else []
