"""One list of dependencies: pyproject.toml. environment.yml, constraints.txt and the imports keep to it."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from helpers.paths import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
CORE = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
EXTRAS = {extra: list(map(Requirement, lines)) for extra, lines in PROJECT["optional-dependencies"].items()}
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
CONDA = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
PINS = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), flags=re.M))

# conda-forge's name -> the package index's
RENAMED = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
# imported as -> declared as, where they differ
DECLARED = {
    "PIL": "pillow",
    "IPython": "ipython",
    "distributed": "dask",  # dask[distributed]
    "jupyter_core": "jupyter-client",  # which is built on it
    "markupsafe": "jinja2",  # which is built on it
    "nbconvert": "nbgrader",  # which is built on these two
    "networkx": "torch",  # which is built on it
    "sqlalchemy": "nbgrader",
    "mpl_toolkits": "matplotlib",
    "rattler": "py-rattler",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def conda_dependencies():
    for line in CONDA:
        name, _, bounds = line.partition(" ")
        if name not in ("python", "pip"):
            yield name, SpecifierSet(bounds)


def test_environment_installs_this_very_package():
    assert ENVIRONMENT["name"] == PROJECT["name"]
    assert ENVIRONMENT["channels"] == ["conda-forge"]
    assert [part for part in ENVIRONMENT["dependencies"] if not isinstance(part, str)] == [{"pip": ["-e ."]}]
    assert "pip" in CONDA


def test_environment_and_pyproject_have_the_same_bounds():
    for name, specifier in conda_dependencies():
        package = canonicalize_name(RENAMED.get(name, name))
        assert package in CORE, f"{name} is not a dependency of the kit"
        assert specifier == CORE[package].specifier, name


def test_binder_understands_which_python():
    """repo2docker reads this form only; for any other it begins with an old Python of its own choice."""
    (version,) = [m[1] for line in CONDA if (m := re.fullmatch(r"python =(3\.\d+)", line))]
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


def test_environment_has_the_heavy_ones_from_conda():
    assert {"pytorch-cpu", "numpy", "scikit-learn", "transformers", "jupyterlab"} <= {
        n for n, _ in conda_dependencies()
    }


def test_conda_understands_every_line():
    rattler = pytest.importorskip("rattler", reason="py-rattler reads conda's specifications")
    assert CONDA and not [line for line in CONDA if rattler.MatchSpec(line).name is None]
    with pytest.raises(Exception, match="unable to parse"):
        rattler.MatchSpec("numpy >=2.0,<<3")  # it does reject what is wrong


def test_binder_fetches_the_data_and_lays_out_the_chapters(tmp_path):
    (tmp_path / "fmkit").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "fmkit").chmod(0o755)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "HOME": str(tmp_path)}
    env.pop("FMKIT_WORKSPACE", None)
    subprocess.run([ROOT / "postBuild"], cwd=ROOT, env=env, check=True)
    assert (tmp_path / "asked").read_text() == "fetch\n"
    found = {path.name: path.read_text("utf-8") for path in (tmp_path / "fmkit-workspace").glob("*.ipynb")}
    assert set(found) == {path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")}
    assert not any("BEGIN SOLUTION" in text for text in found.values())


def test_what_was_tried_is_within_the_range():
    everything = [*CORE.values(), *sum(EXTRAS.values(), [])]
    pins = {r.name: PINS.get(canonicalize_name(r.name)) for r in everything}
    assert not [name for name, pin in pins.items() if pin is None], "constraints.txt does not pin these"
    assert not [r for r in everything if not r.specifier], "without any bound"
    assert not [f"{r}, tried: {pins[r.name]}" for r in everything if not r.specifier.contains(pins[r.name])]


def test_the_pins_are_for_the_lowest_python_too():
    lowest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    seen = 0
    for found in importlib.metadata.distributions():
        needs = found.metadata.get("Requires-Python")
        if needs and PINS.get(canonicalize_name(found.metadata["Name"])) == found.version:
            assert SpecifierSet(needs).contains(lowest), f"{found.name} {found.version} needs Python {needs}"
            seen += 1
    assert seen > 20


def test_every_line_of_the_constraints_is_a_pin():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == len(PINS) and list(PINS) == sorted(PINS)
    assert "+" not in PINS["torch"], "a build for one kind of machine only"


def imported(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in names:
                yield name.split(".")[0], path.relative_to(ROOT)


def test_every_import_is_declared():
    allowed = {"fmkit": set(CORE) | {canonicalize_name(r.name) for r in EXTRAS["course"]}}
    allowed["tests"] = allowed["fmkit"] | {canonicalize_name(r.name) for r in EXTRAS["test"]}
    undeclared = [
        f"{path} imports {name}"
        for folder, packages in allowed.items()
        for name, path in imported(folder)
        if name not in sys.stdlib_module_names | {"fmkit", "helpers"}
        and canonicalize_name(DECLARED.get(name, name)) not in packages
    ]
    assert not undeclared


def test_every_folder_of_the_package_is_packed():
    found = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "fmkit").rglob("__init__.py")}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == found | {"fmkit.notebooks"}


def test_the_version_is_one():
    import fmkit

    assert fmkit.__version__ == PROJECT["version"]


def test_a_wheel_carries_all_that_the_package_reads(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("fmkit", "notebooks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        packed.extractall(tmp_path / "installed")
    chapters = [p.name for p in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))]
    weights = {f"fmkit/data/weights/shakespeare.{kind}" for kind in ("json", "safetensors")}
    assert {"fmkit/data/assets.txt", *weights, *(f"fmkit/notebooks/{name}" for name in chapters)} <= set(
        names
    )
    assert not [name for name in names if name.startswith(("tests", "notebooks", "benchmarks"))]
    there = {p.relative_to(source).as_posix() for p in (source / "fmkit").rglob("*") if p.is_file()}
    assert there <= set(names), "pyproject.toml leaves out of the package what lies in its folders"
    program = (
        "from fmkit.chapters.find import chapters; from fmkit.data import assets; assets.pin\n"
        "print(*(path.name for path in chapters()))"
    )
    env = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == chapters
