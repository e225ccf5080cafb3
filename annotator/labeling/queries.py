"""Reading tasks. What one person may see of another's answers is decided here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import (
    Avg,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotator.accounts.models import GuideReading, Project, Site, User
from annotator.accounts.queries import site_ids_where, sites_where
from annotator.accounts.states import ANNOTATORS, STAFF, Role
from annotator.captures.models import Capture, Scene
from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key
from annotator.core.models import OutboxEvent
from annotator.core.rows import Rows
from annotator.core.statements import Statement
from annotator.suggestions.models import Suggestion

from .gold import left_for
from .models import Annotation, Assignment, CarriedOver, Task, TaskCount, Turn
from .states import OPEN_STATES, ORDINARY, AssignmentState, TaskState

SETTLED = (TaskState.DISPUTED, TaskState.DECIDED, TaskState.REJECTED)


def visible_to(user: User) -> QuerySet[Annotation]:
    """The answers that ``user`` may see: their own; and those of other people once nobody blind is
    left, that is to reviewers and admins of the site, when the task is settled and they hold no
    open lease on it."""
    holds = Assignment.objects.filter(
        task=OuterRef("task"), annotator=user, state=AssignmentState.ACTIVE
    )
    others = Q(task__state__in=SETTLED, task__project__site__in=sites_where(user, STAFF)) & ~Exists(
        holds
    )
    return Annotation.objects.filter(Q(author=user) | others)


def standing(task: Task) -> list[Annotation]:
    """The answers of a task that were not withdrawn, in the order of submission."""
    return list(task.annotations.filter(withdrawn_at=None).order_by("id"))


def standing_on_open(project: Project) -> QuerySet[Annotation]:
    """The answers of a project's open tasks that were not withdrawn."""
    return Annotation.objects.filter(
        task__project=project, task__state=TaskState.LABELING, withdrawn_at=None
    )


def open_drafts(project: Project) -> QuerySet[Assignment]:
    """The open leases of a project in which something was typed."""
    return Assignment.objects.filter(
        task__project=project, state=AssignmentState.ACTIVE, draft__isnull=False
    )


