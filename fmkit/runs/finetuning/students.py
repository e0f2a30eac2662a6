"""Students (chapter 13): some blocks of a BERT, taught by labels or by a teacher's logits besides.

They begin as the blocks of a trained model and learn in torch; `Classifier.merged` makes them NumPy's again.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from fmkit.batching import batches_by_length
from fmkit.bert import BertConfig
from fmkit.runs.finetuning.data import make_batch
from fmkit.runs.loop import schedule, take_step
from fmkit.twins.adapters import Classifier


def student(params: dict, config: BertConfig, blocks: Iterable[int]) -> Classifier:
    """These blocks of a BERT with a new classifier, ready to learn everything but the table of words.

    Examples
    --------
    >>> from fmkit.bert import init_bert
    >>> config = BertConfig(vocab_size=11, block_size=8, n_layers=6, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, n_classes=2)
    >>> len(student(params, config, (0, 3)).bert.blocks)
    2
    """
    kept = [params["blocks"][i] for i in blocks]
    return Classifier(params | {"blocks": kept}, replace(config, n_layers=len(kept)))


def learn_answers(
    model: Classifier,
    ids: list[list[int]],
    labels,
    logits=None,
    temperature: float = 2.0,
    mix: float = 0.5,
    epochs: int = 2,
    lr: float = 2e-4,
    seed: int = 0,
    batch_size: int = 32,
) -> float:
    """Learn to classify: `fmkit.distillation.distillation_loss`, or without a teacher from the labels alone.

    Parameters
    ----------
    model : Classifier
        Changed in place.
    ids : N lists of ids
    labels : (N,) whole numbers
    logits : (N, K), optional
        The teacher's.
    temperature, mix : float
        As there; they count only with a teacher.
    lr : float
        Of the blocks, at its peak; the new head's is five times as large.
    seed : int
        Of the order of the texts.

    Returns
    -------
    cost : float
        Its mean over the last epoch.
    """
    optimizer = torch.optim.AdamW(model.parameter_groups(lr, 5.0 * lr), weight_decay=0.01, fused=True)
    rng, lengths = np.random.default_rng(seed), [len(text) for text in ids]
    targets = torch.as_tensor(np.asarray(labels), dtype=torch.long)
    teacher = None if logits is None else torch.as_tensor(np.asarray(logits), dtype=torch.float32)

    def cost(rows):
        said = model(*make_batch([ids[i] for i in rows]))
        hard = F.cross_entropy(said, targets[rows])
        if teacher is None:
            return hard
        q, p = (F.log_softmax(each / temperature, -1) for each in (said, teacher[rows]))
        soft = F.kl_div(q, p, reduction="batchmean", log_target=True)
        return mix * temperature**2 * soft + (1.0 - mix) * hard

    steps, step, total = epochs * -(-len(ids) // batch_size), 0, 0.0
    model.train()
    for _ in range(epochs):
        total = 0.0
        for rows in batches_by_length(lengths, batch_size, rng):
            loss = cost(rows)
            take_step(loss, optimizer, schedule(step, steps))
            step, total = step + 1, total + loss.item() * len(rows)
    model.eval()
    return total / len(ids)
