"""Progress bars on stderr."""

from contextlib import contextmanager

from tqdm import tqdm


def steps_bar(name: str, done: int, steps: int, hidden: bool | None = None):
    """A bar that counts the steps of a run; by default it is hidden unless stderr is a terminal."""
    return tqdm(total=steps, initial=done, desc=name, unit="step", disable=hidden, dynamic_ncols=True)


@contextmanager
def batches_bar():
    """A bar that is moved by the function it yields, of (step, steps, loss)."""
    with tqdm(unit=" batches", leave=False) as bar:

        def show(step: int, steps: int, loss: float) -> None:
            bar.total = steps
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update(step - bar.n)
            if step == steps:
                bar.refresh()

        yield show
