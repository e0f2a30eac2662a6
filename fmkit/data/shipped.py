"""The small Shakespeare model that comes with the package: packed out of a finished run, and loaded.

Made by ``fmkit pretrain --recipe shakespeare --output DIR``, then ``python -m fmkit.data.shipped DIR``.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np

from fmkit._paths import WEIGHTS
from fmkit.llama import LlamaConfig
from fmkit.params import flatten, unflatten
from fmkit.tokenizers import CharTokenizer, Vocabulary

FOLDER = WEIGHTS
COMMAND = "fmkit pretrain --recipe shakespeare --output DIR && python -m fmkit.data.shipped DIR"


def load_shakespeare() -> tuple[dict, LlamaConfig, CharTokenizer]:
    """The packaged language model of Shakespeare's plays, trained by chapter 07's recipe.

    Returns
    -------
    params, config
        As `fmkit.llama.llama` takes them, float32.
    tokenizer : CharTokenizer
        Characters that are not in the plays become ``[UNK]``.
    """
    from safetensors.numpy import load_file

    facts = shakespeare_facts()
    flat = load_file(FOLDER / "shakespeare.safetensors")
    params = unflatten({name: w.astype(np.float32) for name, w in flat.items()})
    return params, LlamaConfig(**facts["config"]), CharTokenizer(Vocabulary(tuple(facts["vocabulary"])))


def shakespeare_facts() -> dict:
    """What is known of the packaged model: its recipe, seed, validation loss, CPU seconds, versions, ..."""
    return json.loads((FOLDER / "shakespeare.json").read_text("utf-8"))


def pack(run: str | Path, folder: str | Path = FOLDER) -> dict:
    """Store the finished run of ``fmkit pretrain`` in a folder, in half the space: float16.

    Half precision has 11 bits: it changes the loss by less than 0.001, which is checked.

    Raises
    ------
    ValueError
        If the loss on the validation text is another than that of the run.
    """
    from safetensors.numpy import save

    from fmkit.data.pretrained import load_llama
    from fmkit.runs.corpus import read_corpus
    from fmkit.runs.pretraining.recipes import Recipe, make_model, validation_loss

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
    import torch

    return {name: torch.from_numpy(w.astype(np.float32)) for name, w in flat.items()}


if __name__ == "__main__":
    import sys

    print(f"validation loss {pack(sys.argv[1])['val_loss']:.4f}")
