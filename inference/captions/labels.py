"""Where a field label stands in a text: ``【数量】``, ``[数量]``, ``数量：``."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final, NamedTuple

from .text import fold, is_space

BARS: Final = "|｜"
COMMAS: Final = ",，;；、"

_BRACKETED: Final = re.compile(r"[【\[［]([^【】\[\]［］|｜\\\n]{1,48})[】\]］][:：]?")
_BEFORE_COLON: Final = re.compile(r"([^:：|｜【】\[\]［］\\\n,，;；、]{1,48})[:：]")


class Label(NamedTuple):
    """A label's name and the place after the label."""

    name: str
    end: int


def bracketed_label(text: str, place: int) -> Label | None:
    """The label in the brackets that open at ``place``, known or not; a colon after it belongs."""
    match = _BRACKETED.match(text, place)
    return Label(match[1], match.end()) if match and fold(match[1]) else None


def colon_label(text: str, place: int, names: Container[str]) -> Label | None:
    """The label that starts at ``place`` and ends with a colon, if its fold is among ``names``."""
    match = _BEFORE_COLON.match(text, place)
    return Label(match[1], match.end()) if match and fold(match[1]) in names else None


def opens_boundary(char: str) -> bool:
    """Whether a label with a colon can follow ``char``."""
    return is_space(char) or char in COMMAS


def colons_of_labels(value: str, names: Container[str]) -> set[int]:
    """The places of the colons in ``value`` that would make a reader see a label in it."""
    places = set()
    boundary = False
    for place, char in enumerate(value):
        if boundary and not is_space(char) and (label := colon_label(value, place, names)):
            places.add(label.end - 1)
        boundary = opens_boundary(char)
    return places
