"""Characters, words and byte-level BPE, the last against the `tokenizers` library on the same settings."""

import json
import pickle
import sys
import unicodedata

import numpy as np
import pytest
from helpers.texts import ANY_TEXT, FEWER, HOSTILE, SETTLED
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from fmkit import tokenizers
from fmkit import tokenizers as own_tokenizers
from fmkit.data import datasets
from fmkit.tokenizers import (
    BPETokenizer,
    CharTokenizer,
    Vocabulary,
    WordTokenizer,
    bpe_step,
    split_gpt2,
    split_words,
    train_bpe,
)


def library_bpe(texts, vocab_size):
    """The library's tokenizer and its merges as pairs of ids."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return tokenizer, [(model["vocab"][a], model["vocab"][b]) for a, b in model["merges"]]


def readable(text):
    """The text without half characters; two that belong together are one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.fixture(scope="module")
def hamlet():
    return datasets.shakespeare()["Hamlet"]


@pytest.fixture(scope="module")
def bpe(hamlet):
    return BPETokenizer(train_bpe(hamlet, 1000), specials=("<|endoftext|>",))


# ------------------------------------------------------------------------------ BPE


def test_bpe_equals_the_library_on_a_play(hamlet):
    merges = train_bpe(hamlet, 3000)
    library, library_merges = library_bpe([hamlet], 3000)
    assert len(merges) == 3000 - 256
    assert merges == library_merges
    assert BPETokenizer(merges).encode(hamlet) == library.encode(hamlet).ids


@pytest.mark.slow
def test_bpe_equals_the_library_on_all_of_shakespeare():
    plays = list(datasets.shakespeare().values())
    merges = train_bpe(plays, 2256)
    library, library_merges = library_bpe(plays, 2256)
    assert merges == library_merges
    ours = BPETokenizer(merges)
    for play in plays:
        ids = ours.encode(play)
        assert ids == library.encode(play).ids
        assert ours.decode(ids) == play


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab ", max_size=60), max_size=4), st.text("ab ", max_size=60))
def test_bpe_equals_the_library_where_ties_and_overlaps_abound(corpus, text):
    merges = train_bpe(corpus, 256 + 25)
    library, library_merges = library_bpe(corpus, 256 + 25)
    assert merges == library_merges
    assert BPETokenizer(merges).encode(text) == library.encode(text).ids


def test_the_tie_break():
    """Both pairs of a word occur once. Ids are in GPT-2's order: "b", "c", after them the space."""
    (first, *_), ids = train_bpe("cbc", 258), BPETokenizer([]).encode("bc ")
    b, c, space = ids
    assert b < c < space
    assert first == (b, c)  # not (c, b)
    assert train_bpe("b c", 257) == [(space, c)]  # pieces are "b" and " c": nothing else to merge


@pytest.mark.parametrize("text", HOSTILE)
def test_bpe_gives_hostile_text_back(bpe, text):
    assert bpe.decode(bpe.encode(text)) == readable(text)
    own = BPETokenizer(train_bpe(text, 300))
    assert own.decode(own.encode(text)) == readable(text)


@given(text=ANY_TEXT)
def test_bpe_gives_any_text_back(bpe, text):
    ids = bpe.encode(text)
    assert bpe.decode(ids) == readable(text)
    assert all(0 <= i < bpe.vocab_size for i in ids)
    assert len(ids) <= len(text.encode("utf-8", "surrogatepass"))


@given(text=ANY_TEXT)
def test_bpe_merges_as_the_plain_loop_does(bpe, text):
    """The heap and linked list of `encode` against the definition: merge by merge, from the oldest on."""
    expected = []
    for piece in split_gpt2(readable(text)):
        ids = BPETokenizer([]).encode(piece)
        for i, pair in enumerate(bpe.merges):
            ids = tokenizers.merge_pair(ids, pair, 256 + i)
        expected += ids
    assert bpe.encode(text) == expected


@pytest.mark.slow
def test_bpe_takes_a_word_of_a_million_characters(bpe):
    for word in ["a" * 1_000_000, "the" * 333_333]:
        assert bpe.decode(bpe.encode(word)) == word


@given(st.lists(st.integers(0, 999), max_size=20))
def test_bpe_decodes_whatever_a_model_generates(bpe, ids):
    text = bpe.decode(ids)
    raw = b"".join(bpe.vocab[i] for i in ids)
    assert text == raw.decode("utf-8", "replace")


