"""Specs: amounts with units and nested packs, such as 500ml×6瓶/箱 or 100g袋装×12.

A spec is read as a row of tokens: numbers with their units, words (A4, 袋装), × and /. What it
amounts to is the measures (500 ml), the counts (6) and the words that qualify them (瓶, 箱).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from .errors import FieldError, excerpt
from .numerals import NUMBER, decimal_text
from .text import narrow, similarity
from .units import (
    GENERIC_PACK,
    MEASURE_NAMES,
    MEASURES,
    PACK_NAMES,
    Dimension,
    pack_key,
    pack_name,
)

_TIMES: Final = re.compile(r"[×*✕✖∗]|[xX](?= ?[0-9])")
_MEASURE: Final = re.compile(
    rf" ?({'|'.join(MEASURE_NAMES)})(?=[^a-z]|x ?[0-9一二两三四五六七八九十百千半]|$)",
    re.IGNORECASE | re.ASCII,
)
_PACK: Final = re.compile(
    rf" ?({'|'.join(PACK_NAMES)})(?=[^a-z]|$)|"
    rf" ?({'|'.join(name for name in PACK_NAMES if not name.isascii())})",
    re.IGNORECASE | re.ASCII,
)
_LATIN: Final = re.compile(r"[A-Za-z]+(?:[-.]?[0-9]+[A-Za-z]*)*")
_PLAIN_LATIN: Final = re.compile(r"[A-Za-z]+(?![A-Za-z0-9])")
_PUNCTUATION: Final = " ×*✕✖∗/0-9A-Za-z.,，。()（）+~:;_'\"!?&%#@=<>、—–…·“”‘’-"
_OTHER: Final = re.compile(f"[^{_PUNCTUATION}]+")
_FILLERS: Final = frozenset({"装", "入", "约", "净含量", "净重", "容量", GENERIC_PACK})
"""Words that do not tell two packs apart."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["number", "word", "×", "/", "mark"]
    text: str
    spaced: bool
    value: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Spec:
    """``measures`` are in ml, g or mm, smallest first; ``counts`` leave out ones; ``words`` are
    pack keys and other words that qualify the amounts; ``text`` is the canonical form."""

    text: str
    measures: tuple[tuple[Dimension, float], ...]
    counts: tuple[float, ...]
    words: frozenset[str]

    def total(self) -> tuple[Dimension | None, float] | None:
        """The amount in the whole pack, with its dimension (None: pieces).

        None when there is none, or when several measures (10cm×20cm) make no sum.
        """
        if len(self.measures) > 1 or not (self.measures or self.counts):
            return None
        dimension, amount = self.measures[0] if self.measures else (None, 1.0)
        return dimension, amount * math.prod(self.counts)


@lru_cache(maxsize=2048)
def parse_spec(raw: str) -> Spec | FieldError:
    """Read a spec. One without numbers (均码) is allowed: its words are all there is to compare."""
    text = narrow(raw)
    tokens = _tokens(text)
    if isinstance(tokens, FieldError):
        return tokens
    for index, token in enumerate(tokens):
        if token.kind in "×/":
            around = tokens[max(0, index - 1) : index] + tokens[index + 1 : index + 2]
            if len(around) < 2 or any(other.kind in "×/" for other in around):
                return FieldError("dangling_operator", {"operator": token.text})
    if not any(token.kind in ("number", "word") for token in tokens):
        return FieldError("invalid_spec", {"text": excerpt(text)})
    return _meaning(tokens)


def _meaning(tokens: list[_Token]) -> Spec:
    text = ""
    measures: list[tuple[Dimension, float]] = []
    counts: list[float] = []
    words: set[str] = set()
    previous: _Token | None = None
    for token in tokens:
        operator = token.kind in "×/" or (previous is not None and previous.kind in "×/")
        text += (" " if token.spaced and text and not operator else "") + token.text
        if token.kind == "number" and token.unit.lower() in MEASURES:
            dimension, factor, _ = MEASURES[token.unit.lower()]
            measures.append((dimension, token.value * factor))
        elif token.kind == "number":
            if token.value != 1:
                counts.append(token.value)
            words.add(pack_key(token.unit))
        elif token.kind == "word":
            words.add(pack_key(token.text))
        previous = token
    return Spec(
        text, tuple(sorted(measures)), tuple(sorted(counts)), frozenset(words - _FILLERS - {""})
    )


