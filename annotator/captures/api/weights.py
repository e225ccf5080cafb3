"""Telling what goods weigh."""

from __future__ import annotations

import json
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.states import Role
from annotator.accounts.views import SiteView
from annotator.catalog.api.imports import RowErrorSerializer
from annotator.core.errors import FieldError, Invalid
from annotator.core.parsing import BoundedJSONParser

from .. import weighing


class WeightSerializer(serializers.Serializer[Any]):
    image_id = serializers.CharField(help_text="Of the photo; or its SHA-256.")
    weight_g = serializers.FloatField(help_text="Grams.")


class WeightsSerializer(serializers.Serializer[Any]):
    weights = WeightSerializer(many=True)


class WeightsFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="A CSV, or a JSON list, of image_id and weight_g.")


class WeightsReportSerializer(serializers.Serializer[Any]):
    weighed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    errors = RowErrorSerializer(many=True, help_text="With errors nothing is written.")


class WeightsView(SiteView):
    """What the goods in photos weigh, as a scale tells it: a file, or JSON."""

    access = {"POST": frozenset({Role.INTEGRATOR, Role.ADMIN})}
    parser_classes = [MultiPartParser, BoundedJSONParser]

    @extend_schema(
        operation_id="weigh_captures",
        parameters=[SiteQuery],
        request={
            "application/json": WeightsSerializer,
            "multipart/form-data": WeightsFileSerializer,
        },
        responses=WeightsReportSerializer,
    )
    def post(self, request: Request) -> Response:
        query = SiteQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data.get("site")
        site = get_object_or_404(self.sites, pk=wanted) if wanted else site_of(self)
        file = request.FILES.get("file")
        if file is not None:
            data = bytes(file.read())
        elif isinstance(request.data, dict) and isinstance(request.data.get("weights"), list):
            data = json.dumps(request.data["weights"]).encode()
        else:
            raise Invalid([FieldError("file", "required")])
        return Response(weighing.import_weights(site=site, data=data, actor=self.person).to_json())
