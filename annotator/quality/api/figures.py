"""The figures of a project, each broken down, and all of them as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.core.csvs import no_formula

from .. import people, queries
from .asking import BY, QualityOfProject, SinceQuery
from .serializers import BreakdownRowSerializer, QualitySerializer


class BreakdownQuery(SinceQuery):
    metric = serializers.CharField()
    by = serializers.ChoiceField(BY)


class QualityView(QualityOfProject):
    """The quality figures of a project."""

    @extend_schema(operation_id="quality", parameters=[SinceQuery], responses=QualitySerializer)
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        report = queries.report(project, since=self.asked(SinceQuery)["since"])
        return Response({**report, "alerts": people.open_alerts(project)})


class BreakdownView(QualityOfProject):
    """Where one figure comes from."""

    @extend_schema(
        operation_id="quality_breakdown",
        parameters=[BreakdownQuery],
        responses=BreakdownRowSerializer(many=True),
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        return Response(queries.breakdown(project, **self.asked(BreakdownQuery)))


class QualityTableView(QualityOfProject):
    """Every figure as CSV."""

    @extend_schema(
        operation_id="quality_table",
        parameters=[SinceQuery],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
    )
    def get(self, request: Request, project_id: int) -> StreamingHttpResponse:
        project = self.project(project_id)
        lines = queries.lines_of(project, self.asked(SinceQuery)["since"])
        response = StreamingHttpResponse(_csv(lines), content_type="text/csv; charset=utf-8")
        name = f"{project.slug}-quality.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _csv(lines: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield "\ufeff"  # or Excel takes the names for Latin ones
    for line in lines:
        out = io.StringIO()
        csv.writer(out).writerow([no_formula(cell) for cell in line])
        yield out.getvalue()
