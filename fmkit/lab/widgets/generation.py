"""Chapter 09's widgets: a text that is written again as the sliders move, and a chat that streams.

They need a running kernel. `fmkit.lab.plots.generation.settings_compared` is the first one on paper.
"""

import html
import time
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from fmkit.generation import generate, greedy, probabilities, sampler
from fmkit.lab.plots.generation import next_tokens
from fmkit.lab.widgets import follow, png, slider

_TEXT = "white-space:pre-wrap;font-family:monospace;line-height:1.35;max-width:640px;{}"


def continuation(model: tuple, prompt: list[int], n: int, seed: int, settings: dict[str, Any]) -> list[int]:
    """n new tokens after a prompt; ``model`` is (step, params, config), a temperature of 0 means greedy."""
    step, params, config = model
    is_greedy = settings["temperature"] == 0
    choose = greedy if is_greedy else sampler(np.random.default_rng(seed), **settings)
    return list(generate(step, params, prompt, config, n, choose=choose))


def drawn_from(logits: np.ndarray, prompt: list[int], settings: dict[str, Any]) -> np.ndarray:
    """The probabilities that the next token is drawn from; at temperature 0 all on the best one."""
    if settings["temperature"] == 0:
        return np.eye(len(logits), dtype=logits.dtype)[logits.argmax()]
    return probabilities(logits, prompt, **settings)


def playground(
    model: tuple, encode: Callable, decode: Callable, prompt: str, n: int = 200
) -> ipywidgets.VBox:
    """Sliders for temperature, top-k, top-p, min-p, penalty; below them the text and the next token's bars.

    Parameters
    ----------
    model : (step, params, config)
        As `fmkit.generation.generate` takes them.
    encode, decode : function
        A text to a list of tokens (never empty), and back.
    prompt : str
        To begin with; a learner may type another one.
    n : int
        Tokens to write.
    """
    step, params, config = model
    vocabulary = [decode([i]) for i in range(config.vocab_size)]
    field = ipywidgets.Textarea(prompt, description="prompt", rows=2, layout={"width": "640px"})
    sliders = {
        "temperature": slider("temperature", 1.0, 0.0, 2.0, 0.05),
        "top_k": slider("top-k", config.vocab_size, 1, config.vocab_size, 1),
        "top_p": slider("top-p", 1.0, 0.05, 1.0, 0.01),
        "min_p": slider("min-p", 0.0, 0.0, 1.0, 0.01),
        "repetition_penalty": slider("penalty", 1.0, 1.0, 2.0, 0.05),
    }
    seed = slider("seed", 0, 0, 99, 1)
    for control in (*sliders.values(), seed):
        control.style.description_width = "90px"
    text = ipywidgets.HTML()
    picture = ipywidgets.Image(format="png", layout={"width": "557px", "max_width": "100%"})

    def redraw():
        settings = {name: control.value for name, control in sliders.items()}
        ids = encode(field.value)
        new = continuation(model, ids, n, seed.value, settings)
        text.value = _shown(field.value, decode(new))
        logits = step(params, np.array([ids[-config.block_size :]]), config)[0][0]
        fig = Figure(figsize=(5.8, 2.3), dpi=144, layout="constrained")
        before = probabilities(logits)
        title = "The first token after the prompt"
        next_tokens(before, drawn_from(logits, ids, settings), vocabulary, title=title, ax=fig.subplots())
        picture.value = png(fig)

    field.continuous_update = False
    follow(redraw, field, *sliders.values(), seed)
    return ipywidgets.VBox([field, *sliders.values(), seed, text, picture])


def _shown(prompt: str, new: str) -> str:
    style = _TEXT.format("background:#F4F4F4;padding:6px")
    return f'<div style="{style}">{html.escape(prompt)}<b style="color:#0072B2">{html.escape(new)}</b></div>'


def ask_box(answer: Callable[[str], Iterable[str]], question: str) -> ipywidgets.VBox:
    """A question, a button, and the answer as it comes in.

    Parameters
    ----------
    answer : function
        A question to pieces of text, such as `fmkit.generation.stream_text` makes them.
    question : str
        To begin with. It is asked when the button is pressed.
    """
    field = ipywidgets.Text(question, description="you", layout={"width": "640px", "max_width": "100%"})
    button = ipywidgets.Button(description="ask", button_style="primary", layout={"width": "80px"})
    shown = ipywidgets.HTML()

    def ask(_):
        button.disabled = True
        said, last = "", 0.0
        try:
            for piece in answer(field.value):
                said += piece
                if time.monotonic() - last > 0.1:  # a browser need not draw every letter
                    shown.value, last = _answer(said), time.monotonic()
        except ValueError as error:
            said += f" [{error}]"
        finally:
            shown.value = _answer(said)
            button.disabled = False

    button.on_click(ask)
    return ipywidgets.VBox([field, button, shown])


def _answer(text: str) -> str:
    return f'<div style="{_TEXT.format("padding:4px 0 0 90px")}">{html.escape(text)}</div>'
