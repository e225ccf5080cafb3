"""The reviewer's desk and the list of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import AuditSerializer, audit_json
from annotator.accounts.models import Project
from annotator.accounts.queries import roles_on
from annotator.accounts.states import ADMINS, LABELERS, REVIEWERS, STAFF, Role
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.queries import captures_of_scene
from annotator.catalog.api import SkuSerializer, sku_json
from annotator.catalog.queries import skus_by_code
from annotator.core.errors import NotFound
from annotator.core.idempotency import answer_once
from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling import queries as labeling_queries
from annotator.labeling import services as labeling
from annotator.labeling.api.assignments import IDEMPOTENCY_KEY
from annotator.labeling.api.projects import thumbs_of
from annotator.labeling.api.serializers import (
    AnswerSerializer,
    BoxSerializer,
    TaskSerializer,
    TaskStateOnlySerializer,
    ValuesField,
    task_json,
)
from annotator.labeling.models import Agreement, Annotation, Task
from annotator.labeling.states import TaskState
from annotator.suggestions.queries import current_suggestion, suggestion_json
from annotator.suggestions.serializers import SuggestionSerializer

from . import queries, services
from .models import Decision, Dispute


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    params = serializers.DictField()


class DisputeRowSerializer(serializers.Serializer[Any]):
    task = TaskSerializer()
    thumb = serializers.CharField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    reasons = ReasonSerializer(many=True)
    opened_at = serializers.DateTimeField()
    claimed_by = serializers.CharField(allow_null=True)
    claimed_by_me = serializers.BooleanField()
    reopened = serializers.BooleanField()


class DecisionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    fields = ValuesField()
    boxes = BoxSerializer(many=True)
    attributes = serializers.DictField()
    caption = serializers.CharField()
    source = serializers.ChoiceField(Decision.Source.choices)
    ties = serializers.ListField(child=serializers.CharField())
    decided_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    note = serializers.CharField(allow_blank=True)


class SideSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="A, B, C …: names appear after the decision.")
    annotation = serializers.IntegerField()
    author = serializers.CharField(allow_null=True)
    fields = ValuesField()
    boxes = BoxSerializer(many=True)
    attributes = serializers.DictField()
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
    claim = ClaimSerializer()
    previous_decision = DecisionSerializer(allow_null=True)


class DecideSerializer(AnswerSerializer):
    token = serializers.CharField()
    note = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class DecidedSerializer(serializers.Serializer[Any]):
    decision = DecisionSerializer()
    task_state = serializers.ChoiceField(TaskState.choices)


class RejectSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    reason = serializers.CharField(max_length=64)
    note = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class ReopenSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=4000)


class TaskRowSerializer(TaskSerializer):
    caption = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_null=True)
    thumb = serializers.CharField(allow_null=True)
    annotation_count = serializers.IntegerField(allow_null=True)


class TaskDetailSerializer(TaskSerializer):
    captures = CaptureSerializer(many=True)
    decision = DecisionSerializer(allow_null=True)
    answers = SideSerializer(many=True)
    history = AuditSerializer(many=True)


class TaskChangeSerializer(serializers.Serializer[Any]):
    priority = serializers.ChoiceField(["normal", "urgent"])


class TaskQuery(PageQuery):
    project = serializers.IntegerField(required=False)
    state = serializers.ChoiceField(TaskState.choices, required=False)
    priority = serializers.ChoiceField(["normal", "urgent"], required=False)
    sku = serializers.CharField(required=False)
    search = serializers.CharField(required=False, allow_blank=True)


_BY_ANNOTATORS = ("annotation.submitted", "annotation.withdrawn", "task.skipped")


def decision_json(decision: Decision | None) -> dict[str, Any] | None:
    """A decision with the name of who made it."""
    if decision is None:
        return None
    return {
        "id": decision.pk,
        "fields": decision.fields,
        "boxes": decision.boxes,
        "attributes": decision.attributes,
        "caption": decision.caption,
        "source": decision.source,
        "ties": decision.ties,
        "decided_by": str(decision.decided_by) if decision.decided_by else None,
        "created_at": decision.created_at.isoformat(),
        "note": decision.note,
    }


def _sides(task: Task, rows: Sequence[Annotation]) -> list[dict[str, Any]]:
    """Answers as A, B, C …; names only once the task is decided."""
    named = task.state in (TaskState.DECIDED, TaskState.REJECTED)
    return [
        {
            "label": chr(ord("A") + n),
            "annotation": row.pk,
            "author": str(row.author) if named else None,
            "fields": row.fields,
            "boxes": row.boxes,
            "attributes": row.attributes,
            "caption": row.caption,
            "active_seconds": row.active_seconds,
            "suggestion_shown": row.suggestion_shown,
        }
        for n, row in enumerate(rows)
    ]


def _blind_history(task: Task) -> list[dict[str, Any]]:
    """What happened to a disputed task, without the names of its annotators."""
    return [
        {**audit_json(row), "actor": None} if row.action in _BY_ANNOTATORS else audit_json(row)
        for row in queries.history_of(task)
    ]


class DisputesView(SiteView):
    """The open disputes of a project that the caller may settle."""

    access = {"GET": REVIEWERS}

    @extend_schema(
        operation_id="disputes", parameters=[PageQuery], responses=paged(DisputeRowSerializer)
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(Project, pk=project_id, site__in=self.sites)
        rows = queries.open_disputes(project, self.person)
        return page_of(request, rows, self._rows, ordering=("-task__priority", "opened_at", "id"))

    def _rows(self, rows: Sequence[Dispute]) -> list[dict[str, Any]]:
        thumbs = thumbs_of([row.task.scene_id for row in rows])
        return [
            {
                "task": task_json(row.task),
                "thumb": thumbs.get(row.task.scene_id),
                "score": row.score,
                "reasons": row.reasons,
                "opened_at": row.opened_at,
                "claimed_by": str(row.reviewer) if row.reviewer else None,
                "claimed_by_me": row.reviewer_id == self.person.pk,
                "reopened": row.reopened,
            }
            for row in rows
        ]


class _TaskView(SiteView):
    def task(self, task_id: int) -> Task:
        return get_object_or_404(labeling_queries.tasks_of(self.sites), pk=task_id)


class DisputeView(_TaskView):
    """One dispute, side by side. Opening it takes it on the caller's desk for 15 minutes."""

    access = {"POST": REVIEWERS}

    @extend_schema(operation_id="open_dispute", request=None, responses=DisputeSerializer)
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        dispute = services.claim_dispute(task=task, reviewer=self.person)
        captures = captures_of_scene(task.scene_id)
        answers = list(
            labeling_queries.visible_to(self.person)
            .filter(task=task, withdrawn_at=None)
            .select_related("author")
            .order_by("id")
        )
        suggestion = suggestion_json(
            current_suggestion([c.pk for c in captures]), site_id=task.project.site_id
        )
        agreement = Agreement.objects.filter(task=task).first()
        return Response(
            {
                "task": task_json(task),
                "captures": [capture_json(c) for c in captures],
                "suggestion": suggestion,
                "catalog": self._catalog(task, answers, suggestion),
                "score": dispute.score,
                "fields": agreement.per_field if agreement else {},
                "reasons": dispute.reasons,
                "answers": _sides(task, answers),
                "history": _blind_history(task),
                "claim": {"token": dispute.token, "expires_at": dispute.claimed_until},
                "previous_decision": decision_json(queries.current_decision(task)),
            }
        )

    def _catalog(
        self, task: Task, answers: Sequence[Annotation], suggestion: dict[str, Any] | None
    ) -> dict[str, Any]:
        codes = {str(a.fields.get("sku", "")) for a in answers}
        codes |= {c["sku_code"] for c in (suggestion or {}).get("candidates", [])[:3]}
        found = skus_by_code(site_id=task.project.site_id, codes=codes)
        return {code: sku_json(sku) for code, sku in found.items()}


