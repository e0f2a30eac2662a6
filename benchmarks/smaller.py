"""Chapter 13's models, made smaller: what they still can.

    python benchmarks/smaller.py                    # all parts that are not in the file yet
    python benchmarks/smaller.py --part smollm2     # this one, anew
    python benchmarks/smaller.py --model FOLDER     # where the fine-tuned model is kept, and looked for

Writes fmkit/data/results/smaller.json, which chapter 13 shows. One thread, about 6 CPU minutes. The parts:

- ``classify`` fine-tunes MiniLM on the film reviews (all weights, one epoch), makes it smaller in many ways,
  and writes what each form says of every fourth test sentence, 264 of them.
- ``teach``: its logits for 1,000 training sentences, from which a student may learn.
- ``table`` lets the pretrained MiniLM say a vector for every word piece; a text is the mean of its rows.
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
        "two of six blocks": lambda: smaller.fewer_blocks(params, (0, 3)),
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


def table(_folder) -> dict:
    """MiniLM as a table of vectors, a logistic regression on the means of its rows."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from fmkit.data.datasets import pretrained_path
    from fmkit.data.pretrained import load_bert
    from fmkit.distillation import word_table
    from fmkit.lab.workbench import smaller
    from fmkit.runs.finetuning.data import encode, splits

    params, config = load_bert(pretrained_path("minilm"))
    train, _, test = splits()
    ids = {name: encode([text for text, _ in rows]) for name, rows in (("train", train), ("test", test))}
    first, last = ids["train"][0][0], ids["train"][0][-1]
    single = smaller.vectors(params, [[first, i, last] for i in range(config.vocab_size)], config)
    counts = np.bincount(np.concatenate(ids["train"]), minlength=config.vocab_size)
    rows = word_table(single, counts, 256)
    x = {name: np.stack([rows[text[1:-1]].mean(0) for text in texts]) for name, texts in ids.items()}
    x = {name: v / x["train"].std() for name, v in x.items()}
    head = LogisticRegression(C=10.0, max_iter=2000).fit(x["train"], [label for _, label in train])
    positive = head.predict_proba(x["test"])[:, 1]
    print(f"table {accuracy(positive, np.array([label for _, label in test])):.4f}", flush=True)
    return {"positive": [round(float(p), 3) for p in positive], "width": 256}


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


PARTS = {"classify": classify, "teach": teach, "table": table, "smollm2": smollm2}


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
