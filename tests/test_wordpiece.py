"""WordPiece against the tokenizer that comes with a real pretrained BERT."""

import pickle

import numpy as np
import pytest
from helpers.texts import ANY_TEXT, FEWER, HOSTILE, SETTLED
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from fmkit import wordpiece
from fmkit.data import datasets
from fmkit.wordpiece import WordPieceTokenizer, longest_match, split_bert

MORE = [
    "ΣΑΣ Σ İstanbul ǅ ﬁ",
    "x" * 100,
    "x" * 101,
    "[MASK] is [SEP]x[UNK] [mask] [[CLS]]",
    "1,000.50$ + 3% = `a`^~|<b>",
    "한국어 ไทย हिन्दी",
    "\u202eabc\u200d\u00ad",
    "don't!?...—–",
]


@pytest.fixture(scope="module")
def ours():
    return WordPieceTokenizer.load(datasets.pretrained_path("minilm"))


@pytest.fixture(scope="module")
def theirs():
    tokenizer = Tokenizer.from_file(str(datasets.pretrained_path("minilm") / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def without_surrogates(text):
    return text.encode("utf-8", "ignore").decode()


def test_all_reviews(ours, theirs):
    texts = [text for text, _ in datasets.reviews()]
    assert len(texts) > 10_000
    assert [ours.encode(text) for text in texts] == [e.ids for e in theirs.encode_batch(texts)]


@pytest.mark.parametrize("text", [*HOSTILE, *MORE])
def test_hostile_strings(ours, theirs, text):
    assert ours.tokenize(text) == theirs.encode(without_surrogates(text), add_special_tokens=False).tokens
    assert ours.encode(text) == theirs.encode(without_surrogates(text)).ids


def test_every_settled_character_between_letters(ours, theirs):
    for start in range(0, len(FEWER), 1000):
        text = " ".join(f"a{c}b {c}" for c in FEWER[start : start + 1000])
        assert ours.encode(text) == theirs.encode(text).ids


@settings(max_examples=300)
@given(
    st.text(st.one_of(st.sampled_from("aeinrst AB,.'-12é你\u0301"), st.sampled_from(SETTLED)), max_size=40)
)
def test_random_text(ours, theirs, text):
    assert ours.encode(text) == theirs.encode(text).ids


@given(ANY_TEXT)
def test_any_text_at_all_gives_ids_of_the_vocabulary(ours, text):
    ids = ours.encode(text)
    assert ids[0] == ours.cls_id and ids[-1] == ours.sep_id
    assert all(0 <= i < ours.vocab_size for i in ids)
    assert isinstance(ours.decode(ids), str)


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from("abcde"), max_size=9),
    st.lists(st.sampled_from("abcde"), max_size=9),
    st.integers(3, 20),
)
def test_truncated_pairs(ours, theirs, first, second, max_length):
    first, second = " ".join(first), " ".join(second)
    theirs.enable_truncation(max_length)
    expected, single = theirs.encode(first, second), theirs.encode(first).ids
    theirs.no_truncation()
    assert ours.encode_pair(first, second, max_length) == (expected.ids, expected.type_ids)
    assert ours.encode(first, max_length) == single


def test_a_batch_is_what_bert_takes(ours, theirs):
    first, second = ["A good film.", "No", ""], ["Really?", "It is long, very long.", "x"]
    theirs.enable_padding()
    expected = theirs.encode_batch(list(zip(first, second, strict=True)))
    expected_single = theirs.encode_batch(first)
    theirs.no_padding()
    ids, mask, segments = ours.encode_batch(first, second)
    np.testing.assert_array_equal(ids, [e.ids for e in expected])
    np.testing.assert_array_equal(mask, [e.attention_mask for e in expected])
    np.testing.assert_array_equal(segments, [e.type_ids for e in expected])
    assert ids.dtype == mask.dtype == segments.dtype == np.int64
    ids, mask, segments = ours.encode_batch(first)
    np.testing.assert_array_equal(ids, [e.ids for e in expected_single])
    assert not segments.any() and mask.sum() == sum(len(ours.encode(text)) for text in first)
    assert ours.encode_batch([])[0].shape == (0, 0)
    assert ours.encode_batch(["a long text " * 50], max_length=16)[0].shape == (1, 16)


def test_no_room_for_the_special_tokens(ours):
    assert ours.encode("a b", max_length=2) == [ours.cls_id, ours.sep_id]
    with pytest.raises(ValueError, match="no room"):
        ours.encode("a", max_length=1)
    with pytest.raises(ValueError, match="no room"):
        ours.encode_pair("a", "b", max_length=2)


