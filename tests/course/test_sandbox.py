"""The sandbox's parts: what goes through the pipe, which statements run, what is allowed, what is refused."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import submissions as s
from helpers.grading import grade, needs_sandbox
from helpers.hostile_code import ENDS, LEFT, crashed
from helpers.hostile_ways import OTHERS, SEARCH, SOCKETS, TAMPERED
from helpers.values import same

from fmkit.course.grading.grade import grade_submission
from fmkit.course.grading.outcomes import failure_from, outcomes_from, tidy
from fmkit.course.sandbox import seccomp, slicing, staging
from fmkit.course.sandbox.process import MB, Limits, Sandbox, WorkerLost
from fmkit.course.sandbox.watch import descendants
from fmkit.course.submission import Unreadable, read_bytes, read_cells
from fmkit.lab.judging.plain import plain
from fmkit.lab.judging.wire import WireError

UNSAFE = {
    "all right": s.Kind(s.solved),
    **{name: ENDS[name] for name in ("sys.exit", "os._exit", "segfault")},
    "kill -9 of the parent": crashed(lambda: s.inside("import os\nos.kill(os.getppid(), 9)"), "stopped"),
    **{name: LEFT[name] for name in ("a thread left running", "a detached orphan")},
    **{name: TAMPERED[name] for name in ("imports the reference", "torch", "exec", "importlib")},
    "ignores signals": s.one(
        lambda: s.inside(
            "import signal\nsignal.signal(signal.SIGPROF, signal.SIG_IGN)\nwhile True:\n    pass"
        ),
        "timeout",
        submission="timeout",
    ),
    "a huge array": s.one(lambda: s.inside("np.ones(10**11)"), "crashed", "memory", "crashed"),
}


# --- without bubblewrap ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unsafe(tmp_path_factory):
    limits = Limits(seconds=3.0, memory=1024 * MB)
    return grade(UNSAFE, tmp_path_factory.mktemp("unsafe"), limits, unsafe=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", UNSAFE)
def test_without_the_sandbox_the_judge_is_as_strict(name, unsafe):
    UNSAFE[name].check(unsafe[name])


def test_the_searches_find_something_where_there_is_no_sandbox(server):
    """Else they would prove nothing in the sandbox."""
    folder = Path(tempfile.mkdtemp())  # in a place that every user may read
    (folder / "gradebook.db").touch()
    search = SEARCH.replace('os.walk("/")', f'os.walk("{folder}")')
    folder.chmod(0o755)
    for lines in (OTHERS, SOCKETS.format(port=server), search):
        result = grade_submission(s.data_of(s.unless(lines)), s.NOTEBOOK, 1, unsafe=True)
        assert result["exercises"]["backprop-neuron-check"]["status"] == "wrong", lines


# --- limits ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@needs_sandbox
def test_the_time_of_a_submission_ends(tmp_path):
    notebook = s.solved()
    for id in s.IDS[:4]:
        cell = s.cell_of(notebook, id)
        cell["source"] = cell["source"].replace(
            "    ### BEGIN", "    import time\n    time.sleep(9)\n    ### BEGIN"
        )
    limits = Limits(seconds=1.5, submission_seconds=3.0)
    result = grade_submission(s.data_of(notebook), s.NOTEBOOK, 1, limits=limits)
    assert result["status"] == "timeout" and result["seconds"] < 15
    last = result["exercises"]["backprop-spot_the_bug-check"]
    assert last["status"] == "timeout" and "3 s of the submission" in last["message"]


@needs_sandbox
def test_a_lost_worker_is_said():
    with Sandbox(Limits(memory=400 * MB)) as sandbox:
        os.kill(descendants(sandbox.process.pid)[0], 9)
        with pytest.raises(WorkerLost, match="it ended"):
            sandbox.ask({"cells": [], "seconds": 1.0}, 5.0)


@needs_sandbox
@pytest.mark.parametrize("unsafe", [False, True])
def test_nothing_outlives_a_grader_that_is_killed(unsafe):
    program = (
        "import threading, time; from fmkit.course.sandbox.process import Sandbox\n"
        f"with Sandbox(unsafe={unsafe}) as sandbox:\n"
        "    source = 'import time\\ndef f():\\n    time.sleep(1000)'\n"
        "    sandbox.ask({'cells': [{'name': 'a', 'source': source}], 'seconds': 9.0}, 9.0)\n"
        "    print(sandbox.process.pid, flush=True)\n"
        "    question = dict(target=0, function='f', cases=[()], seconds=900.0, everything=False)\n"
        "    sandbox.ask(question, 900.0)"
    )
    grader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    pid = int(grader.stdout.readline())
    assert _soon(lambda: len(descendants(pid)) >= (1 if unsafe else 2))
    inside = [pid, *descendants(pid)]
    grader.kill()
    grader.communicate()
    assert _soon(lambda: not any(map(_lives, inside)))


def _soon(is_so):
    """Whether something is so within ten seconds."""
    return any(is_so() or time.sleep(0.02) for _ in range(500))


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_sandbox
def test_fifty_sandboxes_leave_nothing_open():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with Sandbox():
            pass
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
@needs_sandbox
def test_as_an_ordinary_user(tmp_path):
    """bubblewrap's own user namespace drops the rights then."""
    python, site = shutil.which("python3", path="/usr/bin"), str(Path(np.__file__).parent.parent)
    paths = os.pathsep.join((str(s.NOTEBOOK.parent.parent), site))
    program = (
        "import sys; from fmkit.course.grading.grade import grade_submission; "
        "print(grade_submission(sys.argv[1], sys.argv[2], 1)['score'])"
    )
    (tmp_path / "x.ipynb").write_bytes(s.data_of(s.solved()))
    become = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "env", f"PYTHONPATH={paths}"]
    probe = [*become, str(python), "-B", "-c", "import numpy, fmkit.course.sandbox.process as s; s.require()"]
    tried = subprocess.run(probe, capture_output=True, text=True, cwd="/")
    if python is None or tried.returncode:
        pytest.skip(f"no Python for an ordinary user here: {tried.stderr[-200:]}")
    program = [*become, str(python), "-B", "-c", program, s.NOTEBOOK, s.NOTEBOOK]
    done = subprocess.run(list(map(str, program)), capture_output=True, text=True, cwd="/")
    assert done.stdout.strip() == "29.0", done.stderr


