"""Report: what a class got right, exercise by exercise, and the mistakes that were made most."""

from collections import Counter
from pathlib import Path

from fmkit.course import marking
from fmkit.course.layout import Course, CourseError


def rows(course: Course, chapter: str) -> list[dict]:
    """Each exercise of a chapter: how many answered and were right, and which misconceptions were met.

    Raises
    ------
    CourseError
        When nothing has been graded.
    """
    results = marking.latest(course, chapter).values()
    if not results:
        raise CourseError(f"{chapter}: nothing has been graded yet: `fmkit course grade` does it")
    found: dict[str, dict] = {}
    for result in results:
        for entry in result["exercises"].values():
            row = found.setdefault(
                entry["exercise"],
                {
                    "exercise": entry["exercise"],
                    "title": entry["title"],
                    "statuses": Counter(),
                    "mistakes": Counter(),
                },
            )
            row["statuses"][entry["status"]] += 1
            if entry["misconception"]:
                row["mistakes"][entry["misconception"]] += 1
    return list(found.values())


def lines(found: list[dict]) -> list[str]:
    """The report as plain lines for a terminal."""
    width = max(len(row["title"]) for row in found)
    out = []
    for row in found:
        total, right = sum(row["statuses"].values()), row["statuses"]["ok"]
        open_ = row["statuses"]["undone"] + row["statuses"]["missing"]
        out.append(f"{row['title']:<{width}}  {right:>4} of {total} right, {open_} not answered")
        out += [f"{'':<{width}}    {n:>2} x {name}" for name, n in row["mistakes"].most_common(3)]
    return out


def draw(found: list[dict], chapter: str, path: Path) -> Path:
    """The report as a picture: shares right, wrong and not answered, and the mistake made most."""
    from matplotlib.figure import Figure

    names = [row["title"] for row in found]
    fig = Figure(figsize=(10, 0.62 * len(found) + 1.5), layout="constrained")
    ax = fig.subplots()
    totals = [sum(row["statuses"].values()) for row in found]
    right = [row["statuses"]["ok"] / n for row, n in zip(found, totals, strict=True)]
    away = [
        (row["statuses"]["undone"] + row["statuses"]["missing"]) / n
        for row, n in zip(found, totals, strict=True)
    ]
    wrong = [1 - r - a for r, a in zip(right, away, strict=True)]
    left = [0.0] * len(found)
    for shares, label, colour in [
        (right, "right", "#0072B2"),
        (wrong, "wrong", "#D55E00"),
        (away, "not answered", "#cccccc"),
    ]:
        ax.barh(names, shares, left=left, label=label, color=colour)
        left = [a + b for a, b in zip(left, shares, strict=True)]
    for i, row in enumerate(found):
        for name, n in row["mistakes"].most_common(1):
            words = f"{n} x {name}"
            ax.text(1.01, i, words if len(words) < 58 else words[:55] + " ...", va="center", fontsize=9)
    ax.set(xlim=(0, 1), xlabel="share of the submissions")
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.invert_yaxis()
    worst = min(zip(right, names, strict=True))
    ax.set_title(f"{chapter}: hardest was “{worst[1]}”, {worst[0]:.0%} right", loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1 - 0.3 / len(found)), ncols=3, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=110, bbox_inches="tight")
    return path
