"""Where things lie in the package: what looks for a file by its place asks here, so that it can move.

And the commands that messages advise, so that they can be pasted: this very installation's, quoted.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import which

PACKAGE = Path(__file__).resolve().parent
PINS = PACKAGE / "data" / "assets.txt"
WEIGHTS = PACKAGE / "data" / "weights"
RESULTS = PACKAGE / "data" / "results"  # measured figures that the chapters show


def command_line(words: list[str]) -> str:
    """Words as a line for the system's shell, quoted where it needs that."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def fmkit_command(*words: str) -> str:
    """The line that calls this installation: ``fmkit ...`` where a terminal finds it, else by its Python."""
    found = which("fmkit")
    ours = found and Path(found).parent == Path(sys.executable).parent
    return command_line([*(["fmkit"] if ours else [sys.executable, "-m", "fmkit"]), *words])


def install_command(extra: str = "") -> str:
    """The command that installs fmkit again, with one extra: from the checkout, where there is one."""
    from importlib.machinery import PathFinder

    root, extras = PACKAGE.parent, f"[{extra}]" if extra else ""
    if (root / "pyproject.toml").is_file():
        what = ["-e", f"{root}{extras}"]
    else:
        origin = _origin()
        what = [f"fmkit{extras} @ {origin}" if origin else f"fmkit{extras}"]
    # not importlib.util.find_spec, which wakes the hook by which setuptools gives pip another distutils
    if PathFinder.find_spec("pip") or not which("uv"):
        user = os.environ.get("PIP_USER", "").lower() not in ("", "0", "false", "no", "off", "n", "f")
        refused = user and sys.prefix != sys.base_prefix  # by pip, in an environment
        return command_line([sys.executable, "-m", "pip", "install", *["--no-user"] * bool(refused), *what])
    return command_line(["uv", "pip", "install", "--python", sys.executable, *what])  # uv's own have no pip


def _origin() -> str:
    """The address or folder that an installed fmkit came from, where pip noted one (PEP 610)."""
    from importlib import metadata  # here: the sandbox imports this module for each submission

    try:
        noted = json.loads(metadata.distribution("fmkit").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return ""
    version_control = noted.get("vcs_info")
    return f"{version_control['vcs']}+{noted['url']}" if version_control else noted.get("url", "")
