"""A whole run: what it leaves behind, that it goes on exactly, and that mistakes are one clear line."""

import dataclasses
import json
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from fmkit.command.cli import main  # noqa: E402
from fmkit.errors import CheckpointError, ParallelError, PretrainingError  # noqa: E402
from fmkit.runs import checkpoints  # noqa: E402
from fmkit.runs.parallel import World  # noqa: E402
from fmkit.runs.pretraining import recipes, state  # noqa: E402
from fmkit.runs.pretraining import run as pretraining  # noqa: E402
from fmkit.runs.pretraining import train as training  # noqa: E402
from fmkit.runs.pretraining.run import pretrain  # noqa: E402
from fmkit.runs.stopping import Stopped  # noqa: E402

SIZES = {"n_layers": 1, "n_heads": 2, "d_model": 16, "d_ff": 24, "block_size": 16}
RUN = {"batch_size": 4, "steps": 12, "warmup": 2}
FAST = dataclasses.replace(recipes.FAST, **SIZES, **RUN)
CLASSIC = dataclasses.replace(recipes.CLASSIC, **SIZES, **RUN)
TABLES = dataclasses.replace(FAST, name="tables", ngram_rows=64)
EACH = pytest.mark.parametrize("recipe", [FAST, CLASSIC, TABLES], ids=lambda r: r.name)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("".join(f"{i}: Ödipus said {i * i}.\n" for i in range(150)), "utf-8")
    return path


@pytest.fixture
def run(text, tmp_path):
    """Run a recipe in a folder of the test's, quietly."""

    def run(recipe, folder="run", say=lambda line: None, **options):
        return pretrain(recipe, tmp_path / folder, "cpu", options.pop("text", text), say=say, **options)

    return run


def stop_in(monkeypatch, step, how=lambda: signal.raise_signal(signal.SIGINT)):
    """Ask a run to stop while it takes a step."""
    batch = recipes.get_batch

    def interrupted(ids, recipe, now, *args):
        if now == step:
            how()
        return batch(ids, recipe, now, *args)

    monkeypatch.setattr(recipes, "get_batch", interrupted)


# ------------------------------------------------------------------------------------------------ a whole run


@EACH
def test_a_run_learns_and_says_what_it_did(run, tmp_path, recipe):
    said = []
    longer = dataclasses.replace(recipe, steps=40)
    result = run(longer, say=said.append)
    assert len(result["losses"]) == result["steps"] == 40
    assert result["losses"][-1] < result["losses"][0] - 0.1
    folder = tmp_path / "run"
    written = json.loads((folder / "recipe.json").read_text("utf-8"))
    assert written == {key: value for key, value in result.items() if key != "losses"}
    assert written["recipe"] == dataclasses.asdict(longer)
    assert written["corpus"] == "own.txt" and written["cpu_seconds"] > 0
    assert written["versions"]["torch"] == torch.__version__
    assert (
        f"Final validation loss {result['val_loss']:.3f} nats" in " ".join(said) and str(folder) in said[-1]
    )
    assert not (folder / "checkpoint.pt").exists()
    rows = (folder / "losses.csv").read_text("utf-8").splitlines()
    assert rows[0] == "step,loss,val_loss" and len(rows) == 41
    assert [float(row.split(",")[1]) for row in rows[1:]] == result["losses"]
    assert sum(not row.endswith(",") for row in rows[1:]) == 9


def test_the_final_loss_is_of_the_whole_validation_text_by_the_written_weights(run, tmp_path, text):
    from fmkit.data.pretrained import load_llama
    from fmkit.llama import llama
    from fmkit.losses import cross_entropy
    from fmkit.runs.corpus import read_corpus

    result = run(FAST)
    params, config = load_llama(tmp_path / "run")
    val = read_corpus(text, FAST.block_size).val
    losses = []
    for start in range(0, len(val) - 1, FAST.block_size):
        ids, targets = val[start : start + FAST.block_size], val[start + 1 : start + FAST.block_size + 1]
        logits, _ = llama(params, ids[None, : len(targets)], config)
        losses += [
            float(cross_entropy(logits[0, i : i + 1], targets[i : i + 1])[0]) for i in range(len(targets))
        ]
    assert len(losses) == len(val) - 1
    assert result["val_loss"] == pytest.approx(np.mean(losses), abs=1e-5)


