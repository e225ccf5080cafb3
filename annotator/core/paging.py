"""Lists: cursor pages whose rows are presented together, so that a page costs a fixed number of
queries. A cursor is the place of the last row in the order, so that page 1,000 costs what page 1 does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from .errors import FieldError, Invalid

M = TypeVar("M", bound=Model)
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of an order; ``name`` may cross relations, its values are never null."""

    name: str
    descending: bool
    field: Field[Any, Any]

    def beyond(self, value: Any) -> Q:
        """Rows that come after ``value``."""
        return Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})

    def of(self, row: Model) -> Any:
        value: Any = row
        for part in self.name.split("__"):
            value = getattr(value, part)
        return value


def _columns(model: type[Model], ordering: Sequence[str], *, backwards: bool) -> list[_Column]:
    columns = []
    for term in ordering:
        name, here = term.lstrip("-"), model
        *path, last = name.split("__")
        for part in path:
            here = here._meta.get_field(part).related_model  # type: ignore[assignment]
        field: Any = here._meta.get_field(last)
        columns.append(_Column(name, term.startswith("-") != backwards, field))
    return columns


def _after(columns: Sequence[_Column], values: Sequence[Any]) -> Q:
    """Rows that come after the place ``values`` in lexicographic order. The first column is bounded
    once more by itself, which lets a database enter its index there."""
    place = Q()
    for column, value in reversed(list(zip(columns, values, strict=True))):
        further = Q(**{column.name: value}) & place if place else None
        place = column.beyond(value) | further if further else column.beyond(value)
    return (columns[0].beyond(values[0]) | Q(**{columns[0].name: values[0]})) & place


def _encode(columns: Sequence[_Column], row: Model, *, backwards: bool) -> str:
    values = [str(column.of(row)) for column in columns]
    return base64.urlsafe_b64encode(json.dumps([backwards, *values]).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[bool, list[str]]:
    try:
        backwards, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise Invalid([FieldError("cursor", "bad_cursor")]) from error
    return bool(backwards), [str(value) for value in values]


def page_of(
    request: Request,
    rows: QuerySet[M],
    present: Callable[[Sequence[M]], list[dict[str, Any]]],
    *,
    ordering: Sequence[str] = ("-id",),
) -> Response:
    """One page of ``rows``, presented. ``ordering`` ends with a unique column and has no nulls.

    Raises Invalid for a cursor or page size that cannot be."""
    form = PageQuery(data=request.query_params)
    form.is_valid(raise_exception=True)
    size: int = form.validated_data.get("page_size", PAGE_SIZE)
    cursor: str = form.validated_data.get("cursor", "")
    backwards, place = _decode(cursor) if cursor else (False, [])
    columns = _columns(rows.model, ordering, backwards=backwards)
    if cursor:
        try:
            values = [c.field.to_python(v) for c, v in zip(columns, place, strict=True)]
        except (ValueError, ValidationError) as error:
            raise Invalid([FieldError("cursor", "bad_cursor")]) from error
        rows = rows.filter(_after(columns, values))
    order = [f"-{c.name}" if c.descending else c.name for c in columns]
    found = list(rows.order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()

    def link(row: M, *, back: bool) -> str:
        address = request.build_absolute_uri()
        return replace_query_param(address, "cursor", _encode(columns, row, backwards=back))

    following = more if not backwards else bool(cursor)
    preceding = more if backwards else bool(cursor)
    previous = None
    if preceding:
        previous = (
            link(found[0], back=True)
            if found
            else remove_query_param(request.build_absolute_uri(), "cursor")
        )
    return Response(
        {
            "next": link(found[-1], back=False) if following and found else None,
            "previous": previous,
            "results": present(found),
        }
    )


def paged(row: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The schema of a page of ``row``."""
    return inline_serializer(
        f"{row.__name__.removesuffix('Serializer')}Page",
        {
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": row(many=True),
        },
    )


class PageQuery(serializers.Serializer[Any]):
    """The query parameters of every list."""

    cursor = serializers.CharField(required=False)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE)


class SitePageQuery(PageQuery):
    """A list of one site."""

    site = serializers.IntegerField(required=False)
