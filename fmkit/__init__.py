"""fmkit: foundation models from scratch, a chapter at a time.

The reference is NumPy only, with backward passes written by hand. Its modules in reading order; each uses
only what stands before it, and its own docstring says more:

text         (chapter 01)  clean, normalize, deduplicate, split and augment texts; count words
tokenizers   (chapter 01)  text to integers and back: characters, words, byte pairs
batching     (chapter 01)  lists of integers to arrays: truncate, pad, masks, batches of similar length
wordpiece    (chapter 01)  BERT's tokenizer
images       (chapter 01)  rotate, scale, shift, crop, flip, add noise
metrics      (chapter 01)  accuracy, precision, recall, F1, perplexity, bits per character and per byte
activations  (chapter 02)  sigmoid, tanh, ReLU, GELU, SiLU, softmax: each next to its backward
losses       (chapter 03)  squared error, cross-entropies, KL divergence
layers       (chapter 04)  linear, embedding, norms, feed-forward parts, dropout, pooling, LSTM
params       (chapter 04)  parameters as nested dicts, and four functions that walk them
optimizers   (chapter 05)  from gradient descent to AdamW and Muon; clipping, learning-rate schedules
attention    (chapter 06)  masks, heads, rotary positions, self-attention
transformer  (chapter 06)  GPT, forward and backward
bert         (chapter 06)  BERT, its two heads and its two losses
training     (chapter 07)  batches out of a long text, one training step
ngram        (chapter 07)  counting instead of learning: Kneser-Ney
adapters     (chapter 08)  LoRA, adapters, learned prefixes: small parts that teach a big model
decoding     (chapter 09)  one token at a time, with keys and values kept
generation   (chapter 09)  from scores to text: sampling, streaming, beam search
llama        (chapter 09)  Llama and Qwen3, forward, backward and token by token
convolution  (chapter 10)  windows of an image: convolution, pooling, batch norm
vision       (chapter 10)  a small convolutional net; patches, and the transformer that reads them
mobilenet    (chapter 10)  MobileNetV2, which has seen ImageNet; back to its pixels
unlabelled   (chapter 10)  learning without labels: pairs, hidden patches, autoencoders, GANs
curves       (chapter 11)  ROC, precision and recall, calibration, and their areas
textmetrics  (chapter 11)  BLEU, chrF, ROUGE
agreement    (chapter 11)  Cohen's kappa, Krippendorff's alpha, one rater against the others
significance (chapter 11)  bootstrap, permutation, sign test; Holm and Benjamini-Hochberg
explain      (chapter 12)  what an answer is due to: slopes, hiding parts, attention; tests of that; probes
fairness     (chapter 12)  rates of groups, what they imply, thresholds that equalise; words as vectors
quantization (chapter 13)  numbers of 8 bits and fewer; GPTQ
pruning      (chapter 13)  leave out weights, two of four, neurons, directions
distillation (chapter 13)  a small model learns from a large one
speculative  (chapter 13)  a cheap model guesses, the large one checks: the same law, sooner
folded       (chapter 13)  the token-by-token steps again, rearranged for speed
privacy      (chapter 14)  attacks on membership, DP-SGD, its accountant and an audit
federated    (chapter 14)  averages of clients' models, and sums that nobody can look into
adversarial  (chapter 14)  inputs made to mislead, and a proof that none is near
parallel     (chapter 15)  several processes train one model, every byte counted
scaling      (chapter 15)  what a model costs on paper, and the law of its loss
retrieval    (chapter 16)  BM25, fusion, chunks, nDCG, when to say "I do not know"
recommend    (chapter 16)  biases and factors, the split by time, diversity, exposure
monitoring   (chapter 16)  rates with intervals, change points, an alarm
speech       (chapter 16)  the log-mel picture, Whisper, wrong words
translation  (chapter 16)  a GRU reads, another writes; with attention and without

``import fmkit`` itself imports nothing heavy.
"""

from fmkit import _moved

__version__ = "0.1.0"

_moved.install()
