"""Spot checks and gold tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS, REVIEWERS
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.queries import captures_of_scenes
from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling import gold
from annotator.labeling.api.serializers import BoxSerializer, ValuesField
from annotator.labeling.schemas import Schemas

from .. import spotting
from ..models import SpotCheck
from .serializers import TaskOfSite


class SpotCheckSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    task = serializers.IntegerField()
    caption = serializers.CharField()
    fields = ValuesField()
    boxes = BoxSerializer(many=True)
    captures = CaptureSerializer(many=True)
    created_at = serializers.DateTimeField()


class VerdictSerializer(serializers.Serializer[Any]):
    wrong = serializers.BooleanField()
    changed = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        default=list,
        help_text="Fields that are wrong.",
    )
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    fields = ValuesField(
        required=False,
        help_text="Of a wrong one: the caption as it should be, which becomes the decision.",
    )


class CheckedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    wrong = serializers.BooleanField()
    checked_at = serializers.DateTimeField()


class SpotChecksView(SiteView):
    """Agreed decisions that chance has drawn for a second look, oldest first. Why one was drawn is not
    told."""

    access = {"GET": REVIEWERS}

    @extend_schema(
        operation_id="spot_checks", parameters=[PageQuery], responses=paged(SpotCheckSerializer)
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(Project, pk=project_id, site__in=self.sites)
        schemas = Schemas(project)

        def present(found: Sequence[SpotCheck]) -> list[dict[str, Any]]:
            captures = captures_of_scenes(row.task.scene_id for row in found)
            return [
                {
                    "id": row.pk,
                    "task": row.task_id,
                    "caption": row.decision.caption,
                    "fields": schemas.carry(
                        row.decision.fields, row.decision.schema_version
                    ).fields,
                    "boxes": row.decision.boxes,
                    "captures": [capture_json(c) for c in captures.get(row.task.scene_id, [])],
                    "created_at": row.created_at,
                }
                for row in found
            ]

        rows = spotting.open_checks(project, self.person)
        return page_of(request, rows, present, ordering=("id",))


class SpotCheckView(SiteView):
    """Say whether a decision is right. A wrong one is mended by ``fields``, or goes back on the reviewers'
    desk."""

    access = {"POST": REVIEWERS}

    @extend_schema(
        operation_id="check_spot", request=VerdictSerializer, responses=CheckedSerializer
    )
    def post(self, request: Request, spot_check_id: int) -> Response:
        rows = SpotCheck.objects.filter(project__site__in=self.sites)
        row = get_object_or_404(rows, pk=spot_check_id)
        form = VerdictSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        row = spotting.check(spot_check=row.pk, reviewer=self.person, **form.validated_data)
        return Response({"id": row.pk, "wrong": row.wrong, "checked_at": row.checked_at})


class GoldView(TaskOfSite):
    """Measure annotators by a decided task, or no longer."""

    access = {"POST": ADMINS, "DELETE": ADMINS}

    @extend_schema(operation_id="make_gold", request=None, responses={204: None})
    def post(self, request: Request, task_id: int) -> Response:
        spotting.make_gold(task=self.task(task_id), actor=self.person)
        return Response(status=204)

    @extend_schema(operation_id="retire_gold", responses={204: None})
    def delete(self, request: Request, task_id: int) -> Response:
        gold.retire(task=self.task(task_id), actor=self.person)
        return Response(status=204)