def _tokens(text: str) -> list[_Token] | FieldError:
    tokens: list[_Token] = []
    place, spaced = 0, False
    while place < len(text):
        if text[place] == " ":
            place, spaced = place + 1, True
            continue
        found = _token(text, place, spaced, bool(tokens))
        if isinstance(found, FieldError):
            return found
        token, place = found
        tokens.append(token)
        spaced = False
    return tokens


def _token(text: str, place: int, spaced: bool, inside: bool) -> tuple[_Token, int] | FieldError:
    """The token at ``place`` and the place after it."""
    if (end := _times(text, place)) and (inside or text[place] not in "xX"):
        return _Token("×", "×", spaced), end
    if text[place] == "/":
        return _Token("/", "/", spaced), place + 1
    if (number := NUMBER.match(text, place)) and (number["arabic"] or _unit(text, number.end())):
        return _number(text, number, spaced)
    if match := _LATIN.match(text, place):
        return _Token("word", match[0], spaced), match.end()
    if match := _OTHER.match(text, place):
        end = _next_number(text, place + 1, match.end())
        return _Token("word", text[place:end], spaced), end
    return _Token("mark", text[place], spaced), place + 1


def _number(text: str, match: re.Match[str], spaced: bool) -> tuple[_Token, int] | FieldError:
    decimal = decimal_text(match)
    if decimal is None:
        return FieldError("number_out_of_range", {"text": excerpt(match[0])})
    if float(decimal) == 0:
        return FieldError("zero_amount")
    end = match.end()
    unit = ""
    if found := _unit(text, end):
        unit, end = found
    elif (word := _PLAIN_LATIN.match(text, end)) and not _times(text, end):
        unit, end = word[0], word.end()
    elif word := _OTHER.match(text, end):
        end = _next_number(text, end + 1, word.end())
        unit = text[match.end() : end]
    return _Token("number", decimal + unit, spaced, float(decimal), unit), end


def _times(text: str, place: int) -> int | None:
    """The place after a multiplication sign at ``place``. An x is one before a number, Chinese
    numerals with a known unit included."""
    if match := _TIMES.match(text, place):
        return match.end()
    if text[place : place + 1] in ("x", "X"):
        after = place + 2 if text[place + 1 : place + 2] == " " else place + 1
        number = NUMBER.match(text, after)
        if number and _unit(text, number.end()):
            return place + 1
    return None


def _unit(text: str, place: int) -> tuple[str, int] | None:
    """The known measure or pack at ``place`` as it is written in captions, and the place after."""
    if match := _MEASURE.match(text, place):
        return MEASURES[match[1].lower()][2], match.end()
    if match := _PACK.match(text, place):
        return pack_name(match[1] or match[2]), match.end()
    return None


def _next_number(text: str, start: int, end: int) -> int:
    """Where in ``start``…``end`` a Chinese number with a known unit begins, else ``end``."""
    for place in range(start, end):
        number = NUMBER.match(text, place)
        if number and _unit(text, number.end()):
            return place
    return end


def compare_specs(a: str, b: str) -> float:
    """1 for the same amounts after unit conversion, .5 for the same total packed otherwise, else 0.

    Halved when both have qualifying words and neither's include the other's (瓶 and 罐).
    Specs without amounts compare by character similarity.
    """
    first, second = parse_spec(a), parse_spec(b)
    if isinstance(first, FieldError) or isinstance(second, FieldError):
        return similarity(a, b)
    if not (first.measures or first.counts or second.measures or second.counts):
        return similarity(a, b)
    score = _compare_amounts(first, second)
    alike = first.words <= second.words or second.words <= first.words
    return score if alike else score / 2


def _compare_amounts(a: Spec, b: Spec) -> float:
    dimensions_alike = [d for d, _ in a.measures] == [d for d, _ in b.measures]
    measures_alike = _close([m for _, m in a.measures], [m for _, m in b.measures])
    if dimensions_alike and measures_alike and _close(a.counts, b.counts):
        return 1.0
    total_a, total_b = a.total(), b.total()
    if total_a and total_b and total_a[0] == total_b[0] and _close([total_a[1]], [total_b[1]]):
        return 0.5
    return 0.0


def _close(a: tuple[float, ...] | list[float], b: tuple[float, ...] | list[float]) -> bool:
    return len(a) == len(b) and all(
        math.isclose(x, y, rel_tol=1e-9) for x, y in zip(a, b, strict=True)
    )
