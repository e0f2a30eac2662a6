"""The torch device that a program computes on, and the versions that its numbers were made with."""

import platform
import textwrap

import numpy as np
import torch

import fmkit
from fmkit.errors import DeviceError


def find_device(name: str = "auto", dtype: torch.dtype = torch.float32) -> torch.device:
    """The torch device of a name, once a number has really been there and back.

    Parameters
    ----------
    name : str
        A torch device, or ``"auto"``: CUDA if this machine has it, else the CPU.
    dtype : torch.dtype
        Of the numbers that it must be able to compute with: some devices have no float64.

    Raises
    ------
    DeviceError
        This machine has no such device, or it cannot compute with such numbers.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.ones(2, dtype=dtype, device=name).sum().item()
    except Exception as error:  # torch raises RuntimeError, AssertionError, NotImplementedError and others
        reason = textwrap.shorten(str(error), 120, placeholder=" ...").rstrip(".")
        found = ", ".join(["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))])
        raise DeviceError(f"device {name!r} cannot be used ({reason}). This machine has: {found}") from error
    return torch.device(name)


def versions() -> dict[str, str]:
    """The versions of fmkit, Python, NumPy and torch."""
    return {
        "fmkit": fmkit.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
