"""Downloading a data set."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView

from .export import zip_stream


class DatasetView(SiteView):
    """The project's decided captures in the data set layout, streamed as a zip."""

    access = {"GET": ADMINS}

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
