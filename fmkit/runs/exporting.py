"""A trained model as a folder that Hugging Face's libraries read: weights, config and tokenizer."""

import json
from pathlib import Path

from safetensors.torch import save
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from fmkit.llama import LlamaConfig
from fmkit.runs import checkpoints
from fmkit.tokenizers import UNK, CharTokenizer
from fmkit.twins.huggingface import to_hf_gpt2, to_hf_llama
from fmkit.twins.models import to_params


def export(model, tokenizer: CharTokenizer, recipe, folder: str | Path) -> None:
    """Write a trained model so that ``AutoModelForCausalLM.from_pretrained(folder)`` loads it.

    Parameters
    ----------
    model
        A `fmkit.twins.models.GPT` or ``Llama`` becomes a GPT-2, a Llama or a Qwen3: ``model.safetensors`` and
        ``config.json``. For any other model Hugging Face has no class: its weights are written under our own
        names, without a ``config.json``.
    tokenizer : CharTokenizer
        Becomes ``tokenizer.json``, for ``AutoTokenizer.from_pretrained(folder)``.
    recipe : fmkit.runs.pretraining.recipes.Recipe
        The recipe of the model.
    folder : path

    Raises
    ------
    CheckpointError
        The folder cannot be written to.
    """
    weights, config = _hf_model(model) if recipe.plain else (_weights(model), None)
    files = {
        "model.safetensors": weights,
        "config.json": config,
        "tokenizer.json": tokenizer_json(tokenizer),
        "tokenizer_config.json": json.dumps(_tokenizer_config(recipe.block_size), indent=2),
    }
    for name, data in files.items():
        if data is not None:
            checkpoints.write(Path(folder) / name, data.encode() if isinstance(data, str) else data)


def _hf_model(model) -> tuple[bytes, str]:
    """Weights and config of the model as Hugging Face names them."""
    config = model.config
    hf = (to_hf_llama if isinstance(config, LlamaConfig) else to_hf_gpt2)(to_params(model), config)
    hf.config.architectures = [type(hf).__name__]
    # a tied head is the embedding table once more
    return _weights(hf, without="lm_head.weight" if config.tied else ""), hf.config.to_json_string()


def _weights(model, without: str = "") -> bytes:
    state = {name: w.cpu().contiguous() for name, w in model.state_dict().items() if name != without}
    return save(state, {"format": "pt"})


def tokenizer_json(tokenizer: CharTokenizer) -> str:
    """A character tokenizer in the format of Hugging Face's ``tokenizers``."""
    vocab = {token: i for i, token in enumerate(tokenizer.vocabulary.tokens)}
    theirs = Tokenizer(models.WordLevel(vocab, unk_token=UNK))
    theirs.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")  # line breaks too
    theirs.decoder = decoders.Fuse()  # characters are put together without spaces
    return theirs.to_str(pretty=True)


def _tokenizer_config(block_size: int) -> dict:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": UNK,
        "model_max_length": block_size,
        "clean_up_tokenization_spaces": False,
    }
