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


WHOLE = (recipes.CLASSIC, recipes.FAST, recipes.SPEEDRUN, recipes.TABLES, recipes.BLOCKLESS)
SEEDS = (11, 12)


def as_json(recipe, **changes):
    return dataclasses.asdict(dataclasses.replace(recipe, **changes))


def whole(recipe):
    """The recipe's whole runs, one for each seed."""
    return [run for run in results("speedrun.json")["whole"] if run["recipe"]["name"] == recipe.name]


@pytest.mark.parametrize("recipe", WHOLE, ids=lambda r: r.name)
def test_whole_runs_are_those_of_the_recipes(recipe):
    """After a change of a recipe delete what is in the file: python benchmarks/changes.py"""
    assert [run["recipe"] for run in whole(recipe)] == [as_json(recipe, seed=seed) for seed in SEEDS]
    for run in whole(recipe):
        assert run["steps"] == recipe.steps and len(run["curve"]) == 20
        assert abs(run["curve"][-1][1] - run["loss"]) < 0.15  # a part of the text against all of it


@pytest.mark.parametrize(
    "recipe, times", [(recipes.SPEEDRUN, 8), (recipes.TABLES, 12)], ids=["without tables", "with tables"]
)
def test_the_records_are_at_the_goal_with_seeds_that_they_were_not_chosen_by(recipe, times):
    for classic, fast in zip(whole(recipes.CLASSIC), whole(recipe), strict=True):
        assert fast["loss"] <= classic["loss"]
        assert classic["seconds"] / fast["seconds"] >= times


def test_the_control_is_the_tables_and_nothing_else():
    differs = {
        name for name, value in as_json(recipes.TABLES).items() if value != as_json(recipes.BLOCKLESS)[name]
    }
    assert differs == {"name", "n_layers", "steps"}


@pytest.mark.parametrize("seed", [0, 11, 12])
def test_the_ladder_keeps_each_change_and_ends_at_the_speedrun(seed):
    runs = [run["recipe"] for run in results("speedrun.json")["ladder"]]
    *rungs, last, tables = [recipe for recipe in runs if recipe["seed"] == seed]
    assert len(runs) == 3 * (len(rungs) + 2)
    for below, above in zip(rungs, [*rungs[1:], last], strict=True):
        changed = {name for name in below if below[name] != above[name]} - {"steps"}
        assert changed and not changed & {"seed", "block_size", "d_model", "batch_size"}
    assert last == as_json(recipes.SPEEDRUN, name="classic", steps=last["steps"], seed=seed)
    assert tables == as_json(recipes.TABLES, steps=tables["steps"], seed=seed)


def test_the_runs_with_a_block_and_without_are_of_the_record_and_the_control():
    runs, known = results("speedrun.json")["blocks"], {recipe.name: recipe for recipe in WHOLE}
    for run in runs:
        recipe = known[run["recipe"]["name"]]
        quadruples = {"longest_gram": 4} if "quadruples" in run["name"] else {}
        ours = as_json(recipe, steps=run["steps"], seed=run["recipe"]["seed"], **quadruples)
        assert run["recipe"] == ours and len(run["by place"]) == recipe.block_size
    assert len({(run["name"], run["times"], run["recipe"]["seed"]) for run in runs}) == len(runs) == 24


def test_next_sentence_is_a_null_result():
    for run in results("objectives.json")["next sentence"]:
        assert abs(run["right"] - 0.5) < 0.03 and abs(run["loss"] - math.log(2)) < 0.01
