"""``python -m fmkit`` is the command ``fmkit``."""

from fmkit.cli import main

main()
