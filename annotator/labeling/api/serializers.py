"""The shapes of tasks and answers in the REST API, and how rows become them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.queries import captures_of_scene
from annotator.suggestions.queries import suggestion_json
from annotator.suggestions.serializers import SuggestionSerializer

from ..models import Annotation, Assignment, Task
from ..states import AssignmentState, SkipReason, TaskState


class TaskSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    project = serializers.IntegerField()
    scene = serializers.IntegerField()
    state = serializers.ChoiceField(TaskState.choices)
    priority = serializers.ChoiceField(["normal", "urgent"])
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class BoxSerializer(serializers.Serializer[Any]):
    """Pixels of the upright capture, origin top left."""

    capture = serializers.IntegerField()
    x = serializers.FloatField()
    y = serializers.FloatField()
    w = serializers.FloatField()
    h = serializers.FloatField()


class AttributesSerializer(serializers.Serializer[Any]):
    package_type = serializers.CharField(required=False, allow_null=True)
    stack_level = serializers.IntegerField(required=False, allow_null=True)
    occlusion_ratio = serializers.FloatField(required=False, allow_null=True)


class ValuesField(serializers.DictField):
    """Caption values by field key: a text, or ``{"unknown": reason}``."""

    child = serializers.JSONField()


class AnswerSerializer(serializers.Serializer[Any]):
    fields = ValuesField()
    boxes = BoxSerializer(many=True, required=False, default=list)
    attributes = serializers.DictField(required=False, default=dict)


class DraftContentSerializer(AnswerSerializer):
    active_seconds = serializers.FloatField(required=False, default=0.0, min_value=0)


class DraftSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    draft = DraftContentSerializer()


class DraftSavedSerializer(serializers.Serializer[Any]):
    etag = serializers.CharField()
    expires_at = serializers.DateTimeField()


class SubmitSerializer(AnswerSerializer):
    token = serializers.CharField()
    active_seconds = serializers.FloatField(min_value=0)
    suggestion_used = serializers.DictField(required=False, default=dict)


class SubmittedAnnotationSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    task = serializers.IntegerField()
    caption = serializers.CharField()
    created_at = serializers.DateTimeField()
    withdraw_until = serializers.DateTimeField()


class SubmittedSerializer(serializers.Serializer[Any]):
    annotation = SubmittedAnnotationSerializer()
    task_state = serializers.ChoiceField(TaskState.choices)


class NextSerializer(serializers.Serializer[Any]):
    exclude = serializers.ListField(
        child=serializers.IntegerField(), required=False, default=list, max_length=10
    )


class AssignmentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    token = serializers.CharField()
    state = serializers.ChoiceField(AssignmentState.choices)
    expires_at = serializers.DateTimeField()
    project = serializers.IntegerField()
    task = TaskSerializer()
    captures = CaptureSerializer(many=True)
    suggestion = SuggestionSerializer(allow_null=True)
    suggestion_shown = serializers.BooleanField()
    suggestion_withheld = serializers.BooleanField(
        help_text="There is one, but this answer is to be given without it."
    )
    draft = DraftContentSerializer(allow_null=True)
    etag = serializers.CharField()


class SkipSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    reason = serializers.ChoiceField(SkipReason.choices)
    detail = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")


class TaskStateOnlySerializer(serializers.Serializer[Any]):
    task_state = serializers.ChoiceField(TaskState.choices)


class TokenOnlySerializer(serializers.Serializer[Any]):
    token = serializers.CharField()


class WithdrawnSerializer(serializers.Serializer[Any]):
    assignment = AssignmentSerializer()


class RecentSerializer(serializers.Serializer[Any]):
    annotation = serializers.IntegerField()
    task = serializers.IntegerField()
    caption = serializers.CharField()
    created_at = serializers.DateTimeField()
    active_seconds = serializers.FloatField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    thumb = serializers.CharField(allow_null=True)


def task_json(task: Task, *, blind: bool = False) -> dict[str, Any]:
    """A task. ``blind`` hides whatever another annotator's answer could have changed."""
    return {
        "id": task.pk,
        "project": task.project_id,
        "scene": task.scene_id,
        "state": TaskState.LABELING if blind else task.state,
        "priority": Task.Priority(task.priority).label,
        "created_at": task.created_at,
        "decided_at": None if blind else task.decided_at,
    }


def etag_of(assignment: Assignment) -> str:
    """The entity tag of a draft."""
    return f'"{assignment.draft_version}"'


def assignment_json(assignment: Assignment) -> dict[str, Any]:
    """An assignment with everything its page shows. Needs ``task`` and ``suggestion``."""
    task = assignment.task
    captures = captures_of_scene(task.scene_id)
    shown = assignment.suggestion if assignment.suggestion_shown else None
    return {
        "id": assignment.pk,
        "token": assignment.token,
        "state": assignment.state,
        "expires_at": assignment.expires_at,
        "project": task.project_id,
        "task": task_json(task, blind=True),
        "captures": [capture_json(capture) for capture in captures],
        "suggestion": suggestion_json(shown, site_id=captures[0].site_id) if shown else None,
        "suggestion_shown": assignment.suggestion_shown,
        "suggestion_withheld": assignment.suggestion_id is not None and shown is None,
        "draft": assignment.draft,
        "etag": etag_of(assignment),
    }


def recent_json(rows: Sequence[Annotation], thumbs: dict[int, str]) -> list[dict[str, Any]]:
    """One's own last answers; nothing here depends on other people."""
    return [
        {
            "annotation": row.pk,
            "task": row.task_id,
            "caption": row.caption,
            "created_at": row.created_at,
            "active_seconds": row.active_seconds,
            "withdrawn_at": row.withdrawn_at,
            "thumb": thumbs.get(row.task.scene_id),
        }
        for row in rows
    ]
