"""Read what the worker says an answer did. Whatever does not have exactly the right form is refused.

The worker's child runs the learner's code, so the learner chooses what it says. That may be wrong, but it
must be plain data, short, and fit the inputs.
"""

from typing import Any

from fmkit.lab.judging.answer import Failure, Outcome
from fmkit.lab.judging.plain import changed, plain
from fmkit.lab.judging.wire import WireError

_KINDS = ("raised", "call", "timeout", "unfinished")


def tidy(text: Any, room: int = 500) -> str:
    """A text without control characters, lone surrogates and excess length."""
    if not isinstance(text, str):
        return ""
    text = text[: room + 1].encode("utf-8", "replace").decode("utf-8")
    text = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= room else text[: room - 4] + " ..."


def outcomes_from(sent: Any, cases: list) -> list[Outcome]:
    """The outcomes that a child sent, one for each case.

    Raises
    ------
    WireError
        When that is not what was sent.
    """
    if type(sent) is not list or len(sent) != len(cases):
        raise WireError("it is not one result for each input")
    return [_outcome(one, case) for one, case in zip(sent, cases, strict=True)]


def _outcome(sent, case) -> Outcome:
    if type(sent) is not dict or set(sent) != {"value", "failure", "arguments", "printed", "warned"}:
        raise WireError("a result is malformed")
    return Outcome(
        sent["value"],
        None if sent["failure"] is None else failure_from(sent["failure"]),
        _overwritten(case, sent["arguments"]),
        tidy(sent["printed"], 2000),
        tidy(sent["warned"]),
    )


def failure_from(sent: Any) -> Failure:
    """The failure that a child sent.

    Raises
    ------
    WireError
    """
    if type(sent) is not dict or sent.get("kind") not in _KINDS:
        raise WireError("a failure is malformed")
    line, ancestors = sent.get("line"), sent.get("ancestors")
    if line is not None and (type(line) is not int or not 0 <= line < 10**7):
        raise WireError("a line number is malformed")
    if type(ancestors) is not list or len(ancestors) > 30 or any(type(a) is not str for a in ancestors):
        raise WireError("the classes of an exception are not a list of names")
    words = (tidy(sent.get(name), room) for name, room in (("type", 100), ("message", 500)))
    return Failure(sent["kind"], *words, tuple(ancestors), line, tidy(sent.get("code"), 200))


def _overwritten(case, sent) -> tuple[tuple[int, str], ...]:
    """Where the arguments that came back are no longer those that were sent."""
    if sent is None:  # it did not get so far
        return ()
    if type(sent) is not tuple or len(sent) != len(case):
        raise WireError("the arguments are not those of the input")
    paths = [changed(plain(before), after) for before, after in zip(case, sent, strict=True)]
    return tuple((position, tidy(path, 100)) for position, path in enumerate(paths) if path is not None)
