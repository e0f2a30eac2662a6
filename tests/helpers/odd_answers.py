"""Right answers as students write them in a notebook: odd, but honest. For each, `check` and grading agree.

A kind is (exercise, cells above, the answer, cells below, what both say).
"""

from textwrap import indent

RIGHT = {
    "backprop.neuron": """def neuron_gradients(x, w, b, t):
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dz = (y - t) / len(t) * y * (1 - y)
    return x.T @ dz, dz.sum()""",
    "backprop.linear": """def scaled_linear_backward(dout, x, w, scale):
    dy = dout * scale
    dw = x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])
    return dy @ w.T, dw""",
    "backprop.tied": """def tied_backward(dout, x, w):
    h = np.tanh(x @ w)
    dz = (dout @ w) * (1 - h * h)
    return dz @ w.T, dout.T @ h + x.T @ dz""",
    "backprop.capped_relu": """def capped_leaky_relu_backward(dout, x, slope, cap):
    dx = np.where(x > 0, dout, slope * dout)
    return np.where(x < cap, dx, 0 * dout)""",
    "activations.scaled_tanh": """def scaled_tanh_backward(dout, out, a, b):
    t = out / a
    return dout * a * b * (1 - t * t)""",
    "losses.text_bits": """def text_bits(logp, pieces):
    return float(-logp.sum() / math.log(2) / sum(len(piece) for piece in pieces))""",
}
NEURON, LINEAR, TIED, CAPPED, TANH, BITS = RIGHT
HEAD = "def neuron_gradients(x, w, b, t):\n"
BY_THE_KIT = """
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dz = (y - t) / len(t) * y * (1 - y)
    dx, dw, db = layers.linear_backward(dz[:, None], (x, w[:, None], True))
    return dw[:, 0], db[0]"""


def kind(id, *edits, answer=None, above=(), below=(), status="ok"):
    source = RIGHT[id] if answer is None else answer
    for was, now in edits:
        assert was in source, (id, was)
        source = source.replace(was, now)
    return id, tuple(above), source, tuple(below), status


def pasted(source):
    return "\n".join((">>> " if n == 0 else "... ") + line for n, line in enumerate(source.split("\n")))


TIMED = """import functools, time
def timed(f):
    @functools.wraps(f)
    def inner(*args, **named):
        began = time.perf_counter()
        result = f(*args, **named)
        print(time.perf_counter() - began)
        return result
    return inner"""

