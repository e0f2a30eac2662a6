"""Many submissions: no kill hurts the journal, no job is graded twice or lost; a cluster does the same."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from helpers import submissions as s
from helpers.grading import needs_sandbox
from helpers.paths import ROOT

from fmkit.course.grading import pool
from fmkit.course.grading.batch import grade_batch
from fmkit.course.grading.journal import Journal, read_journal
from fmkit.errors import ChapterError, JournalError, SandboxError


def jobs_in(folder, count=6):
    """Submissions of every sort: every third wrong, every fifth unreadable."""
    jobs = []
    for number in range(count):
        notebook = s.inside("return None") if number % 3 == 1 else s.solved()
        file = folder / f"student {number}" / "p1 (1).ipynb"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"{" if number % 5 == 4 else s.data_of(notebook))
        jobs.append({"student": f"student {number}", "chapter": "04", "file": file, "notebook": s.NOTEBOOK})
    return jobs


def without_times(results):
    """Results by student, without what differs from run to run."""
    table = {}
    for result in results:
        assert result["student"] not in table, "graded twice"
        result = json.loads(json.dumps(result)) | {"seconds": 0}
        for entry in result["exercises"].values():
            entry["seconds"] = 0
        table[result["student"]] = result
    return table


def same_seed(journal, copy):
    """A journal of a run that begins as another one did."""
    copy.write_text(journal.read_text().splitlines()[0] + "\n")
    return copy


# --- the journal -------------------------------------------------------------------------------------------


def result_of(student, score=1.0):
    return {"student": student, "chapter": "04", "score": score}


def test_a_journal_remembers(tmp_path):
    path = tmp_path / "new" / "journal.jsonl"
    with Journal(path) as journal:
        seed = journal.seed
        journal.add(("04", "ada"), result_of("ada"))
    with Journal(path) as journal:
        assert journal.seed == seed and seed > 2**64
        assert journal.done == {("04", "ada"): result_of("ada")}
    assert path.stat().st_mode & 0o077 == 0, "the seed is a secret"


def test_a_line_cut_off_at_any_byte_is_as_if_never_written(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(("04", "ada"), result_of("ada"))
        journal.add(("04", "bob"), result_of("bob"))
    whole = path.read_bytes()
    begin = whole.rstrip(b"\n").rindex(b"\n") + 1
    for cut in range(begin, len(whole)):
        path.write_bytes(whole[:cut])
        with Journal(path) as journal:
            assert list(journal.done) == [("04", "ada")]
            journal.add(("04", "eve"), result_of("eve"))
        assert [r["student"] for r in read_journal(path)] == ["ada", "eve"]


def test_a_damaged_line_costs_that_line_only(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for name in ("ada", "bob", "eve"):
            journal.add(("04", name), result_of(name))
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"\xff\x00" * 10
    path.write_bytes(b"\n".join(lines))
    assert [r["student"] for r in read_journal(path)] == ["ada", "eve"]
    with Journal(path) as journal:
        assert len(journal.done) == 2


def test_again_keeps_the_old_result_until_there_is_a_new_one(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        first = journal.seed
        journal.add(("04", "ada"), result_of("ada"))
        journal.add(("04", "bob"), result_of("bob"))
        journal.begin_again([("04", "ada")])
        assert journal.seed != first and list(journal.done) == [("04", "bob")]
    assert [r["score"] for r in read_journal(path)] == [1.0, 1.0]
    with Journal(path) as journal:
        assert list(journal.done) == [("04", "bob")]
        journal.add(("04", "ada"), result_of("ada", 2.0))
    assert [r["score"] for r in read_journal(path)] == [2.0, 1.0]


def test_one_run_at_a_time(tmp_path):
    with (
        Journal(tmp_path / "j"),
        pytest.raises(JournalError, match="another grading run"),
        Journal(tmp_path / "j"),
    ):
        pass


def test_another_file_is_not_a_journal(tmp_path):
    for text in ('{"cells": []}\n', "notes\n", '{"seed": "zz"}\n', '{"seed": 3}\n', '{"seed": "1"}\n'[1:]):
        (tmp_path / "j").write_text(text)
        with pytest.raises(JournalError, match="is not the journal"), Journal(tmp_path / "j"):
            pass
        assert (tmp_path / "j").read_text() == text
    assert read_journal(tmp_path / "none") == []


# --- batches -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_batch_is_graded_once(tmp_path):
    jobs, told = jobs_in(tmp_path / "in"), []
    options = {"n_jobs": 2, "journal_path": tmp_path / "j", "unsafe": True}
    first = list(grade_batch(jobs, **options, progress=lambda *a: told.append(a[:2])))
    assert told == [(i + 1, 6) for i in range(6)]
    assert [without_times(first)[f"student {i}"]["score"] for i in range(6)] == [29, 27, 29, 29, 0, 29]
    size = (tmp_path / "j").stat().st_size
    assert without_times(grade_batch(jobs, **options)) == without_times(first)
    assert (tmp_path / "j").stat().st_size == size, "nothing was graded again"
    jobs[4]["file"].write_bytes(s.data_of(s.solved()))  # handed in anew: only this one is graded
    assert without_times(grade_batch(jobs, **options))["student 4"]["score"] == 29
    again = list(grade_batch(jobs[:1], **options, again=True))
    assert again[0]["score"] == 29
    assert len(read_journal(tmp_path / "j")) == 6


@pytest.mark.slow
@needs_sandbox
def test_killed_at_any_moment_it_goes_on(tmp_path):
    jobs = jobs_in(tmp_path / "in", 10)
    journal, other = tmp_path / "j", tmp_path / "k"
    program = (
        "import json, sys; from fmkit.course.grading.batch import grade_batch\n"
        "for result in grade_batch(json.loads(sys.argv[1]), 2, sys.argv[2]): pass"
    )
    told = json.dumps([{k: str(v) for k, v in job.items()} for job in jobs])
    for lines in (1, 4, 7):  # killed after so many
        run = subprocess.Popen([sys.executable, "-c", program, told, str(journal)], cwd=ROOT)
        while run.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") <= lines):
            time.sleep(0.01)
        run.kill()
        run.wait()
    before = journal.read_bytes()
    results = without_times(grade_batch(jobs, 2, journal))
    assert journal.read_bytes().startswith(before[: before.rindex(b"\n")])
    keys = [str(json.loads(line).get("key")) for line in journal.read_text().splitlines()[1:]]
    assert len(keys) == len(set(keys)) == 10
    assert results == without_times(grade_batch(jobs, 2, same_seed(journal, other)))


@pytest.mark.slow
def test_a_grading_process_that_dies_costs_nothing(tmp_path, monkeypatch):
    jobs = jobs_in(tmp_path / "in", 4)
    killed = []
    give = pool._Worker.give

    def give_and_kill(self, job):
        give(self, job)
        if not killed:
            killed.append(self.process.pid)
            os.kill(self.process.pid, signal.SIGKILL)

    monkeypatch.setattr(pool._Worker, "give", give_and_kill)
    results = without_times(grade_batch(jobs, 1, tmp_path / "j", unsafe=True))
    assert killed and [results[f"student {i}"]["score"] for i in range(4)] == [29, 27, 29, 29]


@pytest.mark.slow
def test_a_job_that_kills_every_process_is_told_as_crashed(tmp_path, monkeypatch):
    jobs = jobs_in(tmp_path / "in", 3)
    give = pool._Worker.give

    def give_and_kill(self, job):
        give(self, job)
        if job[1]["student"] == "student 0":
            self.process.kill()

    monkeypatch.setattr(pool._Worker, "give", give_and_kill)
    results = without_times(grade_batch(jobs, 2, tmp_path / "j", unsafe=True))
    assert results["student 0"]["status"] == "crashed" and "grading failed" in results["student 0"]["reason"]
    assert results["student 0"]["max_score"] == 29 and results["student 0"]["score"] == 0
    assert results["student 1"]["score"] == 27 and results["student 2"]["score"] == 29


def test_no_sandbox_no_grading(tmp_path, monkeypatch):
    from fmkit.course.sandbox import confinement
    from fmkit.course.sandbox import process as sandbox

    sandbox.require.cache_clear()
    monkeypatch.setattr(confinement.shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match=r"bwrap.*--unsafe"):
        list(grade_batch(jobs_in(tmp_path / "in", 1), 1, tmp_path / "j"))
    assert not (tmp_path / "j").exists()
    monkeypatch.setattr(confinement.sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="runs on Linux only, and this is darwin"):
        list(grade_batch(jobs_in(tmp_path / "in 2", 1), 1, tmp_path / "j"))
    sandbox.require.cache_clear()


def test_a_chapter_that_cannot_be_judged_is_told_at_once(tmp_path):
    notebook = s.solved()
    del s.cell_of(notebook, f"{s.NEURON}-check")["metadata"]["nbgrader"]["grade_id"]
    (tmp_path / "04.ipynb").write_text(json.dumps(notebook))
    job = {"student": "ada", "chapter": "04", "file": s.NOTEBOOK, "notebook": tmp_path / "04.ipynb"}
    with pytest.raises(ChapterError, match="a cell to grade or to answer has no id"):
        list(grade_batch([job], 1, tmp_path / "j", unsafe=True))


@pytest.mark.slow
@needs_sandbox
def test_a_cluster_gives_the_same_also_when_a_worker_is_killed(tmp_path):
    distributed = pytest.importorskip("distributed")
    jobs = jobs_in(tmp_path / "in", 8)
    here = without_times(grade_batch(jobs, 2, tmp_path / "j"))
    cluster = distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, silence_logs=50)
    with cluster, distributed.Client(cluster) as client:
        there, first = [], True
        for result in grade_batch(jobs, None, same_seed(tmp_path / "j", tmp_path / "k"), client):
            there.append(result)
            if first:
                first = False
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        assert without_times(there) == here
        address = cluster.scheduler_address
        assert without_times(grade_batch(jobs, None, tmp_path / "k", address)) == here


@pytest.mark.slow
@needs_sandbox
def test_a_thousand_submissions_take_no_more_memory_than_a_hundred(tmp_path):
    job = jobs_in(tmp_path / "in", 1)[0]
    jobs = [job | {"student": f"student {i}"} for i in range(1000)]
    peak = {}
    for done, result in enumerate(grade_batch(jobs, 2, tmp_path / "j"), start=1):
        assert result["score"] == 29
        peak[done] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak[1000] < peak[100] * 1.2