def test_bytes_of_half_a_character_are_decoded_to_what_can_be_printed():
    tokenizer = BPETokenizer([])
    ids = [tokenizer.vocab.index(bytes([b])) for b in (0xED, 0xA0, 0x80)]
    assert set(tokenizer.decode(ids)) == {"\ufffd"}
    assert tokenizer.decode(ids).encode("utf-8")
    for text, same in [("a\ud83d", "a\ufffd"), ("\ude42\ud83d", "\ufffd\ufffd"), ("\ud83d\ude42", "🙂")]:
        assert tokenizer.encode(text) == tokenizer.encode(same)


def test_bpe_refuses_ids_that_do_not_exist(bpe):
    for i in (-1, bpe.vocab_size):
        with pytest.raises(IndexError, match="in a vocabulary of 1001"):
            bpe.decode([i])


def test_bpe_special_tokens_are_never_read_from_text(bpe):
    (end,) = bpe.special.values()
    assert end == bpe.vocab_size - 1 == 1000
    assert end not in bpe.encode("<|endoftext|>")
    assert bpe.decode([end]) == "<|endoftext|>"


def test_bpe_first_ids_are_those_of_gpt2():
    none = BPETokenizer([])
    assert none.encode("!A\n ") == [0, 32, 198, 220] and none.vocab_size == 256
    assert sorted(none.vocab) == [bytes([b]) for b in range(256)]


def test_bpe_saves_loads_and_pickles(bpe, tmp_path):
    bpe.save(tmp_path / "bpe.json")
    for copy in (BPETokenizer.load(tmp_path / "bpe.json"), pickle.loads(pickle.dumps(bpe))):
        assert copy.vocab == bpe.vocab and copy.special == bpe.special
        assert copy.encode("To be, or not to be") == bpe.encode("To be, or not to be")


def test_bpe_stops_when_nothing_is_left_to_merge():
    assert train_bpe("", 1000) == train_bpe([], 1000) == train_bpe("ab", 256) == train_bpe("ab", 0) == []
    assert len(train_bpe("abab", 1000)) == 2  # ab, abab


def test_texts_are_not_joined_across_their_ends():
    assert train_bpe(["a", "b"], 1000) == []


def test_the_cache_stays_bounded(bpe):
    tokenizer = BPETokenizer(bpe.merges)
    tokenizer.encode(" ".join(map(str, range(70_000))))
    assert len(tokenizer._cache) <= 65536
    assert tokenizer.decode(tokenizer.encode(" 69999")) == " 69999"


def test_bpe_step_by_step_on_a_toy_corpus():
    words, pairs = {tuple("low"): 5, tuple("lower"): 2, tuple("newest"): 6, tuple("widest"): 3}, []
    for _ in range(4):
        pair, words = bpe_step(words)
        pairs.append(pair)
    assert pairs == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]
    assert words[("n", "e", "w", "est")] == 6 and words[("low", "e", "r")] == 2
    with pytest.raises(ValueError, match="nothing left"):
        bpe_step({("low",): 3})


def test_bpe_step_agrees_with_training():
    """For letters "first in Unicode order" and "smallest id" are the same tie-break at the first step."""
    corpus = ["banana", "bandana", "cabana"]
    pair, _ = bpe_step({tuple(word): 1 for word in corpus})
    (learned,) = train_bpe(corpus, 257)
    vocab = BPETokenizer([]).vocab
    assert (vocab[learned[0]] + vocab[learned[1]]).decode() == "".join(pair)


# ------------------------------------------------------------------------------ splitting


def library_pieces(text):
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    return [text[start:end] for _, (start, end) in pieces]


def test_split_equals_the_library_for_every_settled_character():
    assert len(FEWER) > 10_000
    for start in range(0, len(FEWER), 1000):
        text = "".join(f"a{c}1{c}!{c} {c}{c}\n" for c in FEWER[start : start + 1000])
        assert split_gpt2(text) == library_pieces(text)


@settings(max_examples=300)
@given(st.text(st.one_of(st.sampled_from("ab1 \n\t'_-.sltvedm½é²"), st.sampled_from(SETTLED)), max_size=40))
def test_split_equals_the_library(text):
    assert split_gpt2(text) == library_pieces(text)


