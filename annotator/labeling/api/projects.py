"""Projects and what is left to do in them."""

from __future__ import annotations

import dataclasses
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
from annotator.accounts.services import change_project, create_project
from annotator.accounts.states import ADMINS, ANNOTATORS, LABELERS, STAFF, WithholdMode
from annotator.accounts.views import SiteView
from annotator.captures.models import Capture
from annotator.core.http import IF_MATCH, version_seen
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


class ProgressSerializer(serializers.Serializer[Any]):
    today = serializers.IntegerField()
    mean_active_seconds = serializers.FloatField(allow_null=True)
    open = serializers.IntegerField(help_text="Tasks that I can still take.")


class MySerializer(ProgressSerializer):
    roles = serializers.ListField(child=serializers.CharField())
    guide_unread = serializers.BooleanField(help_text="Changed since I last read it.")


class QualityRulesSerializer(serializers.Serializer[Any]):
    gold_rate = serializers.FloatField()
    newcomer_gold_rate = serializers.FloatField()
    newcomer_tasks = serializers.IntegerField()
    spot_half_width = serializers.FloatField()
    spot_most = serializers.FloatField()
    single_limit = serializers.FloatField(
        help_text="The error under which one answer that agrees with the machine may do; 0: none may."
    )
    audit_share = serializers.FloatField(help_text="Of such tasks, answered twice nevertheless.")
    thresholds = serializers.DictField(child=serializers.FloatField())


class ProjectSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    site = SiteSerializer()
    slug = serializers.CharField()
    name = serializers.CharField()
    overlap = serializers.IntegerField()
    threshold = serializers.FloatField()
    boxes_required = serializers.BooleanField()
    withhold_rate = serializers.FloatField()
    withhold_mode = serializers.ChoiceField(WithholdMode.choices)
    withhold_delay_s = serializers.IntegerField(
        help_text="When a delayed suggestion comes; 0: with the first entry."
    )
    lease_seconds = serializers.IntegerField()
    label_duplicates_once = serializers.BooleanField()
    lookalikes = serializers.BooleanField(
        help_text="Tasks that look the same may be answered in one go."
    )
    guide = serializers.CharField(allow_blank=True, help_text="Markdown.")
    guide_version = serializers.IntegerField()
    language = serializers.ChoiceField(["zh-hans", "en", "ja"])
    share = serializers.FloatField(help_text="Part of the site's work; 0: none of it.")
    random_share = serializers.FloatField(help_text="Of the tasks, handed out at random.")
    quality = QualityRulesSerializer(
        allow_null=True, help_text="Null for annotators, whom gold tasks are to surprise."
    )
    version = serializers.IntegerField()
    schema = SchemaSerializer()
    schema_version = serializers.IntegerField()
    archived_at = serializers.DateTimeField(allow_null=True)
    counts = CountsSerializer(
        allow_null=True, help_text="Null for annotators: counts would tell of others' answers."
    )
    my = MySerializer()


class ProjectSettingsSerializer(serializers.Serializer[Any]):
    overlap = serializers.IntegerField(required=False, min_value=1, max_value=9)
    threshold = serializers.FloatField(required=False, min_value=0, max_value=1)
    boxes_required = serializers.BooleanField(required=False)
    withhold_rate = serializers.FloatField(required=False, min_value=0, max_value=1)
    withhold_mode = serializers.ChoiceField(WithholdMode.choices, required=False)
    withhold_delay_s = serializers.IntegerField(required=False, min_value=0, max_value=600)
    lease_seconds = serializers.IntegerField(required=False, min_value=30, max_value=86_400)
    label_duplicates_once = serializers.BooleanField(required=False)
    lookalikes = serializers.BooleanField(required=False)
    guide = serializers.CharField(
        required=False, allow_blank=True, max_length=20_000, trim_whitespace=False
    )
    language = serializers.ChoiceField(["zh-hans", "en", "ja"], required=False)
    share = serializers.FloatField(required=False, min_value=0, max_value=1000)
    random_share = serializers.FloatField(required=False, min_value=0, max_value=1)
    quality = serializers.DictField(
        required=False, help_text="What differs from the defaults; see a project's own."
    )
    schema = serializers.DictField(required=False)


class NewProjectSerializer(ProjectSettingsSerializer):
    site = serializers.IntegerField()
    slug = serializers.CharField(max_length=63)
    name = serializers.CharField(max_length=128)