@pytest.mark.parametrize("recipe, kind", [(FAST, "Qwen3ForCausalLM"), (CLASSIC, "GPT2LMHeadModel")])
def test_hugging_face_reads_the_folder(run, tmp_path, text, recipe, kind):
    transformers = pytest.importorskip("transformers")
    trained = []
    made = recipes.make_model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "make_model", lambda *a: trained.append(made(*a)) or trained[0])
        run(recipe)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "run")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "run")
    assert type(model).__name__ == kind
    words = "7: Ödipus\n said 4 "
    ids = tokenizer(words, return_tensors="pt").input_ids
    assert ids.shape == (1, len(words)) and tokenizer.decode(ids[0]) == words
    assert tokenizer("漢\r").input_ids == [0, 0] and tokenizer("").input_ids == []
    with torch.no_grad():
        ids = ids[:, : recipe.block_size]
        torch.testing.assert_close(model(ids).logits, trained[0](ids), rtol=1e-4, atol=1e-4)


def test_a_model_that_hugging_face_has_not_keeps_our_names(run, tmp_path):
    from safetensors.numpy import load_file

    run(TABLES)
    names = {path.name for path in (tmp_path / "run").glob("[a-z]*")}
    assert "config.json" not in names and {"model.safetensors", "tokenizer.json", "recipe.json"} <= names
    assert set(load_file(tmp_path / "run" / "model.safetensors")) == set(
        recipes.make_model(TABLES, 20).state_dict()
    )


# --------------------------------------------------------------------------------------------------- going on


