"""`fmkit finetune`: the whole run as a command, on the packaged MiniLM or on any model of the hub.

What it saves is a folder in Hugging Face's format (config.json, model.safetensors, tokenizer) that
``AutoModelForSequenceClassification.from_pretrained`` loads, with the same predictions.
"""

import csv
import math
import os
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fmkit.data import datasets
from fmkit.errors import FinetuneError
from fmkit.runs.finetuning import run as ft
from fmkit.runs.finetuning.data import MAX_LENGTH, Rows

SAVED = ("head", "last2", "full", "lora")  # what a plain BERT has a place for
HUB = ("head", "full")


def run(method, epochs, seed, device, output, model, csv_path, say=print) -> dict:
    """The command. Everything that can be refused is refused before the training begins."""
    if method not in ft.METHODS:
        raise FinetuneError(f"there is no method {method!r}; there are {', '.join(ft.METHODS)}")
    if model is None and output and method not in SAVED:
        raise FinetuneError(
            f"method {method!r} cannot be saved in Hugging Face's format: a plain BERT has no "
            f"place for its parts. Leave --output out, or choose {', '.join(SAVED)}."
        )
    if model is not None and method not in HUB:
        raise FinetuneError(f"for --model the methods are {' and '.join(HUB)}, not {method}")
    device = find_device(device)
    if output:
        check_writable(output)
    pair = None if model is None else load_hub(model, seed)
    data = read_csv(csv_path) if csv_path else ft.splits()
    train, val, test = data
    say(f"{len(train)} texts to learn from, {len(val)} to watch, {len(test)} to judge by")
    with progress_bar() as progress:
        if pair is None:
            result = ft.finetune(method, seed, epochs, None, device, *data, progress=progress)
        else:
            result = finetune_hub(*pair, method, seed, epochs or 1, device, *data, progress=progress)
    say(table(result))
    if output:
        ft.save(result["model"], output, result.get("tokenizer"))
        say(f"Saved: AutoModelForSequenceClassification.from_pretrained({str(output)!r})")
    return result


# ------------------------------------------------------------------------------------------------- refusals


def find_device(name: str) -> str:
    """The device of that name ("auto": a GPU if there is one); raise where it cannot be used."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.ones(2, device=name).sum().item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise FinetuneError(f"device {name!r} cannot be used: {reason}") from error
    return name


def check_writable(folder: Path) -> None:
    """Make the folder; raise where that, or writing into it, does not work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".fmkit-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise FinetuneError(f"cannot write into {folder}: {error.strerror or error}") from error


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
    parts = ft.splits(rated)
    if min(map(len, parts)) == 0 or len({label for _, label in parts[0]}) < 2:
        raise FinetuneError(f"{path} has too few texts: at least 10 different ones, and both labels")
    return parts


# ------------------------------------------------------------------------------------------------ any model


class _Hub(nn.Module):
    """A model of Hugging Face's as `fmkit.runs.finetuning.run` calls one: (ids, mask) to logits."""

    def __init__(self, model, pad_id: int):
        super().__init__()
        self.model, self.pad_id = model, pad_id

    def forward(self, ids, mask):
        if mask is not None:
            ids = ids.masked_fill(mask == 0, self.pad_id)
        return self.model(input_ids=ids, attention_mask=torch.ones_like(ids) if mask is None else mask).logits


def load_hub(name: str, seed: int):
    """Model with a new head for two classes, and tokenizer, of a hub name or a folder.

    Raises
    ------
    FinetuneError
        No network, no such model, or one that is not for classifying texts.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    about = {"id2label": dict(ft.CLASSES), "label2id": {name: i for i, name in ft.CLASSES.items()}}
    about["ignore_mismatched_sizes"] = True  # a head for five classes gives way to one for two
    try:
        local = Path(name).is_dir() or not datasets._hub_answers()
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=local)
        kind = AutoModelForSequenceClassification
        return kind.from_pretrained(name, num_labels=2, local_files_only=local, **about), tokenizer
    except (OSError, ValueError) as error:
        raise FinetuneError(
            f"{name!r} could not be loaded from the Hugging Face hub: no network, no such model, or not "
            "one for texts. Without --model the packaged MiniLM is used, offline."
        ) from error
    finally:
        logging.set_verbosity_warning()
        logging.enable_progress_bar()


def finetune_hub(
    hf, tokenizer, method, seed, epochs, device, train, val, test, progress=None, lr=5e-5
) -> dict:
    """Fine-tune a model of the hub: all of it ("full"), or what is new ("head"). Result as `finetune`."""
    model = _Hub(hf, tokenizer.pad_token_id or 0).to(device)
    if method == "head":
        hf.base_model.requires_grad_(False)
    learned = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-3 if method == "head" else lr, weight_decay=0.01)
    longest = min(MAX_LENGTH, tokenizer.model_max_length)
    encoded = [
        tokenizer([text for text, _ in rows], truncation=True, max_length=longest)["input_ids"]
        for rows in (train, val, test)
    ]
    labels = [np.array([label for _, label in rows]) for rows in (train, val, test)]
    rng, history, seconds = np.random.default_rng(seed), [], 0.0
    per_epoch = math.ceil(len(train) / 32)
    for epoch in range(epochs):
        began = time.process_time()
        loss = ft.train_epoch(model, encoded[0], labels[0], optimizer, rng, 32, epoch * per_epoch,
                              epochs * per_epoch, progress)  # fmt: skip
        seconds += time.process_time() - began
        score = ft.evaluate(ft.predict(model, encoded[1]), labels[1])["accuracy"]
        history.append({"epoch": epoch + 1, "loss": loss, "val_accuracy": score, "cpu_seconds": seconds})
    positive = ft.predict(model, encoded[2])
    return {
        "method": method,
        "seed": seed,
        "epochs": epochs,
        "trainable": sum(w.numel() for w in learned),
        "cpu_seconds": seconds,
        "val_accuracy": history[-1]["val_accuracy"],
        **ft.evaluate(positive, labels[2]),
        "history": history,
        "positive": positive,
        "model": hf,
        "tokenizer": tokenizer,
    }


# ------------------------------------------------------------------------------------------------ on screen


@contextmanager
def progress_bar():
    """A bar on stderr; what it gives is a function of (step, steps, loss)."""
    from tqdm import tqdm

    with tqdm(unit=" batches", leave=False) as line:

        def show(step: int, steps: int, loss: float) -> None:
            line.total = steps
            line.set_postfix(loss=f"{loss:.3f}", refresh=False)
            line.update(step - line.n)
            if step == steps:
                line.refresh()

        yield show


def table(result: dict) -> str:
    """The result in a few lines."""
    low, high = result["interval"]
    rows = [
        ("method", result["method"]),
        ("epochs", result["epochs"]),
        ("numbers learned", f"{result['trainable']:,}"),
        ("CPU seconds of training", f"{result['cpu_seconds']:.0f}"),
        ("validation accuracy", f"{result['val_accuracy']:.1%}"),
        ("test accuracy", f"{result['accuracy']:.1%}  (95 %: {low:.1%} to {high:.1%})"),
        ("test macro-F1", f"{result['macro_f1']:.3f}"),
    ]
    return "\n".join(f"{name:<26}{value}" for name, value in rows)
