"""Stop at a string while a text streams in, and show no piece of it."""

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def cut(text, n=4):
        places = [0, *sorted(int(i) for i in rng.integers(0, len(text) + 1, n)), len(text)]
        return [text[a:b] for a, b in zip(places, places[1:], strict=False)]

    def words(n=5):
        return " ".join(str(word) for word in rng.choice(["ab", "a", "été", "月光", "#", "b#"], n))

    split = [words(), "so\n", "\nUs", "er: ", words()]
    almost = [words(), "one\n", "\nUse", "ful " + words(2), "x\n\n"]
    twice = [*cut(words()), "aab", "aaba", "ab", *cut(words(3))]
    whole = [words(), "end###" + words(2) + "###", words(3)]
    cases = [(split, "\n\nUser:"), (almost, "\n\nUser:"), (twice, "aabaab"), (whole, "###")]
    cases += [
        (["a#b", "", "c", "#" + words(2), "#"], "##"),
        (cut(words(8)), "光 月"),
        ([words() + "a"], "aa"),
    ]
    return [*cases, ([words(3) + "a", "a", "x" + words(2)], "aaa"), (cut(words(6), 9), "z")]


def stream_until(pieces, stop):
    shown, held = [], ""
    for piece in pieces:
        held += piece
        if stop in held:
            return [*shown, held[: held.index(stop)]]
        tail = max(k for k in range(len(stop)) if held.endswith(stop[:k]))  # it may be how stop begins
        shown.append(held[: len(held) - tail])
        held = held[len(held) - tail :]
    return [*shown, held] if held else shown


def by_position(pieces, stop):
    text, at, shown = "", 0, []
    for piece in pieces:
        text += piece
        found = text.find(stop, at)
        if found >= 0:
            shown.append(text[at:found])
            return shown
        safe = max(at, len(text) - len(stop) + 1)
        while not stop.startswith(text[safe:]):
            safe += 1
        shown.append(text[at:safe])
        at = safe
    return shown + ([text[at:]] if at < len(text) else [])


def by_the_whole_text(pieces, stop):
    def safe(text):
        for at in range(len(text)):
            if stop.startswith(text[at:]) or text[at:].startswith(stop):
                return text[:at]
        return text

    shown, text = [], ""
    for piece in pieces:
        before = safe(text)
        text += piece
        shown.append(safe(text)[len(before) :])
        if stop in text:
            return shown
    return shown + [text[len(safe(text)) :]] * (safe(text) != text)


EXERCISE = Exercise(
    title="Stop at a string, while streaming",
    points=4,
    minutes=20,
    difficulty=4,
    cases=cases,
    reference=stream_until,
    alternatives=(by_position, by_the_whole_text),
    mistakes=(
        mistake(
            "each piece looked at by itself",
            ("held += piece -> held = piece", "tail = 0"),
            "The stop string may begin in one piece and end in the next: keep what may be its beginning.",
        ),
        mistake(
            "nothing is held back",
            (
                "held[: held.index(stop)] -> held[len(held) - len(piece) : held.index(stop)]",
                "shown.append(piece)",
                "held = held[len(held) - tail :] ->",
                "[*shown, held] if held else shown -> shown",
            ),
            "When the second half of the stop string comes, its first half is on the screen already.",
        ),
        mistake(
            "the stop string is shown",
            "held.index(stop) -> held.index(stop) + len(stop)",
            "The text ends before the stop string.",
        ),
        mistake(
            "stops at the last stop string",
            "held.index(stop) -> held.rindex(stop)",
            "If a piece holds the stop string twice, the first one counts.",
        ),
        mistake(
            "goes on after the stop",
            "return [*shown, held[: held.index(stop)]] -> before, held = held.split(stop, 1)\n"
            "shown.append(before)\n"
            "continue",
            "After the stop string nothing more is read.",
        ),
        mistake(
            "only the shortest tail is held back",
            "tail = min((k for k in range(1, len(stop)) if held.endswith(stop[:k])), default=0)",
            "Two beginnings of the stop string may fit the end of the text: hold back the longer one.",
        ),
        mistake(
            "held back whatever the text says",
            "tail = min(len(held), len(stop) - 1)",
            "Show all that you can: hold back only what may really become the stop string.",
        ),
        mistake(
            "all held back as soon as a first letter is seen",
            "tail = len(held) if stop[0] in held else 0",
            "Only the end of the text can still become the stop string: the rest is safe to show.",
        ),
        mistake(
            "what was held back is lost",
            "[*shown, held] if held else shown -> shown",
            "The pieces end, and no stop string came: what of the rest?",
        ),
        mistake(
            "pieces that show nothing are left out",
            "shown.append(held[: len(held) - tail]) -> if len(held) > tail:\n"
            "    shown.append(held[: len(held) - tail])",
            "One string for each piece, even if it is empty.",
        ),
    ),
    hints=(
        "Keep a text `held` of what is not shown yet; every new piece is appended to it.",
        "Is the stop string in it? Then show what stands before it, and you are done.",
        "If not: for which k below len(stop) is held.endswith(stop[:k])? Hold back the largest such k.",
    ),
)
