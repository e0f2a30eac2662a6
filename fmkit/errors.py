"""What a user can put right: `UserError` and its kinds. The message says what is wrong and what to do.

The command turns one into one line, in one place (`fmkit.command.cli`).
"""


class UserError(RuntimeError):
    """Something that the user can put right; the message says how."""


class AssetError(UserError):
    """A packaged data set or model is missing, damaged or cannot be fetched."""


class ChapterError(UserError):
    """A chapter is not there, or its notebook cannot be used."""


class CorpusError(UserError):
    """A text cannot be used for pretraining."""


class CheckpointError(UserError):
    """The folder of a run cannot be read or written."""


class ParallelError(UserError):
    """The processes cannot work together as asked, or the device is not there."""


class PretrainingError(UserError):
    """A pretraining run cannot begin or go on."""


class FinetuneError(UserError):
    """A fine-tuning run cannot be done as asked."""


class CourseError(UserError):
    """A command of a course cannot go on."""


class JournalError(UserError):
    """The journal of a course cannot be used."""


class SandboxError(UserError):
    """There is no sandbox here."""


class BookError(UserError):
    """The book cannot be built."""