@EACH
def test_a_stopped_run_goes_on_to_the_same_numbers(run, tmp_path, monkeypatch, recipe):
    whole = run(recipe, "whole")
    for step in (0, 5, 11):
        with monkeypatch.context() as patch:
            stop_in(patch, step)
            with pytest.raises(Stopped, match=f"Stopped after step {step + 1} of 12.*same command"):
                run(recipe, "parts")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    parts = run(recipe, "parts")
    assert parts["losses"] == whole["losses"] and parts["val_loss"] == whole["val_loss"]
    for name in ("model.safetensors", "losses.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_finished_run_is_not_run_again(run, monkeypatch):
    said = []
    first = run(FAST)
    monkeypatch.setattr(recipes, "make_model", lambda *a: pytest.fail("it began again"))
    assert run(FAST, say=said.append) == first
    assert len(said) == 1 and "is finished" in said[0]


def test_saving_happens_now_and_then(run, monkeypatch):
    saved = []
    monkeypatch.setattr(state.Run, "save", lambda run: saved.append(run.step))
    run(FAST, "rarely")
    assert saved == [12, 12]  # the second says that the files of a finished run may be there
    saved.clear()
    monkeypatch.setattr(training, "SAVE_SECONDS", -1.0)
    run(FAST, "often")
    assert saved == [*range(1, 13), 12]


def test_a_second_interrupt_does_not_wait(run, monkeypatch):
    clock = iter(range(0, 10000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(training, "SAVE_SECONDS", 1e9)

    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    stop_in(monkeypatch, 3, twice)
    with pytest.raises(KeyboardInterrupt) as stopped:
        run(FAST)
    assert not isinstance(stopped.value, Stopped)


def test_outside_the_main_thread_nobody_listens_for_signals(run):
    results = []
    thread = threading.Thread(target=lambda: results.append(run(FAST)))
    thread.start()
    thread.join()
    assert results[0]["steps"] == 12


# --------------------------------------------------------------------------------------------------- mistakes


def test_a_folder_with_another_run_is_refused(run, monkeypatch, text):
    other = dataclasses.replace(FAST, seed=5, steps=20)
    changed = text.with_name("changed.txt")
    changed.write_text(text.read_text("utf-8").replace("said", "says"), "utf-8")
    with monkeypatch.context() as patch:
        stop_in(patch, 3)
        with pytest.raises(Stopped):
            run(FAST)
    for _ in range(2):  # an unfinished run, then a finished one
        with pytest.raises(
            PretrainingError, match=r"seed 0 there, 5 here; steps 12 there, 20 here.*--output"
        ):
            run(other)
        with pytest.raises(PretrainingError, match=r"another run \(text of [\d,]+ characters"):
            run(FAST, text=changed)
        run(FAST)


def test_a_damaged_checkpoint_is_refused(run, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        stop_in(patch, 3)
        with pytest.raises(Stopped):
            run(FAST)
    path = tmp_path / "run" / "checkpoint.pt"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt is damaged. Delete it"):
        run(FAST)
    path.unlink()
    assert run(FAST)["steps"] == 12


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_result_is_refused(run, tmp_path, data):
    run(FAST)
    (tmp_path / "run" / "recipe.json").write_bytes(data)
    with pytest.raises(PretrainingError, match=r"recipe\.json is damaged, or not a run's. Name another"):
        run(FAST)


@pytest.mark.parametrize("content", ["a year of work", "{}", '{"flour": 2}', "", "a link"])
@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "losses.csv", "checkpoint.pt", "recipe.json"]
)
def test_files_of_others_are_never_written_over(run, tmp_path, name, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("does no harm")
    theirs = tmp_path / "run" / name
    if content == "a link":  # to a disk that is not there today
        theirs.symlink_to("/nowhere/work")
    else:
        theirs.write_text(content)
    with pytest.raises((PretrainingError, CheckpointError, FileNotFoundError)) as refused:
        run(FAST)
    assert name in str(refused.value)
    assert os.readlink(theirs) == "/nowhere/work" if content == "a link" else theirs.read_text() == content
    theirs.unlink()
    assert run(FAST)["steps"] == 12


@pytest.mark.parametrize("step", [5, 11])
def test_nor_files_that_came_while_a_run_was_stopped(run, tmp_path, monkeypatch, step):
    whole = run(FAST, "whole")
    with monkeypatch.context() as patch:
        stop_in(patch, step)
        with pytest.raises(Stopped):
            run(FAST)
    theirs = tmp_path / "run" / "config.json"
    theirs.write_text("a year of work")
    for _ in range(2):
        with pytest.raises(
            PretrainingError, match=r"not of this run \(config\.json\)\. Move them away and run"
        ):
            run(FAST)
    assert theirs.read_text() == "a year of work"
    theirs.unlink()
    assert run(FAST)["losses"] == whole["losses"]


def test_nor_files_that_came_while_it_ran(run, tmp_path, monkeypatch):
    theirs = tmp_path / "run" / "tokenizer.json"
    with monkeypatch.context() as patch:
        stop_in(patch, 7, lambda: theirs.write_text("a year of work"))
        for _ in range(2):  # the same command again does it no harm either
            with pytest.raises(PretrainingError, match=r"not of this run \(tokenizer\.json\)"):
                run(FAST)
    assert theirs.read_text() == "a year of work"
    theirs.unlink()
    said = []
    run(FAST, say=said.append)
    assert "Going on at step 12 of 12" in said[0]


def test_a_run_that_was_killed_while_it_wrote_its_files_goes_on(run, tmp_path, monkeypatch):
    whole, write = run(FAST, "whole"), checkpoints.write

    def killed(path, data):
        if path.name == "losses.csv":
            raise SystemExit
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write", killed)
        with pytest.raises(SystemExit):
            run(FAST)
    assert (tmp_path / "run" / "config.json").exists()
    assert run(FAST)["losses"] == whole["losses"]


def test_a_run_from_before_a_recipe_had_one_more_field_goes_on(run, tmp_path):
    first = run(FAST)
    path = tmp_path / "run" / "recipe.json"
    result = json.loads(path.read_text("utf-8"))
    del result["recipe"]["soft_cap"]
    path.write_text(json.dumps(result), "utf-8")
    assert run(FAST)["losses"] == first["losses"]
    with pytest.raises(PretrainingError, match="soft_cap 0.0 there, 15.0 here"):
        run(dataclasses.replace(FAST, soft_cap=15.0))


def test_what_is_held_out_and_what_the_model_cannot_know(run, tmp_path):
    said, own = [], tmp_path / "odd.txt"
    own.write_text("end has new signs " * 60 + "Ωß\n" * 40, "utf-8")
    run(FAST, text=own, say=said.append)
    assert said[1] == (
        "1,080 characters to learn from; the last tenth (120) is held out for the validation loss "
        "(100.00% [UNK])."
    )
    words = "100.00% of the characters held out are [UNK]: the text to learn from lacks \\n ß Ω."
    assert said[3] == words + " The loss says little about the others."
    run(FAST, text=own, say=said.append)
    assert "is finished" in said[-2] and said[-1] == said[3]


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(run, monkeypatch):
    whole = run(FAST, "whole")
    monkeypatch.setattr(training, "SAVE_SECONDS", -1.0)
    write, written = checkpoints.write, []

    def full(path, data):
        if len(written) == 4:
            raise CheckpointError("the disk is full")
        written.append(path)
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write", full)
        with pytest.raises(CheckpointError, match="full"):
            run(FAST)
    said = []
    assert run(FAST, say=said.append)["losses"] == whole["losses"]
    assert "Going on at step 4 of 12" in said[0]


def test_a_loss_that_explodes_is_told(run, tmp_path):
    wild = dataclasses.replace(CLASSIC, lr=float("inf"))
    with pytest.raises(PretrainingError, match="the loss is nan at step 1: the learning rate is too high"):
        run(wild)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_batch_that_cannot_be_shared_is_refused(run, monkeypatch):
    from contextlib import nullcontext

    monkeypatch.setattr(pretraining, "world", lambda device: nullcontext(World(1, 3, torch.device("cpu"))))
    with pytest.raises(ParallelError, match="3 processes cannot share a batch of 4 evenly"):
        run(FAST)


def test_a_run_in_a_busy_folder_is_refused(run, tmp_path):
    with (
        checkpoints.only_one(tmp_path / "run"),
        pytest.raises(CheckpointError, match="another run is at work"),
    ):
        run(FAST)


# ----------------------------------------------------------------------------------------------------- device


@EACH
def test_a_step_stays_on_the_device_it_is_given(recipe):
    """Tensors without data, not on the CPU: any mix with CPU tensors raises."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    device, ids = torch.device("meta"), np.arange(400) % 23
    model = recipes.make_model(recipe, 23, device)
    with FakeTensorMode(allow_non_fake_inputs=True):
        batch, targets = recipes.get_batch(ids, recipe, 0, device)
        loss = training.loss_and_gradients(model, batch, targets)
        with pytest.raises(RuntimeError, match="two (different )?devices"):
            training.loss_and_gradients(model, *recipes.get_batch(ids, recipe, 0, "cpu"))
    tensors = [loss, *model.parameters(), *(w.grad for w in model.parameters())]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert {w.grad.dtype for w in model.parameters()} == {torch.float32}


@pytest.mark.gpu
@EACH
def test_a_run_on_a_gpu(run, text, tmp_path, recipe):
    on_cpu = run(recipe, "cpu")
    on_gpu = pretrain(recipe, tmp_path / "gpu", "cuda", text, say=lambda line: None)
    assert on_gpu["device"] == "cuda"
    np.testing.assert_allclose(on_gpu["losses"], on_cpu["losses"], rtol=0.03)


# ----------------------------------------------------------------------------------------------- the progress


def test_the_bar_is_for_terminals(run, capfd):
    run(FAST, "quiet")
    assert capfd.readouterr() == ("", "")
    run(FAST, "shown", progress=True)
    out, err = capfd.readouterr()
    assert out == "" and "12/12" in err and "loss=" in err and "val=" in err


def test_the_recipe_that_was_asked_for():
    assert pretraining.find_recipe("fast") == recipes.FAST
    asked = pretraining.find_recipe("classic", steps=7, seed=0)
    assert asked == dataclasses.replace(recipes.CLASSIC, steps=7, seed=0)
    option = next(p for p in main.commands["pretrain"].params if p.name == "name")
    assert {*option.type.choices} == {*recipes.RECIPES}


# ------------------------------------------------------------------------------------------------ the command


def command(*words):
    return CliRunner().invoke(main, ["pretrain", *map(str, words)])


def test_the_command_hands_on_what_it_was_asked(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(pretraining, "pretrain", lambda *args, **more: called.append((args, more["say"])))
    assert command().exit_code == 0
    words = ("--recipe", "classic", "--steps", 7, "--seed", 3, "--text", "x", "--device", "cpu")
    assert command(*words, "--output", tmp_path).exit_code == 0
    classic = dataclasses.replace(recipes.CLASSIC, steps=7, seed=3)
    assert [args for args, _ in called] == [
        (recipes.FAST, Path("pretrain-fast"), "auto", None),
        (classic, tmp_path, "cpu", Path("x")),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("--device", "nonsense"),
        ("--text", "no-such-file"),
        ("--output", "/proc/no"),
        ("--output", "own.txt/x"),
        ("--recipe", "slow"),
        ("--steps", 0),
        ("--steps", "many"),
        ("--seed", -1),
    ],
)
def test_a_mistake_is_one_clear_line(text, monkeypatch, words):
    monkeypatch.chdir(text.parent)
    done = command("--text", text, "--output", "run", *words)
    assert done.exit_code in (1, 2) and isinstance(done.exception, SystemExit)
    errors = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and len(errors[0]) > 12
    assert done.exit_code == 2 or len(done.output.splitlines()) == 1


@pytest.mark.parametrize("stop", [Stopped("Stopped after step 3"), KeyboardInterrupt()])
def test_ctrl_c_ends_the_command_quietly(monkeypatch, stop):
    def pretrain(*args, **more):
        raise stop

    monkeypatch.setattr(pretraining, "pretrain", pretrain)
    done = command()
    assert done.exit_code == 130 and done.output.startswith("Stopped")
