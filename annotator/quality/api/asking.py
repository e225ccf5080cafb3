"""What every request about a project's figures says: which project, since when, and which figure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers

from annotator.accounts.models import Project
from annotator.accounts.states import STAFF
from annotator.accounts.views import SiteView
from annotator.core.errors import FieldError, Invalid

from ..metrics import metric_of
from ..models import Dimension

BY = [d.value for d in Dimension if d != Dimension.ALL] + ["week"]
"""What a figure can be broken down by."""


class SinceQuery(serializers.Serializer[Any]):
    weeks = serializers.IntegerField(
        required=False, min_value=1, max_value=520, help_text="Of the last weeks only."
    )


class QualityOfProject(SiteView):
    """A view of one project's figures, for its staff."""

    access = {"GET": STAFF}

    def project(self, project_id: int) -> Project:
        return get_object_or_404(Project, pk=project_id, site__in=self.sites)

    def asked(self, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        query = form(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = dict(query.validated_data)
        asked["since"] = _since(asked.pop("weeks", None))
        if "metric" in asked:
            try:
                metric_of(asked["metric"])
            except LookupError as error:
                raise Invalid([FieldError("metric", "not_found")]) from error
        return asked


def _since(weeks: int | None) -> date | None:
    """The Monday with which the last ``weeks`` begin, this one included."""
    if weeks is None:
        return None
    today = timezone.localdate()
    return today - timedelta(days=today.weekday() + 7 * (weeks - 1))
