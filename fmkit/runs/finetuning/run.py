"""Fine-tuning a pretrained BERT on film reviews (chapter 08): training, evaluation, and the measured results.

>>> train, val, test = splits()                                      # doctest: +SKIP
>>> finetune("lora", seed=0, epochs=1)["accuracy"]                   # doctest: +SKIP

The models are in `fmkit.twins.adapters`, what they have to beat in `baselines`, the
measured table of all methods in `results`.
"""

import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from fmkit._paths import RESULTS
from fmkit.batching import batches_by_length
from fmkit.data import datasets
from fmkit.metrics import accuracy, f1
from fmkit.runs.finetuning.data import (
    MAX_LENGTH,
    Rows,
    encode,
    make_batch,
    make_model,
    rated_splits,
    soft_labels,
    splits,
    tokenizer,
)
from fmkit.runs.finetuning.vectors import features, halves, sentence_vectors
from fmkit.runs.loop import run_epochs, schedule, take_step
from fmkit.twins.adapters import METHODS, Classifier
from fmkit.twins.huggingface import quietly, to_hf_bert

__all__ = [
    "METHODS",
    "Classifier",
    "bootstrap_interval",
    "encode",
    "evaluate",
    "features",
    "finetune",
    "fit",
    "halves",
    "make_model",
    "predict",
    "rated_splits",
    "results",
    "save",
    "sentence_vectors",
    "soft_labels",
    "splits",
    "targets",
    "train_epoch",
]

CLASSES = ("negative", "positive")

# epochs, learning rate of the last block or of the new parts, factor from each block to the one below
SETTINGS = {
    "head": {"epochs": 30, "lr": 0.0, "decay": 1.0, "patience": 5},
    "last2": {"epochs": 1, "lr": 1e-4, "decay": 1.0},
    "full": {"epochs": 1, "lr": 1e-4, "decay": 0.9},
    "lora": {"epochs": 1, "lr": 1e-3, "decay": 1.0},
    "adapter": {"epochs": 1, "lr": 1e-3, "decay": 1.0},
    "prefix": {"epochs": 1, "lr": 1e-2, "decay": 1.0},
}

# --------------------------------------------------------------------------------------------------- training


def train_epoch(
    model, ids, labels, optimizer, rng, batch_size=32, first_step=0, steps=None, progress=None
) -> float:
    """One pass over the texts, in batches of similar length (little padding), in random order.

    Parameters
    ----------
    model : Classifier
        Or anything from (ids, mask) to logits (B, K); for vectors, anything from vectors (B, C) to logits.
    ids : list of N lists of ids, or tensor (N, C) of vectors
    labels : (N,)
        Of two classes 0, 1, or anything between: the target probability of class 1. Of more, 0 to K - 1.
    optimizer
        The learning rates of its groups are the peaks: the `schedule` scales them.
    rng : numpy Generator
    first_step, steps : int
        The number of this epoch's first step, and of all steps of the run.
    progress : (step, steps, loss) -> None, optional

    Returns
    -------
    loss : float
        Mean cross-entropy in nats, as seen during the epoch.
    """
    if isinstance(model, torch.nn.Module):
        model.train()
    batches = batches_by_length([len(text) for text in ids], batch_size, rng)
    steps, total = steps or len(batches), 0.0
    device = optimizer.param_groups[0]["params"][0].device
    for step, rows in enumerate(batches, first_step):
        y = torch.as_tensor(np.asarray(labels)[rows], dtype=torch.float32, device=device)
        logits = model(*_inputs(ids, rows, device))
        loss = F.cross_entropy(logits, targets(y, logits.shape[1]))
        take_step(loss, optimizer, schedule(step, steps))
        total += loss.item() * len(rows)
        if progress:
            progress(step + 1, steps, loss.item())
    return total / len(ids)


def targets(y, n_classes: int):
    """What `cross_entropy` wants of labels y (B,): of two classes their probabilities (B, 2), of more y."""
    if n_classes > 2:
        return y.long()
    return torch.stack([1.0 - y, y], dim=1)


def _inputs(ids, rows, device) -> tuple:
    return (ids[rows],) if torch.is_tensor(ids) else make_batch([ids[i] for i in rows], device)


