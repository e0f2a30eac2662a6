"""What students hand in, honest and hostile: the table that tests/test_grading.py grades, all in one
batch."""

import json

from helpers import submissions as s
from helpers.submissions import IDS, NEURON, Kind, one

ALL_WRONG = dict.fromkeys(IDS, "wrong")
EVERYTHING_MISSING = dict.fromkeys(IDS, "missing")


# --- honest ------------------------------------------------------------------------------------------------


def all_wrong():
    notebook = s.solved()
    for id in IDS:
        cell = s.cell_of(notebook, id)
        head = next(line for line in cell["source"].split("\n") if line.startswith("def "))
        cell["source"] = f"{head}\n    return 0.0"
    return notebook


SLIPS = {  # one slip in each right answer: what it was, what it is now
    "backprop-nudge": ("(up - down) / (2 * eps)", "(up - down) / eps"),
    "backprop-neuron": ("(y - t) / len(t)", "(y - t)"),
    "backprop-linear": ("dy = dout * scale", "dy = dout"),
    "backprop-capped_relu": ("np.where(x < cap, dx, 0 * dout)", "dx"),
    "backprop-weighted_ce": ("[:, None] / tau", "[:, None]"),
    "backprop-network": ("dlogits /= len(labels)", "pass"),
    "backprop-channel_norm": ("dx = dx - norm", "dx = dx - 0 * norm"),
    "backprop-unbroadcast": (
        " + stretched, keepdims=True).reshape(shape)",
        ", keepdims=True).reshape(dout.shape[lead:])",
    ),
    "backprop-tied": ("dw += x.T @ dz", "pass"),
    "backprop-spot_the_bug": ("w.sum() * delta2 *", "w.sum() * (y - t) *"),
}


def one_slip_each():
    notebook = s.solved()
    for id, (was, now) in SLIPS.items():
        cell = s.cell_of(notebook, id)
        assert was in cell["source"], id
        cell["source"] = cell["source"].replace(was, now)
    return notebook


def partly_done():
    notebook = s.untouched()
    for id in IDS[:5]:
        s.cell_of(notebook, id)["source"] = s.cell_of(s.solved(), id)["source"]
    return notebook


def answer_below():
    notebook = s.untouched()
    for id in IDS:
        source = s.cell_of(s.solved(), id)["source"]
        notebook["cells"].insert(s.place_of(notebook, id) + 1, s.code_cell(source))
    return notebook


def all_in_one_cell():
    sources = [s.cell_of(s.solved(), id)["source"] for id in IDS]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [s.code_cell("import numpy as np\n" + "\n\n".join(sources))],
    }


def helper_elsewhere(below=False):
    notebook = s.with_answer(f"{s.HEAD}\n    return my_gradients(x, w, b, t)")
    helper = s.code_cell(f"def my_gradients(x, w, b, t):{s.RIGHT}")
    notebook["cells"].insert(s.place_of(notebook, NEURON) + (4 if below else -9), helper)
    return notebook


def helper_by_exec():
    notebook = s.with_answer(f"{s.HEAD}\n    return hidden_helper(x, w, b, t)")
    notebook["cells"].insert(5, s.code_cell(f"exec({f'def hidden_helper(x, w, b, t):{s.RIGHT}'!r})"))
    return notebook


PROGRESS = """
import sys, warnings
from tqdm import tqdm
warnings.warn("look out")
for i in tqdm(range(20)):
    print("row", i, file=sys.stderr)
"""

DEEPER = s.RIGHT.replace("\n", "\n    ")

