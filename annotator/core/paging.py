"""Lists: cursor pages whose rows are presented together, so that a page costs a fixed number of
queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

M = TypeVar("M", bound=Model)


class Page(CursorPagination):
    """Newest first, by id, 50 a page unless asked otherwise."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"


def page_of(
    request: Request,
    rows: QuerySet[M],
    present: Callable[[Sequence[M]], list[dict[str, Any]]],
    *,
    ordering: Sequence[str] = ("-id",),
) -> Response:
    """One page of ``rows``, presented."""
    page = Page()
    page.ordering = tuple(ordering)  # type: ignore[assignment]
    found: list[M] = page.paginate_queryset(rows.order_by(*ordering), request) or []  # type: ignore[assignment]
    return Response(
        {
            "next": page.get_next_link(),
            "previous": page.get_previous_link(),
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
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=200)


class SitePageQuery(PageQuery):
    """A list of one site."""

    site = serializers.IntegerField(required=False)
