"""Tasks, who holds them, what was answered, and how well the answers agree."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models

from .states import HOLDING, AssignmentState, Flag, SkipReason, TaskState

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""When a task without a due date is due: a plain ascending order then has it last everywhere."""


class Batch(models.Model):
    """A named set of a project's tasks with a common due date. Its priority and due date are copied
    to its tasks, and a batch that is not open holds them back, so that the queue reads tasks only."""

    class State(models.TextChoices):
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    project = models.ForeignKey(
        "accounts.Project", related_name="batches", on_delete=models.CASCADE
    )
    name = models.CharField(max_length=128)
    due_at = models.DateTimeField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="batch_name_once")]


def random_place() -> float:
    """A place in the queue that nothing else decides, in 0…1."""
    return random.random()


_VACANT = models.Q(state__in=["ready", "labeling"], places_left__gt=0, on_hold=False)


class Task(models.Model):
    """The captioning of one scene in a project. ``places_left`` is how many more people may take it:
    the overlap less its holding assignments; ``had`` names, as ``,12,57,``, the people who hold,
    answered or passed on it. Both change only under a lock of this row. ``category`` is what the
    machine takes it for, ``proposed`` the key of the SKU that it is sure of; ``shuffle`` is a random
    place in the queue; ``due_at`` is its batch's due date, else NEVER; ``on_hold`` says that its batch
    is not open. One in state ``gold`` is a second task of its scene, whose answer is known (see
    :class:`Gold`): the queue does not know it, it is handed out by chance and never decided."""

    class Priority(models.IntegerChoices):
        NORMAL = 0, "normal"
        URGENT = 1, "urgent"

    # Where ``db_index`` is off, another index begins with the column.
    project = models.ForeignKey(
        "accounts.Project", related_name="tasks", on_delete=models.CASCADE, db_index=False
    )
    scene = models.ForeignKey("captures.Scene", related_name="tasks", on_delete=models.PROTECT)
    state = models.CharField(max_length=8, choices=TaskState.choices, default=TaskState.NEW)
    priority = models.PositiveSmallIntegerField(default=Priority.NORMAL, choices=Priority.choices)
    value = models.FloatField(default=0.0)
    overlap = models.PositiveSmallIntegerField()
    places_left = models.PositiveSmallIntegerField()
    answers = models.PositiveSmallIntegerField(default=0)
    skips = models.PositiveSmallIntegerField(default=0)
    batch = models.ForeignKey(
        Batch, null=True, related_name="tasks", on_delete=models.SET_NULL, db_index=False
    )
    due_at = models.DateTimeField(default=NEVER)
    on_hold = models.BooleanField(default=False)
    had = models.CharField(max_length=255, default=",")
    category = models.ForeignKey(
        "catalog.Category", null=True, related_name="+", on_delete=models.SET_NULL, db_index=False
    )
    proposed = models.CharField(max_length=64, default="")
    shuffle = models.FloatField(default=random_place)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "scene"], name="task_once", condition=~models.Q(state="gold")
            ),
            models.UniqueConstraint(
                fields=["project", "scene"], name="gold_once", condition=models.Q(state="gold")
            ),
            models.CheckConstraint(
                condition=models.Q(places_left__lte=models.F("overlap")), name="task_places"
            ),
        ]
        indexes = [
            # The three ways through the queue (see ``handout``): by value, at random, by value
            # within a category. All begin with who had the task already.
            models.Index(
                fields=["project", "had", "-priority", "due_at", "-answers", "-value", "id"],
                name="task_queue",
                condition=_VACANT,
            ),
            models.Index(
                fields=["project", "had", "-priority", "due_at", "-answers", "shuffle", "id"],
                name="task_random",
                condition=_VACANT,
            ),
            models.Index(
                fields=[
                    "project",
                    "category",
                    "had",
                    "-priority",
                    "due_at",
                    "-answers",
                    "-value",
                    "id",
                ],
                name="task_category",
                condition=_VACANT,
            ),
            # All that the choice of look-alikes asks for (see ``handout.groups``).
            models.Index(
                fields=["project", "proposed", "had", "priority", "due_at", "category"],
                name="task_proposed",
                condition=_VACANT & models.Q(proposed__gt=""),
            ),
            models.Index(
                fields=["project", "-priority", "id"],
                name="task_new",
                condition=models.Q(state="new"),
            ),
            models.Index(
                fields=["batch", "state", "decided_at"],
                name="task_of_batch",
                condition=models.Q(batch__isnull=False),
            ),
            models.Index(fields=["project", "state", "-id"], name="task_state"),
            models.Index(fields=["project", "-id"], name="task_project"),
            models.Index(
                fields=["project", "-id"],
                name="task_urgent",
                condition=models.Q(priority=1),
            ),
            models.Index(
                fields=["project", "-decided_at", "-id"],
                name="task_decided",
                condition=models.Q(decided_at__isnull=False),
            ),
        ]


