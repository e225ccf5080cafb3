"""Importing gold tasks."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.catalog.api.imports import RowErrorSerializer
from annotator.catalog.api.skus import uploaded_file

from ..gold_import import import_gold


class GoldFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="A CSV, or a JSON list, of image_id and caption.")


class GoldReportSerializer(serializers.Serializer[Any]):
    made = serializers.IntegerField(help_text="Photos by which annotators are measured now.")
    decided = serializers.IntegerField(help_text="Of those, such that were not decided before.")
    errors = RowErrorSerializer(many=True, help_text="With errors nothing is written.")


class GoldImportView(SiteView):
    """Photos whose captions are known from elsewhere become gold tasks."""

    access = {"POST": ADMINS}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="import_gold", request=GoldFileSerializer, responses=GoldReportSerializer
    )
    def post(self, request: Request, project_id: int) -> Response:
        rows = Project.objects.filter(site__in=self.sites).select_related("site")
        project = get_object_or_404(rows, pk=project_id)
        report = import_gold(project=project, data=uploaded_file(request), actor=self.person)
        return Response(report.to_json())
