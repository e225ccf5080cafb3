"""Deny by default: a view answers only the operations that its ``access`` table lists."""

from __future__ import annotations

from typing import Any

from rest_framework import permissions
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request

from .models import ApiToken, User
from .queries import may_somewhere
from .states import Role

PUBLIC = "public"
SIGNED_IN = "signed-in"
Access = frozenset[Role] | str


class DenyUnlessListed(permissions.BasePermission):
    """Refuses every operation that is not listed, and everybody who lacks the listed role
    on at least one site. Which site is then settled by ``view.sites``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        access = getattr(view, "access", {}).get(request.method)
        if access is None:
            # What nobody may do at all is told apart from what this caller may not do.
            if not hasattr(view, (request.method or "").lower()):
                raise MethodNotAllowed(request.method or "")
            return False
        if access == PUBLIC:
            return True
        if not isinstance(request.user, User):
            return False
        if access == SIGNED_IN:
            return True
        return may_somewhere(request.user, access, token=token_of(request))


def token_of(request: Request) -> ApiToken | None:
    """The API token that the request came with, if any."""
    return request.auth if isinstance(request.auth, ApiToken) else None
