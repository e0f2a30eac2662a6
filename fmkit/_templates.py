"""Pages from templates: whatever is put into one is escaped, unless it is marked as safe (``Markup``)."""

import functools
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fmkit._paths import PACKAGE


@functools.cache
def _environment(room: str) -> Environment:
    return Environment(
        loader=FileSystemLoader(PACKAGE / room / "templates"),
        autoescape=True,
        undefined=StrictUndefined,  # a value that is missing is an error, not an empty place
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(room: str, name: str, **values: Any) -> str:
    """The page that the template ``name`` of a room (``"book"``, ``"course"``) makes of some values."""
    return _environment(room).get_template(name).render(values)


@functools.cache
def macros(room: str, name: str) -> Any:
    """The macros of a template, as functions; what they return is safe to be put into a page."""
    return _environment(room).get_template(name).module
