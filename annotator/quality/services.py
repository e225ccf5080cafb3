"""Keeping figures: facts of tasks, and their sums.

The sums follow from the facts, the facts from the rooms above: :func:`measure` replaces the facts of
tasks and moves the sums by the difference, :func:`rebuild` does it for all. Both come to the same,
whatever happened before (ADR 29).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction

from annotator.accounts.models import Project
from annotator.captures.models import Capture
from annotator.catalog.models import Sku
from annotator.core import events
from annotator.labeling.models import Task
from annotator.labeling.states import TaskState
from annotator.review import spotting, trials
from annotator.review.models import Decision

from . import texts
from .facts import facts_of, week_of
from .models import Dimension, Fact, Rollup

CHUNK = 500
"""So many tasks are measured in one transaction; ten times as many when all are."""

Key = tuple[int, str, str, str, date]
"""Project, dimension, key within it, metric, day."""


def follow(payloads: Sequence[Mapping[str, Any]]) -> None:
    """Something happened to tasks: chance may draw them for a spot check, their answers may be known
    now, audits may have come to an end, and they are measured."""
    spotting.draw(payloads)
    spotting.know_gold(payloads)
    trials.follow(payloads)
    measure(payloads)


def measure(payloads: Sequence[Mapping[str, Any]]) -> None:
    """Something happened to tasks: their facts are made anew. What counts is how things stand now,
    so order and repetition do not matter."""
    ids = sorted({payload["task"] for payload in payloads})
    for first in range(0, len(ids), CHUNK):
        measure_tasks(ids[first : first + CHUNK])


def measure_tasks(task_ids: Sequence[int]) -> None:
    """Replace the facts of tasks, and move the sums by the difference. The tasks' locks keep two who
    measure the same apart."""
    with transaction.atomic():
        rows = Task.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
        tasks = list(rows.select_related("project").filter(pk__in=task_ids))
        before = list(Fact.objects.filter(task__in=[task.pk for task in tasks]))
        after = facts_of(tasks)
        Fact.objects.filter(pk__in=[fact.pk for fact in before]).delete()
        Fact.objects.bulk_create(after)
        _move(_difference(before, after))
        measured = {fact.project_id for fact in (*before, *after)}
        events.publish_many("tasks.measured", [{"project": pk} for pk in sorted(measured)])
        if texts.asked():
            unchecked = [f for f in after if _is_unchecked(f)]
            events.publish_many("caption.unchecked", [{"task": f.task_id} for f in unchecked])


def _is_unchecked(fact: Fact) -> bool:
    return "completeness_decided" in fact.readings and "fluency" not in fact.readings


def check_captions(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``caption.unchecked``: a language checker reads them, and their tasks are measured again."""
    ids = sorted({payload["task"] for payload in payloads})
    texts.check(ids)
    measure_tasks(ids)


def measure_skus(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``sku.changed``: decisions that name these SKUs may be right now that were not before."""
    skus = Sku.objects.filter(pk__in=[payload["sku"] for payload in payloads])
    for site, code in skus.values_list("site", "code"):
        decisions = Decision.objects.filter(
            sku_code=code, superseded_at=None, task__project__site=site
        )
        ids = list(decisions.order_by("task").values_list("task", flat=True))
        for first in range(0, len(ids), CHUNK):
            measure_tasks(ids[first : first + CHUNK])


def measure_weighed(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``capture.weighed``: what was decided of these photos may agree now that did not before."""
    scenes = Capture.objects.filter(pk__in=[payload["capture"] for payload in payloads])
    tasks = Task.objects.filter(scene__in=scenes.values("scene"), state=TaskState.DECIDED)
    measure([{"task": pk} for pk in tasks.order_by("pk").values_list("pk", flat=True)])


def rebuild(project: Project, tick: Callable[[int], object] = lambda n: None) -> int:
    """Make all figures of a project anew; returns the number of its tasks."""
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        Fact.objects.filter(project=project).delete()
        Rollup.objects.filter(project=project).delete()
    done, last = 0, 0
    tasks = Task.objects.filter(project=project).order_by("pk")
    while ids := list(tasks.filter(pk__gt=last).values_list("pk", flat=True)[: 10 * CHUNK]):
        measure_tasks(ids)
        done, last = done + len(ids), ids[-1]
        tick(len(ids))
    return done


def _difference(before: Iterable[Fact], after: Iterable[Fact]) -> dict[Key, list[int]]:
    moved: dict[tuple[int, str, str, date], dict[str, list[int]]] = defaultdict(dict)
    for sign, facts in ((-1, before), (1, after)):
        for fact in facts:
            for dimension, key, day in _places(fact):
                there = moved[fact.project_id, dimension, key, day]
                for metric, reading in fact.readings.items():
                    if (sums := there.get(metric)) is None:
                        there[metric] = [sign, sign * reading, sign * reading * reading]
                        continue
                    sums[0] += sign
                    sums[1] += sign * reading
                    sums[2] += sign * reading * reading
    return {
        (project, dimension, key, metric, day): sums
        for (project, dimension, key, day), metrics in moved.items()
        for metric, sums in metrics.items()
        if any(sums)
    }


def _places(fact: Fact) -> Iterable[tuple[str, str, date]]:
    week = week_of(fact.day)
    yield Dimension.ALL, "", fact.day
    if fact.batch:
        yield Dimension.BATCH, str(fact.batch), week
    if fact.category:
        yield Dimension.CATEGORY, fact.category, week
    for camera in filter(None, fact.cameras.split(",")):
        yield Dimension.CAMERA, camera, week
    for person in filter(None, fact.people.split(",")):
        yield Dimension.ANNOTATOR, person, week
    if fact.reviewer:
        yield Dimension.REVIEWER, str(fact.reviewer), week


_ADD = """INSERT INTO quality_rollup
(project_id, dimension, key, metric, day, n, total, squares) VALUES {rows}
ON CONFLICT (project_id, dimension, metric, key, day) DO UPDATE SET
n = quality_rollup.n + excluded.n, total = quality_rollup.total + excluded.total,
squares = quality_rollup.squares + excluded.squares"""
_ROWS = 500


def _move(difference: Mapping[Key, Sequence[int]]) -> None:
    """Add to the sums, in one order, so that two who add wait for each other and do not lock up."""
    moves = sorted((*key, *sums) for key, sums in difference.items())
    with connection.cursor() as cursor:
        for first in range(0, len(moves), _ROWS):
            rows = moves[first : first + _ROWS]
            marks = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(rows))
            cursor.execute(
                _ADD.format(rows=marks), [_plain(value) for row in rows for value in row]
            )


def _plain(value: Any) -> Any:
    return (
        value.isoformat()
        if isinstance(value, date)
        else str(value)
        if isinstance(value, str)
        else value
    )
