"""A whole pretraining run (chapter 07): the command ``fmkit pretrain``, also under ``torchrun``.

`recipes` says what is trained and how; here is what a run needs around it: data, a progress bar,
checkpoints, several processes, and a folder at the end that Hugging Face's libraries can read.

Whatever happens to a run, the same command goes on with it. Batches depend on the seed and the number of the
step alone, so a checkpoint (weights, optimizer, step) is all that the rest of the run depends on: a run that
was killed gives the same numbers, bit for bit, as one that was not (on the same machine, with as many
threads; on a GPU to rounding, since some of its sums have no fixed order).
"""

import dataclasses
import json
import math
import os
from contextlib import ExitStack
from pathlib import Path

from fmkit.errors import ParallelError, PretrainingError
from fmkit.runs import checkpoints
from fmkit.runs.corpus import read_corpus
from fmkit.runs.exporting import export
from fmkit.runs.parallel import world
from fmkit.runs.pretraining.recipes import RECIPES, Recipe
from fmkit.runs.pretraining.state import CHECKPOINT, Run
from fmkit.runs.pretraining.train import train, validate
from fmkit.twins.device import versions

LOSSES, RESULT = "losses.csv", "recipe.json"
# What a finished run leaves behind
WRITTEN = (RESULT, LOSSES, "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")


def find_recipe(name: str, steps: int | None = None, seed: int | None = None) -> Recipe:
    """A recipe of `recipes` by its name, with other steps or another seed if they are given."""
    changes = {"steps": steps, "seed": seed}
    return dataclasses.replace(RECIPES[name], **{key: n for key, n in changes.items() if n is not None})


def pretrain(
    recipe: Recipe,
    folder: str | Path,
    device: str = "auto",
    text: str | Path | None = None,
    progress: bool | None = None,
    say=print,
) -> dict:
    """Train a language model as a recipe says, or go on with a run that was stopped.

    Parameters
    ----------
    recipe : Recipe
        What to train and how, seed and number of steps included.
    folder : path
        Where the run lives: its checkpoints, then the finished model. A finished run is not run again.
    device : str
        As for `fmkit.twins.device.find_device`. On CUDA, products are taken in bfloat16.
    text : path, optional
        A UTF-8 text file to learn from instead of Shakespeare's plays.
    progress : bool, optional
        Show a bar on stderr; by default only if that is a terminal.
    say : callable
        Called with each line of the report.

    Returns
    -------
    dict
        What is in ``recipe.json`` (validation loss in nats per token, CPU seconds of all processes, ...), and
        ``"losses"``, the training loss of each step.

    Raises
    ------
    UserError
        One of its kinds, with a message for the user.
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
            say_unknown(run, say)
            return done
        goes_on = run.begin()
        here.share(lambda: check_folder(run))
        doing = f"Going on at step {run.step} of {recipe.steps}" if goes_on else f"{recipe.steps} steps"
        say(f"{recipe.name} recipe, {run.parameters():,} parameters, {data.name}, on {here.device}. {doing}.")
        say(_held_out(run, text))
        train(run, progress)
        result = here.share(lambda: _finish(run))
        say(_summary(result))
        say_unknown(run, say)
        say(f"The model is in {folder}: {', '.join(sorted(p.name for p in folder.glob('[a-z]*')))}")
        return result


def check_folder(run: Run) -> None:
    """Raise a PretrainingError if files are there that the run will write, and that it did not write itself.

    (A run that was killed while it wrote them has said so in its checkpoint before.)
    """
    theirs = [name for name in WRITTEN if os.path.lexists(run.folder / name)]
    if theirs and not run.finishing:
        raise PretrainingError(
            f"{run.folder} holds files that are not of this run ({', '.join(theirs)}). Move them away and "
            "run the same command again, or name another folder (--output)"
        )


def _held_out(run: Run, text) -> str:
    n_train, n_val = len(run.data.train), len(run.data.val)
    which = f"two plays ({n_val:,}) are" if text is None else f"the last tenth ({n_val:,}) is"
    unknown = f" ({run.data.unknown_share():.2%} [UNK])" if run.data.unknown else ""
    return f"{n_train:,} characters to learn from; {which} held out for the validation loss{unknown}."


def say_unknown(run: Run, say) -> None:
    """A word about the characters that the model cannot know, where there are any."""
    if not (share := run.data.unknown_share()):
        return
    signs = " ".join(repr(sign)[1:-1] for sign in run.data.unknown[:8])
    more = " ..." if len(run.data.unknown) > 8 else ""
    words = f"{share:.2%} of the characters held out are [UNK]: the text to learn from lacks {signs}{more}."
    say(words + (" The loss says little about the others." if share > 0.02 else ""))


def _finish(run: Run) -> dict:
    """The final validation loss, and the folder that others can read; ``recipe.json`` comes last."""
    check_folder(run)  # once more: the steps took their time
    run.finishing = True
    run.save()
    result = run.identity() | {
        "corpus": run.data.name,
        "steps": run.step,
        "seed": run.recipe.seed,
        "parameters": run.parameters(),
        "val_loss": validate(run, run.data.val),
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
    if not os.path.lexists(run.folder / RESULT):
        return None
    try:
        result = json.loads((run.folder / RESULT).read_text("utf-8"))
        rows = (run.folder / LOSSES).read_text("utf-8").split()[1:]
        result["losses"] = [float(row.split(",")[1]) for row in rows]
        run.check_same({"recipe": result["recipe"], "text": result["text"]})
        _summary(result)
    except (OSError, ValueError, LookupError, TypeError) as error:
        words = f"{run.folder / RESULT} is damaged, or not a run's"
        raise PretrainingError(f"{words}. Name another folder (--output)") from error
    return result


def _summary(result: dict) -> str:
    loss = result["val_loss"]
    return (
        f"Final validation loss {loss:.3f} nats ({loss / math.log(2):.3f} bits) per character "
        f"after {result['steps']} steps and {result['cpu_seconds']:.0f} CPU-seconds."
    )
