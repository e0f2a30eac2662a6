"""A finished run becomes the packaged model."""

import json

import pytest

from fmkit._paths import WEIGHTS
from fmkit.data.datasets import shakespeare_splits
from fmkit.data.shipped import load_shakespeare, shakespeare_facts
from fmkit.errors import AssetError
from fmkit.runs import packing
from fmkit.twins.huggingface import to_hf_llama


def test_packing_a_run(tmp_path, monkeypatch):
    """A run's folder, as `fmkit pretrain` leaves it, becomes the two files, unless half precision hurts."""
    try:
        shakespeare_splits()
    except AssetError as error:
        pytest.skip(str(error))
    params, config, _ = load_shakespeare()
    to_hf_llama(params, config).save_pretrained(tmp_path)
    facts = shakespeare_facts()
    (tmp_path / "recipe.json").write_text(json.dumps(facts))
    monkeypatch.setattr(packing, "validation_loss", lambda *_: facts["val_loss"] + 0.5)
    with pytest.raises(ValueError, match="in float16"):
        packing.pack(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(packing, "validation_loss", lambda *_: facts["val_loss"])
    assert packing.pack(tmp_path, tmp_path / "out") == facts
    for name in ("shakespeare.safetensors", "shakespeare.json"):
        assert (tmp_path / "out" / name).read_bytes() == (WEIGHTS / name).read_bytes()
