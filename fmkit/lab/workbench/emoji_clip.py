"""Chapter 10's CLIP: pictures of emoji and their names in two languages, trained within a chapter.

One encoder reads pictures (`fmkit.vision.cnn`), one reads names (a vector for each word, their sum, two
layers). Both end in the same space. Nobody tells the second one what language a name is in.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmkit.data import pictures
from fmkit.layers import mlp, mlp_backward
from fmkit.optimizers import adamw, apply, warmup_cosine
from fmkit.unlabelled import MAX_LOG_SCALE, contrastive, contrastive_backward, unit_vectors
from fmkit.vision import cnn, cnn_backward, init_cnn

LENGTH = 28  # words of a name that are read, at most
HELD_OUT = 400
SIZE = 64  # numbers of a place in the shared space
WORD = 128  # numbers of a word's vector


@dataclass(frozen=True)
class Emoji:
    """Pictures with their names, and which of them are never learned from.

    Attributes
    ----------
    pictures : float32 array (N, 32, 32, 3), from -1 to 1
    english, chinese : list of N str
    words : dict
        Every word (in Chinese: character, and pair of characters) of a name that is learned from, and its
        number.
    ids : int array (2, N, LENGTH)
        The words of each name in English and in Chinese; -1 fills up.
    train, test : int arrays
        Rows. Test are `HELD_OUT` combinations with a skin tone: the person occurs with other tones, the
        tone with other persons.
    """

    pictures: np.ndarray
    english: list[str]
    chinese: list[str]
    words: dict[str, int]
    ids: np.ndarray
    train: np.ndarray
    test: np.ndarray


def load(seed: int = 0) -> Emoji:
    """The emoji, split by ``seed``."""
    images, english, chinese = pictures.emoji(32)
    toned = [i for i, name in enumerate(english) if "skin tone" in name]
    test = np.sort(np.random.default_rng(seed).choice(toned, HELD_OUT, replace=False))
    train = np.setdiff1d(np.arange(len(english)), test)
    seen = {word for names in (english, chinese) for i in train for word in words_of(names[i])}
    words = {word: i for i, word in enumerate(sorted(seen))}
    ids = np.stack([numbers(names, words) for names in (english, chinese)])
    return Emoji(images.astype(np.float32) / 127.5 - 1, english, chinese, words, ids, train, test)


def words_of(text: str) -> list[str]:
    """The words of a text; of Chinese, which has no spaces, its characters and pairs of neighbours.

    >>> words_of("Woman: red hair"), words_of("红心")
    (['woman', 'red', 'hair'], ['红', '心', '红心'])
    """
    words = re.findall(r"[a-z0-9]+", text.lower())
    for run in re.findall(r"[\u3400-\u9fff]+", text):
        words += [*run, *(a + b for a, b in zip(run, run[1:], strict=False))]
    return words


def numbers(texts: Iterable[str], words: dict[str, int]) -> np.ndarray:
    """The numbers of each text's words, (N, LENGTH). A word that is not in ``words`` leaves no trace."""
    rows = [[words[w] for w in words_of(text) if w in words][:LENGTH] for text in texts]
    return np.array([row + [-1] * (LENGTH - len(row)) for row in rows]).reshape(len(rows), LENGTH)


# ------------------------------------------------------------------------------------------------------ model


def init(seed: int, n_words: int) -> dict:
    """Parameters of both encoders, and the logarithm of the scale between them."""
    rng = np.random.default_rng(seed)

    def normal(std, *shape):
        return rng.normal(0.0, std, shape).astype(np.float32)

    text = {"table": normal(1.0, n_words, WORD)}
    text["mlp"] = {"w1": normal(WORD**-0.5, WORD, WORD), "b1": np.zeros(WORD, np.float32)}
    text["mlp"] |= {"w2": normal(WORD**-0.5, WORD, SIZE), "b2": np.zeros(SIZE, np.float32)}
    image = init_cnn(rng, (32, 32, 3), widths=(32, 64, 128), n_out=SIZE)
    return {"image": image, "text": text, "log_scale": np.full(1, np.log(1 / 0.07), np.float32)}


