"""Spot checks: a random sample of agreed decisions gets a second look (ADR 30)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.accounts.states import Role
from annotator.core import audit, events
from annotator.core.errors import Conflict, FieldError, Invalid, NotFound
from annotator.labeling import gold
from annotator.labeling.answers import Answer
from annotator.labeling.models import Annotation, Task
from annotator.labeling.queries import state_counts
from annotator.labeling.schemas import Schemas, schema_of
from annotator.labeling.services import check_for_task, lock_task
from annotator.labeling.states import TaskState
from inference.captions import values_to_json

from . import policies
from .feedback import differing, tell
from .models import Decision, Feedback, SpotCheck
from .queries import standing_of
from .services import mend, reopen
from .settling import BY_THEMSELVES


def draw(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``decision.made``: chance decides which agreed decisions are looked at again. The draw is by the
    decision, so that drawing twice changes nothing."""
    ids = {payload["task"] for payload in payloads}
    rows = Decision.objects.filter(
        task__in=ids, source__in=BY_THEMSELVES, superseded_at=None, spot_check=None
    ).select_related("task__project")
    decisions = list(rows)
    decided = state_counts({row.task.project_id for row in decisions})
    answers = standing_of(row.task_id for row in decisions)
    checks = []
    for row in decisions:
        project = row.task.project
        stratum = stratum_of(row, answers.get(row.task_id, []), project)
        share = policies.spot_share(
            project.rules, stratum, population=decided[project.pk][TaskState.DECIDED]
        )
        if policies.is_drawn(row.pk, share):
            checks.append(
                SpotCheck(
                    decision=row, task=row.task, project=project, stratum=stratum, share=share
                )
            )
    SpotCheck.objects.bulk_create(checks, ignore_conflicts=True)


def ask_about(project: Project, decisions: Sequence[Decision]) -> None:
    """Have decisions looked at again that chance did not draw: they say nothing of the others, and do not
    count for the estimated error."""
    SpotCheck.objects.bulk_create(
        [
            SpotCheck(
                decision=row, task=row.task, project=project, stratum=SpotCheck.DOUBTED, share=0.0
            )
            for row in decisions
        ],
        ignore_conflicts=True,
    )


def stratum_of(decision: Decision, answers: Sequence[Annotation], project: Project) -> str:
    """The kind of a decision that nobody looked at: of one person (``single``); a field was a ``tie``;
    all took the SKU from the suggestion
    (``together``); people said the same by themselves (``independent``)."""
    if decision.source == Decision.Source.SINGLE:
        return "single"
    if decision.ties:
        return "tie"
    keys = [f.key for f in schema_of(project).of_kind("sku")]
    together = bool(answers) and all(
        answer.suggestion_shown and all(answer.suggestion_used.get(key) for key in keys)
        for answer in answers
    )
    return "together" if together else "independent"


def open_checks(project: Project, reviewer: User) -> QuerySet[SpotCheck]:
    """The spot checks that ``reviewer`` may make: of decisions that stand, not of one's own answers."""
    own = Annotation.objects.filter(task=OuterRef("task"), author=reviewer)
    return SpotCheck.objects.filter(
        ~Exists(own),
        project=project,
        checked_at=None,
        decision__superseded_at=None,
        task__state=TaskState.DECIDED,
    ).select_related("task__project", "decision")


def check(
    *,
    spot_check: int,
    reviewer: User,
    wrong: bool,
    changed: Sequence[str] = (),
    note: str = "",
    fields: Mapping[str, Any] | None = None,
) -> SpotCheck:
    """Say whether a decision is right. Of a wrong one ``fields`` is the caption as it should be: it
    becomes the decision at once, with the boxes that there were. Without them it goes back on the
    reviewers' desk. Raises Invalid for fields that are no caption, or change nothing."""
    if fields is not None and not wrong:
        raise Invalid([FieldError("fields", "nothing_mended")])
    with transaction.atomic():
        found = SpotCheck.objects.filter(pk=spot_check).values_list("task", flat=True).first()
        if found is None:
            raise NotFound()
        task = lock_task(found)
        row = SpotCheck.objects.select_for_update().select_related("decision").get(pk=spot_check)
        policies.check_is_not_annotator(task, reviewer)
        if row.checked_at is not None or row.decision.superseded_at is not None:
            raise Conflict("spot_check_done")
        known = {f.key for f in schema_of(task.project).fields}
        mended = None
        if fields is not None:
            mended, changed = _mended(task, row.decision, fields)
        row.wrong = wrong
        row.changed = [key for key in changed if key in known] if wrong else []
        row.note, row.reviewer, row.checked_at = note, reviewer, timezone.now()
        row.save(update_fields=["wrong", "changed", "note", "reviewer", "checked_at"])
        audit.record(
            action="spot.checked",
            on=task,
            actor=reviewer,
            site_id=task.project.site_id,
            wrong=wrong,
            fields=row.changed,
            mended=mended is not None,
        )
        if mended is not None:
            mend(task=task, reviewer=reviewer, answer=mended, note=note)
        elif wrong and task.state == TaskState.DECIDED:
            reopen(task=task, actor=reviewer, role=Role.REVIEWER, note=note)
        events.publish("spot.checked", task=task.pk, project=task.project_id)
    return row


