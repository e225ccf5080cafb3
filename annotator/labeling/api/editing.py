"""What admins do to a project beside changing its settings."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts import services as accounts
from annotator.accounts.models import Project
from annotator.accounts.queries import projects_on
from annotator.accounts.states import ADMINS, LABELERS
from annotator.accounts.views import SiteView
from annotator.core.errors import FieldError, Invalid
from annotator.media import services as media
from annotator.media.pictures import BadPicture
from annotator.media.queries import image_urls

from ..revalidation import plan_schema
from .projects import ProjectSerializer, project_answer


class CloneSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField(max_length=63)
    name = serializers.CharField(max_length=128)


class SchemaDraftSerializer(serializers.Serializer[Any]):
    schema = serializers.DictField()
    renames = serializers.DictField(child=serializers.CharField(), required=False, default=dict)


class SchemaChangeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    field = serializers.CharField()


class PlannedDraftsSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    affected = serializers.IntegerField()


class PlannedAnswersSerializer(serializers.Serializer[Any]):
    kept = serializers.IntegerField()
    returned = serializers.IntegerField(help_text="Answers that go back to their authors.")
    fields = serializers.DictField(child=serializers.IntegerField())
    complete = serializers.BooleanField(help_text="False when there are more than were looked at.")


class SchemaPlanSerializer(serializers.Serializer[Any]):
    changed = serializers.BooleanField()
    version = serializers.IntegerField()
    changes = SchemaChangeSerializer(many=True)
    drafts = PlannedDraftsSerializer()
    answers = PlannedAnswersSerializer()


class GuidePictureSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class StoredPictureSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="For use in the instructions.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class _ProjectView(SiteView):
    def project(self, project_id: int) -> Project:
        return get_object_or_404(projects_on(self.sites), pk=project_id)


class CloneView(_ProjectView):
    """A new project with the same settings, schema and instructions."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="clone_project", request=CloneSerializer, responses={201: ProjectSerializer}
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        form = CloneSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        clone = accounts.clone_project(project=project, actor=self.person, **form.validated_data)
        return project_answer(self, clone, status=201)


class SchemaPlanView(_ProjectView):
    """What a schema would change, without changing it; 400 names what is wrong with it."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="plan_schema",
        request=SchemaDraftSerializer,
        responses=SchemaPlanSerializer,
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        form = SchemaDraftSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        plan = plan_schema(
            project=project,
            data=form.validated_data["schema"],
            renames=form.validated_data["renames"],
        )
        return Response(plan)


class GuideReadView(_ProjectView):
    """I have opened the instructions."""

    access = {"POST": LABELERS}

    @extend_schema(operation_id="read_guide", request=None, responses={204: None})
    def post(self, request: Request, project_id: int) -> Response:
        accounts.read_guide(project=self.project(project_id), user=self.person)
        return Response(status=204)


class GuidePicturesView(_ProjectView):
    """Pictures for the instructions: verified, re-encoded, and shown from the site's own store."""

    access = {"POST": ADMINS}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="add_guide_picture",
        request=GuidePictureSerializer,
        responses={201: StoredPictureSerializer},
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        form = GuidePictureSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data["file"].read()
        try:
            picture = media.verify(data)
        except BadPicture as bad:
            raise Invalid([FieldError("file", bad.code, dict(bad.params))]) from bad
        image = media.store_image(site=project.site, data=data, picture=picture)
        body = {
            "url": image_urls(image.pk)["display"],
            "width": image.width,
            "height": image.height,
        }
        return Response(body, status=201)
