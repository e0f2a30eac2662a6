"""Minutes that students share if they agree: the cells that ask, and what a submission says.

They go into the report as medians of at least five, never into a mark, and stay in the notebook that counts:
nothing keeps them beside it.
"""

import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fmkit.course.submission import Unreadable, read_bytes, read_raw
from fmkit.lab.cards import MINUTES

LEAST = 5  # of fewer no median is shown: it would be somebody's own
MOST = 3000  # minutes of one exercise; more is a slip or a joke
ID = "share-minutes"
TEXT = """### How long did it take?

Your lecturer asks whether you share how many minutes each exercise took, to plan with. **You need not, and it
changes no mark.** If you agree, write `"yes"` in the cell below and run it when your work is done: it lists a
whole number of minutes for each exercise, and that list is all that goes with the notebook, no time of day
does. The minutes run from one check to the next (a pause counts as 20 at most) until the answer is right, and
are kept in your own folder only. The class sees medians, once five have agreed. To take it back, write
`"no"`, run the cell and hand in again."""
_YES = re.compile(r"""^share_minutes\(\s*(["'])(yes|no)\1""", re.MULTILINE)


def question(topics: Iterable[str]) -> tuple[str, str]:
    """The sources of the two cells that ask, of text and of code, for exercises of these topics."""
    arguments = ", ".join(f'"{word}"' for word in ("no", *sorted(set(topics))))
    return TEXT, f"from fmkit.lab import share_minutes\n\nshare_minutes({arguments})"


def said_in(data: bytes, ids: Iterable[str]) -> dict[str, int] | None:
    """Exercise -> minutes, as a submission's bytes say; None where nothing is shared.

    Parameters
    ----------
    ids : iterable of str
        The exercises that the chapter asks for; what it says of others is left out.

    Raises
    ------
    ValueError
        When what it says is nothing that `share_minutes` writes.
    """
    if MINUTES.encode() not in data:  # most: nothing of them is read
        return None
    found = None
    for cell in read_raw(data):
        source = cell.get("source")
        source = "".join(map(str, source)) if isinstance(source, list) else str(source)
        if answers := _YES.findall(source):
            found = _output(cell) if answers[-1][1] == "yes" else None
    if found is None:
        return None
    if not isinstance(found, dict) or not all(_is_minutes(number) for number in found.values()):
        raise ValueError(f"minutes that are not whole numbers from 0 to {MOST}")
    return {id: found[id] for id in ids if id in found}


def _output(cell: dict):
    """What the last output of a cell holds of minutes, or None."""
    outputs = cell.get("outputs")
    found = None
    for output in outputs if isinstance(outputs, list) else []:
        data = output.get("data") if isinstance(output, dict) else None
        found = data.get(MINUTES, found) if isinstance(data, dict) else found
    return found


def _is_minutes(number) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MOST


@dataclass(frozen=True)
class Shared:
    """What a class shares.

    Attributes
    ----------
    by : int
        How many do.
    unusable : int
        Notebooks in which it could not be used.
    medians : dict of str to float
        Exercise -> median of the minutes, where at least five share them.
    """

    by: int = 0
    unusable: int = 0
    medians: dict[str, float] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """In words, for a terminal and a page: whose minutes these are."""
        found = []
        if self.by >= LEAST:
            found = [f"Minutes: medians of those who share theirs ({self.by}), until it was right or so far."]
        elif self.by:
            who = "1 student shares" if self.by == 1 else f"{self.by} students share"
            found = [f"Minutes: {who} theirs, and medians are shown from {LEAST} on."]
        if self.unusable:
            what = "1 notebook" if self.unusable == 1 else f"{self.unusable} notebooks"
            found.append(f"What {what} said of minutes could not be used and is left out.")
        return found


NOTHING = Shared()


def shared(paths: Iterable[Path], ids: Iterable[str]) -> Shared:
    """What these submissions share of these exercises."""
    ids, found, unusable = list(ids), [], 0
    for path in paths:
        try:
            minutes = said_in(read_bytes(path), ids)
        except Unreadable:  # `grade` has said so
            continue
        except ValueError:
            unusable += 1
            continue
        found += [minutes] if minutes else []
    each = {id: [minutes[id] for minutes in found if id in minutes] for id in ids}
    medians = {id: statistics.median(those) for id, those in each.items() if len(those) >= LEAST}
    return Shared(len(found), unusable, medians)
