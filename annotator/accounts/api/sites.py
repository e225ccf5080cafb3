"""The settings of a site."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .. import services
from ..models import Site
from ..states import ADMINS
from ..views import SiteView


class SiteSettingsSerializer(serializers.Serializer[Any]):
    keep_answers = serializers.ChoiceField(
        Site.Keep.choices,
        help_text="What is kept of the machine API's answers; `pictures`: with their pictures.",
    )
    keep_days = serializers.IntegerField(
        min_value=0, max_value=3650, help_text="For how long; 0: for good."
    )


class SiteSettingsView(SiteView):
    """The settings of a site."""

    access = {"GET": ADMINS, "PATCH": ADMINS}

    @extend_schema(operation_id="site_settings", responses=SiteSettingsSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        return Response(_site_settings_json(get_object_or_404(self.sites, pk=site_id)))

    @extend_schema(
        operation_id="change_site_settings",
        request=SiteSettingsSerializer(partial=True),
        responses=SiteSettingsSerializer,
    )
    def patch(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        form = SiteSettingsSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        site = services.change_site(site=site, changes=form.validated_data, actor=self.person)
        return Response(_site_settings_json(site))


def _site_settings_json(site: Site) -> dict[str, Any]:
    return {"keep_answers": site.keep_answers, "keep_days": site.keep_days}
