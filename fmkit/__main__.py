"""``python -m fmkit`` is the command ``fmkit``."""

from fmkit.command.cli import main

main()
