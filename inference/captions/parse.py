"""Reading captions, forgivingly: any order, any width, labels in three languages.

A label is ``【数量】``, ``[数量]`` or ``数量：``. A label with a colon counts at the start of the
text, of a line and after a bar; in a text without any bracketed label it also counts after a space,
a comma or a semicolon. The text is read once from left to right, in time proportional to its length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .errors import FieldError, excerpt
from .format import format_caption
from .schema import DEFAULT_SCHEMA, Field, Schema
from .text import fold, is_space, tidy
from .values import Unknown, Value, normalise_value, parse_unknown, values_to_json

MAX_ERRORS: Final = 50
"""Further errors are not listed; the last one listed says so."""

_OPEN, _CLOSE = "【[［", "】]］"
_BARS, _COLONS = "|｜", ":："
_COMMAS = ",，;；、"
_MAX_LABEL = 48


@dataclass(frozen=True, slots=True)
class ParseResult:
    """What a caption says. ``values`` holds canonical values of the fields that could be read,
    ``unread`` the raw text of those that could not, ``canonical`` the caption of ``values``."""

    values: Mapping[str, Value]
    errors: tuple[FieldError, ...]
    canonical: str
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.errors

    def to_json(self) -> dict[str, Any]:
        return {
            "values": values_to_json(self.values),
            "errors": [error.to_json() for error in self.errors],
            "canonical": self.canonical,
            "unread": dict(self.unread),
        }


@dataclass(slots=True)
class _Segment:
    """A label (None where there is none) and the characters after it, escapes resolved."""

    label: str | None
    label_at: int
    start: int
    chars: list[str] = field(default_factory=list)
    first_escaped: bool = False
    ended_by_label: bool = False

    def add(self, char: str, escaped: bool) -> None:
        if not self.chars:
            if is_space(char) and not escaped:
                self.start += 1
                return
            self.first_escaped = escaped
        self.chars.append(char)

    def text(self) -> str:
        raw = "".join(self.chars)
        return raw.rstrip(_COMMAS + " \t\r\n\u3000") if self.ended_by_label else raw


def parse(text: str, schema: Schema = DEFAULT_SCHEMA) -> ParseResult:
    """Read a caption. Never raises: what cannot be read is in ``errors`` by field and position."""
    names = schema.by_name()
    values: dict[str, Value] = {}
    unread: dict[str, str] = {}
    errors: list[FieldError] = []
    for segment in _segments(text, names):
        if segment.label is None:
            if bare := tidy(segment.text()):
                errors.append(
                    FieldError("unlabelled_text", {"text": excerpt(bare)}, None, segment.start)
                )
            continue
        known = names.get(fold(segment.label))
        if known is None:
            params = {
                "label": excerpt(tidy(segment.label)),
                "labels": [f.label["zh"] for f in schema.fields],
            }
            errors.append(FieldError("unknown_field", params, None, segment.label_at))
            continue
        value = _value(known, segment)
        if isinstance(value, FieldError):
            errors.append(value)
            unread.setdefault(known.key, tidy(segment.text()))
        elif values.setdefault(known.key, value) != value:
            label = {"label": known.label["zh"]}
            errors.append(FieldError("duplicate_field", label, known.key, segment.label_at))
    for f in schema.fields:
        if f.required and f.key not in values and f.key not in unread:
            errors.append(FieldError("missing_field", {"label": f.label["zh"]}, f.key))
    ordered = {f.key: values[f.key] for f in schema.fields if f.key in values}
    if len(errors) > MAX_ERRORS:
        errors = [*errors[: MAX_ERRORS - 1], FieldError("too_many_errors", {"limit": MAX_ERRORS})]
    return ParseResult(ordered, tuple(errors), format_caption(ordered, schema), unread)


def _value(known: Field, segment: _Segment) -> Value | FieldError:
    text = segment.text()
    if not segment.first_escaped and (unknown := parse_unknown(text)):
        return unknown
    value = normalise_value(known, text)
    return value.at(segment.start) if isinstance(value, FieldError) else value


def _segments(text: str, names: Mapping[str, Field]) -> list[_Segment]:
    """Cut ``text`` at labels and bars."""
    loose = not _has_bracketed_label(text, names)
    segments = [_Segment(None, 0, 0)]
    boundary = True  # a label with a colon may start here
    place = 0
    while place < len(text):
        char = text[place]
        if char == "\\" and place + 1 < len(text):
            segments[-1].add(text[place + 1], escaped=True)
            place, boundary = place + 2, False
            continue
        if char in _BARS:
            segments.append(_Segment(None, place, place + 1))
            place, boundary = place + 1, True
            continue
        found = _bracketed(text, place) if char in _OPEN else None
        if found is None and boundary and not is_space(char):
            found = _before_colon(text, place, names)
        if found is not None:
            label, end = found
            segments[-1].ended_by_label = True
            segments.append(_Segment(label, place, end))
            place, boundary = end, False
            continue
        segments[-1].add(char, escaped=False)
        boundary = (
            (boundary and is_space(char))
            or char == "\n"
            or (loose and (is_space(char) or char in _COMMAS))
        )
        place += 1
    return segments


def _bracketed(text: str, place: int) -> tuple[str, int] | None:
    """The label in the brackets that open at ``place``, and the place after them and a colon."""
    for close in range(place + 1, min(len(text), place + 2 + _MAX_LABEL)):
        char = text[close]
        if char in _CLOSE:
            label = text[place + 1 : close]
            after = close + 1
            if after < len(text) and text[after] in _COLONS:
                after += 1
            return (label, after) if fold(label) else None
        if char in _OPEN or char in _BARS or char in "\\\n":
            return None
    return None


def _before_colon(text: str, place: int, names: Mapping[str, Field]) -> tuple[str, int] | None:
    """The known label that starts at ``place`` and ends with a colon, and the place after it."""
    for colon in range(place, min(len(text), place + 1 + _MAX_LABEL)):
        if text[colon] in _COLONS:
            label = text[place:colon]
            return (label, colon + 1) if fold(label) in names else None
        if text[colon] in _BARS or text[colon] in "\\\n":
            return None
    return None


def _has_bracketed_label(text: str, names: Mapping[str, Field]) -> bool:
    place = 0
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text[place] in _OPEN:
            found = _bracketed(text, place)
            if found is not None and fold(found[0]) in names:
                return True
        place += 1
    return False
