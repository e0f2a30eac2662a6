"""Chapter 16's translators: a small Chinese to English, without attention and with it.

``python -m fmkit.runs.translating`` trains both, with two seeds (some two minutes of CPU time), on sentences
of one and two clauses of `fmkit.data.bilingual`, asks them for others, and for longer ones, and writes
``fmkit/data/results/translation.json``; the first translator with attention goes to
``fmkit/data/weights/translation.safetensors`` in float16.

A translator of real sentences was meant to stand here, the package cn2en. Today's pip refuses to install
it: its metadata is not valid.
"""

import json
import time
from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float, Int

from fmkit._files import write_whole
from fmkit._paths import RESULTS, WEIGHTS
from fmkit._types import Array
from fmkit._values import listed
from fmkit.data import bilingual
from fmkit.errors import UserError
from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.optimizers import adam, apply, clip_grad_norm, warmup_cosine
from fmkit.params import flatten, tree_map, unflatten
from fmkit.speech import word_errors
from fmkit.translation import init_translator, translate, translator, translator_backward

FILE = RESULTS / "translation.json"
STORED = WEIGHTS / "translation.safetensors"
BEGIN, END = 0, 1  # of a sentence; among the English words. 0 fills up the Chinese, too
D_EMBED, D_MODEL = 32, 64
RATE, SEEDS = 5e-3, (0, 1)
TRAINED, ASKED, EACH = 2, 4, 250  # clauses of a sentence at most; sentences to be asked about, of each number
KINDS = {  # with attention or not, and steps
    "without attention": (False, 2000),
    "with attention": (True, 2000),
}


@cache
def vocabularies() -> tuple[dict[str, int], dict[str, int]]:
    """Numbers for the characters and for the words."""
    characters, words = bilingual.vocabularies()
    return (
        {character: i for i, character in enumerate(characters, start=1)},
        {word: i for i, word in enumerate(words, start=2)},
    )


def encode(texts: Sequence[str]) -> tuple[Int[Array, "B S"], Int[Array, "B S"]]:
    """Chinese as numbers, filled up at the end, and the mask.

    Raises
    ------
    UserError
        For an empty text, and for a character that the translator has never seen.
    """
    listed("texts", texts)
    numbers = vocabularies()[0]
    strange = sorted({character for text in texts for character in text} - set(numbers))
    if strange:
        known = "".join(numbers)
        raise UserError(
            f"{''.join(strange)}: not among the {len(numbers)} characters that it has seen, {known}"
        )
    if not all(texts):
        raise UserError("An empty text has no translation: give it a character at least.")
    source = np.zeros((len(texts), max(map(len, texts))), int)
    for row, text in zip(source, texts, strict=True):
        row[: len(text)] = [numbers[character] for character in text]
    return source, (source > 0).astype(int)


def batch(pairs: Sequence[tuple[str, str]]) -> tuple[Array, Array, Array, Array]:
    """Sentences to learn from: (B, S) source and mask; (B, T) the words so far, and those that come next."""
    source, mask = encode([chinese for chinese, _ in pairs])
    ids = [[vocabularies()[1][word] for word in english.split()] for _, english in pairs]
    words = np.zeros((len(pairs), 1 + max(map(len, ids))), int)
    targets = np.full(words.shape, -100)  # no loss where a sentence is over
    for i, row in enumerate(ids):
        words[i, : len(row) + 1] = [BEGIN, *row]
        targets[i, : len(row) + 1] = [*row, END]
    return source, mask, words, targets


