"""Look-alikes in one go: offered, taken, kept and given back; each is answered by its own submit."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.queries import projects_on
from annotator.accounts.states import ANNOTATORS
from annotator.accounts.views import SiteView
from annotator.catalog.models import Sku

from .. import lookalikes as services
from .. import policies
from . import serializers as s


class AlikeSkuSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class OfferSerializer(serializers.Serializer[Any]):
    sku = AlikeSkuSerializer(allow_null=True)
    count = serializers.IntegerField()


class GridSerializer(serializers.Serializer[Any]):
    grid = serializers.CharField()
    sku = AlikeSkuSerializer(allow_null=True)
    assignments = s.AssignmentSerializer(many=True)


class GridOnlySerializer(serializers.Serializer[Any]):
    grid = serializers.CharField(max_length=32)


class GridKeptSerializer(serializers.Serializer[Any]):
    expires_at = serializers.DateTimeField()


class GiveBackSerializer(GridOnlySerializer):
    keep = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        default=list,
        max_length=policies.MOST_ALIKE,
        help_text="Assignments whose answers are on their way.",
    )
    knocked_out = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        default=list,
        max_length=policies.MOST_ALIKE,
        help_text="Assignments that are not like the others: they come singly.",
    )


def _sku_json(sku: Sku | None) -> dict[str, str] | None:
    return {"code": sku.code, "name": sku.name} if sku else None


class LookalikesView(SiteView):
    """Ask whether there are look-alikes to answer in one go, and take them: 204 when there are
    none."""

    access = {"GET": ANNOTATORS, "POST": ANNOTATORS}

    @extend_schema(operation_id="offer_lookalikes", responses={200: OfferSerializer, 204: None})
    def get(self, request: Request, project_id: int) -> Response:
        found = services.offer(project=project_id, annotator=self.person)
        if found is None:
            return Response(status=204)
        return Response({"sku": _sku_json(found[0]), "count": found[1]})

    @extend_schema(
        operation_id="take_lookalikes", request=None, responses={200: GridSerializer, 204: None}
    )
    def post(self, request: Request, project_id: int) -> Response:
        grid = services.take(project=project_id, annotator=self.person)
        if grid is None:
            return Response(status=204)
        body = {
            "grid": grid.id,
            "sku": _sku_json(grid.sku),
            "assignments": s.assignments_json(grid.assignments),
        }
        return Response(body)


class KeepLookalikesView(SiteView):
    """Extend the leases of a grid."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="keep_lookalikes", request=GridOnlySerializer, responses=GridKeptSerializer
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        form = GridOnlySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        until = services.extend(
            project=project, annotator=self.person, grid=form.validated_data["grid"]
        )
        return Response({"expires_at": until})


class GiveBackLookalikesView(SiteView):
    """Give back what of a grid is not answered."""

    access = {"POST": ANNOTATORS}

    @extend_schema(
        operation_id="give_back_lookalikes", request=GiveBackSerializer, responses={204: None}
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(projects_on(self.sites), pk=project_id)
        form = GiveBackSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.give_back(project=project, annotator=self.person, **form.validated_data)
        return Response(status=204)
