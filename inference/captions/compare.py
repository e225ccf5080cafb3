"""Comparing captions: per field, and as the agreement of annotators."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

from .boxes import Box, lowest_iou
from .condition import compare_conditions, grades_apart
from .errors import FieldError
from .quantity import compare_quantities
from .schema import DEFAULT_SCHEMA, Field, Schema
from .spec import compare_specs
from .text import fold, similarity
from .values import Unknown, Value, normalise_value

CategoryParent = Callable[[str], str | None] | Mapping[str, str]
"""The parent of a category by its name; None or absent for a root."""

DEFAULT_THRESHOLD: Final = 0.85
MINIMUM_IOU: Final = 0.5
DISPUTED_GRADES: Final = 2
"""Conditions this many grades apart are disputed."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """``score`` is the weighted mean of ``per_field``, all in 0…1. ``reasons`` says why the
    annotators are in dispute; without one they agree."""

    score: float
    per_field: Mapping[str, float]
    reasons: tuple[FieldError, ...] = field(default=())

    @property
    def disputed(self) -> bool:
        return bool(self.reasons)

    def to_json(self) -> dict[str, Any]:
        return {
            "score": self.score,
            "per_field": dict(self.per_field),
            "reasons": [reason.to_json() for reason in self.reasons],
            "disputed": self.disputed,
        }


def compare(
    field: Field,
    a: Value | None,
    b: Value | None,
    category_parent: CategoryParent | None = None,
) -> float:
    """How far two values of ``field`` agree, in 0…1, symmetric.

    None stands for a field that was left out. Two unknowns agree, whatever their reasons; an
    unknown and a value, or a value and nothing, do not. Values need not be canonical.
    """
    if a is None or b is None:
        return 1.0 if a is None and b is None else 0.0
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return 1.0 if isinstance(a, Unknown) and isinstance(b, Unknown) else 0.0
    a, b = _canonical(field, a), _canonical(field, b)
    match field.kind:
        case "spec":
            return compare_specs(a, b)
        case "quantity":
            return compare_quantities(a, b)
        case "condition":
            return compare_conditions(a, b)
        case "text":
            return similarity(a, b)
        case "category":
            return _compare_categories(a, b, category_parent)
        case "sku" | "date" | "choice":
            return 1.0 if fold(a) == fold(b) else 0.0


def _canonical(field: Field, raw: str) -> str:
    value = normalise_value(field, raw)
    return raw if isinstance(value, FieldError) else value


def _compare_categories(a: str, b: str, parent_of: CategoryParent | None) -> float:
    """1 for the same category, .5 for the same parent, else 0."""
    if fold(a) == fold(b):
        return 1.0
    parent_a, parent_b = _parent(a, parent_of), _parent(b, parent_of)
    return 0.5 if parent_a and parent_b and fold(parent_a) == fold(parent_b) else 0.0


def _parent(category: str, parent_of: CategoryParent | None) -> str | None:
    if parent_of is None:
        return None
    return parent_of(category) if callable(parent_of) else parent_of.get(category)


def agreement(
    a: Mapping[str, Value],
    b: Mapping[str, Value],
    schema: Schema = DEFAULT_SCHEMA,
    category_parent: CategoryParent | None = None,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    boxes: tuple[Sequence[Box], Sequence[Box]] | None = None,
    minimum_iou: float = MINIMUM_IOU,
    known: Container[str] | None = None,
) -> Agreement:
    """The agreement of two annotations.

    They are in dispute when the weighted mean is below ``threshold``, when the SKU or the quantity
    differ, when the conditions are two grades or more apart, or, where ``boxes`` are required and
    given, when a box has no match or one under ``minimum_iou``. Only the fields ``known`` to both
    are compared: all of them unless given.
    """
    per_field = {
        f.key: compare(f, a.get(f.key), b.get(f.key), category_parent)
        for f in schema.fields
        if known is None or f.key in known
    }
    score = _weighted(per_field, schema)
    reasons = _reasons(a, b, schema, per_field)
    if boxes is not None and (lowest := lowest_iou(*boxes)) < minimum_iou:
        reasons.append(
            FieldError("boxes_differ", {"iou": round(lowest, 3), "minimum": minimum_iou})
        )
    if score < threshold - 1e-9:
        reasons.insert(0, _low(score, threshold))
    return Agreement(score, per_field, tuple(reasons))


def agreement_of_all(
    annotations: Sequence[Mapping[str, Value]],
    schema: Schema = DEFAULT_SCHEMA,
    category_parent: CategoryParent | None = None,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    boxes: Sequence[Sequence[Box]] | None = None,
    minimum_iou: float = MINIMUM_IOU,
    known: Sequence[Set[str]] | None = None,
) -> Agreement:
    """The agreement of two or more annotations: the mean over pairs, per field and in all.

    With more than two, an outvoted annotator is no dispute: a reason of a pair counts when at
    least half of the pairs have it. ``known`` are the fields that each annotation's author was asked
    for; a pair is compared on those of both. Raises :class:`ValueError` for fewer than two
    annotations.
    """
    if len(annotations) < 2:
        raise ValueError("agreement needs at least two annotations")
    pairs = [
        agreement(
            annotations[i],
            annotations[j],
            schema,
            category_parent,
            threshold=0.0,
            boxes=None if boxes is None else (boxes[i], boxes[j]),
            minimum_iou=minimum_iou,
            known=None if known is None else known[i] & known[j],
        )
        for i, j in combinations(range(len(annotations)), 2)
    ]
    per_field = {}
    for f in schema.fields:
        scores = [pair.per_field[f.key] for pair in pairs if f.key in pair.per_field]
        if scores:
            per_field[f.key] = sum(scores) / len(scores)
    score = sum(pair.score for pair in pairs) / len(pairs)
    first: dict[tuple[str, str | None], FieldError] = {}
    votes: dict[tuple[str, str | None], int] = {}
    for pair in pairs:
        for reason in pair.reasons:
            first.setdefault((reason.code, reason.field), reason)
            votes[reason.code, reason.field] = votes.get((reason.code, reason.field), 0) + 1
    reasons = [first[key] for key, count in votes.items() if 2 * count >= len(pairs)]
    if score < threshold - 1e-9:
        reasons.insert(0, _low(score, threshold))
    return Agreement(score, per_field, tuple(reasons))


def _weighted(per_field: Mapping[str, float], schema: Schema) -> float:
    """Field scores weighted; the division makes weights that do not add up to 1 a mean. 0 when
    nothing that weighs was compared."""
    weights = {f.key: f.weight for f in schema.fields if f.key in per_field}
    total = sum(weights.values())
    return min(1.0, sum(w * per_field[key] for key, w in weights.items()) / total) if total else 0.0


def _low(score: float, threshold: float) -> FieldError:
    return FieldError("low_agreement", {"score": round(score, 3), "threshold": threshold})


def _reasons(
    a: Mapping[str, Value], b: Mapping[str, Value], schema: Schema, per_field: Mapping[str, float]
) -> list[FieldError]:
    reasons = []
    for f in schema.fields:
        if f.key not in per_field:
            continue
        if f.kind in ("sku", "quantity") and per_field[f.key] < 1:
            reasons.append(FieldError(f"{f.kind}_differs", {}, f.key))
        if f.kind == "condition":
            first, second = a.get(f.key), b.get(f.key)
            if isinstance(first, str) and isinstance(second, str):
                apart = grades_apart(first, second)
                if apart is not None and apart >= DISPUTED_GRADES:
                    reasons.append(FieldError("condition_differs", {"grades": apart}, f.key))
    return reasons
