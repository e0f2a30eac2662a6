"""Tables as people's programs save them: commas, semicolons or tabs, in one encoding or another."""

import codecs
import csv
import io
import re
import sys
from pathlib import Path

from fmkit.errors import TableError

_DELIMITERS = ",;\t|"
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, with whose mark it begins
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def decode(data: bytes) -> tuple[str, str]:
    """The text of a file's bytes, and its encoding.

    UTF-8, UTF-16 and UTF-32 are recognised for certain. Else GB 18030 (Excel in China) where every byte makes
    sense in it, else the Western cp1252, which few bytes contradict: say which it was.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    if data[1:2] == b"\0" or data[:1] == b"\0":  # UTF-16 without a mark
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    text = data.decode("gb18030", "ignore")
    signs = "".join(sign for sign in text if not sign.isascii())
    # Of GB 2312 its frequent signs; the letters of the West, taken for Chinese, are its rare ones
    frequent = sum(lead < 0xD8 for lead in signs.encode("gb2312", "ignore")[::2])
    if text.encode("gb18030") == data and frequent > 0.7 * len(signs):
        return text, "gb18030"
    return data.decode("cp1252", "replace"), "cp1252"


def read_table(path: Path, columns: tuple[str, ...]) -> tuple[list[tuple[int, tuple[str, ...]]], str]:
    """The cells of some columns of a table with a header, and the file's encoding.

    Parameters
    ----------
    columns : names
        As in the header, whatever their case; other columns do no harm.

    Returns
    -------
    rows : list of (number of the line it begins in, cells)
        Cells are without spaces around them; rows without any cell are left out.
    encoding : str

    Raises
    ------
    TableError
        The file cannot be read, has no such columns, or has a row that ends before them.
    """
    try:
        text, encoding = decode(path.read_bytes())
    except OSError as error:
        raise TableError(f"cannot read {path}: {error.strerror}") from error
    if path.suffix.lower() in (".xlsx", ".xls", ".ods") or text.startswith("PK\x03\x04"):
        raise TableError(f"{path} is a spreadsheet: save it as CSV")
    text, skipped = re.subn(r"\Asep=.?\s*?(\r\n|\r|\n)", "", text, flags=re.IGNORECASE)  # for Excel
    header, delimiter = _header(text, columns)
    if header is None:
        there = next(csv.reader([_first_line(text)], delimiter=delimiter), [])
        names = f"has the columns {', '.join(there)}" if any(there) else "is empty"
        asked = " and ".join(columns)
        raise TableError(f"{path} {names[:200]}: its first line must name the columns {asked}")
    at, found = [header.index(name) for name in columns], []
    csv.field_size_limit(sys.maxsize if sys.maxsize < 2**31 else 2**31 - 1)  # a text may be a whole book
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 1
    try:
        for row in reader:
            line, number = number + skipped, reader.line_num + 1
            if line == 1 + skipped or not any(cell.strip() for cell in row):
                continue
            if len(row) <= max(at):
                raise TableError(f"{path}, row {line}: has {len(row)} cells, not {len(header)}")
            found.append((line, tuple(row[i].strip() for i in at)))
    except csv.Error as error:
        raise TableError(f"{path}, row {reader.line_num + skipped}: {error}") from error
    return found, encoding


def _header(text: str, columns: tuple[str, ...]) -> tuple[list[str] | None, str]:
    """The names in the first line, where they hold the columns, and the sign between them."""
    line = _first_line(text)
    for delimiter in _DELIMITERS:
        names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        if set(columns) <= set(names):
            return names, delimiter
    return None, max(_DELIMITERS, key=line.count)


def _first_line(text: str) -> str:
    return re.split(r"[\r\n]", text, maxsplit=1)[0]
