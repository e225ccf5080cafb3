"""Reading a data set in: its catalog, its pictures, and its captions as decisions or as new tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from annotator.accounts.models import Project, User
from annotator.captures.intake import Incoming, take_in_all
from annotator.captures.models import CamType, Capture
from annotator.captures.services import Taken, count
from annotator.captures.sources.folder import file_at
from annotator.captures.weighing import grams, weigh
from annotator.catalog.importing import ImportReport, import_catalog
from annotator.catalog.table import read_table
from annotator.core.messages import text
from annotator.labeling.models import Task
from annotator.labeling.schemas import schema_of
from annotator.review.importing import Record, import_decisions
from inference.captions import Schema, parse, values_to_json

from . import layout

MAX_ERRORS_NAMED = 1000


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that was not taken over: where it stands and why."""

    file: str
    line: int
    message: str


@dataclass(slots=True)
class DatasetReport:
    """What an import did."""

    records: int = 0
    captures_created: int = 0
    captures_existing: int = 0
    decided: int = 0
    already_decided: int = 0
    tasks: int = 0
    quarantined: int = 0
    catalog: dict[str, Any] = field(default_factory=dict)
    failed: int = 0
    errors: list[BadRecord] = field(default_factory=list)

    def refuse(self, file: str, line: int, message: str) -> None:
        """Note a record that was not taken over; the first thousand are named."""
        self.failed += 1
        if len(self.errors) < MAX_ERRORS_NAMED:
            self.errors.append(BadRecord(file, line, message))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def import_dataset(
    *,
    root: Path,
    project: Project,
    splits: list[str] | None = None,
    as_decided: bool = True,
    with_catalog: bool = True,
    actor: User | None = None,
    tick: Callable[[], None] = lambda: None,
) -> DatasetReport:
    """Import the data set at ``root``, in batches, each committed by itself. Running it again, be
    it after a kill, takes only what is missing: pictures are known by their content before they are
    decoded. A bad record is reported and left out, its neighbours are kept."""
    report = DatasetReport()
    tasks_before = Task.objects.filter(project=project).count()
    if with_catalog and (root / layout.CATALOG).is_file():
        catalog = import_catalog_file(
            path=root / layout.CATALOG, root=root, project=project, actor=actor, skip_bad=True
        )
        report.catalog = catalog.to_json()
    files = [(split, root / layout.annotations_path(split)) for split in splits or layout.SPLITS]
    for _, path in files:
        if splits and not path.is_file():
            raise FileNotFoundError(path)
    batches = take_in_all(
        site=project.site,
        files=_pictures(root, files, report, tick),
        source="dataset",
        project=project,
        actor=actor,
        suggest=not as_decided,
    )
    for batch in batches:
        _count(batch, report, actor)
        if as_decided:
            _decide(batch, project, actor, report)
        for _ in batch:
            tick()
    if not as_decided:
        report.tasks = Task.objects.filter(project=project).count() - tasks_before
    report.errors.sort(key=lambda e: ([path.name for _, path in files].index(e.file), e.line))
    return report


def import_catalog_file(
    *,
    path: Path,
    root: Path,
    project: Project,
    actor: User | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
) -> ImportReport:
    """Import a catalog CSV with the reference pictures below ``root``."""
    return import_catalog(
        site=project.site,
        table=read_table(path.read_bytes()),
        actor=actor,
        dry_run=dry_run,
        skip_bad=skip_bad,
        read_picture=lambda name: layout.inside(root, name).read_bytes(),
    )


