"""Who may see what: the one place where sites are scoped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from django.db.models import Model, OuterRef, QuerySet

from annotator.core.rows import Rows
from annotator.core.statements import Statement

from .models import ApiToken, Membership, Project, Site, User
from .states import Role

M = TypeVar("M", bound=Model)


def with_roles(rows: QuerySet[M], **memberships: Any) -> QuerySet[Any]:
    """``rows`` with the memberships that match them, for :func:`hold_roles`: the person and what
    they may do come in one statement."""
    return rows.annotate(
        held_rows=Rows(Membership.objects.filter(**memberships), site="site_id", role="role")
    )


def hold_roles(user: User, row: Any) -> User:
    """``user`` with the roles that ``row``, of :func:`with_roles`, brought along."""
    held: dict[int, set[Role]] = {}
    for entry in row.held_rows:
        held.setdefault(entry["site"], set()).add(Role(entry["role"]))
    user.held = {site: frozenset(roles) for site, roles in held.items()}
    return user


def user_with_roles(user_id: Any) -> User | None:
    """A person with their roles."""
    found = _USER(pk=int(user_id))
    return hold_roles(found[0], found[0]) if found else None


def valid_token(digest: str) -> ApiToken | None:
    """The token of this digest that was not revoked, its person with their roles on its site."""
    found = _TOKEN(digest=digest)
    if not found:
        return None
    hold_roles(found[0].user, found[0])
    return found[0]


_USER: Statement[User] = Statement(
    lambda pk: with_roles(User.objects.filter(pk=pk), user=OuterRef("pk"))
)
_TOKEN: Statement[ApiToken] = Statement(
    lambda digest: with_roles(
        ApiToken.objects.select_related("user").filter(
            digest=digest, revoked_at=None, user__is_active=True
        ),
        user=OuterRef("user"),
        site=OuterRef("site"),
    )
)


def may_somewhere(user: User, roles: Collection[Role], *, token: ApiToken | None = None) -> bool:
    """Whether ``user`` holds any of ``roles`` on any site."""
    if user.is_active and not user.is_superuser and user.held is not None:
        return any(not held.isdisjoint(roles) for held in user.held.values())
    return sites_where(user, roles, token=token).exists()


def sites_where(
    user: Any, roles: Collection[Role], *, token: ApiToken | None = None
) -> QuerySet[Site]:
    """The sites on which ``user`` holds any of ``roles``. A token narrows this to its own site;
    a superuser holds every role everywhere."""
    if not isinstance(user, User) or not user.is_active:
        return Site.objects.none()
    sites = Site.objects.all()
    if user.held is not None and not user.is_superuser:
        sites = sites.filter(pk__in=_held_where(user.held, roles))
    elif not user.is_superuser:
        sites = sites.filter(
            pk__in=Membership.objects.filter(user=user, role__in=list(roles)).values("site_id")
        )
    if token is not None:
        sites = sites.filter(pk=token.site_id)
    return sites


def site_ids_where(user: User, roles: Collection[Role]) -> Collection[int] | QuerySet[Site]:
    """The same as ids, where they are known already; for statements that run all the time."""
    if user.held is None or user.is_superuser:
        return sites_where(user, roles)
    return _held_where(user.held, roles)


def _held_where(held: Mapping[int, frozenset[Role]], roles: Collection[Role]) -> list[int]:
    return [site for site, here in held.items() if not here.isdisjoint(roles)]


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
