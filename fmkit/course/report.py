"""Report: what a class got right, exercise by exercise, and its most frequent mistakes."""

import textwrap
from collections import Counter
from pathlib import Path

from fmkit._files import write_whole
from fmkit.course.grading import marking
from fmkit.course.layout import Course
from fmkit.course.marks import marks
from fmkit.course.minutes import NOTHING, Shared, shared
from fmkit.errors import CourseError

COLOURS = {"right": "#0072B2", "wrong": "#D55E00", "not answered": "#cccccc"}


def rows(course: Course, chapter: str, students: set[str] | None = None) -> list[dict]:
    """Each exercise of a chapter, in its order: how many were right, and which misconceptions were met.

    Parameters
    ----------
    students : set of str, optional
        Only these.

    Returns
    -------
    list of dict
        ``exercise``, ``check_id``, ``title``, ``right``, ``wrong``, ``not answered`` (numbers of students, of
        a team each with what counts for the team) and ``mistakes`` (a Counter of misconceptions).

    Raises
    ------
    CourseError
        When nothing has been graded, or nothing of it by a check.
    """
    theirs = marks(course, chapter)
    results = [mark.result for id, mark in theirs.items() if students is None or id in students]
    results = [result for result in results if result]
    if not results:
        raise CourseError(f"{chapter}: nothing has been graded yet: run `fmkit course grade`")
    found: dict[str, dict] = {}
    for asked in marking.asked(course, chapter).asked:
        entries = [r["exercises"][asked.check_id] for r in results if asked.check_id in r["exercises"]]
        if not entries:
            continue
        statuses = Counter(entry["status"] for entry in entries)
        away = statuses["undone"] + statuses["missing"]
        found[asked.check_id] = {
            "exercise": asked.exercise,
            "check_id": asked.check_id,
            "title": entries[-1]["title"],
            "right": statuses["ok"],
            "wrong": len(entries) - statuses["ok"] - away,
            "not answered": away,
            "mistakes": Counter(name for entry in entries for name in _mistakes(entry)),
        }
    if not found:
        raise CourseError(f"{chapter}: no check grades any of it, so there is nothing to report")
    return list(found.values())


def minutes(course: Course, chapter: str, students: set[str] | None = None) -> Shared:
    """What these students, or all, share of the minutes that a chapter's exercises took."""
    theirs = marks(course, chapter)
    whose = sorted({mark.by for id, mark in theirs.items() if students is None or id in students})
    paths = [course.notebook("submitted", chapter, id) for id in whose]
    return shared(paths, [asked.exercise for asked in marking.asked(course, chapter).asked])


def _mistakes(entry) -> list[str]:
    """The known mistakes in an answer, each by itself; "as if ..." where it is like none of them."""
    return entry.get("known") or [entry["misconception"]] * bool(entry["misconception"])


def lines(found: list[dict], time: Shared = NOTHING) -> list[str]:
    """The report as a table of plain lines for a terminal."""
    width = max(len(row["title"]) for row in found)
    out = [f"{'':<{width}}  right  wrong  not answered" + "  minutes" * bool(time.medians)]
    for row in found:
        line = f"{row['title']:<{width}}  {row['right']:>5}  {row['wrong']:>5}  {row['not answered']:>12}"
        if row["exercise"] in time.medians:
            line += f"  {time.medians[row['exercise']]:>7.0f}"
        out.append(line)
        out += [f"    {n} x {name}" for name, n in row["mistakes"].most_common(3)]
    return out + time.lines()


def draw(found: list[dict], chapter: str, path: Path, time: Shared = NOTHING) -> Path:
    """The report as a picture: shares right, wrong and not answered, the most frequent mistakes, and how
    many minutes it took those who share them."""
    import io

    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 0.78 * len(found) + 1.6), layout="constrained")
    ax = fig.subplots()
    titles = [textwrap.fill(row["title"], 32) for row in found]
    for at, row in enumerate(found):
        if row["exercise"] in time.medians:
            titles[at] += f"\n{time.medians[row['exercise']]:.0f} min"
    totals = [sum(row[what] for what in COLOURS) for row in found]
    left = [0.0] * len(found)
    for what, colour in COLOURS.items():
        shares = [row[what] / total for row, total in zip(found, totals, strict=True)]
        ax.barh(range(len(found)), shares, height=0.42, left=left, label=what, color=colour)
        left = [a + b for a, b in zip(left, shares, strict=True)]
    for i, row in enumerate(found):
        words = "; ".join(f"{n} × {name}" for name, n in row["mistakes"].most_common(2))
        ax.text(
            0,
            i + 0.37,
            textwrap.shorten(words, 95, placeholder=" ..."),
            va="center",
            fontsize=8.5,
            parse_math=False,
        )
    ax.set(xlim=(0, 1), ylim=(len(found) - 0.4, -0.5), xlabel="share of the students who handed in")
    ax.set_yticks(range(len(found)), titles)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.spines[["top", "right", "left"]].set_visible(False)
    share, hardest = min((row["right"] / n, row["title"]) for row, n in zip(found, totals, strict=True))
    many = f"{max(totals)} student{'' if max(totals) == 1 else 's'}"
    title = f"{chapter}, {many}: hardest was “{hardest}”, {share:.0%} right"
    fig.suptitle(textwrap.fill(title, 88), x=0.01, ha="left", fontsize=12, parse_math=False)
    fig.legend(loc="outside lower center", ncols=3, frameon=False)
    picture = io.BytesIO()
    fig.savefig(picture, dpi=110, format="png")
    write_whole(path, picture.getvalue())
    return path
