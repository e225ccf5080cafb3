"""The category tree."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.states import ADMINS, EVERYONE
from annotator.accounts.views import SiteView

from .. import queries, tree
from ..models import Category
from ..naming import pinyin_keys


class CategorySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    parent = serializers.IntegerField(allow_null=True)
    path = serializers.CharField()
    depth = serializers.IntegerField()
    sku_count = serializers.IntegerField()
    pinyin = serializers.CharField(help_text="Of the name, without tones or spaces.")
    initials = serializers.CharField(help_text="The first letters of its pinyin.")


class CategoriesSerializer(serializers.Serializer[Any]):
    results = CategorySerializer(many=True)


class CategoryChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=128, required=False)
    parent = serializers.IntegerField(
        required=False, allow_null=True, help_text="Null hangs it at the root."
    )


class NewCategorySerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField()
    name = serializers.CharField(max_length=128)
    parent = serializers.IntegerField(required=False, allow_null=True, default=None)


class RemoveCategoryQuery(serializers.Serializer[Any]):
    into = serializers.IntegerField(required=False, help_text="Where its SKUs go.")


class CategoriesView(SiteView):
    """The category tree, in path order."""

    access = {"GET": EVERYONE, "POST": ADMINS}

    @extend_schema(
        operation_id="categories", parameters=[SiteQuery], responses=CategoriesSerializer
    )
    def get(self, request: Request) -> Response:
        rows = queries.categories_of([site_of(self).pk])
        return Response({"results": [_category_json(row) for row in rows]})

    @extend_schema(
        operation_id="add_category",
        request=NewCategorySerializer,
        responses={201: CategorySerializer},
    )
    def post(self, request: Request) -> Response:
        form = NewCategorySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        site = get_object_or_404(self.sites, pk=data["site"])
        row = tree.add_category(
            site=site,
            name=data["name"],
            parent=_parent(self, site.pk, data["parent"]),
            actor=self.person,
        )
        return Response(_category_json(row), status=201)


class CategoryView(SiteView):
    """One category of the tree."""

    access = {"PATCH": ADMINS, "DELETE": ADMINS}

    @extend_schema(
        operation_id="change_category",
        request=CategoryChangeSerializer,
        responses=CategorySerializer,
    )
    def patch(self, request: Request, category_id: int) -> Response:
        category = self._category(category_id)
        form = CategoryChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        parent = category.parent
        if "parent" in data:
            parent = _parent(self, category.site_id, data["parent"])
        changed = tree.change_category(
            category=category,
            name=data.get("name", category.name),
            parent=parent,
            actor=self.person,
        )
        return Response(_category_json(changed))

    @extend_schema(
        operation_id="remove_category", parameters=[RemoveCategoryQuery], responses={204: None}
    )
    def delete(self, request: Request, category_id: int) -> Response:
        category = self._category(category_id)
        query = RemoveCategoryQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        into = _parent(self, category.site_id, query.validated_data.get("into"))
        tree.remove_category(category=category, into=into, actor=self.person)
        return Response(status=204)

    def _category(self, category_id: int) -> Category:
        rows = Category.objects.filter(site__in=self.sites).select_related("site", "parent")
        return get_object_or_404(rows, pk=category_id)


def _parent(view: SiteView, site_id: int, category_id: int | None) -> Category | None:
    if category_id is None:
        return None
    rows = Category.objects.filter(site__in=view.sites, site=site_id)
    return get_object_or_404(rows, pk=category_id)


_keys_of = lru_cache(maxsize=20_000)(pinyin_keys)


def _category_json(row: Category) -> dict[str, Any]:
    pinyin, initials = _keys_of(row.name)
    return {
        "id": row.pk,
        "name": row.name,
        "parent": row.parent_id,
        "path": row.path,
        "depth": row.path.count("/"),
        "sku_count": getattr(row, "sku_count", 0),
        "pinyin": pinyin,
        "initials": initials,
    }
