"""What an annotator is handed: categories and languages, set by admins."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.api.members import LimitsSerializer, limits_json
from annotator.accounts.models import Membership
from annotator.accounts.states import ADMINS, Role
from annotator.accounts.views import SiteView

from .. import services


class LimitsView(SiteView):
    """The limits of one annotator of a site."""

    access = {"GET": ADMINS, "PUT": ADMINS}

    def membership(self, user_id: int) -> Membership:
        rows = Membership.objects.filter(site=site_of(self), role=Role.ANNOTATOR)
        return get_object_or_404(rows, user=user_id)

    @extend_schema(operation_id="limits", parameters=[SiteQuery], responses=LimitsSerializer)
    def get(self, request: Request, user_id: int) -> Response:
        return Response(limits_json(self.membership(user_id)))

    @extend_schema(
        operation_id="change_limits",
        parameters=[SiteQuery],
        request=LimitsSerializer,
        responses=LimitsSerializer,
    )
    def put(self, request: Request, user_id: int) -> Response:
        membership = self.membership(user_id)
        form = LimitsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changed = services.limit_annotator(
            membership=membership, actor=self.person, **form.validated_data
        )
        return Response(limits_json(changed))
