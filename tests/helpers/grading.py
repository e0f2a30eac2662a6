"""Grade submissions by kind, where there is a sandbox."""

import pytest

from fmkit.course.grading.batch import grade_batch
from fmkit.course.sandbox.process import require
from fmkit.errors import SandboxError
from helpers import submissions as s

try:
    require()
    NO_SANDBOX = ""
except SandboxError as error:
    NO_SANDBOX = str(error)

needs_sandbox = pytest.mark.skipif(bool(NO_SANDBOX), reason=NO_SANDBOX)


def grade(kinds, folder, limits, **options):
    """Grade a batch of one submission a kind: name -> result."""
    jobs = []
    for number, (name, kind) in enumerate(kinds.items()):
        file = folder / f"s{number}" / "04-backprop.ipynb"
        file.parent.mkdir()
        file.write_bytes(s.data_of(kind.make()))
        jobs.append({"student": name, "chapter": "04-backprop", "file": file, "notebook": s.NOTEBOOK})
    results = grade_batch(jobs, 2, folder / "journal.jsonl", limits=limits, **options)
    return {result["student"]: result for result in results}