KINDS = {
    # IPython's own words
    "magics on top": kind(NEURON, above=["%matplotlib inline\n%load_ext autoreload\n%autoreload 2"]),
    "between fences of Markdown": kind(NEURON, answer=f"\n```python\n{RIGHT[NEURON]}\n```\n"),
    "below a fence": kind(TANH, answer=f"~~~ py\n{RIGHT[TANH]}"),
    "a timed cell": kind(LINEAR, answer="%%time\n\n" + RIGHT[LINEAR]),
    "a captured cell": kind(TIED, answer="%%capture\n%%time\n" + RIGHT[TIED]),
    "shell lines": kind(CAPPED, answer=f"!true\nfiles = !ls\n{RIGHT[CAPPED]}\nfiles[:2]"),
    "a magic's result": kind(TANH, answer=RIGHT[TANH] + "\nres = %timeit -n 1 -r 1 -o 3\nres.average"),
    "a timed assignment": kind(BITS, ("math.log(2)", "TWO"), above=["%time TWO = math.log(2)"]),
    "magics inside": kind(NEURON, ("    dz =", "    !true\n    %timeit -n 1 -r 1 3\n    dz =")),
    "pasted prompts": kind(LINEAR, answer=pasted(RIGHT[LINEAR])),
    "pasted with its indentation": kind(TIED, answer=indent(RIGHT[TIED], "    ")),
    "help": kind(CAPPED, answer=RIGHT[CAPPED] + "\ncapped_leaky_relu_backward?\n?np.where\nnp.where??"),
    "await outside of a function": kind(
        TANH,
        ("(1 - t", "(ONE - t"),
        above=["async def load():\n    return 1.0", "ONE = await load()"],
    ),
    # signatures
    "jaxtyping": kind(
        NEURON,
        ("(x, w, b, t)", "(x: Float[Array, 'N C'], w: Float[Array, 'C'], b: float, t) -> tuple"),
        above=["from jaxtyping import Float\nArray = np.ndarray"],
    ),
    "the kit's own types": kind(
        LINEAR,
        ("(dout, x, w, scale)", "(dout: Float[Array, 'B T K'], x: Float[Array, 'B T C'], w, scale)"),
        answer="from fmkit._types import Array, Float\n" + RIGHT[LINEAR],
    ),
    "checked by beartype": kind(
        TIED,
        answer="from beartype import beartype\nfrom jaxtyping import jaxtyped\n"
        f"@jaxtyped(typechecker=beartype)\n{RIGHT[TIED]}",
    ),
    "NumPy's types": kind(
        CAPPED,
        ("(dout, x,", "(dout: NDArray[np.float64], x: 'NDArray',"),
        above=["from numpy.typing import NDArray"],
    ),
    "names that are never evaluated": kind(
        TANH,
        ("(dout, out, a, b)", "(dout: Tensor, out: Tensor, a: Number, b: Number) -> Tensor"),
        answer="from __future__ import annotations\n" + RIGHT[TANH],
    ),
    "keyword-only extras": kind(BITS, ("pieces):", "pieces, /, *, verbose=False):")),
    # decorators, and other things that can be called
    "a decorator of one's own": kind(NEURON, answer="@timed\n" + RIGHT[NEURON], above=[TIMED]),
    "an error state as a decorator": kind(LINEAR, answer="@np.errstate(all='ignore')\n" + RIGHT[LINEAR]),
    "a lambda": kind(
        BITS,
        answer="text_bits = lambda logp, pieces: float(-logp.sum() / math.log(2) / len(''.join(pieces)))",
    ),
    "a partial function": kind(
        TANH,
        answer="from functools import partial\ndef slope(one, dout, out, a, b):\n    t = out / a\n"
        "    return dout * a * b * (one - t * t)\nscaled_tanh_backward = partial(slope, 1)",
    ),
    "a closure": kind(
        CAPPED,
        answer="def make(zero):\n"
        + indent(RIGHT[CAPPED].replace("0 * dout", "zero * dout"), "    ")
        + "\n    return capped_leaky_relu_backward\n\ncapped_leaky_relu_backward = make(0)",
    ),
    "an object that is called": kind(
        TIED,
        answer="class Tied:\n    calls = 0\n"
        + indent(RIGHT[TIED].replace("tied_backward(dout", "__call__(self, dout"), "    ")
        + "\ntied_backward = Tied()",
    ),
    "made by exec": kind(NEURON, answer=f"exec({RIGHT[NEURON]!r})"),
    # names from elsewhere
    "star imports": kind(
        BITS, ("math.log(2)", "log(2)"), above=["from math import *\nfrom os.path import *"]
    ),
    "another name of NumPy": kind(
        TIED,
        ("np.tanh", "xp.tanh"),
        above=["try:\n    import cupy as xp\nexcept ImportError:\n    import numpy as xp"],
    ),
    "a table filled by a function": kind(
        TANH,
        ("(1 - t", "(TABLE['one'] - t"),
        above=["TABLE = {'one': 0}\ndef fill():\n    TABLE['one'] = 1", "fill()"],
    ),
    "a global set by a function": kind(
        CAPPED, ("0 * dout", "ZERO * dout"), above=["def setup():\n    global ZERO\n    ZERO = 0\nsetup()"]
    ),
    "a constant built by a loop": kind(
        NEURON, ("(1 - y)", "(one - y)"), above=["one = 0\nfor i in range(10):\n    one += i\none -= 44"]
    ),
    "a helper further down": kind(
        LINEAR, ("dout * scale", "scaled(dout, scale)"), below=["def scaled(a, b):\n    return a * b"]
    ),
    "a helper that calls what is taught": kind(
        NEURON,
        answer=f"{HEAD}    return helped(x, w, b, t)",
        above=["from fmkit import layers", f"def helped(x, w, b, t):{BY_THE_KIT}"],
        status="wrong",
    ),
    "a helper that calls what the exercise does not teach": kind(
        LINEAR,
        ("dy @ w.T", "times(dy, w.T)"),
        above=["from fmkit import layers\n\ndef times(x, w):\n    return layers.linear(x, w)[0]"],
    ),
    "a cached helper": kind(
        BITS,
        ("math.log(2)", "log2()"),
        above=["from functools import cache\n@cache\ndef log2():\n    return math.log(2)"],
    ),
    "a dataclass": kind(
        TANH,
        ("out / a", "out / P(a, b).a"),
        above=["from dataclasses import dataclass\n@dataclass\nclass P:\n    a: float\n    b: float = 1.0"],
    ),
    "a global counter": kind(
        TIED, ("    h =", "    global calls\n    calls += 1\n    h ="), above=["calls = 0"], below=["calls"]
    ),
    # left over
    "display, print and a progress bar": kind(
        NEURON,
        ("    dz =", "    display(x)\n    print(x)\n    for _ in tqdm(range(3)): pass\n    dz ="),
        answer="from tqdm.notebook import tqdm\n" + RIGHT[NEURON],
    ),
    "plots and tests below": kind(
        CAPPED,
        answer=RIGHT[CAPPED] + "\n\nz = np.linspace(-1, 9)\nd = capped_leaky_relu_backward(z, z, 0.1, 6.0)\n"
        "plt.plot(z, d)\nplt.close('all')\nassert d.shape == z.shape\nfor i in d[:3]:\n    print(i)",
    ),
    "a plot inside": kind(LINEAR, ("    dy =", "    plt.plot(x.ravel())\n    dy ="), status="wrong"),
    "two tries in a cell": kind(
        TIED, answer=f"def tied_backward(dout, x, w):\n    return None\n\n{RIGHT[TIED]}"
    ),
    "a worse try below in the cell": kind(
        TANH,
        answer=f"{RIGHT[TANH]}\n\ndef scaled_tanh_backward(dout, out, a, b):\n    return dout",
        status="wrong",
    ),
    "an older try beside the commented placeholder": kind(
        NEURON,
        ("    y =", "    # raise NotImplementedError('write this, then run its check')\n    y ="),
        above=[f"# scratch\n{HEAD}    return x.sum(0), 0.0"],
    ),
    "a placeholder that is not reached": kind(
        BITS,
        answer=RIGHT[BITS] + "\n    raise NotImplementedError('write this, then run its check')",
        above=["def text_bits(logp, pieces):\n    return 0.0"],
    ),
    "another try above the check": kind(
        CAPPED, answer="def capped_leaky_relu_backward(*a):\n    return a[0]", below=[RIGHT[CAPPED]]
    ),
    # the file's own oddities
    "tabs": kind(LINEAR, ("    ", "\t")),
    "line ends and form feeds of others": kind(TIED, ("\n", "\r\n"), answer="\f\n" + RIGHT[TIED]),
    "names that are not ASCII": kind(NEURON, ("dz", "δz"), ("y", "ŷ")),
    "a very long line": kind(TANH, answer=RIGHT[TANH] + "\nlong = [" + "1, " * 20_000 + "]"),
    "a guard for scripts": kind(BITS, answer="if __name__ == '__main__':\n" + indent(RIGHT[BITS], "    ")),
    "a file of notes": kind(
        CAPPED, ("    dx =", "    with open('/tmp/notes.txt', 'a') as f:\n        f.write('x')\n    dx =")
    ),
}
