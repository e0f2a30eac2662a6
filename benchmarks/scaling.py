"""Chapter 15's small runs: 4 widths times 4 lengths, three seeds each, and a larger one that is held out.

Writes fmkit/data/results/scaling.json, which the chapter fits a law to; runs that are in the file are not
run again. Some five CPU minutes on one thread:

    python benchmarks/scaling.py
"""

import itertools
import json
import time

from threadpoolctl import threadpool_limits

from fmkit.lab.workbench import scale
from fmkit.runs.memory import keep_memory


def main():
    found = scale.results() if scale.FILE.exists() else {"runs": [], "held_out": []}
    small = [("runs", *shape) for shape in itertools.product(scale.WIDTHS, scale.STEPS)]
    plans = [(*plan, seed) for seed in range(3) for plan in (*small, ("held_out", *scale.HELD_OUT))]
    for part, width, steps, seed in plans:
        if any((r["width"], r["steps"], r["seed"]) == (width, steps, seed) for r in found[part]):
            continue
        began = time.process_time()
        loss = scale.run(width, steps, seed)
        row = {
            "width": width,
            "steps": steps,
            "seed": seed,
            "N": scale.inner_parameters(width),
            "D": steps * scale.ROWS * scale.BLOCK,
            "loss": round(loss, 4),
            "cpu_seconds": round(time.process_time() - began, 1),
        }
        found[part].append(row)
        print(row, flush=True)
        lines = [
            f'"{name}": [\n' + ",\n".join("    " + json.dumps(row) for row in found[name]) + "\n  ]"
            for name in found
        ]
        scale.FILE.write_text("{\n  " + ",\n  ".join(lines) + "\n}\n", "utf-8")
    print("ratio", round(sum(r["cpu_seconds"] for r in found["runs"] if r["seed"] == 0)))


if __name__ == "__main__":
    with threadpool_limits(1):
        keep_memory()
        main()
