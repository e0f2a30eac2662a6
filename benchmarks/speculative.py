"""Sampling from the packaged Shakespeare model: with chapter 07's counting model as a draft, and without.

    python benchmarks/speculative.py              # the plain steps of chapter 09
    python benchmarks/speculative.py --calls      # what one call costs by the number of tokens it reads

Both sides sample at temperature 1 from the same float32 weights with a key/value cache, both in our NumPy
(`llama_step` against `llama_extend`), one thread; the law of the text is the same. The runs take turns with
other seeds each; the medians of processor time are compared. A third line has the plain sampler with folded
weights (`folded_llama_step`), the fastest that we have for single tokens. The last line is ``ratio N``:
tokens per second with the draft over those without.
"""

import argparse
import os
import statistics
import sys
import time

PROMPT = "MACBETH:\nTomorrow"


def shakespeare(order: int):
    import numpy as np

    from fmkit import ngram
    from fmkit.data import datasets
    from fmkit.data.shipped import load_shakespeare
    from fmkit.speculative import ngram_draft

    params, config, tokenizer = load_shakespeare()
    text = np.array(tokenizer.encode(datasets.shakespeare_splits()[0]))
    return params, config, tokenizer.encode(PROMPT), ngram_draft(ngram.fit(text, order, config.vocab_size))


def compare(order: int, k: int, n_tokens: int, repeats: int) -> float:
    import numpy as np

    from fmkit.folded import fold_llama, folded_llama_step
    from fmkit.generation import generate, sampler
    from fmkit.llama import llama_extend, llama_step
    from fmkit.speculative import generate_speculatively

    params, config, prompt, draft = shakespeare(order)
    folded, calls = fold_llama(params, config), []

    def counted(*args):
        calls.append(1)
        return llama_extend(*args)

    def plain(rng):
        return generate(llama_step, params, prompt, config, n_tokens, choose=sampler(rng))

    def with_draft(rng):
        return generate_speculatively(counted, params, prompt, config, n_tokens, draft, k, rng)

    def folded_plain(rng):
        return generate(folded_llama_step, folded, prompt, config, n_tokens, choose=sampler(rng))

    speeds = {run: [] for run in (plain, with_draft, folded_plain)}
    for repeat in range(repeats + 1):
        for run, results in speeds.items():
            start = time.process_time()
            n = sum(1 for _ in run(np.random.default_rng(repeat)))
            results.append(n / (time.process_time() - start))
    for run, results in speeds.items():
        first, *rest = results  # the first run also fills memories
        print(f"{run.__name__:>12}: {statistics.median(rest):.0f} tokens/s (the first run {first:.0f})")
    print(f"order {order}, {k} guesses: {(repeats + 1) * n_tokens / len(calls):.2f} tokens a call")
    return statistics.median(speeds[with_draft][1:]) / statistics.median(speeds[plain][1:])


def calls() -> None:
    """What a call costs that reads several tokens: a model that fits into the processor's cache, and not."""
    import numpy as np

    from fmkit.data.datasets import pretrained_path
    from fmkit.data.pretrained import load_llama
    from fmkit.data.shipped import load_shakespeare
    from fmkit.llama import llama_extend, llama_step

    for name, (params, config), repeats in (
        ("Shakespeare", load_shakespeare()[:2], 100),
        ("SmolLM2", load_llama(pretrained_path("smollm2")), 3),
    ):
        _, kv = llama_step(params, np.arange(64)[None], config)
        cost = {}
        for n in (1, 2, 3, 5, 9):
            times = []
            for _ in range(repeats):
                kv.length, start = 64, time.process_time()
                llama_extend(params, np.arange(n)[None], config, kv)
                times.append(time.process_time() - start)
            cost[n] = statistics.median(times)
        print(f"{name}: one token {1000 * cost[1]:.2f} ms;", end=" ")
        print(", ".join(f"{n} tokens x{seconds / cost[1]:.2f}" for n, seconds in cost.items() if n > 1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--order", type=int, default=6)
    parser.add_argument("--guesses", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--calls", action="store_true")
    args = parser.parse_args()
    # threads are chosen when NumPy is imported: set them, then start again
    wanted = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if any(os.environ.get(name) != "1" for name in wanted):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)
    if args.calls:
        return calls()
    print(f"ratio {compare(args.order, args.guesses, args.tokens, args.repeats):.2f}")


if __name__ == "__main__":
    main()