class ProjectChangeSerializer(ProjectSettingsSerializer):
    slug = serializers.CharField(max_length=63, required=False)
    name = serializers.CharField(max_length=128, required=False)
    archived = serializers.BooleanField(required=False)
    renames = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="Keys of the present schema and the keys that the same fields have in the new one.",
    )
    version = serializers.IntegerField(required=False)


class ProjectsQuery(SiteQuery):
    archived = serializers.BooleanField(required=False, default=False)


def projects_json(view: SiteView, projects: Sequence[Project]) -> list[dict[str, Any]]:
    """Projects as the caller may see them, in a fixed number of queries."""
    ids = [project.pk for project in projects]
    counts = queries.state_counts(ids)
    progress = queries.my_progress(ids, view.person)
    read = queries.guides_read(ids, view.person)
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
            "withhold_mode": project.withhold_mode,
            "withhold_delay_s": project.withhold_delay_s,
            "lease_seconds": project.lease_seconds,
            "label_duplicates_once": project.label_duplicates_once,
            "lookalikes": project.lookalikes,
            "guide": project.guide,
            "guide_version": project.guide_version,
            "language": project.language,
            "share": project.share,
            "random_share": project.random_share,
            "quality": (
                dataclasses.asdict(project.rules) if STAFF & set(roles[project.site_id]) else None
            ),
            "version": project.version,
            "schema": schema_of(project).to_json(),
            "schema_version": project.schema_version,
            "archived_at": project.archived_at,
            "counts": counts[project.pk] if STAFF & set(roles[project.site_id]) else None,
            "my": {
                "roles": roles[project.site_id],
                "guide_unread": bool(project.guide)
                and read.get(project.pk, 0) < project.guide_version,
                **progress[project.pk],
            },
        }
        for project in projects
    ]


def project_answer(view: SiteView, project: Project, status: int = 200) -> Response:
    """One project, with its version as the entity tag."""
    body = projects_json(view, [project])[0]
    return Response(body, status=status, headers={"ETag": f'"{project.version}"'})


class ProjectsView(SiteView):
    """The projects of the caller's sites."""

    access = {"GET": LABELERS, "POST": ADMINS}

    @extend_schema(
        operation_id="projects", parameters=[ProjectsQuery], responses=ProjectSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        query = ProjectsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = projects_on(self.sites).filter(
            archived_at__isnull=not query.validated_data["archived"]
        )
        if "site" in query.validated_data:
            rows = rows.filter(site=query.validated_data["site"])
        return Response(projects_json(self, list(rows[:200])))

    @extend_schema(
        operation_id="create_project",
        request=NewProjectSerializer,
        responses={201: ProjectSerializer},
    )
    def post(self, request: Request) -> Response:
        form = NewProjectSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        settings = dict(form.validated_data)
        site = get_object_or_404(self.sites, pk=settings.pop("site"))
        project = create_project(site=site, actor=self.person, **settings)
        return project_answer(self, project, status=201)


class ProjectView(SiteView):
    """One project; admins change its settings."""

    access = {"GET": LABELERS, "PATCH": ADMINS}

    @extend_schema(operation_id="project", responses=ProjectSerializer)
    def get(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        return project_answer(self, project)

    @extend_schema(
        operation_id="change_project",
        request=ProjectChangeSerializer,
        responses=ProjectSerializer,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        form = ProjectChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        version = changes.pop("version", None)
        seen = version_seen(request)
        project = change_project(
            project=project,
            renames=changes.pop("renames", None),
            changes=changes,
            actor=self.person,
            version=version if seen is None else seen,
        )
        return project_answer(self, project)


class RecentQuery(serializers.Serializer[Any]):
    flagged = serializers.BooleanField(required=False, default=False)


class RecentView(SiteView):
    """My last ten answers; or, ``flagged``, the last that I marked to be looked at again."""

    access = {"GET": ANNOTATORS}

    @extend_schema(
        operation_id="recent", parameters=[RecentQuery], responses=s.RecentSerializer(many=True)
    )
    def get(self, request: Request, project_id: int) -> Response:
        query = RecentQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        rows = queries.recent_of(project, self.person, flagged=query.validated_data["flagged"])
        return Response(s.recent_json(rows, thumbs_of([row.task.scene_id for row in rows])))


def thumbs_of(scene_ids: list[int]) -> dict[int, str]:
    """The thumbnail of each scene's first capture."""
    rows = (
        Capture.objects.filter(scene__in=scene_ids)
        .order_by("scene", "-pk")
        .values_list("scene", "image")
    )
    return {scene: image_urls(image)["thumb"] for scene, image in rows}
