"""What becomes of each model's suggestions."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView

from .. import trials


class ShareSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="Of the 95% interval.")
    high = serializers.FloatField(allow_null=True)


class ArmSerializer(serializers.Serializer[Any]):
    model = serializers.IntegerField(allow_null=True, help_text="Null: the shipped one.")
    name = serializers.CharField(allow_null=True)
    answers = serializers.IntegerField(help_text="To which its suggestion was shown.")
    unchanged = ShareSerializer(help_text="Answers with all that was proposed.")
    fields = serializers.DictField(
        child=ShareSerializer(), help_text="Of what was proposed, by field."
    )
    edits = ShareSerializer(
        help_text="Characters between the caption proposed and the one decided."
    )
    seconds = ShareSerializer(help_text="Active seconds an answer.")


class ArmsQuery(serializers.Serializer[Any]):
    since = serializers.DateTimeField(required=False)


class ArmsView(SiteView):
    """What becomes of each model's suggestions on a site, with 95% intervals."""

    access = {"GET": ADMINS}

    @extend_schema(
        operation_id="model_arms", parameters=[ArmsQuery], responses=ArmSerializer(many=True)
    )
    def get(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        query = ArmsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(trials.arms(site, since=query.validated_data.get("since")))
