"""A notebook's text as plain data."""

import json


def read(text: str) -> dict:
    """A notebook's text as plain data, each source one string.

    Not by nbformat: importing that (its validator) takes longer than making the whole book.

    Raises
    ------
    ValueError
        When the text is not a notebook of format 4.
    """
    nb = json.loads(text)
    if not isinstance(nb, dict) or nb.get("nbformat") != 4:
        raise ValueError("it is not a notebook of format 4")
    for cell in nb["cells"]:
        cell["source"] = "".join(cell["source"])
    return nb
