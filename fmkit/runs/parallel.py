"""Training on several processes at once: each has the whole model and a slice of every batch.

The processes are started by ``torchrun``, which tells each one its number through the environment. After the
backward pass they average their gradients; from then on all of them take the same step, so that their models
stay the same without being sent around (data parallelism). One process alone is the case of a world of 1.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass

from fmkit.errors import ParallelError


@dataclass(frozen=True)
class World:
    """Which process this is, of how many, and the torch device that it computes on."""

    rank: int
    size: int
    device: object  # torch.device; torch is not imported before it is needed

    def average(self, tensors: list) -> None:
        """Replace tensors, **in place**, by their mean over all processes: one message for all of them."""
        if self.size == 1:
            return
        import torch
        from torch import distributed

        flat = torch.cat([tensor.flatten() for tensor in tensors])
        with _all_there():
            distributed.all_reduce(flat)  # the sum; every process gets the same bits
        flat /= self.size
        for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def share(self, make):
        """What ``make()`` returns in the first process, given to all; what it raises there is raised in all.

        The others do not call it. Any picklable value will do.
        """
        if self.size == 1:
            return make()
        from torch import distributed

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
    """A process that waits for one that has died hears of it as some error of the network."""
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
        ``"auto"``: CUDA where there is some, else the CPU. With several processes on CUDA each takes a GPU
        of its own.

    Raises
    ------
    ParallelError
        The device is not there, or this machine has fewer GPUs than processes.
    """
    import torch

    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    local = int(os.environ.get("LOCAL_RANK", 0))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and size > 1:
        if local >= torch.cuda.device_count():
            raise ParallelError(f"process {local} finds no GPU of its own: {torch.cuda.device_count()} here")
        device = f"cuda:{local}"
    place = find_device(device)
    if size == 1:
        yield World(0, 1, place)
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    torch.distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield World(rank, size, place)
    finally:
        torch.distributed.destroy_process_group()


def find_device(name: str):
    """The torch device of that name, once a number has really been there and back.

    Raises
    ------
    ParallelError
        There is no such device here.
    """
    import torch

    try:
        torch.ones(2, device=name).sum().item()
    except Exception as error:  # torch raises RuntimeError, AssertionError, NotImplementedError and others
        found = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        raise ParallelError(
            f"there is no device {name!r} here; there is: {', '.join(['cpu', *found])}"
        ) from error
    return torch.device(name)
