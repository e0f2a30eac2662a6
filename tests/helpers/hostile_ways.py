"""Ways to the right answer that are none, and ways out of the sandbox."""

from helpers import submissions as s
from helpers.submissions import Kind, one

# --- ways to the right answer ------------------------------------------------------------------------------


def tampered(make, says=""):
    return one(make, "tampered", says, "tampered")


def barred(make, says=""):
    return one(make, "wrong", says)


CALL = "linear_backward(dz[:, None], (x, w[:, None], True))"
SHORT = f"""
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dz = (y - t) / len(t) * y * (1 - y)
    dx, dw, db = {CALL}
    return dw[:, 0], db[0]
"""


def through_a_helper():
    notebook = s.with_answer(f"{s.HEAD}\n    return helped(x, w, b, t)")
    notebook["cells"].insert(
        8, s.code_cell(f"from fmkit.layers import linear_backward\ndef helped(x, w, b, t):{SHORT}")
    )
    return notebook


REFERENCE = "fmkit.lab.exercises.backprop.neuron"
TAMPERED = {
    "imports the reference": barred(
        lambda: s.inside("from fmkit.layers import linear_backward", SHORT), "write linear_backward yourself"
    ),
    "uses the notebook's import of it": barred(
        lambda: s.with_answer(s.HEAD + SHORT), "write linear_backward yourself"
    ),
    "through a helper": barred(through_a_helper, "write linear_backward yourself"),
    "importlib": tampered(
        lambda: s.inside(
            f"import importlib\nreturn importlib.import_module('{REFERENCE}').neuron_gradients(x, w, b, t)"
        ),
        REFERENCE,
    ),
    "__import__": tampered(
        lambda: s.inside(f"return __import__('{REFERENCE}', fromlist=['x']).neuron_gradients(x, w, b, t)"),
        "line 2",
    ),
    "sys.modules": barred(
        lambda: s.inside("import sys\nreturn sys.modules['fmkit.attention'].attention(x, w)"),
        "fmkit.attention",
    ),
    "exec": barred(lambda: s.inside("exec('from fmkit import bert; bert.bert(1, 2)')"), "fmkit.bert"),
    "the exercise's own answer": tampered(
        lambda: s.inside(
            "from fmkit.lab import exercises\nreturn exercises.get('backprop.neuron').reference(x, w, b, t)"
        ),
        "fmkit.lab",
    ),
    "torch": barred(
        lambda: s.inside("import torch\nw = torch.tensor(w, requires_grad=True)"), "torch.tensor"
    ),
    "torch caught": barred(
        lambda: s.inside("import torch\ntry:\n    torch.tensor(w)\nexcept BaseException:\n    pass"), "torch"
    ),
    "scipy": barred(
        lambda: s.inside("from scipy.special import expit\ny = expit(x @ w + b)"), "scipy.special.expit"
    ),
    "imported only": barred(
        lambda: s.inside("try:\n    from fmkit.layers import linear_backward\nexcept ImportError:\n    pass"),
        "write linear_backward yourself",
    ),
}

SEARCH = """
import os
for folder, _, files in os.walk("/"):
    if folder.startswith(("/proc", "/sys", "/usr/share", "/usr/include", "/usr/lib/x86_64-linux-gnu")):
        continue
    for name in files:
        secret = "gradebook" in name or "backprop" in name or name.endswith((".ipynb", ".jsonl"))
        found = found or secret or "exercise" in folder
"""
SECRETS = """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ in ("Exercise", "Mistake", "Known", "Verdict", "Journal"):
        found = True
"""
OTHERS = "import os\nfound = len([p for p in os.listdir('/proc') if p.isdigit()]) > 4"
DATABASE = """
import os
for path in ("../../gradebook.db", "/gradebook.db", "/tmp/../gradebook.db", "/home/gradebook.db"):
    try:
        with open(path, "a") as file:
            file.write("UPDATE grade SET auto_score = 100")
    except OSError:
        continue
    found = found or not os.path.abspath(path).startswith("/tmp/")
"""
PARENT = """
import os
with open(f"/proc/{os.getppid()}/mem", "r+b") as file:
    found = True
"""
PARENT_FDS = """
import os
for fd in range(3, 20):
    try:
        os.open(f"/proc/{os.getppid()}/fd/{fd}", os.O_WRONLY)
        found = True
    except OSError:
        pass
"""
SYSTEM = """
import os
for path in ("/kit/fmkit/lab/answer.py", "/usr/bin/x", "/etc/x", "/dev/shm/x", "/x", np.__file__):
    try:
        open(path, "a").close()
        found = True
    except OSError:
        pass
"""
RIGHTS = """
import ctypes, os
libc = ctypes.CDLL(None)
found = libc.unshare(0x10000000) == 0 or libc.ptrace(16, os.getppid(), 0, 0) == 0
for call in (os.setuid, os.setgid):
    try:
        call(0)
        found = found or os.getuid() == 0
    except OSError:
        pass
"""
LIMITS = """
import resource
for what in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        found = True
    except (OSError, ValueError):
        pass
"""
SOCKETS = """
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", {port})), (socket.AF_INET6, ("::1", {port}))):
    try:
        socket.create_connection(address, timeout=0.5)
        found = True
    except OSError:
        pass
try:
    socket.socket(40, socket.SOCK_STREAM)  # AF_VSOCK: to a virtual machine's host
    found = True
except OSError:
    pass
"""


PYTHON = """
import subprocess, sys
program = "import fmkit.layers; print(fmkit.layers.__file__)"
found = b"layers" in subprocess.run([sys.executable, "-c", program], capture_output=True).stdout
"""


def neighbour_writes():
    return s.inside("open('/tmp/from-a-friend', 'w').write('dw = x.T @ dz')")


CONFINED = {  # full marks only where there is nothing to be found
    "searches every file": Kind(lambda: s.unless(SEARCH)),
    "searches the memory": Kind(lambda: s.unless(SECRETS)),
    "looks for other processes": Kind(lambda: s.unless(OTHERS)),
    "writes into the gradebook": Kind(lambda: s.unless(DATABASE)),
    "writes into its parent": Kind(lambda: s.unless(PARENT)),
    "takes its parent's pipes": Kind(lambda: s.unless(PARENT_FDS)),
    "changes the system": Kind(lambda: s.unless(SYSTEM)),
    "asks for rights": Kind(lambda: s.unless(RIGHTS)),
    "raises its limits": Kind(lambda: s.unless(LIMITS)),
    "leaves a note": Kind(neighbour_writes),
    "reads a note": Kind(lambda: s.unless("import os\nfound = os.path.exists('/tmp/from-a-friend')")),
    "runs another Python": Kind(lambda: s.unless(PYTHON)),
}
