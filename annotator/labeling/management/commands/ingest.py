from __future__ import annotations

import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from django.db import transaction

from annotator.accounts.cli import SiteCommand
from annotator.accounts.models import Project
from annotator.captures.intake import Incoming, take_in_all
from annotator.captures.services import Taken, count
from annotator.captures.sources import archive, bucket
from annotator.captures.sources.folder import Watch, file_at, files_in, paths_in
from annotator.labeling.batches import batch_named
from annotator.labeling.models import Batch

MAX_REFUSED_SHOWN = 1000
TAKEN, REFUSED = ".taken", ".refused"


class Command(SiteCommand):
    help = (
        "Take in every file of a folder, a zip or an S3 prefix as photos to be labeled. "
        "Bad files are quarantined; running it again takes only what is new."
    )
    wants_project = True
    makes_site = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("source", help="a folder, a .zip file, or s3://bucket/prefix")
        parser.add_argument("--batch", metavar="NAME", help="the project's batch for new tasks")
        parser.add_argument("--cam-type", choices=["top", "front", "side"], default="")
        parser.add_argument("--endpoint-url", default="", help="of an S3 that is not Amazon's")
        parser.add_argument("--watch", action="store_true", help="go on taking in what arrives")
        parser.add_argument(
            "--move",
            action="store_true",
            help=f"with --watch: move files to {TAKEN} and {REFUSED} in the folder once dealt with",
        )
        parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS")
        parser.add_argument("--for", dest="limit_s", type=float, metavar="SECONDS")

    def run(self, **options: Any) -> Mapping[str, Any]:
        source: str = options["source"]
        self._counts: Counter[str] = Counter()
        self._refused: list[dict[str, Any]] = []
        self._batch: Batch | None = None
        if source.startswith("s3://"):
            name, _, prefix = source.removeprefix("s3://").partition("/")
            place = bucket.Bucket(name, prefix, endpoint_url=options["endpoint_url"])
            objects = bucket.objects_in(place, cam_type=options["cam_type"])
            # Asking for the first object says what is wrong before a site is made.
            objects = chain([o] if (o := next(objects, None)) else [], objects)
            return self._take(self._destination(options), objects, "s3", None)
        path = Path(source)
        if path.is_file():
            with path.open("rb") as file:
                members = archive.members_of(file, name=path.name, cam_type=options["cam_type"])
                total = archive.count_members(file)
                return self._take(self._destination(options), members, "zip", total)
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such folder")
        if not path.is_dir():
            raise NotADirectoryError(f"{path}: not a folder")
        project = self._destination(options)
        if options["watch"]:
            return self._watch(project, path, options)
        total = sum(1 for _ in paths_in(path))
        files = files_in(path, cam_type=options["cam_type"])
        return self._take(project, files, "folder", total)

    def _destination(self, options: Mapping[str, Any]) -> Project:
        """The project and its batch; no project is made for a batch that is not there."""
        with transaction.atomic():
            project = self.project(options)
            if options["batch"]:
                self._batch = batch_named(project, options["batch"])
        return project

    def _take(
        self, project: Project, files: Iterable[Incoming], source: str, total: int | None
    ) -> Mapping[str, Any]:
        tick = self.progress(total or 0, "ingest")
        self._take_all(project, files, source, lambda _: tick())
        return self._report(project)

    def _take_all(
        self,
        project: Project,
        files: Iterable[Incoming],
        source: str,
        tell: Callable[[Taken], None],
    ) -> None:
        lots = take_in_all(
            site=project.site,
            files=files,
            source=source,
            project=project,
            batch=self._batch.pk if self._batch else None,
        )
        for lot in lots:
            self._counts.update(count(lot))
            self._counts["files"] += len(lot)
            for taken in lot:
                if taken.quarantine is not None and len(self._refused) < MAX_REFUSED_SHOWN:
                    self._refused.append({"name": taken.name, **taken.to_json()["quarantine"]})
                tell(taken)

    def _watch(
        self, project: Project, folder: Path, options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        watch = Watch(folder)
        end = time.monotonic() + options["limit_s"] if options["limit_s"] else None

        def tell(taken: Taken) -> None:
            if options["verbosity"] > 1:
                self.stderr.write(f"{taken.name}: {taken.status}")
            if options["move"]:
                below = REFUSED if taken.status == "quarantined" else TAKEN
                watch.put_away(taken.about, below=below)

        try:
            while end is None or time.monotonic() < end:
                paths = watch.look()
                files = (file_at(p, root=folder, cam_type=options["cam_type"]) for p in paths)
                self._take_all(project, files, "watch", tell)
                time.sleep(options["every"])
        except KeyboardInterrupt:
            pass
        return self._report(project)

    def _report(self, project: Project) -> Mapping[str, Any]:
        keys = ("files", "created", "existing", "quarantined", "near_duplicates")
        return {
            "site": project.site.slug,
            "project": project.slug,
            **({"batch": self._batch.name} if self._batch else {}),
            **{key: self._counts[key] for key in keys},
            "refused": self._refused,
        }
