"""Uploading and browsing captures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import site_of
from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS, STAFF
from annotator.accounts.views import SiteView
from annotator.core.errors import FieldError, Invalid
from annotator.core.messages import text
from annotator.core.paging import SitePageQuery, page_of, paged
from annotator.media.queries import image_urls

from . import services
from .models import CamType, Capture, Quarantine
from .queries import quarantine_of


class ImageUrlsSerializer(serializers.Serializer[Any]):
    thumb = serializers.CharField()
    display = serializers.CharField()
    original = serializers.CharField()


class CaptureSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    image_id = serializers.CharField()
    cam_type = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField(help_text="Pixels of the upright picture.")
    height = serializers.IntegerField(help_text="Pixels of the upright picture.")
    images = ImageUrlsSerializer()
    sharpness = serializers.FloatField()
    exposure = serializers.FloatField()
    created_at = serializers.DateTimeField()
    duplicate_of = serializers.IntegerField(allow_null=True)


class UploadSerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField(required=False)
    project = serializers.IntegerField(required=False)
    cam_type = serializers.ChoiceField(CamType.choices, required=False, allow_blank=True)
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True))


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class TakenSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.ChoiceField(["created", "existing", "quarantined"])
    capture = serializers.IntegerField(required=False)
    duplicate_of = serializers.IntegerField(required=False, allow_null=True)
    quarantine = RefusalSerializer(required=False)


class UploadedSerializer(serializers.Serializer[Any]):
    results = TakenSerializer(many=True)


class QuarantineSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    created_at = serializers.DateTimeField()


def capture_json(capture: Capture) -> dict[str, Any]:
    """A capture as every page shows it. Needs ``image``."""
    return {
        "id": capture.pk,
        "image_id": capture.image_id_text,
        "cam_type": capture.cam_type,
        "width": capture.image.width,
        "height": capture.image.height,
        "images": image_urls(capture.image_id),
        "sharpness": capture.image.sharpness,
        "exposure": capture.image.exposure,
        "created_at": capture.created_at,
        "duplicate_of": capture.duplicate_of_id,
    }


class UploadView(SiteView):
    """Several photos at once; each has its own result."""

    access = {"POST": ADMINS}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="upload_captures", request=UploadSerializer, responses=UploadedSerializer
    )
    def post(self, request: Request) -> Response:
        files = request.FILES.getlist("files")
        if not files:
            raise Invalid([FieldError("files", "required")])
        if len(files) > settings.UPLOAD_FILES_PER_REQUEST:
            raise Invalid(
                [
                    FieldError(
                        "files", "too_many_files", {"limit": settings.UPLOAD_FILES_PER_REQUEST}
                    )
                ]
            )
        plain = {key: request.POST[key] for key in request.POST}
        form = UploadSerializer(data={**plain, "files": files})
        form.is_valid(raise_exception=True)
        data = form.validated_data
        project = self._project(data)
        site = project.site if project else self._site(data)
        results = [
            services.take_in(
                site=site,
                name=file.name or "",
                data=file.read(),
                source="upload",
                project=project,
                actor=self.person,
                cam_type=data.get("cam_type", ""),
            ).to_json()
            for file in files
        ]
        return Response({"results": results})

    def _project(self, data: dict[str, Any]) -> Project | None:
        if "project" not in data:
            return None
        rows = Project.objects.filter(site__in=self.sites).select_related("site")
        return get_object_or_404(rows, pk=data["project"])

    def _site(self, data: dict[str, Any]) -> Any:
        if "site" in data:
            return get_object_or_404(self.sites, pk=data["site"])
        return site_of(self)


class QuarantineView(SiteView):
    """Files that were refused, with the reason."""

    access = {"GET": STAFF}

    @extend_schema(
        operation_id="quarantine",
        parameters=[SitePageQuery],
        responses=paged(QuarantineSerializer),
    )
    def get(self, request: Request) -> Response:
        rows: QuerySet[Quarantine] = quarantine_of(self.sites)
        if request.query_params.get("site"):
            rows = rows.filter(site=site_of(self))
        return page_of(request, rows, _quarantine_json)


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
