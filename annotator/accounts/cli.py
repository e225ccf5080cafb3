"""The shape of every WareVision command: a site, a project, one JSON line for machines."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotator.core.errors import DomainError, FieldError, Invalid

from .models import Project, Site
from .services import ensure_project, ensure_site

DEFAULT_SLUG = "main"


class SiteCommand(BaseCommand):
    """A command about one site. ``run`` returns its result; with ``--json`` that is printed as one
    line, else ``say`` puts it in words. The exit status is 0 only on success."""

    wants_project = False
    makes_site = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="the site's slug; may be left out when there is one")
        if self.wants_project:
            parser.add_argument("--project", help="the project's slug, likewise")
        parser.add_argument("--json", action="store_true", help="print one JSON line")

    def handle(self, *args: Any, **options: Any) -> None:
        self._machine = options["json"]
        try:
            result = self.run(**options)
        except Invalid as error:
            lines = [f"{e['field']}: {e['message']}" for e in map(FieldError.to_json, error.errors)]
            raise CommandError("\n".join(lines)) from error
        except DomainError as error:
            raise CommandError(error.detail) from error
        except (FileNotFoundError, FileExistsError, NotADirectoryError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=str))
        else:
            self.say(result)

    def run(self, **options: Any) -> Mapping[str, Any]:
        """Do the work."""
        raise NotImplementedError

    def say(self, result: Mapping[str, Any]) -> None:
        """Tell a person of the result."""
        for key, value in result.items():
            if isinstance(value, list):
                self.stdout.write(f"{key}: {len(value)}")
                for item in value[:20]:
                    self.stdout.write(f"  {item}")
            else:
                self.stdout.write(f"{key}: {value}")

    def site(self, options: Mapping[str, Any]) -> Site:
        """The site that the options name, or the only one."""
        slug = options.get("site")
        if slug:
            if self.makes_site:
                site, created = ensure_site(slug=slug)
                if created:
                    self.stderr.write(f"Site {slug} is new; it was made.")
                return site
            found = Site.objects.filter(slug=slug).first()
            if found is None:
                raise CommandError(f"There is no site {slug!r}. Sites: {self._known(Site)}")
            return found
        sites = list(Site.objects.order_by("pk")[:2])
        if len(sites) == 1:
            return sites[0]
        if not sites and self.makes_site:
            return ensure_site(slug=DEFAULT_SLUG)[0]
        raise CommandError(f"Name a site with --site. Sites: {self._known(Site)}")

    def project(self, options: Mapping[str, Any]) -> Project:
        """The project that the options name, or the only one of the site."""
        site = self.site(options)
        slug = options.get("project")
        rows = Project.objects.filter(site=site).select_related("site")
        if slug:
            found = rows.filter(slug=slug).first()
            if found is not None:
                return found
            if self.makes_site:
                return ensure_project(site=site, slug=slug)[0]
            raise CommandError(f"Site {site.slug} has no project {slug!r}.")
        projects = list(rows.order_by("pk")[:2])
        if len(projects) == 1:
            return projects[0]
        if not projects and self.makes_site:
            return ensure_project(site=site, slug=DEFAULT_SLUG)[0]
        raise CommandError(f"Name a project of {site.slug} with --project.")

    def progress(self, total: int, label: str) -> Callable[..., None]:
        """A tick that moves a progress bar on a terminal, and is silent elsewhere."""
        quiet = self._machine or not sys.stderr.isatty()
        bar = tqdm(total=total, desc=label, unit="", disable=quiet, file=sys.stderr)

        def tick(n: int = 1) -> None:
            bar.update(n)

        return tick

    @staticmethod
    def _known(model: type[Site]) -> str:
        return (
            ", ".join(model.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        )
