"""Whose a path is: by the id, the e-mail or the name in it, and never by a likeness alone."""

from datetime import UTC, datetime

import pytest

from fmkit.course.collecting.matching import LAST_FIRST, Matcher, alike, fits, plain_name, read_map
from fmkit.course.roster import Student

PEOPLE = [
    Student("ada", "Ada", "Lovelace", "ada@example.org"),
    Student("s123", "José", "Muñoz Ñandú", "jose.munoz@example.org"),
    Student("zoe", "Zoë", "O'Brien-Łoś", "zoe@example.org"),
    Student("k1", "Kim", "Lee", "kim1@example.org"),
    Student("k2", "Kim", "Lee", "kim2@example.org"),
    Student("li", "雷", "李", ""),
    Student("lovelace", "Someone", "Else", ""),
]


@pytest.mark.parametrize(
    ("path", "depth", "id"),
    [
        ("Ada Lovelace_101_assignsubmission_file_/p1 (1).ipynb", 0, "ada"),
        ("Ada Lovelace_101_assignsubmission_file_hw_1.ipynb", 0, "ada"),
        ("Lovelace Ada_101_assignsubmission_file_/x.ipynb", 0, "ada"),
        ("HW 1/José Muñoz Ñandú_7_assignsubmission_file_/übung.ipynb", 1, "s123"),
        ("Jose\u0301 Munoz Nandu_7_assignsubmission_file_/a.ipynb", 0, "s123"),
        ("Zoë O'Brien-Łoś_9_assignsubmission_file_/a.ipynb", 0, "zoe"),
        ("obrienloszoe_LATE_340934_208490284_hw-1.ipynb", 0, "zoe"),
        ("lovelaceada_340934_208490284_hw.ipynb", 0, "ada"),
        ("lovelaceada_340934_208490284_all.zip/x/hw.ipynb", 0, "ada"),
        ("李雷_5_assignsubmission_file_/作业.ipynb", 0, "li"),
        ("ada/p1.ipynb", 0, "ada"),
        ("ADA/p1.ipynb", 0, "ada"),
        ("submitted/ada/04-backprop/04-backprop.ipynb", 1, "ada"),
        ("jose.munoz@example.org/x.ipynb", 0, "s123"),
        ("jose.munoz/x.ipynb", 0, "s123"),
        ("ada.ipynb", 0, "ada"),
        ("Ada_Lovelace.ipynb", 0, "ada"),
        ("ada_p1.ipynb", 0, "ada"),
        ("Ada Lovelace - p1.ipynb", 0, "ada"),
        ("HW 1/ada.ipynb", 1, "ada"),
        ("k2/x.ipynb", 0, "k2"),
        # an id is an id, whoever else has that name
        ("lovelace/x.ipynb", 0, "lovelace"),
        # nobody's; above all not that of the one whom a stranger names the file after
        ("Nobody Known_105_assignsubmission_file_/ada.ipynb", 0, None),
        ("Nobody Known_105_assignsubmission_file_ada.ipynb", 0, None),
        ("Nobody Known/ada.ipynb", 0, None),
        ("Nobody Known/ada_1_2_x.ipynb", 0, None),
        ("Nobody Known/ada.zip/x.ipynb", 0, None),
        ("nobodyknown_1_2_ada.ipynb", 0, None),
        ("p1.ipynb", 0, None),
        ("Kim Lee_5_assignsubmission_file_/x.ipynb", 0, None),
        ("Mary-Ada Lovelace_5_assignsubmission_file_/x.ipynb", 0, None),
        ("Ada King Lovelace_5_assignsubmission_file_/x.ipynb", 0, None),
        # other LMS
        ("Group A-Ada Lovelace_123_assignsubmission_file_/x.ipynb", 0, "ada"),
        ("Tutorial 2-Zoë O'Brien-Łoś_9_assignsubmission_file_/x.ipynb", 0, "zoe"),
        ("HW1_ada_attempt_2026-11-19-10-00-22_x.ipynb", 0, "ada"),
        ("12-34 - Zoë O'Brien-Łoś - Nov 19, 2026 1000 AM/x.ipynb", 0, "zoe"),
        ("12-34 - Ada Lovelace- Nov 19, 2026 1000 AM - ada_x.ipynb", 0, "ada"),
        ("HW4/Lovelace, Ada(ada)/Submission attachment(s)/x.ipynb", 0, "ada"),
        ("Lovelace_Ada_ada_6789/20261119100000_x.ipynb", 0, "ada"),
        ("inbound/ada+04-backprop+2026-11-19 10:00:00.000000 UTC+9bc/04-backprop.ipynb", 0, "ada"),
        ("04-backprop-ada/04-backprop.ipynb", 0, "ada"),
        ("04-backprop_AdaLovelace/04-backprop.ipynb", 0, "ada"),
    ],
)
def test_whose_a_path_is(path, depth, id):
    beside = "/".join([*path.split("/")[:depth], "elsewhere.txt"])  # so that this many folders are all files'
    match = Matcher(PEOPLE, [path, beside], ["04-backprop"]).find(path)
    assert (match.student.id if match.student else None) == id
    assert bool(match.reason) == (id is None)


