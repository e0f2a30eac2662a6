"""The picture of a sound and Whisper, against transformers; wrong words against a recursion."""

import functools
import itertools

import numpy as np
import pytest

from fmkit import speech
from fmkit.data.speech import BEGIN, END, NO_TIMES, load_whisper, read_sound, spoken
from fmkit.errors import TableError


def some_sound(seconds=3.0):
    t = np.arange(int(seconds * speech.RATE)) / speech.RATE
    rng = np.random.default_rng(0)
    return (0.4 * np.sin(2 * np.pi * (200 + 300 * t) * t) + 0.01 * rng.normal(size=len(t))).astype(np.float32)


def test_the_filters_and_the_picture_are_those_of_transformers():
    from transformers import WhisperFeatureExtractor

    theirs = WhisperFeatureExtractor(feature_size=80)
    np.testing.assert_allclose(speech.mel_filters(), theirs.mel_filters, atol=1e-7)
    expected = theirs(some_sound(), sampling_rate=16_000, return_tensors="np").input_features[0].T
    picture = speech.log_mel(some_sound())
    assert picture.shape == (3000, 80) and picture.dtype == np.float32
    np.testing.assert_allclose(picture, expected, atol=2e-4)


def test_a_long_sound_is_cut_and_silence_is_one_grey():
    assert speech.log_mel(some_sound(3.0), seconds=1).shape == (100, 80)
    assert np.ptp(speech.log_mel(np.zeros(100, np.float32), seconds=1)) == 0
    with pytest.raises(ValueError, match="sound: expected finite numbers"):
        speech.log_mel(np.array([0.0, np.nan]))


@pytest.mark.parametrize("stride, K", [(1, 3), (2, 3), (1, 5)])
def test_over_time_against_torch(stride, K):
    import torch

    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=(9, 4)), rng.normal(size=(K, 4, 6)), rng.normal(size=6)
    theirs = torch.nn.functional.conv1d(
        torch.tensor(x.T[None]), torch.tensor(w.transpose(2, 1, 0).copy()), torch.tensor(b), stride, K // 2
    )
    np.testing.assert_allclose(speech.over_time(x, w, b, stride), theirs[0].numpy().T, atol=1e-12)


@pytest.fixture(scope="module")
def whisper():
    return load_whisper()


def test_what_a_voice_says_is_written_down(whisper):
    params, tokenizer, n_heads = whisper
    sounds = spoken()
    wrong = words = 0
    for name in ("president", "shakespeare"):
        sound, said = sounds[name]
        tokens = speech.transcribe(params, speech.log_mel(sound), n_heads, [BEGIN, NO_TIMES], END)
        written, said = (_words(text) for text in (tokenizer.decode(tokens), said))
        wrong += speech.word_errors(said, written)
        words += len(said)
    assert wrong == 0 and words == 24


def _words(text):
    return "".join(c for c in text.lower() if c.isalpha() or c in " '").split()


@pytest.mark.slow
def test_the_scores_are_those_of_transformers(whisper):
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    params, _, n_heads = whisper
    config = WhisperConfig(
        vocab_size=51864,
        d_model=384,
        encoder_layers=4,
        decoder_layers=4,
        encoder_attention_heads=6,
        decoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_ffn_dim=1536,
        pad_token_id=END,
        bos_token_id=END,
        eos_token_id=END,
        decoder_start_token_id=BEGIN,
    )
    model = WhisperForConditionalGeneration(config).eval()
    left = model.load_state_dict(_as_theirs(params), strict=False)
    assert not left.unexpected_keys
    assert all("k_proj.bias" in key or "proj_out" in key or "wpe" in key for key in left.missing_keys)
    picture, ids = speech.log_mel(some_sound()), [BEGIN, NO_TIMES, 400, 500]
    with torch.no_grad():
        theirs = model(
            input_features=torch.tensor(picture.T[None]), decoder_input_ids=torch.tensor([ids])
        ).logits[0, -1]
    decoder = params["decoder"]
    heard = speech.encode(params["encoder"], picture, n_heads)
    crossed = [speech.keys_and_values(heard, p["cross"], n_heads) for p in decoder["blocks"]]
    kept = [np.empty((2, 1, n_heads, 8, 64), np.float32) for _ in decoder["blocks"]]
    first = speech._write(decoder, np.array(ids[:2]), 0, n_heads, kept, crossed)
    ours = speech._write(decoder, np.array(ids[2:]), 2, n_heads, kept, crossed)
    assert first.shape == ours.shape == (51864,)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-3)


