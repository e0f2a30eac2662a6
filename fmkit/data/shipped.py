"""The small Shakespeare model that comes with the package; `fmkit.runs.packing` has made it."""

import json

import numpy as np

from fmkit._paths import WEIGHTS
from fmkit.llama import LlamaConfig
from fmkit.params import unflatten
from fmkit.tokenizers import CharTokenizer, Vocabulary


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
    flat = load_file(WEIGHTS / "shakespeare.safetensors")
    params = unflatten({name: w.astype(np.float32) for name, w in flat.items()})
    return params, LlamaConfig(**facts["config"]), CharTokenizer(Vocabulary(tuple(facts["vocabulary"])))


def shakespeare_facts() -> dict:
    """What is known of the packaged model: its recipe, seed, validation loss, CPU seconds, versions, ..."""
    return json.loads((WEIGHTS / "shakespeare.json").read_text("utf-8"))
