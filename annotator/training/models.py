"""Training runs, and what a site asks of them: when they start by themselves, and who passes."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from .states import ACTIVE, Method, RunState, Trigger


class TrainingRun(models.Model):
    """One training of a site's model: from a snapshot to a challenger that was judged. ``fence`` grows
    with every attempt, and only the attempt that it names may write; ``heartbeat_at`` is when that
    one last did, ``host`` and ``pid`` where it runs. ``folder`` lies below HOME: the bundle in
    ``model``, the log, the answers of the champion. ``stage``, ``done`` and ``total`` are the
    trainer's own; ``figures`` what it last said of an epoch. ``decisions_up_to`` is the id of the
    latest decision when it was asked for. ``gate`` is the verdict with its reasons."""

    site = models.ForeignKey(
        "accounts.Site", related_name="training_runs", on_delete=models.CASCADE, db_index=False
    )
    project = models.ForeignKey("accounts.Project", related_name="+", on_delete=models.CASCADE)
    state = models.CharField(max_length=9, choices=RunState.choices, default=RunState.QUEUED)
    method = models.CharField(max_length=5, choices=Method.choices, default=Method.LORA)
    arguments = models.JSONField(default=dict)
    trigger = models.CharField(max_length=6, choices=Trigger.choices, default=Trigger.PERSON)
    trigger_facts = models.JSONField(default=dict)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.PROTECT
    )
    snapshot = models.ForeignKey(
        "datasets.Snapshot", null=True, related_name="runs", on_delete=models.PROTECT
    )
    base = models.CharField(max_length=500, blank=True)
    champion = models.ForeignKey(
        "modelhub.ModelVersion", null=True, related_name="+", on_delete=models.SET_NULL
    )
    version = models.ForeignKey(
        "modelhub.ModelVersion", null=True, related_name="runs", on_delete=models.SET_NULL
    )
    folder = models.CharField(max_length=255, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    figures = models.JSONField(default=dict)
    timings_s = models.JSONField(default=dict)
    decisions_up_to = models.BigIntegerField(default=0)
    gate = models.JSONField(null=True)
    error = models.JSONField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site"],
                name="one_active_run",
                condition=models.Q(state__in=sorted(ACTIVE)),
            )
        ]
        indexes = [
            models.Index(fields=["site", "-id"], name="training_run_site"),
            models.Index(
                fields=["heartbeat_at"],
                name="training_run_active",
                condition=models.Q(state__in=sorted(ACTIVE)),
            ),
        ]


def _share(default: float) -> models.FloatField:  # type: ignore[type-arg]
    validators = [MinValueValidator(0.0), MaxValueValidator(1.0)]
    return models.FloatField(default=default, validators=validators)


class GateSettings(models.Model):
    """What a site's challenger must reach (see ``gates.Rules``), all as shares of photos. Where there
    is no row, these defaults hold. ``auto_promote``: who passes goes live without being asked."""

    site = models.OneToOneField("accounts.Site", related_name="+", on_delete=models.CASCADE)
    margin = _share(0.0)
    field_fall = _share(0.02)
    category_fall = _share(0.05)
    tail_fall = _share(0.03)
    gold_fall = _share(0.02)
    min_photos = models.PositiveIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    auto_promote = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)


class Schedule(models.Model):
    """When a site's runs start by themselves; each of the three reasons is off where it is null.
    ``hour`` (in ``timezone``), daily or on one ``weekday`` (0: Monday); ``new_decisions`` since the
    last run; ``drift_fall``: by how much suggestions are accepted less often than in the first days
    after the last promotion. ``last_slot`` is the last time that a run was due by the clock."""

    site = models.OneToOneField("accounts.Site", related_name="+", on_delete=models.CASCADE)
    project = models.ForeignKey("accounts.Project", related_name="+", on_delete=models.CASCADE)
    enabled = models.BooleanField(default=True)
    method = models.CharField(max_length=5, choices=Method.choices, default=Method.LORA)
    arguments = models.JSONField(default=dict, blank=True)
    timezone = models.CharField(max_length=64, default="Asia/Shanghai")
    hour = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(23)]
    )
    weekday = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(6)]
    )
    new_decisions = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10_000_000)]
    )
    drift_fall = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.01), MaxValueValidator(1.0)]
    )
    last_slot = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
