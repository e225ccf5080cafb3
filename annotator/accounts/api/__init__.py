"""A site as every page shows it, and which site or project a request means."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from annotator.core.errors import FieldError, Invalid

from ..models import Project, Site
from ..queries import projects_on
from ..views import SiteView


class SiteQuery(serializers.Serializer[Any]):
    site = serializers.IntegerField(required=False)


class SiteSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()


def site_json(site: Site) -> dict[str, Any]:
    """A site, shortly."""
    return {"id": site.pk, "slug": site.slug, "name": site.name}


def site_of(view: SiteView) -> Site:
    """The site that ``?site=`` names; the only one when there is one."""
    query = SiteQuery(data=view.request.query_params)
    query.is_valid(raise_exception=True)
    wanted = query.validated_data.get("site")
    if wanted is not None:
        return get_object_or_404(view.sites, pk=wanted)
    sites = list(view.sites[:2])
    if len(sites) != 1:
        raise Invalid([FieldError("site", "required")])
    return sites[0]


def project_of(view: SiteView, wanted: int | None) -> Project:
    """The project ``wanted``; the only one of the caller's sites when none is named."""
    projects = projects_on(view.sites)
    if wanted is not None:
        return get_object_or_404(projects, pk=wanted)
    found = list(projects[:2])
    if len(found) != 1:
        raise Invalid([FieldError("project", "required")])
    return found[0]
