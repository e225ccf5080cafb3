"""Rows that every room needs: the audit log, the outbox, kept answers of idempotent requests."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """Who did what to which object, when. Append-only: triggers refuse updates and deletes."""

    site_id = models.BigIntegerField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=32)
    object_id = models.BigIntegerField()
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_object"),
            models.Index(fields=["site_id", "-id"], name="audit_site"),
        ]


class OutboxEvent(models.Model):
    """Work to do, written in the transaction that made it necessary."""

    handler = models.CharField(max_length=64)
    queue = models.CharField(max_length=16)
    payload = models.JSONField(default=dict)
    dedupe = models.CharField(max_length=128, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)
    request_id = models.CharField(max_length=64, default="", blank=True)
    """Of the request that made the work necessary."""

    class Meta:
        indexes = [
            models.Index(
                fields=["queue", "due_at"],
                name="outbox_due",
                condition=models.Q(failed_at__isnull=True),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["handler", "dedupe"],
                name="outbox_one_waiting",
                condition=models.Q(leased_until__isnull=True, failed_at__isnull=True),
            )
        ]


class KeptAnswer(models.Model):
    """The answer given to an Idempotency-Key, so that a repeated request gets the same one."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="kept_answer_once"),
        ]


class JobState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(models.Model):
    """Long work that somebody waits for: how far it is, how it ended, where to go on after a kill.
    ``leased_until`` is the promise of the worker that runs it to write again."""

    site_id = models.BigIntegerField()
    project_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=32)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=JobState.choices, default=JobState.WAITING)
    total = models.PositiveIntegerField(null=True)
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    checkpoint = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["site_id", "-id"], name="job_site"),
            models.Index(
                fields=["leased_until"], name="job_running", condition=models.Q(state="running")
            ),
        ]