def test_the_kit_in_the_sandbox_holds_nothing_that_answers():
    kit = staging.stage() / "kit"
    files = {p.relative_to(kit).as_posix() for p in kit.rglob("*.py")}
    assert "fmkit/course/sandbox/worker.py" in files and "fmkit/lab/judging/answer.py" in files
    told = [
        f for f in files if any(word in f for word in ("exercises", "cases", "judge.", "twins", "grading"))
    ]
    assert not told
    assert not (kit / "fmkit/lab/__init__.py").read_text()


def test_packages_come_with_what_they_require():
    names = {path.name for path in staging.files(("numpy",))}
    assert "numpy" in names and not names & {"torch", "fmkit", "scipy"}
    assert {"torch", "sympy", "numpy"} <= {p.name for p in staging.files(("torch", "numpy"))}


def test_the_filter_is_a_whole_program():
    code = seccomp.program()
    if not code:
        pytest.skip("no filter for this machine's processor")
    assert len(code) % 8 == 0 and len(code) < 8 * 4096
    steps = [tuple(code[i : i + 8]) for i in range(0, len(code), 8)]
    for at, step in enumerate(steps):  # every jump lands inside
        if step[0] & 7 == 5:
            assert at + 1 + max(step[2], step[3]) < len(steps)


def call(allowed, source, *args):
    """What ``f`` of a cell does on some arguments, with these modules allowed."""
    with Sandbox(allowed=allowed) as sandbox:
        sandbox.ask({"cells": [{"name": "a", "source": source}], "seconds": 10.0}, 20.0)
        question = {"target": 0, "function": "f", "cases": [args], "seconds": 30.0, "everything": False}
        return sandbox.ask(question, 60.0)["value"]


