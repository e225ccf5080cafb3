from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from annotator.accounts.cli import SiteCommand
from annotator.modelhub import services


class Command(SiteCommand):
    help = "Make the site's former model the champion again; once more, the one before that."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="why, for the log")

    def run(self, **options: Any) -> Mapping[str, Any]:
        site = self.site(options)
        started = time.monotonic()
        live = services.rollback(site, by=None, reason=options["reason"])
        return {
            "site": site.slug,
            "version": live.champion.name if live.champion else None,
            "digest": live.champion.digest if live.champion else None,
            "revision": live.revision,
            "steps_left": live.steps,
            "seconds": round(time.monotonic() - started, 3),
        }
