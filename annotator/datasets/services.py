"""Reading a data set in: its catalog, its pictures, and its captions as decisions or as new tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from annotator.accounts.models import Project, User
from annotator.captures.models import CamType, Capture
from annotator.captures.services import take_in
from annotator.catalog.services import ImportReport, import_catalog
from annotator.catalog.table import read_csv
from annotator.core.errors import DomainError
from annotator.core.messages import text
from annotator.labeling.models import Task
from annotator.labeling.schemas import schema_of
from annotator.labeling.services import check_for_task
from annotator.labeling.states import TaskState
from annotator.review.services import import_decision
from inference.captions import parse, values_to_json

from . import layout


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
    errors: list[BadRecord] = field(default_factory=list)

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
    """Import the data set at ``root``. Running it again changes nothing that is there already; a
    bad record is reported and left out, its neighbours are kept."""
    report = DatasetReport()
    tasks_before = Task.objects.filter(project=project).count()
    if with_catalog and (root / layout.CATALOG).is_file():
        catalog = import_catalog_file(
            path=root / layout.CATALOG, root=root, project=project, actor=actor, skip_bad=True
        )
        report.catalog = catalog.to_json()
    for split in splits or list(layout.SPLITS):
        path = root / layout.annotations_path(split)
        if not path.is_file():
            if splits:
                raise FileNotFoundError(path)
            continue
        for line, data in _lines(path):
            report.records += 1
            try:
                _take_record(root, project, split, data, as_decided, actor, report)
            except (DomainError, LookupError, PermissionError, ValueError) as error:
                message = _explain(error)
                report.errors.append(BadRecord(path.name, line, message))
            tick()
    if not as_decided:
        report.tasks = Task.objects.filter(project=project).count() - tasks_before
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
        table=read_csv(path.read_bytes()),
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


def _take_record(
    root: Path,
    project: Project,
    split: str,
    data: Any,
    as_decided: bool,
    actor: User | None,
    report: DatasetReport,
) -> None:
    if isinstance(data, Exception):
        raise ValueError(str(data))
    if not isinstance(data, Mapping) or not isinstance(data.get("image_path"), str):
        raise ValueError("image_path: a text is required")
    image_id = str(data.get("image_id") or Path(data["image_path"]).stem)
    cam_type = data.get("cam_type") or ""
    if cam_type and cam_type not in CamType.values:
        raise ValueError(f"cam_type: {cam_type!r} is none of {', '.join(CamType.values)}")
    picture = layout.inside(root, data["image_path"]).read_bytes()
    taken = take_in(
        site=project.site,
        name=data["image_path"],
        data=picture,
        source="dataset",
        project=project,
        actor=actor,
        cam_type=cam_type,
        scene_key=str(data.get("scene_id") or image_id),
        image_id=image_id,
        split=split,
        suggest=not as_decided,
    )
    if taken.capture is None:
        report.quarantined += 1
        raise ValueError(taken.to_json()["quarantine"]["detail"])
    if taken.status == "created":
        report.captures_created += 1
    else:
        report.captures_existing += 1
    if as_decided:
        _take_decision(project, taken.capture, data, actor, report)


def _take_decision(
    project: Project,
    capture: Capture,
    data: Mapping[str, Any],
    actor: User | None,
    report: DatasetReport,
) -> None:
    schema = schema_of(project)
    result = parse(str(data.get("caption", "")), schema)
    if not result.ok:
        raise ValueError("; ".join(f"caption: {error.message('en')}" for error in result.errors))
    boxes = data.get("boxes") or ([data["bbox"]] if data.get("bbox") else [])
    if not isinstance(boxes, list):
        raise ValueError(f"boxes: {boxes!r} is no list")
    given = data.get("attributes") or {}
    if not isinstance(given, Mapping):
        raise ValueError(f"attributes: {given!r} is no object")
    attributes = {key: value for key, value in given.items() if key in layout.ATTRIBUTES}
    with transaction.atomic():
        task = Task.objects.select_related("project").get(project=project, scene=capture.scene_id)
        answer = check_for_task(
            task,
            fields=values_to_json(result.values),
            boxes=[{"capture": capture.pk, **_box(box)} for box in boxes],
            attributes=attributes,
        )
        if task.state == TaskState.DECIDED:
            _add_view(task, capture, answer.boxes, report)
            return
        import_decision(task=task.pk, answer=answer, actor=actor)
    report.decided += 1


def _add_view(
    task: Task, capture: Capture, boxes: list[dict[str, Any]], report: DatasetReport
) -> None:
    """A further view of a scene that is decided already adds its boxes."""
    decision = task.decisions.select_for_update().get(superseded_at=None)
    if boxes and not any(box["capture"] == capture.pk for box in decision.boxes):
        decision.boxes = [*decision.boxes, *boxes]
        decision.save(update_fields=["boxes"])
    report.already_decided += 1


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
