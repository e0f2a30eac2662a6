"""Chapter 16's two tables: who finds the right passage, and how many words Whisper gets wrong.

    python benchmarks/work.py

The places of the right passages of 3,270 questions are those that ``python -m fmkit.runs.finding`` has
written (some three minutes to make again); the recordings are heard anew, about 15 CPU seconds. Brackets are
95 % bootstrap intervals over the questions. The last line is ``wer N``, the word error rate over all
recordings.
"""

import numpy as np

from fmkit.data.speech import spoken
from fmkit.runs import asking, finding
from fmkit.significance import bootstrap_interval, paired_bootstrap
from fmkit.speech import word_error_rate, word_errors


def told(values: np.ndarray) -> str:
    low, high = bootstrap_interval(values, np.random.default_rng(0))
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def passages() -> None:
    """Right passage first, among the first five, and nDCG of the first ten."""
    places = {name: np.array(at) for name, at in finding.results()["places"].items()}
    gains = {name: np.where(at <= 10, 1 / np.log2(at + 1), 0.0) for name, at in places.items()}
    print(f"{'':7} {'first':24} {'first five':24} nDCG@10")
    for name, at in places.items():
        print(f"{name:7} {told(1.0 * (at == 1)):24} {told(1.0 * (at <= 5)):24} {told(gains[name])}")
    for name in ("BM25", "both"):
        found = paired_bootstrap(gains["MiniLM"], gains[name], np.random.default_rng(0))
        print(
            f"nDCG@10, MiniLM minus {name}: {found.difference:.3f} ({found.low:.3f} to {found.high:.3f}), "
            f"p {found.p:.3f}"
        )


def recordings() -> float:
    """Each recording's wrong words, and the rate over all."""
    pairs = []
    for name, (sound, text) in spoken().items():
        heard = asking.heard(sound)
        pairs.append((finding.words(text), finding.words(heard)))
        print(f"{name:12} {word_errors(*pairs[-1])} of {len(pairs[-1][0]):2} words wrong: {heard}")
    return word_error_rate(*zip(*pairs, strict=True))


def main() -> None:
    passages()
    print(f"wer {recordings():.3f}")


if __name__ == "__main__":
    main()
