"""The pages of the book that are made from data: home, map, glossary, tables, sources."""

import csv
import json
import re
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from markupsafe import Markup, escape

from fmkit._templates import render
from fmkit.book.build import DATA
from fmkit.chapters.find import chapters_in
from fmkit.chapters.read import anchor, read_file
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
        _page("Known mistakes", "mistakes.md", _mistakes_page(root, chapters)),
        _page("The articles behind this course", "sources.md", sources_page(chapters)),
    ]
    book["items"] = [home, *book["items"], {"PartTitle": "Tables"}, *tables]


def _page(name: str, path: str, content: str) -> dict:
    chapter = {"name": name, "content": content, "number": None, "sub_items": [], "path": path}
    return {"Chapter": chapter | {"source_path": None, "parent_names": []}}


def _data(root: Path, name: str):
    return json.loads((root / DATA / f"{name}.json").read_text("utf-8"))


def read_chapters(root: Path) -> list[dict]:
    """Number, title, page, first paragraph, minutes, headings and needed chapters of each notebook."""
    found = []
    for path in chapters_in(root / "notebooks"):
        cells = read_file(path)["cells"]
        texts = [c["source"] for c in cells[:4] if c["cell_type"] == "markdown"] or [path.stem]
        text = "\n\n".join(texts)
        title, _, rest = texts[0].partition("\n")
        builds_on = re.search(r"builds on\*\*(.*?)\n\n", text + "\n\n", re.S)
        minutes = re.search(r"\*\*Time:\*\*\D*(\d+) minutes|[Ii]n (ten) minutes", text)
        number = path.stem[:2]
        found.append(
            {
                "number": number,
                "title": re.sub(r"^# (\d+ · )?", "", title),
                "page": f"{path.stem}.html",
                "about": rest.strip().split("\n\n")[0].replace("\n", " "),
                "minutes": minutes and (minutes[1] or "10"),
                "headings": _headings(cells, f"{path.stem}.html"),
                "needs": _needs(builds_on[1], number) if builds_on else [],
            }
        )
    return found


def _needs(text: str, number: str) -> list[str]:
    """The chapters before this one in ``"chapters 3 to 5 (losses) and 7"``: ``["03", "04", "05", "07"]``."""
    ranges = re.findall(r"\b(\d+)(?: to (\d+))?\b", text.split(". ")[0])
    found = {n for first, last in ranges for n in range(int(first), int(last or first) + 1)}
    return [f"{n:02}" for n in sorted(found) if n < int(number)]


def _headings(cells: list[dict], page: str) -> dict[str, dict]:
    """Title and link of each section and exercise by its number: ``"3"``, ``"Exercise 4.2"``."""
    text = "\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")
    # the effort in brackets is no part of an exercise's heading in the book
    found = re.findall(r"^##+ (((?:Exercise [\d.]+)|\d+) · (.+?))(?: \(difficulty .*)?$", text, re.M)
    return {number: {"title": title, "link": f"{page}#{anchor(all)}"} for all, number, title in found}


def home_page(chapters: list[dict]) -> str:
    """The first page: what this is, how to start, the chapters as cards."""
    return render("book", "home.md", chapters=[c | {"about": _plain(c["about"])} for c in chapters])


def _plain(markdown: str) -> str:
    return re.sub(r"[*`$]|\[([^\]]*)\]\([^)]*\)", r"\1", markdown)


def map_page(chapters: list[dict]) -> str:
    """Which chapter builds on which: a drawing with an arc for each, and the same as a table."""
    step = 66
    at = {c["number"]: 40 + step * i for i, c in enumerate(chapters)}
    needs = [(at[n], at[c["number"]]) for c in chapters for n in c["needs"] if n in at]
    base = 34 + round(0.27 * max((end - begin for begin, end in needs), default=step))
    foot = base - 18
    arcs = [
        # a curve reaches three quarters of the height of its handles
        {"begin": begin, "end": end, "foot": foot, "top": foot - (0.36 * (end - begin) + 8)}
        for begin, end in needs
    ]
    return render(
        "book",
        "map.md",
        chapters=chapters,
        arcs=arcs,
        dots=[{"number": number, "x": x} for number, x in at.items()],
        base=base,
        width=80 + step * (len(chapters) - 1),
        height=base + 30,
    )


def read_glossary() -> list[dict]:
    """The terms: English, Chinese, chapter, meaning, in alphabetical order."""
    with (HERE / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["term"].lower())


