from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotator.accounts.cli import SiteCommand
from annotator.datasets import services
from annotator.datasets.layout import SPLITS


class Command(SiteCommand):
    help = "Import a data set folder: its catalog, its pictures and captions. Safe to run again."
    wants_project = True
    makes_site = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path)
        parser.add_argument("--split", action="append", choices=SPLITS)
        parser.add_argument("--as", dest="kind", choices=["decided", "new"], default="decided")
        parser.add_argument("--no-catalog", action="store_true")

    def run(self, **options: Any) -> Mapping[str, Any]:
        root: Path = options["folder"]
        if not (root / "annotations").is_dir():
            raise FileNotFoundError(f"{root}: no data set here (annotations/ is missing)")
        total = services.count_records(root, options["split"])
        report = services.import_dataset(
            root=root,
            project=self.project(options),
            splits=options["split"],
            as_decided=options["kind"] == "decided",
            with_catalog=not options["no_catalog"],
            tick=self.progress(total, "import"),
        )
        if report.records and report.failed == report.records:
            first = report.errors[0]
            raise CommandError(
                f"No record could be taken over; the first: {first.file}:{first.line}: {first.message}"
            )
        return report.to_json()