def with_earlier_answers(project: Project) -> QuerySet[Task]:
    """Open tasks with answers that were written under an earlier schema, by id."""
    earlier = Annotation.objects.filter(
        task=OuterRef("pk"), withdrawn_at=None, schema_version__lt=project.schema_version
    )
    return Task.objects.filter(Exists(earlier), project=project, state=TaskState.LABELING).order_by(
        "pk"
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """A project as one of its annotators stands before it: the open leases (oldest first, those
    among look-alikes aside) and what limits the choice of the next task. ``gold_rate`` of what they are handed is gold,
    ``third`` asks for one more annotator on it, ``paused`` says why they are handed nothing, ``skill`` how
    often they are right."""

    project: Project
    held: Sequence[int]
    categories: Sequence[int]
    languages: Sequence[str]
    gold_rate: float
    third: bool
    paused: str | None
    skill: float | None = None


# By hand, since it runs with every ``next`` and building it costs ten times what asking it does.
_DESK = """SELECT p.*, m.id AS membership, m.categories, m.languages, (
  SELECT {join_ids} FROM labeling_assignment a JOIN labeling_task t ON t.id = a.task_id
  WHERE a.annotator_id = %(user)s AND a.state = 'active' AND a.grid = ''
  AND t.project_id = p.id) AS held,
  s.paused_at, s.paused_reason, s.gold_rate, s.third, s.skill,
  EXISTS (SELECT 1 FROM labeling_gold g JOIN labeling_task t ON t.id = g.task_id
    WHERE t.project_id = p.id AND g.retired_at IS NULL) AS has_gold,
  (SELECT COUNT(*) FROM (SELECT 1 FROM labeling_annotation a JOIN labeling_task t ON t.id = a.task_id
    WHERE a.author_id = %(user)s AND t.project_id = p.id LIMIT {most}) AS firsts) AS firsts
FROM accounts_project p LEFT JOIN accounts_membership m
ON m.site_id = p.site_id AND m.user_id = %(user)s AND m.role = 'annotator'
LEFT JOIN labeling_standing s ON s.project_id = p.id AND s.annotator_id = %(user)s
WHERE p.id = %(project)s"""
_FIRSTS = 200
"""Of so many first answers it is told apart whether somebody is new."""
_JOIN_IDS = {
    "sqlite": "group_concat(a.id)",
    "postgresql": "string_agg(a.id::text, ',')",
}


def desk_of(project_id: int, user: User) -> Desk | None:
    """The desk of ``user`` in a project; None where they are no annotator."""
    statement = _DESK.format(join_ids=_JOIN_IDS[connection.vendor], most=_FIRSTS)
    rows = Project.objects.raw(statement, {"project": project_id, "user": user.pk})
    project: Any = next(iter(rows), None)
    if project is None or not user.is_active:
        return None
    if not user.is_superuser:
        here = user.held is None or Role.ANNOTATOR in user.held.get(project.site_id, ())
        if project.membership is None or not here:
            return None
    held = sorted(int(pk) for pk in project.held.split(",")) if project.held else []
    categories, languages = (
        json.loads(limit) if limit else [] for limit in (project.categories, project.languages)
    )
    rules, rate = project.rules, 0.0
    if project.has_gold and rules.gold_rate:
        new = project.firsts < rules.newcomer_tasks
        usual = rules.newcomer_gold_rate if new else rules.gold_rate
        rate = max(usual, project.gold_rate or 0.0)
    paused = project.paused_reason if project.paused_at is not None else None
    return Desk(
        project, held, categories, languages, rate, bool(project.third), paused, project.skill
    )


def held_on(site_id: int, user: User) -> list[int]:
    """The open leases of ``user`` on a site, oldest first, those among look-alikes aside."""
    rows = Assignment.objects.filter(
        annotator=user, state=AssignmentState.ACTIVE, task__project__site=site_id, grid=""
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def turns_on(site_id: int, user: User) -> tuple[dict[int, float], dict[int, float]]:
    """The shares of a site's projects that take turns, and where each stands with ``user``."""
    rows = Project.objects.filter(site=site_id, share__gt=0, archived_at=None).values_list(
        "pk",
        "share",
        Subquery(Turn.objects.filter(project=OuterRef("pk"), annotator=user).values("passed")),
    )
    shares, passed = {}, {}
    for pk, share, at in rows:
        shares[pk] = share
        if at is not None:
            passed[pk] = at
    return shares, passed


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an answer is checked and compared with: picture sizes by capture, catalog codes by their
    key, and the standing answers in their order."""

    sizes_px: Mapping[int, tuple[int, int]]
    codes: Mapping[str, str]
    standing: Sequence[Annotation]


def surroundings_of(task: Task, *, codes: Iterable[str], boxed: bool) -> Surroundings:
    """The surroundings of a locked task, in one statement; ``codes`` are those that were typed, and
    pictures matter where something is ``boxed``."""
    site = task.project.site_id
    keys = list({code_key(code) for code in codes if code})
    if not boxed and not task.answers:
        return Surroundings({}, dict(_CODES(site=site, keys=keys)) if keys else {}, [])
    [found] = _SURROUNDINGS(
        task=task.pk,
        site=site,
        scene=task.scene_id,
        keys=keys or [""],
        boxed=boxed,
        answered=bool(task.answers),
    )
    return Surroundings(
        {row["id"]: (row["w"], row["h"]) for row in found.get("sizes", ())},
        {row["key"]: row["code"] for row in found["known"]},
        sorted(
            (Annotation(task=task, **row) for row in found.get("standing", ())),
            key=lambda answer: answer.pk,
        ),
    )


def _surroundings(
    task: int, site: int, scene: int, keys: Sequence[str], boxed: bool, answered: bool
) -> QuerySet[Task, Any]:
    parts = {"known": Rows(_skus_called(site, keys), key="code_key", code="standing_code")}
    if boxed:
        captures = Capture.objects.filter(scene=scene)
        parts["sizes"] = Rows(captures, id="pk", w="image__width", h="image__height")
    if answered:
        answers = Annotation.objects.filter(task=task, withdrawn_at=None)
        kept = ("fields", "boxes", "attributes", "schema_version", "flag", "note")
        columns = {name: name for name in kept}
        keys_of = {"id": "pk", "assignment_id": "assignment", "author_id": "author"}
        parts["standing"] = Rows(answers, **keys_of, **columns)
    return Task.objects.filter(pk=task, scene=scene).values(**parts)


def _skus_called(site: int, keys: Sequence[str]) -> QuerySet[Any]:
    return Sku.objects.filter(site=site, code_key__in=keys).annotate(
        standing_code=Coalesce("merged_into__code", "code")
    )


_CODES: Statement[tuple[str, str]] = Statement(
    lambda site, keys: _skus_called(site, keys).values_list("code_key", "standing_code")
)
_SURROUNDINGS: Statement[dict[str, Any]] = Statement(_surroundings)


def own_assignment(assignment_id: int, user: User) -> QuerySet[Assignment]:
    """The assignment with its task and project, if it is one of ``user``, who may still label."""
    return _own(assignment_id, user.pk, site_ids_where(user, ANNOTATORS))


def own_with_locked_task(assignment_id: int, user: User) -> Assignment | None:
    """The same, its task locked."""
    sites = site_ids_where(user, ANNOTATORS)
    rows = _OWN_LOCKED(assignment=assignment_id, annotator=user.pk, sites=sites)
    return next(iter(rows), None)


def _own(assignment: int, annotator: int, sites: Any) -> QuerySet[Assignment]:
    return Assignment.objects.filter(
        pk=assignment, annotator=annotator, task__project__site__in=sites
    ).select_related("task__project")


_OWN_LOCKED: Statement[Assignment] = Statement(
    lambda **values: _own(**values).select_for_update(of=("task",))
)


def tasks_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Task]:
    """Tasks with their project and scene."""
    return Task.objects.filter(project__site__in=sites).select_related("project", "scene")


def state_counts(project_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """The number of tasks in each state, by project, in one query that scans no tasks."""
    ids = list(project_ids)
    counts: dict[int, dict[str, int]] = {pk: dict.fromkeys(TaskState.values, 0) for pk in ids}
    rows = (
        TaskCount.objects.filter(project_id__in=ids)
        .order_by()
        .values_list("project_id", "state")
        .annotate(sum=Sum("n"))
    )
    for project_id, state, n in rows:
        counts[project_id][state] = n
    for row in counts.values():
        row["total"] = sum(row[state] for state in ORDINARY)
    return counts


def my_progress(project_ids: Sequence[int], user: User) -> dict[int, dict[str, Any]]:
    """By project: today's answers of ``user``, their mean active seconds, and how many tasks are
    left to take (limits of the person aside). Two queries, however many projects; no task is
    looked at."""
    progress: dict[int, dict[str, Any]] = {
        pk: {"today": 0, "mean_active_seconds": None, "open": 0} for pk in project_ids
    }
    today = (
        Annotation.objects.filter(
            author=user,
            task__project__in=project_ids,
            withdrawn_at=None,
            created_at__gte=_start_of_day(),
        )
        .order_by()
        .values_list("task__project")
        .annotate(n=Count("pk"), mean=Avg("active_seconds"))
    )
    for project_id, n, mean in today:
        progress[project_id] |= {"today": n, "mean_active_seconds": round(mean, 1)}
    left = (
        TaskCount.objects.filter(project_id__in=project_ids)
        .exclude(lane="")
        .exclude(lane__contains=f",{user.pk},")
        .order_by()
        .values_list("project_id")
        .annotate(sum=Sum("n"))
    )
    gold = left_for(project_ids, user)
    for project_id, n in left:
        # With the gold tasks, so that taking one makes it one less as well.
        progress[project_id]["open"] = n + gold.get(project_id, 0) if n else 0
    return progress


def guides_read(project_ids: Iterable[int], user: User) -> dict[int, int]:
    """The version of each project's instructions that ``user`` opened last."""
    rows = GuideReading.objects.filter(user=user, project__in=list(project_ids))
    return dict(rows.values_list("project", "version"))


def _start_of_day() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def recent_of(
    project: Project, user: User, *, flagged: bool = False, limit: int = 10
) -> list[Annotation]:
    """The last answers of ``user`` in a project, or of those the flagged ones, newest first."""
    rows = Annotation.objects.filter(author=user, task__project=project)
    if flagged:
        rows = rows.filter(withdrawn_at=None).exclude(flag="")
    return list(rows.select_related("task", "assignment").order_by("-id")[:limit])


def grid_of(project: Project, user: User, grid: str = "") -> list[Assignment]:
    """The open leases of ``user`` among look-alikes (of one grid), in the order of handing out."""
    rows = Assignment.objects.filter(
        annotator=user, state=AssignmentState.ACTIVE, task__project=project, grid__gt=""
    )
    if grid:
        rows = rows.filter(grid=grid)
    return list(rows.select_related("task__project", "suggestion").order_by("pk"))


def overdue(now: datetime, limit: int = 200) -> list[Assignment]:
    """Leases that ran out."""
    return list(
        Assignment.objects.filter(state=AssignmentState.ACTIVE, expires_at__lt=now)
        .order_by("expires_at")
        .only("pk", "task_id", "annotator_id")[:limit]
    )


def behind_overlap(project_id: int) -> QuerySet[Task]:
    """Open tasks that want another number of answers than their project, by age."""
    return Task.objects.filter(
        ~Q(overlap=F("project__overlap")),
        project=project_id,
        state__in=(TaskState.NEW, *OPEN_STATES),
    ).order_by("pk")


def waiting_in_vain(project: Project) -> QuerySet[Task]:
    """Tasks that wait for a suggestion that is not coming, oldest first: the site has had none for
    a while, the recognizer has refused work for 20 s or nobody has asked it for two minutes."""
    now = timezone.now()
    refused = OutboxEvent.objects.filter(handler="suggest").exclude(last_error="").exists()
    since = now - timedelta(seconds=20 if refused else 120)
    # The last ones by id, more than 20 s bring: looking for a young one among all would read all.
    last = Suggestion.objects.order_by("-pk").values("pk")[:1000]
    recent = Suggestion.objects.filter(
        pk__in=last, capture__site=project.site_id, created_at__gte=now - timedelta(seconds=20)
    )
    return Task.objects.filter(
        ~Exists(recent), project=project, state=TaskState.NEW, created_at__lt=since
    ).order_by("-priority", "id")


def carried_over(task: Task, limit: int = 50) -> list[Capture]:
    """The captures that are not labeled themselves and take the decision of ``task``."""
    rows = Capture.objects.filter(scene__carried__task=task).select_related("image")
    return list(rows.order_by("pk")[:limit])


def groups_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Scene]:
    """The first scenes of groups of near-duplicates, with the number of scenes in each."""
    members = (
        Scene.objects.filter(group=OuterRef("pk")).order_by().values("group").annotate(n=Count("*"))
    )
    return Scene.objects.filter(site__in=sites, group=F("pk")).annotate(
        scenes=Subquery(members.values("n"))
    )


def group_members(group: int, limit: int = 200) -> list[Capture]:
    """The captures of a group's scenes, those of the first scene first."""
    rows = Capture.objects.filter(scene__group=group).select_related("image", "scene")
    return list(rows.order_by("scene", "pk")[:limit])


def tasks_of_scenes(scene_ids: Iterable[int]) -> dict[int, list[tuple[Task, bool]]]:
    """The tasks that decide of scenes, by scene; True where the scene takes another's decision."""
    found: dict[int, list[tuple[Task, bool]]] = {}
    tasks = Task.objects.filter(scene__in=scene_ids, state__in=ORDINARY)
    for task in tasks.select_related("project"):
        found.setdefault(task.scene_id, []).append((task, False))
    links = CarriedOver.objects.filter(scene__in=scene_ids).select_related("task__project")
    for link in links:
        found.setdefault(link.scene_id, []).append((link.task, True))
    return found
