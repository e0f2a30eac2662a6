"""The laptop speedrun of chapter 07: what each change gains in the same time, and where the blocks win.

    python benchmarks/changes.py

Writes fmkit/data/results/speedrun.json, which the chapter shows; a part that is in the file is not measured
again. One thread, some 25 CPU minutes. All runs of a part take turns, so that other load on the machine
slows all alike; the processor time of the training steps counts.

- ``whole``: what benchmarks/speedrun.py does, with its two seeds.
- ``ladder``: from `CLASSIC` to `SPEEDRUN` and `TABLES`. Every run has the same time, that of `SPEEDRUN`: as
  many steps as fit in, by what a step took in a trial before; three seeds.
- ``blocks``: tables with a block and without, in a quarter and a half of that time, in all of it, and in two
  and a half times as much; two seeds.
"""

import json
from dataclasses import replace

import numpy as np
import torch
from speedrun import PEEK, Runner, prepare, report, speedrun, take_turns

from fmkit._paths import RESULTS
from fmkit.runs.pretraining.recipes import BLOCKLESS, CLASSIC, SPEEDRUN, TABLES

FILE = RESULTS / "speedrun.json"
TIMES = (0.25, 0.5, 1, 2.5)  # of the time of `SPEEDRUN`, for "blocks"
LADDER = (  # each change stays for those after it
    ("learning rate 4e-3", {"lr": 4e-3}),
    ("rotary positions", {"rotary": True}),
    ("Muon for the matrices", {"muon_lr": 0.03}),
    ("QK-norm", {"qk_norm": True}),
    (
        "linear to zero, no clipping or decay",
        {"decay": "linear", "floor": 0.0, "warmup": 5, "weight_decay": 0.0, "clip": 0.0},
    ),
    ("blocks begin at zero", {"zero_init": True}),
    ("squared ReLU", {"relu_squared": True}),
    ("one slim block for four", {"n_layers": 1, "n_heads": 2, "d_ff": 384}),
    ("the three characters before", {"previous": 3}),
    ("rate of the embeddings 2e-2", {"table_lr": 2e-2}),
    ("three rounds of Newton-Schulz", {"newton_schulz": 3}),
)


def seconds_a_step(recipes: list, data, rounds: int = 5) -> list[float]:
    """CPU seconds of a step of each recipe: medians of rounds of three steps, in turns."""
    runners, spent = [Runner(recipe, data) for recipe in recipes], []
    for n in range(1, rounds + 2):
        before = [runner.seconds for runner in runners]
        for runner in runners:
            runner.run_until(3 * n)
        spent.append([runner.seconds - b for runner, b in zip(runners, before, strict=True)])
    return (np.median(spent[1:], 0) / 3).tolist()  # the first round makes the optimizer's memory


def in_time(recipes: dict, data, times: float = 1.0) -> dict:
    """The same recipes with as many steps as `SPEEDRUN` has time for, times ``times``."""
    own, *each = seconds_a_step([SPEEDRUN, *recipes.values()], data)
    given = own * SPEEDRUN.steps * times
    return {
        name: replace(recipe, steps=max(20, round(given / step)))
        for (name, recipe), step in zip(recipes.items(), each, strict=True)
    }


def with_seeds(recipes: dict, data, seeds, look=lambda runner: {}) -> list:
    """Train each recipe with each seed, all taking turns; ``look`` adds to what is kept of a run."""
    runners = [(name, Runner(replace(r, seed=seed), data)) for name, r in recipes.items() for seed in seeds]
    take_turns([runner for _, runner in runners], 25)
    return [{"name": name} | runner.result() | look(runner) for name, runner in runners]


def rungs() -> dict:
    """The ladder as recipes by name."""
    recipe = replace(CLASSIC, warmup=20)
    recipes = {"classic": recipe}
    for name, change in LADDER:
        recipe = replace(recipe, **change)
        recipes[name] = recipe
    return recipes | {"tables of pairs and triples instead": TABLES}


def blocks(data, times: float) -> list:
    """Tables with a block and without, two seeds, each with its schedule for the whole of the time."""
    contestants = {
        "tables": TABLES,
        "blockless": BLOCKLESS,
        "blockless, quadruples": replace(BLOCKLESS, longest_gram=4),
    }
    found = with_seeds(in_time(contestants, data, times), data, (11, 12), in_detail)
    return [{"times": times} | result for result in found]


def in_detail(runner) -> dict:
    """On a part of the text: the loss by place in the window, and at the ends of lines longer than 30."""
    T, ids = runner.recipe.block_size, torch.from_numpy(runner.data.val)
    n = (4 * PEEK - 1) // T * T
    x, y = ids[:n].view(-1, T), ids[1 : n + 1].view(-1, T)
    nats = []
    with torch.no_grad():
        for inputs, targets in zip(x.split(256), y.split(256), strict=True):
            logits = runner.model(inputs).flatten(0, 1)
            nats.append(torch.nn.functional.cross_entropy(logits, targets.flatten(), reduction="none"))
    nats = torch.cat(nats).numpy()
    text = np.asarray(runner.data.val[1 : n + 1])
    ends = np.flatnonzero(text == runner.data.tokenizer.encode("\n")[0])
    long = ends[1:][np.diff(ends) > 30]
    places = nats.reshape(-1, T).mean(0)
    return {"by place": [round(float(p), 3) for p in places], "line ends": round(float(nats[long].mean()), 3)}


def main() -> None:
    data = prepare()
    result = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    result |= {"command": "python benchmarks/changes.py", "torch": torch.__version__}

    def keep(name, found):
        result[name] = found
        FILE.write_text(json.dumps(result, indent=1) + "\n", "utf-8")

    if "whole" not in result:
        keep("whole", speedrun(data, (11, 12)))
    if "ladder" not in result:
        keep("ladder", with_seeds(in_time(rungs(), data), data, (0, 11, 12)))
    for times in TIMES:
        before = result.get("blocks", [])
        if all(found["times"] != times for found in before):
            keep("blocks", before + blocks(data, times))
    report(result["whole"])


if __name__ == "__main__":
    main()