class Gold(models.Model):
    """The known answer of a gold task, in the schema numbered ``schema_version``. ``origin`` is the
    decided task that it was made of; none where the answer was imported."""

    task = models.OneToOneField(Task, related_name="truth", on_delete=models.CASCADE)
    origin = models.ForeignKey(
        Task, null=True, related_name="+", on_delete=models.SET_NULL, db_index=False
    )
    fields = models.JSONField()
    schema_version = models.PositiveIntegerField()
    retired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Standing(models.Model):
    """What was decided about how an annotator is handed a project's tasks: paused with a reason, gold
    tasks at their own rate, a further annotator on every task of theirs. ``skill`` is what is known of how
    often they name the right SKU, a lower bound; null: too little."""

    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE, db_index=False
    )
    project = models.ForeignKey("accounts.Project", related_name="+", on_delete=models.CASCADE)
    paused_at = models.DateTimeField(null=True)
    paused_reason = models.CharField(max_length=500, blank=True)
    gold_rate = models.FloatField(null=True)
    third = models.BooleanField(default=False)
    skill = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["annotator", "project"], name="standing_once")
        ]


class Trial(models.Model):
    """Whether the answer of the first person to hold a task does: what was known when it was handed out,
    and what came of it. ``alone``: nobody else is asked. ``counted``: chance chose it, whatever its
    score, to learn the error from. ``agrees`` and ``wrong`` say whether the answer agrees with the
    machine and what was decided in the end differs from it; null until that is known."""

    task = models.OneToOneField(Task, related_name="trial", on_delete=models.CASCADE)
    project = models.ForeignKey(
        "accounts.Project", related_name="+", on_delete=models.CASCADE, db_index=False
    )
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE, db_index=False
    )
    suggestion = models.ForeignKey(
        "suggestions.Suggestion", related_name="+", on_delete=models.CASCADE
    )
    score = models.FloatField()
    model_version = models.CharField(max_length=128)
    schema_version = models.PositiveIntegerField()
    alone = models.BooleanField()
    counted = models.BooleanField()
    agrees = models.BooleanField(null=True)
    wrong = models.BooleanField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "model_version", "schema_version", "-id"],
                name="trial_counted",
                condition=models.Q(counted=True),
            )
        ]


class Trust(models.Model):
    """How far first answers that agree with one version of the model are trusted under one version of
    the schema: from which score on (``threshold``; null: not at all). ``bound`` is the upper bound of the
    error above it, by ``errors`` among ``audits``; ``grid`` are the thresholds that are tested, with the
    trials after ``since``. ``seen`` is the last trial at the last look, ``alarmed_at`` when errors last
    came too often."""

    project = models.ForeignKey("accounts.Project", related_name="trust", on_delete=models.CASCADE)
    model_version = models.CharField(max_length=128)
    schema_version = models.PositiveIntegerField()
    limit = models.FloatField()
    grid = models.JSONField(default=list)
    since = models.BigIntegerField(default=0)
    seen = models.BigIntegerField(default=0)
    threshold = models.FloatField(null=True)
    bound = models.FloatField(null=True)
    audits = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    alarmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "model_version", "schema_version", "limit"], name="trust_once"
            )
        ]


class CarriedOver(models.Model):
    """A scene that only near-duplicates another and so has no task of its own in the project: what
    is decided of ``task`` is decided of it."""

    project = models.ForeignKey("accounts.Project", related_name="+", on_delete=models.CASCADE)
    scene = models.ForeignKey("captures.Scene", related_name="carried", on_delete=models.PROTECT)
    task = models.ForeignKey(Task, related_name="carried", on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "scene"], name="carried_over_once")
        ]


