from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annotator.accounts.cli import SiteCommand
from annotator.datasets.copying import copy_snapshot, write_imagefolder
from annotator.datasets.snapshots import SETTINGS, folder_of, make, new_snapshot
from annotator.datasets.states import Weighting
from annotator.review.queries import current_decisions


class Command(SiteCommand):
    help = "Freeze a project's decided captions as a hashed data set below WAREVISION_HOME."
    wants_project = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, help="also put it into this new folder")
        parser.add_argument(
            "--huggingface", type=Path, help="also write it for load_dataset('imagefolder')"
        )
        parser.add_argument("--seed", type=int)
        parser.add_argument("--val", type=float, help="the share held out for validation (0.1)")
        parser.add_argument("--test", type=float, help="the share held out for tests (0.1)")
        parser.add_argument("--tail-share", type=float, help="the rarer SKUs' least weight (0.15)")
        parser.add_argument("--annotator-cap", type=float, help="one annotator's most weight (0.5)")
        parser.add_argument("--weighting", choices=Weighting.values)
        parser.add_argument("--licence")

    def run(self, **options: Any) -> Mapping[str, Any]:
        project = self.project(options)
        for out in (options["out"], options["huggingface"]):
            if out is not None and out.exists() and any(out.iterdir()):
                raise FileExistsError(f"{out} is not empty; name a new folder")
        given = {name: options[name] for name in (*SETTINGS, "licence")}
        chosen = {name: value for name, value in given.items() if value is not None}
        snapshot = new_snapshot(project=project, filters={}, actor=None, **chosen)
        decided = current_decisions([project.pk]).count()
        make(snapshot, tick=self.progress(2 * decided, "snapshot"))
        folder = folder_of(snapshot)
        if options["out"] is not None:
            copy_snapshot(folder, options["out"])
        if options["huggingface"] is not None:
            write_imagefolder(folder, options["huggingface"])
        return {
            "snapshot": snapshot.pk,
            "path": str(folder),
            "sha256": snapshot.sha256,
            **snapshot.counts,
        }
