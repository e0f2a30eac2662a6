"""Chapter 13's models, made smaller: what they still can.

    python benchmarks/smaller.py                    # all parts that are not in the file yet
    python benchmarks/smaller.py --part smollm2     # this one, anew
    python benchmarks/smaller.py --model FOLDER     # where the fine-tuned model is kept, and looked for

Writes fmkit/data/results/smaller.json, which chapter 13 shows. One thread, about 10 CPU minutes. The parts:

- ``classify`` fine-tunes MiniLM on the film reviews (all weights, one epoch), makes it smaller in many ways,
  and writes what each form says of every fourth test sentence, 264 of them.
- ``teach``: its logits for 1,000 training sentences, from which a student may learn.
- ``learn``: two blocks of the pretrained MiniLM learn from these 1,000 sentences, from the labels alone or
  from what ``teach`` has written besides, four seeds each.
- ``table`` lets the pretrained MiniLM say a vector for every word piece; a text is the mean of its rows.
- ``retrieval``: the pretrained MiniLM made smaller in the same ways, the table, and counting words look for
  the passages that answer chapter 16's questions; and how many passages each reads a second.
- ``smollm2``: perplexity, bytes and tokens per second of the language model with 8 and 4 bits.

The last line is ``accuracy N``, of the fine-tuned model before anything is taken away.
"""

import argparse
import functools
import json
import os
import sys
import tempfile
import time

SEEDS = (0, 1, 2, 3)
KEPT = (0, 3)  # the blocks that stay of six
WIDTH = 256  # of the table of vectors


def accuracy(positive, labels) -> float:
    return float(((positive > 0.5) == labels).mean())


