"""The film reviews for fine-tuning (chapter 08): splits that share no text, ids, batches, the model."""

import csv
import math
from pathlib import Path

import numpy as np
import torch

from fmkit.batching import pad
from fmkit.data import datasets
from fmkit.data.pretrained import load_bert
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
    rows = [rows[i] for i in deduplicate([text for text, _ in rows])]
    order = np.random.default_rng(seed).permutation(len(rows))
    ends = [int(fractions[2] * len(rows)), int((fractions[1] + fractions[2]) * len(rows))]
    test, val, train = ([rows[i] for i in part] for part in np.split(order, ends))
    return train, val, test


def splits(rows: Rows | None = None) -> tuple[list[tuple[str, int]], ...]:
    """`rated_splits` with labels: 1 where the rating is above zero (positive), else 0."""
    return tuple([(text, int(rating > 0)) for text, rating in part] for part in rated_splits(rows))


def read_csv(path: Path) -> tuple[Rows, Rows, Rows]:
    """Texts and labels of your own, split 80/10/10: a table with the columns text and label (0 or 1)."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FinetuneError(f"cannot read {path}: {error}") from error
    if not rows or not {"text", "label"} <= rows[0].keys():
        raise FinetuneError(f"{path} needs a first line with the columns text and label")
    signs = {"0": -1.0, "1": 1.0, "negative": -1.0, "positive": 1.0}
    rated = []
    for number, row in enumerate(rows, 2):
        sign = signs.get((row["label"] or "").strip().lower())
        if sign is None or not (row["text"] or "").strip():
            raise FinetuneError(f"{path}, row {number}: needs a text, and 0 or 1 as its label")
        rated.append((row["text"], sign))
    parts = splits(rated)
    if min(map(len, parts)) == 0 or len({label for _, label in parts[0]}) < 2:
        raise FinetuneError(f"{path} has too few texts: at least 10 different ones, and both labels")
    return parts


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


def make_model(method: str = "full", seed: int = 0, device="cpu", **settings) -> Classifier:
    """MiniLM with a classifier for two classes. See `fmkit.twins.adapters.Classifier` for the settings."""
    return Classifier(*load_bert(datasets.pretrained_path("minilm")), method, 2, seed, device, **settings)