def train(attend: bool, seed: int, steps: int, size: int = 64) -> tuple[dict, list[float]]:
    """A new translator, and its losses; each sentence is made for its step. ``size`` clauses a step."""
    rng = np.random.default_rng([1, seed])
    characters, words = vocabularies()
    params = init_translator(
        np.random.default_rng(seed), len(characters) + 1, len(words) + 2, D_EMBED, D_MODEL
    )
    state, losses = None, []
    for step in range(steps):
        clauses = 1 + step % TRAINED
        pairs = [bilingual.sentence(rng, clauses) for _ in range(size // clauses)]
        source, mask, words_so_far, targets = batch(pairs)
        scores, cache = translator(params, source, mask, words_so_far, attend)
        loss, loss_cache = cross_entropy(scores, targets)
        grads = translator_backward(cross_entropy_backward(1.0, loss_cache), cache)
        grads, _ = clip_grad_norm(grads, 1.0)
        params, state = apply(adam, params, grads, state, lr=RATE * warmup_cosine(step, 50, steps))
        losses.append(float(loss))
    return params, losses


def write(
    params: dict, texts: Sequence[str], attend: bool = True
) -> tuple[list[str], Float[Array, "B T S"] | None]:
    """Translations, and where the writer looked before each word (None without attention)."""
    source, mask = encode(texts)
    written, weights = translate(params, source, mask, BEGIN, END, attend)
    words = ["<begin>", "<end>", *vocabularies()[1]]
    return [" ".join(words[i] for i in row) for row in written], weights


def sentences(clauses: int, n: int = EACH) -> list[tuple[str, str]]:
    """Sentences to be asked about: the same each time, and by seeds that no training has."""
    return [bilingual.sentence(np.random.default_rng([2, clauses, i]), clauses) for i in range(n)]


def examine(params: dict, attend: bool) -> dict:
    """For each number of clauses: words of each right translation, and how many of them came out wrong."""
    out = {}
    for clauses in range(1, ASKED + 1):
        pairs = sentences(clauses)
        written, _ = write(params, [chinese for chinese, _ in pairs], attend)
        right = [english.split() for _, english in pairs]
        wrong = [word_errors(r, w.split()) for r, w in zip(right, written, strict=True)]
        out[str(clauses)] = {"words": [len(r) for r in right], "wrong": wrong}
    return out


def by_words(asked: dict, edges: Sequence[int]) -> list[tuple[float, int, int]]:
    """What `examine` found, by length: each class's mean number of words, how many are right, of how many.

    A class reaches from one of the ``edges`` to just before the next; those of no sentence are left out.
    """
    words, wrong = (np.concatenate([part[name] for part in asked.values()]) for name in ("words", "wrong"))
    classes = [(low <= words) & (words < high) for low, high in zip(edges, edges[1:], strict=False)]
    return [(float(words[c].mean()), int((wrong[c] == 0).sum()), int(c.sum())) for c in classes if c.any()]


def stored() -> dict:
    """The translator with attention that the command has written."""
    from safetensors.numpy import load_file

    return unflatten({name: w.astype(np.float32) for name, w in load_file(STORED).items()})


def results() -> dict:
    """What the command has written."""
    return json.loads(FILE.read_text("utf-8"))


def main() -> None:
    """Train, ask, write: what is in the file is not trained again."""
    from safetensors.numpy import save

    found = results() if FILE.exists() else {}
    found["command"] = "python -m fmkit.runs.translating"
    for kind, (attend, steps) in KINDS.items():
        runs = found.setdefault(kind, [])
        for seed in set(SEEDS) - {run["seed"] for run in runs}:
            began = time.process_time()
            params, losses = train(attend, seed, steps)
            seconds = time.process_time() - began
            half = tree_map(lambda w: w.astype(np.float16), params)  # as they ship: so they are asked
            asked = examine(tree_map(lambda w: w.astype(np.float32), half), attend)
            loss = round(float(np.mean(losses[-100:])), 4)
            runs.append({"seed": seed, "loss": loss, "seconds": round(seconds), "asked": asked})
            right = [f"{np.mean(np.array(part['wrong']) == 0):.2f}" for part in asked.values()]
            print(kind, seed, "loss", loss, "right by clauses", *right, f"{seconds:.0f} s", flush=True)
            if attend and seed == SEEDS[0]:
                write_whole(STORED, save(flatten(half)))
            write_whole(FILE, (json.dumps(found) + "\n").encode())


if __name__ == "__main__":
    main()