@given(ANY_TEXT)
def test_split_loses_nothing(text):
    assert "".join(split_gpt2(text)) == text


# ------------------------------------------------------------------------------ characters and words


@given(ANY_TEXT)
def test_characters_give_any_text_back(text):
    tokenizer = CharTokenizer.train(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.vocab_size == len(set(text))


def test_characters_without_and_with_an_unknown_token():
    with pytest.raises(ValueError, match="'z' is not in the vocabulary"):
        CharTokenizer.train("abc").encode("abz")
    tokenizer = CharTokenizer.train("abc", specials=("[PAD]", "[UNK]"))
    assert tokenizer.encode("abz") == [2, 3, 1]
    assert tokenizer.decode([2, 1]) == "a[UNK]"
    with pytest.raises(IndexError):
        tokenizer.decode([-1])


def test_words():
    tokenizer = WordTokenizer.train(["The cat sat.", "the DOG sat!"], min_count=2)
    assert tokenizer.vocabulary.tokens == ("[PAD]", "[UNK]", "sat", "the")
    assert tokenizer.encode("The mouse sat") == [3, 1, 2]
    assert tokenizer.encode("") == [] and tokenizer.decode([]) == ""


@given(ANY_TEXT)
def test_words_lose_only_spaces_and_case(text):
    assert "".join(split_words(text)) == "".join(text.lower().split())


def test_vocabulary_order_and_limits():
    build = Vocabulary.build
    assert build(["b", "a", "b", "c", "a"], specials=()).tokens == ("a", "b", "c")
    assert build(["b", "a", "b", "c"], specials=("[UNK]",), max_size=2).tokens == ("[UNK]", "b")
    assert build(["[UNK]", "x"], specials=("[UNK]",)).tokens == ("[UNK]", "x")
    assert len(build([])) == 2


# ------------------------------------------------------------------------------ special tokens inside a text

SPECIALS = ("<|end|>", "<|end|><|end|>", "<|", " x", "'re", "🙂")
TRICKY = st.text(st.sampled_from("ab<|end> '\nrevl1é_🙂\u3000\ud83d\ude42"), max_size=60)
PARTS = st.lists(
    st.one_of(TRICKY, st.sampled_from([*SPECIALS, "<|end", "|>", "'r", "e", " ", ""])), max_size=12
)


def encode_by_hand(tokenizer, text, names):
    """Character by character: the longest special token that begins here, else plain text."""
    text, ids, plain = readable(text), [], ""
    while text:
        here = max((name for name in names if text.startswith(name)), key=len, default=None)
        if here is None:
            plain, text = plain + text[0], text[1:]
        else:
            ids += [*tokenizer.encode(plain), tokenizer.special[here]]
            plain, text = "", text[len(here) :]
    return ids + tokenizer.encode(plain)


@pytest.fixture(scope="module")
def marked():
    return BPETokenizer(train_bpe("banana <|end|> bandana're're 'r e  \n\n  éé 🙂🙂", 300), specials=SPECIALS)


@settings(max_examples=300)
@given(parts=PARTS, names=st.sets(st.sampled_from(SPECIALS)))
def test_special_tokens_are_read_where_they_are_allowed(marked, parts, names):
    text = "".join(parts)
    assert marked.encode(text, allowed_special=names) == encode_by_hand(marked, text, names)
    assert marked.encode(text, allowed_special="all") == encode_by_hand(marked, text, SPECIALS)
    assert marked.decode(marked.encode(text, allowed_special="all")) == readable(text)
    assert not set(marked.encode(text)) & set(marked.special.values())


def test_the_longest_special_token_wins(marked):
    one, two, short, *_ = marked.special.values()
    assert marked.encode("<|end|><|end|><|end|><|", allowed_special="all") == [two, one, short]
    assert marked.encode("<|end|><|end|>", allowed_special=["<|end|>"]) == [one, one]


@settings(max_examples=500)
@given(parts=PARTS, names=st.sets(st.sampled_from(SPECIALS)), read=st.sampled_from([1, 5, 20]))
def test_a_text_in_parts_has_the_ids_of_the_whole(marked, parts, names, read):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizers, "_READ", read)  # so that nearly every part ends a reading
        assert list(marked.encode_iterable(parts, names)) == marked.encode("".join(parts), names)
        assert list(marked.encode_iterable("".join(parts), names)) == marked.encode("".join(parts), names)


