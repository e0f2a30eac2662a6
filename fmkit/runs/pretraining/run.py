"""A whole pretraining run (chapter 07): the command ``fmkit pretrain``, also under ``torchrun``.

`recipes` says what is trained and how; here is what a run needs around it: data, a progress bar,
checkpoints, several processes, and a folder at the end that Hugging Face's libraries can read.

Whatever happens to a run, the same command goes on with it. Batches depend on the seed and the number of the
step alone, so a checkpoint (weights, optimizer, step) is all that the rest of the run depends on: after a
kill, it gives the same numbers, bit for bit, as without one (on the same machine, with as many threads; on a
GPU to rounding, since some of its sums have no fixed order).
"""

import dataclasses
import json
import math
import platform
import signal
import time
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

import fmkit
from fmkit.errors import CheckpointError, ParallelError, PretrainingError
from fmkit.runs import checkpoints
from fmkit.runs.corpus import Corpus, read_corpus
from fmkit.runs.parallel import World, world

CHECKPOINT, LOSSES, RESULT = "checkpoint.pt", "losses.csv", "recipe.json"
SAVE_SECONDS = 15.0  # how much work a kill may cost
PEEKS = 10  # so often in a run the bar gets a new validation loss ...
PEEK_TOKENS = 4096  # ... on parts of the validation text; the whole of it is read once, at the end


class Stopped(KeyboardInterrupt):
    """Someone asked the run to stop; it is saved, and the same command goes on with it."""


# -------------------------------------------------------------------------------------------------------- run


def find_recipe(name: str, steps: int | None = None, seed: int | None = None):
    """A recipe of `recipes` by its name, with other steps or another seed where they are given."""
    from fmkit.runs.pretraining.recipes import RECIPES

    changes = {"steps": steps, "seed": seed}
    return dataclasses.replace(RECIPES[name], **{key: n for key, n in changes.items() if n is not None})


def pretrain(
    recipe,
    folder: str | Path,
    device: str = "auto",
    text: str | Path | None = None,
    progress: bool | None = None,
    say=print,
) -> dict:
    """Train a language model as a recipe says, or go on with a run that was stopped.

    Parameters
    ----------
    recipe : fmkit.runs.pretraining.recipes.Recipe
        What to train and how, seed and number of steps included.
    folder : path
        Where the run lives: its checkpoints, then the finished model. A finished run is not run again.
    device : str
        A torch device, or ``"auto"``: CUDA where there is some. On CUDA, products are taken in bfloat16.
    text : path, optional
        A UTF-8 text file to learn from instead of Shakespeare's plays.
    progress : bool, optional
        Show a bar on stderr; by default only if that is a terminal.
    say : callable
        Takes the few lines that tell what happens.

    Returns
    -------
    dict
        What is in ``recipe.json`` (validation loss in nats per token, CPU seconds of all processes, ...), and
        ``"losses"``, the training loss of each step.

    Raises
    ------
    PretrainingError, CheckpointError, CorpusError, ParallelError
        With a message for the user.
    Stopped
        On Ctrl-C (or SIGTERM), after the run was saved.
    """
    folder = Path(folder)
    with world(device) as here, ExitStack() as stack:
        data = read_corpus(text, recipe.block_size)
        if recipe.batch_size % here.size:
            raise ParallelError(f"{here.size} processes cannot share a batch of {recipe.batch_size} evenly")
        here.share(lambda: stack.enter_context(checkpoints.only_one(folder)))
        run = Run(recipe, data, here, folder)
        if here.share(run.identity) != run.identity():
            raise ParallelError("the processes were not given the same recipe and text")
        say = say if here.rank == 0 else lambda line: None
        if done := here.share(lambda: read_finished(run)):
            say(f"{folder} is finished: nothing to do. {_summary(done)}")
            return done
        _begin(run, say)
        _train(run, progress)
        result = here.share(lambda: _finish(run))
        say(_summary(result))
        say(f"The model is in {folder}: {', '.join(sorted(p.name for p in folder.glob('[a-z]*')))}")
        return result


@dataclasses.dataclass
class Run:
    """A run and how far it has come."""

    recipe: Any
    data: Corpus
    here: World
    folder: Path
    model: Any = None
    optimizer: Any = None
    step: int = 0
    losses: list[float] = dataclasses.field(default_factory=list)  # of every step so far
    val_losses: list = dataclasses.field(default_factory=list)  # (step, loss on parts of the text)
    cpu_seconds: float = 0.0  # of all processes together
    clock: float = 0.0  # this process's, when it last reported

    def identity(self) -> dict:
        """What must be the same for a run to go on."""
        recipe = json.loads(json.dumps(dataclasses.asdict(self.recipe)))
        return {"recipe": recipe, "text": self.data.fingerprint}

    def state(self) -> dict:
        """What a checkpoint holds."""
        return {
            "identity": json.dumps(self.identity()),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "val_losses": self.val_losses,
            "cpu_seconds": self.cpu_seconds,
        }


