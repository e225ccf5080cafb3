"""The shapes of disputes and decisions in the REST API, and how rows become them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from annotator.accounts.api.audit import AuditSerializer, audit_json
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer
from annotator.catalog.api.skus import SkuSerializer
from annotator.labeling import queries as labeling_queries
from annotator.labeling.api.serializers import (
    AnswerSerializer,
    AttributesField,
    BoxSerializer,
    TaskSerializer,
    ValuesField,
)
from annotator.labeling.models import Annotation, Task
from annotator.labeling.schemas import Schemas
from annotator.labeling.states import TaskState
from annotator.suggestions.serializers import SuggestionSerializer

from .. import queries
from ..models import Decision, Severity, Trivial


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    params = serializers.DictField()


class DisputeRowSerializer(serializers.Serializer[Any]):
    task = TaskSerializer()
    thumb = serializers.CharField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    severity = serializers.ChoiceField(Severity.labels)
    differing = serializers.ListField(child=serializers.CharField(), help_text="Keys of fields.")
    pair = serializers.CharField(
        allow_blank=True, help_text="A sign for the people who answered; it names nobody."
    )
    trivial = serializers.ChoiceField(Trivial.choices, allow_blank=True)
    reasons = ReasonSerializer(many=True)
    opened_at = serializers.DateTimeField()
    claimed_by = serializers.CharField(allow_null=True)
    claimed_by_me = serializers.BooleanField()
    reopened = serializers.BooleanField()


class DecisionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    fields = ValuesField()
    schema_version = serializers.IntegerField(help_text="The schema that the fields follow.")
    boxes = BoxSerializer(many=True)
    attributes = AttributesField()
    caption = serializers.CharField()
    source = serializers.ChoiceField(Decision.Source.choices)
    ties = serializers.ListField(child=serializers.CharField())
    decided_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    note = serializers.CharField(allow_blank=True)


class RecordSerializer(serializers.Serializer[Any]):
    """Of how many arbitrated answers of a person in the project how many were upheld."""

    upheld = serializers.IntegerField()
    decided = serializers.IntegerField()


class SideSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="A, B, C …: names appear after the decision.")
    annotation = serializers.IntegerField()
    author = serializers.CharField(allow_null=True)
    record = RecordSerializer(allow_null=True, help_text="Of the author, where they are named.")
    fields = ValuesField()
    schema_version = serializers.IntegerField(help_text="The schema that the fields follow.")
    boxes = BoxSerializer(many=True)
    attributes = AttributesField()
    caption = serializers.CharField()
    active_seconds = serializers.FloatField()
    suggestion_shown = serializers.BooleanField()


class ClaimSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class DisputeSerializer(serializers.Serializer[Any]):
    task = TaskSerializer()
    captures = CaptureSerializer(many=True)
    suggestion = SuggestionSerializer(allow_null=True)
    catalog = serializers.DictField(child=SkuSerializer())
    score = serializers.FloatField(allow_null=True)
    fields = serializers.DictField(child=serializers.FloatField())
    reasons = ReasonSerializer(many=True)
    answers = SideSerializer(many=True)
    history = AuditSerializer(many=True)
    claim = ClaimSerializer(allow_null=True, help_text="Null when it was only looked at.")
    previous_decision = DecisionSerializer(allow_null=True)


class DecideSerializer(AnswerSerializer):
    token = serializers.CharField()
    note = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class AuthorSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="A, B, C …")
    name = serializers.CharField()
    upheld = serializers.BooleanField(help_text="Whether the decision upholds their answer.")
    record = RecordSerializer()


class DecidedSerializer(serializers.Serializer[Any]):
    decision = DecisionSerializer()
    authors = AuthorSerializer(many=True, help_text="Who had answered.")
    task_state = serializers.ChoiceField(TaskState.choices)


class RejectSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    reason = serializers.CharField(max_length=64)
    note = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class SendBackSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    note = serializers.CharField(max_length=4000, help_text="What the annotators are told.")


class ReopenSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=4000)


_BY_ANNOTATORS = ("annotation.submitted", "annotation.withdrawn", "task.skipped")


def decision_json(
    decision: Decision | None, schemas: Schemas | None = None
) -> dict[str, Any] | None:
    """A decision with the name of who made it; with ``schemas``, by the keys in force."""
    if decision is None:
        return None
    return {
        "id": decision.pk,
        **_fields_of(decision, schemas),
        "boxes": decision.boxes,
        "attributes": decision.attributes,
        "caption": decision.caption,
        "source": decision.source,
        "ties": decision.ties,
        "decided_by": str(decision.decided_by) if decision.decided_by else None,
        "created_at": decision.created_at.isoformat(),
        "note": decision.note,
    }


def _fields_of(row: Decision | Annotation, schemas: Schemas | None) -> dict[str, Any]:
    if schemas is None:
        return {"fields": row.fields, "schema_version": row.schema_version}
    carried = schemas.carry(row.fields, row.schema_version)
    return {"fields": carried.fields, "schema_version": schemas.current}


def sides_json(
    task: Task,
    rows: Sequence[Annotation],
    schemas: Schemas | None = None,
    records: Mapping[int, queries.Record] | None = None,
    own: bool = False,
) -> list[dict[str, Any]]:
    """Answers as A, B, C …; names only once the task is decided, but of one's ``own`` answers always, or
    the name would tell that it is. With ``schemas``, by the keys in force, else as they were written.
    ``records`` are the authors', by person."""
    named = own or task.state in (TaskState.DECIDED, TaskState.REJECTED)
    return [
        {
            "label": chr(ord("A") + n),
            "annotation": row.pk,
            "author": str(row.author) if named else None,
            "record": record_json(records, row) if named and records is not None else None,
            **_fields_of(row, schemas),
            "boxes": row.boxes,
            "attributes": row.attributes,
            "caption": row.caption,
            "active_seconds": row.active_seconds,
            "suggestion_shown": row.suggestion_shown,
        }
        for n, row in enumerate(rows)
    ]


def record_json(records: Mapping[int, queries.Record], row: Annotation) -> dict[str, int]:
    """How the answers of a row's author fared."""
    record = records.get(row.author_id, queries.Record())
    return {"upheld": record.upheld, "decided": record.decided}


def blind_history(task: Task) -> list[dict[str, Any]]:
    """What happened to a disputed task, without the names of its annotators."""
    return [
        {**audit_json(row), "actor": None} if row.action in _BY_ANNOTATORS else audit_json(row)
        for row in queries.history_of(task)
    ]


class TaskOfSite(SiteView):
    """A view of one task of the caller's sites."""

    def task(self, task_id: int) -> Task:
        return get_object_or_404(labeling_queries.tasks_of(self.sites), pk=task_id)
