"""Projects and what is left to do in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, SiteSerializer, site_json
from annotator.accounts.models import Project
from annotator.accounts.queries import projects_on, roles_by_site
from annotator.accounts.services import change_project
from annotator.accounts.states import ADMINS, ANNOTATORS, LABELERS, STAFF
from annotator.accounts.views import SiteView
from annotator.captures.models import Capture
from annotator.media.queries import image_urls

from .. import queries
from ..schemas import schema_of
from . import serializers as s


class LabelSerializer(serializers.Serializer[Any]):
    zh = serializers.CharField()
    en = serializers.CharField()
    ja = serializers.CharField()


class FieldSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    kind = serializers.CharField()
    label = LabelSerializer()
    required = serializers.BooleanField()
    weight = serializers.FloatField()
    options = serializers.ListField(child=serializers.CharField())
    aliases = serializers.ListField(child=serializers.CharField())


class SchemaSerializer(serializers.Serializer[Any]):
    fields = FieldSerializer(many=True)


class CountsSerializer(serializers.Serializer[Any]):
    new = serializers.IntegerField()
    ready = serializers.IntegerField()
    labeling = serializers.IntegerField()
    disputed = serializers.IntegerField()
    decided = serializers.IntegerField()
    rejected = serializers.IntegerField()
    total = serializers.IntegerField()


class MySerializer(serializers.Serializer[Any]):
    roles = serializers.ListField(child=serializers.CharField())
    today = serializers.IntegerField()
    mean_active_seconds = serializers.FloatField(allow_null=True)
    open = serializers.IntegerField(help_text="Tasks that I can still take.")


class ProjectSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    site = SiteSerializer()
    slug = serializers.CharField()
    name = serializers.CharField()
    overlap = serializers.IntegerField()
    threshold = serializers.FloatField()
    boxes_required = serializers.BooleanField()
    withhold_rate = serializers.FloatField()
    lease_seconds = serializers.IntegerField()
    guide = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    schema = SchemaSerializer()
    counts = CountsSerializer(
        allow_null=True, help_text="Null for annotators: counts would tell of others' answers."
    )
    my = MySerializer()


class ProjectChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=128, required=False)
    overlap = serializers.IntegerField(required=False, min_value=1, max_value=9)
    threshold = serializers.FloatField(required=False, min_value=0, max_value=1)
    boxes_required = serializers.BooleanField(required=False)
    withhold_rate = serializers.FloatField(required=False, min_value=0, max_value=1)
    lease_seconds = serializers.IntegerField(required=False, min_value=30, max_value=86_400)
    guide = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    schema = serializers.DictField(required=False)
    version = serializers.IntegerField(required=False)


def projects_json(view: SiteView, projects: Sequence[Project]) -> list[dict[str, Any]]:
    """Projects as the caller may see them, in a fixed number of queries."""
    ids = [project.pk for project in projects]
    counts = queries.state_counts(ids)
    progress = queries.my_progress(ids, view.person)
    roles = {site_id: held for site_id, (_, held) in roles_by_site(view.person).items()}
    return [
        {
            "id": project.pk,
            "site": site_json(project.site),
            "slug": project.slug,
            "name": project.name,
            "overlap": project.overlap,
            "threshold": project.threshold,
            "boxes_required": project.boxes_required,
            "withhold_rate": project.withhold_rate,
            "lease_seconds": project.lease_seconds,
            "guide": project.guide,
            "version": project.version,
            "schema": schema_of(project).to_json(),
            "counts": counts[project.pk] if STAFF & set(roles[project.site_id]) else None,
            "my": {"roles": roles[project.site_id], **progress[project.pk]},
        }
        for project in projects
    ]


class ProjectsView(SiteView):
    """The projects of the caller's sites."""

    access = {"GET": LABELERS}

    @extend_schema(
        operation_id="projects", parameters=[SiteQuery], responses=ProjectSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        query = SiteQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = projects_on(self.sites)
        if "site" in query.validated_data:
            rows = rows.filter(site=query.validated_data["site"])
        return Response(projects_json(self, list(rows[:200])))


class ProjectView(SiteView):
    """One project; admins change its settings."""

    access = {"GET": LABELERS, "PATCH": ADMINS}

    @extend_schema(operation_id="project", responses=ProjectSerializer)
    def get(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        return Response(projects_json(self, [project])[0])

    @extend_schema(
        operation_id="change_project",
        request=ProjectChangeSerializer,
        responses=ProjectSerializer,
    )
    def patch(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        form = ProjectChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        version = changes.pop("version", None)
        project = change_project(
            project=project, changes=changes, actor=self.person, version=version
        )
        return Response(projects_json(self, [project])[0])


class RecentView(SiteView):
    """My last ten answers."""

    access = {"GET": ANNOTATORS}

    @extend_schema(operation_id="recent", responses=s.RecentSerializer(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        rows = queries.recent_of(project, self.person)
        return Response(s.recent_json(rows, thumbs_of([row.task.scene_id for row in rows])))


def thumbs_of(scene_ids: list[int]) -> dict[int, str]:
    """The thumbnail of each scene's first capture."""
    rows = (
        Capture.objects.filter(scene__in=scene_ids)
        .order_by("scene", "-pk")
        .values_list("scene", "image")
    )
    return {scene: image_urls(image)["thumb"] for scene, image in rows}
