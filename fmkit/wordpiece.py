"""WordPiece (chapter 01): the tokenizer of BERT, from a ``vocab.txt`` to ids, segments and masks.

It gives the same ids as Hugging Face's tokenizer, except for characters on which the two Unicode tables
(Python's ``unicodedata.unidata_version`` and the library's) disagree: those that are younger than one of
them, and four whose category was changed since (U+166D, U+1734, U+1885, U+1886); and a block of 256 rare
Chinese characters (from U+2B820) that the library does not cut apart.
"""

import re
import string
import unicodedata
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from jaxtyping import Int

from fmkit._types import Array
from fmkit._values import listed, one_text, whole
from fmkit.batching import pad, truncate, truncate_pair
from fmkit.tokenizers import PAD, UNK, Vocabulary

CLS, SEP, MASK = "[CLS]", "[SEP]", "[MASK]"
SPECIALS = (PAD, UNK, CLS, SEP, MASK)
_SPECIAL = "(" + "|".join(map(re.escape, SPECIALS)) + ")"  # in brackets: re.split keeps what it splits at

_CHINESE = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


class _Replace(dict):
    """A table for ``str.translate``, filled as characters turn up: ``rule(character)`` is the replacement."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = self.rule(chr(code))
        return self[code]


def _clean(c: str) -> str:
    """White space becomes a space, control characters vanish, a Chinese character is a word by itself."""
    category = unicodedata.category(c)
    if c in "\t\n\r" or category in ("Zs", "Zl", "Zp"):
        return " "
    if c == "\ufffd" or category in ("Cc", "Cf", "Co", "Cs"):  # control, format, private, half a character
        return ""
    return f" {c} " if any(low <= ord(c) <= high for low, high in _CHINESE) else c


def _isolate(c: str) -> str:
    """Punctuation is a word by itself; every ASCII sign counts, even ``$`` and ``+``."""
    return f" {c} " if c in string.punctuation or unicodedata.category(c).startswith("P") else c


def _fold(c: str) -> str:
    """Drop the accents (which normal form D has split off) and lower-case, then as `_isolate`."""
    return "" if unicodedata.category(c) == "Mn" else _isolate(c.lower())


_CLEAN, _ISOLATE, _FOLD = _Replace(_clean), _Replace(_isolate), _Replace(_fold)


def split_bert(text: str, lowercase: bool = True) -> list[str]:
    """BERT's words: lower-case, no accents, cut at spaces, punctuation and Chinese characters.

    Examples
    --------
    >>> split_bert("Crème brûlée: 10$!\\x00 你好")
    ['creme', 'brulee', ':', '10', '$', '!', '你', '好']
    """
    one_text("text", text)
    text = text.translate(_CLEAN)
    if lowercase:
        return unicodedata.normalize("NFD", text).translate(_FOLD).split()
    return text.translate(_ISOLATE).split()


class WordPieceTokenizer:
    """BERT's tokenizer (Wu et al. 2016; Devlin et al. 2019): words in pieces, greedily the longest known.

    A piece that continues a word begins with ``##``. A word that cannot be put together from pieces becomes
    one ``[UNK]``, and so does one of more than 100 characters. A text that spells a special token, such as
    ``[MASK]``, gets that token, as with Hugging Face: do not feed it texts of strangers where that matters.

    Parameters
    ----------
    tokens : sequence of str
        The vocabulary, in the order of the ids.
    lowercase : bool
        True for "uncased" models: also drops accents.

    Raises
    ------
    ValueError
        When one of BERT's five special tokens is missing, or a token comes twice.
    TypeError
        For one str instead of the tokens, here and wherever several texts are meant.

    Examples
    --------
    >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##happi", "##ness", "!"]
    >>> tokenizer = WordPieceTokenizer(pieces)
    >>> tokenizer.tokenize("Unhappiness! Sadness!")
    ['un', '##happi', '##ness', '!', '[UNK]', '!']
    >>> tokenizer.encode("Unhappiness!")
    [2, 5, 6, 7, 8, 3]
    """

    def __init__(self, tokens: Sequence[str], lowercase: bool = True):
        listed("tokens", tokens, "tokens")
        self.vocabulary = Vocabulary(tuple(tokens))
        self.vocab_size = len(self.vocabulary)
        self.lowercase = lowercase
        absent = [t for t in SPECIALS if t not in self.vocabulary.ids]
        if absent:
            raise ValueError(f"the vocabulary lacks {', '.join(absent)}")
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = self.vocabulary.encode(SPECIALS)
        self._cache = {}  # word -> its pieces

    @classmethod
    def load(cls, path: str | Path, lowercase: bool = True) -> "WordPieceTokenizer":
        """From a ``vocab.txt`` (a token a line), or the folder that holds it; ValueError for another file."""
        path = Path(path)
        path = path / "vocab.txt" if path.is_dir() else path
        try:
            return cls(path.read_text(encoding="utf-8").rstrip("\n").split("\n"), lowercase)
        except ValueError as error:
            raise ValueError(f"{path} is not a vocabulary of BERT's, a token a line ({error})") from None

    def tokenize(self, text: str) -> list[str]:
        """The pieces of a text, without [CLS] and [SEP]."""
        one_text("text", text)
        pieces = []
        for part in re.split(_SPECIAL, text):
            if part in SPECIALS:
                pieces.append(part)
                continue
            for word in split_bert(part, self.lowercase):
                pieces.extend(self._pieces(word))
        return pieces

    def _pieces(self, word: str) -> list[str]:
        if word not in self._cache:
            if len(self._cache) >= 65536:
                self._cache.clear()
            self._cache[word] = longest_match(word, self.vocabulary.ids)
        return self._cache[word]

    def encode(self, text: str, max_length: int | None = None) -> list[int]:
        """[CLS] text [SEP] as ids, the text cut so that all are at most ``max_length``."""
        ids = self.vocabulary.encode(self.tokenize(text))
        if max_length is not None:
            ids = truncate(ids, _room(max_length, 2))
        return [self.cls_id, *ids, self.sep_id]

    def encode_pair(
        self, first: str, second: str, max_length: int | None = None
    ) -> tuple[list[int], list[int]]:
        """[CLS] first [SEP] second [SEP] as ids, and their segments: 0 up to the first [SEP], then 1."""
        a, b = (self.vocabulary.encode(self.tokenize(text)) for text in (first, second))
        if max_length is not None:
            a, b = truncate_pair(a, b, _room(max_length, 3))
        ids = [self.cls_id, *a, self.sep_id, *b, self.sep_id]
        return ids, [0] * (len(a) + 2) + [1] * (len(b) + 1)

    def encode_batch(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, max_length: int | None = None
    ) -> tuple[Int[Array, "B T"], Int[Array, "B T"], Int[Array, "B T"]]:
        """Texts, or pairs of texts, as the three arrays that BERT takes: ids, attention mask, segments."""
        listed("texts", texts)
        if pairs is not None:
            listed("pairs", pairs)
            if len(pairs) != len(texts):
                raise ValueError(
                    f"pairs: expected as many as there are texts, {len(texts)}, got {len(pairs)}"
                )
        if pairs is None:
            ids = [self.encode(text, max_length) for text in texts]
            segments = [[0] * len(row) for row in ids]
        else:
            both = [self.encode_pair(a, b, max_length) for a, b in zip(texts, pairs, strict=True)]
            ids, segments = [i for i, _ in both], [s for _, s in both]
        return *pad(ids, self.pad_id), pad(segments)[0]

    def decode(self, ids: Iterable) -> str:
        """Pieces joined, without [PAD], [CLS] and [SEP]. Case, accents and spacing do not come back."""
        words = []
        for token in self.vocabulary.decode(ids):
            if token.startswith("##") and words:
                words[-1] += token[2:]
            elif token not in (PAD, CLS, SEP):
                words.append(token)
        return " ".join(words)


def longest_match(word: str, known: Container[str], max_chars: int = 100) -> list[str]:
    """Cut a word into the longest known pieces, from left to right; ``["[UNK]"]`` if that leads nowhere.

    Examples
    --------
    >>> longest_match("unable", {"un", "una", "##able", "##ble"})
    ['una', '##ble']
    """
    one_text("word", word)
    listed("known", known, "pieces")
    if len(word) > whole("max_chars", max_chars, 0):
        return [UNK]
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in known:
                pieces.append(prefix + word[start:end])
                break
        else:
            return [UNK]  # greedy: no going back to a shorter first piece
        start = end
    return pieces


def _room(max_length: int, n_special: int) -> int:
    whole("max_length", max_length, 0)
    if max_length < n_special:
        raise ValueError(f"max_length {max_length} leaves no room for the {n_special} special tokens")
    return max_length - n_special