def _mended(task: Task, decision: Decision, fields: Mapping[str, Any]) -> tuple[Answer, list[str]]:
    """A decision with other fields, and which of them differ."""
    if task.state != TaskState.DECIDED:
        raise Conflict("spot_check_done")
    answer = check_for_task(
        task, fields=fields, boxes=decision.boxes, attributes=decision.attributes
    )
    had = Schemas(task.project).carry(decision.fields, decision.schema_version).fields
    now = values_to_json(answer.values)
    changed = [f.key for f in schema_of(task.project).fields if had.get(f.key) != now.get(f.key)]
    if not changed:
        raise Invalid([FieldError("fields", "nothing_mended")])
    return answer, changed


# --- gold ----------------------------------------------------------------------------------------


def know_gold(payloads: Sequence[Mapping[str, Any]]) -> None:
    """Decisions beyond doubt (of a reviewer, imported, or found right by a spot check) make the gold
    tasks of their scenes fit for use; those that no longer stand take them out of it."""
    twins = Task.objects.filter(
        project=OuterRef("project"), scene=OuterRef("scene"), state=TaskState.GOLD
    )
    tasks = Task.objects.filter(Exists(twins), pk__in={payload["task"] for payload in payloads})
    for pk in tasks.exclude(state=TaskState.GOLD).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            task = lock_task(pk)
            decision = Decision.objects.filter(task=task, superseded_at=None).first()
            if task.state != TaskState.DECIDED or decision is None:
                gold.retire(task=task)
            elif _beyond_doubt(decision):
                gold.confirm(
                    task=task, fields=decision.fields, schema_version=decision.schema_version
                )


def _beyond_doubt(decision: Decision) -> bool:
    return (
        decision.source not in BY_THEMSELVES
        or SpotCheck.objects.filter(decision=decision, wrong=False).exists()
    )


def make_gold(*, task: Task, actor: User) -> None:
    """Measure annotators by a decided task. Raises Conflict for one that is not decided."""
    with transaction.atomic():
        row = lock_task(task.pk)
        decision = Decision.objects.filter(task=row, superseded_at=None).first()
        if row.state != TaskState.DECIDED or decision is None:
            raise Conflict("task_not_open", state=row.state, action="gold")
        gold.make(
            task=row, fields=decision.fields, schema_version=decision.schema_version, actor=actor
        )


def tell_gold(payloads: Sequence[Mapping[str, Any]]) -> None:
    """Hours after an answer to a gold task, its author is told how it fared, as of any other."""
    ids = {payload["annotation"] for payload in payloads}
    rows = Annotation.objects.filter(pk__in=ids, withdrawn_at=None, feedback=None)
    for answer in rows.select_related("task__project", "task__truth__origin"):
        tell_known(answer)


def tell_known(answer: Annotation) -> None:
    """Tell the author of an answer to a gold task whether it is right, and where not."""
    known = getattr(answer.task, "truth", None)
    if known is None:
        return
    schemas = Schemas(answer.task.project)
    truth = schemas.carry(known.fields, known.schema_version).fields
    changed = differing(schemas, answer, truth)
    decision = None
    if known.origin is not None:
        decision = Decision.objects.filter(task=known.origin, superseded_at=None).first()
    outcome = Feedback.Outcome.CORRECTED if changed else Feedback.Outcome.UPHELD
    tell([answer], outcome, changed=changed, decision=decision)
