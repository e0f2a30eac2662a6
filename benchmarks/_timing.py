"""Compare two implementations fairly: a process for each, one thread, taking turns.

NumPy and torch in one process get in each other's way (two thread pools, one allocator), so each contestant is
a child process that waits for "go" on its standard input, runs a few steps and answers with the time of one.
The parent lets them take turns, so that whatever else the machine does hits both alike, and takes medians.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

ROUNDS, STEPS, WARM_UP = 15, 10, 5


def _clean_environment() -> dict[str, str]:
    """One thread each; and no leftover settings that pin the BLAS to another processor than this one."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MALLOC_"))}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return environment | dict.fromkeys(threads, "1")


def _serve(make_step: Callable[[], Callable[[], None]], keep: bool) -> None:
    """A child: time steps whenever the parent asks for it."""
    if keep:
        from fmkit.training import keep_memory

        keep_memory()
    step = make_step()
    for _ in range(WARM_UP):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.process_time()  # one thread: the time it had the processor, whoever else wanted it
        for _ in range(STEPS):
            step()
        print((time.process_time() - start) / STEPS, flush=True)


def _measure(script: str, names: list[str], keep: bool) -> dict[str, float]:
    """Median seconds of a step by contestant, taking turns."""
    children = {}
    for name in names:
        command = [sys.executable, script, "--child", name, *(["--keep-memory"] if keep else [])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        children[name] = subprocess.Popen(command, env=_clean_environment(), **pipes)
        if children[name].stdout.readline() != "ready\n":
            raise SystemExit(f"the contestant {name} did not start")
    times = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name, child in children.items():
            child.stdin.write("go\n")
            times[name].append(float(child.stdout.readline()))
    for child in children.values():
        child.stdin.close()
        child.wait()
    return {name: statistics.median(values) for name, values in times.items()}


def compare(contestants: dict[str, Callable[[], Callable[[], None]]]) -> None:
    """Time "numpy" against "torch" and print a table; the last line is ``ratio N``, NumPy's time over torch's.

    Parameters
    ----------
    contestants : {"numpy": make_step, "torch": make_step}
        ``make_step()`` prepares everything and returns a function that does one step.
    """
    if "--child" in sys.argv:
        name = sys.argv[sys.argv.index("--child") + 1]
        return _serve(contestants[name], "--keep-memory" in sys.argv)
    for keep in (False, True):
        times = _measure(os.path.abspath(sys.argv[0]), list(contestants), keep)
        ratio = times["numpy"] / times["torch"]
        memory = "memory kept (keep_memory)" if keep else "default malloc"
        parts = ", ".join(f"{name} {1000 * seconds:.2f} ms" for name, seconds in times.items())
        print(f"{memory}: {parts}, ratio {ratio:.2f}")
    print(f"ratio {ratio:.2f}")
