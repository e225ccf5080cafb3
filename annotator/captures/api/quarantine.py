"""Files that were refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.states import STAFF
from annotator.accounts.views import SiteView
from annotator.core.csvs import no_formula
from annotator.core.errors import FieldError, Invalid
from annotator.core.messages import text
from annotator.core.paging import SitePageQuery, page_of, paged

from .. import services
from ..models import Quarantine
from ..queries import quarantine_of, reasons_of
from .intake import IntakeView


class QuarantineSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    created_at = serializers.DateTimeField()


class QuarantineQuery(SitePageQuery):
    code = serializers.CharField(required=False, allow_blank=True)


class QuarantineView(SiteView):
    """Files that were refused, with the reason."""

    access = {"GET": STAFF}

    @extend_schema(
        operation_id="quarantine",
        parameters=[QuarantineQuery],
        responses=paged(QuarantineSerializer),
    )
    def get(self, request: Request) -> Response:
        rows: QuerySet[Quarantine] = quarantine_of(self.sites)
        if request.query_params.get("site"):
            rows = rows.filter(site=site_of(self))
        if request.query_params.get("code"):
            rows = rows.filter(code=request.query_params["code"])
        return page_of(request, rows, _quarantine_json)


class QuarantineListView(SiteView):
    """The list of refused files of a site as CSV."""

    access = {"GET": STAFF}

    @extend_schema(
        operation_id="quarantine_list",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
    )
    def get(self, request: Request, site_id: int) -> StreamingHttpResponse:
        site = get_object_or_404(self.sites, pk=site_id)
        rows = quarantine_of([site.pk]).order_by("-pk").iterator(chunk_size=500)
        response = StreamingHttpResponse(_csv_lines(rows), content_type="text/csv; charset=utf-8")
        name = f"{site.slug}-quarantine.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _csv_lines(rows: Iterable[Quarantine]) -> Iterator[str]:
    # A byte order mark, or Excel takes the names for Latin ones.
    yield "\ufeffname,reason,detail,bytes,source,at\r\n"
    for row in rows:
        out = io.StringIO()
        detail = text(row.code, **row.params)
        cells = [row.name, row.code, detail, row.size, row.source, row.created_at.isoformat()]
        csv.writer(out).writerow([no_formula(cell) for cell in cells])
        yield out.getvalue()


class RefusalReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    files = serializers.IntegerField()


class ReasonsView(SiteView):
    """Why files were refused, with their numbers, most frequent first."""

    access = {"GET": STAFF}

    @extend_schema(
        operation_id="quarantine_reasons",
        parameters=[SiteQuery],
        responses=RefusalReasonSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = reasons_of(site_of(self))
        return Response([{"code": code, "files": files} for code, files in rows])


class DismissSerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField(required=False)
    ids = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=1000)
    code = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("ids") and not attrs.get("code"):
            raise Invalid([FieldError("ids", "required")])
        return attrs


class DismissedSerializer(serializers.Serializer[Any]):
    dismissed = serializers.IntegerField()


class DismissView(IntakeView):
    """Put refused files out of sight: the named ones, or all of one reason."""

    @extend_schema(
        operation_id="dismiss_quarantine", request=DismissSerializer, responses=DismissedSerializer
    )
    def post(self, request: Request) -> Response:
        data = self.checked(DismissSerializer)
        site, _ = self.target({k: v for k, v in data.items() if k == "site"})
        dismissed = services.dismiss(
            site=site, actor=self.person, ids=data.get("ids", []), code=data.get("code", "")
        )
        return Response({"dismissed": dismissed})


def _quarantine_json(rows: Sequence[Quarantine]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.pk,
            "name": row.name,
            "code": row.code,
            "detail": text(row.code, **row.params),
            "size": row.size,
            "created_at": row.created_at,
        }
        for row in rows
    ]
