"""Tables as Excel, pandas and others save them."""

import pytest

from fmkit.data.tables import decode, read_table
from fmkit.errors import TableError

TEXTS = {
    "utf-8": "Größe – naïve €",
    "utf-8-sig": "Größe",
    "utf-16": "日本",
    "utf-16-le": "plain",
    "utf-16-be": "plain",
    "utf-32": "日本",
    "cp1252": "déjà vu, naïve, Größe – 5 €",
    "gb18030": "这部电影很好，film",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_encodings(encoding):
    text = TEXTS[encoding]
    assert decode(text.encode(encoding)) == (text, encoding)


def test_a_word_of_the_west_is_not_taken_for_chinese():
    for text in ("na\xefve", "caf\xe9s", "Gr\xf6\xdfe"):  # each a valid GB 18030, too
        assert decode(text.encode("cp1252")) == (text, "cp1252")
    assert decode(b"") == ("", "utf-8")


@pytest.mark.parametrize(
    "text",
    [
        'text,label\na,1\n"b, c",0\n',
        "text;label\na;1\nb, c;0\n",
        "label\ttext\r\n1\ta\r\n0\tb, c\r\n",
        "sep=;\ntext;label\na;1\nb, c;0\n",
        ' Text , LABEL ,id\na,1,7\n\n,,\n" b, c ",0,8\n',
        "id|text|label\n1|a|1\n2|b, c|0",
        'text,label\ra,1\r"b, c",0\r',
        "SEP=\t\r\ntext\tlabel\r\na\t1\r\nb, c\t0",
    ],
)
def test_signs_between_the_cells(tmp_path, text):
    (tmp_path / "x.csv").write_text(text, newline="")
    rows, encoding = read_table(tmp_path / "x.csv", ("text", "label"))
    assert [cells for _, cells in rows] == [("a", "1"), ("b, c", "0")] and encoding == "utf-8"


def test_a_row_is_named_by_its_line(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('sep=,\ntext,label\n"two\nlines",1\n\nlast,0\n')
    assert read_table(path, ("text", "label"))[0] == [(3, ("two\nlines", "1")), (6, ("last", "0"))]
    path.write_text("text,label\ngood,1\nbad\n")
    with pytest.raises(TableError, match="row 3: has 1 cells, not 2"):
        read_table(path, ("text", "label"))


def test_a_text_may_be_long(tmp_path):
    (tmp_path / "x.csv").write_text("text,label\n" + "word " * 100_000 + ",1\n")
    assert len(read_table(tmp_path / "x.csv", ("text",))[0][0][1][0]) == 499_999


@pytest.mark.parametrize(
    "name, data, reason",
    [
        ("x.csv", b"", "is empty: its first line must name the columns text and label"),
        ("x.csv", b"a;b\n1;2\n", "has the columns a, b: its first line must name the columns text and label"),
        ("x.xlsx", b"anything", "is a spreadsheet: save it as CSV"),
        ("x.csv", b"PK\x03\x04anything", "is a spreadsheet: save it as CSV"),
    ],
)
def test_what_is_no_such_table(tmp_path, name, data, reason):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TableError, match=reason):
        read_table(tmp_path / name, ("text", "label"))


def test_no_file(tmp_path):
    with pytest.raises(TableError, match="cannot read .*x.csv: No such file"):
        read_table(tmp_path / "x.csv", ("text",))