@pytest.mark.slow
def test_a_file_is_encoded_without_being_in_memory(bpe, hamlet, tmp_path):
    (tmp_path / "play.txt").write_text(hamlet * 3, encoding="utf-8")
    with open(tmp_path / "play.txt", encoding="utf-8", newline="") as file:
        assert list(bpe.encode_iterable(file)) == bpe.encode(hamlet * 3)
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield "a line of many\n"

    stream = bpe.encode_iterable(endless())
    assert [next(stream) for _ in range(1000)] == bpe.encode("a line of many\n" * 1000)[:1000]
    assert taken < 10_000


def test_one_endless_word_is_not_split_again_and_again(bpe):
    parts = ["x" * 1000] * 1000
    assert list(bpe.encode_iterable(parts)) == bpe.encode("x" * 1_000_000)


# ------------------------------------------------------------------------------ files and Unicode tables


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "null",
        '"text"',
        "{}",
        '{"a": 1}',
        '{"type": "byte-level BPE"}',
        '{"type": "byte-level BPE", "merges": [[75, 78]]}',
        '{"type": "another", "merges": [], "specials": []}',
        '{"type": "byte-level BPE", "merges": 5, "specials": []}',
        '{"type": "byte-level BPE", "merges": {}, "specials": []}',
        '{"type": "byte-level BPE", "merges": ["ab"], "specials": []}',
        '{"type": "byte-level BPE", "merges": [[1, 2, 3]], "specials": []}',
        '{"type": "byte-level BPE", "merges": [[1.5, 2]], "specials": []}',
        '{"type": "byte-level BPE", "merges": [[-1, 2]], "specials": []}',
        '{"type": "byte-level BPE", "merges": [[256, 2]], "specials": []}',
        '{"type": "byte-level BPE", "merges": [null], "specials": []}',
        '{"type": "byte-level BPE", "merges": [], "specials": "<|end|>"}',
        '{"type": "byte-level BPE", "merges": [], "specials": [5]}',
        '{"type": "byte-level BPE", "merges": [], "specials": [], "unicode": 14}',
        '{"type": "byte-level BPE", "merges": [], "specials": [], "unicode": {"version": "9"}}',
        '{"type": "byte-level BPE", "merges": [], "specials": [], "unicode": {"version": "9", '
        '"letters": ["a", "b"], "numbers": []}}',
        '{"type": "byte-level BPE", "merges": [], "specials": [], "unicode": {"version": "9", '
        '"letters": [65], "numbers": []}}',
        '{"type": "byte-level BPE", "merges": [], "specials": [], "unicode": {"version": "9", '
        '"letters": [65, 1114112], "numbers": [48, 57]}}',
        '{"type": "byte-level BPE", "merges": [[75, 7',
        '{"version": "1.0", "model": {"type": "BPE", "vocab": {}, "merges": []}}',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_tokenizer_is_refused_in_one_line(text, tmp_path):
    path = tmp_path / "bpe.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"bpe.json is not a tokenizer that BPETokenizer.save wrote"
    ) as caught:
        own_tokenizers.BPETokenizer.load(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_bytes_that_are_no_text_are_refused_and_a_missing_file_is_named(tmp_path):
    (tmp_path / "bpe.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not a tokenizer"):
        BPETokenizer.load(tmp_path / "bpe.json")
    with pytest.raises(FileNotFoundError, match="none.json"):
        BPETokenizer.load(tmp_path / "none.json")


@pytest.mark.slow  # all of Unicode
def test_a_saved_tokenizer_cuts_alike_under_another_python(bpe, tmp_path, monkeypatch):
    bpe.save(tmp_path / "bpe.json")
    monkeypatch.setattr(unicodedata, "unidata_version", "99.0.0")
    there = BPETokenizer.load(tmp_path / "bpe.json")
    assert there.table["version"] != "99.0.0"
    for start in range(0, sys.maxunicode + 1, 4096):
        text = "".join(f"a{chr(c)}1{chr(c)}! {chr(c)}{chr(c)}\n" for c in range(start, start + 4096))
        assert there._pieces(text) == split_gpt2(text)
    there.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "bpe.json").read_bytes()
    assert pickle.loads(pickle.dumps(there)).encode("naïve ½") == bpe.encode("naïve ½")


