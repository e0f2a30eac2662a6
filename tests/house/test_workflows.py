"""What runs on a code host is what runs here: the workflows only call make, with targets that exist."""

import re
import tomllib

import pytest
import yaml
from helpers.paths import ROOT
from packaging.specifiers import SpecifierSet

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
JOBS = {(name, key): job for name, workflow in WORKFLOWS.items() for key, job in workflow["jobs"].items()}
STEPS = [step for job in JOBS.values() for step in job["steps"]]
RUNS = [step["run"] for step in STEPS if "run" in step]


def test_every_step_calls_make_or_prepares_the_machine():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    called = {line.removeprefix("make ") for line in RUNS if line.startswith("make ")}
    assert {"lint", "test", "book"} <= called <= targets
    assert all(line.startswith(("make ", "sudo ")) for line in RUNS)


def test_actions_are_the_hosts_own_and_their_version_is_named():
    for step in STEPS:
        assert "run" in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]), step


def test_only_the_book_may_write_and_only_pages():
    rights = {name: workflow["permissions"] for name, workflow in WORKFLOWS.items()}
    assert rights == {
        "book": {"contents": "read", "pages": "write", "id-token": "write"},
        "test": {"contents": "read"},
    }


@pytest.mark.parametrize("name", JOBS, ids="-".join)
def test_every_job_ends(name):
    assert JOBS[name]["timeout-minutes"] <= 90


def test_the_lowest_python_is_tested():
    pythons = JOBS["test", "test"]["strategy"]["matrix"]["python"]
    required = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert all(isinstance(version, str) for version in pythons), "3.10 without quotes is 3.1"
    assert required == f">={pythons[0]}" and all(map(SpecifierSet(required).contains, pythons))


def test_the_book_that_is_published_is_the_one_that_make_builds():
    (upload,) = [step for step in STEPS if step.get("uses", "").startswith("actions/upload-pages-artifact")]
    built = tomllib.loads((ROOT / "book.toml").read_text("utf-8"))["build"]["build-dir"]
    assert upload["with"]["path"] == built
