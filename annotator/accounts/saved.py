"""Saved views: the filters of a list under a name."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.core.errors import FieldError, Forbidden, Invalid

from .models import SavedView, Site
from .queries import roles_on
from .states import LABELERS, STAFF
from .views import SiteView

MAX_VIEWS = 50
"""Of one person on one page of a site."""


class SavedViewSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    site = serializers.IntegerField()
    page = serializers.ChoiceField(SavedView.Page.choices)
    name = serializers.CharField(max_length=64)
    query = serializers.DictField(help_text="The page's search parameters.")
    shared = serializers.BooleanField(
        default=False, help_text="Shown to everybody on the site; for reviewers and admins to set."
    )
    mine = serializers.BooleanField(read_only=True)


class SavedViewQuery(serializers.Serializer[Any]):
    site = serializers.IntegerField()
    page = serializers.ChoiceField(SavedView.Page.choices)


def _view_json(row: SavedView, person: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "site": row.site_id,
        "page": row.page,
        "name": row.name,
        "query": row.query,
        "shared": row.shared,
        "mine": row.owner_id == person.pk,
    }


class _SavedView(SiteView):
    def seen(self) -> QuerySet[SavedView]:
        """One's own views and those shared on one's sites."""
        return SavedView.objects.filter(Q(owner=self.person) | Q(shared=True), site__in=self.sites)

    def check_may_share(self, site_id: int, shared: bool) -> None:
        if shared and not roles_on(self.person, site_id) & STAFF:
            raise Forbidden()


class SavedViewsView(_SavedView):
    """The saved views of a page. Saving under a name that one has replaces that view."""

    access = {"GET": LABELERS, "POST": LABELERS}

    @extend_schema(
        operation_id="saved_views",
        parameters=[SavedViewQuery],
        responses=SavedViewSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        query = SavedViewQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = self.seen().filter(**query.validated_data).order_by("shared", "name", "pk")
        return Response([_view_json(row, self.person) for row in rows[: 2 * MAX_VIEWS]])

    @extend_schema(
        operation_id="save_view", request=SavedViewSerializer, responses={201: SavedViewSerializer}
    )
    def post(self, request: Request) -> Response:
        form = SavedViewSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        site: Site = get_object_or_404(self.sites, pk=data["site"])
        self.check_may_share(site.pk, data["shared"])
        mine = SavedView.objects.filter(owner=self.person, site=site, page=data["page"])
        if mine.exclude(name=data["name"]).count() >= MAX_VIEWS:
            raise Invalid([FieldError("name", "too_many_views", {"limit": MAX_VIEWS})])
        row, _ = SavedView.objects.update_or_create(
            owner=self.person,
            site=site,
            page=data["page"],
            name=data["name"],
            defaults={"query": data["query"], "shared": data["shared"]},
        )
        return Response(_view_json(row, self.person), status=201)


class OneSavedView(_SavedView):
    """One of my saved views."""

    access = {"DELETE": LABELERS}

    @extend_schema(operation_id="forget_view", responses={204: None})
    def delete(self, request: Request, view_id: int) -> Response:
        get_object_or_404(self.seen(), pk=view_id, owner=self.person).delete()
        return Response(status=204)
