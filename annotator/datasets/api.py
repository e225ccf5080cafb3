"""Downloading a data set."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.review.api.tasks import SelectionSerializer, StartedJobSerializer

from . import jobs
from .export import zip_stream


class ExportSerializer(serializers.Serializer[Any]):
    selection = SelectionSerializer(help_text="All decided tasks when empty.")


class DatasetView(SiteView):
    """The project's decided captures in the data set layout, as a zip: streamed at once, or made in
    the background of a selection."""

    access = {"GET": ADMINS, "POST": ADMINS}

    @extend_schema(
        operation_id="dataset",
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, project_id: int) -> StreamingHttpResponse:
        rows = Project.objects.select_related("site").filter(site__in=self.sites)
        project = get_object_or_404(rows, pk=project_id)
        response = StreamingHttpResponse(zip_stream(project), content_type="application/zip")
        name = f"{project.site.slug}-{project.slug}.zip"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @extend_schema(
        operation_id="export_dataset",
        request=ExportSerializer,
        responses={202: StartedJobSerializer},
    )
    def post(self, request: Request, project_id: int) -> Response:
        rows = Project.objects.select_related("site").filter(site__in=self.sites)
        project = get_object_or_404(rows, pk=project_id)
        form = ExportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        job = jobs.start_export(
            project=project, wanted=form.validated_data["selection"], actor=self.person
        )
        return Response({"job": job.pk}, status=202)
