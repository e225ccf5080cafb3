"""Quantities: numbers with units, such as 12箱, 一打, 半箱, 1箱3瓶.

A quantity has up to three parts from large to small; a connecting 零, 又, 加, 和 or + between them
is read and not written, so 1箱零3瓶 is 1箱3瓶.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .errors import FieldError, excerpt
from .numerals import NUMBER, NUMERAL_CHARS, decimal_text
from .text import fold, narrow
from .units import DOZEN, GENERIC_PACK, pack_key, pack_name

MAX_PARTS: Final = 3

_PREFIX: Final = re.compile(r"(?:共计|合计|总计|共|total:?|[x×*]) *", re.IGNORECASE | re.ASCII)
_CONNECTOR: Final = re.compile(r" *(?:[零又加和+,]|and(?![a-z]))? *", re.IGNORECASE | re.ASCII)
_UNIT: Final = re.compile(
    rf" *(千克|千米|[^{NUMERAL_CHARS} .,+×*/()\-零又加和、。—–…·~!?;:'\"%&@#=<>“”|\\]{{1,12}})\.?"
)
_VAGUE: Final = re.compile("以上|以下|左右|不到|^[多余]|[多余]$")
_HALF: Final = re.compile(r" *半")
_VULGAR: Final = str.maketrans({"½": "0.5", "¼": "0.25", "¾": "0.75"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """Parts of (decimal text, unit); the unit is empty where none was given."""

    parts: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """The canonical form, for example ``12箱``."""
        return "".join(number + unit for number, unit in self.parts)

    def amounts(self) -> tuple[tuple[float, str], ...]:
        """Numbers with unit keys, for comparison; a dozen counts as twelve pieces."""
        return tuple(
            (float(number) * 12, GENERIC_PACK)
            if pack_key(unit) == DOZEN
            else (float(number), pack_key(unit))
            for number, unit in self.parts
        )


@lru_cache(maxsize=2048)
def parse_quantity(raw: str) -> Quantity | FieldError:
    """Read a quantity; the error's position counts characters of the half-width text."""
    text = narrow(raw.translate(_VULGAR))
    parts: list[tuple[str, str]] = []
    place = match.end() if (match := _PREFIX.match(text)) else 0
    start = place
    while place < len(text):
        if parts and (connector := _CONNECTOR.match(text, place)):
            place = connector.end()
        number = NUMBER.match(text, place)
        if number is None or len(parts) == MAX_PARTS:
            return _unreadable(text)
        decimal = decimal_text(number)
        if decimal is None:
            return FieldError("number_out_of_range", {"text": excerpt(number[0])})
        place = number.end()
        unit = ""
        if found := _UNIT.match(text, place):
            unit, place = pack_name(found[1]), found.end()
            if _VAGUE.search(unit):
                return _unreadable(text)
            if (
                (half := _HALF.match(text, place))
                and "." not in decimal
                and half.end() == len(text)
            ):
                decimal, place = f"{decimal}.5", half.end()
        if any(pack_key(unit) == pack_key(other) for _, other in parts):
            return FieldError("repeated_unit", {"unit": unit})
        parts.append((decimal, unit))
    if place == start or (len(parts) > 1 and any(not unit for _, unit in parts)):
        return _unreadable(text)
    return Quantity(tuple(parts))


def compare_quantities(a: str, b: str) -> float:
    """1 when numbers and units are equal, .5 when only the numbers are, else 0.

    Texts that are no quantities are equal only when they read alike.
    """
    first, second = parse_quantity(a), parse_quantity(b)
    if isinstance(first, FieldError) or isinstance(second, FieldError):
        return 1.0 if fold(a) == fold(b) else 0.0
    x, y = first.amounts(), second.amounts()
    if x == y:
        return 1.0
    return 0.5 if [number for number, _ in x] == [number for number, _ in y] else 0.0


def _unreadable(text: str) -> FieldError:
    return FieldError("invalid_quantity", {"text": excerpt(text)})
