"""The commands `fmkit course ...`."""

import functools
import sys
from glob import escape
from pathlib import Path

import click

from fmkit.course.layout import open_course
from fmkit.errors import CourseError

FOLDER = click.Path(file_okay=False, path_type=Path)


def _course(command):
    """Adds ``--course DIR``."""

    @click.option(
        "--course", "root", type=FOLDER, default=".", metavar="DIR", help="The course [default: here]."
    )
    @functools.wraps(command)
    def run(root, **options):
        return command(open_course(root), **options)

    return run


SECTION = click.option(
    "--section", metavar="NAME", help="Only these students, by the column section of students.csv."
)


def _list(names: list[str]) -> str:
    return ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")


def _harmless(note: str) -> str:
    """A line that says what it says: no sign in a file's name steers the terminal or begins a new line."""
    joins = "\u200c\u200d"  # between letters of Hindi and Persian
    return "".join(sign if sign.isprintable() or sign in joins else "?" for sign in note)[:2000]


@click.group()
def course():
    """For instructors: hand out, collect, grade, feed back, export."""


@course.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--students",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="CSV",
    help="The roster: columns id, first_name, last_name, email.",
)
def init(folder, students):
    """Make a course in FOLDER: nbgrader's layout, our chapters as its source, the roster.

    Files that are there already stay as they are.
    """
    from fmkit.chapters.find import chapters
    from fmkit.course.setup import init as make

    notes: list[str] = []
    written = make(folder, students, chapters(), notes)
    click.echo(f"{folder}: {len(written)} files written" if written else f"{folder}: nothing to add")
    there = len(open_course(folder).students())
    for note in notes:
        click.echo(_harmless(note))
    click.echo(f"{there} students" if there else "students.csv names nobody yet: add a line for each student")
    click.echo("Next, in that folder: fmkit course release 04")


@course.group()
def exercise():
    """Exercises of your own, beside fmkit's."""


@exercise.command("new")
@click.argument("id")
@_course
def new_exercise(course, id):
    """Begin an exercise called ID, such as rootfinding.newton: its file, and a notebook with its cells."""
    from fmkit.course.exercises import new

    file, notebook = (path.relative_to(course.root) for path in new(course, id))
    click.echo(f"{file}: a small example that works; change what says CHANGE")
    click.echo(f"{notebook}: its task, answer and check, to copy into a chapter of source/")
    click.echo(f"Next: fmkit exercises prove {file}")


@exercise.command("cells")
@click.argument("id")
@_course
def write_cells(course, id):
    """Write the notebook with the cells of exercise ID anew, once its file has changed."""
    from fmkit.course.exercises import write_cells as write

    click.echo(
        f"{write(course, id).relative_to(course.root)}: written anew; copy its cells into the chapter again"
    )


