"""Tokenizers (chapter 01): text to integers and back, by characters, by words, by byte pairs.

All have ``encode(text) -> list of ids``, ``decode(ids) -> text`` and ``vocab_size``. Characters and byte
pairs give every text back exactly; words do not (they lower-case, and unknown words are lost). BERT's
WordPiece is in `fmkit.wordpiece`.
"""

import functools
import heapq
import json
import operator
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fmkit._values import kind_of, listed, one_text, whole

PAD, UNK = "[PAD]", "[UNK]"


# ---------------------------------------------------------------- vocabulary, characters, words


@dataclass(frozen=True)
class Vocabulary:
    """A list of tokens; a token's id is its position. Unknown ones become ``[UNK]``, if that is listed.

    Raises
    ------
    TypeError
        For one str, here and wherever several tokens are meant: it would fall into letters. For a token that
        is not a str.
    ValueError
        For a token that comes twice: it would have two ids.

    Examples
    --------
    >>> vocabulary = Vocabulary(("[PAD]", "[UNK]", "be", "to"))
    >>> vocabulary.encode(["to", "be", "free"]), vocabulary.decode([3, 2])
    ([3, 2, 1], ['to', 'be'])
    """

    tokens: tuple[str, ...]

    def __post_init__(self):
        listed("tokens", self.tokens, "tokens")
        for token in self.tokens:
            one_text("tokens, each of them", token)
        if len(self.ids) < len(self.tokens):
            twice = next(token for i, token in enumerate(self.tokens) if self.ids[token] != i)
            raise ValueError(f"tokens: expected each once, got {twice!r} twice")

    @classmethod
    def build(
        cls,
        tokens: Iterable[str],
        specials: Sequence[str] = (PAD, UNK),
        max_size: int | None = None,
        min_count: int = 1,
    ) -> "Vocabulary":
        """The special tokens, then those of a corpus: frequent first, equally frequent ones in Unicode order.

        Raises
        ------
        ValueError
            If ``max_size`` does not hold the special tokens, or ``min_count`` is negative.

        Examples
        --------
        >>> Vocabulary.build("to be or not to be".split(), max_size=5).tokens
        ('[PAD]', '[UNK]', 'be', 'to', 'not')
        """
        listed("tokens", tokens, "tokens")
        listed("specials", specials, "special tokens")
        whole("min_count", min_count, 0)
        if max_size is not None:
            whole("max_size (special tokens included)", max_size, len(specials))
        tokens = list(tokens)
        for token in tokens:
            one_text("tokens, each of them", token)
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
        listed("tokens", tokens, "tokens")
        tokens = list(tokens)
        for token in tokens:
            one_text("tokens, each of them", token)
        ids = [self.ids.get(t, self.ids.get(UNK)) for t in tokens]
        if None in ids:
            raise ValueError(f"{tokens[ids.index(None)]!r} is not in the vocabulary, which has no {UNK}")
        return ids

    def decode(self, ids: Iterable) -> list[str]:
        """The tokens of ids; raises IndexError for an id that does not exist, TypeError for a fraction."""
        return [self.tokens[i] for i in _existing(ids, len(self))]


def _existing(ids: Iterable, vocab_size: int) -> list:
    """The ids as a list, all of them in range (Python would read negative ones from the end)."""
    listed("ids", ids, "ids")
    ids = list(ids)
    try:
        ids = [operator.index(i) for i in ids]
    except TypeError:
        raise TypeError(f"ids: expected whole numbers, the tokens of one text, got {ids!r:.60}") from None
    if ids and not 0 <= min(ids) <= max(ids) < vocab_size:
        raise IndexError(f"ids {min(ids)} to {max(ids)} in a vocabulary of {vocab_size}")
    return ids


