"""The best that the kit can do on the film reviews in five minutes (chapter 08): a network and counted words.

The network learns the mean ratings as soft labels, and beside the reviews three more sources, each with a
head of its own. A ridge regression of counted words errs on other texts, so half its rating is added to the
network's logit.
"""

import time
from typing import NamedTuple

import numpy as np

from fmkit.data import datasets
from fmkit.runs.finetuning.baselines import tfidf_ridge
from fmkit.runs.finetuning.data import Rows, rated_splits, soft_labels
from fmkit.runs.finetuning.multitask import SharedBody, says, train_together

SOURCES = ("tweets", "products", "editorials")
RIDGE_WEIGHT = 0.5  # chosen on the validation part, among 0, 0.3, 0.5, 0.7 and 1


class Blend(NamedTuple):
    """A network that gives logits, and a regression that gives ratings (`tfidf_ridge`)."""

    network: SharedBody
    words: object

    def both(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """The network's logit and the regression's rating of each text, (N,) and (N,)."""
        p = says(self.network, texts).clip(1e-12, 1 - 1e-12)
        return np.log(p / (1 - p)), self.words.predict(texts)

    def positive(self, texts: list[str]) -> np.ndarray:
        """The probability that each text is positive, (N,)."""
        logit, rating = self.both(texts)
        return 1 / (1 + np.exp(-(logit + RIDGE_WEIGHT * rating)))


def train_blend(
    seed: int = 0, passes: int = 2, sources=SOURCES, parts=None, progress=None
) -> tuple[Blend, float]:
    """Train the network and the regression.

    Parameters
    ----------
    passes : int
        How often the reviews are read; the other sources once.
    sources : names
        Of functions of `fmkit.data.datasets`: what is learned beside the reviews, at half the weight.
    parts : (train, val, test), optional
        Rows (text, rating); by default `rated_splits`. Only ``train`` is learned from.
    progress : (step, steps, loss) -> None, optional

    Returns
    -------
    blend, cpu_seconds
    """
    train, val, test = parts or rated_splits()
    held = {text for text, _ in (*val, *test)}
    others = [_rows(name, held) for name in sources]
    n = len(others)
    network, seconds = train_together(
        [soft_labels(rows) for rows in (train, *others)],
        seed=seed,
        passes=[passes] + [1] * n,
        weights=[1.0] + [0.5] * n,
        bfloat16=True,
        progress=progress,
    )
    began = time.process_time()
    words = tfidf_ridge(train)
    return Blend(network, words), seconds + time.process_time() - began


def _rows(name: str, held: set[str]) -> Rows:
    """All rated texts of a source but those that are asked in validation and test."""
    parts = rated_splits(getattr(datasets, name)())
    return [row for rows in parts for row in rows if row[0] not in held]
