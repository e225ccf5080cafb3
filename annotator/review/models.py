"""What was decided, and who is looking at a dispute now."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Decision(models.Model):
    """The final caption, boxes and attributes of a task. A task has at most one current decision;
    older ones keep their place in the history."""

    class Source(models.TextChoices):
        AGREED = "agreed"
        ARBITRATED = "arbitrated"
        IMPORTED = "imported"

    task = models.ForeignKey("labeling.Task", related_name="decisions", on_delete=models.CASCADE)
    fields = models.JSONField()
    boxes = models.JSONField(default=list)
    attributes = models.JSONField(default=dict)
    caption = models.TextField()
    sku_code = models.CharField(max_length=64, blank=True, db_index=True)
    source = models.CharField(max_length=12, choices=Source.choices)
    ties = models.JSONField(default=list)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.PROTECT
    )
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task"],
                name="one_current_decision",
                condition=models.Q(superseded_at__isnull=True),
            )
        ]


class Dispute(models.Model):
    """An open question about a task. ``reviewer`` holds it, fenced by ``token``, until
    ``claimed_until``."""

    task = models.OneToOneField("labeling.Task", related_name="dispute", on_delete=models.CASCADE)
    reasons = models.JSONField(default=list)
    score = models.FloatField(null=True)
    reopened = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.SET_NULL
    )
    token = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["opened_at"],
                name="dispute_open",
                condition=models.Q(closed_at__isnull=True),
            )
        ]
