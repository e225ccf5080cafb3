"""Disputes that a look settles: what can be told for certain from the answers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inference.captions import Agreement, Field, Schema, Value, fold

from .models import Trivial

MINOR_WEIGHT = 0.15
"""Fields that together weigh no more than this part of the whole are minor."""
_OF_THE_CATALOG = ("category", "spec")


def trivial_kind(
    values: Sequence[Mapping[str, Value]],
    schema: Schema,
    score: Agreement,
    catalog_values: Callable[[str], Mapping[str, Value]],
) -> str:
    """Why a dispute is trivial, or nothing. SKU, quantity, condition by two grades and boxes never
    are, nor is what somebody could not make out."""
    if any(reason.code != "low_agreement" for reason in score.reasons):
        return ""
    differing = [f for f in schema.fields if score.per_field.get(f.key, 1.0) < 1.0]
    if not differing or any(not _all_said(f, values) for f in differing):
        return ""
    if all(_same_letters(f, values) for f in differing):
        return Trivial.WRITING
    if all(f.kind in _OF_THE_CATALOG for f in differing):
        codes = {fold(str(v.get(f.key, ""))) for f in schema.of_kind("sku") for v in values}
        code = next((str(values[0].get(f.key, "")) for f in schema.of_kind("sku")), "")
        record = catalog_values(code) if len(codes) == 1 and code else {}
        if all(record.get(f.key) for f in differing):
            return Trivial.CATALOG
    whole = sum(f.weight for f in schema.fields)
    if whole and sum(f.weight for f in differing) <= MINOR_WEIGHT * whole + 1e-9:
        return Trivial.MINOR
    return ""


def _all_said(field: Field, values: Sequence[Mapping[str, Value]]) -> bool:
    return all(isinstance(one.get(field.key), str) for one in values)


def _same_letters(field: Field, values: Sequence[Mapping[str, Value]]) -> bool:
    letters = {"".join(c for c in fold(str(one[field.key])) if c.isalnum()) for one in values}
    return len(letters) == 1 and letters != {""}
