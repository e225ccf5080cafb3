"""Who answers for whom. Each rule raises and says why."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from annotator.core.errors import Conflict, Forbidden

from .models import Membership, Site, User
from .states import Role


def check_has_admin(site: Site) -> None:
    """Raise when nobody could administer ``site`` any more."""
    admins = Membership.objects.filter(site=site, role=Role.ADMIN, user__is_active=True)
    if not admins.exists():
        raise Conflict("last_admin")


def answered_for_elsewhere(users: QuerySet[Any], actor: User) -> set[int]:
    """Those of ``users`` (ids) who work on a site that ``actor`` does not administer."""
    own = Membership.objects.filter(user=actor, role=Role.ADMIN).values("site")
    rows = Membership.objects.filter(user__in=users).exclude(site__in=own)
    return set(rows.values_list("user", flat=True))


def check_manages_account(actor: User, user: User) -> None:
    """Raise unless ``actor`` administers every site of ``user``: whoever could set the password of
    somebody who works elsewhere could act there in their name."""
    if actor.is_superuser:
        return
    people = User.objects.filter(pk=user.pk).values("pk")
    if user.is_superuser or user.is_service or answered_for_elsewhere(people, actor):
        raise Forbidden("works_elsewhere")