def _as_theirs(params):
    """Our parameters under transformers' names."""
    import torch

    found = {}

    def linear(name, w, b):
        found[f"{name}.weight"], found[f"{name}.bias"] = w.T, b

    def norm(name, p):
        found[f"{name}.weight"], found[f"{name}.bias"] = p["w"], p["b"]

    def thirds(name, w, b, parts):
        for part, v, c in zip(parts, np.split(w, len(parts), 1), np.split(b, len(parts)), strict=True):
            linear(f"{name}.{part}_proj", v, c)

    for part in ("encoder", "decoder"):
        side = params[part]
        found[f"model.{part}.embed_positions.weight"] = side["wpe"]
        norm(f"model.{part}.layer_norm", side["lnf"])
        for i, p in enumerate(side["blocks"]):
            name = f"model.{part}.layers.{i}"
            thirds(f"{name}.self_attn", p["attn"]["wqkv"], p["attn"]["bqkv"], "qkv")
            linear(f"{name}.self_attn.out_proj", p["attn"]["wo"], p["attn"]["bo"])
            norm(f"{name}.self_attn_layer_norm", p["ln1"])
            norm(f"{name}.final_layer_norm", p["ln2"])
            linear(f"{name}.fc1", p["mlp"]["w1"], p["mlp"]["b1"])
            linear(f"{name}.fc2", p["mlp"]["w2"], p["mlp"]["b2"])
            if part == "decoder":
                linear(f"{name}.encoder_attn.q_proj", p["cross"]["wq"], p["cross"]["bq"])
                thirds(f"{name}.encoder_attn", p["cross"]["wkv"], p["cross"]["bkv"], "kv")
                linear(f"{name}.encoder_attn.out_proj", p["cross"]["wo"], p["cross"]["bo"])
                norm(f"{name}.encoder_attn_layer_norm", p["lnx"])
    for conv in ("conv1", "conv2"):
        found[f"model.encoder.{conv}.weight"] = params["encoder"][conv]["w"].transpose(2, 1, 0)
        found[f"model.encoder.{conv}.bias"] = params["encoder"][conv]["b"]
    found["model.decoder.embed_tokens.weight"] = found["proj_out.weight"] = params["decoder"]["wte"]
    biased = {name: a for name, a in found.items() if not name.endswith("k_proj.bias")}  # theirs has none
    return {name: torch.tensor(np.ascontiguousarray(a)) for name, a in biased.items()}


@functools.cache
def slow_distance(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(
        slow_distance(a[1:], b) + 1, slow_distance(a, b[1:]) + 1, slow_distance(a[1:], b[1:]) + (a[0] != b[0])
    )


def test_wrong_words_against_a_recursion():
    for a, b in itertools.product(itertools.product("xy", repeat=4), itertools.product("xyz", repeat=3)):
        assert speech.word_errors(a, b) == slow_distance(a, b)


def test_the_rate_is_of_all_words_together():
    assert speech.word_error_rate([["a"], ["b"] * 9], [[], ["b"] * 9]) == 0.1
    assert speech.word_error_rate([["a"]], [["x", "y", "z"]]) == 3.0
    with pytest.raises(ValueError, match="hypotheses: expected 1 texts, got 2"):
        speech.word_error_rate([["a"]], [["a"], ["b"]])
    with pytest.raises(TypeError, match="reference: expected a list of words"):
        speech.word_errors("abc", ["a"])


def test_a_file_that_is_no_recording(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF nonsense")
    with pytest.raises(TableError, match="is not a WAV file"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize("rate, channels", [(8000, 1), (16000, 2), (44100, 1)])
def test_other_rates_and_two_channels(tmp_path, rate, channels):
    import wave

    t = np.arange(rate) / rate
    tone = (np.sin(2 * np.pi * 440 * t) * 20000).astype("<i2")
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone[:, None], channels, 1).tobytes())
    sound = read_sound(tmp_path / "tone.wav")
    assert abs(len(sound) - 16000) < 3 and sound.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(sound[:16000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1
