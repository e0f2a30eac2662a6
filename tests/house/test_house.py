"""The house rules that no tool checks; a failing test names every place at once."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import NOTEBOOKS, ROOT

import fmkit

PACKAGE = ROOT / "fmkit"
READING_ORDER = {  # the reference, from the package's docstring: module -> the chapter that introduces it
    name: int(chapter) for name, chapter in re.findall(r"^(\w+) +\(chapter (\d\d)\)", fmkit.__doc__, re.M)
}
FOR_NOTEBOOKS = {"data", "lab", "runs", "twins"}  # rooms that every chapter may use
HEAVY = [
    "torch",
    "transformers",
    "matplotlib",
    "IPython",
    "sklearn",
    "pandas",
    "scipy",
    "ipywidgets",
    "nbformat",
]


def imports(source: str) -> set[str]:
    """Full names of everything that a piece of Python imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_reading_order_names_every_module_of_the_reference():
    assert {path.stem for path in PACKAGE.glob("[!_]*.py")} - {"errors"} == set(READING_ORDER)
    assert list(READING_ORDER.values()) == sorted(READING_ORDER.values())


def test_the_reference_is_numpy_only():
    foreign = {}
    for name in READING_ORDER:
        used = {i.split(".")[0] for i in imports((PACKAGE / f"{name}.py").read_text("utf-8"))}
        foreign[name] = used - sys.stdlib_module_names - {"fmkit", "numpy", "jaxtyping"}
    assert not {name: used for name, used in foreign.items() if used}


def test_a_module_uses_only_what_stands_before_it_in_reading_order():
    late = []  # _moved: the names of what has moved, for one release
    read = {"_types", "_shapes", "_values", "_moved"}
    for name in READING_ORDER:
        used = imports((PACKAGE / f"{name}.py").read_text("utf-8"))
        late += [
            f"{name} imports {i}" for i in used if i.startswith("fmkit.") and i.split(".")[1] not in read
        ]
        read.add(name)
    assert not late


def test_every_public_function_and_class_of_the_reference_has_an_example():
    """pytest --doctest-modules runs what stands there."""
    without = [
        f"{name}.{node.name}"
        for name in READING_ORDER
        for node in ast.parse((PACKAGE / f"{name}.py").read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if not re.search(r"^Examples\n-{8}\n(.+\n)*>>> ", ast.get_docstring(node) or "", re.M)
    ]
    assert not without


def test_a_notebook_imports_only_from_its_own_and_earlier_chapters():
    wrong = []
    for path in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        source = "\n".join(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell, flags=re.M) for cell in code)
        for part in {i.split(".")[1] for i in imports(source) if i.startswith("fmkit.")}:
            if part not in READING_ORDER and part not in FOR_NOTEBOOKS:
                wrong.append(f"{path.name}: fmkit.{part} is not for notebooks")
            elif READING_ORDER.get(part, 0) > int(path.name[:2]):
                wrong.append(f"{path.name}: fmkit.{part} comes in chapter {READING_ORDER[part]}")
    assert not wrong


@pytest.mark.parametrize(
    "names",
    [
        "fmkit, fmkit.command.cli",
        "fmkit.data.datasets, fmkit.data.assets, fmkit.data.pretrained",
        ", ".join(f"fmkit.{name}" for name in READING_ORDER),
        "fmkit.twins.crosscheck, fmkit.lab",
        "fmkit.course.commands, fmkit.course.grading.pool, fmkit.course.grading.marking, fmkit.course.report",
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
        and not any(part.startswith(".") for part in p.relative_to(ROOT).parts)
    )


def written(path: Path) -> str:
    """What someone wrote: of a notebook its cells, not its pictures."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def test_nothing_is_left_to_do():
    assert len(texts()) > 100
    left = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in texts()
        for line in written(path).splitlines()
        if re.search(r"\b(TODO|FIXME|XXX)\b", line)
    ]
    assert not left


def test_contributing_prints_the_tree_as_it_is():
    """Every room and every file of the reference has its line, and no line is without one."""
    block = re.search(r"```\nfmkit/\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.S)[1]
    said = {name for line in block.splitlines() for name in re.findall(r"^ +([\w/]+)/ ", line)}
    rooms = {
        path.parent.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("__init__.py")
        if path.parent != PACKAGE and "exercises/" not in path.parent.as_posix()
    }
    assert said == rooms
    top = set(re.search(r"^ +reference: (.*?)(?=^ +\w+/)", block, re.S | re.M)[1].split())
    assert top == set(READING_ORDER)