def owners(students, *paths):
    """Id of the student of each path of an archive."""
    matcher = Matcher(students, paths)
    found = [matcher.find(path) for path in paths]
    return [match.student.id if match.student else None for match in found]


def test_two_of_one_name_are_told_apart_by_hand():
    reason = Matcher(PEOPLE).find("Kim Lee_5_assignsubmission_file_/x.ipynb").reason
    assert "two students have this name (k1 and k2); put it into a folder named by the id" in reason


def test_ids_that_differ_in_signs_are_different_students():
    ids = ["1-11", "11-1", "j.smith", "jsmith", "anna-lena", "annalena"]
    assert owners([Student(id) for id in ids], *(f"{id}/x.ipynb" for id in ids)) == ids
    assert owners([Student("j.smith")], "jsmith/x.ipynb", "j.smith/x.ipynb") == [None, "j.smith"]


def test_an_id_goes_before_a_mail_and_a_mail_before_a_name():
    students = [Student("lee", "Ann", "Ho"), Student("2", "X", "Y", "kim@x.org"), Student("3", "Kim", "")]
    assert owners(students, "lee/a.ipynb", "kim@x.org/a.ipynb", "kim/a.ipynb") == ["lee", "2", "2"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("राम कुमार", "रमा कुमार"),  # vowel signs are letters
        ("Nguyễn Hà", "Nguyễn Hạ"),  # another accent is another name
        ("Li Na Wang", "Lina Wang"),
        ("Søren K", "Sören K"),
    ],
)
def test_names_that_are_nearly_alike(one, other):
    students = [Student(str(n), *name.rsplit(" ", 1)) for n, name in enumerate((one, other))]
    paths = [f"{name}_{n}_assignsubmission_file_/x.ipynb" for n, name in enumerate((one, other))]
    assert owners(students, *paths) == ["0", "1"]
    assert owners(students[:1], *paths) == ["0", None], "a stranger's is nobody's"


def test_missing_accents_do_no_harm():
    students = [Student("1", "José", "Muñoz"), Student("2", "Soren", "Ła")]
    paths = "Jose Muñoz_1_assignsubmission_file_/x", "Søren La_2_assignsubmission_file_/x"
    assert owners(students, *paths) == ["1", "2"]
    assert plain_name("Émile ŁOŚ, ß") == "emilelosss" and plain_name("राम") != plain_name("रमा")


def test_an_archive_shows_in_which_order_it_writes_names():
    students = [Student("1", "Xi", "Chen"), Student("2", "Chen", "Xi"), Student("3", "Ada", "Lovelace")]
    both = [f"{name}_{n}_assignsubmission_file_/x.ipynb" for n, name in enumerate(("Xi Chen", "Chen Xi"))]
    assert owners(students, *both) == [None, None]
    assert owners(students, *both, "Ada Lovelace_9_assignsubmission_file_/x.ipynb")[:2] == ["1", "2"]
    assert owners(students, *both, "Lovelace Ada_9_assignsubmission_file_/x.ipynb")[:2] == ["2", "1"]
    assert owners(students, "chenxi_5_6_x.ipynb") == ["1"], f"Canvas' is always {LAST_FIRST}"


def test_a_folder_inside_a_strangers_is_nobodys():
    assert owners(PEOPLE, "ada/x.ipynb", "malory/ada/x.ipynb", "malory/ada.ipynb") == ["ada", None, None]
    assert owners(PEOPLE, "ada.ipynb", "final.zip/ada/x.ipynb") == ["ada", None]
    assert owners(PEOPLE, "HW1/ada/x.ipynb", "HW2/zoe/x.ipynb") == ["ada", "zoe"], "these only sort"
    assert owners(PEOPLE, "A/ada.ipynb", "A/zoe.ipynb", "B/k1.ipynb", "B/k2.ipynb") == [
        "ada",
        "zoe",
        "k1",
        "k2",
    ]


