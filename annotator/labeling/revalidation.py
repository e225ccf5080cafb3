"""A schema that changes while people label: what becomes of the answers of open tasks.

An answer that can stand under the new schema stands as it is. One that cannot goes back to its
author: the same lease is theirs again, with the answer as its draft. ADR 10 says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from annotator.accounts.models import Project
from annotator.accounts.services import check_renames, checked_schema, in_force
from annotator.core.jobs import Progress
from annotator.core.models import Job
from inference.captions import Schema, validate, values_from_json

from . import queries
from .leases import lock_task
from .models import Annotation, Task
from .returning import return_answer
from .schemas import Schemas
from .states import TaskState

SLICE = 200
MOST_PLANNED = 20_000
"""A dry run looks at most at so many answers, and says so when there are more."""


def plan_schema(
    *, project: Project, data: Any, renames: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a new schema would do, without doing it: which fields change, and how many drafts and
    answers of open tasks would have to be looked at again. Raises Invalid for a bad schema."""
    schema = checked_schema(data)
    renames = dict(renames or {})
    before = Schema.from_json(in_force(project))
    check_renames(before.to_json(), schema.to_json(), renames)
    schemas = Schemas(project).followed_by(schema, renames)
    kept, returned, fields, checked = 0, 0, Counter[str](), 0
    standing = queries.standing_on_open(project)
    for fields_json, version in standing.values_list("fields", "schema_version")[
        :MOST_PLANNED
    ].iterator():
        checked += 1
        if errors := schemas.objections(fields_json, version):
            returned += 1
            fields.update({error.field or "" for error in errors})
        else:
            kept += 1
    return {
        "changed": schema.to_json() != before.to_json(),
        "version": schemas.current,
        "changes": changes_between(before, schema, renames),
        "drafts": _plan_drafts(project, schemas),
        "answers": {
            "kept": kept,
            "returned": returned,
            "fields": dict(fields),
            "complete": checked < MOST_PLANNED,
        },
    }


def _plan_drafts(project: Project, schemas: Schemas) -> dict[str, int]:
    total = affected = 0
    for draft in queries.open_drafts(project).values_list("draft", flat=True)[:MOST_PLANNED]:
        assert draft is not None
        given = {k: v for k, v in draft.get("fields", {}).items() if v not in ("", None)}
        carried = schemas.carry(given, draft.get("schema_version", schemas.current - 1))
        _, errors = validate(values_from_json(carried.fields), schemas.now, complete=False)
        total += 1
        affected += bool(errors) or len(carried.fields) < len(given)
    return {"total": total, "affected": affected}


def changes_between(
    before: Schema, after: Schema, renames: Mapping[str, str]
) -> list[dict[str, str]]:
    """The differences that matter to answers, each as a code and the field's key."""
    changes = []
    came_from = {to: key for key, to in renames.items()}
    for old in before.fields:
        if after.get(renames.get(old.key, old.key)) is None:
            changes.append({"code": "removed", "field": old.key})
    for field in after.fields:
        was = before.get(came_from.get(field.key, field.key))
        if was is None:
            code = "added_required" if field.required else "added_optional"
            changes.append({"code": code, "field": field.key})
            continue
        if field.key in came_from:
            changes.append({"code": "renamed", "field": field.key})
        if was.kind != field.kind:
            changes.append({"code": "kind_changed", "field": field.key})
        elif set(was.options) - set(field.options):
            changes.append({"code": "option_removed", "field": field.key})
        if was.label != field.label:
            changes.append({"code": "label_changed", "field": field.key})
        if field.required and not was.required:
            changes.append({"code": "now_required", "field": field.key})
        if was.weight != field.weight:
            changes.append({"code": "weight_changed", "field": field.key})
    return changes


def revalidate_answers(job: Job, progress: Progress) -> dict[str, Any]:
    """The job behind a changed schema: every open task with answers of an earlier version is looked
    at. Repeating it does no harm: what stands under the new schema is left as it is."""
    project = Project.objects.get(pk=job.params["project"])
    after = int(progress.state.get("after", 0))
    ids = queries.with_earlier_answers(project)
    progress.total(ids.count())
    while found := list(ids.filter(pk__gt=after).values_list("pk", flat=True)[:SLICE]):
        for task_id in found:
            with transaction.atomic():
                task = lock_task(task_id)
                back = 0
                if task.state == TaskState.LABELING:
                    back = len(return_invalid(task, queries.standing(task)))
            progress.advance(returned=back)
        after = found[-1]
        progress.checkpoint({"after": after})
    return {"version": project.schema_version}


def return_invalid(task: Task, answers: Sequence[Annotation]) -> list[Annotation]:
    """Give those of a locked task's answers back that cannot stand under the schema in force.
    Returns them."""
    earlier = [a for a in answers if a.schema_version != task.project.schema_version]
    if not earlier:
        return []
    schemas = Schemas(task.project)
    invalid = [a for a in earlier if schemas.objections(a.fields, a.schema_version)]
    for annotation in invalid:
        return_answer(task, annotation, version=task.project.schema_version)
    return invalid


def carried_draft(project: Project, draft: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A draft by the keys of the schema in force."""
    if draft is None:
        return None
    version = draft.get("schema_version") or project.schema_version
    carried = dict(draft)
    if version != project.schema_version:
        carried["fields"] = Schemas(project).carry(draft.get("fields", {}), version).fields
    carried["schema_version"] = project.schema_version
    return carried


def schemas_used(project: Project, versions: Iterable[int]) -> dict[str, Any]:
    """The JSON of the schemas that rows were written under, by number."""
    schemas = Schemas(project)
    return {str(number): schemas.of(number).to_json() for number in sorted(set(versions))}
