"""Settling annotations into the values of a decision."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .compare import CategoryParent, compare
from .errors import FieldError
from .schema import DEFAULT_SCHEMA, Field, Schema
from .values import Unknown, Value, normalise_value

Source = Literal["agreed", "majority", "catalog", "first"]


@dataclass(frozen=True, slots=True)
class Settled:
    """Agreed ``values`` by field. ``sources`` says where each comes from; ``ties`` names the
    fields on which the annotators differed without a majority."""

    values: Mapping[str, Value]
    sources: Mapping[str, Source]
    ties: tuple[str, ...]


def settle(
    annotations: Sequence[Mapping[str, Value]],
    schema: Schema = DEFAULT_SCHEMA,
    catalog_values: Mapping[str, Value] | Callable[[str], Mapping[str, Value]] | None = None,
    category_parent: CategoryParent | None = None,
    *,
    known: Sequence[Container[str]] | None = None,
) -> Settled:
    """The values that annotations, in the order of submission, come to.

    Per field: the value of all, or of more than half; a field that still differs takes the
    catalog's value, else the first submitted one, and is a tie. ``catalog_values`` are those of
    the settled SKU, or a function from its code to them. Of equal values the first submitted
    text is taken. ``known`` are the fields that each annotation's author was asked for: the others
    have no say on a field. Raises :class:`ValueError` without annotations.
    """
    if not annotations:
        raise ValueError("there is nothing to settle: no annotations")
    values: dict[str, Value] = {}
    sources: dict[str, Source] = {}
    ties = []
    # The SKU goes first: the catalog's values hang on it.
    for f in sorted(schema.fields, key=lambda f: f.kind != "sku"):
        asked = [
            a for n, a in enumerate(annotations) if known is None or f.key in known[n]
        ] or annotations
        group, majority = _largest_group(f, [a.get(f.key) for a in asked], category_parent)
        value: Value | None = group[0]
        if len(group) == len(asked):
            source: Source = "agreed"
        elif majority:
            source = "majority"
        else:
            ties.append(f.key)
            value, source = _break_tie(f, asked, _catalog(catalog_values, schema, values))
        if value is not None:
            values[f.key] = value
        sources[f.key] = source
    order = [f.key for f in schema.fields]
    return Settled(
        {key: values[key] for key in order if key in values},
        {key: sources[key] for key in order},
        tuple(sorted(ties, key=order.index)),
    )


def _largest_group(
    field: Field, values: Sequence[Value | None], category_parent: CategoryParent | None
) -> tuple[list[Value | None], bool]:
    """The largest group of equal values, the earliest one among equals, and whether it is a
    majority."""
    groups: list[list[Value | None]] = []
    for value in values:
        for group in groups:
            if compare(field, group[0], value, category_parent) >= 1:
                group.append(value)
                break
        else:
            groups.append([value])
    largest = max(groups, key=len)
    return largest, 2 * len(largest) > len(values)


def _catalog(
    catalog_values: Mapping[str, Value] | Callable[[str], Mapping[str, Value]] | None,
    schema: Schema,
    settled: Mapping[str, Value],
) -> Mapping[str, Value]:
    if not callable(catalog_values):
        return catalog_values or {}
    codes = [settled.get(f.key) for f in schema.of_kind("sku")]
    return catalog_values(codes[0]) if codes and isinstance(codes[0], str) else {}


def _break_tie(
    field: Field, annotations: Sequence[Mapping[str, Value]], catalog: Mapping[str, Value]
) -> tuple[Value | None, Source]:
    """The catalog's value where it has a valid one, else the first that somebody could see."""
    offered = catalog.get(field.key)
    if isinstance(offered, str) and not isinstance(
        normal := normalise_value(field, offered), FieldError
    ):
        return normal, "catalog"
    given = [a[field.key] for a in annotations if field.key in a]
    seen = [value for value in given if not isinstance(value, Unknown)]
    return (seen or given or [None])[0], "first"