@torch.no_grad()
def predict(model, ids, batch_size: int = 64, device=None) -> np.ndarray:
    """The probability of class 1 for each text, (N,), or of each of more than two classes, (N, K).

    Arguments as `train_epoch`.
    """
    if isinstance(model, torch.nn.Module):
        model.eval()
        device = next(model.parameters()).device
    found = None
    for rows in batches_by_length([len(text) for text in ids], batch_size):
        probs = model(*_inputs(ids, rows, device)).double().softmax(-1).cpu().numpy()  # (B, K)
        found = np.zeros((len(ids), probs.shape[1])) if found is None else found
        found[rows] = probs
    return np.zeros(0) if found is None else found[:, 1] if found.shape[1] == 2 else found


@torch.no_grad()
def cls_vectors(model: Classifier, ids: list[list[int]], batch_size: int = 64) -> torch.Tensor:
    """The last hidden state of [CLS] of each text, (N, C): the input of the head."""
    device = model.w.device
    vectors = torch.zeros(len(ids), model.config.d_model, device=device)
    for rows in batches_by_length([len(text) for text in ids], batch_size):
        vectors[rows] = model.cls(*make_batch([ids[i] for i in rows], device))
    return vectors


def fit(
    model: Classifier,
    train: Rows,
    val: Rows,
    epochs: int = 2,
    lr: float = 1e-4,
    decay: float = 0.9,
    head_lr: float = 1e-3,
    batch_size: int = 32,
    patience: int = 1,
    seed: int = 0,
    progress: Callable | None = None,
) -> list[dict]:
    """Train, validate after each epoch, stop early, keep the best epoch's weights (`run_epochs`).

    Parameters
    ----------
    model : Classifier
        Changed in place.
    train, val : lists of (text, label)
        A label of ``train`` may lie between 0 and 1 (`soft_labels`).
    epochs, batch_size : int
    lr, decay, head_lr : float
        Of the last block, from each block to the one below, of the head: `Classifier.parameter_groups`.
    patience : int
        Stop after so many epochs in a row without a better validation accuracy.
    seed : int
        Of the order of the texts.
    progress : (step, steps, loss) -> None, optional

    Returns
    -------
    history : list of dict
        Of each epoch: epoch, loss, val_accuracy, cpu_seconds (of training so far, without evaluation).
    """
    optimizer = torch.optim.AdamW(model.parameter_groups(lr, head_lr, decay), weight_decay=0.01, fused=True)
    rng, cut = np.random.default_rng(seed), tokenizer()
    ids, val_ids = (encode([text for text, _ in part], cut) for part in (train, val))
    labels, val_labels = (np.array([label for _, label in part]) for part in (train, val))
    began, body = time.process_time(), model
    if model.method == "head":  # the body gives the same vectors in every epoch: work them out once
        body, ids, val_ids = model.classify, *(cls_vectors(model, part) for part in (ids, val_ids))
    per_epoch = math.ceil(len(ids) / batch_size)

    def train_one(epoch):
        first, steps = epoch * per_epoch, epochs * per_epoch
        return train_epoch(body, ids, labels, optimizer, rng, batch_size, first, steps, progress)

    def validate():
        return evaluate(predict(body, val_ids), val_labels)["accuracy"]

    return run_epochs(model, train_one, validate, epochs, patience, time.process_time() - began)


def finetune(method: str = "full", seed: int = 0, epochs: int | None = None, lr: float | None = None,
             device="cpu", train: Rows | None = None, val: Rows | None = None, test: Rows | None = None,
             folder: str | Path | None = None, progress: Callable | None = None,
             classes: Sequence[str] = CLASSES) -> dict:  # fmt: skip
    """Teach MiniLM to tell positive texts from negative ones, or K classes apart, in one of seven ways.

    Parameters
    ----------
    method : str
        Of `METHODS`. "frozen": logistic regression on its frozen sentence vectors (`features`).
    seed : int
        Of the new parts and of the order of the texts.
    epochs, lr : optional
        By default what `SETTINGS` says for the method.
    train, val, test : lists of (text, label), optional
        By default the film reviews: `splits`.
    folder : path, optional
        Save the model here in Hugging Face's format (`save`).
    progress : (step, steps, loss) -> None, optional
    classes : K names
        Of the labels 0 to K - 1.

    Returns
    -------
    dict
        method, seed, epochs, trainable (number of trained parameters), cpu_seconds (of training, without
        evaluation), val_accuracy, accuracy, macro_f1, interval (95 %), history, positive (what `predict` says
        of the test texts), model (None for "frozen").
    """
    if None in (train, val, test):
        own = zip((train, val, test), splits(), strict=True)
        train, val, test = (default if rows is None else rows for rows, default in own)
    if method == "frozen":
        return _frozen(train, val, test, seed)
    model = make_model(method, seed, device, len(classes))
    settings = SETTINGS[method] | {"epochs": epochs or SETTINGS[method]["epochs"]}
    settings |= {"lr": lr} if lr else {}
    history = fit(model, train, val, **settings, seed=seed, progress=progress)
    positive = predict(model, encode([text for text, _ in test]))
    if folder is not None:
        save(model, folder, classes=classes)
    return {
        "method": method,
        "seed": seed,
        "epochs": len(history),
        "trainable": model.trainable(),
        "cpu_seconds": history[-1]["cpu_seconds"],
        "val_accuracy": max(row["val_accuracy"] for row in history),
        **evaluate(positive, np.array([label for _, label in test])),
        "history": history,
        "positive": positive,
        "model": model,
    }


