"""Exports: nothing that a person wrote becomes a formula, wherever a spreadsheet splits."""

import csv
import io

import pytest

from fmkit.course.export import _harmless


@pytest.mark.parametrize(
    "text",
    [
        "=HYPERLINK(1)",
        " @SUM(1)",
        "-1+2",
        "+1",
        "a;=1+1;b",
        "X;=cmd|'/C calc'!A1;: oh",
        "a\t-1+2",
        "two\n=1",
        'a;"=1"',
        "a; \t+1",
        "a;;=1",
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_a_formula_whatever_divides_cells(text, delimiter):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC).writerow(["id", _harmless(text), "x"])
    for row in csv.reader(io.StringIO(out.getvalue()), delimiter=delimiter):
        assert all(cell.lstrip()[:1] not in ("=", "@", "+", "-") for cell in row)


def test_honest_cells_stay_as_they_are():
    for text in ("Ada Lovelace", "a - b", "x = 1", "2026-11-19 10:00", "a@x.org", "1; 2", ""):
        assert _harmless(text) == text
    assert [str(_harmless(number)) for number in (-1.5, 9.0, 2 / 3)] == ["-1.5", "9", "0.666667"]
