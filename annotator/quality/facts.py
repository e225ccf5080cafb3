"""Facts: what there is to measure of tasks, read from the rooms above as they stand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from annotator.accounts.models import Project
from annotator.captures.models import Capture
from annotator.captures.weighing import weight_of
from annotator.catalog.naming import code_key
from annotator.labeling.answers import boxes_of
from annotator.labeling.models import Agreement, Annotation, Gold, Task
from annotator.labeling.queries import SETTLED
from annotator.labeling.schemas import Schemas
from annotator.labeling.states import TaskState
from annotator.review.models import Decision, SpotCheck
from annotator.review.settling import JUDGED
from inference.captions import Field, Schema, Value, compare, match_boxes, values_from_json

from . import consistency, fluency, texts
from .consistency import Record
from .metrics import hundredths
from .models import Fact


def facts_of(tasks: Sequence[Task]) -> list[Fact]:
    """The facts of tasks with their projects, in a fixed number of queries: of settled tasks, and of
    the answers to gold tasks. Unsaved; nothing of tasks that are neither."""
    return [fact for group in _by_project(tasks) for fact in _facts_of_group(group)]


def _facts_of_group(tasks: Sequence[Task]) -> Iterable[Fact]:
    context = _Context(tasks)
    for task in tasks:
        yield from context.facts_of(task)


def _by_project(tasks: Iterable[Task]) -> Iterable[list[Task]]:
    groups: dict[int, list[Task]] = defaultdict(list)
    for task in tasks:
        if task.state in (*SETTLED, TaskState.GOLD):
            groups[task.project_id].append(task)
    return groups.values()


class _Context:
    """What the database says of tasks of one project, read once."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        ids = [task.pk for task in tasks]
        self.project: Project = tasks[0].project
        self.schemas = Schemas(self.project)
        self.answers: dict[int, list[Annotation]] = defaultdict(list)
        rows = Annotation.objects.filter(task__in=ids, withdrawn_at=None).order_by("pk")
        for row in rows:
            self.answers[row.task_id].append(row)
        self.agreements = {row.task_id: row for row in Agreement.objects.filter(task__in=ids)}
        decided = [task.pk for task in tasks if task.state == TaskState.DECIDED]
        current = Decision.objects.filter(task__in=decided, superseded_at=None)
        self.decisions = {row.task_id: row for row in current}
        gold = [task.pk for task in tasks if task.state == TaskState.GOLD]
        self.gold = {row.task_id: row for row in Gold.objects.filter(task__in=gold)}
        self.checks: dict[int, SpotCheck] = {}
        drawn = SpotCheck.objects.exclude(stratum=SpotCheck.DOUBTED)
        for check in drawn.filter(task__in=ids, wrong__isnull=False).order_by("pk"):
            self.checks[check.task_id] = check
        self.cameras: dict[int, set[str]] = defaultdict(set)
        scenes = {task.scene_id for task in tasks}
        views = Capture.objects.filter(scene__in=scenes)
        for scene, camera in views.exclude(cam_type="").values_list("scene", "cam_type"):
            self.cameras[scene].add(camera)
        weighed: dict[int, list[Capture]] = defaultdict(list)
        for capture in views.filter(weight_g__isnull=False):
            weighed[capture.scene_id].append(capture)
        self.weights = {scene: weight_of(of_scene) or 0.0 for scene, of_scene in weighed.items()}
        captions = [row.caption for row in self.decisions.values()]
        self.hits = (
            texts.known(self.project, captions) if texts.asked() else dict.fromkeys(captions, ())
        )
        self.catalog = consistency.records(self.project.site_id, self.decisions.values())
        self._flaws: dict[tuple[str, int], int] = {}
        self._agree: dict[tuple[Any, ...], int] = {}
        self._equal: dict[tuple[str, str, str], bool] = {}
        self._categories = [f.key for f in self.schemas.now.of_kind("category")]

    def facts_of(self, task: Task) -> Iterable[Fact]:
        if task.state == TaskState.GOLD:
            for answer in self.answers[task.pk]:
                yield self._fact(task, answer, answer.created_at, self._gold(task, answer))
            return
        decision = self.decisions.get(task.pk)
        for answer in self.answers[task.pk]:
            yield self._fact(task, answer, answer.created_at, self._answer(answer, decision))
        at = self._settled_at(task, decision)
        if at is not None:
            yield self._fact(task, None, at, self._task(task, decision))

    def _settled_at(self, task: Task, decision: Decision | None) -> datetime | None:
        """When the task was decided, else when its answers were compared."""
        if decision is not None:
            return decision.created_at
        agreement = self.agreements.get(task.pk)
        return agreement.created_at if agreement else None

    def _fact(
        self, task: Task, answer: Annotation | None, at: datetime, readings: dict[str, int]
    ) -> Fact:
        decision = self.decisions.get(task.pk)
        people = [answer] if answer else self.answers[task.pk]
        return Fact(
            project_id=task.project_id,
            task=task,
            annotation=answer,
            day=day_of(at),
            batch=task.batch_id or 0,
            category=self._category(decision),
            cameras=f",{','.join(sorted(self.cameras[task.scene_id]))},",
            people=f",{','.join(str(row.author_id) for row in people)},"[:255],
            author=answer.author_id if answer else 0,
            reviewer=(decision.decided_by_id or 0) if decision and _judged(decision) else 0,
            readings=readings,
        )

    def _category(self, decision: Decision | None) -> str:
        if decision is None:
            return ""
        fields = self.schemas.carry(decision.fields, decision.schema_version).fields
        values = [fields.get(key) for key in self._categories]
        return next((value for value in values if isinstance(value, str)), "")[:128]

    # Many captions are the same, and few values of a field there are: each is looked at once.

    def _fluency(self, decision: Decision, schema: Schema, hits: Sequence[Any]) -> int:
        key = (decision.caption, decision.schema_version)
        if key not in self._flaws:
            self._flaws[key] = fluency.points(decision.caption, schema)
        return hundredths(fluency.left(self._flaws[key], hits))

    def _agrees(self, decision: Decision, schema: Schema, record: Record, weight: float) -> int:
        said = json.dumps(decision.fields, sort_keys=True)
        boxes = consistency.boxes_in_one_view(decision)
        key = (said, decision.schema_version, record, boxes, weight)
        if key not in self._agree:
            values = values_from_json(decision.fields)
            self._agree[key] = int(consistency.agrees(values, schema, record, boxes, weight))
        return self._agree[key]

    def _same(self, field: Field, a: Value | None, b: Value | None) -> bool:
        if a == b:
            return True
        if not (isinstance(a, str) and isinstance(b, str)):
            return compare(field, a, b) == 1
        key = (field.key, a, b)
        if key not in self._equal:
            self._equal[key] = compare(field, a, b) == 1
        return self._equal[key]

    def _answer(self, answer: Annotation, decision: Decision | None) -> dict[str, int]:
        readings = {
            "completeness": int(is_complete(answer, self.schemas.of(answer.schema_version))),
            "time": hundredths(answer.active_seconds),
        }
        if decision is not None and decision.source != Decision.Source.SINGLE:
            decided = self.schemas.carry(decision.fields, decision.schema_version).fields
            readings |= self._right("right", answer, decided)
        return readings | _among(readings, ("right", "time"), _exposure(answer)) | _accepted(answer)

    def _gold(self, task: Task, answer: Annotation) -> dict[str, int]:
        gold = self.gold.get(task.pk)
        if gold is None:
            return {}
        known = self.schemas.carry(gold.fields, gold.schema_version).fields
        readings = self._right("gold", answer, known)
        return readings | _among(readings, ("gold",), _exposure(answer))

    def _right(self, metric: str, answer: Annotation, truth: Mapping[str, Any]) -> dict[str, int]:
        """Whether an answer is right, in all and field by field, as far as its author was asked."""
        given = self.schemas.carry(answer.fields, answer.schema_version)
        values, wanted = given.values, values_from_json(truth)
        fields = {
            f"{metric}:{f.key}": int(self._same(f, values.get(f.key), wanted.get(f.key)))
            for f in self.schemas.now.fields
            if f.key in given.known and f.key in wanted
        }
        return fields | ({metric: int(all(fields.values()))} if fields else {})

    def _task(self, task: Task, decision: Decision | None) -> dict[str, int]:
        readings: dict[str, int] = {}
        if (agreement := self.agreements.get(task.pk)) is not None:
            quantity = [f.key for f in self.schemas.now.of_kind("quantity")]
            equal = all(agreement.per_field.get(key, 1.0) >= 1 for key in quantity)
            readings |= {
                "agreement": hundredths(agreement.score * 100),
                "quantity_consistency": int(equal),
                "disputed": int(bool(agreement.reasons)),
                **{f"agree:{k}": hundredths(v * 100) for k, v in agreement.per_field.items()},
            }
        if (overlap := mean_iou([a.boxes for a in self.answers[task.pk]])) is not None:
            readings["iou"] = hundredths(overlap * 100)
        if decision is not None:
            schema = self.schemas.of(decision.schema_version)
            readings["single"] = int(decision.source == Decision.Source.SINGLE)
            readings["completeness_decided"] = int(is_complete(decision, schema))
            record = self.catalog.get(code_key(decision.sku_code or ""))
            readings["sku_accuracy"] = int(record is not None)
            if record is not None:
                weight = self.weights.get(task.scene_id, 0.0)
                readings["consistency"] = self._agrees(decision, schema, record, weight)
            if (hits := self.hits.get(decision.caption)) is not None:
                readings["fluency"] = self._fluency(decision, schema, hits)
        check = self.checks.get(task.pk)
        if check is not None:
            readings["spot_check_error"] = int(bool(check.wrong))
        if decision is not None and decision.source == Decision.Source.SINGLE:
            readings |= _among(readings, ("spot_check_error",), "single")
        answers = self.answers[task.pk]
        exposures = {_exposure(answer) for answer in answers}
        if "" not in exposures:
            among = next((one for one in ("withheld", "delayed") if one in exposures), "shown")
            readings |= _among(readings, ("agreement",), among)
        if decision is not None and decision.source == Decision.Source.AGREED and len(answers) > 1:
            together = self._together(answers)
            readings["together"] = int(together)
            among = "together" if together else "independent"
            readings |= _among(readings, ("spot_check_error",), among)
        return readings

    def _together(self, answers: Sequence[Annotation]) -> bool:
        """Whether every answer took the SKU from the suggestion: they agree because of it."""
        keys = [f.key for f in self.schemas.now.of_kind("sku")]
        return bool(keys) and all(
            _saw(answer) and all(answer.suggestion_used.get(key) for key in keys)
            for answer in answers
        )


