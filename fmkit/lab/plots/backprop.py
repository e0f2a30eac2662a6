"""Chapter 04's picture: a computation graph, walked forward and backward a node at a time."""

import math
import textwrap
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLACK, BLUE, RED


@dataclass(frozen=True)
class Node:
    """One value of the graph: how it is made, from which values, and where it is drawn.

    A "sum" multiplies each input by the parameter on its wire and adds the parameter called ``bias``.
    """

    name: str
    op: str  # "input", "sum", "relu", "sigmoid" or "error"
    inputs: tuple[str, ...] = ()
    wires: tuple[str, ...] = ()
    bias: str = ""
    at: tuple[float, float] = (0.0, 0.0)


# The worked example of the chapter: two inputs, one hidden ReLU neuron, two wires to one sigmoid neuron.
EXAMPLE = (
    Node("x1", "input", at=(0.0, 0.75)),
    Node("x2", "input", at=(0.0, -0.75)),
    Node("z1", "sum", ("x1", "x2"), ("w1", "w2"), "b1", at=(1.7, 0.0)),
    Node("a1", "relu", ("z1",), at=(2.9, 0.0)),
    Node("z2", "sum", ("a1", "a1"), ("v1", "v2"), "b2", at=(4.7, 0.0)),
    Node("y", "sigmoid", ("z2",), at=(5.9, 0.0)),
    Node("L", "error", ("y",), at=(7.1, 0.0)),
)
NUMBERS = {"x1": 2.0, "x2": 3.0, "w1": 0.5, "w2": 1.0, "b1": 2.0, "v1": 0.7, "v2": 1.2, "b2": 1.0, "t": 1.0}


@dataclass
class Frame:
    """What is known after a step: values, gradients, the nodes in hand and a sentence about them."""

    values: dict[str, float]
    gradients: dict[str, float] = field(default_factory=dict)
    active: tuple[str, ...] = ()
    sentence: str = ""


def short(value: float | int) -> str:
    """A number in at most eight characters: 12.4, -0.0608, 4.1e-06."""
    if value != 0 and abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value + 0.0:.4g}"  # + 0.0 turns -0.0 into 0.0


def _in_formula(value):
    return f"({short(value)})" if value < 0 else short(value)


def walk(numbers: dict, nodes: tuple[Node, ...] = EXAMPLE) -> list[Frame]:
    """All frames: the inputs, each node forward, then each node backward, with a sentence for each."""
    known = {node.name: numbers[node.name] for node in nodes if node.op == "input"}
    frames = [Frame(dict(known), sentence="The inputs and the parameters are given.")]
    inner = [node for node in nodes if node.op != "input"]
    for node in inner:
        known[node.name], sentence = _forward(node, known, numbers)
        frames.append(Frame(dict(known), active=(node.name,), sentence="Forward: " + sentence))
    gradients = {inner[-1].name: 1.0}
    sentence = f"Backward starts at the loss: how much does {inner[-1].name} move when it moves by 1? By 1."
    frames.append(Frame(dict(known), dict(gradients), (inner[-1].name,), sentence))
    for node in reversed(inner):
        sentence = _backward(node, known, gradients, numbers)
        frames.append(Frame(dict(known), dict(gradients), node.inputs, "Backward: " + sentence))
    return frames


def _forward(node, known, numbers):
    a = [known[name] for name in node.inputs]
    if node.op == "sum":
        w = [numbers[name] for name in node.wires]
        value = sum(p * q for p, q in zip(w, a, strict=True)) + numbers[node.bias]
        terms = " + ".join(f"{short(p)} · {_in_formula(q)}" for p, q in zip(w, a, strict=True))
        return value, f"{node.name} = {terms} + {_in_formula(numbers[node.bias])} = {short(value)}"
    if node.op == "relu":
        return max(0.0, a[0]), f"{node.name} = max(0, {short(a[0])}) = {short(max(0.0, a[0]))}"
    if node.op == "sigmoid":
        value = 1 / (1 + math.exp(-a[0]))
        return value, f"{node.name} = sigmoid({short(a[0])}) = {short(value)}"
    value = (a[0] - numbers["t"]) ** 2 / 2
    return value, f"{node.name} = ({short(a[0])} - {short(numbers['t'])})² / 2 = {short(value)}"


