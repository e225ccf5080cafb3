"""The list of disputes, what it holds, and those that a look settles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import REVIEWERS
from annotator.accounts.views import SiteView
from annotator.core.errors import NotFound
from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling.api.projects import thumbs_of
from annotator.labeling.api.serializers import TaskSerializer, ValuesField, task_json
from annotator.labeling.models import Task
from annotator.labeling.schemas import Schemas

from .. import queries, services
from ..models import Dispute, Severity, Trivial
from ..proposals import proposals_for
from .serializers import DisputeRowSerializer

MANY = 50
"""So many trivial disputes are looked at, and settled, at once."""


class DisputeQuery(PageQuery):
    field = serializers.CharField(required=False, help_text="Only where this field differs.")
    severity = serializers.ChoiceField(Severity.labels, required=False)
    pair = serializers.CharField(
        required=False, help_text="Only of these people (see the summary)."
    )
    reopened = serializers.BooleanField(required=False, allow_null=True, default=None)
    sort = serializers.ChoiceField(list(queries.DISPUTE_ORDERINGS), default="urgent")


class PairCountSerializer(serializers.Serializer[Any]):
    pair = serializers.CharField()
    count = serializers.IntegerField()


class SeverityCountsSerializer(serializers.Serializer[Any]):
    low = serializers.IntegerField()
    medium = serializers.IntegerField()
    high = serializers.IntegerField()


class DisputeSummarySerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    trivial = serializers.IntegerField(help_text="Those that a look settles.")
    severities = SeverityCountsSerializer()
    fields = serializers.DictField(child=serializers.IntegerField())
    pairs = PairCountSerializer(many=True, help_text="Those with the most disputes first.")


class SaidSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="A, B, C …")
    fields = ValuesField()


class TrivialRowSerializer(serializers.Serializer[Any]):
    task = TaskSerializer()
    thumb = serializers.CharField(allow_null=True)
    trivial = serializers.ChoiceField(Trivial.choices)
    differing = serializers.ListField(child=serializers.CharField())
    answers = SaidSerializer(many=True, help_text="What was said of the fields that differ.")
    fields = ValuesField(help_text="What they would be settled as.")
    caption = serializers.CharField(help_text="The whole caption; settling names it.")
    claimed_by = serializers.CharField(allow_null=True)


class TrivialQuery(PageQuery):
    kind = serializers.ChoiceField(Trivial.choices, required=False)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MANY, default=MANY)


class SeenSerializer(serializers.Serializer[Any]):
    task = serializers.IntegerField()
    caption = serializers.CharField(help_text="The caption that was looked at.")


class SettleSerializer(serializers.Serializer[Any]):
    items = serializers.ListField(child=SeenSerializer(), min_length=1, max_length=MANY)


class SettledRowSerializer(serializers.Serializer[Any]):
    task = serializers.IntegerField()
    outcome = serializers.ChoiceField(["decided", "taken", "changed"])


class SettledSerializer(serializers.Serializer[Any]):
    results = SettledRowSerializer(many=True)


class _ProjectView(SiteView):
    def project(self, project_id: int) -> Project:
        return get_object_or_404(Project, pk=project_id, site__in=self.sites)


class DisputesView(_ProjectView):
    """The open disputes of a project that the caller may settle."""

    access = {"GET": REVIEWERS}

    @extend_schema(
        operation_id="disputes", parameters=[DisputeQuery], responses=paged(DisputeRowSerializer)
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        query = DisputeQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        data = query.validated_data
        rows = queries.narrowed(queries.open_disputes(project, self.person), data)
        return page_of(request, rows, self._rows, ordering=queries.DISPUTE_ORDERINGS[data["sort"]])

    def _rows(self, rows: Sequence[Dispute]) -> list[dict[str, Any]]:
        thumbs = thumbs_of([row.task.scene_id for row in rows])
        return [
            {
                "task": task_json(row.task),
                "thumb": thumbs.get(row.task.scene_id),
                "score": row.score,
                "severity": Severity(row.severity).label,
                "differing": _keys(row),
                "pair": row.pair,
                "trivial": row.trivial,
                "reasons": row.reasons,
                "opened_at": row.opened_at,
                "claimed_by": str(row.reviewer) if row.reviewer else None,
                "claimed_by_me": row.reviewer_id == self.person.pk,
                "reopened": row.reopened,
            }
            for row in rows
        ]


class SummaryView(_ProjectView):
    """What the list of disputes holds: for its filters."""

    access = {"GET": REVIEWERS}

    @extend_schema(operation_id="dispute_summary", responses=DisputeSummarySerializer)
    def get(self, request: Request, project_id: int) -> Response:
        return Response(queries.dispute_summary(self.project(project_id), self.person))


class TrivialView(_ProjectView):
    """Disputes that a look settles, with what they would be settled as; and settling those that were
    looked at. Each is decided by itself: what another reviewer took, or what changed since, is left
    alone and told."""

    access = {"GET": REVIEWERS, "POST": REVIEWERS}

    @extend_schema(
        operation_id="trivial_disputes",
        parameters=[TrivialQuery],
        responses=paged(TrivialRowSerializer),
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        query = TrivialQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = queries.trivial_disputes(project, self.person, query.validated_data.get("kind", ""))

        def present(found: Sequence[Dispute]) -> list[dict[str, Any]]:
            return self._rows(project, found)

        return page_of(request, rows, present, ordering=queries.DISPUTE_ORDERINGS["oldest"])

    def _rows(self, project: Project, rows: Sequence[Dispute]) -> list[dict[str, Any]]:
        thumbs = thumbs_of([row.task.scene_id for row in rows])
        answers = queries.standing_of([row.task_id for row in rows])
        schemas = Schemas(project)
        proposed = proposals_for(project, [row.task for row in rows], answers)
        shown = []
        for row in rows:
            if row.task_id not in proposed:
                continue
            keys, proposal = _keys(row), proposed[row.task_id]
            said = [schemas.carry(a.fields, a.schema_version) for a in answers[row.task_id]]
            shown.append(
                {
                    "task": task_json(row.task),
                    "thumb": thumbs.get(row.task.scene_id),
                    "trivial": row.trivial,
                    "differing": keys,
                    "answers": [
                        {
                            "label": chr(ord("A") + n),
                            "fields": {k: one.fields[k] for k in keys if k in one.fields},
                        }
                        for n, one in enumerate(said)
                    ],
                    "fields": {k: proposal.fields[k] for k in keys if k in proposal.fields},
                    "caption": proposal.caption,
                    "claimed_by": (
                        str(row.reviewer)
                        if row.reviewer and row.reviewer_id != self.person.pk
                        else None
                    ),
                }
            )
        return shown

    @extend_schema(
        operation_id="settle_trivial", request=SettleSerializer, responses=SettledSerializer
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        form = SettleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        seen = {item["task"]: item["caption"] for item in form.validated_data["items"]}
        if Task.objects.filter(project=project, pk__in=seen).count() < len(seen):
            raise NotFound()
        results = [
            {
                "task": pk,
                "outcome": services.settle_trivial(task_id=pk, seen=caption, reviewer=self.person),
            }
            for pk, caption in seen.items()
        ]
        return Response({"results": results})


def _keys(row: Dispute) -> list[str]:
    return [key for key in row.differing.split(",") if key]
