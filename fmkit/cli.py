"""The command ``fmkit``: thin, each part imported only when it is asked for."""

import sys
from pathlib import Path

import click

import fmkit

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


class _Commands(click.Group):
    """What goes wrong for a reason that the reader can mend is one line on stderr, not a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # `fmkit exercises | head`
            raise SystemExit(0) from None
        except (OSError, RuntimeError) as error:
            from fmkit.assets import AssetError

            if not isinstance(error, OSError | AssetError):
                raise
            raise click.ClickException(str(error)) from error


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
    from fmkit import workspace as own

    folder = workspace.expanduser().absolute() if workspace else own.default_folder()
    own.prepare(folder, say=click.echo)
    click.echo(f"Your chapters are in {folder}")
    own.start(folder, browser=not no_browser)


@main.command()
@click.argument("names", nargs=-1)
@click.option("--from", "source", type=FOLDER, metavar="DIR", help="Take the archives from this folder.")
@click.option("--quick", is_flag=True, help="Check what is there by size only, not by hash.")
def fetch(names, source, quick):
    """Fetch the data and the models: all of them, or NAMES (once; it needs a network)."""
    from fmkit import assets

    if source and not source.is_dir():
        raise click.UsageError(f"{source} is not a folder")
    assets.fetch(names, source, full=not quick, say=click.echo)


@main.command()
def doctor():
    """Check this installation and say how to mend what is wrong."""
    from fmkit.doctor import examine

    sys.exit(examine())


@main.command()
@click.option("--device", metavar="D", help="A torch device to check beside the CPU [default: cuda, if any].")
@click.option("--json", "json_path", type=FILE, metavar="FILE", help="Write the table here as well.")
def crosscheck(device, json_path):
    """Check that loop, NumPy, finite differences and torch agree on every operation."""
    from fmkit.crosscheck import crosscheck

    sys.exit(crosscheck(device, json_path))


@main.command()
@click.option("--chapter", metavar="NN", help="Only the exercises of this chapter, such as 04.")
def exercises(chapter):
    """Show that each exercise rejects and names its known mistakes."""
    from fmkit.lab.kill_table import print_table

    sys.exit(print_table(chapter))


@main.group()
def notebook():
    """For authors: the notebooks as files."""


@notebook.command("run")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def notebook_run(paths):
    """Execute notebooks, bring them to their normal form and save them."""
    from fmkit.lab.notebook import run

    sys.exit(run(paths))


@main.command()
def version():
    """Print the version."""
    click.echo(f"fmkit {fmkit.__version__}")
