"""The API tokens of a site."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .. import services
from ..models import ApiToken
from ..states import ADMINS
from ..views import SiteView
from . import SiteQuery, site_of


class TokenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    user = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    token = serializers.CharField(required=False, help_text="Shown once, when it is made.")


class NewTokenSerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField()
    name = serializers.CharField(max_length=64)


class TokensView(SiteView):
    """The API tokens of a site."""

    access = {"GET": ADMINS, "POST": ADMINS}

    @extend_schema(
        operation_id="tokens", parameters=[SiteQuery], responses=TokenSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        rows = ApiToken.objects.filter(site=site_of(self), revoked_at=None)
        return Response([_token_json(row) for row in rows.select_related("user").order_by("-id")])

    @extend_schema(
        operation_id="create_token", request=NewTokenSerializer, responses={201: TokenSerializer}
    )
    def post(self, request: Request) -> Response:
        form = NewTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        site = get_object_or_404(self.sites, pk=form.validated_data["site"])
        token, secret = services.create_token(
            site=site, name=form.validated_data["name"], actor=self.person
        )
        return Response({**_token_json(token), "token": secret}, status=201)


class TokenView(SiteView):
    """One API token."""

    access = {"DELETE": ADMINS}

    @extend_schema(operation_id="revoke_token", responses={204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        token = get_object_or_404(ApiToken, pk=token_id, site__in=self.sites)
        services.revoke_token(token=token, actor=self.person)
        return Response(status=204)


def _token_json(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "user": str(token.user),
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
    }
