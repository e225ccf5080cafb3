from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db.models import Count

from annotator.accounts.cli import SiteCommand
from annotator.captures.models import Capture
from annotator.core import outbox
from annotator.suggestions import recognizer, services
from annotator.suggestions.models import CaptureSuggestion


class Command(SiteCommand):
    help = (
        "See every waiting picture through: teach the recognizer what is new, and store a suggestion "
        "for each capture without one. Works beside running workers, and on its own: where no "
        "recognizer answers, one is loaded in this process."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--timeout", type=float, default=3600, help="seconds to wait at most")

    def run(self, **options: Any) -> Mapping[str, Any]:
        site = self.site(options)
        if not recognizer.get_recognizer().ready():
            self.stderr.write("No recognizer answers; loading one here.")
            settings.RECOGNIZER = "inference.local.LocalRecognizer"
            settings.RECOGNIZER_OPTIONS = {
                "sites_dir": settings.SITES_DIR,
                "models_dir": settings.MODELS_DIR,
                "model": settings.MODEL or None,
            }
            recognizer.forget_recognizer()
        started = time.monotonic()
        asked = services.ask_again(site=site)
        tick = self.progress(asked, "suggest")
        while (waiting := outbox.waiting()) > 0:
            if time.monotonic() - started > options["timeout"]:
                raise CommandError(f"{waiting} pieces of work are still waiting; run it again.")
            handled = sum(outbox.drain(queue, limit=1) for queue in ("urgent", "normal"))
            for _ in range(handled):
                tick()
            if not handled:
                time.sleep(0.2)
        states = dict(
            CaptureSuggestion.objects.filter(capture__site=site)
            .order_by()
            .values_list("state")
            .annotate(n=Count("pk"))
        )
        return {
            "site": site.slug,
            "captures": Capture.objects.filter(site=site).count(),
            "asked": asked,
            "done": states.get("done", 0),
            "failed": states.get("failed", 0),
            "seconds": round(time.monotonic() - started, 1),
        }
