"""Fine-tuning a model of the Hugging Face hub instead of the packaged one (chapter 08)."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fmkit.data.datasets import hub_answers
from fmkit.errors import FinetuneError
from fmkit.runs.finetuning import run as ft
from fmkit.runs.finetuning.data import MAX_LENGTH
from fmkit.runs.loop import run_epochs
from fmkit.twins.huggingface import quietly

METHODS = ("head", "full")
BATCH_SIZE = 32


class HubModel(nn.Module):
    """A model of Hugging Face's as `fmkit.runs.finetuning.run` calls one: (ids, mask) to logits."""

    def __init__(self, model, pad_id: int):
        super().__init__()
        self.model, self.pad_id = model, pad_id

    def forward(self, ids, mask):
        if mask is not None:
            ids = ids.masked_fill(mask == 0, self.pad_id)
        return self.model(input_ids=ids, attention_mask=torch.ones_like(ids) if mask is None else mask).logits


def load_hub(model: str, seed: int, classes=ft.CLASSES):
    """Model with a new head for these classes, and tokenizer, of a hub name or a folder.

    Raises
    ------
    FinetuneError
        No network, no such model, or a model that does not classify texts.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(seed)
    about = {"id2label": dict(enumerate(classes)), "num_labels": len(classes)}
    about["label2id"] = {name: i for i, name in enumerate(classes)}
    about["ignore_mismatched_sizes"] = True  # a head for other classes is replaced
    try:
        with quietly():
            local = Path(model).is_dir() or not hub_answers()
            tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=local)
            kind = AutoModelForSequenceClassification
            return kind.from_pretrained(model, local_files_only=local, **about), tokenizer
    except (OSError, ValueError) as error:
        raise FinetuneError(
            f"{model!r} could not be loaded from the Hugging Face hub: no network, no such model, or not "
            "one for texts. Without --model the packaged MiniLM is used, offline."
        ) from error


def finetune_hub(
    hf, tokenizer, method, seed, epochs, device, train, val, test, progress=None, lr=5e-5
) -> dict:
    """Fine-tune all of a model ("full"), or its new head only ("head"), for some epochs.

    Arguments and result are those of `fmkit.runs.finetuning.run.finetune`, with a ``tokenizer`` in both. The
    weights are those of the last epoch.
    """
    model = HubModel(hf, tokenizer.pad_token_id or 0).to(device)
    if method == "head":
        hf.base_model.requires_grad_(False)
    learned = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-3 if method == "head" else lr, weight_decay=0.01)
    longest = min(MAX_LENGTH, tokenizer.model_max_length)
    ids, val_ids, test_ids = (
        tokenizer([text for text, _ in rows], truncation=True, max_length=longest)["input_ids"]
        for rows in (train, val, test)
    )
    labels, val_labels, test_labels = (np.array([label for _, label in rows]) for rows in (train, val, test))
    rng, per_epoch = np.random.default_rng(seed), math.ceil(len(train) / BATCH_SIZE)

    def train_one(epoch):
        first, steps = epoch * per_epoch, epochs * per_epoch
        return ft.train_epoch(model, ids, labels, optimizer, rng, BATCH_SIZE, first, steps, progress)

    def validate():
        return ft.evaluate(ft.predict(model, val_ids), val_labels)["accuracy"]

    history = run_epochs(model, train_one, validate, epochs)
    positive = ft.predict(model, test_ids)
    return {
        "method": method,
        "seed": seed,
        "epochs": epochs,
        "trainable": sum(w.numel() for w in learned),
        "cpu_seconds": history[-1]["cpu_seconds"],
        "val_accuracy": history[-1]["val_accuracy"],
        **ft.evaluate(positive, test_labels),
        "history": history,
        "positive": positive,
        "model": hf,
        "tokenizer": tokenizer,
    }
