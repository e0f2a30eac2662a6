"""Where things lie in the package: what looks for a file by its place asks here, so that it can move."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PINS = PACKAGE / "data" / "assets.txt"
WEIGHTS = PACKAGE / "data" / "weights"
RESULTS = PACKAGE / "data" / "results"  # measured figures that the chapters show
