"""The commands `fmkit course ...`."""

import functools
import sys
from pathlib import Path

import click

from fmkit.course.layout import CourseError, open_course

FOLDER = click.Path(file_okay=False, path_type=Path)


def _course(command):
    """Adds ``--course DIR``, and says what cannot be done in one line."""

    @click.option(
        "--course", "root", type=FOLDER, default=".", metavar="DIR", help="The course [default: here]."
    )
    @functools.wraps(command)
    def run(root, **options):
        from fmkit.course.journal import JournalError
        from fmkit.course.sandbox import SandboxError

        try:
            return command(open_course(root), **options)
        except (CourseError, JournalError, SandboxError, LookupError, ValueError) as error:
            raise click.ClickException(str(error)) from error

    return run


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

    What is there already stays as it is.
    """
    from fmkit.course.layout import chapters
    from fmkit.course.layout import init as make

    try:
        written = make(folder, students, chapters())
    except CourseError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{folder}: {len(written)} files written" if written else f"{folder}: nothing to add")
    click.echo("Next: fill in students.csv, then `fmkit course release 04` in that folder.")


@course.command()
@click.argument("chapters", nargs=-1)
@click.option("--due", metavar="MOMENT", help='Deadline, such as "2026-12-01 23:59" (local time).')
@_course
def release(course, chapters, due):
    """Make the student versions of CHAPTERS (all, if none is named) and enter their points."""
    from fmkit.course.gradebook import release as hand_out
    from fmkit.course.marking import parse_moment

    moment = parse_moment(due) if due else None
    for chapter in [course.find(name) for name in chapters] or course.chapters():
        path = hand_out(course, chapter, moment)
        click.echo(f"{path.relative_to(course.root)}{f', due {moment:%Y-%m-%d %H:%M}' if moment else ''}")


@course.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--chapter", metavar="NN", help="All of it is this chapter.")
@_course
def collect(course, source, chapter):
    """Take in SOURCE: a zip archive from Moodle or Canvas, or a folder with one for each student.

    The same again changes nothing. The last try before the deadline counts.
    """
    from fmkit.course.collect import collect as take

    found = take(course, source, course.find(chapter, "release") if chapter else None)
    late = sorted(f"{student} ({name})" for (student, name), how in found.counted.items() if how == "late")
    click.echo(f"{len(found.counted)} submissions, {found.new} new files")
    if late:
        click.echo(f"late: {', '.join(late)}")
    for note in found.notes:
        click.echo(note)
    there = {student for student, _ in found.counted}
    if missing := [s.id for s in course.students() if s.id not in there]:
        click.echo(f"nothing in it from: {', '.join(missing)}")


@course.command()
@click.argument("chapter", required=False)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes [default: one a core].")
@click.option("--cluster", metavar="ADDRESS", help="A dask scheduler, such as tcp://10.0.0.1:8786.")
@click.option("--student", metavar="ID", help="Only this one.")
@click.option("--again", is_flag=True, help="Also what has been graded; manual points and comments stay.")
@click.option(
    "--unsafe", is_flag=True, help="Without the sandbox, where there is none. Read the README first."
)
@_course
def grade(course, chapter, jobs, cluster, student, again, unsafe):
    """Grade what was collected. Stop it whenever you like: the same command goes on."""
    from tqdm import tqdm

    from fmkit.course import marking

    chapters = [course.find(chapter, "release")] if chapter else course.chapters("release")
    todo = marking.jobs(course, chapters, student)
    with tqdm(total=len(todo), unit="submission", disable=not sys.stderr.isatty()) as bar:
        results = marking.grade(
            course, todo, jobs, cluster, again, unsafe, progress=lambda done, total, result: bar.update()
        )
    click.echo("\n".join(marking.summary(course, results, chapters)))


@course.command()
@click.argument("chapter", required=False)
@click.option("--student", metavar="ID", help="Only this one.")
@_course
def feedback(course, chapter, student):
    """Write one page a student: verdicts, mistakes, points, your comments."""
    from fmkit.course.feedback import write_feedback

    for name in [course.find(chapter, "release")] if chapter else _graded(course):
        students = write_feedback(course, name, student)
        click.echo(f"{name}: {len(students)} pages, feedback/STUDENT/{name}/{name}.html")


@course.command()
@click.argument("chapter", required=False)
@click.option("--output", type=FOLDER, default="export", metavar="DIR", help="Where to [default: export].")
@_course
def export(course, chapter, output):
    """Write the grades as CSV: for Moodle, for Canvas, and plain."""
    from fmkit.course.export import export as write

    chapters = [course.find(chapter, "release")] if chapter else course.chapters("release")
    for path in write(course, chapters, output if output.is_absolute() else course.root / output):
        click.echo(str(path))


@course.command()
@click.argument("chapter", required=False)
@_course
def report(course, chapter):
    """Show what the class got right, and its favourite mistakes: what to go over in the next lecture."""
    from fmkit.course import report as reporting

    for name in [course.find(chapter, "release")] if chapter else _graded(course):
        found = reporting.rows(course, name)
        click.echo("\n".join(reporting.lines(found)))
        click.echo(str(reporting.draw(found, name, course.root / "report" / f"{name}.png")))


def _graded(course) -> list[str]:
    from fmkit.course.marking import latest

    found = [chapter for chapter in course.chapters("release") if latest(course, chapter)]
    if not found:
        raise CourseError("nothing has been graded yet: `fmkit course grade` does it")
    return found
