"""What a user can put right: `UserError` and its kinds. The message says what is wrong and what to do.

The command turns one into one line, in one place (`fmkit.command.cli`). A program of its own, such as the one
that builds the book, does so by `exit_status`.
"""

import sys
from collections.abc import Callable


class UserError(RuntimeError):
    """Something that the user can put right; the message says how."""


class AssetError(UserError):
    """A packaged data set or model is missing, damaged or cannot be fetched."""


class ChapterError(UserError):
    """A chapter is not there, or its notebook cannot be used."""


class WorkspaceError(UserError):
    """The learner's folder cannot be used."""


class CorpusError(UserError):
    """A text cannot be used for pretraining."""


class CheckpointError(UserError):
    """The folder of a run cannot be read or written."""


class ParallelError(UserError):
    """The processes cannot work together as asked."""


class DeviceError(UserError):
    """This machine has no such device, or the device cannot compute what was asked."""


class PretrainingError(UserError):
    """A pretraining run cannot begin or go on."""


class TableError(UserError):
    """A table of one's own cannot be used."""


class FinetuneError(UserError):
    """A fine-tuning run cannot be done as asked."""


class CourseError(UserError):
    """A command of a course cannot go on."""


class ExerciseError(UserError):
    """A course's own exercise, or what was recorded of one, cannot be used."""


class JournalError(UserError):
    """The journal of a course cannot be used."""


class SandboxError(UserError):
    """There is no sandbox here."""


class BookError(UserError):
    """The book cannot be built."""


def in_words(error: Exception) -> str:
    """The line that a user reads of a `UserError`, or of what the system says to a file."""
    if isinstance(error, OSError) and isinstance(error.filename, str) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def exit_status(work: Callable[[], None]) -> int:
    """Do the work of a program: 0, or 1 and one line on stderr when it met what a user can put right."""
    try:
        work()
    except (OSError, UserError) as error:
        print(f"Error: {in_words(error)}", file=sys.stderr)
        return 1
    return 0