def test_letters_that_the_table_of_a_file_does_not_know_stay_signs(tmp_path):
    """As if the file came from a Python that knew neither é nor ½, but knew U+0378 for a letter."""
    merges = train_bpe("é! é! é!", 259)
    BPETokenizer(merges).save(tmp_path / "bpe.json")
    data = json.loads((tmp_path / "bpe.json").read_text())
    assert data["unicode"]["version"] == unicodedata.unidata_version
    data["unicode"] = {"version": "1.0", "letters": [65, 90, 97, 122, 0x378, 0x378], "numbers": [48, 57]}
    (tmp_path / "bpe.json").write_text(json.dumps(data))
    tokenizer = BPETokenizer.load(tmp_path / "bpe.json")
    assert tokenizer._pieces("né!½ a\u0378b 12_") == ["n", "é!½", " a\u0378b", " 12", "_"]
    assert tokenizer.decode(tokenizer.encode("né!½ a\u0378b 12_")) == "né!½ a\u0378b 12_"


def test_files_of_the_first_version_are_read(bpe, tmp_path):
    data = {"type": "byte-level BPE", "merges": bpe.merges, "specials": list(bpe.special)}
    (tmp_path / "bpe.json").write_text(json.dumps(data))
    assert BPETokenizer.load(tmp_path / "bpe.json").encode("To be, é½") == bpe.encode("To be, é½")


