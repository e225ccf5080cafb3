"""The reviewer's desk: one dispute side by side, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.queries import roles_on
from annotator.accounts.states import REVIEWERS, STAFF, Role
from annotator.captures.api import capture_json
from annotator.catalog.api.skus import sku_json
from annotator.catalog.queries import skus_by_code
from annotator.core.idempotency import answer_once
from annotator.labeling import queries as labeling_queries
from annotator.labeling.api.assignments import IDEMPOTENCY_KEY
from annotator.labeling.api.serializers import TaskStateOnlySerializer, task_json
from annotator.labeling.models import Agreement, Annotation, Task
from annotator.labeling.schemas import Schemas
from annotator.suggestions.queries import best_suggestion, suggested_views, suggestion_json

from .. import policies, queries, services
from ..models import Decision, Dispute
from . import serializers as s
from .serializers import TaskOfSite


class DisputeView(TaskOfSite):
    """One dispute, side by side. Looking leaves it to others; opening it takes it on the caller's
    desk for 15 minutes."""

    access = {"GET": REVIEWERS, "POST": REVIEWERS}

    @extend_schema(operation_id="look_at_dispute", responses=s.DisputeSerializer)
    def get(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        policies.check_is_disputed(task)
        policies.check_is_not_annotator(task, self.person)
        return Response(self._dispute(task, Dispute.objects.get(task=task), claimed=False))

    @extend_schema(operation_id="open_dispute", request=None, responses=s.DisputeSerializer)
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        dispute = services.claim_dispute(task=task, reviewer=self.person)
        return Response(self._dispute(task, dispute, claimed=True))

    def _dispute(self, task: Task, dispute: Dispute, *, claimed: bool) -> dict[str, Any]:
        captures = suggested_views(task.scene_id)
        answers = _answers(self.person, task)
        suggestion = suggestion_json(
            best_suggestion(captures), site_id=task.project.site_id, views=captures
        )
        agreement = Agreement.objects.filter(task=task).first()
        schemas = Schemas(task.project)
        claim = {"token": dispute.token, "expires_at": dispute.claimed_until}
        return {
            "task": task_json(task),
            "captures": [capture_json(c) for c in captures],
            "suggestion": suggestion,
            "catalog": self._catalog(task, answers, suggestion),
            "score": dispute.score,
            "fields": agreement.per_field if agreement else {},
            "reasons": dispute.reasons,
            "answers": s.sides_json(task, answers, schemas),
            "history": s.blind_history(task),
            "claim": claim if claimed else None,
            "previous_decision": s.decision_json(queries.current_decision(task), schemas),
        }

    def _catalog(
        self, task: Task, answers: Sequence[Annotation], suggestion: dict[str, Any] | None
    ) -> dict[str, Any]:
        codes = {str(a.fields.get("sku", "")) for a in answers}
        codes |= {c["sku_code"] for c in (suggestion or {}).get("candidates", [])[:3]}
        found = skus_by_code(site_id=task.project.site_id, codes=codes)
        return {code: sku_json(sku) for code, sku in found.items()}


def _answers(person: Any, task: Task) -> list[Annotation]:
    rows = labeling_queries.visible_to(person).filter(task=task, withdrawn_at=None)
    return list(rows.select_related("author").order_by("id"))


class DecideView(TaskOfSite):
    """Settle a dispute."""

    access = {"POST": REVIEWERS}

    @extend_schema(
        operation_id="decide",
        request=s.DecideSerializer,
        responses=s.DecidedSerializer,
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = s.DecideSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            decision, decided = services.decide(
                task=task, reviewer=self.person, **form.validated_data
            )
            return 200, {
                "decision": s.decision_json(decision),
                "authors": self._authors(decided, decision),
                "task_state": decided.state,
            }

        status, body = answer_once(
            user_id=self.person.pk,
            key=request.headers.get("Idempotency-Key", ""),
            request={"task": task_id, "data": request.data},
            act=act,
        )
        return Response(body, status=status)

    def _authors(self, task: Task, decision: Decision) -> list[dict[str, Any]]:
        """Who had answered: named now that it is decided."""
        answers = _answers(self.person, task)
        records = queries.records_of([row.author_id for row in answers], task.project_id)
        corrected = queries.corrected_by(decision)
        return [
            {
                "label": chr(ord("A") + n),
                "name": str(row.author),
                "upheld": row.pk not in corrected,
                "record": s.record_json(records, row),
            }
            for n, row in enumerate(answers)
        ]


class SendBackView(TaskOfSite):
    """Have the annotators look again, with a word to them."""

    access = {"POST": REVIEWERS}

    @extend_schema(
        operation_id="send_back",
        request=s.SendBackSerializer,
        responses=TaskStateOnlySerializer,
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = s.SendBackSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            sent = services.send_back(task=task, reviewer=self.person, **form.validated_data)
            return 200, {"task_state": sent.state}

        status, body = answer_once(
            user_id=self.person.pk,
            key=request.headers.get("Idempotency-Key", ""),
            request={"task": task_id, "data": request.data},
            act=act,
        )
        return Response(body, status=status)


class RejectView(TaskOfSite):
    """Set aside a task whose photo cannot be used."""

    access = {"POST": REVIEWERS}

    @extend_schema(
        operation_id="reject_task", request=s.RejectSerializer, responses=TaskStateOnlySerializer
    )
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = s.RejectSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rejected = services.reject(task=task, reviewer=self.person, **form.validated_data)
        return Response({"task_state": rejected.state})


class ReopenView(TaskOfSite):
    """Put a settled task back on the reviewers' desk."""

    access = {"POST": STAFF}

    @extend_schema(
        operation_id="reopen_task", request=s.ReopenSerializer, responses=TaskStateOnlySerializer
    )
    def post(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = s.ReopenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        roles = roles_on(self.person, task.project.site_id)
        role = Role.REVIEWER if Role.REVIEWER in roles else Role.ADMIN
        reopened = services.reopen(
            task=task, actor=self.person, role=role, note=form.validated_data["note"]
        )
        return Response({"task_state": reopened.state})
