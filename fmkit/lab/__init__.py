"""What a notebook uses beside the reference: checks, hints, progress, and the source of what it explains."""

from fmkit.lab.checks import CheckFailed, check, hint
from fmkit.lab.judging.fences import accept_fences
from fmkit.lab.records import progress, share_minutes
from fmkit.lab.sources import show
from fmkit.lab.unwritten import tell_what_is_unwritten

__all__ = ["CheckFailed", "check", "hint", "progress", "share_minutes", "show"]

accept_fences()
tell_what_is_unwritten()
