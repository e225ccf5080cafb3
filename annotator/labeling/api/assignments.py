"""The working loop of an annotator: next, draft, submit, skip, withdraw."""

from __future__ import annotations

from typing import Any, TypeVar

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from annotator.accounts.states import ANNOTATORS
from annotator.accounts.views import SiteView
from annotator.core.http import IF_MATCH, version_seen
from annotator.core.idempotency import answer_once
from annotator.suggestions.queries import suggested_views

from .. import policies, queries, services
from ..models import Annotation, Assignment
from ..states import SkipReason, TaskState
from . import serializers as s

F = TypeVar("F", bound="Serializer[Any]")
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
        form = s.NextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        assignment = services.next_assignment(
            project=project_id, annotator=self.person, exclude=form.validated_data["exclude"]
        )
        return _answer(assignment) if assignment else Response(status=204)


class NextOnSiteView(SiteView):
    """Take the next task of any project of a site: they take turns by their shares."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="next_on_site",
        request=s.NextSerializer,
        responses={200: s.AssignmentSerializer, 204: None},
    )
    def post(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        form = s.NextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        assignment = services.next_on_site(
            site=site, annotator=self.person, exclude=form.validated_data["exclude"]
        )
        return _answer(assignment) if assignment else Response(status=204)


class _OwnAssignment(SiteView):
    def assignment(self, assignment_id: int) -> Assignment:
        rows = queries.own_assignment(assignment_id, self.person).select_related("suggestion")
        return get_object_or_404(rows)

    def checked(self, form: type[F], assignment_id: int) -> F:
        """The request's body. What is wrong with it is told only to whom the assignment belongs;
        the services look for that themselves."""
        checked = form(data=self.request.data)
        if not checked.is_valid():
            self.assignment(assignment_id)
            raise ValidationError(checked.errors)
        return checked


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
        parameters=[IF_MATCH],
    )
    def put(self, request: Request, assignment_id: int) -> Response:
        form = self.checked(s.DraftSerializer, assignment_id)
        assignment = services.save_draft(
            assignment=assignment_id,
            annotator=self.person,
            token=form.validated_data["token"],
            draft=form.validated_data["draft"],
            version=version_seen(request),
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
        form = self.checked(s.SubmitSerializer, assignment_id)

        def act() -> tuple[int, Any]:
            annotation, _ = services.submit_annotation(
                assignment=assignment_id, annotator=self.person, **form.validated_data
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
        form = self.checked(s.SkipSerializer, assignment_id)
        data = form.validated_data

        def act() -> tuple[int, Any]:
            services.skip(
                assignment=assignment_id,
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
        form = self.checked(s.TokenOnlySerializer, assignment_id)
        services.release(
            assignment=assignment_id,
            annotator=self.person,
            token=form.validated_data["token"],
        )
        return Response(status=204)


class ExtendView(_OwnAssignment):
    """Extend the lease of somebody who looks at a picture for long and types nothing."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="extend", request=s.TokenOnlySerializer, responses=s.DraftSavedSerializer
    )
    def post(self, request: Request, assignment_id: int) -> Response:
        form = self.checked(s.TokenOnlySerializer, assignment_id)
        assignment = services.extend(
            assignment=assignment_id,
            annotator=self.person,
            token=form.validated_data["token"],
        )
        return Response({"etag": s.etag_of(assignment), "expires_at": assignment.expires_at})


class RevealView(_OwnAssignment):
    """Ask for a suggestion that comes later: the assignment with it, once it is due."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="reveal", request=s.TokenOnlySerializer, responses=s.AssignmentSerializer
    )
    def post(self, request: Request, assignment_id: int) -> Response:
        form = self.checked(s.TokenOnlySerializer, assignment_id)
        services.reveal(
            assignment=assignment_id,
            annotator=self.person,
            token=form.validated_data["token"],
        )
        return _answer(self.assignment(assignment_id))


class OwnAnswerView(SiteView):
    """One's own answer, to look at; never how its task came out."""

    access = {"GET": ANNOTATORS}

    @extend_schema(operation_id="own_answer", responses=s.OwnAnswerSerializer)
    def get(self, request: Request, annotation_id: int) -> Response:
        rows = Annotation.objects.filter(author=self.person, task__project__site__in=self.sites)
        row = get_object_or_404(rows.select_related("task", "assignment"), pk=annotation_id)
        return Response(s.own_answer_json(row, suggested_views(row.task.scene_id)))


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