def _check_vocabulary(vocabulary: Vocabulary) -> None:
    if not isinstance(vocabulary, Vocabulary):
        raise TypeError(
            f"vocabulary: expected a Vocabulary, got {kind_of(vocabulary)}; train makes one from text"
        )


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
        _check_vocabulary(vocabulary)
        self.vocabulary = vocabulary
        self.vocab_size = len(vocabulary)

    @classmethod
    def train(cls, text: str, specials: Sequence[str] = ()) -> "CharTokenizer":
        """All characters of a text, in Unicode order, after the special tokens."""
        one_text("text", text)
        listed("specials", specials, "special tokens")
        return cls(Vocabulary((*specials, *sorted(set(text)))))

    def encode(self, text: str) -> list[int]:
        """The ids of a text; raises ValueError for an unknown character when there is no ``[UNK]``."""
        one_text("text", text)
        return self.vocabulary.encode(list(text))

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
        _check_vocabulary(vocabulary)
        self.vocabulary = vocabulary
        self.vocab_size = len(vocabulary)

    @classmethod
    def train(cls, texts: Iterable[str], max_size: int | None = None, min_count: int = 1) -> "WordTokenizer":
        """The words of several texts, as `Vocabulary.build` ranks and limits them."""
        listed("texts", texts)
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
    one_text("text", text)
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
    if not isinstance(words, dict):
        raise TypeError(f"words: expected a dict, word -> how often it occurs, got {kind_of(words)}")
    counts = Counter()
    for word, n in words.items():
        if not isinstance(word, tuple | str):
            raise TypeError(f"words: expected tuples of tokens, got {word!r:.60} among them")
        whole(f"words[{word!r}]", n, 0)
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
    if not isinstance(tokens, str):  # whose letters are tokens here
        listed("tokens", tokens, "tokens")
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise ValueError(f"pair: expected two tokens, got {pair!r:.60}")
    out, i = [], 0
    while i < len(tokens):
        if tokens[i] == pair[0] and i + 1 < len(tokens) and tokens[i + 1] == pair[1]:
            out.append(merged)
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out


_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's White_Space


def _pattern(letter: str, number: str, sign: str) -> re.Pattern:
    """GPT-2's rule for where a text may be cut before BPE (Radford et al. 2019), with Python's own ``re``.

    Contractions; letters, numbers or other signs, with the space before them; white space.
    """
    return re.compile(
        r"'(?:[stmd]|re|ve|ll)"
        rf"| ?(?:[A-Za-z]+|{letter}+)+"  # [A-Za-z] is only a short cut, five times faster
        rf"| ?{number}+"
        rf"| ?{sign}+"
        rf"|[{_SPACE}]+(?![^{_SPACE}])|[{_SPACE}]+"  # the last space before a word belongs to the word
    )


@functools.cache
def _own_pattern() -> re.Pattern:
    """By this Python's own Unicode table."""
    # Python's \w are Unicode's letters, numbers and "_". Its \d leaves out numbers such as ½, ², Ⅷ: list them
    rest = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Nl", "No"))
    return _pattern(rf"[^\W\d_{rest}]", rf"[\d{rest}]", rf"(?:[^\w{_SPACE}]|_)")


@functools.cache
def _own_table() -> dict:
    """What this Python's Unicode table says: its version, and the ranges of letters and of numbers.

    A flat list of the first and the last code point of each range: 65, 90 for A to Z.
    """
    ranges = {"L": [], "N": []}
    for code in range(sys.maxunicode + 1):
        if (own := ranges.get(unicodedata.category(chr(code))[0])) is not None:
            if own and own[-1] == code - 1:
                own[-1] = code
            else:
                own += [code, code]
    return {"version": unicodedata.unidata_version, "letters": ranges["L"], "numbers": ranges["N"]}


def _pattern_of(table: dict) -> re.Pattern:
    """By a table that `_own_table` made, perhaps under another Python."""
    letters, numbers = (
        "".join(rf"\U{a:08x}-\U{b:08x}" for a, b in zip(table[k][::2], table[k][1::2], strict=True))
        for k in ("letters", "numbers")
    )
    return _pattern(f"[{letters}]", f"[{numbers}]", f"[^{letters}{numbers}{_SPACE}]")


def split_gpt2(text: str) -> list[str]:
    """Cut a text into the pieces that BPE never merges across; joined they are the text again.

    What is a letter and what a number, this Python's Unicode table says (``unicodedata.unidata_version``).
    Characters that are younger than the table are neither, and a newer Python cuts them otherwise.

    Examples
    --------
    >>> split_gpt2("I'll pay 20 ducats,  sir!")
    ['I', "'ll", ' pay', ' 20', ' ducats', ',', ' ', ' sir', '!']
    """
    one_text("text", text)
    return _own_pattern().findall(text)