def small_forms(params, grams, config) -> dict:
    """Every way of making MiniLM smaller without training: name -> a function that makes the model."""
    import numpy as np

    from fmkit.lab.workbench import smaller
    from fmkit.pruning import keep_largest, two_of_four
    from fmkit.quantization import absmax, absmax_groups, dequantize, dequantize_groups, gptq

    def rounded(bits):
        return lambda i, name, w: dequantize(*absmax(np.ascontiguousarray(w), bits))

    def careful(bits):
        return lambda i, name, w: dequantize(*gptq(np.ascontiguousarray(w), grams[i, name], bits))

    def groups(i, name, w):
        return dequantize_groups(*absmax_groups(np.ascontiguousarray(w), 4, 32))

    ways = {
        "float32": lambda i, name, w: w,
        "8 bits": rounded(8),
        "8 bits, activations too": smaller.in_bytes,
        "4 bits": rounded(4),
        "4 bits, groups of 32": groups,
        "4 bits, GPTQ": careful(4),
        "3 bits": rounded(3),
        "half of the weights": lambda i, name, w: w * keep_largest(w, 0.5),
        "two of four": lambda i, name, w: w * two_of_four(w),
        "rank 96": smaller.thin(96),
    }
    forms = {name: functools.partial(smaller.changed, params, change) for name, change in ways.items()}
    return forms | {
        "half of the neurons": lambda: smaller.fewer_neurons(params, config.d_ff // 2),
        "two of six blocks": lambda: smaller.fewer_blocks(params, KEPT),
    }


def fine_tuned(folder):
    """MiniLM fine-tuned on the reviews, as our NumPy has it."""
    from pathlib import Path

    from fmkit.data.pretrained import load_bert
    from fmkit.runs.finetuning import run as finetuning
    from fmkit.runs.finetuning.data import splits

    if not (Path(folder) / "config.json").exists():
        train, val, test = splits()
        finetuning.finetune(
            "full", epochs=1, train=train, val=val[:64], test=test[:8], folder=folder
        )  # it is tested below
    return load_bert(folder)


def every_fourth() -> list:
    """Every fourth test sentence."""
    from fmkit.runs.finetuning.data import splits

    return splits()[2][::4]


def positive_of(model, ids, config) -> list[float]:
    from fmkit.activations import softmax
    from fmkit.lab.workbench import smaller

    return [round(float(p), 3) for p in softmax(smaller.logits(model, ids, config))[0][:, 1]]


def classify(folder) -> dict:
    import numpy as np

    from fmkit.lab.workbench import smaller
    from fmkit.runs.finetuning.data import encode, splits

    began = time.process_time()
    params, config = fine_tuned(folder)
    print(f"fine-tuned in {time.process_time() - began:.0f} CPU-s", flush=True)
    grams = smaller.grams(params, encode([text for text, _ in splits()[0][:64]]), config)
    texts, target = zip(*every_fourth(), strict=True)
    ids, target = encode(list(texts)), np.array(target)
    out = {}
    for name, make in small_forms(params, grams, config).items():
        out[name] = positive_of(make(), ids, config)
        print(f"{name:28} {accuracy(np.array(out[name]), target):.4f}", flush=True)
    return out


def teach(folder) -> dict:
    """The teacher's logit of *positive* minus that of *negative*, for 1,000 training sentences."""
    from fmkit.lab.workbench import smaller
    from fmkit.runs.finetuning.data import encode, splits

    params, config = fine_tuned(folder)
    scores = smaller.logits(params, encode([text for text, _ in splits()[0][:1000]]), config)
    return {"margin": [round(float(m), 2) for m in scores[:, 1] - scores[:, 0]]}


@functools.cache
def single_words():
    """What the pretrained MiniLM says of every word piece alone, and its tokenizer."""
    from fmkit.data.datasets import pretrained_path
    from fmkit.data.pretrained import load_bert
    from fmkit.lab.workbench import smaller
    from fmkit.runs.finetuning.data import tokenizer

    params, config = load_bert(pretrained_path("minilm"))
    cut = tokenizer()
    alone = [[cut.cls_id, i, cut.sep_id] for i in range(config.vocab_size)]
    return smaller.vectors(params, alone, config), cut


def table_reader(lessons):
    """MiniLM as a table of vectors: a function from texts to the means of their rows."""
    import numpy as np

    from fmkit.distillation import word_table
    from fmkit.runs.finetuning.data import encode

    single, cut = single_words()
    counts = np.bincount(np.concatenate(encode(lessons, cut)), minlength=len(single))
    rows = word_table(single, counts, WIDTH)
    return lambda texts: np.stack([rows[text[1:-1]].mean(0) for text in encode(texts, cut)])


def table(_folder) -> dict:
    """MiniLM as a table of vectors, a logistic regression on the means of its rows."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from fmkit.runs.finetuning.data import splits

    train, _, test = splits()
    (texts, labels), (asked, target) = (zip(*rows, strict=True) for rows in (train, test))
    means = table_reader(texts)
    seen = means(texts)
    head = LogisticRegression(C=10.0, max_iter=2000).fit(seen / seen.std(), labels)
    positive = head.predict_proba(means(asked) / seen.std())[:, 1]
    print(f"table {accuracy(positive, np.array(target)):.4f}", flush=True)
    return {"positive": [round(float(p), 3) for p in positive], "width": WIDTH}


def learn(_folder) -> dict:
    """What two blocks of the pretrained MiniLM say of the test sentences, taught by 1,000 others.

    By their labels alone, or also by what the part ``teach`` has written down.
    """
    import numpy as np

    from fmkit.data.datasets import pretrained_path
    from fmkit.data.pretrained import load_bert
    from fmkit.lab.workbench import smaller
    from fmkit.runs.finetuning import students
    from fmkit.runs.finetuning.data import encode, splits, tokenizer

    (params, config), cut = load_bert(pretrained_path("minilm")), tokenizer()
    train, _, test = splits()
    ids, labels = encode([text for text, _ in train[:1000]], cut), [label for _, label in train[:1000]]
    asked, target = encode([text for text, _ in test], cut), np.array([label for _, label in test])
    margin = np.array(smaller.results()["teach"]["margin"])
    teacher, out = np.stack([np.zeros_like(margin), margin], 1), {}
    for seed in SEEDS:
        for name, logits in (("labels", None), ("both", teacher)):
            model = students.student(params, config, KEPT)
            cost = students.learn_answers(model, ids, labels, logits, mix=0.5, epochs=3, seed=seed)
            name = f"{name}, seed {seed}"
            out[name] = positive_of(model.merged(), asked, config)
            found = accuracy(np.array(out[name]), target)
            print(f"{name}: cost {cost:.3f}, right {found:.4f}, {time.process_time():.0f} CPU-s", flush=True)
    return out


def in_turns(readers, texts, parts: int = 16) -> tuple[dict, dict]:
    """What each reader makes of the texts, and the texts it reads a second: they take turns, medians."""
    import numpy as np

    made, seconds = {name: [] for name in readers}, {name: [] for name in readers}
    for some in np.array_split(np.arange(len(texts)), parts):
        for name, reader in readers.items():
            start = time.process_time()
            made[name].append(reader([texts[i] for i in some]))
            seconds[name].append((time.process_time() - start) / len(some))
        print(".", end="", flush=True)
    print()
    speed = {name: round(1 / float(np.median(each)), 1) for name, each in seconds.items()}
    return {name: np.concatenate(each) for name, each in made.items()}, speed


def retrieval(_folder) -> dict:
    """At which place each form puts the passage that answers a question, and the passages it reads a second.

    300 of chapter 16's passages, of each the first 64 word pieces: that spares time. No form has learned from
    them.
    """
    import numpy as np

    from fmkit.data import documents
    from fmkit.data.datasets import pretrained_path
    from fmkit.data.pretrained import load_bert
    from fmkit.lab.workbench import smaller
    from fmkit.retrieval import bm25, build_index
    from fmkit.runs.finding import place_of, words
    from fmkit.runs.finetuning.data import tokenizer

    (params, config), cut = load_bert(pretrained_path("minilm")), tokenizer()
    passages, asked, answers = documents.questions()
    order = np.random.default_rng(0).permutation(len(passages)).tolist()
    at = {number: i for i, number in enumerate(order[:300])}
    queries = [text for text, a in zip(asked, answers, strict=True) if a in at]
    right = [at[a] for a in answers if a in at]
    others = [text for text, a in zip(asked, answers, strict=True) if a not in at]
    rest = [passages[i] for i in order[300:]]

    def encoded(texts):
        return [cut.encode(text, max_length=64) for text in texts]

    held = [cut.decode(text) for text in encoded(passages[i] for i in at)]  # the same words for all
    grams = smaller.grams(params, encoded(rest[:32] + others[:32]), config)
    models = {name: make() for name, make in small_forms(params, grams, config).items()}

    def reader(model):
        return lambda texts: smaller.vectors(model, encoded(texts), config)

    readers = {name: reader(model) for name, model in models.items()}
    readers["table of vectors"] = table_reader(rest + others)
    readers["counting words"] = lambda texts: [build_index([words(text) for text in texts])]
    encoded(held + queries)  # the tokenizer remembers words: no form shall be the first
    (found, speed), places = in_turns(readers, held, 6), {}
    del found["counting words"]  # its index is one, of all
    for name, vectors in found.items():
        meant = readers[name](queries)
        a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (meant, vectors))
        places[name] = place_of(a @ b.T, right).tolist()
    index = build_index([words(text) for text in held])
    places["counting words"] = place_of(np.stack([bm25(index, words(q)) for q in queries]), right).tolist()
    for name, each in places.items():
        print(f"{name:28} {np.mean(np.array(each) == 1):.4f}   {speed[name]:.0f} a second", flush=True)
    return {"places": places, "per_second": speed}


NAMES = (
    ("attn", "wqkv"),
    ("attn", "wo"),
    ("mlp", "w_gate"),
    ("mlp", "w_up"),
    ("mlp", "w_down"),
)  # the weights of a Llama's block


def with_weights(params, change, wte) -> dict:
    """SmolLM2 with other weights in its blocks, and another table of words."""
    import numpy as np

    blocks = []
    for p in params["blocks"]:
        block = {name: dict(part) if isinstance(part, dict) else part for name, part in p.items()}
        for part, name in NAMES:
            block[part][name] = change(np.ascontiguousarray(p[part][name]))
        blocks.append(block)
    return params | {"blocks": blocks, "wte": wte}


def smollm2(_folder, n_tokens: int = 512) -> dict:
    """Perplexity of film reviews, bytes, and tokens per second, of SmolLM2 with fewer bits."""
    import numpy as np
    from transformers import AutoTokenizer

    from fmkit.data.datasets import pretrained_path
    from fmkit.data.pretrained import load_llama
    from fmkit.llama import llama
    from fmkit.losses import cross_entropy
    from fmkit.quantization import absmax, absmax_groups, dequantize, dequantize_groups
    from fmkit.runs.finetuning.data import splits

    folder = pretrained_path("smollm2")
    params, config = load_llama(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.encode("\n".join(text for text, _ in splits()[2]))[: n_tokens + 1]
    weights = [p[part][name] for p in params["blocks"] for part, name in NAMES]
    inner, outputs = sum(w.size for w in weights), sum(w.shape[1] for w in weights)
    words, V = params["wte"], config.vocab_size
    rounded_words = dequantize(*absmax(words, 8, axis=1))  # a scale for each token
    ways = {  # how, the table of words, and the bytes
        "float32": (lambda w: w, words, 4 * (inner + words.size)),
        "8 bits": (
            lambda w: dequantize(*absmax(w, 8)),
            rounded_words,
            inner + words.size + 4 * (outputs + V),
        ),
        "4 bits": (
            lambda w: dequantize(*absmax(w, 4)),
            rounded_words,
            inner // 2 + words.size + 4 * (outputs + V),
        ),
        "4 bits, groups of 32": (
            lambda w: dequantize_groups(*absmax_groups(w, 4, 32)),
            rounded_words,
            inner // 2 + words.size + 4 * (inner // 32 + V),
        ),
    }
    out = {}
    for name, (change, wte, size) in ways.items():
        scores = llama(with_weights(params, change, wte), np.array([ids[:-1]]), config)[0][0]
        loss = float(cross_entropy(scores, np.array(ids[1:]))[0])
        out[name] = {"perplexity": round(float(np.exp(loss)), 3), "bytes": int(size)}
        print(name, out[name], flush=True)
    for name, speed in _speeds(params, config, ids).items():
        out[name]["tokens_per_second"] = round(speed, 1)
        print(f"{name}: {speed:.1f} tokens/s")
    return out


def _speeds(params, config, ids) -> dict[str, float]:
    """Tokens a second from float32, and from bytes that become floats at each step, as NumPy needs them."""
    import numpy as np

    from fmkit.llama import llama_step
    from fmkit.quantization import absmax, dequantize

    packed = [
        absmax(np.ascontiguousarray(p[part][name]), 8) for p in params["blocks"] for part, name in NAMES
    ]
    _, kv = llama_step(params, np.array([ids[:32]]), config)
    times = {"float32": [], "8 bits": []}
    for _ in range(5):  # taking turns
        for name, found in times.items():
            start, kv.length = time.process_time(), 32
            for form in packed if name == "8 bits" else ():
                dequantize(*form)
            llama_step(params, np.array([[ids[32]]]), config, kv)
            found.append(time.process_time() - start)
    return {name: 1 / float(np.median(found)) for name, found in times.items()}


PARTS = {
    "classify": classify,
    "teach": teach,
    "learn": learn,
    "table": table,
    "retrieval": retrieval,
    "smollm2": smollm2,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=list(PARTS), help="only this one, anew")
    parser.add_argument("--model", help="a folder for the fine-tuned model")
    args = parser.parse_args()
    wanted = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if any(os.environ.get(name) != "1" for name in wanted):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)

    from fmkit._paths import RESULTS

    path, temporary = RESULTS / "smaller.json", tempfile.TemporaryDirectory()

    def known():
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    for name in [args.part] if args.part else [name for name in PARTS if name not in known()]:
        made = PARTS[name](args.model or temporary.name)
        path.write_text(json.dumps(known() | {name: made}, separators=(",", ":")) + "\n", "utf-8")
    if "classify" in known():
        right = [
            (p > 0.5) == label
            for p, (_, label) in zip(known()["classify"]["float32"], every_fourth(), strict=True)
        ]
        print(f"accuracy {sum(right) / len(right):.4f}")


if __name__ == "__main__":
    main()
