"""The batches of a project."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS, STAFF
from annotator.accounts.views import SiteView
from annotator.core.http import IF_MATCH, version_seen

from .. import batches as services
from ..models import Batch, Task
from .projects import CountsSerializer


class BatchSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    project = serializers.IntegerField()
    name = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    priority = serializers.ChoiceField(["normal", "urgent"])
    state = serializers.ChoiceField(Batch.State.choices)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    counts = CountsSerializer()
    done = serializers.IntegerField(help_text="Decided or rejected.")
    per_day = serializers.FloatField(
        allow_null=True, help_text="Decided a day over the last week; null before the first."
    )
    done_by = serializers.DateTimeField(
        allow_null=True, help_text="When the rest is done at that pace."
    )
    late = serializers.BooleanField(help_text="It will not be done, or is not, by its due date.")


class NewBatchSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=128)
    due_at = serializers.DateTimeField(required=False, allow_null=True)
    priority = serializers.ChoiceField(["normal", "urgent"], required=False)
    state = serializers.ChoiceField(Batch.State.choices, required=False)


class BatchChangeSerializer(NewBatchSerializer):
    name = serializers.CharField(max_length=128, required=False)
    version = serializers.IntegerField(required=False)


def _settings(data: dict[str, Any]) -> dict[str, Any]:
    settings = dict(data)
    if "priority" in settings:
        settings["priority"] = Task.Priority[settings["priority"].upper()].value
    return settings


def _json(rows: list[Batch]) -> list[dict[str, Any]]:
    progress = services.progress_of(rows)
    return [
        {
            "id": row.pk,
            "project": row.project_id,
            "name": row.name,
            "due_at": row.due_at,
            "priority": Task.Priority(row.priority).label,
            "state": row.state,
            "version": row.version,
            "created_at": row.created_at,
            **progress[row.pk],
        }
        for row in rows
    ]


def _answer(batch: Batch, status: int = 200) -> Response:
    return Response(_json([batch])[0], status=status, headers={"ETag": f'"{batch.version}"'})


class BatchesView(SiteView):
    """The batches of a project with their progress, the open ones first."""

    access = {"GET": STAFF, "POST": ADMINS}

    @extend_schema(operation_id="batches", responses=BatchSerializer(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(Project, pk=project_id, site__in=self.sites)
        return Response(_json(services.batches_of(project)))

    @extend_schema(
        operation_id="create_batch", request=NewBatchSerializer, responses={201: BatchSerializer}
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(Project, pk=project_id, site__in=self.sites)
        form = NewBatchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        batch = services.create_batch(
            project=project, actor=self.person, **_settings(form.validated_data)
        )
        return _answer(batch, status=201)


class BatchView(SiteView):
    """One batch."""

    access = {"PATCH": ADMINS}

    @extend_schema(
        operation_id="change_batch",
        request=BatchChangeSerializer,
        responses=BatchSerializer,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, batch_id: int) -> Response:
        batch = get_object_or_404(Batch, pk=batch_id, project__site__in=self.sites)
        form = BatchChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = _settings(form.validated_data)
        version = changes.pop("version", None)
        seen = version_seen(request)
        batch = services.change_batch(
            batch=batch,
            changes=changes,
            actor=self.person,
            version=version if seen is None else seen,
        )
        return _answer(batch)