@needs_sandbox
def test_a_module_of_the_reference_may_be_allowed():
    source = "from fmkit.activations import relu\nfrom fmkit import layers\n"
    source += "def f(x):\n    return relu(x)[0]\ndef g(x):\n    return layers.linear(x, x, x)"
    right = call(("numpy", "fmkit.activations"), source, np.array([-1.0, 2.0]))
    assert right["used"] == [] and same(right["outcomes"][0]["value"], np.array([0.0, 2.0]))
    wrong = call(("numpy", "fmkit.activations"), source.replace("relu(x)[0]", "g(x)"), np.ones(2))
    assert wrong["used"] == ["fmkit.layers.linear"]
    assert call(("numpy",), source, np.ones(2))["used"] == ["fmkit.activations.relu"]


@pytest.mark.slow
@needs_sandbox
def test_torch_may_be_allowed():
    source = "import torch\ndef f(x):\n    return torch.relu(torch.tensor(x)).numpy()"
    right = call(("numpy", "torch"), source, np.array([-1.0, 2.0]))
    assert same(right["outcomes"][0]["value"], np.array([0.0, 2.0]))


# --- which statements run ----------------------------------------------------------------------------------


def needed(*cells, target=-1):
    facts = [slicing.scan(cell) for cell in cells]
    return slicing.needed(facts, target % len(cells))


@pytest.mark.parametrize(
    "cells, steps",
    [
        (("import numpy as np\nx = 1", "def f(): return np"), [(0, 0), (1, 0)]),
        (("x = 1", "x = 2", "def f(): return x"), [(1, 0), (2, 0)]),
        (("x = []", "x.append(1)", "print(x[0])", "def f(): return x"), [(0, 0), (1, 0), (3, 0)]),
        (("def g(): return h()", "def h(): return 1", "def f(): return g()"), [(0, 0), (1, 0), (2, 0)]),
        (("y = 1", "x = y", "y = 2", "z = x", "def f(): return z"), [(0, 0), (1, 0), (3, 0), (4, 0)]),
        (("while True: pass", "def f(): return 1"), [(1, 0)]),
        (("a = 5", "if a: x = 1\nelse: x = 2", "def f(): return x"), [(0, 0), (1, 0), (2, 0)]),
        (("from math import *", "def f(): return pi"), [(0, 0), (1, 0)]),
        (("this is (", "x = 3", "def f(): return x"), [(1, 0), (2, 0)]),
        (("import numpy as np", "np.tanh = 0", "def f(): return np"), [(0, 0), (2, 0)]),
        (("k = 2", "def f(a=k): return [a for _ in range(k)]"), [(0, 0), (1, 0)]),
        (("t = {}\ndef fill(): t[0] = 1", "fill()", "def f(): return t"), [(0, 0), (0, 1), (1, 0), (2, 0)]),
        (
            ("def fill():\n global t\n t = 1", "def all(): fill()", "all()", "def f(): return t"),
            [(0, 0), (1, 0), (2, 0), (3, 0)],
        ),
        (("t = 1", "def reset():\n global t\n t = 0", "def f(): return t"), [(0, 0), (2, 0)]),
        (("import asyncio\nx = await asyncio.sleep(0, 3)", "def f(): return x"), [(0, 0), (0, 1), (1, 0)]),
    ],
)
def test_only_what_is_needed_runs(cells, steps):
    assert sorted(needed(*cells)) == steps


def test_a_helper_below_runs_before_the_answer():
    assert needed("def f(): return g()", "def g(): return 1", target=0) == [(1, 0), (0, 0)]


# --- words from the other side -----------------------------------------------------------------------------