class DecideView(_TaskView):
    """Settle a dispute."""

    access = {"POST": REVIEWERS}

    @extend_schema(
        operation_id="decide",
        request=DecideSerializer,
        responses=DecidedSerializer,
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = DecideSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            decision, decided = services.decide(
                task=task, reviewer=self.person, **form.validated_data
            )
            return 200, {"decision": decision_json(decision), "task_state": decided.state}

        status, body = answer_once(
            user_id=self.person.pk,
            key=request.headers.get("Idempotency-Key", ""),
            request={"task": task_id, "data": request.data},
            act=act,
        )
        return Response(body, status=status)


class RejectView(_TaskView):
    """Set aside a task whose photo cannot be used."""

    access = {"POST": REVIEWERS}

    @extend_schema(
        operation_id="reject_task", request=RejectSerializer, responses=TaskStateOnlySerializer
    )
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = RejectSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rejected = services.reject(task=task, reviewer=self.person, **form.validated_data)
        return Response({"task_state": rejected.state})


class ReopenView(_TaskView):
    """Put a settled task back on the reviewers' desk."""

    access = {"POST": STAFF}

    @extend_schema(
        operation_id="reopen_task", request=ReopenSerializer, responses=TaskStateOnlySerializer
    )
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = ReopenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        roles = roles_on(self.person, task.project.site_id)
        role = Role.REVIEWER if Role.REVIEWER in roles else Role.ADMIN
        reopened = services.reopen(
            task=task, actor=self.person, role=role, note=form.validated_data["note"]
        )
        return Response({"task_state": reopened.state})


class TasksView(SiteView):
    """The tasks of the caller's sites."""

    access = {"GET": STAFF}

    @extend_schema(operation_id="tasks", parameters=[TaskQuery], responses=paged(TaskRowSerializer))
    def get(self, request: Request) -> Response:
        query = TaskQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        data = query.validated_data
        rows = labeling_queries.tasks_of(self.sites)
        if "project" in data:
            rows = rows.filter(project=data["project"])
        if "state" in data:
            rows = rows.filter(state=data["state"])
        if "priority" in data:
            rows = rows.filter(priority=Task.Priority[data["priority"].upper()])
        if data.get("sku"):
            rows = rows.filter(
                pk__in=Decision.objects.filter(sku_code=data["sku"], superseded_at=None).values(
                    "task"
                )
            )
        if data.get("search"):
            rows = rows.filter(scene__key__icontains=data["search"])
        return page_of(request, rows, self._rows)

    def _rows(self, rows: Sequence[Task]) -> list[dict[str, Any]]:
        ids = Task.objects.filter(pk__in=[row.pk for row in rows])
        decisions = queries.tasks_with_decisions(self.sites, ids)
        thumbs = thumbs_of([row.scene_id for row in rows])
        return [
            {
                **task_json(row),
                "caption": decisions[row.pk].caption if row.pk in decisions else None,
                "source": decisions[row.pk].source if row.pk in decisions else None,
                "thumb": thumbs.get(row.scene_id),
                "annotation_count": row.answers,
            }
            for row in rows
        ]


class TaskView(_TaskView):
    """One task, its decision and history. Annotators see a task that they answered, and only their
    own part of it."""

    access = {"GET": LABELERS, "PATCH": ADMINS}

    @extend_schema(operation_id="task", responses=TaskDetailSerializer)
    def get(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        staff = bool(roles_on(self.person, task.project.site_id) & STAFF)
        answers = list(
            labeling_queries.visible_to(self.person)
            .filter(task=task, withdrawn_at=None)
            .select_related("author")
            .order_by("id")
        )
        if not staff and not answers:
            raise NotFound()
        return Response(
            {
                **task_json(task, blind=not staff),
                "captures": [capture_json(c) for c in captures_of_scene(task.scene_id)],
                "decision": decision_json(queries.current_decision(task)) if staff else None,
                "answers": _sides(task, answers),
                "history": (
                    [audit_json(row) for row in queries.history_of(task)]
                    if staff and task.state in labeling_queries.SETTLED
                    else []
                ),
            }
        )

    @extend_schema(
        operation_id="change_task", request=TaskChangeSerializer, responses=TaskSerializer
    )
    def patch(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = TaskChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        task = labeling.change_priority(
            task=task,
            priority=Task.Priority[form.validated_data["priority"].upper()],
            actor=self.person,
        )
        return Response(task_json(task))
