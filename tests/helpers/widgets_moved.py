"""A widget in JupyterLab, each of its controls moved as a learner moves it: does what is shown change?"""

from functools import partial

# The texts and the pictures' fingerprints; null while a picture is on its way
SHOWN = """async cell => {
  const shown = [];
  const print = bytes => crypto.subtle.digest('SHA-1', bytes).then(hash => new Uint8Array(hash).join());
  for (const node of cell.querySelectorAll('.jp-OutputArea :is(.widget-image, .widget-html-content)')) {
    if (node.tagName !== 'IMG') shown.push(node.innerHTML);
    else if (node.complete && node.naturalWidth > 100)
      shown.push(await print(await (await fetch(node.src)).arrayBuffer()));
    else return null;
  }
  return shown.join('|') || '(nothing yet)';
}"""
# What is shown as soon as it is something else than before; null if that takes too long
ANOTHER = f"""async ([cell, before]) => {{
  for (let i = 0; i < 60; i++) {{
    const now = await ({SHOWN})(cell).catch(() => null);
    if (now && now !== before) return now;
    await new Promise(done => setTimeout(done, 50));
  }}
  return null;
}}"""
# Whatever was sent before this question has been dealt with when its answer is there
ANSWERED = """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
  .requestKernelInfo().then(() => null)"""


def faults(page, index: int) -> list[str]:
    """What is wrong with the widget in cell number ``index``: nothing shown, or controls that do nothing."""
    cell = page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')
    cell.locator(".jp-OutputArea").scroll_into_view_if_needed()
    if page.evaluate(ANOTHER, [cell.element_handle(), None]) is None:
        return [f"cell {index} shows no picture"]
    found, moved = [], 0
    for kind, move in MOVES.items():
        for control in cell.locator(f".jp-OutputArea {kind}").all():
            moved += 1
            if not move(control, partial(_reacts, page, cell)):
                found.append(f"cell {index}, {kind} {control.inner_text()!r} changes nothing")
    return found if moved else [f"cell {index} has no control"]


def _reacts(page, cell, act) -> bool:
    """Whether something else is shown after ``act()``."""
    where = cell.element_handle()
    before = page.evaluate(ANOTHER, [where, None])
    act()
    page.evaluate(ANSWERED)
    return page.evaluate(ANOTHER, [where, before]) is not None


def _slide(slider, reacts):
    """By one step; where nobody can see that, to the end, and back by typing: the others shall act."""
    handle, readout = slider.locator(".noUi-handle"), slider.locator(".widget-readout")
    now, top = (float(handle.get_attribute(f"aria-value{which}")) for which in ("now", "max"))
    step, end = ("ArrowRight", "End") if now < top else ("ArrowLeft", "Home")
    before = readout.inner_text().replace("\N{MINUS SIGN}", "-")

    def back():
        readout.fill(before)
        readout.press("Enter")

    return reacts(partial(handle.press, step)) or (reacts(partial(handle.press, end)) and reacts(back))


def _play(play, reacts):
    """It runs; paused and stopped, it is back at the start."""
    start, stop = play.locator("button").all()[:2]
    runs = reacts(start.click)
    start.click()
    return reacts(stop.click) and runs


def _choose(field, reacts):
    last = field.locator("option").count() - 1
    chosen = field.evaluate("field => field.selectedIndex")
    return reacts(partial(field.select_option, index=0 if chosen == last else last))


def _type(field, reacts):
    def act():
        field.press("End")
        field.press_sequentially(" bad_")
        field.press("Tab")

    return reacts(act)


def _click(control, reacts):
    control.wait_for()
    changed = reacts(control.click)
    control.page.wait_for_function(
        "control => !control.disabled", arg=control.element_handle(), timeout=120_000
    )  # a button that takes its time
    return changed


MOVES = {  # what is switched off comes last
    ".widget-slider": _slide,
    ".widget-play": _play,
    "select": _choose,
    ".widget-toggle-button:not(.mod-active)": _click,
    ".widget-vbox:not(:has(> .widget-button)) :is(input[type=text], textarea)": _type,
    ".widget-hbox > .widget-button, .widget-vbox > .widget-button": _click,
    "input[type=checkbox]": _click,
}
