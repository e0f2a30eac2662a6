"""Real processes: killed with SIGKILL at the worst moments, interrupted, and two of them under torchrun."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers.paths import ROOT

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from fmkit.runs.pretraining import recipes  # noqa: E402
from fmkit.runs.pretraining.run import find_recipe, pretrain  # noqa: E402

TINY = {
    "n_layers": 1,
    "n_heads": 2,
    "d_model": 16,
    "d_ff": 24,
    "block_size": 16,
    "batch_size": 4,
    "warmup": 2,
}
RECIPE = dataclasses.replace(recipes.FAST, **TINY, steps=40)

# Saves after every step, and kills itself: `moment` says where in a save (or not in one), `step` when.
DRIVER = """
import builtins, json, os, signal, sys
from fmkit import _files
from fmkit.runs import checkpoints
from fmkit.runs.pretraining import recipes, run, state, train

recipe, folder, text, moment, step = *sys.argv[1:5], int(sys.argv[5])
train.SAVE_SECONDS = -1.0
save, write, replace = state.Run.save, checkpoints.write, os.replace

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

class Half:
    def __init__(self, *args):
        self.file = builtins.open(*args)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        pass
    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        die()

def save_and_perhaps_die(run):
    if run.step == step:
        if moment == "half written":
            _files.open = Half
        elif moment == "written, not renamed":
            os.replace = die
        elif moment == "renamed":
            os.replace = lambda *args: (replace(*args), die())
    save(run)

def write_and_perhaps_die(path, data):
    if moment == "at the end" and path.name == "recipe.json":
        die()
    write(path, data)

def batch_and_perhaps_die(ids, recipe, now, *args):
    if moment == "between saves" and now == step:
        die()
    return batch(ids, recipe, now, *args)

batch, recipes.get_batch = recipes.get_batch, batch_and_perhaps_die
state.Run.save, checkpoints.write = save_and_perhaps_die, write_and_perhaps_die
run.pretrain(recipes.Recipe(**json.loads(recipe)), folder, "cpu", text)
"""

# each one goes on where the one before was killed; and the checkpoint that it must have left
MOMENTS = [
    ("between saves", 3, 3),
    ("half written", 6, 5),
    ("written, not renamed", 9, 8),
    ("renamed", 12, 12),
    ("from outside", 0, None),
    ("at the end", 0, 40),
]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("".join(f"{i}: Ödipus said {i * i}.\n" for i in range(150)), "utf-8")
    return path


def start(*words, **options):
    """A process of this Python with our package; it must not find a torchrun around it."""
    env = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [env.get("PYTHONPATH")])])
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *map(str, words)], env=env, stdout=pipe, stderr=pipe, text=True)


def kill_after_saves(process, path, saves=3):
    """Kill it at whatever it is doing once it has saved a few times."""
    seen, deadline = set(), time.monotonic() + 120
    while len(seen) < saves and process.poll() is None and time.monotonic() < deadline:
        seen.add(path.stat().st_mtime_ns)
        time.sleep(0.002)
    process.kill()


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_numbers(text, tmp_path):
    whole = pretrain(RECIPE, tmp_path / "whole", "cpu", text, say=lambda line: None)
    folder = tmp_path / "killed"
    words = ["-c", DRIVER, json.dumps(dataclasses.asdict(RECIPE)), folder, text]
    stood = 0  # the step of the checkpoint
    for moment, step, left in MOMENTS:
        process = start(*words, moment, step)
        if moment == "from outside":
            kill_after_saves(process, folder / "checkpoint.pt")
        out, err = process.communicate(timeout=300)
        assert process.returncode == -signal.SIGKILL, (moment, out, err)
        assert stood == 0 or f"Going on at step {stood} of 40" in out, (moment, out)
        stood = left
        if moment == "from outside":
            from fmkit.runs import checkpoints

            path = folder / "checkpoint.pt"
            stood = checkpoints.from_bytes(path.read_bytes(), path)["step"]
            assert stood > 12
    out, err = start(*words, "never", 0).communicate(timeout=300)
    assert "Going on at step 40 of 40" in out, err
    for name in ("model.safetensors", "losses.csv"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    result = json.loads((folder / "recipe.json").read_text("utf-8"))
    assert result["val_loss"] == whole["val_loss"]
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in (tmp_path / "whole").iterdir())


@pytest.mark.slow
def test_two_processes_under_torchrun_are_one(text, tmp_path):
    one = pretrain(find_recipe("fast", steps=4), tmp_path / "one", "cpu", text, say=lambda line: None)
    words = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        2,
        "-m",
        "fmkit.runs.pretraining",
    ]
    options = ["--text", text, "--steps", 4, "--device", "cpu", "--output", tmp_path / "two"]
    out, err = start(*words, *options).communicate(timeout=300)
    two = json.loads((tmp_path / "two" / "recipe.json").read_text("utf-8"))
    assert two["processes"] == 2 and out.count("Final validation loss") == 1, err
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=1e-5)
    losses = np.loadtxt(tmp_path / "two" / "losses.csv", delimiter=",", skiprows=1, usecols=1)
    np.testing.assert_allclose(losses, one["losses"], rtol=1e-5)
    weights = load_file(tmp_path / "one" / "model.safetensors")
    for name, w in load_file(tmp_path / "two" / "model.safetensors").items():
        np.testing.assert_allclose(w, weights[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_ctrl_c_says_how_to_go_on(text, tmp_path):
    words = ["-m", "fmkit.runs.pretraining", "--text", text, "--steps", 100000, "--output", tmp_path / "run"]
    process = start(*words)
    assert "100000 steps" in process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.strip().endswith("Run the same command again to go on.") and "Traceback" not in err
    assert "Stopped after step" in err and (tmp_path / "run" / "checkpoint.pt").exists()
