"""Chapter 15's tower by torch.distributed on 2 and 4 processes: the losses that the chapter compares with.

Writes fmkit/data/results/gloo.json; half a minute, most of it for starting Python:

    python benchmarks/gloo.py
"""

import json
import time

import torch

from fmkit.lab.workbench import scale
from fmkit.parallel import train_alone
from fmkit.twins.parallel import losses_by_gloo


def main():
    began, found = time.perf_counter(), {"torch": torch.__version__.split("+")[0]}
    params, x, targets = scale.tower()
    alone = train_alone(params, x, targets, scale.TOWER_STEPS, scale.TOWER_LR)["losses"]
    worst = 0.0
    for size in (2, 4):
        by_way = losses_by_gloo(size, params, x, targets, scale.TOWER_STEPS, scale.TOWER_LR)
        for way, losses in by_way.items():
            found.setdefault(way, {})[str(size)] = losses
            worst = max(worst, *(abs(a - b) for a, b in zip(losses, alone, strict=True)))
            print(way, size, losses[-1])
    scale.GLOO.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"{time.perf_counter() - began:.0f} s, largest difference from one process {worst:.1e}")


if __name__ == "__main__":
    main()
