from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from annotator.accounts.cli import SiteCommand
from annotator.accounts.models import Site
from annotator.labeling import rollout
from annotator.modelhub import services
from annotator.modelhub.models import ModelVersion
from annotator.modelhub.queries import find_version, live_of
from inference.contracts import RecognizerError


class Command(SiteCommand):
    help = (
        "Make a model version the site's champion: the recognizer loads it beside the former one and looks at what "
        "waits, then it takes its place. Where no recognizer answers, it is promoted unprepared."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "version", help="v3, 3, the beginning of a digest, or with --import a folder"
        )
        parser.add_argument(
            "--import", dest="take", action="store_true", help="register the folder VERSION first"
        )
        parser.add_argument("--reason", default="", help="why, for the log")

    def run(self, **options: Any) -> Mapping[str, Any]:
        site = self.site(options)
        if options["take"]:
            version = _imported(site, Path(options["version"]))
        else:
            version = find_version(site, options["version"])
        services.check_intact(version)
        before = live_of(site)
        started = time.monotonic()
        ticks: list[Callable[..., None]] = []
        try:
            seen: int | None = rollout.prepare(
                version,
                begin=lambda total: ticks.append(self.progress(total, "prepare")),
                tick=lambda n: ticks[0](n),
            )
        except RecognizerError as error:
            self.stderr.write(f"No recognizer answers, so nothing was prepared: {error}")
            seen = None
        prepared = time.monotonic()
        live = services.promote(
            version,
            by=None,
            reason=options["reason"],
            revision=before.revision if before else None,
        )
        return {
            "site": site.slug,
            "version": version.name,
            "digest": version.digest,
            "previous": live.previous.name if live.previous else None,
            "revision": live.revision,
            "prepared": seen is not None,
            "seen": seen or 0,
            "prepare_seconds": round(prepared - started, 2),
            "seconds": round(time.monotonic() - prepared, 3),
        }


def _imported(site: Site, folder: Path) -> ModelVersion:
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    try:
        report = json.loads((folder / "report.json").read_text("utf-8"))
    except (OSError, ValueError):
        report = {}
    source = ModelVersion.Source.IMPORTED
    return services.register(site, folder, report=report, source=source, notes=str(folder.name))
