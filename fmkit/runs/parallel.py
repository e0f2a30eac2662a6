"""Training on several processes at once: each has the whole model and a slice of every batch.

``torchrun`` starts the processes and gives each its number in the environment. After the backward pass they
average their gradients, so that all take the same step and their models stay the same without being sent
around (data parallelism). Without ``torchrun`` there is one process, a world of size 1.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from fmkit.errors import ParallelError
from fmkit.twins.device import find_device


@dataclass(frozen=True)
class World:
    """The number of this process, the number of all, and the torch device that this one computes on."""

    rank: int
    size: int
    device: torch.device

    def average(self, tensors: list) -> None:
        """Replace tensors, **in place**, by their mean over all processes: one message for all of them."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        with _all_there():
            distributed.all_reduce(flat)  # the sum; every process gets the same bits
        flat /= self.size
        for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def share(self, make):
        """Call ``make()`` in the first process only; all get what it returns, or the exception it raises.

        The value must be picklable.
        """
        if self.size == 1:
            return make()
        answer = [None, None]
        if self.rank == 0:
            try:
                answer[0] = make()
            except BaseException as error:  # an interrupt too: the others are waiting
                answer[1] = error
        with _all_there():
            distributed.broadcast_object_list(answer, src=0, device=self.device)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]


@contextmanager
def _all_there():
    """A process that waits for one that has died gets some error of the network: say what it means."""
    try:
        yield
    except RuntimeError as error:
        raise ParallelError("another process is gone. Run the same command again to go on") from error


@contextmanager
def world(device: str = "auto"):
    """The processes that ``torchrun`` has started, or this one alone; yields a `World`.

    Parameters
    ----------
    device : str
        As for `fmkit.twins.device.find_device`. With several processes on CUDA each takes a GPU of its own.

    Raises
    ------
    DeviceError
        This machine has no such device.
    ParallelError
        This machine has fewer GPUs than processes.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    local = int(os.environ.get("LOCAL_RANK", 0))
    gpus = torch.cuda.device_count()
    if size > 1 and gpus and device in ("auto", "cuda"):
        if local >= gpus:
            raise ParallelError(f"process {local} has no GPU of its own: this machine has {gpus}")
        device = f"cuda:{local}"
    place = find_device(device)
    if size == 1:
        yield World(0, 1, place)
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield World(rank, size, place)
    finally:
        distributed.destroy_process_group()
