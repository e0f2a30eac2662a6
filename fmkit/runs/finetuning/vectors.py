"""Sentence vectors of the frozen model, kept on disk, and how much of its old skill is left (chapter 08)."""

import contextlib
import hashlib
import os

import numpy as np
import torch

from fmkit.batching import batches_by_length
from fmkit.data import assets, datasets
from fmkit.runs.finetuning.data import encode, make_batch, make_model
from fmkit.text import clean
from fmkit.twins.adapters import Classifier


@torch.no_grad()
def sentence_vectors(model: Classifier, texts: list[str], batch_size: int = 64) -> np.ndarray:
    """Mean of the last hidden states over each text's tokens, (N, C): what MiniLM was trained to give."""
    model.eval()
    ids = encode(texts)
    device = next(model.parameters()).device
    vectors = np.zeros((len(ids), model.config.d_model), np.float32)
    for rows in batches_by_length([len(text) for text in ids], batch_size):
        padded, mask = make_batch([ids[i] for i in rows], device)
        share = torch.ones_like(padded, dtype=torch.float32) if mask is None else mask.float()
        share = share / share.sum(1, keepdim=True)
        vectors[rows] = (share[:, None] @ model.hidden(padded, mask))[:, 0].cpu().numpy()
    return vectors


def features(texts: list[str]) -> np.ndarray:
    """Frozen MiniLM's `sentence_vectors`, computed once and kept on disk.

    The file lies in the kit's cache folder (`fmkit.data.assets.home`), named by a hash of the texts.
    """
    name = hashlib.blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    path = assets.home() / "features" / f"minilm-{name}.npy"
    if path.exists():
        return np.load(path)
    vectors = sentence_vectors(make_model("frozen"), texts)
    with contextlib.suppress(OSError):  # a cache that a whole class shares is read-only
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part.npy")
        np.save(part, vectors)
        part.replace(path)  # whole or not at all; two notebooks may write it at once
    return vectors


def halves(model: Classifier | None = None, n: int = 500, seed: int = 0) -> float:
    """MiniLM's old skill, to see what fine-tuning makes it forget: which texts belong together?

    Each of n sentences from newspaper editorials is cut in the middle. The result is the share of first
    halves whose nearest second half (by cosine) is their own.

    Parameters
    ----------
    model : Classifier, optional
        By default the pretrained one.
    """
    words = [clean(text).split() for text, _ in datasets.editorials()]
    words = [text for text in words if len(text) >= 12]
    chosen = np.random.default_rng(seed).permutation(len(words))[:n]
    first = [" ".join(words[i][: len(words[i]) // 2]) for i in chosen]
    second = [" ".join(words[i][len(words[i]) // 2 :]) for i in chosen]
    vectors = sentence_vectors(model or make_model("frozen"), first + second)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = (vectors[: len(first)] @ vectors[len(first) :].T).argmax(1)
    return float((nearest == np.arange(len(first))).mean())
