"""Gold tasks whose answers are known from elsewhere: a list of photos and captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from annotator.accounts.models import Project, User
from annotator.captures.models import Capture
from annotator.captures.queries import captures_called
from annotator.core import audit
from annotator.core.lists import ListRow, RowError, read_list, row_error
from annotator.labeling.models import Task
from annotator.labeling.schemas import schema_of
from annotator.labeling.states import ORDINARY, TaskState
from inference.captions import Schema, format_caption, parse, values_to_json

from . import spotting
from .importing import Record, import_decisions
from .models import Decision

COLUMNS = ("image_id", "caption")


@dataclass(slots=True)
class GoldReport:
    """What a list made: how many gold tasks, how many of their photos it decided. With errors nothing."""

    made: int = 0
    decided: int = 0
    errors: list[RowError] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Known:
    """A good row: the photo, the task of its scene, the caption in canonical form."""

    row: ListRow
    capture: Capture
    task: Task
    fields: Mapping[str, Any]
    caption: str


def import_gold(*, project: Project, data: bytes, actor: User) -> GoldReport:
    """Take a CSV or a JSON list of ``image_id, caption``: what is not decided yet is decided so, and
    annotators are measured by it. A caption that is not what stands is refused, as is the photo of a
    task that somebody works on."""
    table = read_list(data, COLUMNS)
    report = GoldReport(errors=list(table.errors))
    with transaction.atomic():
        known = _known(project, table.rows, report)
        open_ones = [one for one in known if one.task.state != TaskState.DECIDED]
        records = [Record(one.capture, one.fields, boxes=[], attributes={}) for one in open_ones]
        imported = import_decisions(project=project, records=records, actor=actor)
        for n, message in imported.errors.items():
            row = open_ones[n].row
            report.errors.append(RowError(row.line, "caption", "", "cannot_decide", message))
        if report.errors:
            transaction.set_rollback(True)
            report.errors.sort(key=lambda error: error.line)
            return report
        for one in known:
            spotting.make_gold(task=one.task, actor=actor)
        report.made, report.decided = len(known), imported.decided
        audit.record(
            action="gold.imported", on=project, actor=actor, site_id=project.site_id,
            made=report.made, decided=report.decided,
        )  # fmt: skip
    return report


def _known(project: Project, rows: list[ListRow], report: GoldReport) -> list[_Known]:
    """The rows that name a photo of the project once, with a caption that can be read and that does not
    contradict what was decided."""
    schema = schema_of(project)
    named = captures_called(project.site_id, [row.cells["image_id"] for row in rows])
    scenes = {capture.scene_id for capture in named.values()}
    found = Task.objects.filter(project=project, scene__in=scenes, state__in=ORDINARY)
    tasks = {task.scene_id: task for task in found}
    stands = dict(
        Decision.objects.filter(task__in=tasks.values(), superseded_at=None).values_list(
            "task", "caption"
        )
    )
    known: dict[int, _Known] = {}
    for row in rows:
        name = row.cells["image_id"]
        capture = named.get(name)
        task = tasks.get(capture.scene_id) if capture else None
        if capture is None or task is None:
            report.errors.append(row_error(row.line, "image_id", name, "no_such_photo", value=name))
            continue
        one = _read(row, capture, task, schema, report)
        if one is None:
            continue
        decided = stands.get(task.pk) if task.state == TaskState.DECIDED else None
        if known.setdefault(task.pk, one).caption != one.caption:
            report.errors.append(row_error(row.line, "image_id", name, "named_twice", value=name))
        elif decided is not None and decided != one.caption:
            report.errors.append(
                row_error(row.line, "caption", one.caption, "gold_contradicts", value=decided)
            )
    return list(known.values())


def _read(
    row: ListRow, capture: Capture, task: Task, schema: Schema, report: GoldReport
) -> _Known | None:
    result = parse(row.cells["caption"], schema)
    for error in result.errors:
        report.errors.append(
            RowError(row.line, "caption", row.cells["caption"][:80], error.code, error.message())
        )
    if result.errors:
        return None
    values = result.values
    return _Known(row, capture, task, values_to_json(values), format_caption(values, schema))
