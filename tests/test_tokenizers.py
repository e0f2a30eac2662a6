"""Characters, words and byte-level BPE, the last against the `tokenizers` library on the same settings."""

import json
import pickle

import pytest
from helpers.texts import ANY_TEXT, FEWER, HOSTILE, SETTLED
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from fmkit import tokenizers
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