def _frozen(train: Rows, val: Rows, test: Rows, seed: int) -> dict:
    from sklearn.linear_model import LogisticRegression

    began = time.process_time()
    x, x_val, x_test = (features([text for text, _ in rows]) for rows in (train, val, test))
    y, y_val, y_test = (np.array([label for _, label in rows]) for rows in (train, val, test))
    if y.max() <= 1:
        y, y_val = y > 0.5, y_val > 0.5
    model = LogisticRegression(C=10.0, max_iter=2000).fit(x, y)
    positive = model.predict_proba(x_test)  # (N, K)
    positive = positive[:, 1] if positive.shape[1] == 2 else positive
    return {
        "method": "frozen",
        "seed": seed,
        "epochs": 1,
        "trainable": model.coef_.size + model.intercept_.size,
        "cpu_seconds": time.process_time() - began,
        "val_accuracy": float(model.score(x_val, y_val)),
        **evaluate(positive, y_test),
        "history": [],
        "positive": positive,
        "model": None,
    }


# ------------------------------------------------------------------------------------------------- evaluation


def evaluate(positive, labels) -> dict:
    """Accuracy, macro-F1 and the 95 % interval of the accuracy, from what `predict` gives and labels (N,)."""
    positive, target = np.asarray(positive), np.asarray(labels)
    if positive.ndim == 2:
        pred, target = positive.argmax(-1), target.astype(np.int64)
    else:
        pred, target = ((x > 0.5).astype(np.int64) for x in (positive, target))
    return {
        "accuracy": accuracy(pred, target),
        "macro_f1": f1(pred, target, "macro"),
        "interval": bootstrap_interval(pred == target),
    }


def bootstrap_interval(right, n: int = 2000, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Bootstrap interval of the accuracy: over test sets drawn from this one, with replacement.

    Parameters
    ----------
    right : (N,) booleans
        Which texts were classified correctly.
    n : int
        How many test sets.

    References
    ----------
    Efron, "Bootstrap Methods: Another Look at the Jackknife" (1979).
    """
    right = np.asarray(right, dtype=bool)
    drawn = np.random.default_rng(seed).binomial(len(right), right.mean(), n) / len(
        right
    )  # drawing 0s and 1s
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def save(model, folder: str | Path, tokenizer=None, classes: Sequence[str] = CLASSES) -> None:
    """Save a fine-tuned model and its tokenizer in Hugging Face's format; LoRA is merged into the weights.

    A run that is stopped while saving leaves what was in the folder as it was.

    Parameters
    ----------
    model : Classifier, or a model of Hugging Face's
    folder : path
    tokenizer : optional
        By default MiniLM's.
    classes : names
        Of a Classifier's labels, in their order.

    Raises
    ------
    ValueError
        For adapters and prefixes: a plain BERT has no place for them.
    """
    from transformers import AutoTokenizer

    if isinstance(model, Classifier):
        model = to_hf_bert(model.merged(), model.config)
        model.config.id2label = dict(enumerate(classes))
        model.config.label2id = {name: i for i, name in enumerate(classes)}
    if tokenizer is None:
        tokenizer = AutoTokenizer.from_pretrained(datasets.pretrained_path("minilm"), local_files_only=True)
        tokenizer.model_max_length = MAX_LENGTH
    Path(folder).mkdir(parents=True, exist_ok=True)
    with quietly(), tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as scratch:
        model.save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        for file in Path(scratch).iterdir():  # a model that was there stays whole until the new one is
            os.replace(file, Path(folder) / file.name)


def results() -> dict:
    """The measured results of all methods, as ``python benchmarks/finetuning.py`` writes them.

    ``runs`` holds one dict for each run, with the keys of `finetune` (``positive`` to three decimals).
    """
    return json.loads((RESULTS / "finetune_results.json").read_text("utf-8"))
