"""The device of a name is tried before it is used."""

import platform

import pytest

torch = pytest.importorskip("torch")

import fmkit  # noqa: E402
from fmkit.errors import DeviceError, UserError  # noqa: E402
from fmkit.twins.device import find_device, versions  # noqa: E402


@pytest.mark.parametrize("name", ["nonsense", "meta", "cuda:99", "cpu:x", ""])
def test_a_device_that_is_missing(name):
    with pytest.raises(
        DeviceError, match=f"^device {name!r} cannot be used .*This machine has: cpu"
    ) as error:
        find_device(name)
    assert isinstance(error.value, UserError)
    assert len(str(error.value)) < 250 and "\n" not in str(error.value)


def test_auto_is_the_gpu_if_there_is_one(monkeypatch):
    assert find_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto") == find_device() == torch.device("cpu")


def test_a_device_without_float64_is_refused(monkeypatch):
    def ones(n, dtype, device):
        if dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype\nas it has none.")
        return torch.zeros(n)

    monkeypatch.setattr(torch, "ones", ones)
    assert find_device("mps").type == "mps"
    with pytest.raises(DeviceError, match="float64 dtype as it has none\\)"):
        find_device("mps", torch.float64)


def test_versions():
    found = versions()
    assert found["fmkit"] == fmkit.__version__ and found["python"] == platform.python_version()
    assert found["torch"] == torch.__version__ and found["numpy"]
