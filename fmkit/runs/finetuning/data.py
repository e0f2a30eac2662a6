"""The texts for fine-tuning (chapter 08): splits that share no text, ids, batches, the model."""

import itertools
import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from fmkit.batching import pad
from fmkit.data import datasets
from fmkit.data.pretrained import load_bert
from fmkit.data.tables import read_table
from fmkit.errors import FinetuneError
from fmkit.text import clean, deduplicate
from fmkit.twins.adapters import Classifier
from fmkit.wordpiece import WordPieceTokenizer

Rows = list[tuple[str, float | int]]
MAX_LENGTH = 128  # pieces; the longest review has 79


def rated_splits(rows: Rows | None = None, fractions=(0.8, 0.1, 0.1), seed: int = 0) -> tuple[Rows, ...]:
    """Training, validation and test rows (text, mean rating), cleaned, shuffled, without duplicates.

    Parameters
    ----------
    rows : list of (text, rating), optional
        By default the film reviews. Rows of rating 0, neither positive nor negative, are left out.
    fractions : three shares
    seed : int
        Of the shuffle. Fixed: another seed is another test set, with other results.
    """
    rows = datasets.reviews() if rows is None else rows
    rows = [(clean(text), rating) for text, rating in rows if rating]
    return _parts([rows[i] for i in deduplicate([text for text, _ in rows])], fractions, seed)


def _parts(rows: list, fractions, seed: int = 0) -> tuple[list, ...]:
    """Rows shuffled: training, validation and test."""
    order = np.random.default_rng(seed).permutation(len(rows))
    ends = [int(fractions[2] * len(rows)), int((fractions[1] + fractions[2]) * len(rows))]
    test, val, train = ([rows[i] for i in part] for part in np.split(order, ends))
    return train, val, test


def splits(rows: Rows | None = None) -> tuple[list[tuple[str, int]], ...]:
    """`rated_splits` with labels: 1 where the rating is above zero (positive), else 0."""
    return tuple([(text, int(rating > 0)) for text, rating in part] for part in rated_splits(rows))


class OwnTexts(NamedTuple):
    """Texts of one's own, in parts that share none, with labels 0 to K - 1.

    Attributes
    ----------
    train, val, test : lists of (text, label)
    classes : tuple of str
        The labels' names, in their order.
    notes : tuple of str
        What whoever gave the texts should know.
    """

    train: Rows
    val: Rows
    test: Rows
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_csv(path: Path, validation: Path | None = None, test: Path | None = None) -> OwnTexts:
    """Texts and labels of one's own, from tables with the columns text and label (`read_table`).

    What has no file of its own is a tenth of the first one's texts. A text that is in two files counts as a
    test text, else as a validation text: nothing is tested on what was learned.

    Raises
    ------
    UserError
        A table cannot be read, a label or a text is missing, or there are too few to learn from.
    """
    notes: list[str] = []
    files = [_read_rows(file, notes) if file else [] for file in (test, validation, path)]
    classes = _classes([label for _, label in files[2]])
    every = [(clean(text), label) for rows in files for text, label in rows]
    kept = set(deduplicate([text for text, _ in every]).tolist())  # the first of several counts
    ends = np.cumsum([0, *map(len, files)])
    own_test, own_val, own = (
        [every[i] for i in range(*span) if i in kept] for span in itertools.pairwise(ends)
    )
    if doubled := len(deduplicate([clean(text) for text, _ in files[2]])) - len(own):
        notes.append(f"{doubled} texts of {path} are in another file, too: not learned from")
    train, val, tested = _parts(own, (1.0, 0.0 if validation else 0.1, 0.0 if test else 0.1))
    parts = train, own_val if validation else val, own_test if test else tested
    _check_enough((path, validation or path, test or path), parts, classes)
    for part, name in zip(parts[1:], ("validation", "test"), strict=True):
        there = {label.casefold() for _, label in part}
        if missing := [label for label in classes if label.casefold() not in there]:
            notes.append(f"no {name} text has the label {', '.join(missing[:10])}: nothing is said of it")
    number = {name.casefold(): i for i, name in enumerate(classes)}
    numbered = ([(text, number[label.casefold()]) for text, label in part] for part in parts)
    return OwnTexts(*numbered, classes, tuple(notes))


