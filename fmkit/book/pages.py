"""The pages of the book that are made from data: home, map, glossary, agreement table, kill table."""

import csv
import html
import json
import re
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from fmkit.book.build import DATA
from fmkit.chapters.find import chapters_in
from fmkit.chapters.read import read_file
from fmkit.twins.case import tolerance

HERE = files("fmkit.book")


def add_pages(book: dict, root: Path) -> None:
    """Put the made pages into mdBook's book: home in front, the others behind the chapters."""
    chapters = read_chapters(root)
    home = _page("fmkit", "index.md", home_page(chapters))
    tables = [
        _page("Map of the chapters", "map.md", map_page(chapters)),
        _page("Glossary", "glossary.md", glossary_page(chapters)),
        _page("What agrees with what", "agreement.md", agreement_page(_data(root, "agreement"))),
        _page("Known mistakes", "mistakes.md", kill_page(_data(root, "kill_table"), chapters)),
    ]
    book["items"] = [home, *book["items"], {"PartTitle": "Tables"}, *tables]


def _page(name: str, path: str, content: str) -> dict:
    chapter = {"name": name, "content": content, "number": None, "sub_items": [], "path": path}
    return {"Chapter": chapter | {"source_path": None, "parent_names": []}}


def _data(root: Path, name: str):
    return json.loads((root / DATA / f"{name}.json").read_text("utf-8"))


def read_chapters(root: Path) -> list[dict]:
    """Number, title, page, first paragraph, minutes and needed chapters of each notebook, in order."""
    found = []
    for path in chapters_in(root / "notebooks"):
        cells = read_file(path)["cells"]
        texts = [c["source"] for c in cells[:4] if c["cell_type"] == "markdown"] or [path.stem]
        text = "\n\n".join(texts)
        title, _, rest = texts[0].partition("\n")
        builds_on = re.search(r"builds on\*\*(.*?)\n\n", text + "\n\n", re.S)
        needs = re.findall(r"\d+", builds_on[1].split(". ")[0]) if builds_on else []
        minutes = re.search(r"\*\*Time:\*\*\D*(\d+) minutes|[Ii]n (ten) minutes", text)
        number = path.stem[:2]
        found.append(
            {
                "number": number,
                "title": re.sub(r"^# (\d+ · )?", "", title),
                "page": f"{path.stem}.html",
                "about": rest.strip().split("\n\n")[0].replace("\n", " "),
                "minutes": minutes and (minutes[1] or "10"),
                "needs": [n for n in dict.fromkeys(n.zfill(2) for n in needs) if n < number],
            }
        )
    return found


def home_page(chapters: list[dict]) -> str:
    """The first page: what this is, how to start, the chapters as cards."""
    cards = "\n".join(
        f'<li><a href="{c["page"]}"><span class="number">{c["number"]}</span> {html.escape(c["title"])}</a>'
        f"<p>{_plain(c['about'])}</p></li>"
        for c in chapters
    )
    text = (HERE / "home.md").read_text("utf-8")
    return text.replace("CHAPTERS", f'<ul class="cards">\n{cards}\n</ul>')


def _plain(markdown: str) -> str:
    return html.escape(re.sub(r"[*`$]|\[([^\]]*)\]\([^)]*\)", r"\1", markdown), quote=False)


# --- map ----------------------------------------------------------------------------------------------------


def map_page(chapters: list[dict]) -> str:
    """Who needs what: a drawing, and the same as a table."""
    lines = [
        "# Map of the chapters",
        "An arc leads from a chapter to each later one that builds on it. Read from the left to the right, "
        "or start where you know what lies to the left.",
        map_drawing(chapters),
        "| no. | chapter | builds on | minutes to read |\n| --- | --- | --- | ---: |\n"
        + "\n".join(_map_row(c) for c in chapters),
    ]
    return "\n\n".join(lines) + "\n"


def _map_row(c: dict) -> str:
    needs = ", ".join(c["needs"]) or "–"
    return f"| {c['number']} | [{c['title']}]({c['page']}) | {needs} | {c['minutes'] or ''} |"


def map_drawing(chapters: list[dict]) -> str:
    """The chapters in a row, with an arc for each need, as SVG; colours are the page's own."""
    step = 66
    at = {c["number"]: 40 + step * i for i, c in enumerate(chapters)}
    longest = max((at[c["number"]] - at[n] for c in chapters for n in c["needs"] if n in at), default=step)
    base = 34 + round(0.27 * longest)  # a curve reaches three quarters of the height of its handles
    arcs = [
        f'<path d="M {at[n]} {base - 18} C {at[n]} {base - 18 - h}, {at[c["number"]]} {base - 18 - h}, '
        f'{at[c["number"]]} {base - 18}"/>'
        for c in chapters
        for n in c["needs"]
        if n in at
        for h in [0.36 * (at[c["number"]] - at[n]) + 8]
    ]
    dots = [
        f'<circle cx="{x}" cy="{base}" r="17"/><text x="{x}" y="{base + 5}">{c["number"]}</text>'
        for c in chapters
        for x in [at[c["number"]]]
    ]
    size = f'viewBox="0 0 {80 + step * (len(chapters) - 1)} {base + 30}"'
    label = "Chapters in a row; arcs lead from each to those that build on it. The table below says the same."
    return (
        f'<svg class="map" {size} role="img" aria-label="{label}"><g>{"".join(arcs)}</g>{"".join(dots)}</svg>'
    )


