"""Texts that break tokenizers."""

import unicodedata

from hypothesis import strategies as st

HOSTILE = [
    "",
    " ",
    "\n\n  \t\r\n ",
    "\x00\x01\x7f",
    "🙂👩‍👩‍👧‍👦🇫🇷 emoji",
    "日本語のテキスト、你好世界!",
    "שלום עולם \u202bRTL\u202c العربية",
    "e\u0301 é ½ ² Ⅷ ١٢٣ _under_score_",
    "I'll don't we've 'S 'tis o'er",
    "\ud83d alone, \ude42\ud83d turned, \ud83d\ude42 as a pair of two",
    "\ufffd\ufeff\u200b\u2028\u2029\x85\xa0\u3000",
    "<|endoftext|> [MASK] \\u0000",
    "a" * 5000,
    "\U0010ffff\U000e0001",
]
ANY_TEXT = st.text(st.characters())  # with lone surrogates


def settled(c):
    """Whether a character's category is the same since Unicode 3.2: then all libraries know it."""
    category = unicodedata.category(c)
    return category not in ("Cs", "Cn") and unicodedata.ucd_3_2_0.category(c) == category


SETTLED = [c for c in map(chr, range(0x30000)) if settled(c)]
FEWER = [c for c in SETTLED if c < "\u3400" or ord(c) % 16 == 0]  # of the large Asian blocks a sample
