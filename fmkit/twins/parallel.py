"""Chapter 15's ways of training a tower by torch.distributed: the same cuts, another library's messages.

`losses_by_gloo` starts the processes, on one machine, with gloo (torch's messages for CPUs). gloo cannot
scatter a sum on CPUs, so ZeRO has no twin here.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import distributed, multiprocessing
from torch.nn import functional

from fmkit.params import flatten, unflatten


def data_parallel(params: dict, x, targets, steps: int, lr: float) -> list[float]:
    """`fmkit.parallel.data_parallel`; in a process of a group."""
    n, rank = distributed.get_world_size(), distributed.get_rank()
    rows = slice(len(x) * rank // n, len(x) * (rank + 1) // n)
    params, optimizer = _trained(params, lr)
    losses = []
    for _ in range(steps):
        out = _up(params["blocks"], x[rows]) @ params["head"]
        loss = functional.cross_entropy(out, targets[rows], reduction="sum") / len(x)
        loss.backward()
        for w in flatten(params).values():
            distributed.all_reduce(w.grad)
        losses.append(_step(optimizer, loss, shared=True))
    return losses


def tensor_parallel(params: dict, x, targets, steps: int, lr: float) -> list[float]:
    """`fmkit.parallel.tensor_parallel`; in a process of a group."""
    n, rank = distributed.get_world_size(), distributed.get_rank()

    def cut(w, axis):
        return w.tensor_split(n, axis)[rank].clone()

    blocks = [
        {"w1": cut(p["w1"], 1), "b1": cut(p["b1"], 0), "w2": cut(p["w2"], 0), "b2": p["b2"]}
        for p in params["blocks"]
    ]
    first = len(torch.arange(params["head"].shape[1]).tensor_split(n)[0]) * rank
    params, optimizer = _trained({"blocks": blocks, "head": cut(params["head"], 1)}, lr)
    losses = []
    for _ in range(steps):
        h = x
        for p in params["blocks"]:
            active = functional.gelu(_ToAll.apply(h) @ p["w1"] + p["b1"], approximate="tanh")
            h = h + _FromAll.apply(active @ p["w2"]) + p["b2"]
        logits = _ToAll.apply(h) @ params["head"]
        largest = logits.detach().max(1).values
        distributed.all_reduce(largest, distributed.ReduceOp.MAX)
        logits = logits - largest[:, None]
        own = (targets >= first) & (targets < first + logits.shape[1])
        column = torch.where(own, targets - first, 0)
        target = torch.where(own, logits.gather(1, column[:, None])[:, 0], 0.0)
        total = _FromAll.apply(logits.exp().sum(1))
        loss = (total.log() - _FromAll.apply(target)).mean()
        loss.backward()
        losses.append(_step(optimizer, loss, shared=False))
    return losses


def pipeline(params: dict, x, targets, steps: int, lr: float, micro: int = 4) -> list[float]:
    """`fmkit.parallel.pipeline`, all forward and then all backward; in a process of a group."""
    n, rank = distributed.get_world_size(), distributed.get_rank()
    places = np.array_split(np.arange(len(params["blocks"])), n)[rank]
    last = rank == n - 1
    own = {"blocks": [params["blocks"][i] for i in places]} | ({"head": params["head"]} if last else {})
    own, optimizer = _trained(own, lr)
    losses = []
    for _ in range(steps):
        kept, total = [], torch.zeros((), dtype=x.dtype)
        for rows, wanted in zip(x.chunk(micro), targets.chunk(micro), strict=True):
            below = rows.clone()
            if rank:
                distributed.recv(below, rank - 1)
            below.requires_grad_()
            above = _up(own["blocks"], below)
            if last:
                above = functional.cross_entropy(above @ own["head"], wanted, reduction="sum") / len(x)
                total += above.detach()
            else:
                distributed.send(above.detach().contiguous(), rank + 1)
            kept.append((below, above))
        for below, above in reversed(kept):
            dabove = None if last else torch.empty_like(above)
            if not last:
                distributed.recv(dabove, rank + 1)
            above.backward(dabove)
            if rank:
                distributed.send(below.grad, rank - 1)
        losses.append(_step(optimizer, total, shared=True))
    return losses


WAYS = {"data_parallel": data_parallel, "tensor_parallel": tensor_parallel, "pipeline": pipeline}


def losses_by_gloo(size: int, params: dict, x, targets, steps: int, lr: float) -> dict[str, list[float]]:
    """Train a tower on ``size`` new processes in each of the `WAYS`; its loss at each step.

    Parameters
    ----------
    params, x, targets
        NumPy arrays, as for `fmkit.parallel.data_parallel`.
    """
    with tempfile.TemporaryDirectory() as folder:
        args = size, folder, flatten(params), x, targets, steps, lr
        multiprocessing.spawn(_child, args=args, nprocs=size)
        return json.loads((Path(folder) / "losses.json").read_text("utf-8"))


def _child(rank, size, folder, flat, x, targets, steps, lr) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=size)
    try:
        params = unflatten({name: torch.from_numpy(w.copy()) for name, w in flat.items()})
        data = torch.from_numpy(x), torch.from_numpy(targets)
        losses = {name: way(params, *data, steps, lr) for name, way in WAYS.items()}
        if rank == 0:
            (Path(folder) / "losses.json").write_text(json.dumps(losses), "utf-8")
        distributed.barrier()  # nobody leaves while another still waits for a message
    finally:
        distributed.destroy_process_group()


def _up(blocks, h):
    for p in blocks:
        h = h + functional.gelu(h @ p["w1"] + p["b1"], approximate="tanh") @ p["w2"] + p["b2"]
    return h


def _trained(params, lr):
    flat = {name: w.clone().requires_grad_() for name, w in flatten(params).items()}
    return unflatten(flat), torch.optim.Adam(flat.values(), lr=lr)


def _step(optimizer, loss, shared) -> float:
    """One step; the loss of the batch, which the ranks have in parts where it is ``shared``."""
    optimizer.step()
    optimizer.zero_grad()
    loss = loss.detach().clone()
    if shared:
        distributed.all_reduce(loss)
    return loss.item()


class _ToAll(torch.autograd.Function):
    """One vector goes to all ranks: what comes back from them adds up."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, dout):
        dout = dout.clone()
        distributed.all_reduce(dout)
        return dout


class _FromAll(torch.autograd.Function):
    """All ranks' parts add up: each gets the whole gradient."""

    @staticmethod
    def forward(ctx, x):
        x = x.clone()
        distributed.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, dout):
        return dout
