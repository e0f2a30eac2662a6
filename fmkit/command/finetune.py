"""`fmkit finetune`: a whole run as a command, on the packaged MiniLM or on any model of the hub.

What it saves is a folder in Hugging Face's format (config.json, model.safetensors, tokenizer) that
``AutoModelForSequenceClassification.from_pretrained`` loads, with the same predictions.
"""

import os
from pathlib import Path

from fmkit.errors import FinetuneError

SAVED = ("head", "last2", "full", "lora")  # methods whose result a plain BERT can hold


def run(method, epochs, seed, device, output, model, csv_path, say=print) -> dict:
    """The command. Whatever is wrong with the request is said before the training begins."""
    from fmkit.runs.bars import batches_bar
    from fmkit.runs.finetuning import hub
    from fmkit.runs.finetuning import run as ft
    from fmkit.runs.finetuning.data import read_csv
    from fmkit.twins.device import find_device

    if method not in ft.METHODS:
        raise FinetuneError(f"{method!r} is not a method; choose from {', '.join(ft.METHODS)}")
    if model is None and output and method not in SAVED:
        raise FinetuneError(
            f"method {method!r} cannot be saved in Hugging Face's format: a plain BERT has no "
            f"place for its parts. Leave --output out, or choose from {', '.join(SAVED)}"
        )
    if model is not None and method not in hub.METHODS:
        raise FinetuneError(f"for --model the methods are {' and '.join(hub.METHODS)}, not {method}")
    device = find_device(device)
    if output:
        check_writable(output)
    pair = None if model is None else hub.load_hub(model, seed)
    data = read_csv(csv_path) if csv_path else ft.splits()
    train, val, test = data
    say(f"{len(train)} training texts, {len(val)} validation texts, {len(test)} test texts")
    with batches_bar() as progress:
        if pair is None:
            result = ft.finetune(method, seed, epochs, None, device, *data, progress=progress)
        else:
            result = hub.finetune_hub(*pair, method, seed, epochs or 1, device, *data, progress=progress)
    say(table(result))
    if output:
        ft.save(result["model"], output, result.get("tokenizer"))
        say(f"Saved: AutoModelForSequenceClassification.from_pretrained({str(output)!r})")
    return result


def check_writable(folder: Path) -> None:
    """Make the folder; raise a FinetuneError if that, or writing into it, fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".fmkit-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise FinetuneError(f"cannot write into {folder}: {error.strerror or error}") from error


def table(result: dict) -> str:
    """The result in a few lines."""
    low, high = result["interval"]
    rows = [
        ("method", result["method"]),
        ("epochs", result["epochs"]),
        ("trained parameters", f"{result['trainable']:,}"),
        ("CPU seconds of training", f"{result['cpu_seconds']:.0f}"),
        ("validation accuracy", f"{result['val_accuracy']:.1%}"),
        ("test accuracy", f"{result['accuracy']:.1%}  (95 %: {low:.1%} to {high:.1%})"),
        ("test macro-F1", f"{result['macro_f1']:.3f}"),
    ]
    return "\n".join(f"{name:<26}{value}" for name, value in rows)