HONEST = {
    "all right": Kind(s.solved),
    "all wrong": Kind(all_wrong, others=ALL_WRONG),
    "one slip each": Kind(one_slip_each, others=ALL_WRONG),
    "partly done": Kind(partly_done, others=dict.fromkeys(IDS[5:], "undone")),
    "untouched": Kind(s.untouched, others=dict.fromkeys(IDS, "undone")),
    "answers below their cells": Kind(answer_below),
    "all answers in one cell": Kind(all_in_one_cell),
    "a helper in another cell": Kind(helper_elsewhere),
    "a helper further down": Kind(lambda: helper_elsewhere(below=True)),
    "a helper made by exec": Kind(helper_by_exec),
    "warnings and progress bars": Kind(lambda: s.inside(PROGRESS)),
    "magics": Kind(
        lambda: s.with_answer(
            f"%%time\n%matplotlib inline\n!pip list\nimport numpy as np\n{s.HEAD}{s.RIGHT}\nneuron_gradients?"
        )
    ),
    "a lambda": Kind(
        lambda: s.with_answer("def _f(x, w, b, t):" + s.RIGHT + "\nneuron_gradients = lambda *a: _f(*a)")
    ),
    "a class": Kind(
        lambda: s.with_answer(
            f"class N:\n    def __call__(self, x, w, b, t):{DEEPER}\nneuron_gradients = N()"
        )
    ),
    "a broken cell elsewhere": Kind(lambda: s.first_cell("this is not Python (")),
    "a failing line above the function": Kind(lambda: s.with_answer(f"1 / 0\n{s.HEAD}{s.RIGHT}")),
    "check called in the answer": Kind(
        lambda: s.with_answer(
            f"{s.HEAD}{s.RIGHT}\nfrom fmkit.lab import check\ncheck('backprop.neuron', neuron_gradients)"
        )
    ),
    "a syntax error": one(lambda: s.with_answer(f"{s.HEAD}{s.RIGHT}\n   oops("), "wrong", "is not Python"),
    "null bytes": one(lambda: s.with_answer(f"{s.HEAD}{s.RIGHT}\n\0"), "wrong", "is not Python"),
    "the function renamed": one(
        lambda: s.with_answer(f"def my_neuron(x, w, b, t):{s.RIGHT}"), "wrong", "not define a function called"
    ),
    "input()": one(lambda: s.inside("input('your name? ')"), "wrong", "EOFError"),
    "a generator": one(lambda: s.inside("yield 1"), "wrong", "generator"),
    "an argument overwritten": one(
        lambda: s.inside("x *= 1.5\nx /= 1.5\nx[0, 0] += 1e-9"), "wrong", "overwrites"
    ),
    "a result of a wrong type": one(lambda: s.inside("return 'right, I promise'"), "wrong"),
    "NaN": one(lambda: s.inside("return x.T @ t * np.nan, np.nan"), "wrong"),
    "raises an odd text": one(
        lambda: s.inside(r"raise ValueError('\ud800\x1b[31m<script>' + 'z' * 10_000_000)"), "wrong"
    ),
}


# --- cells deleted, copied, edited -------------------------------------------------------------------------


def without(*grade_ids):
    notebook = s.solved()
    for id in grade_ids:
        notebook["cells"].remove(s.cell_of(notebook, id))
    return notebook


def edited(which, source=None, **nbgrader):
    notebook = s.solved()
    cell = s.cell_of(notebook, which)
    cell["source"] = cell["source"] if source is None else source
    cell["metadata"]["nbgrader"].update(nbgrader)
    return notebook


def copied(grade_id, source=None, above=False):
    notebook = s.solved()
    place = s.place_of(notebook, grade_id)
    cell = json.loads(json.dumps(notebook["cells"][place])) | {"id": "copied"}
    cell["source"] = cell["source"] if source is None else source
    notebook["cells"].insert(place if above else place + 1, cell)
    return notebook


def stripped(ids):
    notebook = s.solved()
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if not ids:
            cell.pop("id", None)
    return notebook


def points_changed():
    notebook = s.with_answer(f"{s.HEAD}\n    return 0.0")
    for cell in notebook["cells"]:
        if "points" in cell["metadata"].get("nbgrader", {}):
            cell["metadata"]["nbgrader"]["points"] = 100
    return notebook


def other_type(kind):
    notebook = s.solved()
    cell = s.cell_of(notebook, NEURON)
    cell["cell_type"] = kind
    return notebook


def moved_to_the_end():
    notebook = s.solved()
    cells = [s.cell_of(notebook, id) for id in IDS]
    notebook["cells"] = [c for c in notebook["cells"] if c not in cells] + cells
    return notebook


ALWAYS_RIGHT = "def check(*args):\n    print('Correct')\nneuron_gradients = None"

