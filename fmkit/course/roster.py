"""Who takes part: the roster, as an LMS or a spreadsheet writes it."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fmkit.errors import CourseError

HEADER = ("id", "first_name", "last_name", "email", "section")


@dataclass(frozen=True)
class Student:
    """One line of the roster."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    section: str = ""

    @property
    def name(self) -> str:
        """First and last name, or the id."""
        return f"{self.first_name} {self.last_name}".strip() or self.id


# As LMS and spreadsheets call the columns, in their languages, without accents, capitals and signs;
# of several columns the one that stands first here counts.
_ALIASES = {
    "id": """sisloginid loginid displayid id username login idnumber userid studentid studentnumber studentno
        matriculation matriculationnumber registrationnumber orgdefinedid sisuserid netid uid
        anmeldename benutzername benutzerkennung kennung idnummer matrikelnummer matrikelnr matrnr
        nomdutilisateur identifiant numeroetudiant numerodidentification nombredeusuario numerodeid
        matricula nomeutente numeroid matricola codiceidentificativo nomedeutilizador nomedeusuario
        numerodeidentificacao gebruikersnaam studentnummer anvandarnamn brukernavn studentnr brugernavn
        opiskelijanumero nazwauzytkownika numerid numeralbumu nralbumu uzivatelskejmeno azonositoszam
        neptunkod kullaniciadi ogrencino имяпользователя логин 学号 學號 学籍番号 학번""",
    "first_name": """firstname givenname givennames forename first vorname prenom nombre nome voornaam fornamn
        fornavn etunimi imie krestnijmeno jmeno keresztnev ad adi имя 名""",
    "last_name": """lastname surname familyname last nachname familienname nom nomdefamille apellido apellidos
        cognome sobrenome apelido achternaam efternamn etternavn efternavn sukunimi nazwisko prijmeni
        vezeteknev soyad soyadi фамилия 姓""",
    "name": """fullname student studentname name displayname nomcomplet nombrecompleto nomecompleto naam namn
        navn nimi фио 姓名 氏名 이름""",
    "email": """email emailaddress mail mailaddress emailadresse mailadresse adressedecourriel courriel
        adresseemail adressemail direcciondecorreo direccionemail direcciondecorreoelectronico correo
        correoelectronico
        indirizzoemail enderecodeemail emailadres epostadress epostadresse epost sahkoposti
        sahkopostiosoite adresemail emailovaadresa emailcim epostaadresi
        адресэлектроннойпочты почта 电子邮件 电子邮件地址 メールアドレス 이메일""",
    "section": """section sections group groups groupname gruppe gruppen ubungsgruppe tutorium tutorial groupe
        groupes grupo grupos gruppi gruppo groep groepen grupp grupper grupa grupy skupina csoport ryhma
        ryhmat группа группы 组 小组 グループ""",
}
_ROUNDED = re.compile(r"\d[.,]\d+E\+?\d+", re.I)
_DECIMAL = re.compile(r"\d+[.,]0+")
_LONGEST = 200  # bytes of an id: it names a folder, and file systems end at 255


def read_roster(path: Path, notes: list[str] | None = None) -> list[Student]:
    """The students of a CSV file; only a column with ids is required, or one with e-mail addresses.

    Parameters
    ----------
    notes : list of str, optional
        Takes up what a person should look at: lines that cannot be used and are left out, an encoding that
        had to be guessed, ids that a spreadsheet has changed.

    Raises
    ------
    CourseError
        When the file cannot be read, or has no such column.
    """
    said: list[str] = []
    _, lines = read_people(path, said)
    students: dict[str, Student] = {}
    for number, student, cells in lines:
        if fault := _fault(student, students):
            said.append(f"line {number}: {_named(student, cells)}{fault}; left out")
            continue
        said += [f"line {number}: {words}" for words in _looks(student.id)]
        if "\n" in student.name:
            words = "has a line break in it: has somebody been swallowed by a quotation mark too many?"
            said.append(f"line {number}: the name of {student.id} {words}")
        students[student.id.casefold()] = student
    if notes is not None:
        notes += [f"{path.name}: {words}" for words in said]
    return list(students.values())