GOOD = {"value": 1.0, "failure": None, "arguments": (9, 2), "printed": "", "warned": ""}


def test_good_outcomes_are_read():
    (outcome,) = outcomes_from([GOOD], [(1, 2)])
    assert outcome.value == 1.0 and outcome.overwritten == ((0, ""),)


def test_what_was_overwritten_is_found_outside():
    case = (np.float32(2), {"a": [np.zeros(3), "text"]}, np.arange(3) > 1, float("nan"))
    sent = {**GOOD, "arguments": tuple(map(plain, case))}
    assert outcomes_from([sent], [case])[0].overwritten == ()
    sent["arguments"][1]["a"][0][1] = -0.0
    sent["arguments"][2][0] = True
    assert outcomes_from([sent], [case])[0].overwritten == ((1, '["a"][0]'), (2, ""))
    assert outcomes_from([GOOD | {"arguments": None}], [case])[0].overwritten == ()


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": (1,)},
        {"arguments": (1, 2, 3)},
        {"arguments": [1, 2]},
        {"arguments": {}},
        {"overwritten": []},
        {"failure": []},
        {"failure": {"kind": "ok"}},
        {"failure": {"kind": "raised", "ancestors": "Exception", "line": 1}},
        {"failure": {"kind": "raised", "ancestors": [1], "line": 1}},
        {"failure": {"kind": "raised", "ancestors": [], "line": "1"}},
        {"more": 1},
    ],
)
def test_odd_outcomes_are_refused(change):
    with pytest.raises(WireError):
        outcomes_from([GOOD | change], [(1, 2)])


@pytest.mark.parametrize("sent", [None, [], [GOOD, GOOD], {"0": GOOD}, [None], [[GOOD]]])
def test_odd_lists_are_refused(sent):
    with pytest.raises(WireError):
        outcomes_from(sent, [(1, 2)])


def test_texts_are_tidied():
    assert tidy("a\x1b[31m\ud800\u202eb\nc") == "a\ufffd[31m?\ufffdb\nc"
    assert len(tidy("z" * 10_000)) <= 500 and tidy(None) == "" and tidy(b"x") == ""
    failure = failure_from(
        {"kind": "raised", "type": "\x00" * 999, "ancestors": [], "message": 5, "line": None}
    )
    assert len(failure.type) <= 100 and failure.message == ""


# --- files -------------------------------------------------------------------------------------------------


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name, says in {
        "link": "link",
        "zero": "link",
        "loop": "link",
        "fifo": "not a regular file",
        "folder": "not a regular file|cannot be opened",
        "none": "no file",
        "a\0b": "cannot be opened|embedded null",
    }.items():
        with pytest.raises(Unreadable, match=says):
            read_bytes(f"{tmp_path}/{name}")


def test_a_file_of_a_hundred_gigabytes_is_not_read(tmp_path):
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(100 << 30)
    with pytest.raises(Unreadable, match="too large"):
        read_bytes(tmp_path / "huge")


def test_a_hundred_thousand_cells_are_cut(tmp_path):
    cells = [{"cell_type": "code", "source": "x = 1"}] * 100_000
    assert len(read_cells(json.dumps({"cells": cells}).encode())) == 5_000


def test_a_module_of_our_name_beside_the_notebook_is_not_imported(tmp_path):
    for name in ("numpy", "fmkit", "judge", "ast"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported the wrong one')")
    (tmp_path / "x.ipynb").write_bytes(s.data_of(s.solved()))
    program = (
        "import sys; sys.path.pop(0); from fmkit.course.grading.grade import grade_submission; "
        "print(grade_submission('x.ipynb', sys.argv[1], 1, unsafe=True)['score'])"
    )
    path = os.pathsep.join(filter(None, (str(s.NOTEBOOK.parent.parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", program, str(s.NOTEBOOK)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "29.0", done.stderr


def test_same_is_what_it_says():
    assert same(np.float32(1), np.float32(1)) and not same(np.float32(1), 1.0)
