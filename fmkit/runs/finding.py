"""Chapter 16's vectors: MiniLM reads 2,938 passages once, and the films' summaries.

``python -m fmkit.runs.finding`` makes them (some three minutes of CPU time) and writes
``fmkit/data/weights/passages.safetensors`` (8 bits a number, one scale a text) and
``fmkit/data/results/finding.json``: at which place BM25, MiniLM and both put the right passage of each of
3,270 questions.
"""

import json
import re
from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float, Int

from fmkit._files import write_whole
from fmkit._paths import PACKAGE
from fmkit._types import Array
from fmkit.batching import batches_by_length, pad
from fmkit.bert import BertConfig, bert
from fmkit.data import datasets, documents, pretrained
from fmkit.layers import mean_pool
from fmkit.retrieval import bm25, build_index, ranks
from fmkit.wordpiece import WordPieceTokenizer

VECTORS = PACKAGE / "data" / "weights" / "passages.safetensors"
RESULTS = PACKAGE / "data" / "results" / "finding.json"
LONGEST = 128  # tokens of a text that MiniLM reads: most passages are shorter


def words(text: str) -> list[str]:
    """What BM25 counts: runs of letters and digits, in small letters."""
    return re.findall(r"[a-z0-9]+", text.lower())


@cache
def minilm() -> tuple[dict, BertConfig, WordPieceTokenizer]:
    """MiniLM and its tokenizer, read once."""
    folder = datasets.pretrained_path("minilm")
    return *pretrained.load_bert(folder), WordPieceTokenizer.load(folder)


def embed(texts: Sequence[str], longest: int = LONGEST) -> Float[Array, "N C"]:
    """A vector of length 1 for each text: the mean of MiniLM's last vectors. Like texts: like vectors."""
    params, config, tokenizer = minilm()
    ids = [tokenizer.encode(text, max_length=longest) for text in texts]
    vectors = np.zeros((len(ids), config.d_model), np.float32)
    for rows in batches_by_length([len(row) for row in ids], 16):
        batch, mask = pad([ids[i] for i in rows])
        hidden, _ = bert(params, batch, mask, np.zeros_like(batch), config)
        vectors[rows] = mean_pool(hidden, mask)[0]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def to_bytes(vectors: Float[Array, "N C"]) -> tuple[Int[Array, "N C"], Float[Array, "N"]]:
    """Vectors as whole numbers from -127 to 127, and a scale for each."""
    scale = np.abs(vectors).max(1) / 127
    return np.round(vectors / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def stored_vectors(kind: str = "passages") -> Float[Array, "N C"]:
    """What the command has written: ``passages`` as `documents.questions` has them, or ``films``."""
    from safetensors.numpy import load_file

    found = load_file(VECTORS)
    return found[kind].astype(np.float32) * found[f"{kind}.scale"][:, None]


def place_of(scores: Float[Array, "M N"], answers: Sequence[int]) -> Int[Array, "M"]:
    """At which place (from 1) each row of scores puts its answer."""
    return np.array([ranks(row)[answer] for row, answer in zip(scores, answers, strict=True)])


def both(a: Float[Array, "N"], b: Float[Array, "N"], k: float = 60.0) -> Float[Array, "N"]:
    """Scores fused by their places, for all documents: see `fmkit.retrieval.fuse`."""
    return 1 / (k + ranks(a)) + 1 / (k + ranks(b))


def results() -> dict:
    """What the command has written."""
    return json.loads(RESULTS.read_text("utf-8"))


def films() -> tuple[list[str], list[str]]:
    """Films that have ratings and a summary, by `documents.plain_title`, and the summaries."""
    rated = {documents.plain_title(title) for title in set(documents.film_ratings()["title"].tolist())}
    found = {documents.plain_title(title): text for title, text in documents.film_summaries().items()}
    titles = sorted(found.keys() & rated)
    return titles, [found[title] for title in titles]


def main() -> None:
    """Make all, and write them."""
    from safetensors.numpy import save

    passages, asked, answers = documents.questions()
    made = {"passages": embed(passages), "films": embed(films()[1])}
    tensors = {}
    for kind, vectors in made.items():
        tensors[kind], tensors[f"{kind}.scale"] = to_bytes(vectors)
    write_whole(VECTORS, save(tensors))
    index = build_index([words(text) for text in passages])
    counted = np.stack([bm25(index, words(text)) for text in asked])
    meant = embed(asked) @ stored_vectors().T
    fused = np.stack([both(a, b) for a, b in zip(counted, meant, strict=True)])
    found = {"BM25": counted, "MiniLM": meant, "both": fused}
    places = {name: place_of(scores, answers).tolist() for name, scores in found.items()}
    best = np.round(meant.max(1), 3).tolist()
    write_whole(RESULTS, (json.dumps({"places": places, "best": best}, indent=None) + "\n").encode())
    for name, at in places.items():
        print(name, *(f"{np.mean(np.array(at) <= k):.3f}" for k in (1, 5)))


if __name__ == "__main__":
    main()
