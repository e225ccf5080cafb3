"""The base of every REST view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.views import APIView

from .models import Site
from .permissions import Access, token_of
from .queries import sites_where
from .states import Role


class SiteView(APIView):
    """A view whose objects belong to sites. ``access`` maps each method to the roles that may
    use it; ``sites`` are those on which the caller holds one of them: filter everything by it."""

    access: ClassVar[Mapping[str, Access]] = {}

    @property
    def sites(self) -> QuerySet[Site]:
        access = self.access[self.request.method or ""]
        roles = frozenset(Role) if isinstance(access, str) else access
        return sites_where(self.request.user, roles, token=token_of(self.request))

    @property
    def person(self) -> Any:
        """The authenticated caller."""
        return self.request.user
