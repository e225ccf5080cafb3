from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.accounts.cli import SiteCommand
from annotator.suggestions import memory
from annotator.suggestions.models import SiteMemory


class Command(SiteCommand):
    help = "Write anew what the recognizer knows of a site, index included, from the database."

    def run(self, **options: Any) -> Mapping[str, Any]:
        site = self.site(options)
        SiteMemory.objects.get_or_create(site=site)
        return {"site": site.slug, "number": memory.rebuild(site.pk)}