def _begin(run: Run, say) -> None:
    """Make model and optimizer: new ones, or those of the checkpoint."""
    from fmkit.runs.pretraining import recipes

    run.model = recipes.make_model(run.recipe, run.data.tokenizer.vocab_size, run.here.device)
    run.optimizer = recipes.make_optimizer(run.model, run.recipe)
    path = run.folder / CHECKPOINT
    if saved := run.here.share(lambda: path.read_bytes() if path.exists() else None):
        state = checkpoints.from_bytes(saved, path, run.here.device)
        _same(json.loads(state.pop("identity")), run)
        run.model.load_state_dict(state.pop("model"))
        run.optimizer.load_state_dict(state.pop("optimizer"))
        for name, value in state.items():
            setattr(run, name, value)
    n = sum(w.numel() for w in run.model.parameters())
    doing = f"Going on at step {run.step} of {run.recipe.steps}" if saved else f"{run.recipe.steps} steps"
    say(f"{run.recipe.name} recipe, {n:,} parameters, {run.data.name}, on {run.here.device}. {doing}.")


def _same(identity: dict, run: Run) -> None:
    """Raise if a folder's run is not this one."""
    theirs, mine = (each["recipe"] | {"text": each["text"]} for each in (identity, run.identity()))
    parts = [
        f"{name} {theirs.get(name)} there, {mine.get(name)} here"
        for name in mine | theirs
        if theirs.get(name) != mine.get(name)
    ]
    if parts:
        raise PretrainingError(
            f"{run.folder} holds another run ({'; '.join(parts)}). Name another folder (--output)"
        )


# --------------------------------------------------------------------------------------------------- the loop


