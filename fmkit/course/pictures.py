"""Pictures in a submission: a photographed derivation, a plot. Only what is surely one is shown."""

import base64
import binascii
import re

LARGEST = 5 << 20  # bytes of one picture
MOST = 10  # pictures of one answer
_KINDS = {
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF.{4}WEBP",
}
_INLINE = re.compile(r"data:image/[\w.+-]{1,20};base64,([A-Za-z0-9+/=]+)")  # as Colab pastes them


def found_in(cell: dict, source: str) -> tuple[str, ...]:
    """What claims to be a picture in a cell of a submission, in base64: attached, pasted, or drawn by it."""
    bundles = [*_values(cell.get("attachments"))]
    outputs = cell.get("outputs")
    for output in outputs[:100] if isinstance(outputs, list) else ():
        bundles += [output.get("data")] if isinstance(output, dict) else []
    found = [match.group(1) for match in _INLINE.finditer(source)]
    for bundle in bundles:
        data = [bundle[kind] for kind in _KINDS if kind in bundle] if isinstance(bundle, dict) else []
        data = ["".join(map(str, part)) if isinstance(part, list) else part for part in data]
        found += [part for part in data if isinstance(part, str)]
    return tuple(found[: MOST + 1])


def _values(table):
    return table.values() if isinstance(table, dict) else ()


def without_inline(source: str) -> str:
    """A text whose pasted pictures are named only."""
    return _INLINE.sub("the picture below", source)


def checked(claimed: str) -> tuple[str, str] | None:
    """Type and base64 of a picture of at most `LARGEST` bytes; None where it is something else."""
    text = re.sub(r"\s+", "", claimed[: 2 * LARGEST])
    if len(text) > LARGEST * 4 // 3 + 4:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    kinds = [kind for kind, begin in _KINDS.items() if re.match(begin, data, re.DOTALL)]
    return (kinds[0], base64.b64encode(data).decode("ascii")) if kinds else None


def show(cell: dict, claimed: list[str]) -> None:
    """Put pictures into a cell of a notebook, so that Jupyter and formgrader show them."""
    found = [picture for picture in map(checked, claimed[:MOST]) if picture]
    if missing := len(claimed) - len(found):
        words = f"{missing} more that cannot be shown here: see the notebook that was handed in"
        cell["source"] += f"\n\n{'# ' if cell['cell_type'] == 'code' else ''}{words}"
    if cell["cell_type"] == "code":
        from nbformat.v4 import new_output  # not above: it takes a second, in each process that grades

        cell["outputs"] = [new_output("display_data", {kind: data}) for kind, data in found]
    elif found:
        named = {f"picture-{n}": {kind: data} for n, (kind, data) in enumerate(found, start=1)}
        cell["attachments"] = {**cell.get("attachments", {}), **named}
        cell["source"] += "".join(f"\n\n![{name}](attachment:{name})" for name in named)


def shown(cell: dict) -> list[tuple[str, str]]:
    """The pictures that `show` has put into a cell."""
    bundles = [output.get("data", {}) for output in cell.get("outputs", ())]
    bundles += [b for name, b in cell.get("attachments", {}).items() if name.startswith("picture-")]
    return [(kind, bundle[kind]) for bundle in bundles for kind in _KINDS if kind in bundle]
