"""Decided captions that the pictures contradict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.states import STAFF
from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling.api.projects import thumbs_of
from annotator.review.api.tasks import StartedJobSerializer

from .. import doubting
from ..models import Doubt
from .asking import QualityOfProject


class DoubtReasonSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(["barcode", "model", "neighbours", "spec"])
    sku = serializers.CharField(help_text="That speaks against the decided one.")
    share = serializers.FloatField(required=False, help_text="How sure of it, 0…1.")
    spec = serializers.CharField(required=False, help_text="As the catalog has it.")


class DoubtSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    task = serializers.IntegerField()
    caption = serializers.CharField()
    score = serializers.FloatField(help_text="0…1.")
    proposed = serializers.CharField(allow_blank=True)
    why = DoubtReasonSerializer(many=True)
    thumb = serializers.CharField(allow_null=True)
    found_at = serializers.DateTimeField()


class DoubtsView(QualityOfProject):
    """Decided captions that the pictures contradict, the most doubtful first."""

    access = {"GET": STAFF, "POST": STAFF}

    @extend_schema(operation_id="doubts", parameters=[PageQuery], responses=paged(DoubtSerializer))
    def get(self, request: Request, project_id: int) -> Response:
        rows = doubting.open_doubts(self.project(project_id))

        def present(found: Sequence[Doubt]) -> list[dict[str, Any]]:
            thumbs = thumbs_of([row.decision.task.scene_id for row in found])
            return [
                {
                    "id": row.pk,
                    "task": row.decision.task_id,
                    "caption": row.decision.caption,
                    "score": row.score,
                    "proposed": row.proposed,
                    "why": row.why,
                    "thumb": thumbs.get(row.decision.task.scene_id),
                    "found_at": row.found_at,
                }
                for row in found
            ]

        return page_of(request, rows, present, ordering=("-score", "id"))

    @extend_schema(operation_id="find_doubts", request=None, responses={202: StartedJobSerializer})
    def post(self, request: Request, project_id: int) -> Response:
        job = doubting.start(project=self.project(project_id), actor=self.person)
        return Response({"job": job.pk}, status=202)