def _train(run: Run, progress: bool | None) -> None:
    """Take the steps that are left; whoever wants to stop, all processes stop after the same step."""
    steps, saved, parts = run.recipe.steps, time.monotonic(), _parts(run.data.val)
    with _reasons_to_stop() as reasons, _bar(run, progress) as bar:
        run.clock = time.process_time()
        while run.step < steps:
            if _step(run, bool(reasons)):
                break
            bar.update()
            if run.here.rank > 0 or run.step == steps:
                continue
            if run.step % max(1, steps // PEEKS) == 0:
                run.val_losses.append((run.step, _validate(run, parts)))
            _show(bar, run)
            if time.monotonic() - saved > SAVE_SECONDS:
                with _kept(reasons):  # the others wait in their next step: they are told there
                    _save(run)
                saved = time.monotonic()
    run.here.share(lambda: _leave(run, reasons))


def _step(run: Run, stop: bool) -> bool:
    """One step of all processes together; True, and no step, if one of them wants to stop."""
    import torch

    from fmkit.runs.pretraining import recipes

    recipe, here = run.recipe, run.here
    ids, targets = recipes.get_batch(run.data.train, recipe, run.step, here.device, here.rank, here.size)
    loss = loss_and_gradients(run.model, ids, targets)
    spent, run.clock = time.process_time() - run.clock, time.process_time()
    report = torch.stack([loss, loss.new_tensor(spent), loss.new_tensor(float(stop))])
    here.average([report, *(w.grad for w in run.model.parameters() if w.grad is not None)])
    loss, spent, stop = report.tolist()
    run.cpu_seconds += spent * here.size
    if not stop:
        if not math.isfinite(loss):
            raise PretrainingError(f"the loss is {loss} at step {run.step}: the learning rate is too high")
        recipes.set_lr(run.optimizer, recipes.lr_multiplier(run.step, recipe))
        run.optimizer.step()
        run.losses.append(loss)
        run.step += 1
    run.optimizer.zero_grad()
    return stop > 0


def loss_and_gradients(model, ids, targets):
    """Forward and backward on one batch: the mean loss, nats per token; products in bfloat16 on a GPU only.

    (On a CPU bfloat16 is slower than float32, where it is not done in hardware.)
    """
    import torch

    on_gpu = ids.device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    with torch.autocast("cuda", torch.bfloat16) if on_gpu else nullcontext():
        logits = model(ids)  # (B, T, V)
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
    loss.backward()
    return loss.detach()


def _parts(val: np.ndarray, n_parts: int = 8) -> np.ndarray:
    """`PEEK_TOKENS` from all over the validation text (a play's first page is like no other)."""
    if len(val) <= PEEK_TOKENS:
        return val
    starts = np.linspace(0, len(val) - PEEK_TOKENS // n_parts, n_parts, dtype=int)
    return np.concatenate([val[start : start + PEEK_TOKENS // n_parts] for start in starts])


def _validate(run: Run, ids: np.ndarray) -> float:
    from fmkit.runs.pretraining import recipes

    return float(recipes.validation_loss(run.model, ids, run.recipe))


def _save(run: Run) -> None:
    checkpoints.write(run.folder / CHECKPOINT, checkpoints.to_bytes(run.state()))


@contextmanager
def _kept(reasons: list):
    """Keep an error for later."""
    try:
        yield
    except CheckpointError as error:
        reasons.append(error)


def _leave(run: Run, reasons: list) -> None:
    """After the loop: raise what ended it early, and save."""
    for reason in reasons:
        if isinstance(reason, Exception):
            raise reason
    _save(run)
    if reasons or run.step < run.recipe.steps:
        raise Stopped(
            f"Stopped after step {run.step} of {run.recipe.steps}, which is saved in {run.folder}. "
            "Run the same command again to go on."
        )


@contextmanager
def _reasons_to_stop():
    """A list that gets an entry when the user (Ctrl-C) or the system (SIGTERM) asks the run to stop.

    The step in progress is finished first. A second Ctrl-C, a second later or more, interrupts at once;
    sooner, it is the first one's echo: under ``torchrun`` a process hears of it from two sides.
    """
    reasons, asked = [], []

    def ask(number, frame):
        if number == signal.SIGINT and asked and time.monotonic() - asked[0] > 1:
            raise KeyboardInterrupt
        asked.append(time.monotonic())
        reasons.append(signal.Signals(number).name)

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # only a program's main thread may listen
        before = {}
    try:
        yield reasons
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bar(run: Run, progress: bool | None):
    """A progress bar: on a terminal, or as ``progress`` says; in the first process only."""
    from tqdm import tqdm

    hidden = True if run.here.rank > 0 else None if progress is None else not progress
    steps, name = run.recipe.steps, run.recipe.name
    return tqdm(total=steps, initial=run.step, desc=name, unit="step", disable=hidden, dynamic_ncols=True)


def _show(bar, run: Run) -> None:
    """The mean loss of the last steps (one batch's jumps about), and the newest validation loss."""
    recent = run.losses[-20:]
    losses = {"loss": f"{sum(recent) / len(recent):.3f}"}
    if run.val_losses:
        losses["val"] = f"{run.val_losses[-1][1]:.3f}"
    bar.set_postfix(losses, refresh=False)


# -------------------------------------------------------------------------------------------------------- end


def _finish(run: Run) -> dict:
    """The final validation loss, and the folder that others can read; ``recipe.json`` comes last."""
    from fmkit.runs.exporting import export

    result = run.identity() | {
        "corpus": run.data.name,
        "steps": run.step,
        "seed": run.recipe.seed,
        "parameters": sum(w.numel() for w in run.model.parameters()),
        "val_loss": _validate(run, run.data.val),
        "cpu_seconds": round(run.cpu_seconds, 3),
        "device": str(run.here.device),
        "processes": run.here.size,
        "versions": versions(),
    }
    export(run.model, run.data.tokenizer, run.recipe, run.folder)
    val = dict(run.val_losses)
    lines = [f"{step},{loss!r},{val.get(step, '')}" for step, loss in enumerate(run.losses)]
    checkpoints.write(run.folder / LOSSES, "\n".join(["step,loss,val_loss", *lines, ""]).encode())
    checkpoints.write(run.folder / RESULT, json.dumps(result, indent=1, ensure_ascii=False).encode())
    (run.folder / CHECKPOINT).unlink(missing_ok=True)
    return result | {"losses": run.losses}


def read_finished(run: Run) -> dict | None:
    """What `_finish` returned, if the run in the folder is finished."""
    try:
        result = json.loads((run.folder / RESULT).read_text("utf-8"))
        rows = (run.folder / LOSSES).read_text("utf-8").split()[1:]
        result["losses"] = [float(row.split(",")[1]) for row in rows]
        _same({"recipe": result["recipe"], "text": result["text"]}, run)
        _summary(result)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise PretrainingError(f"{run.folder / RESULT} cannot be read. Delete it to train again") from error
    return result


def versions() -> dict[str, str]:
    """What the numbers were made with."""
    import torch

    return {
        "fmkit": fmkit.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }


def _summary(result: dict) -> str:
    loss = result["val_loss"]
    return (
        f"Validation loss {loss:.3f} nats ({loss / math.log(2):.3f} bits) per character "
        f"after {result['steps']} steps and {result['cpu_seconds']:.0f} CPU-seconds."
    )
