"""Import lines of the last release go on for this one, and say how to write them now."""

import ast
import json
import subprocess
import sys

import pytest
from helpers.paths import ROOT

import fmkit
from fmkit import _moved

# The lines of the last release's chapters that name something at its old place.
LINES = {
    "00": ["from fmkit import datasets"],
    "01": [
        "from fmkit import batching, datasets, images, metrics, text, tokenizers",
        "from fmkit.lab import check, hint, plots, plots_preprocessing, progress, show, widgets",
        "from fmkit.lab import widgets_preprocessing",
    ],
    "02": [
        "from fmkit import activations, crosscheck, datasets",
        "from fmkit.lab import plots_activations, widgets, widgets_activations",
        "from fmkit.lab.training_activations import watch",
    ],
    "03": ["from fmkit.lab import plots_losses, show, widgets, widgets_losses"],
    "04": ["from fmkit.lab import check, plots, widgets", "plots.graph", "widgets.graph_walk"],
    "05": ["from fmkit.lab import check, hint, plots, plots_adam, progress, show, widgets_adam"],
    "06": [
        "from fmkit.lab import diagrams, plots_attention, widgets_attention",
        "from fmkit.pretrained import load_bert",
        "from fmkit.torch_models import Block",
    ],
    "07": [
        "from fmkit import crosscheck, datasets, ngram",
        "from fmkit.lab import plots_pretraining, widgets_pretraining",
        "from fmkit.lab import training_pretraining as lab",
        "from fmkit.training import batches, keep_memory, train_step",
        "from fmkit.torch_models import from_params",
        "from fmkit import recipes",
        "from fmkit.pretrained import load_shakespeare",
        "from fmkit.shipped import shakespeare_facts",
    ],
    "08": [
        "from fmkit import baselines, crosscheck, datasets, finetuning, metrics, pretrained, text",
        "from fmkit.lab import check, diagrams, hint, plots, plots_finetuning, widgets_finetuning",
    ],
    "09": [
        "from fmkit.lab import plots_generation, widgets_generation",
        "from fmkit.pretrained import load_llama",
        "from fmkit.shipped import load_shakespeare",
    ],
}

# Runs all lines, and says for each what it warned of, and where.
RUN = """
import json, sys, warnings

lines, told, names = json.load(sys.stdin), {}, {}
for i, line in enumerate(lines):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(line, f"line {i}", "exec"), names)
    ours = [w for w in caught if "fmkit" in str(w.message)]
    told[line] = [(w.category.__name__, w.filename, str(w.message)) for w in ours]
print(json.dumps(told))
"""


def python(program: str, **more) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def told() -> dict:
    """What each line warns of, all of them in one process: torch is imported once."""
    return json.loads(python(RUN, input=json.dumps([line for lines in LINES.values() for line in lines])))


def test_old_lines_work_and_each_old_name_is_told_once(told):
    said = [warning for warnings in told.values() for _, _, warning in warnings]
    assert len(said) == len(set(said)) > 25
    assert {kind for warnings in told.values() for kind, _, _ in warnings} == {"FutureWarning"}
    for i, warnings in enumerate(told.values()):
        assert {where for _, where, _ in warnings} <= {f"line {i}"}, "the learner's line is shown"


def test_the_line_to_write_works(told):
    new = [text.partition("Write: ")[2] for warnings in told.values() for _, _, text in warnings]
    assert "from fmkit.data import datasets" in new
    assert "from fmkit.lab.plots import adam as plots_adam" in new
    assert "from fmkit.lab.plots.backprop import graph" in new
    assert "from fmkit.runs.finetuning import run as finetuning" in new
    again = json.loads(python(RUN, input=json.dumps(new)))
    assert not any(again.values())


def test_the_old_name_is_the_same_module():
    old, new = "from fmkit import datasets as old", "from fmkit.data import datasets as new"
    program = f"import warnings; warnings.simplefilter('ignore'); {old}; {new}"
    assert python(f"{program}; print(old is new, new.__spec__.name)") == "True fmkit.data.datasets\n"


@pytest.mark.parametrize("new", sorted({*_moved.MODULES.values(), *_moved.NAMES}))
def test_every_new_place_is_there(new):
    assert (ROOT / new.replace(".", "/")).with_suffix(".py").exists() or (
        ROOT / new.replace(".", "/") / "__init__.py"
    ).exists()


def test_old_names_hide_nothing():
    for old in _moved.MODULES:
        assert not (ROOT / old.replace(".", "/")).with_suffix(".py").exists()
    for module, names in _moved.NAMES.items():
        source = (ROOT / module.replace(".", "/")).with_suffix(".py")
        source = source if source.exists() else source.with_suffix("") / "__init__.py"
        assert "__getattr__ = names_of(__name__)" in source.read_text("utf-8"), f"{module} does not ask"
        assert names


def test_a_name_that_never_was_is_an_error_as_ever():
    with pytest.raises(ImportError, match="cannot import name 'nonsense' from 'fmkit'"):
        from fmkit import nonsense  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match="No module named 'fmkit.nonsense'"):
        import fmkit.nonsense  # noqa: F401
    with pytest.raises(AttributeError, match="module 'fmkit.lab.plots' has no attribute 'nonsense'"):
        from fmkit.lab import plots

        plots.nonsense  # noqa: B018


def test_the_package_stays_light():
    program = "import sys; before = set(sys.modules); import fmkit; print(*sorted(set(sys.modules) - before))"
    assert set(python(program).split()) <= {"fmkit", "fmkit._moved"}
    assert fmkit.__version__


def test_nothing_of_ours_uses_an_old_name():
    """Benchmarks, too: they are not run here, but what they import is there."""
    lines = set()
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("fmkit"):
                lines.add(ast.unparse(node))
    assert len(lines) > 30
    assert not any(json.loads(python(RUN, input=json.dumps(sorted(lines)))).values())
