"""Importing a catalog file."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import site_of
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView

from .. import importing
from ..table import read_table
from .skus import uploaded_file


class ImportSerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField(required=False)
    file = serializers.FileField(help_text="CSV or XLSX.")
    dry_run = serializers.BooleanField(default=False)
    skip_bad = serializers.BooleanField(default=False)
    mirror = serializers.BooleanField(
        default=False, help_text="Deactivate the SKUs that the file does not name."
    )


class RowErrorSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    column = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ColumnsSerializer(serializers.Serializer[Any]):
    known = serializers.ListField(child=serializers.CharField())
    extra = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField())


class RowChangeSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    action = serializers.ChoiceField(["create", "update", "deactivate"])
    fields = serializers.DictField(
        child=serializers.ListField(), help_text="The old and the new value of each."
    )


class ImportReportSerializer(serializers.Serializer[Any]):
    job = serializers.IntegerField(
        required=False, help_text="A large file is imported by this job; its result is the report."
    )
    dry_run = serializers.BooleanField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    deactivated = serializers.IntegerField()
    pictures = serializers.IntegerField()
    changes = RowChangeSerializer(many=True, help_text="The first 500.")
    columns = ColumnsSerializer()
    errors = RowErrorSerializer(many=True)


class ImportView(SiteView):
    """Importing a CSV or XLSX. ``dry_run`` lists what would change and every bad row; without it, a
    file with bad rows is refused whole unless ``skip_bad``."""

    access = {"POST": ADMINS}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="import_catalog",
        request=ImportSerializer,
        responses={200: ImportReportSerializer, 202: ImportReportSerializer},
    )
    def post(self, request: Request) -> Response:
        data = uploaded_file(request)
        form = ImportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        site = (
            get_object_or_404(self.sites, pk=wanted["site"]) if "site" in wanted else site_of(self)
        )
        table = read_table(data)
        skip_bad, mirror = wanted["skip_bad"], wanted["mirror"]
        large = len(table.rows) > importing.JOB_FROM_ROWS
        writes = not wanted["dry_run"] and (skip_bad or not table.errors)
        if writes:
            importing.check_mirror(table, mirror=mirror)
        report = importing.import_catalog(
            site=site,
            table=table,
            actor=self.person,
            dry_run=wanted["dry_run"] or large,
            skip_bad=skip_bad,
            mirror=mirror,
        )
        if not (large and writes):
            return Response(report.to_json())
        job = importing.start_import(
            site=site, data=data, skip_bad=skip_bad, mirror=mirror, actor=self.person
        )
        return Response({**report.to_json(), "dry_run": False, "job": job.pk}, status=202)
