"""The text of a run: any language, and a clear word when it will not do."""

import numpy as np
import pytest

from fmkit.data import datasets
from fmkit.errors import CorpusError
from fmkit.runs.corpus import read_corpus


def test_the_last_tenth_is_for_validation_and_nothing_is_lost(tmp_path):
    text = "Жили-были дед да баба.\n昔々、あるところに\t👴👵🏽\n" * 30
    path = tmp_path / "сказка.txt"
    path.write_text(text, "utf-8")
    corpus = read_corpus(path, block_size=8)
    assert corpus.name == "сказка.txt"
    assert len(corpus.val) == len(text) // 10
    assert corpus.train.dtype == corpus.val.dtype == np.int64
    ids = [*corpus.train.tolist(), *corpus.val.tolist()]
    assert corpus.tokenizer.decode(ids) == text


def test_a_character_that_training_never_saw_is_unknown(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("ab" * 90 + "z" * 20, "utf-8")
    corpus = read_corpus(path, block_size=8)
    assert corpus.tokenizer.vocabulary.tokens == ("[UNK]", "a", "b")
    assert set(corpus.val.tolist()) == {0}


def test_line_ends_and_byte_order_marks_of_other_systems(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"\xef\xbb\xbf" + b"one\r\ntwo\r\n" * 50)
    b.write_bytes(b"one\ntwo\n" * 50)
    assert read_corpus(a, 8).fingerprint == read_corpus(b, 8).fingerprint
    b.write_bytes(b"one\ntwO\n" * 50)
    assert read_corpus(a, 8).fingerprint != read_corpus(b, 8).fingerprint


@pytest.mark.parametrize(
    "data, says",
    [
        (b"", "has 0 characters; this recipe needs 90 or more"),
        ("héé".encode(), "has 3 characters"),
        (b"x" * 89, "has 89 characters"),
        (b"x" * 300 + b"\xff\xfe", r"is not UTF-8 text \(byte 300\)"),
        ("größer".encode("utf-16"), "is not UTF-8"),
        (None, "cannot read .*No such file"),
    ],
)
def test_a_text_that_will_not_do(tmp_path, data, says):
    path = tmp_path / "x.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CorpusError, match=says):
        read_corpus(path, block_size=8)
    path.write_bytes(b"x" * 90)
    read_corpus(path, block_size=8)


def test_the_plays_by_default(monkeypatch):
    monkeypatch.setattr(datasets, "shakespeare_splits", lambda: ("to be or not", "to be!", "secret"))
    corpus = read_corpus(None, block_size=8)
    assert corpus.name == "Shakespeare"
    assert corpus.tokenizer.decode(corpus.train.tolist()) == "to be or not"
    assert corpus.tokenizer.decode(corpus.val.tolist()) == "to be[UNK]"
