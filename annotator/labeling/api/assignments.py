"""The working loop of an annotator: next, draft, submit, skip, withdraw."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import ANNOTATORS
from annotator.accounts.views import SiteView
from annotator.core.errors import EditConflict
from annotator.core.idempotency import answer_once

from .. import policies, services
from ..models import Annotation, Assignment
from ..states import SkipReason, TaskState
from . import serializers as s

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Makes repeating it harmless."
)


class NextView(SiteView):
    """Take the next task of a project: 200 with an assignment, or 204 when there is none."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="next",
        request=s.NextSerializer,
        responses={200: s.AssignmentSerializer, 204: None},
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(Project, pk=project_id, site__in=self.sites)
        form = s.NextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        assignment = services.next_assignment(
            project=project, annotator=self.person, exclude=form.validated_data["exclude"]
        )
        if assignment is None:
            return Response(status=204)
        return _answer(assignment)


class _OwnAssignment(SiteView):
    def assignment(self, assignment_id: int) -> Assignment:
        rows = Assignment.objects.filter(
            annotator=self.person, task__project__site__in=self.sites
        ).select_related("task__project", "suggestion")
        return get_object_or_404(rows, pk=assignment_id)


class AssignmentView(_OwnAssignment):
    """One's own assignment."""

    access = {"GET": ANNOTATORS}

    @extend_schema(operation_id="assignment", responses=s.AssignmentSerializer)
    def get(self, request: Request, assignment_id: int) -> Response:
        return _answer(self.assignment(assignment_id))


class DraftView(_OwnAssignment):
    """Keep what was typed so far; extends the lease."""

    access = {"PUT": ANNOTATORS}

    @extend_schema(
        operation_id="save_draft",
        request=s.DraftSerializer,
        responses=s.DraftSavedSerializer,
        parameters=[OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)],
    )
    def put(self, request: Request, assignment_id: int) -> Response:
        assignment = self.assignment(assignment_id)
        form = s.DraftSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        assignment = services.save_draft(
            assignment=assignment,
            annotator=self.person,
            token=form.validated_data["token"],
            draft=form.validated_data["draft"],
            version=_version(request),
        )
        body = {"etag": s.etag_of(assignment), "expires_at": assignment.expires_at}
        return Response(body, headers={"ETag": s.etag_of(assignment)})


class SubmitView(_OwnAssignment):
    """Submit an answer."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="submit",
        request=s.SubmitSerializer,
        responses={201: s.SubmittedSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, assignment_id: int) -> Response:
        assignment = self.assignment(assignment_id)
        form = s.SubmitSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            annotation, _ = services.submit_annotation(
                assignment=assignment, annotator=self.person, **form.validated_data
            )
            until = annotation.created_at + policies.WITHDRAW_WITHIN
            return 201, {
                "annotation": {
                    "id": annotation.pk,
                    "task": annotation.task_id,
                    "caption": annotation.caption,
                    "created_at": annotation.created_at.isoformat(),
                    "withdraw_until": until.isoformat(),
                },
                # Never how it came out: that would tell what the other annotator answered.
                "task_state": TaskState.LABELING,
            }

        status, body = answer_once(
            user_id=self.person.pk,
            key=request.headers.get("Idempotency-Key", ""),
            request={"assignment": assignment_id, "data": request.data},
            act=act,
        )
        return Response(body, status=status)


class SkipView(_OwnAssignment):
    """Pass on a task, with a reason."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="skip",
        request=s.SkipSerializer,
        responses=s.TaskStateOnlySerializer,
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, assignment_id: int) -> Response:
        assignment = self.assignment(assignment_id)
        form = s.SkipSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data

        def act() -> tuple[int, Any]:
            services.skip(
                assignment=assignment,
                annotator=self.person,
                token=data["token"],
                reason=SkipReason(data["reason"]),
                detail=data["detail"],
            )
            return 200, {"task_state": TaskState.LABELING}

        status, body = answer_once(
            user_id=self.person.pk,
            key=request.headers.get("Idempotency-Key", ""),
            request={"assignment": assignment_id, "data": request.data},
            act=act,
        )
        return Response(body, status=status)


class ReleaseView(_OwnAssignment):
    """Give a task back unanswered."""

    access = {"POST": ANNOTATORS}

    @extend_schema(operation_id="release", request=s.TokenOnlySerializer, responses={204: None})
    def post(self, request: Request, assignment_id: int) -> Response:
        assignment = self.assignment(assignment_id)
        form = s.TokenOnlySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.release(
            assignment=assignment,
            annotator=self.person,
            token=form.validated_data["token"],
        )
        return Response(status=204)


class WithdrawView(SiteView):
    """Take an answer back within 10 s."""

    access = {"POST": ANNOTATORS}

    @extend_schema(operation_id="withdraw", request=None, responses=s.WithdrawnSerializer)
    def post(self, request: Request, annotation_id: int) -> Response:
        rows = Annotation.objects.filter(author=self.person, task__project__site__in=self.sites)
        annotation = get_object_or_404(rows, pk=annotation_id)
        assignment = services.withdraw(annotation=annotation, author=self.person)
        return Response({"assignment": s.assignment_json(assignment)})


def _answer(assignment: Assignment) -> Response:
    return Response(s.assignment_json(assignment), headers={"ETag": s.etag_of(assignment)})


def _version(request: Request) -> int | None:
    tag = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not tag or tag == "*":
        return None
    if not tag.isdigit():
        raise EditConflict()
    return int(tag)
