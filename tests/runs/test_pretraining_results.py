"""Chapter 07's measured results, which come with the package: complete, and made with today's recipes."""

import dataclasses
import json
import math

import pytest

from fmkit._paths import RESULTS
from fmkit.runs.pretraining import recipes


def results(name):
    return json.loads((RESULTS / name).read_text("utf-8"))


def numbers(value):
    if isinstance(value, dict):
        return [n for v in value.values() for n in numbers(v)]
    if isinstance(value, list):
        return [n for v in value for n in numbers(v)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("name", ["speedrun.json", "objectives.json"])
def test_numbers_are_finite_and_the_command_is_there(name):
    found = results(name)
    assert found["command"].startswith("python benchmarks/")
    assert len(numbers(found)) > 20 and all(map(math.isfinite, numbers(found)))


@pytest.mark.parametrize("recipe", [recipes.CLASSIC, recipes.FAST, recipes.SPEEDRUN], ids=lambda r: r.name)
def test_whole_runs_are_those_of_the_recipes(recipe):
    """After a change of a recipe: python benchmarks/changes.py"""
    run = results("speedrun.json")["whole"][recipe.name]
    assert run["recipe"] == dataclasses.asdict(recipe)
    assert run["steps"] == recipe.steps and len(run["curve"]) == 40
    assert abs(run["curve"][-1][1] - run["loss"]) < 0.15  # a part of the text against all of it


def test_the_speedrun_is_at_the_goal_in_a_fifth_of_the_time():
    whole = results("speedrun.json")["whole"]
    assert whole["speedrun"]["loss"] <= whole["classic"]["loss"]
    assert whole["classic"]["seconds"] / whole["speedrun"]["seconds"] >= 5


def test_the_ladder_changes_one_thing_at_a_time_and_ends_at_the_speedrun():
    ladder = [run["recipe"] for run in results("speedrun.json")["ladder"].values()]
    for below, above in zip(ladder[:-1], ladder[1:], strict=True):
        assert below != above and below["steps"] == above["steps"]
    last, wanted = ladder[-1], dataclasses.asdict(recipes.SPEEDRUN)
    differs = {name for name in wanted if last[name] != wanted[name]}
    assert differs <= {"name", "steps"}


def test_next_sentence_is_a_null_result():
    for run in results("objectives.json")["next sentence"]:
        assert abs(run["right"] - 0.5) < 0.03 and abs(run["loss"] - math.log(2)) < 0.01
