"""Greedy decoding with a key/value cache: our NumPy against Hugging Face's ``generate``, one thread each.

    python benchmarks/generate.py                    # the packaged Shakespeare model
    python benchmarks/generate.py --model smollm2    # the packaged SmolLM2-135M-Instruct

Both sides have the same weights (float32) and must give the same tokens. The runs alternate; the medians are
compared. The last line is ``ratio N``: our tokens per second over theirs.
"""

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace


def small_model():
    """Our step, its parameters, the config, Hugging Face's model, a prompt."""
    from fmkit.data.shipped import load_shakespeare
    from fmkit.folded import fold_llama, folded_llama_step
    from fmkit.twins.huggingface import to_hf_llama

    params, config, tokenizer = load_shakespeare()
    config = replace(config, block_size=512)  # rotary positions go on; both sides then need no window
    hf = to_hf_llama(params, config)
    return folded_llama_step, fold_llama(params, config), config, hf, tokenizer.encode("MACBETH:\nTomorrow")


def smollm2():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from fmkit.data.datasets import pretrained_path
    from fmkit.data.pretrained import load_llama
    from fmkit.folded import fold_llama, folded_llama_step

    folder = pretrained_path("smollm2")
    params, config = load_llama(folder)
    question = [{"role": "user", "content": "Write a long story about a lighthouse."}]
    prompt = AutoTokenizer.from_pretrained(folder).apply_chat_template(
        question, add_generation_prompt=True, return_dict=False
    )
    hf = AutoModelForCausalLM.from_pretrained(folder).eval()
    return folded_llama_step, fold_llama(params, config), config, hf, list(prompt)


def compare(model: str, n_tokens: int, repeats: int) -> float:
    import torch

    from fmkit.generation import generate

    torch.set_num_threads(1)
    step, params, config, hf, prompt = {"small": small_model, "smollm2": smollm2}[model]()
    hf.generation_config.eos_token_id = None  # neither side stops early
    print(f"{model}: {hf.num_parameters():,} parameters, {len(prompt)} tokens in, {n_tokens} out")

    def ours():
        return list(generate(step, params, prompt, config, n_tokens))

    def theirs():
        ids = torch.tensor([prompt])
        out = hf.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_tokens, do_sample=False, pad_token_id=0
        )
        return out[0, len(prompt) :].tolist()

    if ours() != theirs():  # this warms both up, too
        raise SystemExit("the two sides give different tokens")
    speeds = {ours: [], theirs: []}
    for _ in range(repeats):
        for run, results in speeds.items():
            start = time.process_time()  # one thread: other programs do not count
            run()
            results.append(n_tokens / (time.process_time() - start))
    for run, results in speeds.items():
        middle, low, high = statistics.median(results), min(results), max(results)
        print(f"{run.__name__:>6}: {middle:.1f} tokens/s (from {low:.1f} to {high:.1f})")
    return statistics.median(speeds[ours]) / statistics.median(speeds[theirs])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=["small", "smollm2"], default="small")
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    # threads and OpenBLAS's kernels are chosen when NumPy is imported: set them, then start again
    wanted = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    unwanted = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    if unwanted & os.environ.keys() or any(os.environ.get(name) != "1" for name in wanted):
        env = {name: value for name, value in os.environ.items() if name not in unwanted} | wanted
        os.execve(sys.executable, [sys.executable, *sys.argv], env)
    print(f"ratio {compare(args.model, args.tokens, args.repeats):.2f}")


if __name__ == "__main__":
    main()
