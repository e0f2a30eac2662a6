"""Import lines of the last release go on for this one: each says once how to write it now.

A learner's copy of a chapter keeps the lines that it was made with, such as ``from fmkit import datasets``.
"""

import importlib
import sys
import warnings
from importlib.machinery import ModuleSpec

MODULES = {
    "fmkit.assets": "fmkit.data.assets",
    "fmkit.baselines": "fmkit.runs.finetuning.baselines",
    "fmkit.checkpoints": "fmkit.runs.checkpoints",
    "fmkit.corpus": "fmkit.runs.corpus",
    "fmkit.crosscheck": "fmkit.twins.crosscheck",
    "fmkit.datasets": "fmkit.data.datasets",
    "fmkit.exporting": "fmkit.runs.exporting",
    "fmkit.finetuning": "fmkit.runs.finetuning.run",
    "fmkit.finetuning_data": "fmkit.runs.finetuning.data",
    "fmkit.huggingface": "fmkit.twins.huggingface",
    "fmkit.multitask": "fmkit.runs.finetuning.multitask",
    "fmkit.pretrained": "fmkit.data.pretrained",
    "fmkit.pretraining": "fmkit.runs.pretraining.run",
    "fmkit.recipes": "fmkit.runs.pretraining.recipes",
    "fmkit.sentence_vectors": "fmkit.runs.finetuning.vectors",
    "fmkit.shipped": "fmkit.data.shipped",
    "fmkit.torch_adapters": "fmkit.twins.adapters",
    "fmkit.torch_models": "fmkit.twins.models",
    "fmkit.torch_muon": "fmkit.twins.muon",
    "fmkit.torch_speedrun": "fmkit.runs.pretraining.model",
    "fmkit.lab.plots_activations": "fmkit.lab.plots.activations",
    "fmkit.lab.plots_adam": "fmkit.lab.plots.adam",
    "fmkit.lab.plots_attention": "fmkit.lab.plots.attention",
    "fmkit.lab.plots_finetuning": "fmkit.lab.plots.finetuning",
    "fmkit.lab.plots_generation": "fmkit.lab.plots.generation",
    "fmkit.lab.plots_losses": "fmkit.lab.plots.losses",
    "fmkit.lab.plots_preprocessing": "fmkit.lab.plots.preprocessing",
    "fmkit.lab.plots_pretraining": "fmkit.lab.plots.pretraining",
    "fmkit.lab.training_activations": "fmkit.lab.workbench.activations",
    "fmkit.lab.training_pretraining": "fmkit.lab.workbench.pretraining",
    "fmkit.lab.widgets_activations": "fmkit.lab.widgets.activations",
    "fmkit.lab.widgets_adam": "fmkit.lab.widgets.adam",
    "fmkit.lab.widgets_attention": "fmkit.lab.widgets.attention",
    "fmkit.lab.widgets_finetuning": "fmkit.lab.widgets.finetuning",
    "fmkit.lab.widgets_generation": "fmkit.lab.widgets.generation",
    "fmkit.lab.widgets_losses": "fmkit.lab.widgets.losses",
    "fmkit.lab.widgets_preprocessing": "fmkit.lab.widgets.preprocessing",
    "fmkit.lab.widgets_pretraining": "fmkit.lab.widgets.pretraining",
}
NAMES = {  # what went to another module, while its old one stays
    "fmkit.data.pretrained": {"load_shakespeare": "fmkit.data.shipped"},
    "fmkit.lab.plots": {"graph": "fmkit.lab.plots.backprop"},
    "fmkit.lab.widgets": {"graph_walk": "fmkit.lab.widgets.backprop"},
    "fmkit.training": {"keep_memory": "fmkit.runs.memory"},
}


class Finder:
    """The last finder that an import asks: a module's old name gives the module of the new name."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, Finder) if name in MODULES else None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        old, (package, _, name) = module.__name__, MODULES[module.__name__].rpartition(".")
        given = old.rpartition(".")[2]
        line = f"from {package} import {name}" + ("" if name == given else f" as {given}")
        warnings.warn(f"{old} is now {package}.{name}. Write: {line}", FutureWarning, stacklevel=2)
        sys.modules[old] = importlib.import_module(f"{package}.{name}")


def names_of(module: str):
    """The ``__getattr__`` of a module of `NAMES`: it finds what went to another one."""

    def find(name: str):
        if name not in NAMES[module]:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new = NAMES[module][name]
        line = f"from {new} import {name}"
        warnings.warn(f"{module}.{name} is now in {new}. Write: {line}", FutureWarning, stacklevel=2)
        value = getattr(importlib.import_module(new), name)
        setattr(sys.modules[module], name, value)  # once
        return value

    return find


def install() -> None:
    """Let every import know the old names."""
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