def _read_rows(path: Path, notes: list[str]) -> list[tuple[str, str]]:
    """(text, label) of each row; a whole number is written as such, so that 1.0 and 1 are one label."""
    table, encoding = read_table(path, ("text", "label"))
    if encoding in ("gb18030", "cp1252"):
        notes.append(f"{path} is not UTF-8: read as {encoding}. If letters look wrong, save it as UTF-8")
    rows = []
    for line, (text, label) in table:
        if not text or not label:
            raise FinetuneError(f"{path}, row {line}: needs a text and a label")
        rows.append((text, re.sub(r"([+-]?\d+)[.,]0+", r"\1", label) if _NUMBER.fullmatch(label) else label))
    return rows


_NUMBER = re.compile(r"[+-]?\d+[.,]0+")


def _classes(labels: list[str]) -> tuple[str, ...]:
    """The names of the labels, numbers in their order; upper and lower case are one."""
    first: dict[str, str] = {}
    for label in labels:
        first.setdefault(label.casefold(), label)

    def order(name):
        try:
            return (0, float(name), name)
        except ValueError:
            return (1, 0.0, name.casefold())

    return tuple(sorted(first.values(), key=order))


def _check_enough(files, parts, classes) -> None:
    """Raise a FinetuneError where a part has no texts, or a label none to learn from.

    ``files`` are those that the training, validation and test texts of ``parts`` come from.
    """
    path = files[0]
    if len(classes) < 2:
        there = ", ".join(classes) or "none"
        raise FinetuneError(f"{path} needs two different labels or more; it has {there}")
    for part, name in zip(parts, ("training", "validation", "test"), strict=True):
        if not part:
            words = f"too few texts: none is left for {name}, copies counted once, also those in another file"
            raise FinetuneError(f"{path} has {words}. Give 10 different ones or more")
    train = parts[0]
    if len(classes) > 2 and 2 * len(classes) > len(train):
        words = f"{len(classes)} labels for {len(train)} training texts"
        raise FinetuneError(f"{path} has {words}: labels are names of classes, not numbers to predict")
    learned = {label.casefold() for _, label in train}
    asked = [(path, label) for label in classes]
    asked += [(file, label) for file, part in zip(files, parts, strict=True) for _, label in part]
    for file, label in asked:
        if label.casefold() not in learned:
            raise FinetuneError(
                f"{file} has the label {label!r}, and no training text has: give more such texts"
            )


def soft_labels(rows: Rows, sharpness: float = 1.5) -> Rows:
    """Labels between 0 and 1 from mean ratings: 20 people who agree say more than 20 who do not.

    A label estimates the share of people who call the text positive: sigmoid(sharpness * rating).
    """
    return [(text, 1.0 / (1.0 + math.exp(-sharpness * rating))) for text, rating in rows]


def tokenizer() -> WordPieceTokenizer:
    """MiniLM's."""
    return WordPieceTokenizer.load(datasets.pretrained_path("minilm"))


def encode(texts: list[str], with_tokenizer: WordPieceTokenizer | None = None) -> list[list[int]]:
    """Ids of each text, [CLS] first, [SEP] last, at most 128."""
    pieces = with_tokenizer or tokenizer()
    ids = [pieces.encode(text) for text in texts]
    return [text if len(text) <= MAX_LENGTH else [*text[: MAX_LENGTH - 1], text[-1]] for text in ids]


def make_batch(ids: list[list[int]], device="cpu") -> tuple:
    """(ids, mask) as tensors (B, T), T the longest of *these* texts; no mask where nothing is padding."""
    padded, mask = pad(ids)
    mask = None if mask.all() else torch.from_numpy(mask).to(device)
    return torch.from_numpy(padded).to(device), mask


def make_model(
    method: str = "full", seed: int = 0, device="cpu", n_classes: int = 2, **settings
) -> Classifier:
    """MiniLM with a classifier on top. See `fmkit.twins.adapters.Classifier` for the settings."""
    bert = load_bert(datasets.pretrained_path("minilm"))
    return Classifier(*bert, method, n_classes, seed, device, **settings)
