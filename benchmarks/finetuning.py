"""Every way to classify the film reviews, measured: writes fmkit/data/results/finetune_results.json.

    python benchmarks/finetuning.py [--seeds 0,1] [--methods full,lora] [--again] [--output FILE]

Runs that are in the file are run again with --again only. One thread; seconds are CPU time of training.
An hour and a quarter of a quiet core for everything. "tried" trains what the recipe "blend" was chosen from,
and asks the validation part only; "blend" asks the test with three seeds that the choice has not seen,
whatever --seeds says. The last line is ``accuracy N``: the mean test accuracy of method "full".
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from fmkit._files import write_whole
from fmkit._paths import RESULTS
from fmkit.runs.finetuning import run as ft
from fmkit.runs.finetuning.baselines import LSTMClassifier, tfidf_logistic, vader, vader_lexicon
from fmkit.runs.finetuning.blend import RIDGE_WEIGHT, train_blend
from fmkit.runs.finetuning.multitask import forgetting, multitask
from fmkit.runs.memory import keep_memory
from fmkit.twins.device import versions

OUT = RESULTS / "finetune_results.json"
BASELINES = ("vader", "tfidf", "lstm", "lstm_padded")
TUNED = ("frozen", "head", "last2", "full", "lora", "adapter", "prefix")
METHODS = (
    *BASELINES,
    "frozen",
    "head",
    "full",
    "lora",
    "adapter",
    "prefix",
    "last2",
    "multitask",
    "tried",
    "blend",
)
SEEDLESS = ("vader", "tfidf", "frozen")
FRESH = (2, 3, 4)  # seeds of "blend", which was chosen with 0 and 1
VARIANTS = {
    "soft labels, one pass": {"passes": 1, "sources": ()},
    "a second pass": {"passes": 2, "sources": ()},
    "one pass, three more sources": {"passes": 1},
    "a second pass, three more sources": {},
}


def baseline(method: str, seed: int, train: list, test: list) -> dict:
    texts, labels = ([row[i] for row in test] for i in (0, 1))
    began, trainable = time.process_time(), 0
    if method == "vader":
        lexicon = vader_lexicon()
        positive = np.array([0.5 + vader(text, lexicon) / 2 for text in texts])
    elif method == "tfidf":
        positive = tfidf_logistic(train, texts)
    else:
        model = LSTMClassifier(read="padded" if method == "lstm_padded" else "real", seed=seed)
        model.fit([text for text, _ in train], [label for _, label in train])
        trainable, positive = sum(w.numel() for w in model.parameters()), model.predict(texts)
    seconds = time.process_time() - began
    return {"method": method, "seed": seed, "epochs": None, "trainable": trainable, "cpu_seconds": seconds,
            **ft.evaluate(positive, labels), "positive": positive}  # fmt: skip


def run(method: str, seed: int, data: tuple, found: dict) -> dict:
    train, _, test = data
    if method in BASELINES:
        return baseline(method, seed, train, test)
    result = ft.finetune(method, seed)
    model = result.pop("model")
    result["halves"] = found["halves_before"] if model is None else ft.halves(model)
    if method in ("full", "lora"):
        others = [r for r in found["forgetting"] if (r["seed"], r["method"]) != (seed, method)]
        found["forgetting"] = [*others, rounded(forgetting(model, seed=seed))]
    return result


def tried(seed: int, found: dict, again: bool, path: Path) -> None:
    """Train each variant, and ask the validation part."""
    for name, settings in VARIANTS.items():
        same = [r for r in found["tried"] if (r["seed"], r["variant"]) == (seed, name)]
        if same and not again:
            continue
        model, seconds = train_blend(seed, **settings)
        row = {"variant": name, "seed": seed, "cpu_seconds": seconds, **asked(model, ft.rated_splits()[1])[0]}
        rows = [r for r in found["tried"] if r not in same] + [rounded(row)]
        found["tried"] = sorted(rows, key=lambda r: ([*VARIANTS].index(r["variant"]), r["seed"]))
        save(found, path)
        print(rounded(row), flush=True)


def asked(model, rows: list) -> tuple[dict, np.ndarray]:
    """The accuracies of the network, of the counted words and of both, and what both say of rated rows."""
    texts, ratings = [text for text, _ in rows], np.array([rating for _, rating in rows])
    logit, rating = model.both(texts)
    parts = {"network": logit, "words": rating, "both": logit + RIDGE_WEIGHT * rating}
    found = {name: float(np.mean((score > 0) == (ratings > 0))) for name, score in parts.items()}
    found["correlation"] = float(np.corrcoef(parts["both"], ratings)[0, 1])
    return found, 1 / (1 + np.exp(-parts["both"]))


def blend(seed: int) -> dict:
    """One run of the recipe: the test is read here, and nowhere before."""
    _, val, test = ft.rated_splits()
    model, seconds = train_blend(seed)
    parts, positive = asked(model, test)
    labels = [int(rating > 0) for _, rating in test]
    return {"method": "blend", "seed": seed, "cpu_seconds": seconds,
            "validation": asked(model, val)[0], "parts": parts,
            **ft.evaluate(positive, labels), "positive": positive}  # fmt: skip


def rounded(value):
    """Short numbers: probabilities to three decimals, the rest to four."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, np.ndarray):
        return [round(float(v), 3) for v in value]
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    return round(value, 4) if isinstance(value, float) else value


def save(found: dict, path: Path) -> None:
    lines = (
        json.dumps(found, separators=(",", ":"))
        .replace('{"method"', '\n{"method"')
        .replace('{"variant"', '\n{"variant"')
    )
    write_whole(path, f"{lines}\n".encode())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--output", type=Path, default=OUT)
    options = parser.parse_args()
    path = options.output
    torch.set_num_threads(1)
    keep_memory()
    data = ft.splits()
    found = json.loads(path.read_text()) if path.exists() else {"runs": [], "multitask": [], "forgetting": []}
    found |= {"command": "python benchmarks/finetuning.py", "sizes": [len(part) for part in data]}
    found["versions"] = versions()
    found.setdefault("halves_before", round(ft.halves(), 4))
    for name in ("tried", "blend"):
        found.setdefault(name, [])
    methods = options.methods.split(",")
    jobs = [(seed, method) for seed in map(int, options.seeds.split(",")) for method in methods]
    jobs = [job for job in jobs if job[1] != "blend"] + [
        (seed, "blend") for seed in FRESH if "blend" in methods
    ]
    for seed, method in jobs:
        if method == "tried":
            tried(seed, found, options.again, path)
            continue
        place = found[method if method in ("multitask", "blend") else "runs"]
        same = [r for r in place if (r["seed"], r["method"]) == (seed, method)]
        if (same and not options.again) or (seed and method in SEEDLESS):
            continue
        if method == "multitask":
            result = multitask(seed) | {"method": method}
        else:
            result = blend(seed) if method == "blend" else run(method, seed, data, found)
        place[:] = [r for r in place if r not in same] + [rounded(result)]
        save(found, path)
        print({k: v for k, v in rounded(result).items() if k not in ("positive", "history")}, flush=True)
    full = [r["accuracy"] for r in found["runs"] if r["method"] == "full"]
    print(f"accuracy {np.mean(full):.4f}")


if __name__ == "__main__":
    main()