def _whole_characters(text: str) -> str:
    """The text without half characters (lone surrogates), which UTF-8 forbids: each becomes U+FFFD.

    Two halves that belong together are joined.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _to_bytes(piece: str) -> list[int]:
    return [_BYTE_ID[b] for b in piece.encode()]


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
        256 bytes and the merges; there are fewer when nothing is left to merge. Below 256 there are none.

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
    whole("vocab_size", vocab_size, 0)
    texts = [texts] if isinstance(texts, str) else texts
    listed("texts", texts)
    pieces = Counter()
    for text in texts:
        one_text("each of the texts", text)
        pieces.update(split_gpt2(_whole_characters(text)))
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
    """Byte-level BPE, as in GPT-2: any text at all, nothing unknown, no character lost.

    Ids: 0 to 255 are the bytes in GPT-2's order ("!" is 0), then the merges from the oldest on, then the
    special tokens. Text does not encode to a special token, even when it spells one, unless you allow it: a
    stranger's text should not be able to.

    Half characters (lone surrogates such as ``"\\ud83d"``, which UTF-8 forbids) are encoded as U+FFFD, the
    sign for what cannot be read; bytes that are not UTF-8, such as a model may well generate, decode to it.
    So it is in tiktoken, too.

    Parameters
    ----------
    merges : list of pairs of ids
        From `train_bpe`.
    specials : sequence of str
        Names of special tokens, such as ``"<|endoftext|>"``.
    table : dict, optional
        Which characters are letters, and which numbers: `load` finds it in a saved file, so that a tokenizer
        goes on cutting texts as it was trained to. Without it, this Python's Unicode table says so (see
        `split_gpt2`).

    Attributes
    ----------
    vocab : list of bytes
        The bytes of every token.
    special : dict
        The id of each special token.

    Raises
    ------
    ValueError
        If a merge names a token that does not exist before it, or comes twice; if a special token is empty,
        or comes twice.
    TypeError
        For merges that are not pairs of whole numbers, and special tokens that are not a list of str.

    Examples
    --------
    >>> tokenizer = BPETokenizer(train_bpe("low lower lowest", vocab_size=260), specials=("<|end|>",))
    >>> tokenizer.encode("low slow"), [tokenizer.vocab[i] for i in tokenizer.encode("low slow")]
    ([257, 220, 82, 257], [b'low', b' ', b's', b'low'])
    >>> tokenizer.decode(tokenizer.encode("日本 🙂"))
    '日本 🙂'
    >>> len(tokenizer.encode("low<|end|>")), tokenizer.encode("low<|end|>", allowed_special="all")
    (8, [257, 260])
    """

    def __init__(
        self, merges: Iterable[tuple[int, int]], specials: Sequence[str] = (), table: dict | None = None
    ):
        listed("specials", specials, "special tokens")
        listed("merges", merges, "pairs of ids")
        self.merges = [_pair(merge) for merge in merges]
        self.vocab = [bytes([b]) for b in _BYTES]
        for pair in self.merges:
            if not 0 <= min(pair) <= max(pair) < len(self.vocab):
                made = len(self.vocab)
                raise ValueError(f"merge {made - 256}, {pair}: both tokens must be from 0 to {made - 1}")
            self.vocab.append(self.vocab[pair[0]] + self.vocab[pair[1]])
        self.special = {name: len(self.vocab) + i for i, name in enumerate(specials)}
        self.vocab += [_special_bytes(name) for name in specials]
        self.vocab_size = len(self.vocab)
        self.table = table
        self._pattern = None if table is None else _pattern_of(table)
        self._merged = {pair: 256 + i for i, pair in enumerate(self.merges)}
        self._cache = {}  # piece of text -> its ids: words repeat
        if len(self._merged) < len(self.merges) or len(self.special) < len(specials):
            raise ValueError("a merge, or a special token, comes twice")

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """The ids of a text; an empty list for an empty one.

        Parameters
        ----------
        text : str
        allowed_special : "all" or a list of special tokens
            Those that become their own id where the text spells them; where several begin, the longest.
        """
        one_text("text", text)
        text, names = _whole_characters(text), self._allowed(allowed_special)
        if not names:
            return self._encode_plain(text)
        ids = []
        for i, part in enumerate(_any_of(names).split(text)):  # text, special token, text, ...
            ids += [self.special[part]] if i % 2 else self._encode_plain(part)
        return ids

    def encode_iterable(
        self, texts: Iterable[str], allowed_special: str | Iterable[str] = ()
    ) -> Iterator[int]:
        """The ids of a text that comes in parts, such as an open file, larger than memory perhaps.

        The same ids as `encode` gives for the parts joined, whatever the parts: where the text read so far
        may still change its last pieces, these wait for more of it.

        Examples
        --------
        >>> tokenizer = BPETokenizer(train_bpe("low lower lowest", vocab_size=260))
        >>> list(tokenizer.encode_iterable(["a l", "ow", "er one"])) == tokenizer.encode("a lower one")
        True
        """
        if not isinstance(texts, Iterable) or isinstance(texts, bytes):
            raise TypeError(f"texts: expected the parts of a text, got {kind_of(texts)}")
        return self._stream(texts, self._allowed(allowed_special))

    def _stream(self, texts: Iterable[str], names: list[str]) -> Iterator[int]:
        waiting, size, enough = [], 0, _READ
        for text in texts:
            one_text("each part of the text", text)
            waiting.append(text)
            size += len(text)
            if size >= enough:
                ids, rest = self._encode_settled("".join(waiting), names)
                yield from ids
                waiting, size, enough = [rest], len(rest), max(_READ, 2 * len(rest))
        yield from self.encode("".join(waiting), names)

    def _encode_settled(self, text: str, names: list[str]) -> tuple[list[int], str]:
        """The ids that no further text can change, and the text from there on.

        Three characters after it settle where a piece ends: a run of letters, numbers or signs at the first
        that is none, a contraction such as 're at the third. And in a longest special token fewer can hide.
        """
        half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""  # its other half may come
        text = _whole_characters(text[: len(text) - len(half)])
        settled = len(text) - 3 - max(map(len, names), default=0)
        ids, begin = [], 0
        for found in _any_of(names).finditer(text) if names else ():
            if found.start() > settled:
                break
            ids += [*self._encode_plain(text[begin : found.start()]), self.special[found[0]]]
            begin = found.end()
        for piece in self._pieces(text[begin:]):
            if begin + len(piece) > settled:
                break
            ids += self._encode_plain(piece)
            begin += len(piece)
        return ids, text[begin:] + half

    def _allowed(self, names: str | Iterable[str]) -> list[str]:
        """Special tokens that may be read from text, the longest first."""
        names = self.special if isinstance(names, str) and names == "all" else names
        listed("allowed_special, unless 'all'", names, "special tokens")
        names = sorted(set(names), key=len, reverse=True)
        if unknown := [name for name in names if name not in self.special]:
            raise ValueError(f"allowed_special: {unknown[0]!r} is not one of {list(self.special)}")
        return names

    def _pieces(self, text: str) -> list[str]:
        return split_gpt2(text) if self._pattern is None else self._pattern.findall(text)

    def _encode_plain(self, text: str) -> list[int]:
        ids = []
        for piece in self._pieces(text):
            if piece not in self._cache:
                if len(self._cache) >= 65536:
                    self._cache.clear()
                self._cache[piece] = self._encode_piece(piece)
            ids.extend(self._cache[piece])
        return ids

    def decode(self, ids: Iterable) -> str:
        """The text of ids; raises IndexError for an id that does not exist, TypeError for a fraction."""
        return b"".join([self.vocab[i] for i in _existing(ids, self.vocab_size)]).decode("utf-8", "replace")

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
        """Write merges and special tokens as JSON, and which characters are letters and numbers."""
        data = {"type": _TYPE, "merges": self.merges, "specials": list(self.special)}
        data["unicode"] = self.table or _own_table()
        Path(path).write_text(json.dumps(data), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "BPETokenizer":
        """Read what `save` wrote, under this Python or another one: it cuts texts as it did there.

        Raises
        ------
        ValueError
            If the file is something else.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            if data["type"] != _TYPE:
                raise ValueError(f"its type is {data['type']!r:.40}")
            table = data.get("unicode")  # files of fmkit 0.1 had none
            known = table is None or table["version"] == unicodedata.unidata_version
            if not (isinstance(data["merges"], list) and isinstance(data["specials"], list)):
                raise TypeError("merges and specials are not lists")
            merges = [_pair(merge) for merge in data["merges"]]
            return cls(merges, data["specials"], None if known else table)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, re.error) as error:
            why = f"{type(error).__name__}: {error}"
            raise ValueError(f"{path} is not a tokenizer that BPETokenizer.save wrote ({why:.200})") from None


_TYPE = "byte-level BPE"
_READ = 65536  # characters that `BPETokenizer.encode_iterable` reads before it encodes them


def _any_of(names: list[str]) -> re.Pattern:
    return re.compile(
        "(" + "|".join(map(re.escape, names)) + ")"
    )  # in brackets: split keeps what it splits at


def _pair(merge: Sequence) -> tuple[int, int]:
    """A merge as two of Python's own whole numbers."""
    try:
        left, right = merge
        return operator.index(left), operator.index(right)
    except (TypeError, ValueError):
        raise TypeError(f"merges: expected pairs of ids, got {merge!r:.40}") from None


def _special_bytes(name: str) -> bytes:
    one_text("each special token", name)
    if not name or name != _whole_characters(name):
        raise ValueError(f"{name!r} cannot be a special token: it is empty, or holds half a character")
    return name.encode()
