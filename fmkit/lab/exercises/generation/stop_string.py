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
    return [
        (["Hi#", "#you#", "##bye"], "###"),
        (["a#"], "##"),
        (["a#b", "#c"], "##"),  # it looked like the beginning, and was none
        (["##", "Hi"], "##"),  # it stands at the very beginning
        (["x", "##b", "##c"], "##"),
        (["a###b##c"], "##"),
        (["b", "", "a-", "-"], "--x"),  # a rest at the end, over several pieces
        (["no", "", " ", "more"], "#"),
        ([], "##"),
        (["so\n\n\nUser: hi"], "\n\nUser:"),  # it begins inside what may be its beginning
        (["aaa", "b"], "aab"),
        (["aaab", "aaaab"], "aaaab"),
        (["ba", "ba", "ca", "babc"], "babc"),
        ([*"one-two==="], "==>"),
        ([*"ab<EOS>c"], "<EOS>"),
        (["SOS", "EO", "S SE"], "EOS!"),  # its letters, but not its beginning
        (["1. e", "\u0301", "t", "e\u0301 2."], "e\u0301 2"),
        (split, "\n\nUser:"),
        (almost, "\n\nUser:"),
        (twice, "aabaab"),
        (whole, "###"),
        (["a#b", "", "c", "#" + words(2), "#"], "##"),
        (cut(words(8)), "光 月"),
        ([words() + "a"], "aa"),
        ([words(3) + "a", "a", "x" + words(2)], "aaa"),
        (cut(words(6), 9), "z"),
    ]


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
        safe = at
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


def begins_again_after_a_mismatch(pieces, stop):
    shown, matched = [], 0
    for piece in pieces:
        new = ""
        for letter in piece:
            if letter != stop[matched]:
                new, matched = new + stop[:matched], 0
            if letter == stop[matched]:
                matched += 1
            else:
                new += letter
            if matched == len(stop):
                return [*shown, new]
        shown.append(new)
    return [*shown, stop[:matched]] if matched else shown


FOUND = "return [*shown, held[: held.index(stop)]]"
TAIL = "max(k for k in range(len(stop)) if held.endswith(stop[:k]))"
SHOW = "shown.append(held[: len(held) - tail])"
END = "[*shown, held] if held else shown"

