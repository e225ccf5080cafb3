from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from annotator.accounts import services
from annotator.accounts.cli import SiteCommand
from annotator.accounts.models import User


class Command(SiteCommand):
    help = (
        "Create an API token for a site. With --user it acts as that person there; without, it may "
        "only call the recognition API. The token is shown this once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--user", help="the user name that the token acts as")
        parser.add_argument("--name", default="token", help="what the token is for")

    def run(self, **options: Any) -> Mapping[str, Any]:
        site = self.site(options)
        user = None
        if options["user"]:
            user = User.objects.filter(username=options["user"], is_active=True).first()
            if user is None:
                raise CommandError(f"There is no user {options['user']!r}.")
        token, secret = services.create_token(site=site, name=options["name"], user=user)
        return {
            "id": token.pk,
            "token": secret,
            "site": site.slug,
            "user": token.user.username,
            "name": token.name,
        }
