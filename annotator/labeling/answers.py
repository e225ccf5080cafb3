"""Checking an answer: caption fields, boxes and attributes. Pure; the database is asked before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotator.core.errors import FieldError, Invalid
from annotator.core.messages import caption_language
from inference.captions import (
    Box,
    Schema,
    Value,
    format_caption,
    validate,
    values_from_json,
    values_to_json,
)
from inference.captions import FieldError as CaptionFieldError
from inference.contracts import PACKAGE_TYPES

MAX_BOXES = 500
MAX_STACK_LEVEL = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer: canonical values, boxes by capture in pixels, attributes, caption."""

    values: dict[str, Value]
    boxes: list[dict[str, Any]]
    attributes: dict[str, Any]
    caption: str

    @property
    def fields(self) -> dict[str, Any]:
        """The values as they are stored."""
        return values_to_json(self.values)


def check_answer(
    *,
    schema: Schema,
    fields: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    attributes: Mapping[str, Any],
    sizes_px: Mapping[int, tuple[int, int]],
    boxes_required: bool = False,
    known_codes: Mapping[str, str] | None = None,
    complete: bool = True,
) -> Answer:
    """The canonical answer. Raises :class:`Invalid` naming everything that is wrong.

    ``sizes_px`` are the captures that boxes may lie on; ``known_codes`` maps a typed SKU code to
    the catalog's spelling.
    """
    try:
        raw = values_from_json(fields)
    except ValueError as error:
        raise Invalid([FieldError("fields", "bad_record", {"detail": str(error)})]) from error
    values, caption_errors = validate(raw, schema, complete=complete)
    for field in schema.of_kind("sku"):
        code = values.get(field.key)
        if isinstance(code, str) and known_codes and code in known_codes:
            values[field.key] = known_codes[code]
    errors = [_as_field_error(error) for error in caption_errors]
    good_boxes = _check_boxes(boxes, sizes_px, errors)
    if boxes_required and complete and not good_boxes and not errors:
        errors.append(FieldError("boxes", "boxes_required"))
    good_attributes = _check_attributes(attributes, errors)
    if errors:
        raise Invalid(errors)
    return Answer(values, good_boxes, good_attributes, format_caption(values, schema))


def _as_field_error(error: CaptionFieldError) -> FieldError:
    words = error.message(caption_language())
    return FieldError(error.field or "", error.code, dict(error.params), words)


def _check_boxes(
    boxes: Sequence[Mapping[str, Any]],
    sizes_px: Mapping[int, tuple[int, int]],
    errors: list[FieldError],
) -> list[dict[str, Any]]:
    good = []
    for n, box in enumerate(boxes[:MAX_BOXES], start=1):
        size = sizes_px.get(box.get("capture", -1))
        try:
            x, y, w, h = (float(box[key]) for key in ("x", "y", "w", "h"))
        except (KeyError, TypeError, ValueError):
            x = y = w = h = math.nan
        if size is None or not all(map(math.isfinite, (x, y, w, h))):
            errors.append(FieldError(f"boxes.{n - 1}", "bad_box", {"n": n}))
            continue
        # Drawing past the edge is no mistake: the box is cut to the picture.
        left, top = max(0.0, x), max(0.0, y)
        right, bottom = min(float(size[0]), x + w), min(float(size[1]), y + h)
        if right - left < 1 or bottom - top < 1:
            errors.append(FieldError(f"boxes.{n - 1}", "bad_box", {"n": n}))
            continue
        good.append(
            {
                "capture": box["capture"],
                "x": round(left, 2),
                "y": round(top, 2),
                "w": round(right - left, 2),
                "h": round(bottom - top, 2),
            }
        )
    if len(boxes) > MAX_BOXES:
        errors.append(FieldError("boxes", "bad_record", {"detail": f"> {MAX_BOXES}"}))
    return good


def _check_attributes(attributes: Mapping[str, Any], errors: list[FieldError]) -> dict[str, Any]:
    good: dict[str, Any] = {}
    for key, value in attributes.items():
        if value is None or value == "":
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        ok = (
            (key == "package_type" and value in PACKAGE_TYPES)
            or (
                key == "stack_level"
                and isinstance(value, int)
                and number
                and 1 <= value <= MAX_STACK_LEVEL
            )
            or (key == "occlusion_ratio" and number and 0 <= value <= 1)
        )
        if ok:
            good[key] = value
        else:
            errors.append(
                FieldError(
                    f"attributes.{key}", "bad_attribute", {"key": key, "value": str(value)[:60]}
                )
            )
    return good


def boxes_of(boxes: Sequence[Mapping[str, Any]], capture_id: int) -> list[Box]:
    """The boxes on one capture, as (x, y, w, h)."""
    return [(b["x"], b["y"], b["w"], b["h"]) for b in boxes if b["capture"] == capture_id]