EXERCISE = Exercise(
    title="Stop at a string, while streaming",
    points=4,
    minutes=30,
    difficulty=4,
    cases=cases,
    reference=stream_until,
    alternatives=(by_position, by_the_whole_text),
    mistakes=(
        mistake(
            "each piece looked at by itself",
            ("held += piece -> held = piece", f"{TAIL} -> 0"),
            "The stop string may begin in one piece and end in the next: keep the most that may be it.",
        ),
        mistake(
            "the next piece takes the place of what was held back",
            "held += piece -> held = piece",
            "What was held back stands before the new piece: put the two together.",
        ),
        mistake(
            "nothing is held back",
            (
                "held[: held.index(stop)] -> held[len(held) - len(piece) : held.index(stop)]",
                f"{SHOW} -> shown.append(piece)",
                "held = held[len(held) - tail :] ->",
                f"{END} -> shown",
            ),
            "When the second half of the stop string comes, its first half is on the screen already.",
        ),
        mistake(
            "the stop string is shown",
            "held[: held.index(stop)] -> held[: held.index(stop) + len(stop)]",
            "The text ends before the stop string.",
        ),
        mistake(
            "stops at the last stop string",
            "held.index(stop)] -> held.rindex(stop)]",
            "If a piece holds the stop string twice, the first one counts.",
        ),
        mistake(
            "a stop string at the very beginning is not seen",
            "stop in held -> held.find(stop) > 0",
            "find gives the place, which may be 0; it gives -1 where there is none.",
        ),
        mistake(
            "a stop string is seen only at the end of a piece",
            (
                "stop in held -> held.endswith(stop)",
                "held[: held.index(stop)] -> held[: len(held) - len(stop)]",
            ),
            "More may follow in the same piece: look anywhere in what is held.",
        ),
        mistake(
            "the stop string looked for in the new piece only",
            "stop in held -> stop in piece",
            "It may begin in one piece and end in the next: look in all that is held.",
        ),
        mistake(
            "nothing is added where the stop string comes first",
            f"{FOUND} -> before = held[: held.index(stop)]\nreturn [*shown, before] if before else shown",
            'One string for each piece that was read, even if nothing stands before the stop string: "".',
        ),
        mistake(
            "goes on after the stop",
            f"{FOUND} -> shown.append(held[: held.index(stop)])\n"
            "held = held[held.find(stop) + len(stop) :]\n"
            "continue",
            "After the stop string nothing more is read.",
        ),
        mistake(
            "the rest is shown after the stop, too",
            f"{FOUND} -> shown.append(held[: held.index(stop)])\nbreak",
            "What is held when the stop string has come is never shown: end there.",
        ),
        mistake(
            "only the shortest tail is held back",
            f"{TAIL} -> min((k for k in range(1, len(stop)) if held.endswith(stop[:k])), default=0)",
            "Two beginnings of the stop string may fit the end of the text: hold back the longer one.",
        ),
        mistake(
            "all of the stop string but one letter is not held back",
            f"{TAIL} -> max(k for k in range(max(1, len(stop) - 1)) if held.endswith(stop[:k]))",
            "How much can be there already when only the last letter is missing?",
        ),
        mistake(
            "only one letter is held back",
            f"{TAIL} -> int(held.endswith(stop[0]))",
            "Two or more letters may be how the stop string begins.",
        ),
        mistake(
            "the end of the stop string looked for, not its beginning",
            "stop[:k] -> stop[len(stop) - k :]",
            "What has come in may be how the stop string begins: which part of it stands at the text's end?",
        ),
        mistake(
            "only the new piece's end is looked at",
            "if held.endswith(stop[:k]) -> if piece.endswith(stop[:k])",
            "What may be the beginning can grow over several pieces: look at the end of all that is held.",
        ),
        mistake(
            "held back whatever the text says",
            f"{TAIL} -> min(len(held), len(stop) - 1)",
            "Show all that you can: hold back only what may really become the stop string.",
        ),
        mistake(
            "held back whatever the text says, one letter more",
            f"{TAIL} -> min(len(held), len(stop))",
            "Show all that you can: hold back only what may really become the stop string.",
        ),
        mistake(
            "all held back as soon as a first letter is seen",
            f"{TAIL} -> len(held) if stop[0] in held else 0",
            "Only the end of the text can still become the stop string: the rest is safe to show.",
        ),
        mistake(
            "held back from the first letter of the stop string on",
            f"{TAIL} -> len(held) - held.index(stop[0]) if stop[0] in held else 0",
            "A first letter is no beginning if other letters follow it: show it then.",
        ),
        mistake(
            "all is held back where only the end need be",
            f"{TAIL} -> len(held) if any(held.endswith(stop[:k]) for k in range(1, len(stop))) else 0",
            "Only the end of the text can still become the stop string: show what stands before it.",
        ),
        mistake(
            "rstrip takes off any of its letters",
            f"{TAIL} -> len(held) - len(held.rstrip(stop))",
            "rstrip does not look for a beginning of the stop string: it takes off its letters in any order.",
        ),
        mistake(
            "begins again at 0 after a mismatch",
            begins_again_after_a_mismatch,
            'In "aaab", where does "aab" begin? Part of what has matched may still be a beginning.',
        ),
        mistake(
            "with nothing to hold back, nothing is shown",
            (
                "held[: len(held) - tail] -> held[:-tail]",
                "held = held[len(held) - tail :] -> held = held[-tail:]",
            ),
            "What does [:-0] take? -0 is 0: nothing. And [-0:]? All.",
        ),
        mistake(
            "with nothing to hold back, the text is lost",
            "held[: len(held) - tail] -> held[:-tail]",
            "What does [:-0] take? -0 is 0: nothing.",
        ),
        mistake(
            "with nothing to hold back, what was shown comes again",
            "held = held[len(held) - tail :] -> held = held[-tail:]",
            "What does [-0:] take? -0 is 0: all.",
        ),
        mistake(
            "what was held back is lost",
            f"{END} -> shown",
            "The pieces end, and no stop string came: what of the rest?",
        ),
        mistake(
            "one more string at the end, even if it is empty",
            f"{END} -> [*shown, held]",
            "Only if something is still held back, it is one more string.",
        ),
        mistake(
            "the rest glued to the last string",
            f"{END} -> [*shown[:-1], shown[-1] + held] if held else shown",
            "What is still held back at the end is one more string of its own.",
        ),
        mistake(
            "pieces that show nothing are left out",
            f"{SHOW} -> if len(held) > tail:\n    {SHOW}",
            "One string for each piece, even if it is empty.",
        ),
        mistake(
            "empty pieces are left out",
            "held += piece -> if not piece:\n    continue\nheld += piece",
            "One string for each piece that was read, even if it is empty.",
        ),
    ),
    equal=(
        (
            "tail = max((k for k in range(len(stop) + 1) if held.endswith(stop[:k])))",
            "all of the stop string is not in it: the line above has looked",
        ),
    ),
    hints=(
        "Keep a text `held` of what is not shown yet; every new piece is appended to it.",
        "Is the stop string in it? Then show what stands before it, and you are done.",
        "If not: for which k below len(stop) is held.endswith(stop[:k])? Hold back the largest such k.",
    ),
)
