"""Downloading a data set, making snapshots, and what has changed between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.core.errors import Conflict
from annotator.core.models import JobState
from annotator.core.paging import PAGE_SIZE, PageQuery, page_of, paged
from annotator.review.api.tasks import SelectionSerializer, StartedJobSerializer

from . import jobs, snapshots
from .difference import KINDS, Change, difference
from .export import zip_stream
from .models import Snapshot
from .states import Weighting


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


class SnapshotSettingsSerializer(serializers.ModelSerializer[Snapshot]):
    filters = SelectionSerializer(required=False, help_text="All decided tasks when empty.")

    class Meta:
        model = Snapshot
        fields = ("filters", *snapshots.SETTINGS, "licence")
        extra_kwargs = {
            "licence": {"help_text": "The installation's when left out."},
            "seed": {"min_value": 0, "max_value": 2**31 - 1},  # on every database
        }


class SnapshotErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class SnapshotSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    project = serializers.IntegerField()
    state = serializers.ChoiceField(JobState.choices)
    job = serializers.IntegerField(allow_null=True)
    done = serializers.IntegerField(help_text="Steps done.")
    total = serializers.IntegerField(allow_null=True, help_text="Steps, where known.")
    error = SnapshotErrorSerializer(allow_null=True)
    filters = serializers.DictField()
    seed = serializers.IntegerField()
    val = serializers.FloatField()
    test = serializers.FloatField()
    tail_share = serializers.FloatField()
    annotator_cap = serializers.FloatField(help_text="The most that one annotator weighs.")
    weighting = serializers.ChoiceField(Weighting.choices)
    licence = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField())
    sha256 = serializers.CharField(help_text="Of the manifest; empty until it is made.")
    decisions_up_to = serializers.IntegerField(allow_null=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    made_at = serializers.DateTimeField(allow_null=True)


class SideOfChangeSerializer(serializers.Serializer[Any]):
    split = serializers.CharField()
    caption = serializers.CharField()


class ChangeSerializer(serializers.Serializer[Any]):
    image_id = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    before = SideOfChangeSerializer(allow_null=True)
    after = SideOfChangeSerializer(allow_null=True)


class SkuChangeSerializer(serializers.Serializer[Any]):
    sku = serializers.CharField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class DifferenceSerializer(serializers.Serializer[Any]):
    counts = serializers.DictField(child=serializers.IntegerField())
    skus = SkuChangeSerializer(many=True, help_text="The greatest differences first, at most 200.")
    next = serializers.CharField(allow_null=True)
    results = ChangeSerializer(many=True)


class DifferenceQuery(PageQuery):
    kind = serializers.ChoiceField(KINDS, required=False)


def snapshots_json(rows: Sequence[Snapshot]) -> list[dict[str, Any]]:
    """Snapshots as a list shows them. Needs ``job`` and ``created_by``."""
    return [snapshot_json(row) for row in rows]


def snapshot_json(row: Snapshot) -> dict[str, Any]:
    """A snapshot with the progress of the job that makes it."""
    columns = ("filters", *snapshots.SETTINGS, "licence", "counts", "sha256", "decisions_up_to")
    return {
        "id": row.pk,
        "project": row.project_id,
        "state": row.state,
        "job": row.job_id,
        "done": row.job.done if row.job else 0,
        "total": row.job.total if row.job else None,
        "error": row.job.error if row.job else None,
        **{name: getattr(row, name) for name in columns},
        "created_by": str(row.created_by) if row.created_by else None,
        "created_at": row.created_at,
        "made_at": row.made_at,
    }


def _snapshots_on(view: SiteView) -> QuerySet[Snapshot]:
    rows = Snapshot.objects.filter(site__in=view.sites)
    return rows.select_related("job", "created_by", "project")


class SnapshotsView(SiteView):
    """The snapshots of a project, newest first."""

    access = {"GET": ADMINS, "POST": ADMINS}

    @extend_schema(
        operation_id="snapshots", parameters=[PageQuery], responses=paged(SnapshotSerializer)
    )
    def get(self, request: Request, project_id: int) -> Response:
        get_object_or_404(Project, pk=project_id, site__in=self.sites)
        return page_of(request, _snapshots_on(self).filter(project=project_id), snapshots_json)

    @extend_schema(
        operation_id="create_snapshot",
        request=SnapshotSettingsSerializer,
        responses={202: SnapshotSerializer},
    )
    def post(self, request: Request, project_id: int) -> Response:
        rows = Project.objects.select_related("site").filter(site__in=self.sites)
        project = get_object_or_404(rows, pk=project_id)
        form = SnapshotSettingsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = {"filters": {}, **form.validated_data}
        made = snapshots.start_snapshot(project=project, actor=self.person, **chosen)
        return Response(snapshot_json(made), status=202)


class SnapshotView(SiteView):
    """One snapshot."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="snapshot", responses=SnapshotSerializer)
    def get(self, request: Request, snapshot_id: int) -> Response:
        return Response(snapshot_json(get_object_or_404(_snapshots_on(self), pk=snapshot_id)))


class DifferenceView(SiteView):
    """What has changed from one snapshot to another of the same project."""

    access = {"GET": ADMINS}

    @extend_schema(
        operation_id="snapshot_diff",
        parameters=[DifferenceQuery],
        responses=DifferenceSerializer,
    )
    def get(self, request: Request, snapshot_id: int, other_id: int) -> Response:
        query = DifferenceQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        rows = _snapshots_on(self)
        before = get_object_or_404(rows, pk=snapshot_id)
        after = get_object_or_404(rows, pk=other_id, project=before.project_id)
        for one in (before, after):
            if not one.sha256:
                raise Conflict("snapshot_not_made", id=one.pk)
        found = difference(
            snapshots.folder_of(before), snapshots.folder_of(after), (before.sha256, after.sha256)
        )
        changes = [
            change
            for change in found.changes
            if asked.get("kind", change.kind) == change.kind
            and change.image_id > asked.get("cursor", "")
        ]
        size: int = asked.get("page_size", PAGE_SIZE)
        return Response(
            {
                "counts": found.counts(),
                "skus": [
                    dict(zip(("sku", "before", "after"), row, strict=True))
                    for row in found.skus[:200]
                ],
                "next": _next(request, changes, size),
                "results": [asdict(change) for change in changes[:size]],
            }
        )


def _next(request: Request, changes: Sequence[Change], size: int) -> str | None:
    """The address of the page after this one, which goes on after its last picture."""
    if len(changes) <= size:
        return None
    return replace_query_param(request.build_absolute_uri(), "cursor", changes[size - 1].image_id)
