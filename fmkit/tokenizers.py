"""Tokenizers (chapter 01): text to integers and back, by characters, by words, by byte pairs.

All have ``encode(text) -> list of ids``, ``decode(ids) -> text`` and ``vocab_size``. Characters and byte
pairs give every text back exactly; words do not (they lower-case, and unknown words are lost). BERT's
WordPiece is in `fmkit.wordpiece`.
"""

import functools
import heapq
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PAD, UNK = "[PAD]", "[UNK]"


# ---------------------------------------------------------------- vocabulary, characters, words


@dataclass(frozen=True)
class Vocabulary:
    """A list of tokens; a token's id is its position. Unknown ones become ``[UNK]``, if that is listed.

    Examples
    --------
    >>> vocabulary = Vocabulary(("[PAD]", "[UNK]", "be", "to"))
    >>> vocabulary.encode(["to", "be", "free"]), vocabulary.decode([3, 2])
    ([3, 2, 1], ['to', 'be'])
    """

    tokens: tuple[str, ...]

    @classmethod
    def build(
        cls,
        tokens: Iterable[str],
        specials: Sequence[str] = (PAD, UNK),
        max_size: int | None = None,
        min_count: int = 1,
    ) -> "Vocabulary":
        """The special tokens, then those of a corpus: frequent first, equally frequent ones in Unicode order.

        Examples
        --------
        >>> Vocabulary.build("to be or not to be".split(), max_size=5).tokens
        ('[PAD]', '[UNK]', 'be', 'to', 'not')
        """
        counts = Counter(tokens)
        by_rank = sorted(counts, key=lambda t: (-counts[t], t))
        kept = [t for t in by_rank if counts[t] >= min_count and t not in specials]
        return cls((*specials, *kept)[:max_size])

    @functools.cached_property
    def ids(self) -> dict[str, int]:
        """The id of each token."""
        return {token: i for i, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The ids of tokens; raises ValueError for an unknown one when there is no ``[UNK]``."""
        tokens = list(tokens)
        ids = [self.ids.get(t, self.ids.get(UNK)) for t in tokens]
        if None in ids:
            raise ValueError(f"{tokens[ids.index(None)]!r} is not in the vocabulary, which has no {UNK}")
        return ids

    def decode(self, ids: Iterable) -> list[str]:
        """The tokens of ids; raises IndexError for an id that does not exist."""
        return [self.tokens[i] for i in _existing(ids, len(self))]


def _existing(ids: Iterable, vocab_size: int) -> list:
    """The ids as a list, all of them in range (Python would read negative ones from the end)."""
    ids = list(ids)
    if ids and not 0 <= min(ids) <= max(ids) < vocab_size:
        raise IndexError(f"ids {min(ids)} to {max(ids)} in a vocabulary of {vocab_size}")
    return ids


class CharTokenizer:
    """One token per character (Unicode code point).

    Examples
    --------
    >>> tokenizer = CharTokenizer.train("hello")
    >>> tokenizer.vocabulary.tokens, tokenizer.encode("hole")
    (('e', 'h', 'l', 'o'), [1, 3, 2, 0])
    >>> tokenizer.decode([1, 3, 2, 0])
    'hole'
    """

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.vocab_size = len(vocabulary)

    @classmethod
    def train(cls, text: str, specials: Sequence[str] = ()) -> "CharTokenizer":
        """All characters of a text, in Unicode order, after the special tokens."""
        return cls(Vocabulary((*specials, *sorted(set(text)))))

    def encode(self, text: str) -> list[int]:
        return self.vocabulary.encode(text)

    def decode(self, ids: Iterable) -> str:
        return "".join(self.vocabulary.decode(ids))


class WordTokenizer:
    """One token per lower-case word or punctuation mark; rare and new words become ``[UNK]``.

    Languages that write no spaces (Chinese, Thai) come out as very long "words": they need pieces or bytes.

    Examples
    --------
    >>> tokenizer = WordTokenizer.train(["To be, or not to be!", "Don't be."], max_size=5)
    >>> tokenizer.vocabulary.tokens
    ('[PAD]', '[UNK]', 'be', 'to', '!')
    >>> tokenizer.decode(tokenizer.encode("To be free!"))
    'to be [UNK] !'
    """

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.vocab_size = len(vocabulary)

    @classmethod
    def train(cls, texts: Iterable[str], max_size: int | None = None, min_count: int = 1) -> "WordTokenizer":
        words = (word for text in texts for word in split_words(text))
        return cls(Vocabulary.build(words, max_size=max_size, min_count=min_count))

    def encode(self, text: str) -> list[int]:
        return self.vocabulary.encode(split_words(text))

    def decode(self, ids: Iterable) -> str:
        return " ".join(self.vocabulary.decode(ids))


def split_words(text: str) -> list[str]:
    """Lower-case words (an apostrophe inside belongs to the word) and single punctuation marks.

    Examples
    --------
    >>> split_words("Don't stop, 'Romeo'!")
    ["don't", 'stop', ',', "'", 'romeo', "'", '!']
    """
    return re.findall(r"\w+(?:'\w+)*|[^\w\s]", text.lower())


# ---------------------------------------------------------------- byte-pair encoding

# The 256 bytes in GPT-2's order: the printable ones of Latin-1 first. A byte's id is its place here.
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_BYTES = [*_PRINTABLE, *(b for b in range(256) if b not in _PRINTABLE)]
_BYTE_ID = {byte: i for i, byte in enumerate(_BYTES)}


def bpe_step(words: dict[tuple[str, ...], int]) -> tuple[tuple[str, str], dict[tuple[str, ...], int]]:
    """One step of learning BPE (Sennrich et al. 2016) on a toy corpus: merge the most frequent neighbours.

    Parameters
    ----------
    words : dict
        Each word as a tuple of its present tokens, and how often it occurs.

    Returns
    -------
    pair : tuple of str
        The two tokens that were merged; among equally frequent pairs the first in Unicode order.
    words_new : dict

    Raises
    ------
    ValueError
        When no word has two tokens left.

    Examples
    --------
    >>> bpe_step({("l", "o", "w"): 5, ("l", "o", "t"): 2, ("n", "o", "w"): 3})
    (('o', 'w'), {('l', 'ow'): 5, ('l', 'o', 't'): 2, ('n', 'ow'): 3})
    """
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    if not counts:
        raise ValueError("every word is a single token: nothing left to merge")
    best = min(counts, key=lambda pair: (-counts[pair], pair))
    merged = Counter()
    for word, n in words.items():
        merged[tuple(merge_pair(word, best, best[0] + best[1]))] += n
    return best, dict(merged)


def merge_pair(tokens: Sequence, pair: tuple, merged) -> list:
    """Replace every occurrence of two neighbours by one token, from left to right.

    Examples
    --------
    >>> merge_pair("aaab", ("a", "a"), "aa")
    ['aa', 'a', 'b']
    """
    out, i = [], 0
    while i < len(tokens):
        if tokens[i] == pair[0] and i + 1 < len(tokens) and tokens[i + 1] == pair[1]:
            out.append(merged)
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out


@functools.cache
def _gpt2_pattern() -> re.Pattern:
    """GPT-2's rule for where a text may be cut before BPE (Radford et al. 2019), with Python's own ``re``.

    Contractions; letters, numbers or other signs, with the space before them; white space.
    """
    # Python's \w are Unicode's letters, numbers and "_". Its \d leaves out numbers such as ½, ², Ⅷ: list them
    rest = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Nl", "No"))
    letter, number = rf"[^\W\d_{rest}]", rf"[\d{rest}]"
    space = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's White_Space
    return re.compile(
        r"'(?:[stmd]|re|ve|ll)"
        rf"| ?(?:[A-Za-z]+|{letter}+)+"  # [A-Za-z] is only a short cut, five times faster
        rf"| ?{number}+"
        rf"| ?(?:[^\w{space}]|_)+"
        rf"|[{space}]+(?![^{space}])|[{space}]+"  # the last space before a word belongs to the word
    )


def split_gpt2(text: str) -> list[str]:
    """Cut a text into the pieces that BPE never merges across; joined they are the text again.

    Examples
    --------
    >>> split_gpt2("I'll pay 20 ducats,  sir!")
    ['I', "'ll", ' pay', ' 20', ' ducats', ',', ' ', ' sir', '!']
    """
    return _gpt2_pattern().findall(text)


def _to_bytes(piece: str) -> list[int]:
    return [_BYTE_ID[b] for b in piece.encode("utf-8", "surrogatepass")]


def train_bpe(texts: str | Iterable[str], vocab_size: int) -> list[tuple[int, int]]:
    """Learn the merges of a byte-level BPE.

    Every step merges the most frequent pair of neighbouring tokens. **Among equally frequent pairs the
    smaller one wins**: smaller left id, then smaller right id, where ids are those of `BPETokenizer`. The
    ``tokenizers`` library has the same rule, so it learns the same merges.

    Each distinct piece of text is handled once, with its count. (One piece of a million bytes makes it slow.)

    Parameters
    ----------
    texts : str or iterable of str
        The training corpus.
    vocab_size : int
        256 bytes and the merges; there are fewer when nothing is left to merge.

    Returns
    -------
    merges : list of pairs of ids
        The i-th one makes the token ``256 + i``.

    Examples
    --------
    >>> merges = train_bpe("low lower lowest", vocab_size=259)
    >>> merges, BPETokenizer(merges).vocab[256:]
    ([(75, 78), (256, 86), (220, 257)], [b'lo', b'low', b' low'])
    """
    pieces = Counter()
    for text in [texts] if isinstance(texts, str) else texts:
        pieces.update(split_gpt2(text))
    return _learn_merges([_to_bytes(piece) for piece in pieces], list(pieces.values()), vocab_size - 256)


def _learn_merges(words: list[list[int]], counts: list[int], n_merges: int) -> list[tuple[int, int]]:
    """The loop of `train_bpe`. A merge changes few counts: only words that hold its pair are counted anew."""
    totals = Counter()  # pair -> how often it occurs
    holders = defaultdict(set)  # pair -> the words that hold it, or once did
    for i, word in enumerate(words):
        for pair in pairwise(word):
            totals[pair] += counts[i]
            holders[pair].add(i)
    heap = [(-n, pair) for pair, n in totals.items()]  # the largest count first, then the smallest pair
    heapq.heapify(heap)
    merges = []
    while heap and len(merges) < n_merges:
        n, best = heapq.heappop(heap)
        if totals[best] != -n:
            continue  # out of date: a pair is pushed again whenever its count changes
        merges.append(best)
        changes = Counter()
        for i in holders.pop(best):
            old, words[i] = words[i], merge_pair(words[i], best, 255 + len(merges))
            for pair in pairwise(old):
                changes[pair] -= counts[i]
            for pair in pairwise(words[i]):
                changes[pair] += counts[i]
                holders[pair].add(i)
        for pair, change in changes.items():
            totals[pair] += change
            if change and totals[pair]:
                heapq.heappush(heap, (-totals[pair], pair))
    return merges


class BPETokenizer:
    """Byte-level BPE, as in GPT-2: any text at all, nothing unknown, nothing lost.

    Ids: 0 to 255 are the bytes in GPT-2's order ("!" is 0), then the merges from the oldest on, then the
    special tokens. Text never encodes to a special token, even when it spells one; add those yourself, from
    ``special``.

    Lone surrogates (half characters such as ``"\\ud83d"``, which strict UTF-8 forbids) are encoded as the
    three bytes that their code point would have, and decoded from them. Other bytes that are not UTF-8, such
    as a model may well generate, decode to U+FFFD.

    Parameters
    ----------
    merges : list of pairs of ids
        From `train_bpe`.
    specials : sequence of str
        Names of special tokens, such as ``"<|endoftext|>"``.

    Attributes
    ----------
    vocab : list of bytes
        The bytes of every token.
    special : dict
        The id of each special token.

    Examples
    --------
    >>> tokenizer = BPETokenizer(train_bpe("low lower lowest", vocab_size=260), specials=("<|end|>",))
    >>> tokenizer.encode("low slow"), [tokenizer.vocab[i] for i in tokenizer.encode("low slow")]
    ([257, 220, 82, 257], [b'low', b' ', b's', b'low'])
    >>> tokenizer.decode(tokenizer.encode("日本 🙂"))
    '日本 🙂'
    """

    def __init__(self, merges: Iterable[tuple[int, int]], specials: Sequence[str] = ()):
        self.merges = list(merges)
        self.vocab = [bytes([b]) for b in _BYTES]
        for left, right in self.merges:
            self.vocab.append(self.vocab[left] + self.vocab[right])
        self.special = {name: len(self.vocab) + i for i, name in enumerate(specials)}
        self.vocab += [name.encode() for name in specials]
        self.vocab_size = len(self.vocab)
        self._merged = {pair: 256 + i for i, pair in enumerate(self.merges)}
        self._cache = {}  # piece of text -> its ids: words repeat

    def encode(self, text: str) -> list[int]:
        """The ids of a text; an empty list for an empty one."""
        ids = []
        for piece in split_gpt2(text):
            if piece not in self._cache:
                if len(self._cache) >= 65536:
                    self._cache.clear()
                self._cache[piece] = self._encode_piece(piece)
            ids.extend(self._cache[piece])
        return ids

    def decode(self, ids: Iterable) -> str:
        """The text of ids; raises IndexError for an id that does not exist."""
        data = b"".join([self.vocab[i] for i in _existing(ids, self.vocab_size)])
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")

    def _encode_piece(self, piece: str) -> list[int]:
        """Merge neighbours, the oldest merge first, until no merge applies.

        The possible merges wait in a heap; the tokens form a linked list, so that a merge costs O(log n).
        The last token is a None, which no merge knows, and which index -1 finds too: so the ends need no
        special care.
        """
        ids = [*_to_bytes(piece), None]
        n = len(ids)
        before, after = list(range(-1, n - 1)), list(range(1, n + 1))
        heap = [(self._merged[p], i) for i, p in enumerate(pairwise(ids)) if p in self._merged]
        heapq.heapify(heap)
        while heap:
            token, i = heapq.heappop(heap)
            j = after[i]
            if self._merged.get((ids[i], ids[j])) != token:
                continue  # one of the two has been merged with its other neighbour since
            ids[i], ids[j] = token, None
            after[i] = k = after[j]
            before[k] = i
            for left, right in ((before[i], i), (i, k)):
                if (new := self._merged.get((ids[left], ids[right]))) is not None:
                    heapq.heappush(heap, (new, left))
        return [i for i in ids if i is not None]

    def save(self, path: str | Path) -> None:
        """Write merges and special tokens as JSON."""
        data = {"type": "byte-level BPE", "merges": self.merges, "specials": list(self.special)}
        Path(path).write_text(json.dumps(data), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "BPETokenizer":
        """Read what `save` wrote."""
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls([(left, right) for left, right in data["merges"]], data["specials"])
