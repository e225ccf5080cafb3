"""The tasks and answers behind a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling.api.projects import thumbs_of
from annotator.labeling.api.serializers import TaskSerializer, task_json
from annotator.review.queries import decisions_by_task

from .. import queries
from ..metrics import metric_of
from ..models import Fact
from .asking import BY, QualityOfProject, SinceQuery


class FactsQuery(SinceQuery, PageQuery):
    metric = serializers.CharField()
    by = serializers.ChoiceField(BY, required=False)
    at = serializers.CharField(required=False)
    flawed = serializers.BooleanField(
        default=False, help_text="Only those that leave something to look at."
    )


class FactSerializer(serializers.Serializer[Any]):
    task = TaskSerializer()
    annotation = serializers.IntegerField(allow_null=True)
    day = serializers.DateField()
    value = serializers.FloatField()
    caption = serializers.CharField(allow_null=True, help_text="Of the answer, or as decided.")
    who = serializers.CharField(allow_blank=True)
    thumb = serializers.CharField(allow_null=True)


class FactsView(QualityOfProject):
    """The very tasks and answers that a figure is made of, newest first."""

    @extend_schema(
        operation_id="quality_tasks", parameters=[FactsQuery], responses=paged(FactSerializer)
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        asked = self.asked(FactsQuery)
        asked = {k: v for k, v in asked.items() if k not in ("cursor", "page_size")}
        rows = queries.facts_behind(project, **asked)
        kind = metric_of(asked["metric"])

        def present(found: Sequence[Fact]) -> list[dict[str, Any]]:
            return _facts_json(found, kind.key, kind.per)

        return page_of(request, rows, present, ordering=("-day", "-id"))


def _facts_json(found: Sequence[Fact], metric: str, per: float) -> list[dict[str, Any]]:
    decisions = decisions_by_task([fact.task_id for fact in found])
    thumbs = thumbs_of([fact.task.scene_id for fact in found])
    names = queries.names_of(f.annotation.author_id for f in found if f.annotation)
    rows = []
    for fact in found:
        decision = decisions.get(fact.task_id)
        caption = fact.annotation.caption if fact.annotation else decision and decision.caption
        rows.append(
            {
                "task": task_json(fact.task),
                "annotation": fact.annotation_id,
                "day": fact.day,
                "value": round(fact.readings[metric] / per, 2),
                "caption": caption,
                "who": names.get(fact.annotation.author_id, "") if fact.annotation else "",
                "thumb": thumbs.get(fact.task.scene_id),
            }
        )
    return rows
