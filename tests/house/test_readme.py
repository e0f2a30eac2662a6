"""README and CONTRIBUTING promise nothing that is not there."""

import json
import re
import subprocess

import click
import pytest
from helpers.paths import ROOT

from fmkit.command.cli import main
from fmkit.data.assets import ASSETS, pin

PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md")}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.M))
each_page = pytest.mark.parametrize("page", PAGES)


def code(page: str) -> list[str]:
    """Everything in backticks and in fenced blocks, a line each."""
    text = PAGES[page]
    fenced = re.findall(r"```\w*\n(.*?)```", text, flags=re.S)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    return [line.split("  #")[0].strip() for block in fenced for line in block.splitlines()] + inline


@each_page
def test_every_make_target_exists(page):
    named = [line.split()[1:] for line in code(page) if line.startswith("make ")]
    assert named
    for words in named:
        assert words[0] in TARGETS, words


@each_page
def test_every_fmkit_command_and_option_exists(page):
    found = [m[1].split() for line in code(page) if (m := re.match(r"(?:\.venv/bin/)?fmkit +(.+)", line))]
    assert found
    for words in found:
        assert_is_a_command(words)


def assert_is_a_command(words):
    command, rest = main, list(words)
    while isinstance(command, click.Group):
        if command.invoke_without_command and (not rest or rest[0].startswith("--")):
            break
        assert rest and rest[0] in command.commands, words
        command = command.commands[rest.pop(0)]
    options = {option for p in command.params for option in p.opts}
    assert {word for word in rest if word.startswith("--")} <= options, words


def test_the_makefile_only_calls_commands_that_exist():
    for words in re.findall(r"-m fmkit ([\w -]+)|\$\(RUN\) fmkit ([\w -]+)", MAKEFILE):
        assert_is_a_command("".join(words).split())


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_is_understood_by_make(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@each_page
def test_links_inside_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", PAGES[page]):
        assert target.startswith("http") or (ROOT / target).exists(), target


def chapters() -> dict[str, tuple[str, str]]:
    """File name -> (title, what it says of its time), from the notebooks themselves."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        cells = [
            cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "markdown"
        ]
        title = re.match(r"# (?:\d+ · )?(.+)", "".join(cells[0]["source"]))[1]
        text = " ".join("".join(cell["source"]) for cell in cells[:3])
        found[path.name] = (title, " ".join(text.split()))
    return found


def test_the_table_of_chapters_is_the_notebooks():
    rows = re.findall(
        r"^\| (\d\d) \| \[(.+?)\]\(notebooks/(.+?)\) \| .+? \| (.+?) \|$", PAGES["README.md"], flags=re.M
    )
    there = chapters()
    assert [file for _, _, file, _ in rows] == list(there)
    for number, title, file, time in rows:
        own_title, text = there[file]
        assert file.startswith(number) and title == own_title
        minutes = re.findall(r"\d+", time)
        assert minutes
        if "Time:" in text:
            assert set(minutes) <= set(re.findall(r"\d+", text.split("Time:")[1][:160])), file


def test_every_asset_is_credited():
    for asset in ASSETS.values():
        assert f"`{asset.package}` {pin(asset)[0]}" in PAGES["README.md"]