def _saw(answer: Annotation) -> bool:
    return answer.suggestion_id is not None and answer.suggestion_shown


def _exposure(answer: Annotation) -> str:
    """Whether the suggestion was ``shown`` at once, ``delayed`` (asked for or not) or ``withheld``;
    nothing where there was none."""
    if answer.suggestion_id is None:
        return ""
    if answer.suggestion_delayed:
        return "delayed"
    return "shown" if answer.suggestion_shown else "withheld"


def _among(readings: Mapping[str, int], metrics: Sequence[str], among: str) -> dict[str, int]:
    """The readings once more, told apart by what the answers saw."""
    if not among:
        return {}
    return {f"{key}@{among}": readings[key] for key in metrics if key in readings}


def _accepted(answer: Annotation) -> dict[str, int]:
    """Whether everything that was suggested was taken."""
    if not _saw(answer) or not answer.suggestion_used:
        return {}
    return {"accepted": int(all(answer.suggestion_used.values()))}


def _judged(decision: Decision) -> bool:
    return decision.source in JUDGED


def day_of(at: datetime) -> date:
    """The day on which something counts."""
    return timezone.localtime(at).date()


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def is_complete(row: Annotation | Decision, schema: Schema) -> bool:
    """Whether every required field is known. What is stored is valid, but may be unknown."""
    return all(isinstance(row.fields.get(f.key), str) for f in schema.fields if f.required)


def mean_iou(drawn: Sequence[Sequence[Mapping[str, Any]]]) -> float | None:
    """The mean overlap of the boxes that two or more people drew, 0…1: pairs of people, their views,
    the boxes that match there; a box without a match counts 0. None unless two drew."""
    with_boxes = [boxes for boxes in drawn if boxes]
    found: list[float] = []
    for n, first in enumerate(with_boxes):
        for second in with_boxes[n + 1 :]:
            for view in {box["capture"] for box in (*first, *second)}:
                a, b = boxes_of(first, view), boxes_of(second, view)
                pairs = [pair.iou for pair in match_boxes(a, b)]
                found += pairs + [0.0] * (max(len(a), len(b)) - len(pairs))
    return sum(found) / len(found) if found else None
