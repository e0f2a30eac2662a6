"""What several exercises of this chapter share: the modules that an answer may use, and a merge by hand."""

ALLOWED = ("numpy", "math", "html", "re", "unicodedata", "collections", "itertools")


def merged(tokens, pair):
    """The tokens as a new list, in which a pair is one token wherever it stood, from left to right."""
    out, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == tuple(pair):
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out
