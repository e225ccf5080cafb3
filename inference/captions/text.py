"""Characters: whitespace, width, escapes and similarity.

The twin in ``frontend/src/lib/captions`` must read every text alike, so nothing here leans on what
Python alone calls a space or a digit: the character sets are spelled out.
"""

from __future__ import annotations

import re
import unicodedata

SPACE_CLASS = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
"""Everything that is read as a space: control characters, blanks of any width, line ends."""

_SPACES = re.compile(f"[{SPACE_CLASS}]+")
_SPACE = re.compile(f"[{SPACE_CLASS}]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"[|｜【】\[\]［］\\]")


def is_space(char: str) -> bool:
    """Whether one character is read as a space."""
    return _SPACE.match(char) is not None


def tidy(text: str) -> str:
    """``text`` on one line: runs of spaces become one blank, none at the ends.

    A lone surrogate cannot be stored as UTF-8 and becomes U+FFFD.
    """
    return _SPACES.sub(" ", _LONE_SURROGATE.sub("\ufffd", text)).strip(" ")


def narrow(text: str) -> str:
    """:func:`tidy` with full-width forms folded to half-width (Unicode NFKC)."""
    return tidy(unicodedata.normalize("NFKC", tidy(text)))


def fold(text: str) -> str:
    """The form in which two texts are compared: half-width, lower case, no spaces."""
    return narrow(narrow(text).lower()).replace(" ", "")


def escape(value: str) -> str:
    """``value`` with a backslash before each character that has a meaning in a caption.

    The full-width ``｜［］`` are read like their half-width forms, so they are escaped too.
    """
    return _ESCAPED.sub(r"\\\g<0>", value)


def similarity(a: str, b: str) -> float:
    """1 − Levenshtein distance / length of the longer text, in 0…1, on :func:`fold` forms.

    Takes time in proportion to the product of the lengths.
    """
    a, b = fold(a), fold(b)
    if a == b:
        return 1.0
    previous = list(range(len(b) + 1))
    for i, char_a in enumerate(a, 1):
        current = [i]
        for j, char_b in enumerate(b, 1):
            current.append(
                min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (char_a != char_b))
            )
        previous = current
    return 1 - previous[-1] / max(len(a), len(b))