def test_what_all_have_in_front_is_no_name():
    assert owners(PEOPLE, "hw1-ada/x.ipynb", "hw1-zoe/x.ipynb") == ["ada", "zoe"]
    assert owners(PEOPLE, "hw_1_ada.ipynb", "hw_1_zoe.ipynb", "hw_1_mallory.ipynb") == ["ada", "zoe", None]
    by_number = [Student("1", "Ada"), Student("2", "Zoe")]
    assert owners(by_number, "HW-1/ada/x", "HW-2/zoe/x", "a_1_2_x.txt") == ["1", "2", None], (
        "these count weeks"
    )
    under = [Student("a_b"), Student("b")]
    paths = "HW_1_a_b_attempt_2026-11-19-10-00-22_x.ipynb", "HW_1_b_attempt_2026-11-19-10-00-22.txt"
    assert owners(under, *paths) == ["a_b", "b"]


@pytest.mark.parametrize(
    ("path", "when"),
    [
        ("HW1_ada_attempt_2026-11-19-10-00-22_x.ipynb", datetime(2026, 11, 19, 10, 0, 22)),
        ("1-2 - Ada Lovelace - Nov 19, 2026 1000 AM/x.ipynb", datetime(2026, 11, 19, 10)),
        ("Lovelace_Ada_ada_6789/20261119100022_x.ipynb", datetime(2026, 11, 19, 10, 0, 22)),
        ("ada+04+2026-11-19 10:00:22.000000 UTC+x/x.ipynb", datetime(2026, 11, 19, 10, 0, 22, tzinfo=UTC)),
        ("1-2 - Ada Lovelace - 19 November, 2026/x.ipynb", None),
        ("HW1_ada_attempt_2026-99-19-10-00-22_x.ipynb", None),
        ("HW1_ada_attempt_0001-01-01-00-00-00_x.ipynb", None),
        ("ada/19990101000000_x.ipynb", None),
        ("ada+04+9999-12-31 23:59:59 -0500+x/x.ipynb", None),
        ("ada+04+2026-11-19 10:00:22.000000 CET+x/x.ipynb", None),
    ],
)
def test_a_time_that_the_lms_wrote(path, when):
    match = Matcher(PEOPLE, [path]).find(path)
    assert match.student.id == "ada" and match.when == (when and when.astimezone())


def test_a_groups_work_says_how_to_name_its_members(tmp_path):
    path = "Group A_12_assignsubmission_file_/x.ipynb"
    assert "group or team" in Matcher(PEOPLE, [path]).find(path).reason
    blue = [Student("ada", section="Blue")]
    assert "group or team" in Matcher(blue).find("Blue_12_assignsubmission_file_/x.ipynb").reason
    table, notes = tmp_path / "map.csv", []
    table.write_text("path,id\nGroup A_*,ada\nGroup A_*,zoe@example.org\nk1,b [1]/x\nnobody,7\n")
    lines = read_map(table, PEOPLE, notes)
    assert [s.id for pattern, s in lines if fits(path, pattern)] == ["ada", "zoe"]
    assert [s.id for pattern, s in lines if fits("b [1]/x/deep.ipynb", pattern)] == ["k1"]
    assert notes == ["map.csv: line 5: no student in students.csv has the id '7'"]


def test_students_who_are_alike_are_named():
    one, two = alike([*PEOPLE, Student("z", "A", "B", "ada@example.org")])
    assert one == "k1 and k2 may not be told apart by name (Kim Lee): their files need the id or the e-mail"
    assert two == "ada and z have one e-mail address: ada@example.org"
    assert (
        alike(PEOPLE[:3]) == [] and len(alike([Student("1", "Xi", "Chen"), Student("2", "Chen", "Xi")])) == 1
    )


def test_a_roster_without_names_is_told_in_one_note():
    (note,) = alike([Student(f"s{number}", "A", "Student") for number in range(3000)])
    assert note.startswith("s0 and s1 and") and "(A Student)" in note
    acute, grave = Student("j", "José", "Ha"), Student("k", "Josè", "Ha")
    assert alike([acute, grave]) == [], "one has not the other's accent"
    assert alike([acute, grave, Student("l", "Jose", "Ha")])[0].startswith("j and k and l may not be told")
