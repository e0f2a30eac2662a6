"""What a pretrained model has to beat (chapter 08): rules, counted words, and a small LSTM from scratch.

All three say whether a text is positive. `vader` needs no training, `tfidf_logistic` trains in a second,
`LSTMClassifier` in a minute.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fmkit.batching import batches_by_length, pad
from fmkit.data.datasets import asset_path
from fmkit.runs.loop import run_epochs, take_step
from fmkit.tokenizers import UNK, Vocabulary, WordTokenizer, split_words

# ------------------------------------------------------------------------------------------------------ rules

STRONGER = 0.293  # what a word such as "very" adds to the valence of the next one
CAPITALS = 0.733  # what SHOUTING adds
NEGATED = -0.74  # what "not" multiplies by
EXCLAMATION = 0.292  # what each of the first four "!" adds to the whole text
_UP = "absolutely amazingly awfully completely considerably decidedly deeply enormously entirely especially"
_UP += (
    " exceptionally extremely fabulously fully greatly hella highly hugely incredibly intensely majorly more"
)
_UP += " most particularly purely quite really remarkably so substantially thoroughly totally tremendously"
_UP += " uber unbelievably unusually utterly very"
_DOWN = (
    "almost barely hardly kinda less little marginally occasionally partly scarcely slightly somewhat sorta"
)
_NOT = "aint cannot neither never no nobody none nope nor not nothing nowhere without rarely seldom despite"
BOOSTERS = {word: STRONGER for word in _UP.split()} | {word: -STRONGER for word in _DOWN.split()}
NEGATIONS = set(_NOT.split())


def vader_lexicon() -> dict[str, float]:
    """VADER's words, emoticons and slang, each with its mean rating by ten people, from -4 to 4.

    Notes
    -----
    Source: C. J. Hutto and E. Gilbert, ICWSM 2014, in the package ``vaderSentiment`` 3.3.2 (MIT licence).
    """
    path = asset_path("ratings") / "lexicon" / "vader_sentiment_lexicon.txt"
    rows = [line.split("\t") for line in path.read_text("latin-1").splitlines() if line.strip()]
    return {row[0]: float(row[1]) for row in rows}


def vader(text: str, lexicon: dict[str, float]) -> float:
    """Sentiment by rules: the sum of the words' valences, changed by the words around them.

    A word before it makes it stronger or weaker ("very", "hardly"; less so two or three words before), a
    negation within three words reverses it, capitals and exclamation marks make it stronger, and what follows
    "but" counts three times as much as what precedes it.

    Parameters
    ----------
    text : str
    lexicon : dict
        From `vader_lexicon`.

    Returns
    -------
    compound : float
        From -1, all bad, to 1, all good; 0 if no word of the text is in the lexicon.

    Notes
    -----
    Written from the rules as published (C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model
    for Sentiment Analysis of Social Media Text", ICWSM 2014, section 3). It is not the authors' program:
    a few idioms ("the bomb") and special cases ("at least", "never so") are left out.
    """
    words = [w if w in lexicon else w.strip(".,;:!?\"'()[]*") for w in text.split()]
    words = [word for word in words if word]
    shouts = any(w.isupper() for w in words) and not all(w.isupper() for w in words)
    valences = [_valence(words, i, lexicon, shouts) for i in range(len(words))]
    low = [word.lower() for word in words]
    if "but" in low:
        turn = low.index("but")
        valences = [v * (0.5 if i < turn else 1.5) for i, v in enumerate(valences)]
    total = sum(valences)
    total += math.copysign(EXCLAMATION * min(text.count("!"), 4), total) if total else 0.0
    return total / math.sqrt(total * total + 15.0)


def _valence(words: list[str], i: int, lexicon: dict[str, float], shouts: bool) -> float:
    valence = lexicon.get(words[i].lower(), 0.0)
    if not valence or words[i].lower() in BOOSTERS:
        return 0.0
    if shouts and words[i].isupper():
        valence += math.copysign(CAPITALS, valence)
    for distance, fading in ((1, 1.0), (2, 0.95), (3, 0.9)):
        before = words[i - distance].lower() if i >= distance else ""
        if before not in lexicon:
            valence += math.copysign(1.0, valence) * BOOSTERS.get(before, 0.0) * fading
        if before in NEGATIONS or before.endswith("n't"):
            valence *= NEGATED
    return valence


# --------------------------------------------------------------------------------------------- counted words


def tfidf_logistic(train: list[tuple[str, int]], texts: list[str], characters: bool = False) -> np.ndarray:
    """Logistic regression on weighted counts of words and of pairs of words.

    Parameters
    ----------
    train : list of (text, label)
        Label 1 is positive.
    texts : list of str
        The texts to classify.
    characters : bool
        Count runs of 2 to 5 characters as well.

    Returns
    -------
    positive : (N,)
        The probability that each text is positive.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(_counts(characters), LogisticRegression(C=3.0, max_iter=1000))
    model.fit([text for text, _ in train], [label for _, label in train])
    return model.predict_proba(texts)[:, 1]


def tfidf_ridge(train: list[tuple[str, float]]):
    """Ridge regression of the rating on weighted counts of words, pairs of words, and 2 to 5 characters.

    Parameters
    ----------
    train : list of (text, rating)

    Returns
    -------
    model
        scikit-learn's: ``model.predict(texts)`` gives ratings (N,).
    """
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(_counts(characters=True), Ridge(alpha=1.0, solver="sparse_cg"))
    return model.fit([text for text, _ in train], [rating for _, rating in train])


def _counts(characters: bool):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    counts = [TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)]
    if characters:
        counts.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3))
    return make_union(*counts)


