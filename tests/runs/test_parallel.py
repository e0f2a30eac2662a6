"""Several processes as one, and devices that are not there. (Two real processes: test_pretraining_runs.)"""

import pytest

torch = pytest.importorskip("torch")

from fmkit.errors import ParallelError  # noqa: E402
from fmkit.runs.parallel import World, world  # noqa: E402


def test_one_process_is_its_own_world(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with world("cpu") as here:
        assert here == World(0, 1, torch.device("cpu"))
        tensor = torch.ones(3)
        here.average([tensor])
        assert torch.equal(tensor, torch.ones(3)) and here.share(lambda: "x") == "x"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with world("auto") as here:
        assert here.device.type == "cpu"


def test_more_processes_than_gpus(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with (
        pytest.raises(ParallelError, match="process 2 has no GPU of its own: this machine has 2"),
        world("cuda"),
    ):
        pass


def test_the_average_of_three(monkeypatch):
    """The sum over processes is played by a factor; shapes and places must come back right."""
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda flat: flat.mul_(torch.arange(7.0) * 3))
    a, b = torch.ones(2, 2), torch.ones(3)
    World(0, 3, torch.device("cpu")).average([a, b])
    assert a.tolist() == [[0, 1], [2, 3]] and b.tolist() == [4, 5, 6]


def test_what_the_first_process_raises_all_raise(monkeypatch):
    sent = []

    def broadcast(answer, src, device):
        if sent:
            answer[:] = sent
        else:
            sent.extend(answer)

    monkeypatch.setattr(torch.distributed, "broadcast_object_list", broadcast)
    cpu = torch.device("cpu")

    def fails():
        raise ParallelError("no")

    with pytest.raises(ParallelError, match="no"):
        World(0, 2, cpu).share(fails)
    with pytest.raises(ParallelError, match="no"):
        World(1, 2, cpu).share(lambda: pytest.fail("only the first process does it"))
    sent.clear()
    assert World(0, 2, cpu).share(lambda: 7) == World(1, 2, cpu).share(lambda: 8) == 7
