"""The command ``fmkit``: thin, each part imported only when it is asked for."""

import json
import sys
from pathlib import Path

import click

import fmkit
from fmkit.command import terminal
from fmkit.course.commands import course
from fmkit.errors import UserError, in_words

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


class _Commands(click.Group):
    """What goes wrong for a reason that the user can put right is one line on stderr, not a traceback."""

    def invoke(self, ctx):
        terminal.speak_its_encoding()
        try:
            try:
                return super().invoke(ctx)
            finally:
                terminal.flush()
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # `fmkit exercises | head`
            terminal.leave_the_pipe()
            raise SystemExit(0) from None
        except (OSError, UserError) as error:
            raise click.ClickException(in_words(error)) from error


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(fmkit.__version__, prog_name="fmkit", message="%(prog)s %(version)s")
def main():
    """fmkit: foundation models from scratch, a chapter at a time."""


@main.command()
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening a browser.")
@click.option("--workspace", type=FOLDER, metavar="DIR", help="Your folder [default: ~/fmkit-workspace].")
def lab(no_browser, workspace):
    """Open JupyterLab on your own copy of the chapters.

    Your files are never overwritten: a newer version of a chapter that you have worked in lands beside yours.
    """
    from fmkit.command import workspace as own

    folder = workspace.expanduser().absolute() if workspace else own.default_folder()
    own.prepare(folder, say=click.echo)
    click.echo(f"Your chapters are in {folder}")
    own.start(folder, browser=not no_browser, say=click.echo)


@main.command()
@click.argument("names", nargs=-1)
@click.option("--from", "source", type=FOLDER, metavar="DIR", help="Take the archives from this folder.")
@click.option("--part", type=click.IntRange(1, 2), help="Only what this part of the course needs.")
@click.option("--quick", is_flag=True, help="Check what is there by size only, not by hash.")
def fetch(names, source, part, quick):
    """Fetch the data and the models: all of them, or NAMES (once; it needs a network).

    It says first how much there is to fetch. Part one, chapters 00 to 09, works without the data of part two.
    """
    from fmkit.data import assets

    if source and not source.is_dir():
        raise click.UsageError(f"{source} is not a folder")
    if names and part:
        raise click.UsageError("give names or --part, not both")
    assets.fetch(names, source, full=not quick, say=click.echo, part=part)


@main.command()
@click.argument("question", required=False)
@click.option("--sound", type=FILE, metavar="FILE", help="Ask by voice: a WAV file of 16 bits.")
def ask(question, sound):
    """Ask the book QUESTION: the passage that answers, with the link of its section, or "I do not know".

    It works offline, with small models in NumPy: the quotation is the book's, the last line is a model's.
    """
    if bool(question) == bool(sound):
        raise click.UsageError("give a question, or --sound with a file")
    from fmkit.runs import asking

    if sound:
        question = asking.listen(sound)
        click.echo(f"Heard: {question}")
    click.echo(asking.in_words(asking.ask(question)))


@main.command()
def doctor():
    """Check this installation and say how to fix what is wrong."""
    from fmkit.command.doctor import examine

    sys.exit(examine())


@main.command()
@click.option("--device", metavar="D", help="A torch device to check beside the CPU [default: cuda, if any].")
@click.option("--json", "json_path", type=FILE, metavar="FILE", help="Write the table here as well.")
def crosscheck(device, json_path):
    """Check that loop, NumPy, finite differences and torch agree on every operation."""
    from fmkit.twins.crosscheck import crosscheck

    if json_path and not json_path.parent.is_dir():  # said now, not after minutes
        raise click.UsageError(f"{json_path.parent} is not a folder")
    sys.exit(crosscheck(device, json_path))


@main.group(invoke_without_command=True)
@click.option("--chapter", metavar="NN", help="Only the exercises of this chapter, such as 04.")
@click.option("--mutants", is_flag=True, help="Right answers with one edit: which does a check let pass?")
@click.option(
    "--told", is_flag=True, help="With --mutants: how many does a card tell what they are? Takes long."
)
@click.pass_context
def exercises(context, chapter, mutants, told):
    """Show that each exercise rejects and names its known mistakes."""
    from fmkit.lab import proof

    if context.invoked_subcommand is None:
        sys.exit(proof.print_edits(chapter, told) if mutants else proof.print_table(chapter))


@exercises.command()
@click.argument("file", type=FILE)
def prove(file):
    """Show what the exercise in FILE is worth: one of your own, `fmkit course exercise new` begins one."""
    from fmkit.lab import proving

    sys.exit(proving.prove(file, say=click.echo))