class TaskCount(models.Model):
    """``n`` tasks more (or less) of a kind: a project's tasks in a state; those that can be taken
    also by category (0: none) and by ``lane``, the people who had them. Written by triggers on the
    table of tasks, whatever changes it; the sum is what counts (see ``counting``)."""

    project_id = models.BigIntegerField()
    state = models.CharField(max_length=8)
    category_id = models.BigIntegerField(default=0)
    lane = models.CharField(max_length=255, default="")
    n = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["project_id"], name="task_count_project")]


class Turn(models.Model):
    """Where a project stands in the turns that a site's projects take with one annotator: its
    handouts divided by its share."""

    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE, db_index=False
    )
    project = models.ForeignKey("accounts.Project", related_name="+", on_delete=models.CASCADE)
    passed = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["annotator", "project"], name="turn_once")]


class Assignment(models.Model):
    """A task leased to one annotator. ``token`` fences: only its holder may write. ``grid`` names the
    look-alikes among which it was handed out; a released lease keeps it when it was knocked out.
    ``returned_at`` says that its answer was given back, ``returned_note`` with which words.
    ``suggestion_shown`` says whether the suggestion has been given away, ``suggestion_delayed`` whether
    it was to come later."""

    task = models.ForeignKey(Task, related_name="assignments", on_delete=models.CASCADE)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        related_name="assignments",
        on_delete=models.PROTECT,
        db_index=False,
    )
    state = models.CharField(
        max_length=12, choices=AssignmentState.choices, default=AssignmentState.ACTIVE
    )
    token = models.CharField(max_length=32)
    expires_at = models.DateTimeField()
    suggestion = models.ForeignKey(
        "suggestions.Suggestion", null=True, related_name="+", on_delete=models.SET_NULL
    )
    suggestion_shown = models.BooleanField(default=False)
    suggestion_delayed = models.BooleanField(default=False)
    grid = models.CharField(max_length=32, default="")
    draft = models.JSONField(null=True)
    draft_version = models.PositiveIntegerField(default=0)
    skip_reason = models.CharField(max_length=16, choices=SkipReason.choices, blank=True)
    skip_detail = models.CharField(max_length=500, blank=True)
    returned_at = models.DateTimeField(null=True)
    returned_note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    views: Sequence[Any] = ()
    """The captures, read together with the lease (see ``suggestions.queries.suggested_views``)."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "annotator"],
                name="one_holding_per_person",
                condition=models.Q(state__in=sorted(HOLDING)),
            )
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], name="lease_expiry", condition=models.Q(state="active")
            ),
            models.Index(fields=["annotator", "state"], name="assignment_of"),
        ]


class Annotation(models.Model):
    """A submitted answer. Its content never changes; withdrawing it sets ``withdrawn_at``.
    ``fields`` maps a key of the schema numbered ``schema_version`` to a text or to
    ``{"unknown": reason}``; ``caption`` is canonical in that schema. ``flag`` says who is to look
    again, ``note`` what at."""

    assignment = models.ForeignKey(Assignment, related_name="annotations", on_delete=models.PROTECT)
    task = models.ForeignKey(Task, related_name="annotations", on_delete=models.PROTECT)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        related_name="annotations",
        on_delete=models.PROTECT,
        db_index=False,
    )
    fields = models.JSONField()
    schema_version = models.PositiveIntegerField(default=1)
    boxes = models.JSONField(default=list)
    attributes = models.JSONField(default=dict)
    caption = models.TextField()
    active_seconds = models.FloatField()
    suggestion = models.ForeignKey(
        "suggestions.Suggestion", null=True, related_name="+", on_delete=models.SET_NULL
    )
    suggestion_shown = models.BooleanField()
    suggestion_delayed = models.BooleanField(default=False)
    suggestion_used = models.JSONField(default=dict)
    flag = models.CharField(max_length=8, choices=Flag.choices, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"],
                name="one_standing_answer",
                condition=models.Q(withdrawn_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(fields=["author", "-id"], name="annotation_of"),
            models.Index(fields=["author", "-created_at"], name="annotation_day"),
        ]


class Agreement(models.Model):
    """How well the standing answers of a task agree."""

    task = models.OneToOneField(Task, related_name="agreement", on_delete=models.CASCADE)
    score = models.FloatField()
    per_field = models.JSONField()
    reasons = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now=True)
