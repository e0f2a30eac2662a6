"""The text of a pretraining run, in tokens: the plays of Shakespeare, or a text file of your own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from fmkit._types import Array
from fmkit.errors import CorpusError
from fmkit.tokenizers import UNK, CharTokenizer


@dataclass(frozen=True)
class Corpus:
    """The text of a run in tokens."""

    name: str
    tokenizer: CharTokenizer
    train: Int[Array, "N"]
    val: Int[Array, "M"]
    fingerprint: str  # differs when the text differs
    unknown: tuple[str, ...] = ()  # characters of the validation text that the training text lacks

    def unknown_share(self) -> float:
        """The share of the validation text's tokens that are ``[UNK]``."""
        return float((self.val == self.tokenizer.vocabulary.tokens.index(UNK)).mean())


def read_corpus(text: str | Path | None, block_size: int) -> Corpus:
    """Shakespeare's plays, split by play; or a text file, its last tenth for validation.

    A token is a character; one that is not in the training text becomes ``[UNK]``.

    Raises
    ------
    CorpusError
        The file cannot be read, is not UTF-8, or is shorter than one window.
    """
    if text is None:
        from fmkit.data.datasets import shakespeare_splits

        name, (train, val, _) = "Shakespeare", shakespeare_splits()
    else:
        name, whole = Path(text).name, _read_text(Path(text))
        cut = len(whole) - len(whole) // 10
        train, val = whole[:cut], whole[cut:]
        if len(val) < block_size + 1:
            least = 10 * (block_size + 1)
            raise CorpusError(f"{text} has {len(whole)} characters; this recipe needs {least} or more")
    tokenizer = CharTokenizer.train(train, specials=(UNK,))
    sha256 = hashlib.sha256("\0".join((train, val)).encode()).hexdigest()
    fingerprint = f"of {len(train) + len(val):,} characters (sha256 {sha256[:12]})"
    ids = [np.array(tokenizer.encode(part), dtype=np.int64) for part in (train, val)]
    return Corpus(name, tokenizer, *ids, fingerprint, tuple(sorted(set(val) - set(train))))


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 text (byte {error.start}); convert it first") from error
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror}") from error
