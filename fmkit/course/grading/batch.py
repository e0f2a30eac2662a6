"""Grade many submissions: in processes here or on a dask cluster, with a journal that survives a kill."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from fmkit.course.chapter import read_chapter
from fmkit.course.grading import pool
from fmkit.course.grading.journal import Journal
from fmkit.course.sandbox import process as sandbox
from fmkit.course.submission import Unreadable, digest, read_bytes
from fmkit.lab import exercises
from fmkit.lab.judging import own


def grade_batch(
    jobs: Iterable[dict],
    n_jobs: int | None = None,
    journal_path: str | Path = "journal.jsonl",
    cluster: Any = None,
    again: bool = False,
    progress: Callable[[int, int, dict], None] | None = None,
    limits: sandbox.Limits = sandbox.DEFAULT,
    unsafe: bool = False,
) -> Iterator[dict]:
    """Grade jobs, each once; yields their results, first those that the journal holds already.

    Parameters
    ----------
    jobs : iterable of dict
        ``student``, ``chapter`` (any name), ``file`` (the submission), ``notebook`` (the chapter's).
    n_jobs : int, optional
        Processes; as many as there are cores, if not given.
    journal_path : path
        See `grading.journal`. A job is done when the journal holds a result for the same student,
        chapter, content of the submission, of the chapter's notebook and of the course's own exercises in it.
    cluster : str or distributed.Client, optional
        Address of a dask scheduler, whose workers then grade.
    again : bool
        Grade these jobs again, with other inputs.
    progress : callable, optional
        ``progress(done, total, result)`` after each.
    limits : Limits
    unsafe : bool
        Without the sandbox.

    Yields
    ------
    dict
        See `fmkit.course.grading.grade`.

    Raises
    ------
    SandboxError
        Before anything is graded, when there is no sandbox here.
    JournalError
        When another run has the journal open.
    ChapterError, LookupError, OSError
        When a chapter's notebook cannot be read, or asks for an exercise that does not exist.
    """
    named = {_key(job): job for job in jobs}
    if cluster is None and named:
        sandbox.require(unsafe)
    with Journal(journal_path) as journal:
        if again:
            journal.begin_again(list(named))
        done, total = 0, len(named)
        todo = {key: job for key, job in named.items() if key not in journal.done}
        for key in named:
            if key in journal.done:
                done += 1
                yield _told(progress, done, total, journal.done[key])
        full = {key: pool.as_job(job, journal.seed, limits, unsafe) for key, job in todo.items()}
        for key, result in _results(full, n_jobs, cluster):
            journal.add(key, result)
            done += 1
            yield _told(progress, done, total, result)


def _told(progress, done, total, result) -> dict:
    if progress:
        progress(done, total, result)
    return result


def _results(full, n_jobs, cluster):
    if cluster is None:
        return pool.run_jobs(full, n_jobs or os.cpu_count() or 1)
    from fmkit.course.grading.cluster import run_on_cluster

    return run_on_cluster(full, cluster)


def _key(job) -> tuple[str, str, str, str]:
    """What makes a job this job and no other; its chapter is checked on the way."""
    chapter = read_chapter(job["notebook"])
    asks = chapter.sha256
    for asked in chapter.asked:
        exercises.get(asked.exercise, asked.own)
        if theirs := own.digest(asked.exercise, asked.own):
            asks = hashlib.sha256(f"{asks} {theirs}".encode()).hexdigest()
    try:
        content = digest(read_bytes(job["file"]))
    except Unreadable as error:
        content = str(error)
    return str(job["chapter"]), str(job["student"]), content, asks
