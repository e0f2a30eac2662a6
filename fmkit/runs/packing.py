"""The packaged Shakespeare model, made from a finished run.

``fmkit pretrain --recipe shakespeare --output DIR``, then ``python -m fmkit.runs.packing DIR``.
"""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save

from fmkit._paths import WEIGHTS
from fmkit.data.pretrained import load_llama
from fmkit.params import flatten
from fmkit.runs.corpus import read_corpus
from fmkit.runs.pretraining.recipes import Recipe, make_model, validation_loss

COMMAND = "fmkit pretrain --recipe shakespeare --output DIR && python -m fmkit.runs.packing DIR"


def pack(run: str | Path, folder: str | Path = WEIGHTS) -> dict:
    """Store the model of a finished run of ``fmkit pretrain`` in half the space: float16.

    Half precision has 11 bits: it changes the loss by less than 0.001, which is checked.

    Raises
    ------
    ValueError
        If the validation loss is not that of the run.
    """
    result = json.loads((Path(run) / "recipe.json").read_text("utf-8"))
    params, config = load_llama(run)
    half = {name: w.astype(np.float16) for name, w in flatten(params).items()}
    recipe, corpus = Recipe(**result["recipe"]), read_corpus(None, config.block_size)

    model = make_model(recipe, corpus.tokenizer.vocab_size)
    model.load_state_dict(_tensors(half))
    loss = validation_loss(model, corpus.val, recipe)
    if abs(loss - result["val_loss"]) > 1e-3:
        raise ValueError(f"validation loss {loss:.4f} in float16, {result['val_loss']:.4f} in the run")

    facts = {
        "command": COMMAND,
        "config": dataclasses.asdict(config),
        "vocabulary": list(corpus.tokenizer.vocabulary.tokens),
        **result,
        "val_loss": round(loss, 5),
    }
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    (folder / "shakespeare.safetensors").write_bytes(
        save({k: np.ascontiguousarray(w) for k, w in half.items()})
    )
    (folder / "shakespeare.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return facts


def _tensors(flat: dict) -> dict:
    return {name: torch.from_numpy(w.astype(np.float32)) for name, w in flat.items()}


if __name__ == "__main__":
    print(f"validation loss {pack(sys.argv[1])['val_loss']:.4f}")
