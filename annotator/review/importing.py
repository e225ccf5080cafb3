"""Taking over decisions made elsewhere, many in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from annotator.accounts.models import Project, User
from annotator.captures.models import Capture
from annotator.catalog.queries import skus_by_code
from annotator.core import audit, events
from annotator.core.errors import DomainError
from annotator.labeling.answers import Answer, check_answer
from annotator.labeling.models import Task
from annotator.labeling.schemas import schema_of
from annotator.labeling.services import take_transition
from annotator.labeling.states import ORDINARY, Action, TaskState

from .models import Decision
from .services import decision_row


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one capture: the values of its scene's caption, its boxes in pixels (x, y,
    w, h by name), its attributes."""

    capture: Capture
    fields: Mapping[str, Any]
    boxes: Sequence[Mapping[str, Any]]
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class Imported:
    """How many scenes were decided, how many records spoke of scenes that were decided already, and
    what was wrong with a record, by its place."""

    decided: int = 0
    already_decided: int = 0
    errors: dict[int, str] = field(default_factory=dict)


def import_decisions(
    *, project: Project, records: Sequence[Record], actor: User | None = None
) -> Imported:
    """Decide the scenes of ``records`` as they say. A scene that is decided already stays so, a
    record of a further view adds its boxes. A record that is wrong is named and left out."""
    report = Imported()
    with transaction.atomic():
        context = _Context(project, records)
        new: dict[int, Decision] = {}
        grown: dict[int, Decision] = {}
        for n, record in enumerate(records):
            try:
                task, answer = context.check(record)
                if task.state == TaskState.DECIDED:
                    standing = new.get(task.pk) or context.decisions[task.pk]
                    if _adds_boxes(standing, record.capture, answer) and task.pk not in new:
                        grown[standing.pk] = standing
                    report.already_decided += 1
                    continue
                take_transition(task, Action.IMPORT)
            except (DomainError, LookupError, ValueError) as error:
                report.errors[n] = str(error)
                continue
            task.places_left = 0
            new[task.pk] = decision_row(
                task, answer, source=Decision.Source.IMPORTED, decided_by=actor
            )
            report.decided += 1
        _save(project, new, grown, context, actor)
    return report


class _Context:
    """What the database knows of the scenes that are spoken of, read once, their tasks locked."""

    def __init__(self, project: Project, records: Sequence[Record]) -> None:
        scenes = {record.capture.scene_id for record in records}
        self.project = project
        self.schema = schema_of(project)
        rows = Task.objects.select_for_update(of=("self",)).filter(
            project=project, scene__in=scenes, state__in=ORDINARY
        )
        self.tasks = {task.scene_id: task for task in rows.order_by("pk")}
        for task in self.tasks.values():
            task.project = project
        standing = Decision.objects.select_for_update().filter(
            task__in=[t.pk for t in self.tasks.values() if t.state == TaskState.DECIDED],
            superseded_at=None,
        )
        self.decisions = {decision.task_id: decision for decision in standing}
        self._sizes: dict[int, dict[int, tuple[int, int]]] = {}
        views = Capture.objects.filter(scene__in=scenes)
        for scene, pk, width, height in views.values_list(
            "scene", "pk", "image__width", "image__height"
        ):
            self._sizes.setdefault(scene, {})[pk] = (width, height)
        codes = [
            value.strip()
            for record in records
            for f in self.schema.of_kind("sku")
            if isinstance(value := record.fields.get(f.key), str)
        ]
        known = skus_by_code(site_id=project.site_id, codes=codes)
        self._codes = {code: sku.code for code, sku in known.items()}

    def check(self, record: Record) -> tuple[Task, Answer]:
        """The task and the canonical answer of a record."""
        scene = record.capture.scene_id
        return self.tasks[scene], check_answer(
            schema=self.schema,
            fields=record.fields,
            boxes=[{"capture": record.capture.pk, **box} for box in record.boxes],
            attributes=record.attributes,
            sizes_px=self._sizes[scene],
            boxes_required=self.project.boxes_required,
            known_codes=self._codes,
        )


def _adds_boxes(decision: Decision, capture: Capture, answer: Answer) -> bool:
    """Give a standing decision the boxes of a view that it has none for."""
    if not answer.boxes or any(box["capture"] == capture.pk for box in decision.boxes):
        return False
    decision.boxes = [*decision.boxes, *answer.boxes]
    return True


def _save(
    project: Project,
    new: Mapping[int, Decision],
    grown: Mapping[int, Decision],
    context: _Context,
    actor: User | None,
) -> None:
    decided = [task for task in context.tasks.values() if task.pk in new]
    Task.objects.bulk_update(decided, ["state", "decided_at", "places_left"])
    Decision.objects.bulk_create(new.values())
    Decision.objects.bulk_update(grown.values(), ["boxes"])
    audit.record_each(
        action=f"decision.{Decision.Source.IMPORTED}",
        on=(
            (task, {"decision": new[task.pk].pk, "caption": new[task.pk].caption})
            for task in decided
        ),
        actor=actor,
        site_id=project.site_id,
    )
    events.publish_many(
        "decision.imported", [{"task": task.pk, "project": project.pk} for task in decided]
    )