def read_people(
    path: Path, said: list[str], names: bool = False
) -> tuple[list[str], list[tuple[int, Student, list[str]]]]:
    """The header of a CSV file about students, and its lines: number, whose, cells. Nothing is left out.

    Raises
    ------
    CourseError
        When the file cannot be read, or has no column with ids or e-mail addresses; with ``names`` one with
        names will do, too.
    """
    header, columns, rows = _table(path, said, names)
    students = (_student({f: _cell(cells, c) for f, c in columns.items()}) for _, cells in rows)
    return header, [(row[0], student, row[1]) for row, student in zip(rows, students, strict=True)]


def _table(
    path: Path, said: list[str], names: bool
) -> tuple[list[str], dict[str, int], list[tuple[int, list[str]]]]:
    """The header, where each field stands, and the numbered lines below it that are somebody's."""
    rows = read_table(path, said)
    if not rows:
        raise CourseError(f"{path} is empty; its first line should be {','.join(HEADER)}")
    for at in range(min(len(rows), 10)):  # some put a title above
        below = [row for row in rows[at + 1 :] if not _is_canvas_own(row[1])]
        columns = _columns(rows[at][1], [cells for _, cells in below])
        if "id" in columns:
            return rows[at][1], columns, below
        if "email" in columns and any("@" in _cell(cells, columns["email"]) for _, cells in below):
            said.append("it has no ids, so the e-mail addresses are the ids")
            return rows[at][1], columns | {"id": columns["email"]}, below
        if names and ("name" in columns or {"first_name", "last_name"} <= set(columns)):
            return rows[at][1], columns, below
    raise CourseError(
        f"{path} has no column id, or nothing stands in it; its first line should be {','.join(HEADER)}"
    )


