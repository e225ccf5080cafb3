"""What is known of decided pictures when a snapshot is made."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db.models import Min, Sum
from PIL import Image

from annotator.accounts.models import Project
from annotator.catalog.models import Sku
from annotator.labeling.models import Annotation, Task
from annotator.labeling.schemas import schema_of
from annotator.labeling.states import TaskState
from annotator.media.models import StoredImage
from annotator.media.queries import image_path
from annotator.media.storage import read
from annotator.quality.intervals import wilson
from annotator.quality.models import Dimension, Reliability, Rollup
from annotator.review.models import Decision
from annotator.suggestions.models import PictureDescription

from .export import carried_over, decided
from .leakage import Grey, Look, to_grey
from .policies import Item

_AT_ONCE = 500
FEWEST_ANSWERS = 20
"""So many answers it takes to say how reliable somebody is."""
FEWEST_GOLD = 5


@dataclass(frozen=True, slots=True)
class Chosen:
    """A picture that a snapshot takes, and the decision that it takes it with."""

    item: Item
    task: int
    decision: int
    schema_version: int
    phash: int


def chosen(project: Project, filters: Mapping[str, Any]) -> Iterator[Chosen]:
    """The decided pictures that ``filters`` select, each once, by their keys."""
    first = dict(
        Decision.objects.filter(task__project=project)
        .order_by()
        .values_list("task")
        .annotate(Min("pk"))
    )
    gold = gold_scenes(project)
    rows = chain(
        *(
            find(project, filters)
            .select_related(None)
            .order_by("pk")
            .values_list(
                "pk", "scene", "scene__group", "scene__split", "image__phash",
                "decided_sku", "decided_task", "decision_id", "decided_version",
            )
            .iterator(chunk_size=2000)
            for find in (decided, carried_over)
        )
    )  # fmt: skip
    seen: set[int] = set()
    for pk, scene, group, split, phash, sku, task, decision, version in rows:
        if pk in seen:
            continue
        seen.add(pk)
        item = Item(
            key=pk,
            scene=scene,
            group=group or scene,
            sku=sku,
            order=first[task],
            gold=scene in gold,
            split=split,
        )
        yield Chosen(item, task, decision, version, int(phash, 16))


def gold_scenes(project: Project) -> frozenset[int]:
    """The scenes by which annotators of the site are measured: they have a task whose answer is
    known."""
    tasks = Task.objects.filter(project__site=project.site_id, state=TaskState.GOLD)
    return frozenset(tasks.values_list("scene", flat=True))


def looks_of(captures: Sequence[int]) -> dict[int, Look]:
    """How the pictures of ``captures`` look to the recognizer, where they were described."""
    found: dict[int, Look] = {}
    for start in range(0, len(captures), _AT_ONCE):
        rows = PictureDescription.objects.filter(
            image__capture__in=captures[start : start + _AT_ONCE]
        ).values_list("image__capture", "describer", "embedding")
        found |= {pk: (describer, bytes(vector)) for pk, describer, vector in rows if vector}
    return found


def grey_of(capture: int) -> Grey | None:
    """A capture's picture to lay upon others; None where its file is gone."""
    image = StoredImage.objects.get(capture=capture)
    try:
        with Image.open(io.BytesIO(read(image_path(image, "thumb")))) as thumb:
            return to_grey(thumb)
    except FileNotFoundError:
        return None


def answered_by(rows: Iterable[Chosen]) -> dict[int, tuple[int, ...]]:
    """On whose agreement each task's decision rests (ids), by task. Not of those that a reviewer
    made, or that were imported."""
    decisions = {row.decision: row.task for row in rows}
    agreed: set[int] = set()
    for some in _slices(sorted(decisions)):
        found = Decision.objects.filter(pk__in=some, source=Decision.Source.AGREED)
        agreed |= set(found.values_list("task", flat=True))
    people: dict[int, list[int]] = {}
    for some in _slices(sorted(agreed)):
        answers = Annotation.objects.filter(task__in=some, withdrawn_at=None).order_by("pk")
        for task, author in answers.values_list("task", "author"):
            people.setdefault(task, []).append(author)
    return {task: tuple(some) for task, some in people.items()}


def trust_of(project: Project) -> dict[int, float]:
    """How far each annotator's word on the SKU is to be trusted, 0…1, where that is known: how often it
    was right (ADR 31), and not at all of those who surely get too few gold tasks right."""
    fields = [f.key for f in schema_of(project).of_kind("sku")]
    rows = Reliability.objects.filter(project=project, field__in=fields, n__gte=FEWEST_ANSWERS)
    trust: dict[int, float] = {}
    for person, skill in rows.values_list("annotator", "skill"):
        trust[person] = round(min(skill, trust.get(person, 1.0)), 4)
    floor = project.rules.threshold("gold")
    if floor is None:
        return trust
    gold = Rollup.objects.filter(project=project, dimension=Dimension.ANNOTATOR, metric="gold")
    for key, n, right in gold.order_by().values_list("key").annotate(n=Sum("n"), t=Sum("total")):
        interval = wilson(right, n)
        if n >= FEWEST_GOLD and interval is not None and 100 * interval[1] < floor:
            trust[int(key)] = 0.0
    return trust


def sales_of(project: Project) -> dict[str, float]:
    """The sales volume of each SKU of the site that has one."""
    rows = Sku.objects.filter(site=project.site_id, sales_volume__gt=0)
    return dict(rows.values_list("code", "sales_volume"))


def proposals(tasks: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """What the machine proposed to those who answered ``tasks``, and the SKU that each was decided to
    be. Neither suggestions nor answers ever change."""
    for some in _slices(sorted(tasks)):
        rows = Annotation.objects.filter(
            task__in=some, withdrawn_at=None, suggestion__isnull=False
        ).values_list("task", "suggestion__candidates")
        for task, candidates in rows:
            if candidates:
                yield candidates[0]["sku_code"], tasks[task]


def _slices(keys: Sequence[int]) -> Iterable[Sequence[int]]:
    return (keys[n : n + _AT_ONCE] for n in range(0, len(keys), _AT_ONCE))
