"""Seconds that each chapter takes to run from its first cell to its last, each in a fresh kernel.

    python benchmarks/notebooks.py [--runs 3] [notebooks/04-backprop.ipynb ...]

The files are not changed. The last line printed is the slowest chapter's median.
"""

import argparse
import statistics
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"


def seconds(path: Path) -> float:
    """Wall time of one run, with the start of the kernel and the imports."""
    notebook = nbformat.read(path, as_version=4)
    began = time.perf_counter()
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": FOLDER}}
    ).execute()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: every chapter)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, taking turns (default: 3)")
    options = parser.parse_args()
    paths = options.paths or sorted(FOLDER.glob("[0-9]*.ipynb"))
    times: dict[Path, list[float]] = {path: [] for path in paths}
    for _ in range(options.runs):
        for path in paths:
            times[path].append(seconds(path))
    for path, each in times.items():
        print(f"{path.stem:24} {statistics.median(each):6.1f} s   ({min(each):.1f} to {max(each):.1f})")
    print(f"slowest {max(statistics.median(each) for each in times.values()):.1f}")


if __name__ == "__main__":
    main()