def glossary_page(chapters: list[dict]) -> str:
    """Terms of the field in English and Chinese, each with the chapter that introduces it."""
    letters = groupby(read_glossary(), key=lambda row: row["term"][0].upper())
    pages = {c["number"]: c["page"] for c in chapters}
    return render("book", "glossary.md", letters=letters, pages=pages)


def agreement_page(report: dict) -> str:
    """The table of `fmkit crosscheck`."""
    columns = list(dict.fromkeys(name for case in report["cases"] for name in case["errors"]))
    columns = [name for name in columns if "float32" not in name or name == "float32"]

    def shown(error):
        return "–" if error is None else "0" if error == 0 else f"{error:.0e}"

    return render(
        "book",
        "agreement.md",
        columns=columns,
        allowed=[f"{tolerance(name):.0e}" for name in columns],
        rows=[
            {
                "name": _breakable(case["name"]),
                "errors": [shown(case["errors"].get(name)) for name in columns],
            }
            for case in report["cases"]
        ],
        versions=", ".join(f"{name} {version}" for name, version in report["versions"].items()),
        left_out=report.get("left_out"),
    )


def _breakable(name: str) -> Markup:
    """A dotted name that a narrow page may break after its dots and underscores."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))


def _mistakes_page(root: Path, chapters: list[dict]) -> str:
    return kill_page(_data(root, "kill_table"), _data(root, "edits"), chapters)


def sources_page(chapters: list[dict]) -> str:
    """The five articles that the course grew out of: where what they name runs, where a slip is met."""
    data = json.loads((HERE / "articles.json").read_text("utf-8"))
    headings = {int(c["number"]): c["headings"] for c in chapters}

    def at(place: str, kind: str = "") -> dict:
        """Section 2 of chapter 4, or an exercise, from ``"4.2"``; no link without the chapter."""
        chapter, number = place.split(".")
        found = headings.get(int(chapter))
        heading = found[f"{kind}{place}" if kind else number] if found else {}
        return heading | {"name": f"{kind}{place}"}

    systems = [row | {"places": [at(place) for place in row["sections"]]} for row in data["systems"]]
    articles = [
        article
        | {"slips": [s | {"at": s["exercise"] and at(s["exercise"], "Exercise ")} for s in article["slips"]]}
        for article in data["articles"]
    ]
    return render("book", "sources.md", articles=articles, systems=systems)


def kill_page(rows: list[dict], edits: list[dict], chapters: list[dict]) -> str:
    """The kill table: each exercise's known mistakes, each rejected and named; and how edits fare."""
    known = {c["number"]: {"title": c["title"], "page": c["page"]} for c in chapters}
    parts = []
    for number, group in groupby(rows, key=lambda row: row["chapter"]):
        found = list(group)
        each = [list(rows) for _, rows in groupby(found, key=lambda row: row["exercise"])]
        counts = [*_counts(found), *_edit_counts([edit for edit in edits if edit["chapter"] == number])]
        part = {"number": number, "counts": counts, "exercises": [_exercise(rows) for rows in each]}
        parts.append({"title": "", "page": ""} | known.get(number, {}) | part)
    return render("book", "mistakes.md", chapters=parts, counts=[*_counts(rows), *_edit_counts(edits)])


def _exercise(rows: list[dict]) -> dict:
    """What the page says of one exercise."""
    accepted = _share([row for row in rows if not row["is_wrong"]])
    mistakes = [row for row in rows if row["is_wrong"]]
    return {
        "id": rows[0]["exercise"],
        "title": rows[0]["title"],
        "accepted": accepted,
        "mistakes": mistakes,
    }


def _counts(rows: list[dict]) -> list[str]:
    """Three cells of the table: exercises, mistakes named, right answers accepted."""
    shares = [_share([row for row in rows if row["is_wrong"] is wrong]) for wrong in (True, False)]
    return [str(len({row["exercise"] for row in rows})), *shares]


def _edit_counts(edits: list[dict]) -> list[str]:
    """Two cells of the table: wrong edits that are refused; those whose card tells what they are."""
    refused = [edit for edit in edits if edit["refused"]]
    wrong = len(refused) + sum(not edit["refused"] and not edit["equal"] for edit in edits)
    return [f"{len(refused)} of {wrong}", f"{sum(edit['told'] for edit in refused)} of {len(refused)}"]


def _share(rows: list[dict]) -> str:
    return f"{sum(row['is_proven'] for row in rows)} of {len(rows)}"
