"""Rosters as LMS and spreadsheets write them: what is read, what is named and left out."""

import pytest

from fmkit.course.roster import Student, read_roster, roster_csv
from fmkit.errors import CourseError

ADA = Student("ada", "Ada", "Lovelace", "ada@x.org")


@pytest.mark.parametrize(
    "text",
    [
        "id,first_name,last_name,email\nada,Ada,Lovelace,ada@x.org\n",
        "id;first name;Surname;Email address\r\nada;Ada;Lovelace;ada@x.org\r\n",
        "Email address\tFirst name\tLast name\tUsername\nada@x.org\tAda\tLovelace\tada\n\n",
        '"Student","ID","SIS Login ID","Email"\n"    Points Possible",,,\n"Lovelace, Ada",12,ada,ada@x.org\n',
        "id,full name,e-mail\n ada , Ada Lovelace,ada@x.org\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_rosters_of_all_sorts(tmp_path, text, encoding):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    assert read_roster(path) == [ADA]


def test_accents_and_names_of_several_words(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_bytes(
        "id;vorname;nachname\nj\u00fcrgen;Ju\u0308rgen;M\u00fcller L\u00fcdenscheidt".encode(
            "cp1252", "replace"
        )
    )
    (student,) = read_roster(path)
    assert student.id == "jürgen" and student.last_name == "Müller Lüdenscheidt" and student.email == ""


def read(tmp_path, text, encoding="utf-8"):
    """Ids, first names, last names, e-mails and sections of a roster, and what is said of it."""
    path, notes = tmp_path / "r.csv", []
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    found = read_roster(path, notes)
    assert all("\n" not in note and note.startswith("r.csv: ") for note in notes)
    return [(s.id, s.first_name, s.last_name, s.email, s.section) for s in found], notes


@pytest.mark.parametrize(
    ("text", "student"),
    [
        # Moodle, in some of its languages
        ("First name,Last name,ID number,Email address,Groups\nAda,L,1,a@x.org,G 1\n", "1 Ada L a@x.org G 1"),
        (
            "Vorname,Nachname,ID-Nummer,Institution,E-Mail-Adresse\nAda,L,0012,,a@x.org\n",
            "0012 Ada L a@x.org ",
        ),
        ("Prénom,Nom de famille,Numéro d'identification,Groupes\nAda,L,7,A\n", "7 Ada L  A"),
        ("Nombre,Apellido(s),Número de ID,Dirección de correo\nAda,L,7,a@x.org\n", "7 Ada L a@x.org "),
        ("Имя,Фамилия,Логин\nАда,Л,7\n", "7 Ада Л  "),
        ("学号,姓名,组\n7,李雷,一\n", "7  李雷  一"),
        # universities' own
        ("Nachname;Vorname;Matrikel-Nr.\nL;Ada;0012\n", "0012 Ada L  "),
        ("Name;Vorname;Matrikelnummer\nL;Ada;0012\n", "0012 Ada L  "),
        ("Student Number,Surname,Given Names\n0012,L,Ada\n", "0012 Ada L  "),
        # Blackboard, Brightspace, Sakai, ILIAS
        ("Last Name\tFirst Name\tUsername\tStudent ID\nL\tAda\tada\t12\n", "ada Ada L  "),
        (
            "OrgDefinedId,Last Name,First Name,Email,End-of-Line Indicator\n#12,L,Ada,a@x.org,#\n",
            "12 Ada L a@x.org ",
        ),
        ('"HW4","Points"\n\n"Display ID","ID","Last Name","First Name"\nada,5-6,L,Ada\n', "ada Ada L  "),
        ("Nachname;Vorname;Anmeldename;Matrikelnummer\nL;Ada;ada;12\n", "ada Ada L  "),
        # Canvas, with the rows of its own
        (
            "Student,ID,SIS User ID,SIS Login ID,Section,HW1\n,,,,,Manual Posting\n"
            "    Points Possible,,,,,10\n"
            '"L, Ada",11,u11,ada,Sec 1,8\n',
            "ada Ada L  Sec 1",
        ),
        ('Student,ID,SIS Login ID,Section\n"L, Ada",11,,Sec 1\n', "11 Ada L  Sec 1"),
        # Excel's
        ("sep=;\nid;first_name\nada;Ada\n", "ada Ada   "),
        ("id;name\nada;L, Ada, Countess\n", "ada Ada, Countess L  "),
        ("id\nराम\n", "राम    "),
    ],
)
def test_rosters_as_they_are(tmp_path, text, student):
    (found,), notes = read(tmp_path, text)
    assert " ".join(found) == student and notes == []
    assert read(tmp_path, roster_csv([Student(*found)])) == ([found], []), "what init writes reads the same"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("id\nada\n\nAda\n", "line 4: the id 'Ada' occurs twice; left out"),
        ("id,first_name\nada,\n,Bob\n", "line 3: Bob: it has no id; left out"),
        ("id\nada\n../etc\n", "line 3: '../etc' cannot be an id: it begins with a letter"),
        ("id\nada\n=1+1\n", "line 3: '=1+1' cannot be an id"),
        ("id\nada\n_nobody\n", "line 3: '_nobody' cannot be an id"),
        ("id\nada\na/b\n", "line 3: 'a/b' cannot be an id"),
        ("id\nada\nbob.\n", "line 3: 'bob.' cannot be an id"),
        ("id\nada\nb\x1b[2J\n", "line 3: 'b\\x1b[2J' cannot be an id"),
        ("id\nada\n" + "李" * 80 + "\n", "cannot be an id"),
        ("id;x\nada;\n1,23457E+11;\n", "a number that a spreadsheet has rounded"),
        (
            'Student,ID,SIS Login ID\n"L, A",1,ada\n"Student, Test",9,\n',
            "line 3: Canvas' test student: it has no id",
        ),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_left_out(tmp_path, text, note):
    found, (said,) = read(tmp_path, text)
    assert [row[0] for row in found] == ["ada"] and note in said and said.endswith("left out")


def test_ids_that_a_spreadsheet_has_changed_are_said(tmp_path):
    found, notes = read(tmp_path, "id\n1.23457E+11\n123456.0\n123\n")
    assert [row[0] for row in found] == ["1.23457E+11", "123456.0", "123"]
    assert "line 2: 1.23457E+11 is a number that a spreadsheet has rounded" in notes[0]
    assert "line 3: the id 123456.0 looks like 123456" in notes[1] and len(notes) == 2


@pytest.mark.parametrize(
    ("encoding", "name", "said"),
    [
        ("utf-8", "雷", ""),
        ("utf-8-sig", "Zoë", ""),
        ("utf-16", "雷", ""),
        ("utf-16-le", "Zoë", ""),
        ("gbk", "雷", "gb18030"),
        ("cp1252", "Zoë", "cp1252"),
    ],
)
def test_encodings_of_spreadsheets(tmp_path, encoding, name, said):
    ((_, first, *_),), notes = read(tmp_path, f"id,first_name\nada,{name}\n", encoding)
    assert first == name
    assert notes == (
        [f"r.csv: it is not UTF-8 and was read as {said}. If names look wrong, save it as CSV UTF-8"]
        if said
        else []
    )


def test_mails_are_the_ids_where_there_are_none(tmp_path):
    said = ["r.csv: it has no ids, so the e-mail addresses are the ids"]
    wanted = [("a@x.org", "Ada", "", "a@x.org", "")]
    assert read(tmp_path, "First name,Email address\nAda,a@x.org\n") == (wanted, said)
    assert read(tmp_path, "First name,ID number,Email address\nAda,,a@x.org\n") == (wanted, said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; its first line should be id,first_name,last_name,email"),
        ("name,mail\nAda,x", "has no column id"),
        ("id,first_name\n,Ada\n", "has no column id, or nothing stands in it"),
        ("PK\x03\x04", "is a workbook: save it as CSV UTF-8"),
    ],
)
def test_roster_errors_are_one_line(tmp_path, text, words):
    with pytest.raises(CourseError, match=words) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_roster_that_is_not_there(tmp_path):
    with pytest.raises(CourseError, match="cannot be read: No such file"):
        read_roster(tmp_path / "none.csv")


def test_a_quotation_mark_that_is_never_closed_is_named_with_its_line(tmp_path):
    path = tmp_path / "students.csv"
    path.write_text('sep=,\nid,first_name\nada,Ada\nemmy,"Emmy\njose,José\n', "utf-8")
    with pytest.raises(CourseError, match=r'students.csv, line 4: a quotation mark \("\) is never closed'):
        read_roster(path)
    path.write_text('id,first_name,last_name\nada,"Ada ""the first""","Love\nlace"', "utf-8")
    notes = []
    assert [s.id for s in read_roster(path, notes)] == ["ada"]
    assert notes == [
        "students.csv: line 3: the name of ada has a line break in it: has somebody been swallowed by a "
        "quotation mark too many?"
    ]
