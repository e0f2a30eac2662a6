"""For every test: signatures are checked, examples repeat, nothing is asked of a network, GPU tests skip."""

import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports the hub's client
if "FMKIT_HOME" in os.environ:  # the notebooks' kernels have another current folder
    os.environ["FMKIT_HOME"] = str(Path(os.environ["FMKIT_HOME"]).expanduser().absolute())

from hypothesis import settings
from jaxtyping import config, install_import_hook

collect_ignore = ["helpers"]  # --doctest-modules imports all that it collects, and nothing in there is a test

# Every jaxtyping signature is checked at run time, in tests only (never on the hot path)
PACKAGE = Path(__file__).resolve().parent.parent / "fmkit"
REFERENCE = [f"fmkit.{path.stem}" for path in PACKAGE.glob("[a-z]*.py")]
install_import_hook([*REFERENCE, "fmkit.data", "fmkit.runs", "fmkit.twins"], "beartype.beartype")

# The same examples in every run, and no time limit for one of them: a busy machine fails no test
settings.register_profile("fmkit", deadline=None, derandomize=True)
settings.load_profile("fmkit")


@pytest.fixture
def as_a_learner():
    """The reference without the checks of its signatures: what it refuses by itself, and how it says so."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


def pytest_runtest_setup(item):
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("torch sees no CUDA device here")