def _backward(node, known, gradients, numbers):
    """Add what ``node`` sends back to ``gradients``; return the sentence that says so."""
    g, x = gradients[node.name], known[node.inputs[0]]
    if node.op == "sum":
        terms = []
        for name, wire in zip(node.inputs, node.wires, strict=True):
            gradients[name] = gradients.get(name, 0.0) + numbers[wire] * g
            gradients[wire] = known[name] * g
            terms.append((name, f"{short(numbers[wire])} · {_in_formula(g)}"))
        gradients[node.bias] = g
        if len(set(node.inputs)) == 1:  # several wires from one place
            both = " + ".join(term for _, term in terms)
            name = node.inputs[0]
            return f"every wire brings {name} its share, and shares add up: {both} = {short(gradients[name])}"
        return "each input gets its own wire's weight times what came back: " + ", ".join(
            f"{name}: {term} = {short(gradients[name])}" for name, term in terms
        )
    if node.op == "relu":
        slope, why = float(x > 0), f"the ReLU is {'on' if x > 0 else 'off'} at {node.inputs[0]} = {short(x)}"
    elif node.op == "sigmoid":
        y = known[node.name]
        slope, why = (
            y * (1 - y),
            f"the sigmoid's slope at {node.inputs[0]} = {short(x)} is {short(y)} · (1 - {short(y)})",
        )
    else:
        slope, why = x - numbers["t"], f"the slope of the halved square is y - t = {short(x - numbers['t'])}"
    gradients[node.inputs[0]] = slope * g
    return f"{why}; times what came back, {short(slope)} · {_in_formula(g)} = {short(slope * g)}"


# -- drawing -------------------------------------------------------------------------------------------------


def draw(frame: Frame, numbers: dict, ax, nodes: tuple[Node, ...] = EXAMPLE) -> None:
    """The graph at one step: values in blue above the nodes, gradients in red below them."""
    place = {node.name: np.array(node.at) for node in nodes}
    for node in nodes:
        for i, name in enumerate(node.inputs):
            wire = node.wires[i] if node.wires else ""
            bend = (0.45 if i == 0 else -0.45) if node.inputs.count(name) > 1 else 0.0
            _wire(ax, place[name], place[node.name], bend, wire, frame, numbers)
    for node in nodes:
        _circle(ax, node, frame, numbers)
    ax.set(xlim=(-0.6, 7.7), ylim=(-1.75, 1.55))
    ax.axis("off")


def _wire(ax, start, end, bend, wire, frame, numbers):
    style = {"arrowstyle": "-|>", "color": "0.55", "lw": 1.2, "shrinkA": 15, "shrinkB": 15}
    ax.annotate("", end, start, arrowprops=style | {"connectionstyle": f"arc3,rad={-bend}"})
    if not wire:
        return
    side = 1 if bend > 0 or start[1] > 0 else -1  # the label stands on the outer side of the wire
    x, y = (start + end) / 2
    y += side * (abs(bend) + 0.22 if bend else 0.3)
    style = {"ha": "center", "va": "center", "fontsize": 9}
    ax.text(x, y, f"{wire} = {short(numbers[wire])}", **style)
    if wire in frame.gradients:
        ax.text(x, y + 0.29 * side, short(frame.gradients[wire]), color=RED, **style)


def _circle(ax, node, frame, numbers):
    x, y = node.at
    here = node.name in frame.active
    ring = (RED if frame.gradients else BLUE) if here else "0.55"
    ax.plot(x, y, "o", ms=29, mfc="#FFF3D6" if here else "white", mec=ring, mew=2.6 if here else 1.2)
    ax.text(x, y, node.name, ha="center", va="center", weight="bold", color=BLACK)
    if node.name in frame.values:
        ax.text(
            x, y + 0.36, short(frame.values[node.name]), ha="center", va="bottom", color=BLUE, fontsize=10
        )
    if node.name in frame.gradients:
        ax.text(x, y - 0.38, short(frame.gradients[node.name]), ha="center", va="top", color=RED, fontsize=10)
    note = {
        "input": "",
        "relu": "ReLU",
        "sigmoid": "sigmoid",
        "sum": "",
        "error": f"t = {short(numbers['t'])}",
    }[node.op]
    if node.bias:
        note = f"+ {node.bias} = {short(numbers[node.bias])}"
    ax.text(x, y - 1.14, note, ha="center", va="top", fontsize=9)
    if node.bias in frame.gradients:
        ax.text(x, y - 1.42, short(frame.gradients[node.bias]), ha="center", va="top", fontsize=9, color=RED)


def graph(step: int, **numbers: float | int) -> Axes:
    """The chapter's neuron as a graph at one step of the walk (0: the inputs; -1: all gradients).

    Keyword arguments replace the worked example's numbers, such as ``b2=-10.0``.
    """
    now = NUMBERS | numbers
    frame = walk(now)[step]
    _, ax = plt.subplots(figsize=(6.0, 2.8))
    draw(frame, now, ax)
    ax.set_title(textwrap.fill(frame.sentence.replace(" · ", "\u00a0·\u00a0"), 82), fontsize=9.5)
    return ax
