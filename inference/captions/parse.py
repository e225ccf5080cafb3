"""Reading captions, forgivingly: any order, any width, labels in three languages.

A label is ``【数量】``, ``[数量]`` or ``数量：``. Any text in brackets is taken for a label, known or not;
one with a colon counts when it is known, at the start and after a bar, a space, a comma or a
semicolon. The text is read once from left to right, in time proportional to its length.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .errors import FieldError, excerpt
from .format import format_caption
from .labels import BARS, COMMAS, bracketed_label, colon_label, opens_boundary
from .schema import DEFAULT_SCHEMA, Field, Schema
from .text import fold, is_space, tidy
from .values import Value, normalise_value, parse_unknown, values_to_json

MAX_ERRORS: Final = 50
"""Further errors are not listed; the last one listed says so."""


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
        return raw.rstrip(COMMAS + " \t\r\n\u3000") if self.ended_by_label else raw


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


def _segments(text: str, names: Container[str]) -> list[_Segment]:
    """Cut ``text`` at labels and bars."""
    segments = [_Segment(None, 0, 0)]
    boundary = True  # a label with a colon may start here
    place = 0
    while place < len(text):
        char = text[place]
        if char == "\\" and place + 1 < len(text):
            segments[-1].add(text[place + 1], escaped=True)
            place, boundary = place + 2, False
            continue
        if char in BARS:
            segments.append(_Segment(None, place, place + 1))
            place, boundary = place + 1, True
            continue
        label = bracketed_label(text, place)
        if label is None and boundary and not is_space(char):
            label = colon_label(text, place, names)
        if label is not None:
            segments[-1].ended_by_label = True
            segments.append(_Segment(label.name, place, label.end))
            place, boundary = label.end, False
            continue
        segments[-1].add(char, escaped=False)
        boundary = opens_boundary(char) or (boundary and is_space(char))
        place += 1
    return segments
