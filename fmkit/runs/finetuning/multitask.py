"""Two tasks in one body (chapter 08), and what the body forgets when it learns the second one later.

Film reviews and tweets, both positive or negative, share every block; each has a head of its own.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from fmkit.batching import batches_by_length
from fmkit.data.datasets import tweets
from fmkit.runs.finetuning.data import encode, make_batch, make_model, splits
from fmkit.runs.finetuning.run import evaluate, fit, predict, targets
from fmkit.runs.loop import schedule, take_step
from fmkit.twins.adapters import Classifier


class SharedBody(nn.Module):
    """One body and pooler, a linear head for each task: ``model.task(i)`` is a model for `predict`."""

    def __init__(self, body: Classifier, n_tasks: int = 2):
        super().__init__()
        self.body = body
        C, K = body.w.shape
        device = body.w.device
        self.w = nn.ParameterList(torch.zeros(C, K, device=device) for _ in range(n_tasks))
        self.b = nn.ParameterList(torch.zeros(K, device=device) for _ in range(n_tasks))

    def forward(self, ids, mask, task: int = 0):
        """Logits (B, K) of one task."""
        return torch.tanh(self.body.bert.pooler(self.body.cls(ids, mask))) @ self.w[task] + self.b[task]

    def groups(self, lr: float, head_lr: float, decay: float) -> list[dict]:
        """As `Classifier.parameter_groups`, with all the heads."""
        groups = self.body.parameter_groups(lr, head_lr, decay)
        own = {id(self.body.w), id(self.body.b)}  # the body's own head has nothing to do here
        groups[-1]["params"] = [w for w in groups[-1]["params"] if id(w) not in own]
        return [*groups, {"params": [*self.w, *self.b], "lr": head_lr}]


def train_together(tasks: list, method="full", lr=1e-4, decay=0.9, head_lr=1e-3, seed=0, device="cpu",
                   batch_size=32, progress=None, passes=None, weights=None,
                   bfloat16=False) -> tuple[SharedBody, float]:  # fmt: skip
    """Train on the texts of all tasks; each batch is of one task, the order of the batches is random.

    Parameters
    ----------
    tasks : list of rows
        For each task a list of (text, label), the label as in `train_epoch`.
    passes : ints, optional
        How often the texts of each task are read; by default once.
    weights : floats, optional
        Of each task's loss; by default 1.
    bfloat16 : bool
        Multiply matrices in bfloat16; the weights stay float32. Two thirds of the time on a processor that
        can, more than before on one that cannot.

    Returns
    -------
    model, cpu_seconds
    """
    model = SharedBody(make_model(method, seed, device), len(tasks))
    optimizer = torch.optim.AdamW(model.groups(lr, head_lr, decay), weight_decay=0.01, fused=True)
    rng = np.random.default_rng(seed)
    ids = [encode([text for text, _ in rows]) for rows in tasks]
    passes, weights = passes or [1] * len(tasks), weights or [1.0] * len(tasks)
    batches = [
        ((before + rng.random()) / passes[task], task, rows)
        for task, texts in enumerate(ids)
        for before in range(passes[task])
        for rows in batches_by_length([len(text) for text in texts], batch_size, rng)
    ]
    batches.sort(key=lambda batch: batch[0])  # its place in the run, from 0 to 1: pass after pass
    began = time.process_time()
    for step, (_, task, rows) in enumerate(batches):
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bfloat16):
            logits = model(*make_batch([ids[task][row] for row in rows], device), task).float()
        y = torch.tensor([tasks[task][row][1] for row in rows], dtype=torch.float32, device=logits.device)
        loss = weights[task] * F.cross_entropy(logits, targets(y, logits.shape[1]))
        take_step(loss, optimizer, schedule(step, len(batches)))
        if progress:
            progress(step + 1, len(batches), loss.item())
    return model, time.process_time() - began


def accuracies(model, tests: list, heads=None) -> list[float]:
    """Accuracy on each task's test rows; ``heads`` gives the number of the head for each."""
    heads = range(len(tests)) if heads is None else heads
    scores = []
    for head, rows in zip(heads, tests, strict=True):
        positive = says(model, [text for text, _ in rows], head)
        scores.append(evaluate(positive, [label for _, label in rows])["accuracy"])
    return scores


def says(model, texts: list[str], head: int = 0) -> np.ndarray:
    """`predict` by one head of a SharedBody, or by a Classifier, which has one."""

    def logits(ids, mask):
        return model(ids, mask, head) if isinstance(model, SharedBody) else model(ids, mask)

    model.eval()
    return predict(logits, encode(texts), device=next(model.parameters()).device)


def multitask(seed: int = 0, method: str = "full", device="cpu", parts=None, progress=None) -> dict:
    """Train one body on reviews and tweets together.

    Parameters
    ----------
    parts : ((train, val, test), (train, val, test)), optional
        Reviews and tweets; by default all of them.

    Returns
    -------
    dict
        seed, method, cpu_seconds, reviews, tweets: accuracies on the two test sets.
    """
    both = parts or (splits(), splits(tweets()))
    model, seconds = train_together(
        [part[0] for part in both], method, seed=seed, device=device, progress=progress
    )
    scores = accuracies(model, [part[2] for part in both])
    return {"seed": seed, "method": method, "cpu_seconds": seconds, "reviews": scores[0], "tweets": scores[1]}


def forgetting(model: Classifier, parts=None, seed: int = 0, lr: float = 1e-4, progress=None) -> dict:
    """Fine-tune a model of the reviews on tweets, in place; how much of the reviews does it forget?

    Returns
    -------
    dict
        reviews_before, reviews_after, tweets_before, tweets_after: accuracies; cpu_seconds.
    """
    both = parts or (splits(), splits(tweets()))
    tests = [part[2] for part in both]
    before = accuracies(model, tests)
    history = fit(model, both[1][0], both[1][1], epochs=1, lr=lr, seed=seed, progress=progress)
    after = accuracies(model, tests)
    return {
        "method": model.method,
        "seed": seed,
        "cpu_seconds": history[-1]["cpu_seconds"],
        "reviews_before": before[0],
        "reviews_after": after[0],
        "tweets_before": before[1],
        "tweets_after": after[1],
    }
