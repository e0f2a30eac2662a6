"""Where things lie in the package: what looks for a file by its place asks here, so that it can move."""

import shlex
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PINS = PACKAGE / "data" / "assets.txt"
WEIGHTS = PACKAGE / "data" / "weights"
RESULTS = PACKAGE / "data" / "results"  # measured figures that the chapters show


def install_command(extra: str = "") -> str:
    """The command that installs fmkit again, with one extra: from the checkout, where there is one."""
    root = PACKAGE.parent
    editable = (root / "pyproject.toml").is_file()
    what = f"{root if editable else 'fmkit'}{f'[{extra}]' if extra else ''}"
    return shlex.join([sys.executable, "-m", "pip", "install", *(["-e"] if editable else []), what])
