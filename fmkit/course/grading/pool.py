"""Processes that grade, each one submission at a time. If one dies, that costs one try of one submission.

Run as a program, this module is such a process: a line of JSON comes in for each job, a line goes out.
"""

import contextlib
import dataclasses
import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from fmkit.course.grading import grade
from fmkit.course.sandbox import staging
from fmkit.course.sandbox.process import Limits
from fmkit.course.sandbox.watch import SLOWEST

TRIES = 2
_SLACK = 120.0  # seconds that the judging of one submission may take beside its answers


def run_jobs(jobs: dict[Any, dict], n_jobs: int) -> Iterator[tuple[Any, dict]]:
    """Grade jobs (see `grade_job`) in ``n_jobs`` processes; yields (name, result) as they finish.

    Whatever happens to a process, each job gets one result.
    """
    waiting = deque((name, job, 1) for name, job in jobs.items())
    workers = [_Worker() for _ in range(min(n_jobs, len(jobs)))]
    try:
        while waiting or any(worker.job for worker in workers):
            for worker in workers:
                if worker.job is None and waiting:
                    worker.give(waiting.popleft())
            for name, job, tries, result, error in _finished(workers):
                if result is None and tries < TRIES:
                    waiting.append((name, job, tries + 1))
                else:
                    yield name, result or failed(job, error)
    finally:
        for worker in workers:
            worker.end()


def failed(job: dict, error: str) -> dict:
    """The result of a job that the machine, not the answer, brought down."""
    from fmkit.course.chapter import read_chapter

    asked = read_chapter(job["notebook"]).asked
    entries = {a.check_id: grade._entry(a, "crashed", message="It was not graded.") for a in asked}
    result = {"student": job["student"], "chapter": job["chapter"], "file": str(job["file"]), "sha256": ""}
    result |= {"status": "crashed", "reason": f"grading failed: {error}", "texts": {}}
    return grade._finish(result, entries, time.monotonic())


def grade_job(job: dict) -> dict:
    """Grade one job: ``student``, ``chapter``, ``file``, ``notebook``, ``seed``, ``limits``, ``unsafe``,
    maybe ``data``.

    ``data`` are the submission's bytes, where the file itself is out of reach.
    """
    return grade.grade_submission(
        job.get("data", job["file"]),
        job["notebook"],
        job["seed"],
        student=job["student"],
        chapter=job["chapter"],
        file=str(job["file"]),
        limits=Limits(**job["limits"]),
        unsafe=job["unsafe"],
    )


class _Worker:
    """A process that grades, and its present job."""

    def __init__(self):
        self.process = None
        self.job = None

    def give(self, job) -> None:
        if self.process is None:
            path = os.pathsep.join(filter(None, (str(staging.PACKAGE.parent), os.environ.get("PYTHONPATH"))))
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fmkit.course.grading.pool"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path, staging.SHARED: str(staging.stage())},
            )
            self.received = bytearray()
        self.job = job
        longest = job[1]["limits"]["submission_seconds"] / SLOWEST
        self.deadline = time.monotonic() + longest + _SLACK
        with contextlib.suppress(OSError):  # it has died: its end is seen when reading
            self.process.stdin.write(json.dumps(job[1]).encode() + b"\n")
            self.process.stdin.flush()

    def take(self) -> tuple[dict | None, str] | None:
        """Result and error of the job, or None when more is to come."""
        part = os.read(self.process.stdout.fileno(), 1 << 20)
        self.received += part
        if part and not part.endswith(b"\n"):
            return None
        line, self.received = bytes(self.received), bytearray()
        try:
            reply = json.loads(line)
            return reply.get("result"), reply.get("error", "")
        except ValueError:
            code = self.end()
            return None, f"the grading process ended with code {code}"

    def end(self) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.kill()
        process.stdout.close()
        return process.wait()


def _finished(workers) -> Iterator[tuple]:
    """Wait until something happens, and yield what is finished."""
    with selectors.DefaultSelector() as selector:
        busy = [worker for worker in workers if worker.job]
        for worker in busy:
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        for key, _ in selector.select(1.0):
            if (taken := key.data.take()) is not None:
                job, key.data.job = key.data.job, None
                yield (*job, *taken)
    for worker in busy:
        if worker.job and time.monotonic() > worker.deadline:
            worker.process.kill()  # its end is seen in the next round


def main() -> None:
    """Grade the jobs that come in until there are no more."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints gets between the lines
    for line in sys.stdin.buffer:
        try:
            reply = {"result": grade_job(json.loads(line))}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:500]}
        out.write(json.dumps(reply).encode("ascii") + b"\n")
        out.flush()


def as_job(job: dict, seed: int, limits: Limits, unsafe: bool) -> dict:
    """A caller's job with all that `grade_job` needs, in JSON's types."""
    named = {key: str(job[key]) for key in ("student", "chapter", "file", "notebook")}
    return {**named, "seed": seed, "limits": dataclasses.asdict(limits), "unsafe": unsafe}


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
