"""What a notebook uses beside the reference: checks, hints, progress, and the source of what it explains."""

from fmkit.lab.check import CheckFailed, check, hint
from fmkit.lab.progress import progress
from fmkit.lab.show import show

__all__ = ["CheckFailed", "check", "hint", "progress", "show"]