# ------------------------------------------------------------------------------------------------------- LSTM


class LSTMClassifier(nn.Module):
    """Word embedding, two LSTM layers, one sigmoid unit: trained from nothing on the texts that you give.

    Parameters
    ----------
    width : int
        Of the embedding and of each LSTM layer.
    read : "real" or "padded"
        Which step's output is read. "real": that of the last word. "padded": that of the last step of the
        batch, for a short text after many steps of padding: the mistake that costs everything.
    seed : int
    device : torch device or its name, optional

    References
    ----------
    Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997).
    """

    MAX_LENGTH = 80  # words; longer texts are cut

    def __init__(self, width: int = 64, read: str = "real", seed: int = 0, device="cpu"):
        super().__init__()
        if read not in ("real", "padded"):
            raise ValueError(f'read must be "real" or "padded", not {read!r}')
        self.settings = {"width": width, "read": read, "seed": seed}
        self.device, self.tokenizer = device, None

    def _build(self, vocabulary: Vocabulary) -> None:
        """The layers: only now is the size of the vocabulary known."""
        torch.manual_seed(self.settings["seed"])
        width = self.settings["width"]
        self.tokenizer = WordTokenizer(vocabulary)
        self.embedding = nn.Embedding(len(vocabulary), width)
        self.lstm = nn.LSTM(width, width, num_layers=2, batch_first=True, dropout=0.3)
        self.dense = nn.Linear(width, 1)
        self.to(self.device)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logits (B,) of being positive."""
        x = nn.functional.dropout(self.embedding(ids), 0.3, self.training)  # (B, T, C)
        h, _ = self.lstm(x)  # (B, T, H): the state after each step
        last = lengths - 1 if self.settings["read"] == "real" else torch.full_like(lengths, ids.shape[1] - 1)
        return self.dense(h[torch.arange(len(h), device=h.device), last])[:, 0]

    def fit(
        self,
        texts: list[str],
        labels: list[int],
        epochs: int = 8,
        validation_split: float = 0.1,
        batch_size: int = 32,
        lr: float = 3e-3,
        patience: int = 2,
    ) -> list[dict]:
        """Train; stop after ``patience`` epochs in a row without gain; keep the weights of the best epoch.

        Parameters
        ----------
        texts, labels : lists (N,)
            Label 1 is positive.
        validation_split : float
            The share of the texts, drawn at random, that is kept for validation.

        Returns
        -------
        history : list of dict
            Of each epoch: epoch, loss (nats a text), val_accuracy, cpu_seconds (`run_epochs`).
        """
        rng = np.random.default_rng(self.settings["seed"])
        order = rng.permutation(len(texts))
        held, used = np.split(order, [round(validation_split * len(texts))])
        self._build(Vocabulary.build((w for i in used for w in split_words(texts[i])), min_count=2))
        ids, labels = self._encode(texts), np.asarray(labels)
        optimizer = torch.optim.Adam(self.parameters(), lr)

        def train(epoch):
            return self._epoch([ids[i] for i in used], labels[used], optimizer, batch_size, rng)

        def validate():
            return float(((self._positive([ids[i] for i in held]) > 0.5) == labels[held]).mean())

        return run_epochs(self, train, validate, epochs, patience)

    def _encode(self, texts: list[str]) -> list[list[int]]:
        unknown = self.tokenizer.vocabulary.ids[UNK]
        return [self.tokenizer.encode(text)[: self.MAX_LENGTH] or [unknown] for text in texts]

    def _batch(self, ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Short texts stay short, except for the mistake: it pads every text to the same length."""
        padded, mask = pad(ids, length=None if self.settings["read"] == "real" else self.MAX_LENGTH)
        return torch.from_numpy(padded).to(self.device), torch.from_numpy(mask.sum(1)).to(self.device)

    def _epoch(self, ids, labels, optimizer, batch_size, rng) -> float:
        self.train()
        total = 0.0
        for rows in batches_by_length([len(text) for text in ids], batch_size, rng):
            logits = self(*self._batch([ids[i] for i in rows]))
            target = torch.from_numpy(labels[rows]).to(logits)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, target)
            take_step(loss, optimizer)
            total += loss.item() * len(rows)
        return total / len(ids)

    @torch.no_grad()
    def _positive(self, ids: list[list[int]]) -> np.ndarray:
        self.eval()
        positive = np.zeros(len(ids))
        for rows in batches_by_length([len(text) for text in ids], 128):
            positive[rows] = torch.sigmoid(self(*self._batch([ids[i] for i in rows]))).cpu().numpy()
        return positive

    def predict(self, text: str | list[str]) -> float | np.ndarray:
        """The probability that a text is positive; for a list of texts, an array.

        Raises
        ------
        RuntimeError
            Before `fit` or `load`.
        """
        if self.tokenizer is None:
            raise RuntimeError("fit the model, or load one, before you predict")
        one = isinstance(text, str)
        positive = self._positive(self._encode([text] if one else text))
        return float(positive[0]) if one else positive

    def evaluate(self, texts: list[str], labels: list[int]) -> float:
        """The accuracy on these texts."""
        return float(((self.predict(list(texts)) > 0.5) == np.asarray(labels)).mean())

    def save(self, path: str | Path) -> None:
        """Weights, vocabulary and settings in one safetensors file: plain data, no code."""
        from safetensors.torch import save_file

        tokens = self.tokenizer.vocabulary.tokens
        about = {"settings": json.dumps(self.settings), "tokens": json.dumps(tokens)}
        save_file({name: w.contiguous().cpu() for name, w in self.state_dict().items()}, str(path), about)

    @classmethod
    def load(cls, path: str | Path, device="cpu") -> "LSTMClassifier":
        """Load what `save` wrote."""
        from safetensors import safe_open

        with safe_open(str(path), "pt") as file:
            about = file.metadata()
            model = cls(**json.loads(about["settings"]), device=device)
            model._build(Vocabulary(tuple(json.loads(about["tokens"]))))
            model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        return model
