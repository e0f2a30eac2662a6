"""Hostile code inside answers: loops, crashes, bombs, ways out of the sandbox, ways to the right answer."""

from fmkit.lab.judging import wire
from helpers import submissions as s
from helpers.submissions import Kind, one

BAD_END = ("crashed", "wrong", "timeout")
BAD_ENDS = ("crashed", "graded", "timeout")


def timeout(make, status="timeout"):
    return one(make, status, submission="timeout")


def crashed(make, says="", status="crashed"):
    return one(make, status, says, status)


# --- without end: each costs the whole time limit ----------------------------------------------------------

ENDLESS = {
    "loop in the cell": timeout(lambda: s.with_answer(f"{s.HEAD}{s.RIGHT}\nwhile True:\n    pass")),
    "loop in the function": timeout(lambda: s.inside("while True:\n    pass")),
    "loop in C": timeout(lambda: s.inside("import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')")),
    "swallows BaseException": timeout(
        lambda: s.inside(
            "while True:\n    try:\n        while 1:\n            pass\n    except:\n        pass"
        )
    ),
    "ignores signals": timeout(
        lambda: s.inside(
            "import signal\nfor n in (signal.SIGINT, signal.SIGPROF, signal.SIGTERM):\n"
            "    signal.signal(n, signal.SIG_IGN)\nwhile True:\n    pass"
        )
    ),
    "sleeps for hours": timeout(lambda: s.inside("import time\ntime.sleep(36_000)")),
    "prints for ever": timeout(lambda: s.inside("while True:\n    print('z' * 1000)")),
    "stops itself": timeout(lambda: s.inside("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)")),
    "stops its parent": timeout(
        lambda: s.inside("import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(3600)")
    ),
    "waits for a lock": timeout(
        lambda: s.inside("import threading\na = threading.Lock()\na.acquire()\na.acquire()")
    ),
}
ELSEWHERE = {"a loop in another cell": Kind(lambda: s.first_cell("while True:\n    pass"))}

# --- ends its process --------------------------------------------------------------------------------------

SEGFAULT = "import ctypes\nctypes.string_at(0)"
RECURSION = """
import sys
sys.setrecursionlimit(10**9)
def down(f):
    return sorted([1, 2], key=lambda _: down(f))
down(down)
"""
FORGED = """
import os
for fd in range(3, 128):
    try:
        os.write(fd, {bytes})
    except OSError:
        pass
import time
time.sleep(0.2)
os._exit(0)
"""


def forged(outcomes):
    return repr(wire.frame(wire.encode({"outcomes": outcomes, "modules": [], "used": []})))


ENDS = {
    "sys.exit": one(lambda: s.inside("import sys\nsys.exit(0)"), "wrong", "SystemExit"),
    "sys.exit in the cell": Kind(lambda: s.with_answer(f"import sys\nsys.exit(0)\n{s.HEAD}{s.RIGHT}")),
    "KeyboardInterrupt": one(lambda: s.inside("raise KeyboardInterrupt"), BAD_END, submission=BAD_ENDS),
    "os._exit": crashed(lambda: s.inside("import os\nos._exit(7)"), "exit code 7"),
    "os._exit in the cell": crashed(
        lambda: s.with_answer(f"import os\nos._exit(0)\n{s.HEAD}{s.RIGHT}"), "ended"
    ),
    "segfault": crashed(lambda: s.inside(SEGFAULT), "SIGSEGV"),
    "abort": crashed(lambda: s.inside("import os\nos.abort()"), "SIGABRT"),
    "endless recursion in C": one(lambda: s.inside(RECURSION), BAD_END, submission=BAD_ENDS),
    # the worker is process 1, which no signal from inside reaches
    "kill -9 of the parent": Kind(lambda: s.inside("import os\nos.kill(os.getppid(), 9)")),
    "kill -9 of everyone": one(lambda: s.inside("import os\nos.kill(-1, 9)"), "wrong", "ProcessLookupError"),
    "kill -9 of itself": crashed(lambda: s.inside("import os\nos.kill(os.getpid(), 9)"), "SIGKILL"),
    "closes everything": crashed(lambda: s.inside("import os\nos.closerange(0, 128)")),
    "a pickle down the pipe": crashed(
        lambda: s.inside(
            FORGED.format(bytes=r"b'\x00' * 7 + b'\x20' + b'\x80\x04\x95cos\nsystem\n' + b'z' * 40")
        )
    ),
    "a result of its own making": crashed(lambda: s.inside(FORGED.format(bytes=forged(5))), "not a result"),
    "a verdict of its own making": crashed(
        lambda: s.inside(FORGED.format(bytes=forged([{"status": "ok", "points": 100}] * 5))), "not a result"
    ),
    "a missing function of its own making": one(
        lambda: s.inside(FORGED.format(bytes=repr(wire.frame(wire.encode({"missing": [1], "why": 7}))))),
        "crashed",
        submission="crashed",
    ),
    "a pipe full of nothing": crashed(lambda: s.inside(FORGED.format(bytes=r"b'\x7f' * 100"))),
}

# --- takes too much ----------------------------------------------------------------------------------------

FORK_BOMB = """
import os
while True:
    os.fork()
"""
MEMORY_BY_MANY = """
import os, time
for _ in range(12):
    if os.fork() == 0:
        a = np.ones(40_000_000)
        time.sleep(60)
time.sleep(3)
"""
THREADS = """
import threading, time
for _ in range(500):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""
BIG_FILE = """
with open("/tmp/big", "wb") as file:
    for _ in range(10_240):
        file.write(bytes(1 << 20))
