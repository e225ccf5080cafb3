"""The audit log of a site."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.core.models import AuditEntry
from annotator.core.paging import SitePageQuery, page_of, paged

from ..states import ADMINS
from ..views import SiteView


class AuditSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_null=True)
    action = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.IntegerField()
    data = serializers.DictField()


class AuditQuery(SitePageQuery):
    object_type = serializers.CharField(required=False)
    object_id = serializers.IntegerField(required=False)


class AuditView(SiteView):
    """The audit log of a site."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="audit", parameters=[AuditQuery], responses=paged(AuditSerializer))
    def get(self, request: Request) -> Response:
        query = AuditQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = AuditEntry.objects.filter(site_id__in=self.sites.values("pk")).select_related(
            "actor"
        )
        for name, column in (
            ("site", "site_id"),
            ("object_type", "object_type"),
            ("object_id", "object_id"),
        ):
            if name in query.validated_data:
                rows = rows.filter(**{column: query.validated_data[name]})
        return page_of(request, rows, lambda page: [audit_json(row) for row in page])


def audit_json(row: AuditEntry) -> dict[str, Any]:
    """One entry of the log."""
    return {
        "id": row.pk,
        "at": row.at,
        "actor": str(row.actor) if row.actor else None,
        "action": row.action,
        "object_type": row.object_type,
        "object_id": row.object_id,
        "data": row.data,
    }
