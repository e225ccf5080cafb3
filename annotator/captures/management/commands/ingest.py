from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annotator.accounts.cli import SiteCommand
from annotator.captures.services import take_in


class Command(SiteCommand):
    help = "Take in every file below a folder as photos to be labeled. Bad files are quarantined."
    wants_project = True
    makes_site = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path)
        parser.add_argument("--cam-type", choices=["top", "front", "side"], default="")

    def run(self, **options: Any) -> Mapping[str, Any]:
        folder: Path = options["folder"]
        if not folder.exists():
            raise FileNotFoundError(f"{folder}: there is no such folder")
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: not a folder")
        project = self.project(options)
        files = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )
        tick = self.progress(len(files), "ingest")
        counts: Counter[str] = Counter()
        refused = []
        for path in files:
            taken = take_in(
                site=project.site,
                name=str(path.relative_to(folder)),
                data=path.read_bytes(),
                source="folder",
                project=project,
                cam_type=options["cam_type"],
            )
            counts[taken.status] += 1
            if taken.capture is not None and taken.capture.duplicate_of_id:
                counts["near_duplicates"] += 1
            if taken.quarantine is not None:
                reason = taken.to_json()["quarantine"]
                refused.append({"name": taken.name, **reason})
            tick()
        return {
            "site": project.site.slug,
            "project": project.slug,
            "files": len(files),
            "created": counts["created"],
            "existing": counts["existing"],
            "quarantined": counts["quarantined"],
            "near_duplicates": counts["near_duplicates"],
            "refused": refused,
        }
