"""What the exercises of this chapter share."""

WORDS = ("the", "a", "of", "Night", "night", "été", "月", "sea")


def near(rng, base: list[str], words: list[str], change: float = 0.3) -> list[str]:
    """A sentence like another one: some words are others, some are missing, some come twice."""
    out = []
    for word in base:
        kind = rng.random()
        if kind < change / 3:
            continue
        out.append(str(rng.choice(words)) if kind < change else word)
        if kind > 1 - change / 4:
            out.append(word)
    return out


def sentence(rng, words: list[str], length: int) -> list[str]:
    """Words drawn from a few, so that n-grams come again."""
    return [str(word) for word in rng.choice(words, length)]


def some_words(rng, size: int) -> list[str]:
    return [str(word) for word in rng.permutation(WORDS)[:size]]
