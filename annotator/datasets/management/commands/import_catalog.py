from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotator.accounts.cli import SiteCommand
from annotator.catalog.importing import check_mirror, error_lines, import_catalog
from annotator.catalog.table import read_table
from annotator.datasets.layout import inside


class Command(SiteCommand):
    help = "Import a catalog, CSV or XLSX. Reference pictures are looked up below --root."
    makes_site = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("csv", type=Path)
        parser.add_argument(
            "--root", type=Path, help="where reference_image paths start (default: guessed)"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--skip-bad", action="store_true", help="leave bad rows out")

        parser.add_argument(
            "--mirror", action="store_true", help="deactivate SKUs that the file does not name"
        )

    def run(self, **options: Any) -> Mapping[str, Any]:
        path: Path = options["csv"]
        if not path.is_file():
            raise FileNotFoundError(f"{path}: there is no such file")
        root = options["root"] or self._root_of(path)
        table = read_table(path.read_bytes())
        if not options["dry_run"]:
            check_mirror(table, mirror=options["mirror"])
        report = import_catalog(
            site=self.site(options),
            table=table,
            dry_run=options["dry_run"],
            skip_bad=options["skip_bad"],
            mirror=options["mirror"],
            tick=self.progress(len(table.rows), "import"),
            read_picture=lambda name: inside(root, name).read_bytes(),
        )
        if report.errors and not options["dry_run"] and not options["skip_bad"]:
            lines = list(error_lines(report))
            more = f"\n… and {len(lines) - 20} more" if len(lines) > 20 else ""
            raise CommandError(
                f"{path}: nothing was imported, {len(lines)} errors (--skip-bad leaves them out):\n"
                + "\n".join(lines[:20])
                + more
            )
        return report.to_json()

    @staticmethod
    def _root_of(path: Path) -> Path:
        """The data set's root when the CSV lies in its metadata folder, else the CSV's own folder."""
        parent = path.resolve().parent
        return parent.parent if parent.name == "metadata" else parent
