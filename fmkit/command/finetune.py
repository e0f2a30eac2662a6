"""`fmkit finetune`: a whole run as a command, on the packaged MiniLM or on any model of the hub.

What it saves is a folder in Hugging Face's format (config.json, model.safetensors, tokenizer) that
``AutoModelForSequenceClassification.from_pretrained`` loads, with the same predictions.
"""

import os
from pathlib import Path

from fmkit.errors import FinetuneError

SAVED = ("head", "last2", "full", "lora")  # methods whose result a plain BERT can hold
FEW = 0.1  # an interval wider than this says little about a method


def run(
    method, epochs, seed, device, output, model, csv_path, validation=None, test=None, force=False, say=print
) -> dict:
    """The command. Whatever is wrong with the request is said before the training begins."""
    from fmkit.runs.bars import batches_bar
    from fmkit.runs.finetuning import hub
    from fmkit.runs.finetuning import run as ft
    from fmkit.runs.finetuning.data import OwnTexts, read_csv
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
    if (validation or test) and not csv_path:
        raise FinetuneError("--validation and --test go with --csv FILE, the texts to learn from")
    device = find_device(device)
    if output:
        check_free(output, force)
        check_writable(output)
    data = read_csv(csv_path, validation, test) if csv_path else OwnTexts(*ft.splits(), ft.CLASSES)
    parts = data.train, data.val, data.test
    pair = None if model is None else hub.load_hub(model, seed, data.classes)
    for note in data.notes:
        say(note)
    say("{} training texts, {} validation texts, {} test texts".format(*map(len, parts)))
    if csv_path:
        say(f"{len(data.classes)} labels: {_shown(data.classes)}")
    with batches_bar() as bar:
        if pair is None:
            about = {"progress": bar, "classes": data.classes}
            result = ft.finetune(method, seed, epochs, None, device, *parts, **about)
        else:
            result = hub.finetune_hub(*pair, method, seed, epochs or 1, device, *parts, progress=bar)
    say(table(result, len(data.test)))
    if output:
        ft.save(result["model"], output, result.get("tokenizer"), data.classes)
        say(f"Saved: AutoModelForSequenceClassification.from_pretrained({str(output)!r})")
    return result


def _shown(names) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def check_free(folder: Path, force: bool) -> None:
    """Raise a FinetuneError if something is in the folder already, such as an earlier model."""
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise FinetuneError(f"{folder} is not empty: name another, or write over what is there with --force")


def check_writable(folder: Path) -> None:
    """Make the folder; raise a FinetuneError if that, or writing into it, fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".fmkit-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise FinetuneError(f"cannot write into {folder}: {error.strerror or error}") from error


def table(result: dict, n_test: int) -> str:
    """The result in a few lines; ``n_test`` texts were tested on."""
    low, high = interval(result, n_test)
    rows = [
        ("method", result["method"]),
        ("epochs", result["epochs"]),
        ("trained parameters", f"{result['trainable']:,}"),
        ("CPU seconds of training", f"{result['cpu_seconds']:.0f}"),
        ("validation accuracy", f"{result['val_accuracy']:.1%}"),
        ("test accuracy", f"{result['accuracy']:.1%}  (95 %: {low:.1%} to {high:.1%})"),
        ("test macro-F1", f"{result['macro_f1']:.3f}"),
    ]
    lines = [f"{name:<26}{value}" for name, value in rows]
    if high - low > FEW:
        words = f"With {n_test} test texts the accuracy is known to {high - low:.0%} only"
        lines.append(f"{words}: test on more (--test FILE)")
    return "\n".join(lines)


def interval(result: dict, n_test: int) -> tuple[float, float]:
    """The 95 % interval of the accuracy: the bootstrap's, but where all is right or wrong that is a point.

    There the exact one takes its place: all of N are right in 2.5 % of tests if the accuracy is
    0.025 ** (1 / N).
    """
    least = 0.025 ** (1 / n_test)
    if result["accuracy"] in (0.0, 1.0):
        return (least, 1.0) if result["accuracy"] else (0.0, 1.0 - least)
    return result["interval"]