def read_table(path: Path, said: list[str]) -> list[tuple[int, list[str]]]:
    """The lines of a CSV file that are not empty, with their numbers; ``said`` takes up its encoding.

    Raises
    ------
    CourseError
        When the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    if data.startswith((b"PK\3\4", b"\xd0\xcf\x11\xe0")):
        raise CourseError(f"{path} is a workbook: save it as CSV UTF-8")
    text = _decode(data, said)
    first, _, rest = text.partition("\n")
    skipped = 0
    if said_so := re.fullmatch(r'"?sep=(.)"?\s*', first, re.I):  # Excel's own line
        delimiter, text, skipped = said_so[1], rest, 1
    else:
        lines = [line for line in text.split("\n", 10)[:10] if re.search("[,;\t]", line)]
        delimiter = max(",;\t", key=lines[0].count) if lines else ","
    try:
        reader = csv.reader(io.StringIO(text), delimiter=delimiter)
        rows = [(reader.line_num + skipped, cells) for cells in reader]
    except csv.Error as error:
        raise CourseError(f"{path} is not a CSV file: {error}") from error
    if begun := _never_closed(text, [number - skipped for number, _ in rows], delimiter):
        words = 'a quotation mark (") is never closed, so all below it is one line: close it, or take it away'
        raise CourseError(f"{path}, line {begun + skipped}: {words}")
    return [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]


def _never_closed(text: str, ends: list[int], delimiter: str) -> int:
    """The line in which a quotation begins that lasts to the end of the file, or 0."""
    begun = ends[-2] if len(ends) > 1 else 0
    last = text.split("\n")[begun:]
    try:
        list(csv.reader(io.StringIO("\n".join(last)), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return begun + 1 if "unexpected end" in str(error) else 0
    return 0


def _decode(data: bytes, said: list[str]) -> str:
    """Text of whatever a spreadsheet program writes."""
    for marks, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(marks):
            return unicodedata.normalize("NFC", data.decode(encoding, "replace"))
    if b"\0" in data[:2] and len(data) % 2 == 0:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    elif b"\0" in data[1:2]:
        encoding = "utf-16-le"
    else:
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "gb18030" if _is_chinese(data) else "cp1252"
        said.append(f"it is not UTF-8 and was read as {encoding}. If names look wrong, save it as CSV UTF-8")
        text = data.decode(encoding, "replace")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _is_chinese(data: bytes) -> bool:
    """Whether all that is not ASCII stands in pairs that GB 2312 has: accented letters mostly stand alone."""
    try:
        return all(run.decode("gb2312") for run in re.findall(rb"[\x80-\xff]+", data))
    except UnicodeDecodeError:
        return False


def _columns(header: list[str], below: list[list[str]]) -> dict[str, int]:
    """Field -> column, by the first of its names that is there; a column without any ids is none."""
    plain, found = [_plain(cell) for cell in header], {}
    for field, names in _NAMES.items():
        there = [plain.index(name) for name in names if name in plain]
        if field == "id" and below:
            there = [column for column in there if any(_cell(cells, column) for cells in below)]
        found |= {field: there[0]} if there else {}
    if "first_name" in found and "last_name" not in found and "name" in found:
        found["last_name"] = found.pop("name")  # Vorname, Name
    return found


def _plain(text: str) -> str:
    text = (
        unicodedata.normalize("NFKD", text).casefold().replace("ł", "l").replace("ı", "i").replace("ø", "o")
    )
    return "".join(sign for sign in text if sign.isalnum())


_NAMES = {field: [_plain(name) for name in names.split()] for field, names in _ALIASES.items()}


def _cell(cells: list[str], column: int) -> str:
    return cells[column].strip() if column < len(cells) else ""


def _is_canvas_own(cells: list[str]) -> bool:
    """Canvas puts one or two lines of its own below the header."""
    texts = [cell.strip() for cell in cells]
    return texts[0].startswith("Points Possible") or (not texts[0] and "Manual Posting" in texts)


def _student(cells: dict[str, str]) -> Student:
    """A student of a row; a full name is "Last, First" or "First Last"."""
    name = cells.pop("name", "")
    if name and not cells.get("first_name") and not cells.get("last_name"):
        last, _, first = name.partition(",") if "," in name else name.rpartition(" ")[::-1]
        cells |= {"first_name": first.strip(), "last_name": last.strip()}
    id = cells.get("id", "").removeprefix("#")  # Brightspace's sign
    return Student(**cells | {"id": id})


def _fault(student: Student, there: dict[str, Student]) -> str:
    """Why a line cannot be used; nothing if it can."""
    id = student.id
    if not id:
        return "it has no id"
    if _ROUNDED.fullmatch(id) and "," in id:
        return f"{id!r} cannot be an id: {_looks(id)[0]}"
    signs = all(c.isalnum() or c in "_.+@' -" or unicodedata.category(c)[0] == "M" for c in id)
    if not signs or not id[0].isalnum() or id[-1] in " ." or len(id.encode()) > _LONGEST:
        words = "it begins with a letter or digit, then come letters, digits and . _ - + @"
        return f"{id!r} cannot be an id: {words}"
    return f"the id {id!r} occurs twice" if id.casefold() in there else ""


def _named(student: Student, cells: list[str]) -> str:
    """Who a line that cannot be used is about."""
    if {student.first_name, student.last_name} == {"Test", "Student"}:
        return "Canvas' test student: "
    words = f"{student.first_name} {student.last_name}".strip() or next(
        filter(None, map(str.strip, cells)), ""
    )
    return f"{words}: " if words and words != student.id else ""


def _looks(id: str) -> list[str]:
    """What a spreadsheet has made of an id."""
    if _ROUNDED.fullmatch(id):
        return [f"{id} is a number that a spreadsheet has rounded: make the column text, and export it again"]
    if _DECIMAL.fullmatch(id):
        whole = re.split("[.,]", id)[0]
        words = (
            f"looks like {whole}, written as a number with decimals: files named {whole} will not be found"
        )
        return [f"the id {id} {words}"]
    return []


def roster_csv(students: list[Student]) -> str:
    """The roster as a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([s.id, s.first_name, s.last_name, s.email, s.section] for s in students)
    return out.getvalue()