# ------------------------------------------------------------------------------ refusals


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.WordTokenizer.train("to be"), r"texts: expected a list of texts, got one str; \[text\]"),
        (lambda t: t.WordTokenizer.train(None), "texts: expected a list of texts, got None"),
        (lambda t: t.WordTokenizer.train([b"to be"]), "text: expected one str, got a bytes"),
        (lambda t: t.Vocabulary("abc"), "tokens: expected a list of tokens, got one str"),
        (lambda t: t.Vocabulary.build("to be"), "tokens: expected a list of tokens, got one str"),
        (
            lambda t: t.Vocabulary.build(["a"], specials="[PAD]"),
            "specials: expected a list of special tokens",
        ),
        (
            lambda t: t.Vocabulary.build(["a"], max_size=-1),
            "max_size .*: expected a whole number >= 2, got -1",
        ),
        (lambda t: t.Vocabulary.build(["a"], max_size=1), "max_size .*: expected a whole number >= 2, got 1"),
        (
            lambda t: t.Vocabulary.build(["a"], max_size=2.5),
            "max_size .*: expected a whole number.*, got 2.5",
        ),
        (
            lambda t: t.Vocabulary.build(["a"], min_count=-1),
            "min_count: expected a whole number >= 0, got -1",
        ),
        (
            lambda t: t.WordTokenizer.train(["a"], max_size=0),
            "max_size .*: expected a whole number >= 2, got 0",
        ),
        (lambda t: t.Vocabulary(("a",)).encode("a"), "tokens: expected a list of tokens, got one str"),
        (lambda t: t.Vocabulary(("a",)).decode("0"), "ids: expected a list of ids, got one str"),
        (lambda t: t.Vocabulary(("a",)).decode([0.0]), r"ids: expected whole numbers, .* got \[0.0\]"),
        (lambda t: t.Vocabulary(("a",)).decode([[0]]), r"ids: expected whole numbers, .* got \[\[0\]\]"),
        (lambda t: t.Vocabulary(("a",)).decode(0), "ids: expected a list of ids, got 0"),
        (lambda t: t.CharTokenizer.train(["to", "be"]), "text: expected one str, got a list"),
        (
            lambda t: t.CharTokenizer.train("abc", specials="[PAD]"),
            "specials: expected a list of special tokens",
        ),
        (lambda t: t.CharTokenizer("abc"), "expected a Vocabulary, got a str; train makes one"),
        (lambda t: t.WordTokenizer(["a"]), "expected a Vocabulary, got a list; train makes one"),
        (lambda t: t.CharTokenizer.train("abc").encode(["a"]), "text: expected one str, got a list"),
        (lambda t: t.WordTokenizer.train(["a"]).encode(["a"]), "text: expected one str, got a list"),
        (lambda t: t.split_words(["a"]), "text: expected one str, got a list"),
        (lambda t: t.split_gpt2(["a"]), "text: expected one str, got a list"),
        (lambda t: t.train_bpe([b"ab"], 300), "each of the texts: expected one str, got a bytes"),
        (lambda t: t.train_bpe(b"ab", 300), "texts: expected a list of texts, got one bytes"),
        (lambda t: t.train_bpe(5, 300), "texts: expected a list of texts, got 5"),
        (lambda t: t.train_bpe("ab", -1), "vocab_size: expected a whole number >= 0, got -1"),
        (lambda t: t.train_bpe("ab", 300.5), "vocab_size: expected a whole number"),
        (lambda t: t.bpe_step([("a", "b")]), "words: expected a dict, .* got a list"),
        (lambda t: t.merge_pair("aab", ("a",), "x"), r"pair: expected two tokens, got \('a',\)"),
        (lambda t: t.merge_pair("aab", ("a", "a", "b"), "x"), "pair: expected two tokens"),
        (lambda t: t.BPETokenizer([(-1, 1)]), r"merge 0, \(-1, 1\): both tokens must be from 0 to 255"),
        (lambda t: t.BPETokenizer([(0, 256)]), r"merge 0, \(0, 256\): both tokens must be from 0 to 255"),
        (lambda t: t.BPETokenizer([(0, 1), (256, 257)]), r"merge 1, \(256, 257\): .* from 0 to 256"),
        (lambda t: t.BPETokenizer([(0, 1), (0, 1)]), "comes twice"),
        (lambda t: t.BPETokenizer([(0.5, 1)]), r"merges: expected pairs of ids, got \(0.5, 1\)"),
        (lambda t: t.BPETokenizer([(0, 1, 2)]), "merges: expected pairs of ids"),
        (lambda t: t.BPETokenizer(["ab"]), "merges: expected pairs of ids, got 'ab'"),
        (lambda t: t.BPETokenizer([5]), "merges: expected pairs of ids, got 5"),
        (lambda t: t.BPETokenizer([], "<|end|>"), "specials: expected a list of special tokens, got one str"),
        (lambda t: t.BPETokenizer([], ["<|end|>"] * 2), "comes twice"),
        (lambda t: t.BPETokenizer([], [""]), "'' cannot be a special token"),
        (lambda t: t.BPETokenizer([], ["\ud83d"]), "cannot be a special token"),
        (lambda t: t.BPETokenizer([], [5]), "each special token: expected one str, got an int"),
        (lambda t: t.BPETokenizer([]).encode(["a"]), "text: expected one str, got a list"),
        (lambda t: t.BPETokenizer([]).encode(b"a"), "text: expected one str, got a bytes"),
        (
            lambda t: t.BPETokenizer([]).encode("a", "<|end|>"),
            "allowed_special, unless 'all': expected a list",
        ),
        (lambda t: t.BPETokenizer([]).encode("a", ["<|end|>"]), r"'<\|end\|>' is not one of \[\]"),
        (lambda t: t.BPETokenizer([]).decode("12"), "ids: expected a list of ids, got one str"),
        (lambda t: t.BPETokenizer([]).decode([1.5]), "ids: expected whole numbers"),
        (lambda t: t.BPETokenizer([]).decode([[1]]), "ids: expected whole numbers"),
        (lambda t: t.BPETokenizer([]).encode_iterable(5), "texts: expected the parts of a text, got an int"),
        (
            lambda t: t.BPETokenizer([]).encode_iterable(b"a"),
            "texts: expected the parts of a text, got a bytes",
        ),
        (
            lambda t: list(t.BPETokenizer([]).encode_iterable([b"a"])),
            "each part of the text: expected one str",
        ),
        (lambda t: t.BPETokenizer([]).encode_iterable(["a"], ["x"]), "'x' is not one of"),
    ],
)
def test_what_is_no_text_or_no_list_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(own_tokenizers)


def test_limits_that_just_hold_are_taken():
    assert Vocabulary.build(["a", "b"], max_size=2).tokens == ("[PAD]", "[UNK]")
    assert Vocabulary.build(["a", "b"], specials=(), max_size=0).tokens == ()
    assert Vocabulary.build(["a"], min_count=0).tokens == ("[PAD]", "[UNK]", "a")
    assert BPETokenizer([(0, 1), (256, 256)]).merges == [(0, 1), (256, 256)]
    assert BPETokenizer([]).decode(np.array([0, 1])) == '!"'
