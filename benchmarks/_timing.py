"""Compare NumPy with torch fairly: a process for each, one thread, taking turns.

NumPy and torch in one process disturb each other (two thread pools, one allocator). So each runs in a child
process that waits for "go" on its standard input, runs a few steps and answers with the time of one. The two
take turns, so that other load on the machine slows both alike.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

ROUNDS, STEPS, WARM_UP = 15, 10, 5
MakeStep = Callable[[], Callable[[], None]]

# The name of each row, and how its children run; the last row is the result.
SETTINGS = {
    "default malloc": {},
    "memory kept, products held to AVX2": {"keep_memory": True, "avx2": True},
    "memory kept": {"keep_memory": True},
}


def _environment(avx2: bool) -> dict[str, str]:
    """One thread each, and none of the caller's settings of BLAS and malloc (made for another machine)."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MKL_", "MALLOC_"))}
    ours |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if avx2:  # NumPy's BLAS and torch's, on the same instructions; no effect without AVX2
        ours |= {"OPENBLAS_CORETYPE": "Haswell", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
    return ours


def _serve(make_step: MakeStep) -> None:
    """In a child: time a few steps each time the parent asks."""
    if "--keep-memory" in sys.argv:
        from fmkit.runs.memory import keep_memory

        keep_memory()
    step = make_step()
    for _ in range(WARM_UP):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.process_time()  # with one thread: other programs do not count
        for _ in range(STEPS):
            step()
        print((time.process_time() - start) / STEPS, flush=True)


def _measure(names: list[str], keep_memory: bool = False, avx2: bool = False) -> dict[str, float]:
    """Median seconds of a step of each contestant."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    children, times = {}, {name: [] for name in names}
    for name in names:
        command = [sys.executable, os.path.abspath(sys.argv[0]), "--child", name]
        command += ["--keep-memory"] if keep_memory else []
        children[name] = subprocess.Popen(command, env=_environment(avx2), **pipes)
        if children[name].stdout.readline() != "ready\n":
            raise SystemExit(f"{name} did not start")
    for _ in range(ROUNDS):
        for name, child in children.items():
            child.stdin.write("go\n")
            times[name].append(float(child.stdout.readline()))
    for child in children.values():
        child.communicate()
    return {name: statistics.median(values) for name, values in times.items()}


def compare(**contestants: MakeStep) -> None:
    """Time ``numpy`` against ``torch``; the last line printed is ``ratio N``, NumPy's time over torch's.

    Parameters
    ----------
    numpy, torch : functions
        Called in the child; prepares everything and returns a function that does one step.
    """
    if "--child" in sys.argv:
        return _serve(contestants[sys.argv[sys.argv.index("--child") + 1]])
    for row, settings in SETTINGS.items():
        ms = {name: 1000 * seconds for name, seconds in _measure(list(contestants), **settings).items()}
        ratio = ms["numpy"] / ms["torch"]
        print(f"{row}: numpy {ms['numpy']:.2f} ms, torch {ms['torch']:.2f} ms, ratio {ratio:.2f}", flush=True)
    print(f"ratio {ratio:.2f}")