@main.command()
@click.option(
    "--recipe",
    "name",
    type=click.Choice(["fast", "speedrun", "tables", "blockless", "classic", "shakespeare"]),
    default="fast",
    show_default=True,
    help="What to train, and how.",
)
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Train longer or shorter.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Another run of the same recipe.")
@click.option(
    "--text", type=FILE, metavar="FILE", help="Your own text, UTF-8 [default: Shakespeare's plays]."
)
@click.option(
    "--device", default="auto", metavar="D", help="A torch device [default: cuda, if any, else cpu]."
)
@click.option("--output", type=FOLDER, metavar="DIR", help="Folder of the run [default: pretrain-RECIPE].")
def pretrain(name, steps, seed, text, device, output):
    """Train a small language model, character by character.

    \b
    fast         a Llama of 0.8 million parameters; half a minute of CPU time
    speedrun     one block, which is shown the last four characters at once; 12 seconds
    tables       one block and tables of character pairs and triples, 3 million parameters; 6 seconds
    blockless    the tables alone, no transformer: what the others must beat; 3 seconds
    classic      a GPT of 0.8 million parameters, as plainly as can be; two minutes
    shakespeare  fast for longer, with a memory of 256 characters for 64; eight minutes

    fast, shakespeare and classic end as a model that Hugging Face's library loads; for the others it has no
    class, and their weights keep our names.

    A text of your own needs 650 characters or more (2570 for shakespeare); a million are better. Its last
    tenth is held out, and the final validation loss is over all of it. Files in the folder that are not the
    run's own are never overwritten. Stop whenever you like: the same command continues the run.

    On several GPUs or machines: torchrun --nproc-per-node N -m fmkit.runs.pretraining, with the same options.
    """
    from fmkit.runs.pretraining import run as pretraining

    try:
        recipe = pretraining.find_recipe(name, steps, seed)
        pretraining.pretrain(recipe, output or Path(f"pretrain-{name}"), device, text, say=click.echo)
    except KeyboardInterrupt as stop:
        click.echo(str(stop) or "Stopped. Run the same command again to continue.", err=True)
        sys.exit(130)


@main.command()
@click.option(
    "--method",
    default="full",
    show_default=True,
    metavar="M",
    help="What learns: frozen, head, last2, full, lora, adapter or prefix.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    metavar="N",
    help="Passes over the training set [default: by method].",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, metavar="N", help="Another run of the same method."
)
@click.option(
    "--device", default="auto", metavar="D", help="A torch device [default: cuda, if any, else cpu]."
)
@click.option("--output", type=FOLDER, metavar="DIR", help="Save the model here, in Hugging Face's format.")
@click.option("--force", is_flag=True, help="Write over a model that is in that folder already.")
@click.option(
    "--model", metavar="NAME", help="A model of the Hugging Face hub, or a folder [default: MiniLM]."
)
@click.option(
    "--csv",
    "csv_path",
    type=FILE,
    metavar="FILE",
    help="Your own texts: a table with the columns text and label. Any labels, two or more: 0 and 1, sports "
    "and politics. Commas, semicolons or tabs.",
)
@click.option(
    "--validation",
    type=FILE,
    metavar="FILE",
    help="Such a table, to choose the best epoch by [default: a tenth].",
)
@click.option("--test", type=FILE, metavar="FILE", help="Such a table, to test on [default: a tenth].")
def finetune(method, epochs, seed, device, output, force, model, csv_path, validation, test):
    """Fine-tune a pretrained model to tell good film reviews from bad ones, or to sort your own texts.

    Your own (--csv) are split by chance: eight tenths to learn from, one to choose by, one to test on.
    """
    from fmkit.command import finetune as command

    files = csv_path, validation, test
    command.run(method, epochs, seed, device, output, model, *files, force=force, say=click.echo)


@main.command("check-notebook")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--chapter", metavar="NN", help="Which chapter it is [default: what it holds].")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON instead.")
@click.option("--junit", type=FILE, metavar="FILE", help="Write JUnit's XML, too, for GitHub and others.")
@click.option(
    "--unsafe", is_flag=True, help="Without the sandbox: only for answers of people whom you trust."
)
def check_notebook(path, chapter, as_json, junit, unsafe):
    """Check the exercises of one learner's notebook, as continuous integration does.

    Exit status: 0 when all are right, 1 when not, 2 when nothing could be judged (the file cannot be read, or
    there is no sandbox).
    """
    from fmkit.course import check_notebook as checking
    from fmkit.course.submission import Unreadable

    if junit and not junit.parent.is_dir():  # said now, not after a minute
        raise click.UsageError(f"{junit.parent} is not a folder")
    try:
        result = checking.check_notebook(path, chapter, unsafe)
    except (Unreadable, OSError, UserError) as error:
        reason = in_words(error)
        if junit:
            checking.write_junit_unread(path.name, reason, junit)
        if as_json:
            click.echo(
                json.dumps({"file": path.name, "status": "unreadable", "reason": reason, "right": False})
            )
        click.echo(f"Error: {path}: {reason}", err=True)
        sys.exit(2)
    if junit:
        checking.write_junit(result, junit)
    click.echo(json.dumps(result, indent=1) if as_json else "\n".join(checking.lines(result)))
    sys.exit(0 if result["right"] else 1)


main.add_command(course)


@main.group()
def notebook():
    """For authors: run notebooks and save them."""


@notebook.command("run")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def notebook_run(paths):
    """Run notebooks, bring them to their normal form and save them."""
    from fmkit.chapters.running import run

    sys.exit(run(paths))


@main.command()
@click.argument("chapter")
@click.option("--output", type=FILE, metavar="FILE", help="Where to write [default: slides-NN.html].")
def slides(chapter, output):
    """Make the slides of a CHAPTER, such as 04: one HTML page for a browser, no network needed."""
    from fmkit.book.slides import write
    from fmkit.chapters.find import find_chapter

    source = find_chapter(chapter)
    target = write(source, output or Path(f"slides-{source.stem[:2]}.html"))
    click.echo(f"{target}: open it in a browser; S shows the speaker's notes, F the full screen")


@main.command()
def version():
    """Print the version."""
    click.echo(f"fmkit {fmkit.__version__}")
