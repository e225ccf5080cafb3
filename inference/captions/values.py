"""The values of a caption: texts, and the fields that an annotator could not see."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .condition import parse_condition
from .errors import FieldError, excerpt
from .quantity import parse_quantity
from .schema import Field, Schema
from .spec import parse_spec
from .text import fold, narrow, tidy

MAX_LENGTH: Final = 500
"""Most characters that a value may have."""

UNKNOWN: Final = "看不清"

_UNKNOWN_NAMES: Final = (
    "看不清楚|看不清|无法辨认|無法辨認|不可辨|unknown|illegible|unreadable|not visible|"
    "判読不能|読めない|見えない|不明"
)
_UNKNOWN: Final = re.compile(
    rf"(?:{_UNKNOWN_NAMES}) ?(?:[(（](?P<reason>.*)[)）])?", re.IGNORECASE | re.ASCII
)
_DASHES: Final = re.compile("[‐‑‒–—−]")
_DATE: Final = re.compile(
    r"([0-9]{4}) ?[-/.年] ?([0-9]{1,2})(?: ?[-/.月] ?([0-9]{1,2}) ?日?| ?月)?|"
    r"([0-9]{4})([0-9]{2})([0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A field that could not be seen, and why (反光, 被遮挡), or no reason."""

    reason: str = ""

    def text(self) -> str:
        """The form in a caption, before escaping: 看不清 or 看不清(反光)."""
        return f"{UNKNOWN}({self.reason})" if self.reason else UNKNOWN


Value = str | Unknown


def parse_unknown(text: str) -> Unknown | None:
    """Read 看不清, 看不清(反光), unknown (glare) and the like; None for any other text."""
    match = _UNKNOWN.fullmatch(tidy(text))
    return Unknown(tidy(match["reason"] or "")) if match else None


def normalise_value(field: Field, raw: str) -> str | FieldError:
    """The canonical form of ``raw`` for ``field``, or what is wrong with it.

    Normalising a canonical form again leaves it as it is.
    """
    text = tidy(raw)
    if not text:
        return FieldError("empty_value", {"label": field.label["zh"]}, field.key)
    if len(text) > MAX_LENGTH:
        params = {"label": field.label["zh"], "length": len(text), "limit": MAX_LENGTH}
        return FieldError("too_long", params, field.key)
    value = _normalise(field, text)
    return value.at(value.position, field.key) if isinstance(value, FieldError) else value


def _normalise(field: Field, text: str) -> str | FieldError:
    match field.kind:
        case "sku":
            return _normalise_sku(text)
        case "spec":
            spec = parse_spec(text)
            return spec if isinstance(spec, FieldError) else spec.text
        case "quantity":
            quantity = parse_quantity(text)
            return quantity if isinstance(quantity, FieldError) else quantity.text()
        case "condition":
            condition = parse_condition(text)
            return condition if isinstance(condition, FieldError) else condition.text()
        case "date":
            return _normalise_date(text)
        case "choice":
            return _normalise_choice(field, text)
        case "category" | "text":
            return text


def _normalise_sku(text: str) -> str | FieldError:
    code = _DASHES.sub("-", narrow(text))
    if not any(char.isalnum() for char in code):
        return FieldError("invalid_sku", {"text": excerpt(text)})
    return code


def _normalise_date(text: str) -> str | FieldError:
    """ISO 8601: 2025-03-01, or 2025-03 where no day was given."""
    match = _DATE.fullmatch(narrow(text))
    if match:
        year, month, day = match[1] or match[4], match[2] or match[5], match[3] or match[6]
        try:
            date = datetime.date(int(year), int(month), int(day or 1))
        except ValueError:
            pass
        else:
            return date.isoformat() if day else date.isoformat()[:7]
    return FieldError("invalid_date", {"text": excerpt(text)})


def _normalise_choice(field: Field, text: str) -> str | FieldError:
    for option in field.options:
        if fold(option) == fold(text):
            return option
    return FieldError("not_an_option", {"text": excerpt(text), "options": list(field.options)})


def validate(
    values: Mapping[str, Value], schema: Schema, *, complete: bool = True
) -> tuple[dict[str, Value], list[FieldError]]:
    """Normalise ``values`` and say what is wrong with them.

    Returns the canonical values of the fields that are right, in the schema's order, and the
    errors. Missing required fields are errors when ``complete``.
    """
    good: dict[str, Value] = {}
    errors = []
    for field in schema.fields:
        if field.key not in values:
            if field.required and complete:
                label = {"label": field.label["zh"]}
                errors.append(FieldError("missing_field", label, field.key))
            continue
        value = values[field.key]
        if isinstance(value, Unknown):
            good[field.key] = Unknown(tidy(value.reason))
        elif isinstance(result := normalise_value(field, value), FieldError):
            errors.append(result)
        else:
            good[field.key] = result
    for key in values:
        if schema.get(key) is None:
            labels = [field.label["zh"] for field in schema.fields]
            errors.append(FieldError("unknown_field", {"label": key, "labels": labels}, key))
    return good, errors


def values_to_json(values: Mapping[str, Value]) -> dict[str, Any]:
    """Texts as they are, an unknown as ``{"unknown": reason}``."""
    return {
        key: {"unknown": value.reason} if isinstance(value, Unknown) else value
        for key, value in values.items()
    }


def values_from_json(data: Mapping[str, Any]) -> dict[str, Value]:
    """The values of :func:`values_to_json`. Raises :class:`ValueError` naming what is not one."""
    values: dict[str, Value] = {}
    for key, item in data.items():
        if isinstance(item, str):
            values[key] = item
        elif isinstance(item, Mapping) and isinstance(item.get("unknown"), str) and len(item) == 1:
            values[key] = Unknown(item["unknown"])
        else:
            raise ValueError(f'{key}: must be a text or {{"unknown": "reason"}}')
    return values
