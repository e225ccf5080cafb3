"""Who may see what: the one place where sites are scoped."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from .models import ApiToken, Membership, Project, Site, User
from .states import Role


def sites_where(
    user: Any, roles: Collection[Role], *, token: ApiToken | None = None
) -> QuerySet[Site]:
    """The sites on which ``user`` holds any of ``roles``. A token narrows this to its own site;
    a superuser holds every role everywhere."""
    if not isinstance(user, User) or not user.is_active:
        return Site.objects.none()
    sites = Site.objects.all()
    if not user.is_superuser:
        sites = sites.filter(
            pk__in=Membership.objects.filter(user=user, role__in=list(roles)).values("site_id")
        )
    if token is not None:
        sites = sites.filter(pk=token.site_id)
    return sites


def roles_on(user: User, site_id: int) -> frozenset[Role]:
    """The roles of ``user`` on a site."""
    if user.is_superuser:
        return frozenset(Role)
    return frozenset(
        Role(role)
        for role in Membership.objects.filter(user=user, site_id=site_id).values_list(
            "role", flat=True
        )
    )


def roles_by_site(user: User) -> dict[int, tuple[Site, list[str]]]:
    """Every site of ``user`` with the roles held there, in one query."""
    if user.is_superuser:
        return {site.pk: (site, [r.value for r in Role]) for site in Site.objects.order_by("slug")}
    found: dict[int, tuple[Site, list[str]]] = {}
    for membership in user.memberships.select_related("site").order_by("site__slug", "role"):
        found.setdefault(membership.site_id, (membership.site, []))[1].append(membership.role)
    return found


def projects_on(sites: QuerySet[Site]) -> QuerySet[Project]:
    """The projects of ``sites``, with their site."""
    return Project.objects.filter(site__in=sites).select_related("site").order_by("site_id", "pk")
