"""Tasks, who holds them, what was answered, and how well the answers agree."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .states import HOLDING, AssignmentState, SkipReason, TaskState


class Task(models.Model):
    """The captioning of one scene in a project. ``places_left`` is how many more people may take it:
    the overlap less its holding assignments; it changes only under a lock of this row."""

    class Priority(models.IntegerChoices):
        NORMAL = 0, "normal"
        URGENT = 1, "urgent"

    project = models.ForeignKey("accounts.Project", related_name="tasks", on_delete=models.CASCADE)
    scene = models.ForeignKey("captures.Scene", related_name="tasks", on_delete=models.PROTECT)
    state = models.CharField(max_length=8, choices=TaskState.choices, default=TaskState.NEW)
    priority = models.PositiveSmallIntegerField(default=Priority.NORMAL, choices=Priority.choices)
    value = models.FloatField(default=0.0)
    overlap = models.PositiveSmallIntegerField()
    places_left = models.PositiveSmallIntegerField()
    answers = models.PositiveSmallIntegerField(default=0)
    skips = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "scene"], name="task_once"),
            models.CheckConstraint(
                condition=models.Q(places_left__lte=models.F("overlap")), name="task_places"
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "-priority", "-answers", "-value", "id"],
                name="task_queue",
                condition=models.Q(state__in=["ready", "labeling"], places_left__gt=0),
            ),
            models.Index(fields=["project", "state", "-id"], name="task_state"),
        ]


class Assignment(models.Model):
    """A task leased to one annotator. ``token`` fences: only its holder may write."""

    task = models.ForeignKey(Task, related_name="assignments", on_delete=models.CASCADE)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="assignments", on_delete=models.PROTECT
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
    draft = models.JSONField(null=True)
    draft_version = models.PositiveIntegerField(default=0)
    skip_reason = models.CharField(max_length=16, choices=SkipReason.choices, blank=True)
    skip_detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

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
    ``fields`` maps a key to ``{"value": …}`` or ``{"unknown": true, "reason": …}``."""

    assignment = models.ForeignKey(Assignment, related_name="annotations", on_delete=models.PROTECT)
    task = models.ForeignKey(Task, related_name="annotations", on_delete=models.PROTECT)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="annotations", on_delete=models.PROTECT
    )
    fields = models.JSONField()
    boxes = models.JSONField(default=list)
    attributes = models.JSONField(default=dict)
    caption = models.TextField()
    active_seconds = models.FloatField()
    suggestion = models.ForeignKey(
        "suggestions.Suggestion", null=True, related_name="+", on_delete=models.SET_NULL
    )
    suggestion_shown = models.BooleanField()
    suggestion_used = models.JSONField(default=dict)
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
        indexes = [models.Index(fields=["author", "-id"], name="annotation_of")]


class Agreement(models.Model):
    """How well the standing answers of a task agree."""

    task = models.OneToOneField(Task, related_name="agreement", on_delete=models.CASCADE)
    score = models.FloatField()
    per_field = models.JSONField()
    reasons = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now=True)
