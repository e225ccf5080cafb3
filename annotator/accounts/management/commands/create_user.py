from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from annotator.accounts import services
from annotator.accounts.cli import SiteCommand
from annotator.accounts.states import Role


class Command(SiteCommand):
    help = (
        "Create a person, with roles on a site. Prints the password, which is random unless given."
    )
    makes_site = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username")
        parser.add_argument("--role", action="append", choices=Role.values, default=[])
        parser.add_argument("--password", help="at least 10 characters; random when left out")
        parser.add_argument("--name", default="", help="the name shown to others")
        parser.add_argument("--superuser", action="store_true", help="every role on every site")

    def run(self, **options: Any) -> Mapping[str, Any]:
        roles = [Role(role) for role in options["role"]]
        site = self.site(options) if roles or options["site"] else None
        user, password = services.create_user(
            username=options["username"],
            password=options["password"],
            display_name=options["name"],
            superuser=options["superuser"],
        )
        if site is not None:
            services.grant_roles(user=user, site=site, roles=roles)
        return {
            "id": user.pk,
            "username": user.username,
            "password": password,
            "site": site.slug if site else None,
            "roles": [role.value for role in roles],
        }
