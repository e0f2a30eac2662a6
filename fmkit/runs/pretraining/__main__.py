"""``torchrun -m fmkit.runs.pretraining ...`` is the command ``fmkit pretrain`` in each process."""

import runpy
import sys

sys.argv[:1] = ["fmkit", "pretrain"]
runpy.run_module("fmkit", run_name="__main__")
