from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annotator.accounts.cli import SiteCommand
from annotator.datasets.export import write_folder
from annotator.review.queries import current_decisions


class Command(SiteCommand):
    help = "Write a project's decided captures as a data set into a new folder."
    wants_project = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("out", type=Path)

    def run(self, **options: Any) -> Mapping[str, Any]:
        project = self.project(options)
        decided = current_decisions([project.pk]).count()
        files = write_folder(project, options["out"], tick=self.progress(decided, "export"))
        return {"out": str(options["out"]), "decided_tasks": decided, "files": files}
