"""A new course: its folders, the roster, the chapters, nbgrader's settings."""

from pathlib import Path

from fmkit._files import write_whole
from fmkit.course.collecting.matching import alike
from fmkit.course.gradebook import save_students
from fmkit.course.layout import Course, check_place
from fmkit.course.roster import read_roster, roster_csv
from fmkit.course.rules import SETTINGS
from fmkit.errors import CourseError

CONFIG = '''"""nbgrader's settings for this course; plain nbgrader commands use them too."""
from pathlib import Path

c = get_config()
c.CourseDirectory.root = str(Path(__file__).absolute().parent)
c.CourseDirectory.course_id = {name!r}
c.ClearSolutions.code_stub = {{
    "python": '# YOUR CODE HERE\\nraise NotImplementedError("write this, then run its check")'
}}
c.ExecutePreprocessor.timeout = 120
'''


def init(root: Path, roster: Path | None, notebooks: list[Path], notes: list[str] | None = None) -> list[str]:
    """Make a course, or add to one what is missing; nothing that is there is changed.

    Parameters
    ----------
    notes : list of str, optional
        Takes up what a person should look at in the roster.

    Returns
    -------
    list of str
        What was written, as paths inside the course.
    """
    check_place(root)
    notes = [] if notes is None else notes
    students = read_roster(roster, notes) if roster else []
    notes += alike(students)
    course, written = Course(root.absolute()), []
    if roster and (course.root / "students.csv").exists() and course.students() != students:
        words = "has a students.csv already: write the changes into that one"
        raise CourseError(f"{root} {words}; the next command takes them up")

    def write(path: Path, text: str | bytes):
        if not path.exists():
            write_whole(path, text if isinstance(text, bytes) else text.encode("utf-8"))
            written.append(path.relative_to(course.root).as_posix())

    write(course.root / "nbgrader_config.py", CONFIG.format(name=course.root.name))
    write(course.root / "students.csv", roster_csv(students))
    write(course.root / "course.toml", SETTINGS)
    for path in notebooks:
        write(course.notebook("source", path.stem), path.read_bytes())
    save_students(course, new=True)
    return written
