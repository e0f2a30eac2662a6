"""The command: thin, each word leads to the right function, and mistakes are one line."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import fmkit
from fmkit.command.cli import main
from fmkit.errors import AssetError


def run(*words):
    return CliRunner().invoke(main, words)


def commands(group=main, before=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


def test_help_names_every_command():
    done = run("--help")
    assert done.exit_code == 0
    assert all(words[0] in done.output for words, _ in commands())


@pytest.mark.parametrize(
    "words, command", list(commands()), ids=lambda x: " ".join(x) if isinstance(x, tuple) else ""
)
def test_every_command_explains_itself(words, command):
    done = run(*words, "--help")
    assert done.exit_code == 0 and command.help[:30] in done.output
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert all(p.help for p in options)


def test_version():
    assert run("version").output == run("--version").output == f"fmkit {fmkit.__version__}\n"


def test_both_ways_to_call_it():
    done = subprocess.run(
        [sys.executable, "-m", "fmkit", "version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"fmkit {fmkit.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("fetch", "nonsense"),
        ("fetch", "--from", "/no/such/folder"),
        ("notebook", "run"),
        ("notebook", "run", "no-such.ipynb"),
        ("lab", "--nonsense"),
        ("lab", "--workspace", "/proc/no"),
        ("crosscheck", "--json", "/no/such/folder/x.json"),
    ],
)
def test_a_mistake_is_one_clear_line(words):
    done = run(*words)
    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit), "a traceback"
    errors = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and len(errors[0]) > 12


def test_lab(monkeypatch, tmp_path):
    from fmkit.command import workspace

    called = {}
    monkeypatch.setattr(workspace, "prepare", lambda folder, say: called.update(prepared=folder))
    monkeypatch.setattr(
        workspace, "start", lambda folder, browser, say: called.update(started=folder, browser=browser)
    )
    done = run("lab", "--no-browser", "--workspace", str(tmp_path))
    assert called == {"prepared": tmp_path, "started": tmp_path, "browser": False}
    assert str(tmp_path) in done.output
    monkeypatch.setenv("FMKIT_WORKSPACE", str(tmp_path / "other"))
    assert run("lab").exit_code == 0
    assert called == {"prepared": tmp_path / "other", "started": tmp_path / "other", "browser": True}


def test_fetch(monkeypatch, tmp_path):
    from fmkit.data import assets

    called = []
    monkeypatch.setattr(assets, "fetch", lambda *args, **options: called.append((args, options["full"])))
    assert run("fetch").exit_code == 0
    assert run("fetch", "names", "minilm", "--quick", "--from", str(tmp_path)).exit_code == 0
    assert called == [(((), None), True), ((("names", "minilm"), tmp_path), False)]

    def fails(*args, **options):
        raise AssetError("the disk is full")

    monkeypatch.setattr(assets, "fetch", fails)
    done = run("fetch")
    assert done.exit_code == 1 and done.output == "Error: the disk is full\n"


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    from fmkit.data import assets

    def fails(*args, **options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(assets, "fetch", fails)
    assert isinstance(run("fetch").exception, RuntimeError)


def test_statuses_are_passed_on(monkeypatch, tmp_path):
    from fmkit.chapters import running as notebook
    from fmkit.command import doctor
    from fmkit.lab import proof as kill_table
    from fmkit.twins import crosscheck

    called = []

    def answer(status):
        return lambda *args: called.append(args) or status

    monkeypatch.setattr(doctor, "examine", answer(1))
    monkeypatch.setattr(crosscheck, "crosscheck", answer(2))
    monkeypatch.setattr(kill_table, "print_table", answer(3))
    monkeypatch.setattr(notebook, "run", answer(4))
    path = tmp_path / "x.ipynb"
    path.touch()
    statuses = [
        run(*words).exit_code
        for words in (
            ["doctor"],
            ["crosscheck", "--device", "cuda", "--json", str(tmp_path / "t.json")],
            ["exercises", "--chapter", "04"],
            ["exercises"],
            ["notebook", "run", str(path)],
        )
    ]
    assert statuses == [1, 2, 3, 3, 4]
    assert called == [(), ("cuda", tmp_path / "t.json"), ("04",), (None,), ((path,),)]


def test_help_imports_nothing_heavy():
    heavy = ("numpy", "torch", "jinja2", "nbformat", "filelock", "mistune", "packaging", "jupyterlab")
    program = (
        "import sys, click.testing; from fmkit.command.cli import main\n"
        "done = click.testing.CliRunner().invoke(main, ['course', '--help'])\n"
        f"print(done.exit_code, *sorted(set(sys.modules) & set({heavy!r})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
