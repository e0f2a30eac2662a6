"""What the reference refuses, in words that name the argument; and numbers at the edge that it gets right."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit import (
    activations,
    adapters,
    attention,
    batching,
    bert,
    decoding,
    folded,
    generation,
    images,
    layers,
    llama,
    losses,
    metrics,
    ngram,
    optimizers,
    params,
    text,
    tokenizers,
    training,
    transformer,
    wordpiece,
)

pytestmark = [
    pytest.mark.usefixtures("as_a_learner"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),  # NaN and what is too large are meant
]


def rng():
    return np.random.default_rng(0)


def array(*shape):
    return rng().standard_normal(shape).astype(np.float32)


GPT = transformer.Config(7, 8, 1, 2, 8, 16)
BERT = bert.BertConfig(7, 8, 1, 2, 8, 16)
LLAMA = llama.LlamaConfig(vocab_size=7, block_size=8, n_layers=1, n_heads=2, n_kv_heads=1, d_model=8, d_ff=16)
GPT_PARAMS, LLAMA_PARAMS = transformer.init_gpt(rng(), GPT), llama.init_llama(rng(), LLAMA)
BERT_PARAMS = bert.init_bert(rng(), BERT, mlm=True, n_classes=3)
IDS, ONE_ID, MASK = np.array([[3, 1, 4]]), np.array([[1]]), np.ones((1, 3), int)
X, W, ONES = array(2, 3), array(3), np.ones(3, np.float32)
LARGE = np.array([[-1e30, 0.0, 1e30]], np.float32)
ATTENTION = {"wqkv": array(8, 24), "wo": array(8, 8)}
GAINS = {"q_norm": np.ones(4, np.float32), "k_norm": np.ones(4, np.float32)}
KEYS = np.zeros((1, 1, 2, 8, 4), np.float32)
SIGMOID_CACHE = activations.sigmoid(X)[1]
IMAGE, LOGITS = np.ones((4, 5)), np.array([1.0, 2.0, 0.5])
VOCABULARY = tokenizers.Vocabulary(("[PAD]", "[UNK]", "a", "b"))

REFUSED = [
    (lambda: activations.leaky_relu(X, slope="0.1"), "slope: expected a finite number, got '0.1'"),
    (lambda: activations.leaky_relu(X, slope=np.nan), "slope: expected a finite number, got nan"),
    (
        lambda: activations.leaky_relu(X, slope=np.array([0.1, 0.2, 0.3])),
        "slope: expected a finite number, got array([0.1, 0.2, 0.3])",
    ),
    (
        lambda: activations.silu_backward(array(2, 3), SIGMOID_CACHE),
        "cache: expected the one of silu, got an array; a backward takes (dout, cache)",
    ),
    (lambda: activations.softmax(X, axis="rows"), "axis: expected a whole number, got 'rows'"),
    (lambda: activations.softmax(X, axis=1.0), "axis: expected a whole number, got 1.0"),
    (lambda: activations.softmax(X, axis=(0, 1)), "axis: expected a whole number, got (0, 1)"),
    (lambda: activations.softmax(X, axis=None), "axis: expected a whole number, got None"),
    (
        lambda: activations.softmax_backward(X, X),
        "cache: expected the one of softmax, got an array; a backward takes (dout, cache)",
    ),
    (
        lambda: losses.binary_cross_entropy(LOGITS, np.array([0.0, np.nan, 1.0])),
        "targets: expected 0 to 1, got nan to nan",
    ),
    (
        lambda: losses.cross_entropy(X, np.array([0, 1]), label_smoothing="0.1"),
        "label_smoothing: expected a number >= 0 and <= 1, got '0.1'",
    ),
    (
        lambda: losses.cross_entropy(X, np.array([0, 1]), ignore_index=None),
        "ignore_index: expected a whole number, got None",
    ),
    (
        lambda: losses.cross_entropy(X, np.array([0, 1]), ignore_index=0.5),
        "ignore_index: expected a whole number, got 0.5",
    ),
    (
        lambda: losses.cross_entropy_backward(1.0, X),
        "cache: expected the one of cross_entropy, got an array; a backward takes (dout, cache)",
    ),
    (
        lambda: losses.kl_divergence(np.log(np.full((1, 2), 0.5)), np.array([[np.nan, 0.5]])),
        "p: expected probabilities, 0 to 1, got nan to nan",
    ),
    (lambda: layers.linear(X, array(3, 4).astype(complex)), "w: expected float32 or float64, got complex128"),
    (lambda: layers.linear(X, array(3, 4).astype(str)), "w: expected float32 or float64, got <U32"),
    (
        lambda: layers.mean_pool_backward(
            array(1, 9), layers.mean_pool(array(1, 2, 3), np.array([[1, 1]]))[1]
        ),
        "dout: expected (B, C) = (1, 3), got (1, 9)",
    ),
    (lambda: attention.causal_mask(3.0), "T: expected a whole number >= 0, got 3.0"),
    (lambda: attention.causal_mask("3"), "T: expected a whole number >= 0, got '3'"),
    (lambda: attention.causal_mask(3, "floaty"), "dtype: expected float32 or float64, got 'floaty'"),
    (lambda: attention.split_heads(array(1, 2, 8), 2.0), "n_heads: expected a whole number >= 1, got 2.0"),
    (lambda: attention.split_heads(array(1, 2, 8), "2"), "n_heads: expected a whole number >= 1, got '2'"),
    (
        lambda: attention.attention(
            array(1, 2, 2, 4), array(1, 2, 2, 4), array(1, 2, 2, 4), np.array([[0.0, np.nan], [0, 0]])
        ),
        "mask: expected 0 to look and -inf to hide, got nan",
    ),
    (
        lambda: attention.attention(
            array(1, 2, 2, 4), array(1, 2, 2, 4), array(1, 2, 2, 4), np.array([[0.0, np.inf], [0, 0]])
        ),
        "mask: expected 0 to look and -inf to hide, got inf",
    ),
    (
        lambda: attention.multihead_attention(array(1, 2, 8), ATTENTION, 2.0),
        "n_heads: expected a whole number >= 1, got 2.0",
    ),
    (
        lambda: attention.multihead_attention(array(1, 2, 8), ATTENTION, 2, 2.0),
        "n_kv_heads: expected a whole number >= 1, got 2.0",
    ),
    (
        lambda: attention.multihead_attention(array(1, 2, 8), [ATTENTION], 2),
        "p: expected a dict of arrays, got a list",
    ),
    (
        lambda: attention.multihead_attention(array(1, 2, 8), ATTENTION, 2, rope=3.0),
        "rope: expected the pair (cos, sin) of rope_tables, got a float",
    ),
    (lambda: transformer.gpt(None, IDS, GPT), "params: expected a GPT's, as init_gpt makes them, got None"),
    (
        lambda: transformer.gpt(LLAMA_PARAMS, IDS, GPT),
        "params: expected a GPT's, as init_gpt makes them, got a dict of wte, blocks, norm",
    ),
    (lambda: transformer.gpt(GPT_PARAMS, IDS, None), "config: expected a Config, got None"),
    (lambda: transformer.gpt(GPT_PARAMS, IDS, LLAMA), "config: expected a Config, got a LlamaConfig"),
    (lambda: transformer.init_gpt(rng(), LLAMA), "config: expected a Config, got a LlamaConfig"),
    (lambda: transformer.init_block(rng(), {"d_model": 8}), "config: expected a Config, got a dict"),
    (
        lambda: next(training.batches(np.arange(9), 2, 3.0, rng())),
        "block_size: expected a whole number >= 1, got 3.0",
    ),
    (
        lambda: next(training.batches(np.arange(9), "2", 3, rng())),
        "batch_size: expected a whole number >= 1, got '2'",
    ),
    (
        lambda: next(training.batches(-np.arange(9), 2, 3, rng())),
        "tokens: expected 0 or more, got -8 among them",
    ),
    (
        lambda: training.train_step(GPT_PARAMS, None, IDS, IDS, GPT, lr="0.1"),
        "lr: expected a number >= 0, got '0.1'",
    ),
    (lambda: optimizers.momentum(W, W, None, lr="1"), "lr: expected a number >= 0, got '1'"),
    (lambda: optimizers.nesterov(W, W, beta="0.9"), "beta: expected a number >= 0 and < 1, got '0.9'"),
    (
        lambda: optimizers.adam(W, W, {"m": W, "v": W * W, "t": -1}),
        "state['t']: expected a whole number >= 1, got -1",
    ),
    (
        lambda: optimizers.adam(W, W, {"m": W, "v": W * W, "t": "1"}),
        "state['t']: expected a whole number >= 1, got '1'",
    ),
    (lambda: optimizers.adam(W, W, lr=np.inf), "lr: expected a finite number >= 0, got inf"),
    (
        lambda: optimizers.adam(W, W, betas=("0.9", "0.99")),
        "betas: expected a number >= 0 and < 1, got '0.9'",
    ),
    (lambda: optimizers.adamw(W, W, weight_decay="0"), "weight_decay: expected a number >= 0, got '0'"),
    (lambda: optimizers.sgd(W, W, lr=None), "lr: expected a number >= 0, got None"),
    (lambda: optimizers.sgd(W, W, lr=np.array([0.1, 0.2, 0.3])), "lr: expected a number >= 0, got array("),
    (lambda: optimizers.warmup_cosine("1", 2, 3), "step: expected a whole number >= 0, got '1'"),
    (lambda: optimizers.warmup_cosine(1, 2, 3, floor="0"), "floor: expected a number >= 0 and <= 1, got '0'"),
    (lambda: optimizers.warmup_cosine(1, None, 3), "warmup: expected a whole number >= 0, got None"),
    (
        lambda: optimizers.warmup_cosine(np.array([1, 2]), 2, 3),
        "step: expected a whole number >= 0, got array(",
    ),
    (lambda: optimizers.warmup_constant_decay(1, 2, "4", 8), "decay: expected a whole number >= 0, got '4'"),
    (lambda: params.flatten(3), "params: expected a dict (or list) of arrays, got an int"),
    (lambda: params.flatten("wte"), "params: expected a dict (or list) of arrays, got a str"),
    (lambda: params.count({"w": 3.0}), "w: expected an array, got a float"),
    (lambda: params.count(np.zeros(3)), "params: expected a dict (or list) of arrays, got an array"),
    (lambda: params.count({"w": "abc"}), "w: expected an array, got a str"),
    (
        lambda: metrics.confusion_matrix(np.array([0, 1]), np.array([0, 1]), n_classes="2"),
        "n_classes: expected a whole number >= 0, got '2'",
    ),
    (
        lambda: metrics.confusion_matrix(np.array([0, 1]), np.array([0, 1]), 2.0),
        "n_classes: expected a whole number >= 0, got 2.0",
    ),
    (lambda: metrics.bits_per_character("1"), "nats: expected one number, got a str"),
    (lambda: metrics.bits_per_character(1.0, "2"), "tokens_per_character: expected a number > 0, got '2'"),
    (
        lambda: metrics.bits_per_character(1.0, np.inf),
        "tokens_per_character: expected a finite number > 0, got inf",
    ),
    (lambda: batching.truncate([1, 2], "3"), "max_length: expected a whole number >= 0, got '3'"),
    (lambda: batching.truncate([1, 2], 1.0), "max_length: expected a whole number >= 0, got 1.0"),
    (lambda: batching.truncate(5, 1), "ids: expected a list of ids, got 5"),
    (
        lambda: batching.truncate([1, 2.5], 2),
        "ids: expected whole numbers, the ids of one text, got 2.5 among them",
    ),
    (lambda: batching.truncate_pair([1], [2], None), "max_length: expected a whole number >= 0, got None"),
    (lambda: batching.truncate_pair([1], None, 3), "second: expected a list of ids, got None"),
    (lambda: batching.pad(3), "sequences: expected a list of sequences, got 3"),
    (lambda: batching.pad([[1]], length="3"), "length: expected a whole number >= 0, got '3'"),
    (lambda: batching.pad([[1]], length=3.0), "length: expected a whole number >= 0, got 3.0"),
    (lambda: batching.pad([[1]], length=-1), "length: expected a whole number >= 0, got -1"),
    (lambda: batching.pad([[1]], value=[0, 1]), "value: expected a whole number, got [0, 1]"),
    (lambda: batching.batches_by_length([1, 2], 1.5), "batch_size: expected a whole number >= 1, got 1.5"),
    (lambda: batching.batches_by_length([1, -2], 1), "lengths: expected 0 or more, got -2 among them"),
    (
        lambda: batching.batches_by_length([1, 2], 1, rng=0),
        "rng: expected a numpy.random.Generator, got 0; np.random.default_rng(0) is one",
    ),
    (lambda: images.rotate(IMAGE, "90"), "degrees: expected a finite number, got '90'"),
    (lambda: images.rotate(IMAGE, 90, fill="white"), "fill: expected a finite number, got 'white'"),
    (lambda: images.rotate(IMAGE, 90, fill=None), "fill: expected a finite number, got None"),
    (lambda: images.scale(IMAGE, "2"), "factor: expected a number > 0, got '2'"),
    (lambda: images.scale(IMAGE, np.inf), "factor: expected a finite number > 0, got inf"),
    (
        lambda: images.bilinear(IMAGE, np.array([[np.nan]]), np.array([[0.0]])),
        "rows: expected numbers, got NaN among them",
    ),
    (lambda: images.crop(IMAGE, 0.0, 0, 2, 2), "top: expected a whole number, got 0.0"),
    (lambda: images.crop(IMAGE, 0, 0, 2.5, 2), "height: expected a whole number, got 2.5"),
    (lambda: images.crop(IMAGE, "0", 0, 2, 2), "top: expected a whole number, got '0'"),
    (lambda: images.random_crop(IMAGE, 2.0, 2, rng()), "height: expected a whole number, got 2.0"),
    (lambda: images.add_noise(IMAGE, "0.1", rng()), "std: expected a number >= 0, got '0.1'"),
    (lambda: images.add_noise(IMAGE, np.inf, rng()), "std: expected a finite number >= 0, got inf"),
    (lambda: images.augment(IMAGE, rng(), degrees="10"), "degrees: expected a number >= 0, got '10'"),
    (lambda: images.augment(IMAGE, rng(), degrees=np.inf), "degrees: expected a finite number >= 0, got inf"),
    (lambda: images.augment(IMAGE, rng(), zoom=None), "zoom: expected a number >= 0, got None"),
    (lambda: ngram.fit(np.array([0, 1, 2]), 2.0, 3), "order: expected a whole number >= 1, got 2.0"),
    (lambda: ngram.fit(np.array([0, 1, 2]), "2", 3), "order: expected a whole number >= 1, got '2'"),
    (lambda: ngram.fit(np.array([0, 1, 2]), 2, 3.0), "vocab_size: expected a whole number >= 1, got 3.0"),
    (lambda: ngram.fit(np.array([0, 1, 2]), 2, None), "vocab_size: expected a whole number >= 1, got None"),
    (lambda: ngram.best_discounts(np.array([-1, 2])), "counts: expected 0 or more, got -1 among them"),
    (lambda: ngram.probabilities(None, np.array([0])), "model: expected a NGram, got None"),
    (lambda: tokenizers.Vocabulary.build([1, 2]), "tokens, each of them: expected one str, got an int"),
    (lambda: tokenizers.Vocabulary((1, "a")), "tokens, each of them: expected one str, got an int"),
    (lambda: VOCABULARY.encode([["a"]]), "tokens, each of them: expected one str, got a list"),
    (
        lambda: tokenizers.CharTokenizer.train("ab", specials=("a",)),
        "tokens: expected each once, got 'a' twice",
    ),
    (lambda: tokenizers.bpe_step({"low": "5"}), "words['low']: expected a whole number >= 0, got '5'"),
    (lambda: tokenizers.bpe_step({5: 1}), "words: expected tuples of tokens, got 5 among them"),
    (
        lambda: tokenizers.bpe_step({("l", "o"): -1}),
        "words[('l', 'o')]: expected a whole number >= 0, got -1",
    ),
    (lambda: tokenizers.merge_pair("aab", 5, "x"), "pair: expected two tokens, got 5"),
    (lambda: tokenizers.merge_pair(5, ("a", "b"), "x"), "tokens: expected a list of tokens, got 5"),
    (lambda: tokenizers.BPETokenizer(None), "merges: expected a list of pairs of ids, got None"),
    (
        lambda: wordpiece.longest_match("a", {"a"}, max_chars="5"),
        "max_chars: expected a whole number >= 0, got '5'",
    ),
    (
        lambda: wordpiece.WordPieceTokenizer([*wordpiece.SPECIALS, 5]),
        "tokens, each of them: expected one str, got an int",
    ),
    (lambda: text.normalize("a", form=None), 'form: expected "NFC" or "NFKC" (or "NFD", "NFKD"), got None'),
    (lambda: text.minhash([1, 2]), "items, each of them: expected one str, got an int"),
    (
        lambda: text.split_by_group(["a"], ("0.5", "0.5"), rng()),
        "fractions: expected a number >= 0, got '0.5'",
    ),
    (lambda: text.split_by_hash(["a"], (0.5, 0.5), salt=5), "salt: expected one str, got an int"),
    (lambda: text.replace_synonyms(["a"], ["a"], 0.5, rng()), "table: expected a dict, got a list"),
    (
        lambda: text.inverse_document_frequency(np.array([[-1, np.nan]])),
        "counts: expected 0 or more, got nan among them",
    ),
    (lambda: text.tfidf(np.array([["a"]]), np.ones(1)), "counts: expected float32 or float64, got <U1"),
    (lambda: generation.ban_ngrams(LOGITS, 1, 1), "ids: expected a list of tokens, got 1"),
    (lambda: generation.penalise_repetition(LOGITS, None, 2.0), "ids: expected a list of tokens, got None"),
    (
        lambda: generation.sample(0, np.array([0.5, 0.5])),
        "rng: expected a numpy.random.Generator, got 0; np.random.default_rng(0) is one",
    ),
    (
        lambda: list(generation.generate_by_recomputing(transformer.gpt, GPT_PARAMS, [3], GPT, 2, choose=0)),
        "choose: expected greedy, or a function that sampler made, got 0",
    ),
    (
        lambda: generation.beam_search(None, GPT_PARAMS, [3], GPT, 2),
        "step: expected a function such as gpt_step, got None",
    ),
    (lambda: decoding.window_start("3", 4), "n: expected a whole number >= 0, got '3'"),
    (lambda: decoding.window_start(3.5, 4), "n: expected a whole number >= 0, got 3.5"),
    (lambda: decoding.window_start(9, 4.0), "block_size: expected a whole number >= 1, got 4.0"),
    (lambda: decoding.window_start(-1, 4), "n: expected a whole number >= 0, got -1"),
    (
        lambda: decoding.new_cache({}, GPT),
        "params: expected a model's, as init_gpt or init_llama makes them, got a dict of nothing",
    ),
    (lambda: decoding.new_cache(GPT_PARAMS, None), "config: expected a Config or a LlamaConfig, got None"),
    (lambda: decoding.check_ids(np.array([1]), "7"), "vocab_size: expected a whole number, got '7'"),
    (
        lambda: llama.llama({}, IDS, LLAMA),
        "params: expected a Llama's, as init_llama makes them, got a dict of nothing",
    ),
    (lambda: llama.llama_rope(np.arange(3), None), "config: expected a LlamaConfig, got None"),
    (lambda: llama.RopeScaling("8", 1.0, 4.0, 8), "factor: expected a number > 0, got '8'"),
    (lambda: llama.RopeScaling(8.0, 1.0, 4.0, 8.5), "block_size: expected a whole number >= 1, got 8.5"),
    (
        lambda: llama.llama_step(GPT_PARAMS, IDS, LLAMA),
        "params: expected a Llama's, as init_llama makes them, got a dict of wte, wpe, blocks, lnf",
    ),
    (lambda: llama.init_llama(rng(), GPT), "config: expected a LlamaConfig, got a Config"),
    (
        lambda: bert.bert(GPT_PARAMS, IDS, MASK, 0 * IDS, BERT),
        "params: expected a BERT's, as init_bert makes them, got a dict of wte, wpe, blocks, lnf",
    ),
    (
        lambda: bert.bert_block(array(1, 3, 8), BERT_PARAMS["blocks"][0], 2, None, "1e-12"),
        "eps: expected a number >= 0, got '1e-12'",
    ),
    (
        lambda: bert.mlm_head(array(1, 3, 8), {}, BERT_PARAMS["wte"]),
        "p: expected the head of init_bert(..., mlm=True), got a dict of nothing",
    ),
    (
        lambda: bert.classification_head(array(1, 3, 8), None, BERT_PARAMS["classifier"]),
        "pooler: expected a dict of w and b, got None",
    ),
    (lambda: bert.init_bert(rng(), BERT, n_classes=2.0), "n_classes: expected a whole number >= 1, got 2.0"),
    (lambda: bert.init_bert(rng(), BERT, n_classes="2"), "n_classes: expected a whole number >= 1, got '2'"),
    (lambda: bert.init_bert(rng(), GPT), "config: expected a BertConfig, got a Config"),
    (
        lambda: adapters.lora_linear(X, array(3, 4), None, array(3, 2), array(2, 4), alpha="16"),
        "alpha: expected a finite number, got '16'",
    ),
    (
        lambda: adapters.lora_linear(X, array(3, 4), None, array(3, 2), array(2, 4), alpha=np.nan),
        "alpha: expected a finite number, got nan",
    ),
    (
        lambda: adapters.merge_lora(array(3, 4), array(3, 2), array(2, 4), alpha=None),
        "alpha: expected a finite number, got None",
    ),
    (
        lambda: adapters.prefix_attention(
            [1], array(1, 2, 3, 4), array(1, 2, 3, 4), array(2, 5, 4), array(2, 5, 4), np.zeros((3, 3))
        ),
        "q: expected an array, got a list; np.array(...) makes one",
    ),
    # of another model, or swapped
    (
        lambda: decoding.gpt_step(GPT_PARAMS, ONE_ID, GPT, decoding.new_cache(LLAMA_PARAMS, LLAMA)),
        "kv: a cache for 1 heads of width 4, not for 2 of 4",
    ),
    (
        lambda: llama.llama_step(LLAMA_PARAMS, ONE_ID, LLAMA, decoding.new_cache(GPT_PARAMS, GPT)),
        "kv: a cache for 2 heads of width 4, not for 1 of 4",
    ),
    (
        lambda: decoding.gpt_step(GPT_PARAMS, ONE_ID, replace(GPT, block_size=4)),
        "wpe: expected (block_size, C) = (4, 8), got (8, 8)",
    ),
    (
        lambda: decoding.gpt_step(GPT_PARAMS, ONE_ID, replace(GPT, n_layers=2)),
        "params: expected 2 blocks, got 1",
    ),
    (
        lambda: folded.fold_gpt(GPT_PARAMS, replace(GPT, vocab_size=9)),
        "wte: expected (V, C) = (9, 8), got (7, 8)",
    ),
    (lambda: folded.fold_gpt(GPT_PARAMS, replace(GPT, n_layers=2)), "params: expected 2 blocks, got 1"),
    (
        lambda: folded.fold_llama(LLAMA_PARAMS, replace(LLAMA, n_kv_heads=2)),
        "wqkv: expected (C, (H+2G)*D) = (8, 24), got (8, 16)",
    ),
    (
        lambda: folded.folded_gpt_step(folded.fold_gpt(GPT_PARAMS, GPT), ONE_ID, replace(GPT, n_heads=4)),
        "config: expected the one that fold_gpt was given",
    ),
    (lambda: attention.norm_queries_and_keys(array(1, 2, 3, 4), GAINS, 2), "n_heads: expected 1 to 1, got 2"),
    (
        lambda: layers.linear_backward(layers.linear(X, array(3, 4))[1], array(2, 4)),
        "cache: expected the one of linear, got an array",
    ),
    (
        lambda: layers.linear_backward(array(2, 3), layers.embedding(IDS, array(7, 3))[1]),
        "cache: expected the one of linear, got a tuple of 2",
    ),
    (
        lambda: transformer.gpt_backward(array(1, 3, 7), bert.bert(BERT_PARAMS, IDS, MASK, 0 * IDS, BERT)[1]),
        "cache[-1]: expected a Config, got a BertConfig",
    ),
    (
        lambda: generation.generate(GPT_PARAMS, decoding.gpt_step, [1], GPT, 3),
        "step: expected a function such as gpt_step, got a dict",
    ),
    (
        lambda: generation.generate(decoding.gpt_step, [1], GPT_PARAMS, GPT, 3),
        "params: expected a dict, got a list",
    ),
    (
        lambda: optimizers.apply({"w": W}, optimizers.adam, {"w": W}),
        "step: expected an optimizer's step, such as adam, got a dict",
    ),
    (
        lambda: layers.embedding_backward(array(1, 3, 5), layers.embedding(IDS, array(7, 4))[1]),
        "dout: expected (..., C) = (1, 3, 4), got (1, 3, 5)",
    ),
    (lambda: params.tree_map(min, {"w": 1.0}, {"w": {"v": 1.0}}), "trees differ: a float against ['v']"),
    (lambda: params.tree_map(min, {"w": 1.0, 2: 1.0}, {"w": 1.0}), "trees differ: ['2', 'w'] against ['w']"),
    # a cache that cannot be
    (lambda: decoding.KVCache(KEYS, KEYS, -1), "length: expected at most S places, got -1"),
    (lambda: decoding.KVCache(KEYS, KEYS, 9), "length: expected at most S places, got 9"),
    (lambda: decoding.KVCache(KEYS.astype(int), KEYS), "keys: expected float32 or float64, got int64"),
    (
        lambda: decoding.KVCache(KEYS, KEYS[:, :, :, :5]),
        "values: expected (L, B, G, S, D), as keys = (1, 1, 2, 8, 4), got (1, 1, 2, 5, 4)",
    ),
    (
        lambda: decoding.cached_attention(array(1, 2, 8), ATTENTION, 2, KEYS[0], KEYS[0], -1),
        "start: expected 0 to 6, for 2 tokens in 8 places, got -1",
    ),
    (
        lambda: decoding.cached_attention(array(1, 2, 8), ATTENTION, 2, KEYS[0], KEYS[0], 7),
        "start: expected 0 to 6, for 2 tokens in 8 places, got 7",
    ),
    (
        lambda: decoding.cached_attention(array(1, 2, 8), ATTENTION, 2, KEYS[0], KEYS[0], 1.0),
        "start: expected a whole number, got 1.0",
    ),
    (
        lambda: decoding.cached_attention(array(1, 2, 8), ATTENTION, 4, KEYS[0], KEYS[0], 0),
        "wqkv: expected (C, (H+2G)*D) = (8, 32), got (8, 24)",
    ),
    # what would come out as infinity, NaN or zeros
    (
        lambda: text.zscore_outliers(np.array([1.0, np.inf])),
        "x: expected finite numbers, or NaN for a missing one, got inf among them",
    ),
    (
        lambda: text.iqr_limits(np.array([1.0, np.inf])),
        "x: expected finite numbers, or NaN for a missing one, got inf among them",
    ),
    (
        lambda: layers.layernorm(LARGE, ONES, ONES),
        "x: expected numbers whose squares float32 can hold, got -1e+30 to 1e+30",
    ),
    (
        lambda: layers.rmsnorm(LARGE, ONES),
        "x: expected numbers whose squares float32 can hold, got -1e+30 to 1e+30",
    ),
    (lambda: transformer.init_gpt(rng(), GPT, int), "dtype: expected float32 or float64, got int64"),
    (lambda: llama.init_llama(rng(), LLAMA, np.float16), "dtype: expected float32 or float64, got float16"),
    (lambda: bert.init_bert(rng(), BERT, dtype=bool), "dtype: expected float32 or float64, got bool"),
    (
        lambda: optimizers.adam(W, W, {"m": W.astype(float), "v": W.astype(float), "t": 1}),
        "state['m']: expected float32, as w, got float64",
    ),
    # settings and sizes
    (lambda: replace(GPT, d_ff=16.0), "d_ff: expected a whole number >= 1, got 16.0"),
    (lambda: replace(BERT, n_segments=0), "n_segments: expected a whole number >= 1, got 0"),
    (lambda: replace(BERT, eps=-1e-12), "eps: expected a number >= 0, got -1e-12"),
    (lambda: replace(LLAMA, eps=np.nan), "eps: expected a number >= 0, got nan"),
    (lambda: replace(LLAMA, rope_base=0.0), "rope_base: expected a number > 0, got 0.0"),
    (lambda: replace(LLAMA, head_dim=2.0), "head_dim: expected a whole number >= 2, got 2.0"),
    (
        lambda: replace(LLAMA, rope_scaling={"factor": 8.0}),
        "rope_scaling: expected a RopeScaling, got a dict",
    ),
    (
        lambda: attention.rope_tables(np.arange(3.0), 4),
        "positions: expected an array of integers, got float64 numbers",
    ),
    (lambda: attention.rope_tables(np.arange(3), 4.0), "D: expected a whole number, got 4.0"),
    (
        lambda: layers.mlp(X, array(3, 4), array(4), array(4, 3), array(3), activations.gelu_tanh),
        "activation: expected a pair of functions, (gelu_tanh, gelu_tanh_backward), got <function gelu_tanh",
    ),
    (lambda: images.warp(IMAGE, shift=1.0), "shift: expected a pair of numbers, (down, right), got 1.0"),
    (lambda: metrics.perplexity(np.ones(2)), "nats: expected one number, got an array"),
    (lambda: tokenizers.Vocabulary(("a", "b", "a")), "tokens: expected each once, got 'a' twice"),
    (
        lambda: generation.generate(decoding.gpt_step, GPT_PARAMS, [1], GPT, 3.0),
        "max_new_tokens: expected a whole number >= 0, got 3.0",
    ),
]


def test_what_is_wrong_is_named():
    wrong = []
    for call, message in REFUSED:
        try:
            call()
        except (TypeError, ValueError) as error:
            if not str(error).startswith(message):
                wrong.append(f"{message!r}: {error}")
        else:
            wrong.append(f"{message!r}: nothing was said")
    assert not wrong, "\n".join(wrong)


HALF, SMALL = np.float64(0.5), np.float64(1e-5)  # as they come out of np.linspace, or a mean
STEPS = [
    optimizers.sgd,
    optimizers.momentum,
    optimizers.nesterov,
    optimizers.adagrad,
    optimizers.rmsprop,
    optimizers.adam,
    optimizers.adamw,
]
PIXELS = np.ones((3, 3), np.float32)
ROW = LOGITS.astype(np.float32)
STAY_FLOAT32 = [
    *[lambda step=step: step(W, W, lr=HALF)[0] for step in STEPS],
    *[lambda step=step: step(W, W.astype(float))[0] for step in STEPS],
    *[
        lambda step=step: optimizers.apply(step, {"w": ONES.sum()}, {"w": ONES.sum()})[0]["w"]
        for step in STEPS
    ],
    lambda: optimizers.adam(W, W, betas=(HALF, HALF), eps=SMALL)[0],
    lambda: optimizers.muon(X, X, lr=HALF, beta=HALF, weight_decay=HALF)[0],
    lambda: optimizers.clip_grad_norm({"w": W}, SMALL)[0]["w"],
    lambda: layers.layernorm(X, ONES, ONES, SMALL)[0],
    lambda: layers.rmsnorm(X, ONES, SMALL)[0],
    lambda: layers.dropout(X, X > 0, HALF)[0],
    lambda: activations.leaky_relu(X, HALF)[0],
    lambda: adapters.lora_linear(X, array(3, 4), None, array(3, 2), array(2, 4), HALF)[0],
    lambda: adapters.merge_lora(array(3, 4), array(3, 2), array(2, 4), HALF),
    lambda: images.add_noise(PIXELS, HALF, rng()),
    lambda: images.warp(PIXELS, HALF, HALF, (HALF, HALF), HALF),
    lambda: losses.mse_backward(HALF, losses.mse(X, X)[1]),
    lambda: losses.binary_cross_entropy_backward(HALF, losses.binary_cross_entropy(X, X > 0)[1]),
    lambda: losses.cross_entropy_backward(
        HALF, losses.cross_entropy(X, np.array([0, 1]), label_smoothing=HALF)[1]
    ),
    lambda: losses.kl_divergence_backward(HALF, losses.kl_divergence(X, SIGMOID_CACHE)[1]),
    lambda: generation.probabilities(
        ROW, [0], temperature=HALF, top_p=HALF, min_p=HALF, repetition_penalty=HALF
    ),
    lambda: llama.llama(LLAMA_PARAMS, IDS, replace(LLAMA, eps=SMALL, rope_base=np.float64(10000)))[0],
    lambda: bert.bert(BERT_PARAMS, IDS, MASK, 0 * IDS, replace(BERT, eps=SMALL))[0],
]


def test_float32_stays_whatever_a_settings_type():
    wide = [i for i, call in enumerate(STAY_FLOAT32) if call().dtype != np.float32]
    assert not wide


FAR = np.array([-1e30, -1e20, 1e20, 1e30], np.float32)
DROPPED = np.array([np.nan, np.inf, 1.0]), np.array([0, 0, 1])
RIGHT = {
    "gelu_tanh_backward": (
        lambda: activations.gelu_tanh_backward(np.ones_like(FAR), activations.gelu_tanh(FAR)[1]),
        [0, 0, 1, 1],
    ),
    "dropout": (lambda: layers.dropout(*DROPPED, 0.5)[0], [0, 0, 2]),
    "dropout_backward": (
        lambda: layers.dropout_backward(DROPPED[0], layers.dropout(ONES, DROPPED[1], 0.5)[1]),
        [0, 0, 2],
    ),
    "clip_grad_norm": (
        lambda: optimizers.clip_grad_norm({"w": np.array([3e25, -4e25], np.float32)}, 1.0)[0]["w"],
        [0.6, -0.8],
    ),
    "clip_grad_norm, not at all": (lambda: optimizers.clip_grad_norm({"w": ONES}, np.inf)[0]["w"], [1, 1, 1]),
    "the norm before": (
        lambda: optimizers.clip_grad_norm({"w": np.array([3e25, -4e25], np.float32)}, 1.0)[1] / 5e25,
        1,
    ),
    "an infinite norm": (lambda: optimizers.clip_grad_norm({"w": np.array([np.inf, 1.0])}, 1.0)[1], np.inf),
    "probabilities of large scores": (
        lambda: generation.probabilities(np.array([1e38, 0, -1e38], np.float32), temperature=0.1),
        [1, 0, 0],
    ),
    "probabilities of low scores": (
        lambda: generation.probabilities(np.array([-1e38, -2e38], np.float32), temperature=0.1),
        [1, 0],
    ),
    "f1 of large class numbers": (
        lambda: metrics.f1(np.array([0, 10**9, 7]), np.array([0, 10**9, 8]), "micro"),
        2 / 3,
    ),
    "f1, macro": (lambda: metrics.f1(np.array([0, 10**9, 7]), np.array([0, 10**9, 8]), "macro"), 0.5),
    "orthogonalize": (lambda: optimizers.orthogonalize(X * 0), 0 * X),
}


def test_numbers_at_the_edge_are_right():
    for name, (call, right) in RIGHT.items():
        np.testing.assert_allclose(call(), right, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("size", [1e-30, 1e-9, 1e30, 1e37])
def test_a_direction_does_not_depend_on_the_gradients_size(size):
    g = X * np.float32(size)
    np.testing.assert_allclose(optimizers.orthogonalize(g), optimizers.orthogonalize(X), atol=1e-4)
    moved, _ = optimizers.muon(0 * X, g, lr=0.1, beta=0.0)
    np.testing.assert_allclose(moved, optimizers.muon(0 * X, X, lr=0.1, beta=0.0)[0], atol=1e-4)


def test_fewer_blocks_than_the_config_says_show_what_is_in_the_middle_of_a_model():
    assert bert.bert(BERT_PARAMS | {"blocks": []}, IDS, MASK, 0 * IDS, BERT)[0].shape == (1, 3, 8)
    assert transformer.gpt(GPT_PARAMS | {"blocks": []}, IDS, GPT)[0].shape == (1, 3, 7)