def test_decode_is_readable(ours):
    ids, _, _ = ours.encode_batch(["Unbelievably good!", "x"])
    assert ours.decode(ids[0].tolist()) == "unbelievably good !"
    assert ours.decode(ids[1]) == "x"


def test_cased_models_keep_case_and_accents():
    assert split_bert("Crème $1", lowercase=False) == ["Crème", "$", "1"]
    assert split_bert("Crème $1") == ["creme", "$", "1"]


def test_greedy_matching_does_not_go_back():
    assert longest_match("abc", {"a", "ab", "##bc"}) == ["[UNK]"]  # "a", "##bc" would do
    assert longest_match("", {"a"}) == []


def test_a_vocabulary_without_special_tokens_is_refused():
    with pytest.raises(ValueError, match=r"lacks \[UNK\], \[CLS\]"):
        WordPieceTokenizer(["[PAD]", "a"])


def test_vocab_files_with_odd_line_separators(tmp_path):
    tokens = [*wordpiece.SPECIALS, "a", "\u2028", "\x85", "b"]
    (tmp_path / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8", newline="\n")
    assert WordPieceTokenizer.load(tmp_path).vocabulary.tokens == tuple(tokens)
    assert WordPieceTokenizer.load(tmp_path / "vocab.txt").encode("b") == [2, 8, 3]


def test_a_word_of_a_million_characters_and_pickling(ours):
    assert ours.tokenize("x" * 1_000_000) == ["[UNK]"]
    copy = pickle.loads(pickle.dumps(ours))
    assert copy.encode("A copy, unlike no other.") == ours.encode("A copy, unlike no other.")


TOY = [*wordpiece.SPECIALS, "a", "b", "##b"]


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w, t: w.WordPieceTokenizer("[PAD]"), "tokens: expected a list of tokens, got one str"),
        (lambda w, t: t.tokenize(["a"]), "text: expected one str, got a list"),
        (lambda w, t: t.tokenize(b"a"), "text: expected one str, got a bytes"),
        (lambda w, t: t.encode(None), "text: expected one str, got None"),
        (lambda w, t: t.encode_pair("a", ["b"]), "text: expected one str, got a list"),
        (lambda w, t: w.split_bert(["a"]), "text: expected one str, got a list"),
        (lambda w, t: t.encode_batch("ab"), r"texts: expected a list of texts, got one str; \[text\]"),
        (lambda w, t: t.encode_batch(["a"], "b"), "pairs: expected a list of texts, got one str"),
        (
            lambda w, t: t.encode_batch(["a", "b"], ["a"]),
            "pairs: expected as many as there are texts, 2, got 1",
        ),
        (
            lambda w, t: t.encode_batch(["a"], max_length=1.5),
            "max_length: expected a whole number.*, got 1.5",
        ),
        (lambda w, t: t.encode("a", max_length=-1), "max_length: expected a whole number >= 0, got -1"),
        (lambda w, t: t.decode("56"), "ids: expected a list of ids, got one str"),
        (lambda w, t: t.decode([5.0]), "ids: expected whole numbers"),
        (lambda w, t: t.decode(np.array([[5, 6]])), "ids: expected whole numbers, the tokens of one text"),
        (lambda w, t: w.longest_match("ab", "a b ab"), "known: expected a list of pieces, got one str"),
        (lambda w, t: w.longest_match(["ab"], {"a"}), "word: expected one str, got a list"),
    ],
)
def test_what_is_no_text_or_no_list_is_refused(call, message):
    own = wordpiece
    with pytest.raises((TypeError, ValueError), match=message):
        call(own, own.WordPieceTokenizer(TOY))


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b'{"model": {"vocab": {}}}', b"\xff\xfe\x00", b"a\nb\n"])
def test_a_file_that_is_no_vocabulary_is_refused_by_name(data, tmp_path):
    (tmp_path / "vocab.txt").write_bytes(data)
    with pytest.raises(ValueError, match="vocab.txt is not a vocabulary of BERT's, a token a line") as caught:
        WordPieceTokenizer.load(tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        WordPieceTokenizer.load(tmp_path / "none.txt")


def test_the_four_older_characters_on_which_the_tables_disagree(ours, theirs):
    """As the module says. Where a newer library agrees with this Python's table, that sentence may go."""
    four = "\u166d\u1734\u1885\u1886"
    assert [c for c in four if ours.encode(f"a{c}b") != theirs.encode(f"a{c}b").ids] == list(four)
