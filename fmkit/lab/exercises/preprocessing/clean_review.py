"""A review that lost its dashes: entities decoded, long gaps made dashes, other gaps one space."""

import html
import itertools
import re

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake

_WORDS = ["film", "with", "heart", "but", "no", "plot", "café", "Müller", "北京", "naïve", "wry", "a"]


def cases(rng):
    gaps = [" ", "  ", "   ", "    ", "\t", " \n", "&nbsp;", "&nbsp;&nbsp;&nbsp;", "\xa0  ", "\t\n\t"]
    signs = ["&amp;", "&eacute;", "&amp;lt;", "&#39;", "&lt;3"]

    def case(n, *ends):
        words, between = [str(word) for word in rng.choice(_WORDS, n)], list(rng.permutation(gaps))
        signed = [word + str(rng.choice(signs)) * int(rng.random() < 0.5) for word in words]
        text = "".join(w + str(between[i % len(gaps)]) for i, w in enumerate(signed))
        return (ends[0] + text + signed[0] + "&amp;lt; &amp;" + ends[1],)

    return [
        ("all comics    even &amp; more ",),
        case(11, "", ""),
        ("a      b \ufb01ne\u2009\x85c\xa0\xa0d&nbsp;&nbsp; e &quot;f&quot; \u2014 g",),
        case(12, "    ", " \t \n"),
        case(3, " ", ""),
        case(6, "&nbsp;", "&nbsp; "),
        ("",),
        (" \t ",),
    ]


def clean_review(text):
    text = html.unescape(text).strip()
    dashed = re.sub(r"\s{3,}", " - ", text)
    return re.sub(r"\s+", " ", dashed)  # the dashes have single spaces: they stay


def words_and_gaps(text):
    words = re.split(r"(\s+)", html.unescape(text).strip())  # words and the gaps between them, in turn
    gaps = [" - " if len(gap) >= 3 else " " for gap in words[1::2]]
    return "".join(word + gap for word, gap in itertools.zip_longest(words[::2], gaps, fillvalue=""))


def character_by_character(text):
    out, gap = "", 0
    for c in html.unescape(text):
        if c.isspace():
            gap += 1
            continue
        if gap and out:
            out += " - " if gap >= 3 else " "
        out, gap = out + c, 0
    return out


EXERCISE = Exercise(
    title="A review that lost its dashes",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=clean_review,
    alternatives=(words_and_gaps, character_by_character),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "decoded the entities last",
            (
                "html.unescape(text).strip() -> text.strip()",
                r'return html.unescape(re.sub(r"\s+", " ", dashed))',
            ),
            "An entity such as &nbsp; is white space, too: what must be done before spaces are counted?",
        ),
        mistake(
            "decoded the entities twice",
            "text = html.unescape(html.unescape(text)).strip()",
            "&amp;lt; was written by someone who meant the text &lt; and not a sign: once is enough.",
        ),
        mistake(
            "threw the entities away",
            r'text = re.sub(r"&#?\w+;", "", text).strip()',
            "&amp; stands for a sign that the writer meant: html.unescape knows it.",
        ),
        mistake(
            "left the entities in",
            "text = text.strip()",
            "Step 1 is missing: html.unescape turns &amp; into &.",
        ),
        mistake(
            "one space everywhere: the dash is still lost",
            (r'dashed = re.sub(r"\s+", " ", text)', r'return re.sub(r"\s{3,}", " - ", dashed)'),
            "Look for the long gaps before you shorten all gaps to one space.",
        ),
        mistake(
            "a dash for two spaces",
            r'dashed = re.sub(r"\s{2,}", " - ", text)',
            "A doubled space is a slip of the thumb; a dash left three or more behind.",
        ),
        mistake(
            "a dash for four or more only",
            r'dashed = re.sub(r"\s{4,}", " - ", text)',
            "Some of the lost dashes left three spaces behind.",
        ),
        mistake(
            "replaced double spaces only",
            'return dashed.replace("  ", " ")',
            'White space is also "\\t", "\\n" and "\\xa0"; \\s means all of it.',
        ),
        mistake(
            "saw only the space character",
            ('dashed = re.sub(" {3,}", " - ", text)', 'return re.sub(" +", " ", dashed)'),
            'White space is also "\\t", "\\n" and "\\xa0": what does \\s match?',
        ),
        mistake(
            "a dash at the ends",
            "text = html.unescape(text)",
            "There are no words to join before the first and after the last one.",
        ),
        mistake(
            "forgot the ends",
            ("text = html.unescape(text)", r'dashed = re.sub(r"(?<=\S)\s{3,}(?=\S)", " - ", text)'),
            "White space before the first and after the last word goes away altogether.",
        ),
        mistake(
            "dropped the ends last",
            ("text = html.unescape(text)", r'return re.sub(r"\s+", " ", dashed).strip()'),
            "By then a long gap at an end is a dash already: drop the ends first.",
        ),
        mistake(
            "looked for white space at the ends before decoding",
            "text = html.unescape(text.strip())",
            "A text may begin with &nbsp;: only after decoding is it white space that can be dropped.",
        ),
        mistake(
            "exactly three become a dash",
            "{3,} -> {3}",
            "A run may be longer than three: it is one dash all the same.",
        ),
        mistake(
            "plain spaces only for the dash",
            'r"\\s{3,}" -> r" {3,}"',
            "White space is whatever \\s matches: tabs and &nbsp; too.",
        ),
        mistake(
            "the dash without its spaces",
            '" - " -> "-"',
            "The dash has a space on either side.",
        ),
        mistake(
            "another dash",
            '" - " -> " \\u2014 "',
            "The task wants the hyphen of the keyboard with a space on either side.",
        ),
        mistake(
            "escaped instead of unescaped",
            "html.unescape(text).strip() -> html.escape(text).strip()",
            "&amp; is to become &: which way does html.escape go?",
        ),
        mistake(
            "NFKC on top",
            'html.unescape(text).strip() -> __import__("unicodedata").normalize("NFKC", '
            "html.unescape(text)).strip()",
            "The four steps do not change letters.",
        ),
    ),
    hints=(
        "In this order: html.unescape, strip, the long gaps, the other gaps.",
        r're.sub(r"\s{3,}", ..., text) finds the long gaps.',
        'The dash brings single spaces, " - ", so the next step leaves it as it is.',
    ),
)