# --- tables -------------------------------------------------------------------------------------------------


def read_glossary() -> list[dict]:
    """The terms: English, Chinese, chapter, meaning, in alphabetical order."""
    with (HERE / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["term"].lower())


def glossary_page(chapters: list[dict]) -> str:
    """Terms of the field in English and Chinese, each with the chapter that introduces it."""
    pages = {c["number"]: c["page"] for c in chapters}
    lines = ["# Glossary", "The words of the field, in English and Chinese, and where each is introduced."]
    for letter, group in groupby(read_glossary(), key=lambda row: row["term"][0].upper()):
        lines += [f"## {letter}", "\n".join(_glossary_line(row, pages) for row in group)]
    return "\n\n".join(lines) + "\n"


def _glossary_line(row: dict, pages: dict[str, str]) -> str:
    number = row["chapter"]
    where = f"[chapter {number}]({pages[number]})" if number in pages else f"chapter {number}"
    return f'- **{row["term"]}** <span lang="zh">{row["chinese"]}</span>: {row["meaning"]} ({where})'


def agreement_page(report: dict) -> str:
    """The table of `fmkit crosscheck`."""
    columns = list(dict.fromkeys(name for case in report["cases"] for name in case["errors"]))
    columns = [name for name in columns if "float32" not in name or name == "float32"]
    allowed = " | ".join(f"{tolerance(name):.0e}" for name in columns)
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    head = f"| operation | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}"
    rows = [head, f"| *allowed* | {allowed} |", *(_agreement_row(case, columns) for case in report["cases"])]
    without = f" No column for a GPU: {report['left_out']}." if report.get("left_out") else ""
    lines = [
        "# What agrees with what",
        "Every operation of the kit exists more than once: as a plain loop, in NumPy with a backward written "
        "by hand, and in PyTorch. Each row compares them on random inputs, values and all gradients, and "
        "shows the largest difference found, relative to the largest entry. `fmkit crosscheck` makes this "
        "table on your machine.",
        '<div class="agreement">',
        "\n".join(rows),
        "</div>",
        f"Made with {versions}.{without}",
    ]
    return "\n\n".join(lines) + "\n"


def _agreement_row(case: dict, columns: list[str]) -> str:
    def cell(name):
        error = case["errors"].get(name)
        return "–" if error is None else "0" if error == 0 else f"{error:.0e}"

    return f"| `{case['name']}` | {' | '.join(cell(name) for name in columns)} |"


def kill_page(rows: list[dict], chapters: list[dict]) -> str:
    """The kill table: each exercise's known mistakes, each rejected and named."""
    titles = {c["number"]: f"[{c['title']}]({c['page']})" for c in chapters}
    parts = {chapter: list(found) for chapter, found in groupby(rows, key=lambda row: row["chapter"])}
    table = [f"| {n} | {titles.get(n, '')} | {_kill_counts(found)} |" for n, found in parts.items()]
    lines = [
        "# Known mistakes",
        "What makes a check fair? Each exercise carries the wrong answers that learners give, and right "
        "answers written in different ways. A check must reject each wrong one *and call it by its name* and "
        "accept each right one. This page is made by running them all; `fmkit exercises` does it on your "
        "machine.",
        "| no. | chapter | exercises | mistakes rejected and named | right answers accepted |\n"
        "| --- | --- | ---: | ---: | ---: |\n" + "\n".join(table) + f"\n| | **all** | {_kill_counts(rows)} |",
    ]
    for chapter, group in parts.items():
        lines.append(f"## Chapter {chapter}")
        for id, found in groupby(group, key=lambda row: row["exercise"]):
            lines.append(_kill_exercise(id, list(found)))
    return "\n\n".join(lines) + "\n"


def _kill_counts(rows: list[dict]) -> str:
    """Three cells of the table: exercises, mistakes named, right answers accepted."""
    proven = {kind: [row["is_proven"] for row in rows if row["is_wrong"] is kind] for kind in (True, False)}
    counts = [f"{sum(found)} of {len(found)}" for found in proven.values()]
    return " | ".join([str(len({row["exercise"] for row in rows})), *counts])


def _kill_exercise(id: str, rows: list[dict]) -> str:
    mistakes = "".join(
        f"<li>{'✓' if row['is_proven'] else '✗ not named:'} {html.escape(row['answer'])}</li>"
        for row in rows
        if row["is_wrong"]
    )
    right = [row for row in rows if not row["is_wrong"]]
    accepted = f"{sum(row['is_proven'] for row in right)} of {len(right)} right answers accepted"
    return (
        f"### {html.escape(rows[0]['title'])}\n\n<code>{id}</code> · {accepted}\n\n"
        f'<ul class="kills">{mistakes}</ul>'
    )