@course.command()
@click.argument("chapters", nargs=-1)
@click.option("--due", metavar="MOMENT", help='Deadline, such as "2026-12-01 23:59" (local time).')
@click.option("--sealed", is_flag=True, help="For machines where fmkit lies without its right answers.")
@_course
def release(course, chapters, due, sealed):
    """Make the student versions of CHAPTERS (of all, by default) and enter their points.

    Run it again to change the deadline: which try counts is then decided again.
    """
    from fmkit.course import exercises
    from fmkit.course.collecting.collect import settle_all
    from fmkit.course.gradebook import release as hand_out
    from fmkit.course.grading import marking
    from fmkit.course.rules import parse_moment

    moment = parse_moment(due) if due else None
    names = [course.find(name) for name in chapters] or course.chapters()
    if not names:
        raise CourseError(
            f"there is no chapter in {course.root / 'source'}: lay one in, NN-name/NN-name.ipynb"
        )
    for chapter in names:
        checks, notices = exercises.hand_out(course, chapter, sealed)
        path = hand_out(course, chapter, moment)
        until = f", due {moment.isoformat(' ', 'minutes')}" if moment else ""
        click.echo(f"{path.relative_to(course.root)}{until}")
        if checks:
            size = -(-checks.stat().st_size // 1024)
            words = f"its checks need this beside it: hand out both ({size} KB)"
            click.echo(f"{checks.relative_to(course.root)}: {words}")
        click.echo("".join(f"{notice}\n" for notice in notices), nl=False)
        try:
            asked = marking.asked(course, chapter)
            if tests := [entry.grade_id for entry in asked.texts if entry.kind == "tests"]:
                click.echo(f"{chapter}: without check(...), so left to be graded by hand: {_list(tests)}")
        except CourseError as error:
            click.echo(f"Only plain nbgrader can grade it: {error}")
        if moment and (changed := settle_all(course, chapter)):
            click.echo(f"another try counts now, grade again: {_list(changed)}")


@course.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--chapter", metavar="NN", help="All of it is this chapter.")
@click.option("--on-time", is_flag=True, help="All of it came before the deadline, whatever times it has.")
@click.option(
    "--map",
    "table",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="CSV",
    help='Whose a path in SOURCE is, a line each: a pattern such as "team 7/*", an id.',
)
@_course
def collect(course, source, chapter, on_time, table):
    """Take in SOURCE: a zip archive from an LMS, or a folder with one for each student.

    To collect the same again changes nothing. The last try before the deadline counts.
    """
    from fmkit.course.collecting.collect import collect as take

    found = take(course, source, course.find(chapter, "release") if chapter else None, on_time, table)
    late = sorted(f"{student} ({name})" for (student, name), how in found.counted.items() if how == "late")
    click.echo(_taken_in(found))
    if late:
        click.echo(f"late: {_list(late)}")
    for note in found.notes:
        click.echo(_harmless(note))
    there = {student for student, _ in found.counted}
    if missing := [s.id for s in course.students() if s.id not in there]:
        click.echo(f"nothing in it from: {_list(missing)}")


def _taken_in(found) -> str:
    """How many files of how many students there are, new ones and others, in words."""
    many, new = len({student for student, _ in found.counted}), found.new
    words = f"{_count(found.there, 'file')} of {_count(many, 'student')}"
    if found.there:
        both = (new, "new"), (found.there - new, "there already")
        words += ": " + ", ".join(f"{n} {what}" for n, what in both if n)
    return words


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@course.command()
@click.argument("chapter", required=False)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes [default: one for each core].")
@click.option("--cluster", metavar="ADDRESS", help="A dask scheduler, such as tcp://10.0.0.1:8786.")
@click.option("--student", metavar="ID", help="Only this one.")
@click.option(
    "--again", is_flag=True, help="Grade again what has been graded; manual points and comments stay."
)
@click.option(
    "--unsafe", is_flag=True, help="Without the sandbox, where there is none. Read the README first."
)
@SECTION
@_course
def grade(course, chapter, jobs, cluster, student, again, unsafe, section):
    """Grade what was collected. Stop it whenever you like: the same command continues."""
    from tqdm import tqdm

    from fmkit.course.grading import marking
    from fmkit.course.marks import enter, members
    from fmkit.course.rules import read_rules

    chapters = _released(course, chapter)
    _say_rules(course, chapters)
    _take_up_rules(course, chapters)
    known = [s.id for s in members(course, section)]
    todo = [job for job in marking.jobs(course, chapters, student) if job["student"] in known]
    if read_rules(course).best:
        marking.grade_tries(course, todo, jobs, course.journal, cluster, again, unsafe=unsafe)
        again = False
    with tqdm(total=len(todo), unit="submission", disable=None) as bar:  # None: only on a terminal
        results = marking.grade(
            course, todo, jobs, cluster, again, unsafe, progress=lambda done, total, result: bar.update()
        )
    for name in chapters:
        enter(course, name)
    click.echo("\n".join(marking.summary(course, results, chapters, known)))


@course.command()
@click.argument("chapter", required=False)
@click.option("--student", metavar="ID", help="Only this one.")
@click.option(
    "--zip", "packed", is_flag=True, help="Also as an archive that Moodle takes for feedback files."
)
@_course
def feedback(course, chapter, student, packed):
    """Write a page for each student: verdicts, mistakes, points, your comments."""
    from fmkit.course.feedback import write_archive, write_feedback

    for name in _graded(course, chapter):
        students = write_feedback(course, name, student)
        click.echo(f"{name}: {_count(len(students), 'page')}, feedback/STUDENT/{name}/{name}.html")
        if packed:
            path, others = write_archive(course, name, students)
            click.echo(str(path))
            if others:
                click.echo(f"Moodle's name for their folder is not known, so it has the id: {_list(others)}")


@course.command()
@click.argument("chapter", required=False)
@click.option(
    "--output", type=FOLDER, default="export", metavar="DIR", help="Folder to write to [default: export]."
)
@SECTION
@_course
def export(course, chapter, output, section):
    """Write the grades as CSV: for Moodle, for Canvas, and plain."""
    from fmkit.course import export as exporting
    from fmkit.course.marks import members

    chapters, students = _graded(course, chapter), members(course, section)
    _say_rules(course, chapters)
    for path in exporting.export(course, chapters, course.root / output, students, section):
        click.echo(str(path))
    for name, number in exporting.waiting(course, chapters, students).items():
        answers = "1 free answer waits" if number == 1 else f"{number} free answers wait"
        click.echo(f"{name}: {answers} for a mark (in formgrader), so these points are not final")


@course.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.argument("chapter")
@click.option("--column", metavar="NAME", help="The column of the grades [default: the one named so].")
@SECTION
@_course
def compare(course, file, chapter, column, section):
    """Compare FILE, the LMS's own gradebook as CSV, with the grades of CHAPTER here.

    Names the students whose number there is another one, and who is missing on either side; the exit code is
    1 then.
    """
    from fmkit.course.compare import differences
    from fmkit.course.marks import members

    (name,), notes = _graded(course, chapter), []
    students = members(course, section)
    found = differences(course, name, file, column, students, notes)
    for line in [*notes, *found]:
        click.echo(_harmless(line))
    click.echo(f"{name}: {len(found) or 'no'} difference{'' if len(found) == 1 else 's'}")
    sys.exit(1 if found else 0)


@course.command()
@click.argument("chapter", required=False)
@SECTION
@_course
def report(course, chapter, section):
    """Show what the class got right, and its most frequent mistakes: what to go over in the next lecture.

    Without CHAPTER it also writes a page on the whole term.
    """
    from fmkit.course import report as reporting
    from fmkit.course.marks import file_name, members
    from fmkit.course.term import write_term

    chapters, students = _graded(course, chapter), members(course, section)
    for name in chapters:
        try:
            found = reporting.rows(course, name, {s.id for s in students})
        except CourseError as error:
            if chapter:
                raise
            click.echo(str(error))
            continue
        time = reporting.minutes(course, name, {s.id for s in students})
        click.echo("\n".join(reporting.lines(found, time)))
        picture = course.root / "report" / f"{file_name(section, name)}.png"
        click.echo(str(reporting.draw(found, name, picture, time)))
    if chapter is None:
        page = course.root / "report" / f"{file_name(section, 'term')}.html"
        click.echo(str(write_term(course, chapters, students, page)))


def _released(course, chapter: str | None) -> list[str]:
    """The chapter that was named, or every one that somebody has handed in."""
    if chapter:
        return [course.find(chapter, "release")]
    there = [
        name for name in course.chapters("release") if any(course.root.glob(f"submitted/*/{escape(name)}"))
    ]
    return there or course.chapters("release")


def _say_rules(course, chapters: list[str]) -> None:
    """Name what cannot be used of course.toml, extensions.csv and teams.csv, a few lines of each file."""
    from fmkit.course.gradebook import due_date
    from fmkit.course.rules import read_rules

    rules = read_rules(course)
    notes = [*rules.notes, *(note for name in chapters for note in rules.idle(name, due_date(course, name)))]
    for file in dict.fromkeys(note.split(":")[0] for note in notes):
        said = [note for note in notes if note.startswith(f"{file}:")]
        for note in said[:3]:
            click.echo(_harmless(note))
        if len(said) > 3:
            click.echo(f"{file}: {len(said) - 3} more such lines")


def _take_up_rules(course, chapters: list[str]) -> None:
    """Let another try count where extensions.csv or course.toml say so since."""
    from fmkit.course.collecting.collect import settle_all

    for name in chapters:
        if changed := settle_all(course, name, only_changed=True):
            click.echo(f"{name}: the rules have changed, so another try counts now: {_list(changed)}")


def _graded(course, chapter: str | None) -> list[str]:
    """The chapters with results; prints whose answers are newer than their grades."""
    from fmkit.course.grading.marking import latest, ungraded
    from fmkit.course.marks import enter

    wanted = [course.find(chapter, "release")] if chapter else course.chapters("release")
    found = [name for name in wanted if latest(course, name)]
    if not found:
        raise CourseError("nothing has been graded yet: run `fmkit course grade`")
    _take_up_rules(course, found)
    for name in found:
        enter(course, name)
        never, stale = ungraded(course, name)
        if never:
            click.echo(f"{name}: handed in and not graded yet: {_list(never)}")
        if stale:
            words = f"another try counts than the one that was graded; run `fmkit course grade {name}` again"
            click.echo(f"{name}: {words}: {_list(stale)}")
    return found