CELLS = {
    "answer cell deleted": one(lambda: without(NEURON), "missing", "no answer", "partly graded"),
    "answer cell as markdown": Kind(lambda: other_type("markdown")),
    "answer cell as raw text": Kind(lambda: other_type("raw")),
    "all answer cells deleted": Kind(lambda: without(*IDS), "partly graded", EVERYTHING_MISSING),
    "answer cell copied, the last is right": Kind(lambda: copied(NEURON, "neuron_gradients = 1", above=True)),
    "answer cell copied, the last is wrong": one(
        lambda: copied(NEURON, f"{s.HEAD}\n    return 1.0"), "wrong"
    ),
    "answer cell renamed": Kind(lambda: edited(NEURON, grade_id="mine")),
    "answer cells moved to the end": Kind(moved_to_the_end),
    "test cell deleted": Kind(lambda: without(f"{NEURON}-check")),
    "test cell edited": Kind(lambda: edited(f"{NEURON}-check", ALWAYS_RIGHT)),
    "test cell copied": Kind(lambda: copied(f"{NEURON}-check", ALWAYS_RIGHT)),
    "test cell renamed": Kind(lambda: edited(f"{NEURON}-check", grade_id="whatever")),
    "test cell claims the answer's id": Kind(lambda: edited(f"{NEURON}-check", grade_id=NEURON)),
    "points changed to 100": one(points_changed, "wrong"),
    "metadata stripped": Kind(lambda: stripped(ids=True)),
    "metadata and ids stripped": Kind(lambda: stripped(ids=False)),
    "check redefined": Kind(
        lambda: s.first_cell("import fmkit.lab\nfmkit.lab.check = check = lambda *a: None")
    ),
    "a cell of three megabytes": one(
        lambda: s.with_answer(f"{s.HEAD}{s.RIGHT}\n#" + "z" * 3_000_000), "wrong"
    ),
}


# --- files -------------------------------------------------------------------------------------------------


def nbformat_3():
    notebook = s.solved()
    cells = []
    for cell in notebook["cells"]:
        one = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        one["input" if cell["cell_type"] == "code" else "source"] = cell["source"].splitlines(keepends=True)
        cells.append(one)
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


def odd_cells():
    notebook = s.solved()
    odd = [None, 7, [], {}, {"cell_type": "code", "metadata": None, "source": None}]
    odd += [{"cell_type": ["code"], "metadata": {"nbgrader": 1}, "source": [1, None, {}]}]
    odd += [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": ["x"]}}, "source": {"a": 1}, "id": 5}]
    notebook["cells"] = odd + notebook["cells"] + odd
    return notebook


def large_output():
    notebook = s.solved()
    stream = {"output_type": "stream", "name": "stdout", "text": "z" * 60_000_000}
    notebook["cells"][5]["outputs"] = [stream]
    return notebook


def scripts():
    notebook = s.with_answer(f"{s.HEAD}{s.RIGHT}\n# <script>alert(1)</script>")
    script = "<script>document.title = 'graded: 100'</script>"
    notebook["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": script})
    notebook["cells"][6]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": script}},
    ]
    return notebook


def latin_1():
    notebook = s.first_cell("name = 'Ren\u00e9'")
    return (
        json.dumps(notebook, ensure_ascii=False).replace("\N{MINUS SIGN}", "-").encode("latin-1", "replace")
    )


def unreadable(make, says):
    return Kind(make, "unreadable", EVERYTHING_MISSING, says)


FILES = {
    "nbformat 3": Kind(nbformat_3),
    "BOM": Kind(lambda: b"\xef\xbb\xbf" + s.data_of(s.solved())),
    "UTF-16": Kind(lambda: json.dumps(s.solved(), ensure_ascii=False).encode("utf-16")),
    "latin-1": Kind(latin_1),
    "odd cells": Kind(odd_cells),
    "60 MB of output": Kind(large_output),
    "scripts": Kind(scripts),
    "bad JSON": unreadable(lambda: s.data_of(s.solved())[:-100], "is not a notebook"),
    "empty": unreadable(lambda: b"", "empty"),
    "only blanks": unreadable(lambda: b" \n\n\0\0", "empty"),
    "a zip": unreadable(lambda: b"PK\x03\x04" + bytes(range(256)) * 10, "zip"),
    "a web page": unreadable(lambda: b"<!DOCTYPE html><html></html>", "web page"),
    "a list": unreadable(lambda: b"[1, 2]", "not an object"),
    "no cells": unreadable(lambda: b'{"nbformat": 4, "cells": 7}', "no cells"),
    "cells of another kind": unreadable(lambda: b'{"nbformat": 4}', "no cells"),
    "nested deeply": unreadable(lambda: b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested"),
}
