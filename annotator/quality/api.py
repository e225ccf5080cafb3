"""The quality page."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import STAFF
from annotator.accounts.views import SiteView

from . import queries


class TrendSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    value = serializers.FloatField()
    count = serializers.IntegerField()


class MetricSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    unit = serializers.ChoiceField(["%", "s", "score"])
    threshold = serializers.FloatField(allow_null=True)
    better = serializers.ChoiceField(["up", "down"])
    count = serializers.IntegerField()
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, min_length=2, max_length=2
    )
    passes = serializers.BooleanField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    trend = TrendSerializer(many=True)


class FieldAgreementSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    agreement = serializers.FloatField(allow_null=True)
    alpha = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class AnnotatorSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    annotations = serializers.IntegerField()
    agreement = serializers.FloatField(allow_null=True)
    mean_active_seconds = serializers.FloatField()
    disputes_lost = serializers.IntegerField()


class DisputeCountSerializer(serializers.Serializer[Any]):
    open = serializers.IntegerField()
    decided = serializers.IntegerField()


class ThroughputSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    annotations = serializers.IntegerField()
    decided = serializers.IntegerField()


class QualitySerializer(serializers.Serializer[Any]):
    computed_at = serializers.DateTimeField()
    metrics = MetricSerializer(many=True)
    fields = FieldAgreementSerializer(many=True)
    annotators = AnnotatorSerializer(many=True)
    disputes = DisputeCountSerializer()
    throughput = ThroughputSerializer(many=True)


class QualityView(SiteView):
    """The quality figures of a project."""

    access = {"GET": STAFF}

    @extend_schema(operation_id="quality", responses=QualitySerializer)
    def get(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(Project, pk=project_id, site__in=self.sites)
        return Response(queries.report(project))
