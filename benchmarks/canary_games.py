"""What the canary game of exercise 14.3 proves about right and wrong steps of DP-SGD, and how long it takes.

Run: python benchmarks/canary_games.py [how many seeds]
"""

import sys
import time
from collections import defaultdict

from fmkit.lab.workbench.private import CLAIMED, leaks


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    proven, wrong, began = defaultdict(list), {}, time.process_time()
    for seed in range(seeds):
        for name, is_wrong, epsilon in leaks(seed):
            proven[name].append(epsilon)
            wrong[name] = is_wrong
    print(f"claimed: epsilon {CLAIMED:.2f}; {seeds} seeds")
    for name, bounds in proven.items():
        kind = "wrong" if wrong[name] else "right"
        caught = sum(bound > CLAIMED for bound in bounds)
        print(f"{kind}  {name:50}  caught {caught:2} of {seeds}, {min(bounds):5.2f} to {max(bounds):5.2f}")
    each = (time.process_time() - began) / seeds / len(proven)
    print(f"{each:.2f} CPU-s for all games against one step")


if __name__ == "__main__":
    main()
