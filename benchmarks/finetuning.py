"""Every way to classify the film reviews, measured: writes fmkit/data/results/finetune_results.json.

    python benchmarks/finetuning.py [--seeds 0,1] [--methods full,lora] [--again] [--output FILE]

Runs that are in the file are run again with --again only. One thread; seconds are CPU time of training.
Half an hour of a quiet core for both seeds. The last line is ``accuracy N``: the mean test accuracy of method
"full".
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
from fmkit.runs.finetuning.multitask import forgetting, multitask
from fmkit.twins.device import versions

OUT = RESULTS / "finetune_results.json"
BASELINES = ("vader", "tfidf", "lstm", "lstm_padded")
TUNED = ("frozen", "head", "last2", "full", "lora", "adapter", "prefix")
METHODS = (*BASELINES, "frozen", "head", "full", "lora", "adapter", "prefix", "last2", "multitask")
SEEDLESS = ("vader", "tfidf", "frozen")


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
    lines = json.dumps(found, separators=(",", ":")).replace('{"method"', '\n{"method"')
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
    data = ft.splits()
    found = json.loads(path.read_text()) if path.exists() else {"runs": [], "multitask": [], "forgetting": []}
    found |= {"command": "python benchmarks/finetuning.py", "sizes": [len(part) for part in data]}
    found["versions"] = versions()
    found.setdefault("halves_before", round(ft.halves(), 4))
    for seed in map(int, options.seeds.split(",")):
        for method in options.methods.split(","):
            place = found["multitask" if method == "multitask" else "runs"]
            same = [r for r in place if (r["seed"], r["method"]) == (seed, method)]
            if (same and not options.again) or (seed and method in SEEDLESS):
                continue
            result = (
                multitask(seed) | {"method": method}
                if method == "multitask"
                else run(method, seed, data, found)
            )
            place[:] = [r for r in place if r not in same] + [rounded(result)]
            save(found, path)
            print({k: v for k, v in rounded(result).items() if k not in ("positive", "history")}, flush=True)
    full = [r["accuracy"] for r in found["runs"] if r["method"] == "full"]
    print(f"accuracy {np.mean(full):.4f}")


if __name__ == "__main__":
    main()
