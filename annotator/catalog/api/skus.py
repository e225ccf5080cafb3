"""Browsing, editing, merging and completing SKUs."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.states import ADMINS, EVERYONE, LABELERS
from annotator.accounts.views import SiteView
from annotator.core.errors import FieldError, Invalid
from annotator.core.paging import SitePageQuery, page_of, paged
from annotator.media.queries import image_urls

from .. import queries, services
from ..models import ReferencePicture, Sku


class CategoryRefSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    path = serializers.CharField()


class PictureSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    thumb = serializers.CharField()
    display = serializers.CharField()


class SkuSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField(allow_blank=True)
    category = CategoryRefSerializer(allow_null=True)
    spec = serializers.CharField(allow_blank=True)
    unit = serializers.CharField(allow_blank=True)
    barcode = serializers.CharField(allow_blank=True)
    pack_text = serializers.CharField(allow_blank=True)
    sales_volume = serializers.FloatField()
    weight_g = serializers.FloatField(allow_null=True, help_text="Of one unit, in grams.")
    extra = serializers.DictField()
    active = serializers.BooleanField()
    merged_into = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField()
    pictures = PictureSerializer(many=True)


class SkuChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=256, required=False)
    brand = serializers.CharField(max_length=128, required=False, allow_blank=True)
    category = serializers.CharField(max_length=512, required=False, allow_blank=True)
    spec = serializers.CharField(max_length=128, required=False, allow_blank=True)
    unit = serializers.CharField(max_length=32, required=False, allow_blank=True)
    barcode = serializers.CharField(max_length=64, required=False, allow_blank=True)
    pack_text = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    sales_volume = serializers.FloatField(required=False, min_value=0)
    weight_g = serializers.FloatField(
        required=False, allow_null=True, help_text="Of one unit, in grams; more than 0."
    )
    active = serializers.BooleanField(required=False)
    version = serializers.IntegerField(required=False)


class NewSkuSerializer(SkuChangeSerializer):
    site = serializers.IntegerField()
    code = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=256)


class SkuQuery(SitePageQuery):
    search = serializers.CharField(required=False, allow_blank=True)
    category = serializers.IntegerField(required=False)
    active = serializers.BooleanField(required=False, allow_null=True, default=None)


class CompleteQuery(SiteQuery):
    q = serializers.CharField(allow_blank=True)
    limit = serializers.IntegerField(default=8, min_value=1, max_value=50)


class CompletionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    spec = serializers.CharField(allow_blank=True)
    unit = serializers.CharField(allow_blank=True)
    weight_g = serializers.FloatField(allow_null=True, help_text="Of one unit, in grams.")
    barcode = serializers.CharField(allow_blank=True)
    match = serializers.ChoiceField(
        ["code", "barcode", "name", "brand", "pinyin", "initials", "typo"]
    )
    thumb = serializers.CharField(allow_null=True)


class CompletionsSerializer(serializers.Serializer[Any]):
    results = CompletionSerializer(many=True)


class FileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


def sku_json(sku: Sku) -> dict[str, Any]:
    """A SKU with its category and pictures, which must be prefetched."""
    return {
        "id": sku.pk,
        "code": sku.code,
        "name": sku.name,
        "brand": sku.brand,
        "category": (
            {"id": sku.category.pk, "name": sku.category.name, "path": sku.category.path}
            if sku.category
            else None
        ),
        "spec": sku.spec,
        "unit": sku.unit,
        "barcode": sku.barcode,
        "pack_text": sku.pack_text,
        "sales_volume": sku.sales_volume,
        "weight_g": sku.weight_g,
        "extra": sku.extra,
        "active": sku.active,
        "merged_into": sku.merged_into_id,
        "version": sku.version,
        "pictures": [
            {
                "id": picture.pk,
                "thumb": image_urls(picture.image_id)["thumb"],
                "display": image_urls(picture.image_id)["display"],
            }
            for picture in sku.pictures.all()
        ],
    }


class SkusView(SiteView):
    """The SKUs of a site."""

    access = {"GET": LABELERS, "POST": ADMINS}

    @extend_schema(operation_id="skus", parameters=[SkuQuery], responses=paged(SkuSerializer))
    def get(self, request: Request) -> Response:
        query = SkuQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        data = query.validated_data
        rows = queries.skus_of(self.sites)
        sites = self.sites
        if "site" in data:
            rows, sites = rows.filter(site=data["site"]), sites.filter(pk=data["site"])
        if text := data.get("search", "").strip():
            rows = queries.search(rows, text, site_ids=sites.values_list("pk", flat=True))
        if data["active"] is not None:
            rows = rows.filter(active=data["active"])
        if "category" in data:
            paths = queries.categories_of(self.sites).filter(pk=data["category"])
            path = paths.values_list("path", flat=True).first() or ""
            rows = rows.filter(category__path=path) | rows.filter(
                category__path__startswith=f"{path}/"
            )
        return page_of(
            request, rows, lambda page: [sku_json(s) for s in page], ordering=("code", "id")
        )

    @extend_schema(
        operation_id="create_sku", request=NewSkuSerializer, responses={201: SkuSerializer}
    )
    def post(self, request: Request) -> Response:
        form = NewSkuSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        site = get_object_or_404(self.sites, pk=changes.pop("site"))
        changes.pop("version", None)
        sku = services.save_sku(site=site, changes=changes, actor=self.person)
        return Response(sku_json(queries.skus_of([site.pk]).get(pk=sku.pk)), status=201)


class SkuView(SiteView):
    """One SKU."""

    access = {"GET": LABELERS, "PATCH": ADMINS}

    @extend_schema(operation_id="sku", responses=SkuSerializer)
    def get(self, request: Request, sku_id: int) -> Response:
        return Response(sku_json(get_object_or_404(queries.skus_of(self.sites), pk=sku_id)))

    @extend_schema(operation_id="change_sku", request=SkuChangeSerializer, responses=SkuSerializer)
    def patch(self, request: Request, sku_id: int) -> Response:
        sku = get_object_or_404(queries.skus_of(self.sites).select_related("site"), pk=sku_id)
        form = SkuChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        version = changes.pop("version", None)
        services.save_sku(
            site=sku.site, sku=sku, changes=changes, actor=self.person, version=version
        )
        return Response(sku_json(queries.skus_of(self.sites).get(pk=sku_id)))


class PicturesView(SiteView):
    """Adding reference pictures."""

    access = {"POST": ADMINS}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="add_picture", request=FileSerializer, responses={201: SkuSerializer}
    )
    def post(self, request: Request, sku_id: int) -> Response:
        sku = get_object_or_404(queries.skus_of(self.sites).select_related("site"), pk=sku_id)
        services.add_picture(sku=sku, data=uploaded_file(request), actor=self.person)
        return Response(sku_json(queries.skus_of(self.sites).get(pk=sku_id)), status=201)


class PictureView(SiteView):
    """One reference picture."""

    access = {"DELETE": ADMINS}

    @extend_schema(operation_id="remove_picture", responses={204: None})
    def delete(self, request: Request, sku_id: int, picture_id: int) -> Response:
        rows = ReferencePicture.objects.filter(sku__site__in=self.sites).select_related("sku")
        reference = get_object_or_404(rows, pk=picture_id, sku=sku_id)
        services.remove_picture(reference=reference, actor=self.person)
        return Response(status=204)


class CompleteView(SiteView):
    """Completion of what an annotator types into the SKU field."""

    access = {"GET": EVERYONE}

    @extend_schema(
        operation_id="complete_sku", parameters=[CompleteQuery], responses=CompletionsSerializer
    )
    def get(self, request: Request) -> Response:
        query = CompleteQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        found = queries.complete(
            site_id=site_of(self).pk,
            text=query.validated_data["q"],
            limit=query.validated_data["limit"],
        )
        return Response({"results": [_completion_json(one) for one in found]})


def _completion_json(completion: queries.Completion) -> dict[str, Any]:
    sku = completion.sku
    return {
        "id": sku.pk,
        "code": sku.code,
        "name": sku.name,
        "brand": sku.brand,
        "category": sku.category.name if sku.category else "",
        "spec": sku.spec,
        "unit": sku.unit,
        "weight_g": sku.weight_g,
        "barcode": sku.barcode,
        "match": completion.match,
        "thumb": image_urls(completion.picture)["thumb"] if completion.picture else None,
    }


class MergeSerializer(serializers.Serializer[Any]):
    into = serializers.IntegerField()


class MergeView(SiteView):
    """Make a SKU a name of another one; what was decided keeps the code that people wrote."""

    access = {"POST": ADMINS}

    @extend_schema(operation_id="merge_sku", request=MergeSerializer, responses=SkuSerializer)
    def post(self, request: Request, sku_id: int) -> Response:
        source = get_object_or_404(Sku, pk=sku_id, site__in=self.sites)
        form = MergeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        target = get_object_or_404(
            Sku, pk=form.validated_data["into"], site__in=self.sites, site=source.site_id
        )
        services.merge_skus(source=source, target=target, actor=self.person)
        return Response(sku_json(queries.skus_of([source.site_id]).get(pk=target.pk)))


def uploaded_file(request: Request) -> bytes:
    file = request.FILES.get("file")
    if file is None:
        raise Invalid([FieldError("file", "required")])
    return bytes(file.read())
