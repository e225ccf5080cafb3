"""The shapes of tasks and answers in the REST API, and how rows become them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.models import Capture
from annotator.media.queries import image_urls
from annotator.suggestions.queries import suggested_views, suggestions_json
from annotator.suggestions.serializers import SuggestionSerializer
from inference.contracts import PACKAGE_TYPES

from .. import policies
from ..answers import MAX_STACK_LEVEL
from ..models import Annotation, Assignment, Task
from ..revalidation import carried_draft
from ..states import AssignmentState, Flag, SkipReason, TaskState


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
    package_type = serializers.ChoiceField(PACKAGE_TYPES, required=False, allow_null=True)
    stack_level = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_STACK_LEVEL
    )
    occlusion_ratio = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=1
    )


@extend_schema_field(AttributesSerializer)
class AttributesField(serializers.DictField):
    """Attributes by name. Their values are checked with the rest of an answer."""


class ValuesField(serializers.DictField):
    """Caption values by field key: a text, or ``{"unknown": reason}``."""

    child = serializers.JSONField()


class AnswerSerializer(serializers.Serializer[Any]):
    fields = ValuesField()
    boxes = BoxSerializer(many=True, required=False, default=list)
    attributes = AttributesField(required=False, default=dict)


class FlagSerializer(serializers.Serializer[Any]):
    flag = serializers.ChoiceField(
        [("", "none"), *Flag.choices], required=False, default="", help_text="Who is to look again."
    )
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=500, default="", help_text="At what."
    )


class DraftContentSerializer(AnswerSerializer, FlagSerializer):
    active_seconds = serializers.FloatField(required=False, default=0.0, min_value=0)
    schema_version = serializers.IntegerField(
        required=False, min_value=1, help_text="The schema that the page showed."
    )


class DraftSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    draft = DraftContentSerializer()


class DraftSavedSerializer(serializers.Serializer[Any]):
    etag = serializers.CharField()
    expires_at = serializers.DateTimeField()


class SubmitSerializer(AnswerSerializer, FlagSerializer):
    token = serializers.CharField()
    active_seconds = serializers.FloatField(min_value=0)
    suggestion_used = serializers.DictField(required=False, default=dict)
    schema_version = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The schema that the page showed; answers to an earlier one are carried over.",
    )


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


class ReturnedSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    note = serializers.CharField(
        allow_blank=True, help_text="The reviewer's words; empty when the schema changed."
    )


class AssignmentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    token = serializers.CharField()
    state = serializers.ChoiceField(AssignmentState.choices)
    expires_at = serializers.DateTimeField()
    project = serializers.IntegerField()
    schema_version = serializers.IntegerField(
        help_text="The schema in force, which the draft follows."
    )
    task = TaskSerializer()
    captures = CaptureSerializer(many=True)
    suggestion = SuggestionSerializer(allow_null=True)
    suggestion_shown = serializers.BooleanField()
    suggestion_withheld = serializers.BooleanField(
        help_text="There is one, but this answer is to be given without it."
    )
    suggestion_delayed = serializers.BooleanField(help_text="It comes later, when it is asked for.")
    suggestion_after_s = serializers.IntegerField(
        help_text="A delayed one may be asked for after so many seconds; 0: after the first entry."
    )
    draft = DraftContentSerializer(allow_null=True)
    returned = ReturnedSerializer(allow_null=True, help_text="Its answer was given back.")
    etag = serializers.CharField()
    grid = serializers.CharField(
        allow_blank=True, help_text="The look-alikes among which it was handed out."
    )


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
    returned = serializers.BooleanField(help_text="It was given back, not withdrawn by its author.")
    withdraw_until = serializers.DateTimeField()
    flag = serializers.ChoiceField([("", "none"), *Flag.choices])
    note = serializers.CharField(allow_blank=True)
    thumb = serializers.CharField(allow_null=True)


class OwnAnswerSerializer(RecentSerializer):
    fields = ValuesField()
    schema_version = serializers.IntegerField(help_text="The schema that the fields follow.")
    boxes = BoxSerializer(many=True)
    attributes = AttributesField()
    captures = CaptureSerializer(many=True)


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
    """An assignment with everything its page shows. Needs ``task``, its project and
    ``suggestion``."""
    return assignments_json([assignment])[0]


def assignments_json(assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    """Assignments of one site, in one statement where their ``views`` are read."""
    views = [row.views or suggested_views(row.task.scene_id) for row in assignments]
    shown = suggestions_json(
        [row.suggestion if row.suggestion_shown else None for row in assignments],
        site_id=views[0][0].site_id,
        views=[view for captures in views for view in captures],
    )
    return [
        {
            "id": row.pk,
            "token": row.token,
            "state": row.state,
            "expires_at": row.expires_at,
            "project": row.task.project_id,
            "schema_version": row.task.project.schema_version,
            "task": task_json(row.task, blind=True),
            "captures": [capture_json(capture) for capture in captures],
            "suggestion": suggestion,
            "suggestion_shown": row.suggestion_shown,
            "suggestion_withheld": (
                row.suggestion_id is not None
                and not (row.suggestion_shown or row.suggestion_delayed)
            ),
            "suggestion_delayed": row.suggestion_delayed,
            "suggestion_after_s": (
                row.task.project.withhold_delay_s if row.suggestion_delayed else 0
            ),
            "draft": carried_draft(row.task.project, row.draft),
            "returned": (
                {"at": row.returned_at, "note": row.returned_note} if row.returned_at else None
            ),
            "etag": etag_of(row),
            "grid": row.grid,
        }
        for row, captures, suggestion in zip(assignments, views, shown, strict=True)
    ]


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
            "returned": row.withdrawn_at is not None
            and row.withdrawn_at == row.assignment.returned_at,
            "withdraw_until": row.created_at + policies.WITHDRAW_WITHIN,
            "flag": row.flag,
            "note": row.note,
            "thumb": thumbs.get(row.task.scene_id),
        }
        for row in rows
    ]


def own_answer_json(row: Annotation, captures: Sequence[Capture]) -> dict[str, Any]:
    """One's own answer with its pictures; nothing here depends on other people."""
    thumb = {row.task.scene_id: image_urls(captures[0].image_id)["thumb"]} if captures else {}
    return recent_json([row], thumb)[0] | {
        "fields": row.fields,
        "schema_version": row.schema_version,
        "boxes": row.boxes,
        "attributes": row.attributes,
        "captures": [capture_json(capture) for capture in captures],
    }
