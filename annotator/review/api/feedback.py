"""What reviewers said of one's own answers. Nothing here tells of anybody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.states import ANNOTATORS
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.queries import captures_of_scene
from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling.api.projects import SchemaSerializer, thumbs_of
from annotator.labeling.api.serializers import BoxSerializer, ValuesField
from annotator.labeling.schemas import Schemas
from annotator.labeling.states import TaskState

from .. import queries, services
from ..models import Feedback


class FeedbackQuery(PageQuery):
    project = serializers.IntegerField(required=False)
    outcome = serializers.ChoiceField(Feedback.Outcome.choices, required=False)
    unread = serializers.BooleanField(required=False, default=False)


class FeedbackRowSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    project = serializers.IntegerField()
    task = serializers.IntegerField()
    thumb = serializers.CharField(allow_null=True)
    outcome = serializers.ChoiceField(Feedback.Outcome.choices)
    changed = serializers.ListField(
        child=serializers.CharField(), help_text="Fields that were decided otherwise."
    )
    comment = serializers.CharField(allow_blank=True)
    caption = serializers.CharField(help_text="One's own.")
    created_at = serializers.DateTimeField()
    read = serializers.BooleanField()


class VersionSerializer(serializers.Serializer[Any]):
    """An answer or a decision, by the keys of the schema in force."""

    fields = ValuesField()
    caption = serializers.CharField()
    boxes = BoxSerializer(many=True)


class FeedbackDetailSerializer(FeedbackRowSerializer):
    captures = CaptureSerializer(many=True)
    schema = SchemaSerializer()
    mine = VersionSerializer()
    decision = VersionSerializer(allow_null=True, help_text="While it stands.")


class ReadSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(
        child=serializers.IntegerField(), required=False, max_length=1000, help_text="Else all."
    )


class ReadCountSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField()


class _FeedbackView(SiteView):
    def mine(self) -> Any:
        rows = queries.feedback_of(self.person, self.sites)
        return rows.select_related("task__project", "annotation", "decision")

    def rows(self, found: Sequence[Feedback]) -> list[dict[str, Any]]:
        thumbs = thumbs_of([row.task.scene_id for row in found])
        return [
            {
                "id": row.pk,
                "project": row.task.project_id,
                "task": row.task_id,
                "thumb": thumbs.get(row.task.scene_id),
                "outcome": row.outcome,
                "changed": row.changed,
                "comment": row.comment,
                "caption": row.annotation.caption,
                "created_at": row.created_at,
                "read": row.read_at is not None,
            }
            for row in found
        ]


class FeedbackListView(_FeedbackView):
    """What became of one's answers that went to a reviewer, newest first."""

    access = {"GET": ANNOTATORS}

    @extend_schema(
        operation_id="feedback", parameters=[FeedbackQuery], responses=paged(FeedbackRowSerializer)
    )
    def get(self, request: Request) -> Response:
        query = FeedbackQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        rows = self.mine()
        if "project" in asked:
            rows = rows.filter(task__project=asked["project"])
        if "outcome" in asked:
            rows = rows.filter(outcome=asked["outcome"])
        if asked["unread"]:
            rows = rows.filter(read_at=None)
        return page_of(request, rows, self.rows)


class FeedbackView(_FeedbackView):
    """One of them: the photo, one's own answer and the decision side by side. Looking at it marks it
    as read. A decision that no longer stands is not shown, so that who is asked again is not told."""

    access = {"GET": ANNOTATORS}

    @extend_schema(operation_id="one_feedback", responses=FeedbackDetailSerializer)
    def get(self, request: Request, feedback_id: int) -> Response:
        row: Feedback = get_object_or_404(self.mine(), pk=feedback_id)
        services.read_feedback(annotator=self.person, ids=[row.pk])
        schemas = Schemas(row.task.project)
        decision = row.decision
        stands = (
            decision is not None
            and decision.superseded_at is None
            and row.task.state in (TaskState.DECIDED, TaskState.GOLD)
        )
        return Response(
            {
                **self.rows([row])[0],
                "read": True,
                "captures": [capture_json(c) for c in captures_of_scene(row.task.scene_id)],
                "schema": schemas.now.to_json(),
                "mine": _version(schemas, row.annotation),
                "decision": _version(schemas, decision) if stands else None,
            }
        )


class FeedbackReadView(_FeedbackView):
    """Mark feedback as read."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="read_feedback", request=ReadSerializer, responses=ReadCountSerializer
    )
    def post(self, request: Request) -> Response:
        form = ReadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ids = form.validated_data.get("ids")
        return Response({"read": services.read_feedback(annotator=self.person, ids=ids)})


def _version(schemas: Schemas, row: Any) -> dict[str, Any]:
    carried = schemas.carry(row.fields, row.schema_version)
    return {"fields": carried.fields, "caption": row.caption, "boxes": row.boxes}