"""
MANY_FILES = """
for i in range(1000):
    with open(f"/tmp/{i}", "wb") as file:
        file.write(bytes(1 << 20))
"""

BOMBS = {
    "memory bomb": crashed(lambda: s.inside("a = []\nwhile True:\n    a.append(np.ones(10**7))"), "memory"),
    "one huge array": crashed(lambda: s.inside("np.ones(10**11)"), "memory"),
    "memory by many": crashed(lambda: s.inside(MEMORY_BY_MANY), "memory"),
    "fork bomb": one(lambda: s.inside(FORK_BOMB), BAD_END, submission=BAD_ENDS),
    "threads": one(
        lambda: s.inside(THREADS),
        BAD_END,
        submission=BAD_ENDS,
    ),
    "a 10 GB file": one(lambda: s.inside(BIG_FILE), "wrong", "OSError"),
    "many files": Kind(lambda: s.guarded(MANY_FILES)),
    "one line of 60 MB": Kind(lambda: s.inside("print('z' * 60_000_000)")),
    "60 MB past Python": Kind(
        lambda: s.inside("import os\nfor _ in range(60):\n    os.write(1 + _ % 2, b'z' * 1_000_000)")
    ),
    "a huge result": one(lambda: s.inside("return np.zeros(20_000_000), 1.0"), BAD_END, submission=BAD_ENDS),
    "a result that only looks huge": one(
        lambda: s.inside("return np.broadcast_to(0.0, (10**9, 10**9)), 1.0"), "wrong"
    ),
    "a result nested a thousand deep": one(
        lambda: s.inside("a = []\nfor _ in range(1000):\n    a = [a]\nreturn a, 1.0"), "wrong"
    ),
    "a result that holds itself": one(lambda: s.inside("a = []\na.append(a)\nreturn a, a"), "wrong"),
    "a number of a million digits": one(lambda: s.inside("return x.T @ t, 1 << 4_000_000"), "wrong"),
    "brackets without end": one(
        lambda: s.with_answer("neuron_gradients = " + "(" * 90_000),
        ("wrong", "crashed"),
        submission=("graded", "crashed"),
    ),
    "minus without end": one(
        lambda: s.with_answer("neuron_gradients = " + "-" * 90_000 + "1"),
        ("wrong", "crashed"),
        submission=("graded", "crashed"),
    ),
    "dots without end": one(
        lambda: s.with_answer("neuron_gradients = np" + ".a" * 60_000),
        ("wrong", "crashed"),
        submission=("graded", "crashed"),
    ),
}

# --- leaves things behind ----------------------------------------------------------------------------------

ORPHAN = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            try:
                with open("/tmp/orphan", "a") as file:
                    file.write("z")
            except OSError:
                pass
            time.sleep(0.01)
    os._exit(0)
"""

THREAD = """
import threading, time
def run():
    while True:
        time.sleep(0.01)
threading.Thread(target=run).start()
"""
SAME = """
class Same:
    __array_priority__ = 1e9
    def __eq__(self, other):
        return True
    def __array__(self, *a, **k):
        return x.T @ t
return Same(), Same()
"""
SAME_ARRAY = """
class Same(np.ndarray):
    def __eq__(self, other):
        return np.ones(1, bool)
    def __sub__(self, other):
        return 0 * self
return np.zeros_like(w).view(Same), np.zeros(()).view(Same)
"""

LEFT = {
    "a thread left running": Kind(lambda: s.inside(THREAD)),
    "a detached orphan": Kind(lambda: s.inside(ORPHAN)),
    "an orphan that holds the pipe": Kind(
        lambda: s.inside("import os, time\nif os.fork() == 0:\n    time.sleep(3600)")
    ),
    "numpy patched in a cell": Kind(
        lambda: s.first_cell("import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True")
    ),
    "numpy patched in an answer": Kind(
        lambda: s.with_answer(
            f"import numpy as np\nnp.tanh = np.where = np.zeros_like = None\n{s.HEAD}{s.RIGHT}"
        )
    ),
    "builtins patched": one(
        lambda: s.inside("import builtins\nbuiltins.isinstance = builtins.sorted = builtins.type = None"),
        ("ok", *BAD_END),
        submission=BAD_ENDS,
    ),
    "input_transformers_cleanup": Kind(
        lambda: s.first_cell("get_ipython().input_transformers_cleanup.append(lambda lines: [])")
    ),
    "an object equal to everything": one(
        lambda: s.inside(SAME),
        "wrong",
    ),
    "an array equal to everything": one(
        lambda: s.inside(SAME_ARRAY),
        "wrong",
    ),
    "a pickle as the result": one(lambda: s.inside("import pickle\nreturn pickle.dumps((x, w))"), "wrong"),
    "an exception whose text raises": one(
        lambda: s.inside(
            "class Odd(Exception):\n    def __str__(self):\n        raise SystemExit\nraise Odd"
        ),
        BAD_END,
        submission=BAD_ENDS,
    ),
    "an audit hook that forbids all": one(
        lambda: s.inside("import sys\ndef no(*a):\n    raise RuntimeError\nsys.addaudithook(no)"),
        ("ok", *BAD_END),
        submission=BAD_ENDS,
    ),
}
