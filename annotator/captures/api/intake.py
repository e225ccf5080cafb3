"""Taking photos in: uploads, zips, addresses, named S3 sources."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.models import Project, Site
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.core.errors import FieldError, Invalid
from annotator.core.models import Job
from annotator.media.pictures import BadPicture, check_size

from .. import jobs, services
from ..intake import Incoming, refused, take_in_all
from ..models import CamType
from ..sources import bucket


class TargetSerializer(serializers.Serializer[Any]):
    """Where photos go: a site, or a project, whose site it then is, and one of its batches."""

    site = serializers.IntegerField(required=False)
    project = serializers.IntegerField(required=False)
    batch = serializers.IntegerField(
        required=False, help_text="The batch of the project that new tasks are put in."
    )


class IntakeSerializer(TargetSerializer):
    cam_type = serializers.ChoiceField(
        CamType.choices, required=False, allow_blank=True, default=""
    )


class UploadSerializer(IntakeSerializer):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True))
    names = serializers.ListField(
        child=serializers.CharField(max_length=1000),
        required=False,
        help_text="The files' names with their folders, in their order; a form leaves those out.",
    )


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


def _sent(file: Any, name: str, cam_type: str) -> Incoming:
    try:
        check_size(file.size, max_bytes=settings.MAX_UPLOAD_BYTES)
    except BadPicture as bad:
        return refused(name, bad.code, size=file.size, **bad.params)
    return Incoming(name, file.read, size=file.size, cam_type=cam_type)


class IntakeView(SiteView):
    """A view that takes photos in."""

    access = {"POST": ADMINS}

    def checked(self, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The request's content."""
        filled = form(data=self.request.data)
        filled.is_valid(raise_exception=True)
        return dict(filled.validated_data)

    def target(self, data: dict[str, Any]) -> tuple[Site, Project | None]:
        """The site and, if one is named, the project that photos go to."""
        if "project" in data:
            rows = Project.objects.filter(site__in=self.sites).select_related("site")
            project = get_object_or_404(rows, pk=data["project"])
            return project.site, project
        if data.get("batch") is not None:
            raise Invalid([FieldError("project", "required")])
        if "site" in data:
            return get_object_or_404(self.sites, pk=data["site"]), None
        return site_of(self), None

    @staticmethod
    def started(job: Job) -> Response:
        return Response({"job": job.pk}, status=202)


class UploadView(IntakeView):
    """Several photos at once; each has its own result."""

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
        plain = {key: request.POST[key] for key in request.POST if key != "names"}
        form = UploadSerializer(data={**plain, "files": files})
        form.is_valid(raise_exception=True)
        data = form.validated_data
        site, project = self.target(data)
        names = request.POST.getlist("names")
        if len(names) != len(files):
            names = [file.name or "" for file in files]
        sent = [_sent(f, n, data["cam_type"]) for f, n in zip(files, names, strict=True)]
        batches = take_in_all(
            site=site,
            files=sent,
            source="upload",
            project=project,
            batch=data.get("batch"),
            actor=self.person,
        )
        return Response({"results": [one.to_json() for batch in batches for one in batch]})


class KnownSerializer(TargetSerializer):
    sha256 = serializers.ListField(
        child=serializers.RegexField(r"^[0-9a-f]{64}$"), max_length=500, allow_empty=False
    )


class KnownContentSerializer(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    capture = serializers.IntegerField()


class KnownContentsSerializer(serializers.Serializer[Any]):
    known = KnownContentSerializer(many=True)


class KnownView(IntakeView):
    """Which of these contents the site has already: they need not be sent. The project, if one is
    named, gets tasks for them."""

    @extend_schema(
        operation_id="known_captures", request=KnownSerializer, responses=KnownContentsSerializer
    )
    def post(self, request: Request) -> Response:
        data = self.checked(KnownSerializer)
        site, project = self.target(data)
        known = services.offer_known(
            site=site, sha256s=data["sha256"], project=project, batch=data.get("batch")
        )
        return Response(
            {"known": [{"sha256": sha, "capture": row.pk} for sha, row in sorted(known.items())]}
        )


class StartedSerializer(serializers.Serializer[Any]):
    job = serializers.IntegerField(help_text="See /jobs/{id}.")


class ZipSerializer(IntakeSerializer):
    file = serializers.FileField()


class ZipView(IntakeView):
    """A zip of photos, taken in as a job."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="upload_zip", request=ZipSerializer, responses={202: StartedSerializer}
    )
    def post(self, request: Request) -> Response:
        data = self.checked(ZipSerializer)
        file, limit = data["file"], settings.ZIP_MAX_BYTES
        if file.size > limit:
            size_mb, limit_mb = file.size >> 20, limit >> 20
            sizes = {"size_mb": size_mb, "limit_mb": limit_mb}
            raise Invalid([FieldError("file", "zip_too_large", sizes)])
        site, project = self.target(data)
        return self.started(
            jobs.start_zip(
                site=site,
                file=file,
                name=file.name or "upload.zip",
                project=project,
                batch=data.get("batch"),
                cam_type=data["cam_type"],
                actor=self.person,
            )
        )


class UrlsSerializer(IntakeSerializer):
    urls = serializers.ListField(child=serializers.CharField(max_length=2000), allow_empty=False)


class UrlsView(IntakeView):
    """Photos at web addresses, fetched as a job."""

    @extend_schema(
        operation_id="take_in_urls", request=UrlsSerializer, responses={202: StartedSerializer}
    )
    def post(self, request: Request) -> Response:
        data = self.checked(UrlsSerializer)
        limit = settings.URLS_PER_REQUEST
        if len(data["urls"]) > limit:
            raise Invalid([FieldError("urls", "too_many_urls", {"limit": limit})])
        site, project = self.target(data)
        return self.started(
            jobs.start_urls(
                site=site,
                urls=data["urls"],
                project=project,
                batch=data.get("batch"),
                cam_type=data["cam_type"],
                actor=self.person,
            )
        )


class SourceSerializer(IntakeSerializer):
    source = serializers.CharField()


class SourceNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()


class SourcesView(IntakeView):
    """The S3 prefixes that the operator named, and taking in what lies there as a job."""

    access = {"GET": ADMINS, "POST": ADMINS}

    @extend_schema(
        operation_id="intake_sources",
        parameters=[SiteQuery],
        responses=SourceNameSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        names = bucket.names_for(site_of(self).slug)
        return Response([{"name": name} for name in names])

    @extend_schema(
        operation_id="take_in_source", request=SourceSerializer, responses={202: StartedSerializer}
    )
    def post(self, request: Request) -> Response:
        data = self.checked(SourceSerializer)
        site, project = self.target(data)
        return self.started(
            jobs.start_source(
                site=site,
                source=data["source"],
                project=project,
                batch=data.get("batch"),
                cam_type=data["cam_type"],
                actor=self.person,
            )
        )
