"""How the people of a site fare with each model: what becomes of its suggestions. Read from the answers
to which a suggestion was shown; what a model did unseen is not told by it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rapidfuzz.distance import Levenshtein

from annotator.accounts.models import Project, Site
from annotator.labeling.models import Annotation
from annotator.labeling.schemas import Schemas
from annotator.modelhub.models import ModelVersion
from annotator.review.models import Decision
from inference.captions import FieldError as CaptionError
from inference.captions import Schema, compare, format_caption, normalise_value, values_from_json

from .intervals import of_mean, wilson


@dataclass
class Arm:
    """What was counted of one model (None: the shipped one). ``fields`` maps a field to how often a value
    was proposed, and how often the answer has the same; ``unchanged`` counts the answers that have all
    that was proposed. ``edits`` are the characters between the caption proposed and the one decided."""

    model: int | None
    answers: int = 0
    unchanged: int = 0
    fields: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    edits: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def to_json(self, name: str | None) -> dict[str, Any]:
        """The figures with their 95% intervals."""
        return {
            "model": self.model,
            "name": name,
            "answers": self.answers,
            "unchanged": _share(self.unchanged, self.answers),
            "fields": {key: _share(same, n) for key, (n, same) in sorted(self.fields.items())},
            "edits": _mean(self.edits),
            "seconds": _mean(self.seconds),
        }


def arms(site: Site, *, since: datetime | None = None) -> list[dict[str, Any]]:
    """The figures of each model whose suggestions were shown on ``site``, in the order of their
    versions, in a number of queries that hangs on the projects alone."""
    found: dict[int | None, Arm] = {}
    for project in Project.objects.filter(site=site):
        schemas = Schemas(project)
        answers = Annotation.objects.filter(
            task__project=project,
            suggestion__isnull=False,
            suggestion_shown=True,
            withdrawn_at=None,
        )
        if since is not None:
            answers = answers.filter(created_at__gte=since)
        decided = dict(
            Decision.objects.filter(
                task__project=project, superseded_at=None, task__annotations__in=answers
            ).values_list("task", "caption")
        )
        columns = (
            *("task", "fields", "schema_version", "active_seconds"),
            *("suggestion__model", "suggestion__fields"),
        )
        for row in answers.order_by("pk").values_list(*columns).iterator(chunk_size=500):
            task, fields, version, seconds, model, proposed = row
            arm = found.setdefault(model, Arm(model))
            _count(arm, schemas.of(version), proposed, fields, decided.get(task), seconds)
    names = {
        version.pk: version
        for version in ModelVersion.objects.filter(pk__in=[pk for pk in found if pk is not None])
    }
    ordered = sorted(found, key=lambda pk: names[pk].number if pk is not None else 0)
    return [found[pk].to_json(names[pk].name if pk is not None else None) for pk in ordered]


def _count(
    arm: Arm,
    schema: Schema,
    suggested: Mapping[str, Any],
    fields: Mapping[str, Any],
    decided: str | None,
    seconds: float,
) -> None:
    proposed = dict(_normal(schema, suggested))
    given = values_from_json(fields)
    arm.answers += 1
    arm.seconds.append(seconds)
    same = {
        known.key: math.isclose(compare(known, proposed[known.key], given.get(known.key)), 1.0)
        for known in schema.fields
        if known.key in proposed
    }
    for key, agrees in same.items():
        arm.fields[key][0] += 1
        arm.fields[key][1] += agrees
    arm.unchanged += bool(same) and all(same.values())
    if decided is not None and proposed:
        arm.edits.append(float(Levenshtein.distance(format_caption(proposed, schema), decided)))


def _normal(schema: Schema, suggested: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values that were proposed for fields of the schema, as they are written."""
    for key, one in suggested.items():
        known, value = schema.get(key), one.get("value")
        if known is None or not isinstance(value, str):
            continue
        normal = normalise_value(known, value)
        if not isinstance(normal, CaptionError):
            yield key, normal


def _share(successes: int, total: int) -> dict[str, Any]:
    return _figure(total, successes / total if total else None, wilson(successes, total))


def _mean(values: Iterable[float]) -> dict[str, Any]:
    some = list(values)
    interval = of_mean(some)
    if interval is not None:  # neither is ever below none
        interval = (max(0.0, interval[0]), interval[1])
    return _figure(len(some), math.fsum(some) / len(some) if some else None, interval)


def _figure(n: int, value: float | None, interval: tuple[float, float] | None) -> dict[str, Any]:
    low, high = interval or (None, None)
    return {"n": n, "value": value, "low": low, "high": high}
