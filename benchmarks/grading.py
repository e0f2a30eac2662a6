"""Submissions of chapter 04 graded by fmkit and by `nbgrader autograde`: how many a minute, on two processes
each.

    python benchmarks/grading.py [--count 100] [--sample 8 | --all] [--memory]

Both grade the same submissions in the same run: three in four exercises right, the rest wrong or untouched.
nbgrader runs the whole chapter, so it gets a sample of them unless ``--all`` is given; its throughput is
that of the sample, and the start of its command is counted once, as it would be for all. fmkit always grades
all. ``--memory`` grades a thousand, without nbgrader, and prints how the memory grows. The last line is
fmkit's throughput divided by nbgrader's.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat

from fmkit.chapters.student import student_version
from fmkit.course.grading.batch import grade_batch
from fmkit.lab import exercises
from fmkit.lab.judging.answer import run_answer
from fmkit.lab.judging.judge import make_cases

CHAPTER = "04-backprop"
NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / f"{CHAPTER}.ipynb"
PROCESSES = 2


def submissions(folder: Path, count: int) -> list[Path]:
    """Files of students who did most of the exercises, each others."""
    solved = nbformat.read(NOTEBOOK, as_version=4)
    released = student_version(solved)
    answers = {c.id: c.source for c in solved.cells if c.metadata.get("nbgrader", {}).get("solution")}
    files = []
    for number in range(count):
        rng, notebook = random.Random(number), nbformat.from_dict(released)
        for cell in notebook.cells:
            luck = rng.random()
            if cell.id in answers and luck < 0.75:
                cell.source = answers[cell.id]
            elif cell.id in answers and luck < 0.9:
                cell.source = answers[cell.id].replace("return ", "return 2 * ")
        files.append(folder / f"student{number:04}" / CHAPTER / f"{CHAPTER}.ipynb")
        files[-1].parent.mkdir(parents=True)
        nbformat.write(notebook, files[-1])
    return files


@contextmanager
def counted(spent: dict):
    """Seconds by the clock and of the processors, of this process and all that it starts.

    A control group counts them all; without one, the time of the sandbox's own processes is missing.
    """
    group = Path("/sys/fs/cgroup/cpuacct", f"fmkit-benchmark-{os.getpid()}")
    home = group.parent / "cgroup.procs"
    with suppress(OSError):
        group.mkdir()
        (group / "cgroup.procs").write_text(str(os.getpid()))
    usage = group / "cpuacct.usage"
    begun, began = _processors(usage), time.perf_counter()
    try:
        yield
    finally:
        spent["seconds"] = time.perf_counter() - began
        spent["cpu"] = _processors(usage) - begun
        spent["exact"] = usage.exists()
        with suppress(OSError):
            home.write_text(str(os.getpid()))
            time.sleep(0.2)
            group.rmdir()


def _processors(usage: Path) -> float:
    if usage.exists():
        return int(usage.read_text()) / 1e9
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def ours(files: list[Path], folder: Path) -> dict:
    """Grade all with fmkit."""
    jobs = [{"student": f.parts[-3], "chapter": CHAPTER, "file": f, "notebook": NOTEBOOK} for f in files]
    spent: dict = {}
    with counted(spent):
        results = list(grade_batch(jobs, PROCESSES, folder / "journal.jsonl"))
    assert len(results) == len(files) and {r["status"] for r in results} == {"graded"}
    return spent | {"scores": {r["student"]: r["score"] for r in results}}


def theirs(files: list[Path], folder: Path) -> dict:
    """Grade all with nbgrader: a course for each of two processes, each with half of the submissions."""
    courses = [_course(folder / f"course{i}", files[i::PROCESSES]) for i in range(PROCESSES)]
    spent: dict = {}
    with counted(spent):
        runs = [_nbgrader(course, "autograde", CHAPTER, "--create") for course in courses]
        codes = [run.wait() for run in runs]
    assert codes == [0] * PROCESSES, "nbgrader failed; see autograde.log"
    return spent | {"scores": {name: score for course in courses for name, score in _scores(course)}}


def _course(course: Path, files: list[Path]) -> Path:
    source = course / "source" / CHAPTER / NOTEBOOK.name
    source.parent.mkdir(parents=True)
    source.write_bytes(NOTEBOOK.read_bytes())
    assert _nbgrader(course, "generate_assignment", CHAPTER, "--create").wait() == 0
    for file in files:
        target = course / "submitted" / Path(*file.parts[-3:])
        target.parent.mkdir(parents=True)
        target.write_bytes(file.read_bytes())
    return course


def _nbgrader(course: Path, *words: str) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "nbgrader",
        *words,
        f"--course-dir={course}",
        "--ExecutePreprocessor.timeout=300",
    ]
    paths = os.pathsep.join(filter(None, (str(NOTEBOOK.parent.parent), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": paths, "MPLBACKEND": "agg", "FMKIT_PROGRESS": "session"}
    environment["PATH"] = os.pathsep.join(
        (str(Path(sys.executable).parent), os.environ["PATH"])
    )  # for alembic
    environment |= {"JUPYTER_CONFIG_DIR": str(course / "config"), "JUPYTER_DATA_DIR": str(course / "data")}
    with open(course / f"{words[0]}.log", "w") as log:
        return subprocess.Popen(command, cwd=course, env=environment, stdout=log, stderr=log)


def _scores(course: Path):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for student in (course / "submitted").iterdir():
            yield student.name, book.find_submission(CHAPTER, student.name).score


def own_work() -> float:
    """CPU seconds that the right answers of the chapter take on their inputs."""
    began = time.process_time()
    for exercise in exercises.load("backprop"):
        run_answer(exercise.reference, make_cases(exercise, 1))
    return time.process_time() - began


def memory(files: list[Path], folder: Path) -> None:
    """Grade a thousand, and print the largest memory of this process and of those that grade."""
    every = [files[i % len(files)] for i in range(1000)]
    jobs = [
        {"student": f"s{i}", "chapter": CHAPTER, "file": f, "notebook": NOTEBOOK} for i, f in enumerate(every)
    ]
    for done, _ in enumerate(grade_batch(jobs, PROCESSES, folder / "thousand.jsonl"), start=1):
        if done in (100, 500, 1000):
            pids = [os.getpid(), *_children(os.getpid())]
            print(
                f"memory after {done:4}: {sum(map(_peak, pids)) / 1024:.0f} MB in {len(pids)} processes",
                flush=True,
            )


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def told(name: str, spent: dict, count: int) -> float:
    """Print one row; how many submissions a second."""
    exact = "" if spent["exact"] else " (without the sandbox's own)"
    each, cpu = spent["seconds"] / count, spent["cpu"] / count
    print(f"{name:9} {count:4} submissions   {each:7.3f} s each   {cpu:7.3f} CPU-s each{exact}", flush=True)
    return 1 / each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="submissions (default: 100)")
    parser.add_argument("--sample", type=int, default=8, help="how many of them nbgrader grades (default: 8)")
    parser.add_argument("--all", action="store_true", help="all of them for nbgrader too; takes long")
    parser.add_argument("--memory", action="store_true", help="a thousand submissions, without nbgrader")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fmkit-grading-") as name:
        folder = Path(name)
        files = submissions(folder / "submitted", options.count)
        if options.memory:
            memory(files, folder)
            return
        mine = ours(files, folder)
        fast = told("fmkit", mine, len(files))
        work = own_work()
        print(
            f"the answers' own work: {work:.3f} CPU-s; overhead {mine['cpu'] / len(files) - work:.3f} CPU-s"
        )
        some = files if options.all else files[: options.sample]
        other = theirs(some, folder)
        slow = told("nbgrader", other, len(some))
        differ = {k: (v, mine["scores"][k]) for k, v in other["scores"].items() if v != mine["scores"][k]}
        print(f"scores that differ (nbgrader, fmkit): {json.dumps(differ) if differ else 'none'}")
    print(f"ratio {fast / slow:.1f}")


if __name__ == "__main__":
    main()