def count_records(root: Path, splits: list[str] | None) -> int:
    """How many records an import will read."""
    total = 0
    for split in splits or layout.SPLITS:
        path = root / layout.annotations_path(split)
        if path.is_file():
            with path.open("rb") as file:
                total += sum(1 for line in file if line.strip())
    return total


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except ValueError as error:  # broken JSON or bytes that are no UTF-8
                yield number, error


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a record stands, and what it says."""

    file: str
    line: int
    data: Mapping[str, Any]


def _pictures(
    root: Path,
    files: Sequence[tuple[str, Path]],
    report: DatasetReport,
    tick: Callable[[], None],
) -> Iterator[Incoming]:
    """The pictures of the records, each with its record; records without one are reported."""
    for split, path in files:
        if not path.is_file():
            continue
        for line, data in _lines(path):
            report.records += 1
            try:
                yield _picture(root, split, data, _Line(path.name, line, data))
            except (LookupError, PermissionError, ValueError) as error:
                report.refuse(path.name, line, _explain(error))
                tick()


def _picture(root: Path, split: str, data: Any, about: _Line) -> Incoming:
    if isinstance(data, Exception):
        raise ValueError(str(data))
    if not isinstance(data, Mapping) or not isinstance(data.get("image_path"), str):
        raise ValueError("image_path: a text is required")
    image_id = str(data.get("image_id") or Path(data["image_path"]).stem)
    cam_type = data.get("cam_type") or ""
    if cam_type and cam_type not in CamType.values:
        raise ValueError(f"cam_type: {cam_type!r} is none of {', '.join(CamType.values)}")
    path = layout.inside(root, data["image_path"])
    file = file_at(path, root=root.resolve(), cam_type=cam_type)
    return replace(
        file,
        name=data["image_path"],
        scene_key=str(data.get("scene_id") or image_id),
        image_id=image_id,
        split=split,
        weight_g=_weight(data),
        about=about,
    )


def _weight(data: Mapping[str, Any]) -> float | None:
    stated = data.get("weight_g")
    weight = grams(stated)
    if stated is not None and weight is None:
        raise ValueError(f"weight_g: {stated!r} is no weight in grams")
    return weight


def _count(batch: Sequence[Taken], report: DatasetReport, actor: User | None) -> None:
    fates = count(batch)
    report.captures_created += fates["created"]
    report.captures_existing += fates["existing"]
    report.quarantined += fates["quarantined"]
    for taken in batch:
        if taken.capture is None:
            place = taken.about
            report.refuse(place.file, place.line, taken.to_json()["quarantine"]["detail"])
    known = [t for t in batch if t.capture is not None and t.status == "existing"]
    told = {t.capture.pk: _weight(t.about.data) for t in known if t.capture is not None}
    if weights := {pk: weight for pk, weight in told.items() if weight is not None}:
        weigh(weights, actor=actor)


def _decide(
    batch: Sequence[Taken], project: Project, actor: User | None, report: DatasetReport
) -> None:
    """Take over what the records of a batch say of their captures."""
    schema = schema_of(project)
    records: list[Record] = []
    places: list[_Line] = []
    for taken in batch:
        if taken.capture is None:
            continue
        try:
            records.append(_record(taken.capture, taken.about.data, schema))
            places.append(taken.about)
        except ValueError as error:
            report.refuse(taken.about.file, taken.about.line, str(error))
    imported = import_decisions(project=project, records=records, actor=actor)
    report.decided += imported.decided
    report.already_decided += imported.already_decided
    for n, message in imported.errors.items():
        report.refuse(places[n].file, places[n].line, message)


def _record(capture: Capture, data: Mapping[str, Any], schema: Schema) -> Record:
    result = parse(str(data.get("caption", "")), schema)
    if not result.ok:
        raise ValueError("; ".join(f"caption: {error.message('en')}" for error in result.errors))
    boxes = data.get("boxes") or ([data["bbox"]] if data.get("bbox") else [])
    if not isinstance(boxes, list):
        raise ValueError(f"boxes: {boxes!r} is no list")
    given = data.get("attributes") or {}
    if not isinstance(given, Mapping):
        raise ValueError(f"attributes: {given!r} is no object")
    return Record(
        capture=capture,
        fields=values_to_json(result.values),
        boxes=[_box(box) for box in boxes],
        attributes={key: value for key, value in given.items() if key in layout.ATTRIBUTES},
    )


def _box(box: Any) -> dict[str, float]:
    if isinstance(box, Mapping):
        box = box.get("bbox") or [box.get(key) for key in ("x", "y", "w", "h")]
    if not isinstance(box, list) or len(box) != 4:
        raise ValueError(f"boxes: {box!r} is not [x, y, w, h]")
    if not all(isinstance(v, int | float) for v in box):
        raise ValueError(f"boxes: {box!r} are not all numbers")
    return dict(zip(("x", "y", "w", "h"), map(float, box), strict=True))


def _explain(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return text("outside_root", value=str(error))
    if isinstance(error, LookupError):
        return text("missing_picture", value=str(error))
    return str(error)
