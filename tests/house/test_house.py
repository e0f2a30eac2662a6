"""The house rules: who may import whom, what is light, how long a file may be."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from helpers.paths import ROOT

PACKAGE = ROOT / "fmkit"

# The reference: NumPy only. A module uses only what its own chapter or an earlier one introduces.
CHAPTER = {
    "text": 1,
    "tokenizers": 1,
    "wordpiece": 1,
    "batching": 1,
    "images": 1,
    "metrics": 1,
    "activations": 2,
    "losses": 3,
    "layers": 4,
    "params": 4,
    "optimizers": 5,
    "attention": 6,
    "transformer": 6,
    "bert": 6,
    "training": 7,
    "ngram": 7,
    "adapters": 8,
    "decoding": 9,
    "generation": 9,
    "llama": 9,
}
# Beside the reference: used in any chapter.
TOOLS = {
    "_types",
    "_files",
    "assets",
    "_archives",
    "datasets",
    "crosscheck",
    "torch_models",
    "huggingface",
    "pretrained",
    "shipped",
    "recipes",
    "torch_muon",
    "torch_speedrun",
    "checkpoints",
    "corpus",
    "exporting",
    "parallel",
    "pretraining",
    "baselines",
    "finetuning",
    "finetuning_data",
    "multitask",
    "sentence_vectors",
    "torch_adapters",
}
# What the command is made of: no other module imports it.
COMMAND = {"cli", "__main__", "doctor", "workspace", "finetune_command"}
FOLDERS = {"cases", "lab", "course", "book"}

HEAVY = (
    "torch",
    "transformers",
    "matplotlib",
    "IPython",
    "sklearn",
    "pandas",
    "scipy",
    "ipywidgets",
    "nbformat",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Its place below fmkit: "layers", "lab.check", "lab" for lab/__init__.py, "" for fmkit/__init__.py."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


@cache
def imports(source: str) -> frozenset[str]:
    """Full names of everything a piece of Python imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def own(source: str) -> set[str]:
    """Which parts of fmkit a piece of Python imports: "layers", "lab.check.hint", ..."""
    return {name.removeprefix("fmkit.") for name in imports(source) if name.startswith("fmkit.")}


def others(source: str) -> set[str]:
    """Which packages, neither ours nor Python's own, a piece of Python imports."""
    return {name.split(".")[0] for name in imports(source)} - sys.stdlib_module_names - {"fmkit"}


def test_every_module_has_its_place():
    top = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    unknown = top - set(CHAPTER) - TOOLS - COMMAND
    assert not unknown, f"say in tests/test_house.py where these belong: {sorted(unknown)}"
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == FOLDERS


@pytest.mark.parametrize("name", CHAPTER)
def test_the_reference_is_numpy_and_earlier_chapters(name):
    if not (PACKAGE / f"{name}.py").exists():
        pytest.skip("not written yet")
    source = (PACKAGE / f"{name}.py").read_text("utf-8")
    assert others(source) <= {"numpy", "jaxtyping"}
    for part in own(source):
        part = part.split(".")[0]
        if part in ("_types", "_moved"):  # names of types, and of what moved: they import nothing of ours
            continue
        assert part in CHAPTER, f"{name} imports fmkit.{part}"
        assert CHAPTER[part] <= CHAPTER[name], f"{name} imports the later {part}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_who_imports_whom(path):
    name = name_of(path)
    home = name.split(".")[0]
    used = {part.split(".")[0] for part in own(path.read_text("utf-8"))}
    forbidden = {
        "cases": {"lab", "course", "book"} | COMMAND,
        "lab": {"course", "book"} | COMMAND,
        "course": {"book"} | COMMAND,
        "book": COMMAND,  # it shows the student version, which course makes
    }.get(home, {"lab", "course", "book"} | COMMAND)
    if home in COMMAND:
        forbidden = {"cli"} if home != "__main__" else set()
    assert not used & forbidden, f"{name} imports {sorted(used & forbidden)}"


@pytest.mark.parametrize(
    "names",
    [
        "fmkit",
        "fmkit.command.cli",
        "fmkit.data.datasets, fmkit.data.assets",
        ", ".join(f"fmkit.{name}" for name in CHAPTER if (PACKAGE / f"{name}.py").exists()),
        "fmkit.twins.crosscheck, fmkit.data.pretrained",
        "fmkit.lab",
    ],
)
def test_what_is_light_stays_light(names):
    program = f"import sys, {names}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == []


def test_the_command_does_without_numpy():
    program = "import sys, fmkit, fmkit.command.cli; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def python_files() -> list[Path]:
    return sorted(p for folder in ("fmkit", "tests", "benchmarks") for p in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", python_files(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_files_and_functions_are_short(path):
    source = path.read_text("utf-8")
    lines = len(source.splitlines())
    assert lines < 400, "split it"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            lines = node.end_lineno - node.lineno + 1
            if doc := ast.get_docstring(node, clean=False):
                lines -= len(doc.splitlines())
            assert lines <= 60, f"{node.name} has {lines} lines without its docstring"


def texts() -> list[Path]:
    ours = [
        *ROOT.glob("*.*"),
        *(p for f in ("fmkit", "notebooks", "benchmarks", "docs") for p in (ROOT / f).rglob("*")),
    ]
    kinds = {".py", ".md", ".toml", ".yml", ".txt", ".ipynb", ".css", ".js"}
    return sorted(
        p
        for p in ours
        if p.suffix in kinds
        and "vendor" not in p.parts
        and not any(part.startswith(".") for part in p.parts[1:])
    )


def written(path: Path) -> str:
    """What someone wrote: of a notebook its cells, not its pictures."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def test_nothing_is_left_to_do():
    left = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in texts()
        for line in written(path).splitlines()
        if re.search(r"\b(TODO|FIXME|XXX)\b", line)
    ]
    assert not left


def notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))


@pytest.mark.parametrize("path", notebooks(), ids=lambda p: p.stem)
def test_a_notebook_imports_only_from_its_own_and_earlier_chapters(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    source = "\n".join(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell, flags=re.M) for cell in code)
    for part in own(source):
        part = part.split(".")[0]
        assert part in set(CHAPTER) | TOOLS | {"lab"}, f"fmkit.{part} is not for notebooks"
        assert CHAPTER.get(part, 0) <= int(path.name[:2]), f"fmkit.{part} comes in chapter {CHAPTER[part]}"