def read(params: dict, ids: np.ndarray) -> tuple[np.ndarray, Any]:
    """Names to places: the vectors of the words, added up, then two layers."""
    used, places = np.unique(ids, return_inverse=True)  # a batch has some hundred words, the table thousands
    flat = np.arange(len(ids))[:, None] * len(used) + places.reshape(ids.shape)
    bag = np.bincount(flat.ravel(), minlength=len(ids) * len(used)).reshape(len(ids), -1)  # how often each
    bag = bag[:, used >= 0].astype(np.float32)
    bag /= np.sqrt(np.maximum(bag.sum(1, keepdims=True), 1))
    used = used[used >= 0]
    out, cache = mlp(bag @ params["table"][used], **params["mlp"])
    return out, (bag, used, params["table"].shape, cache)


def read_backward(dout: np.ndarray, cache: Any) -> dict:
    """Gradient of `read` in its parameters."""
    bag, used, shape, mlp_cache = cache
    dx, *dmlp = mlp_backward(dout, mlp_cache)
    dtable = np.zeros(shape, dx.dtype)
    dtable[used] = bag.T @ dx
    return {"table": dtable, "mlp": dict(zip(("w1", "b1", "w2", "b2"), dmlp, strict=True))}


def step(params: dict, state: Any, images: np.ndarray, ids: np.ndarray, lr: float) -> tuple[dict, Any, float]:
    """One step of training on a batch of pictures with a name each."""
    a, image_cache = cnn(params["image"], images)  # (B, SIZE)
    b, text_cache = read(params["text"], ids)  # (B, SIZE)
    loss, cache = contrastive(a, b, params["log_scale"][0])
    da, db, dlog_scale = contrastive_backward(1.0, cache)
    grads = {
        "image": cnn_backward(da, image_cache, needs_dimages=False)[0],
        "text": read_backward(db, text_cache),
    }
    grads["log_scale"] = np.full(1, dlog_scale, np.float32)
    params, state = apply(adamw, params, grads, state, lr=lr, weight_decay=0.05)
    params["log_scale"] = np.minimum(params["log_scale"], np.float32(MAX_LOG_SCALE))
    return params, state, float(loss)


def train(
    emoji: Emoji,
    steps: int,
    *,
    seed: int = 0,
    batch: int = 128,
    rate: float = 6e-3,
    languages: Sequence[int] = (0, 1),
    say: Callable[[int, float], None] | None = None,
) -> tuple[dict, list[float]]:
    """Train both encoders. Each picture of a batch comes with its name in one language, drawn by chance.

    Whoever interrupts the kernel gets what has been learned so far.

    Parameters
    ----------
    languages : numbers
        0 is English, 1 Chinese.
    say : callable, optional
        Called with the step and its loss.

    Returns
    -------
    params, losses
    """
    rng = np.random.default_rng(seed)
    params, state, losses = init(seed, len(emoji.words)), None, []
    try:
        for k in range(steps):
            rows = rng.choice(emoji.train, batch, replace=False)
            shift = tuple(rng.integers(-2, 3, 2))  # the whole batch a little aside
            images = np.roll(emoji.pictures[rows], shift, (1, 2))
            ids = emoji.ids[rng.choice(languages, batch), rows]
            lr = rate * warmup_cosine(k, steps // 4, steps)
            params, state, loss = step(params, state, images, ids, lr)
            losses.append(loss)
            if say:
                say(k, loss)
    except KeyboardInterrupt:
        pass  # what has been learned so far is good enough to play with
    return params, losses


# --------------------------------------------------------------------------------------------------- using it


def see(params: dict, images: np.ndarray) -> np.ndarray:
    """Places of pictures, of length 1."""
    parts = [cnn(params["image"], images[i : i + 256])[0] for i in range(0, len(images), 256)]
    return unit_vectors(np.concatenate(parts))[0]


def say(params: dict, ids: np.ndarray) -> np.ndarray:
    """Places of names, of length 1."""
    return unit_vectors(read(params["text"], ids)[0])[0]


def found_at(questions: np.ndarray, answers: np.ndarray, k: int = 1) -> float:
    """R@k: of how many questions the answer with the same number is among the k nearest."""
    scores = questions @ answers.T
    better = (scores > np.diag(scores)[:, None]).sum(1)
    return float((better < k).mean())


def unseen(params: dict, emoji: Emoji) -> dict[str, float]:
    """R@1 among the held-out combinations: pictures to names of either language, and English to Chinese."""
    images = see(params, emoji.pictures[emoji.test])
    english, chinese = (say(params, emoji.ids[language, emoji.test]) for language in (0, 1))
    return {
        "picture to English": found_at(images, english),
        "picture to Chinese": found_at(images, chinese),
        "English to Chinese": found_at(english, chinese),
    }
