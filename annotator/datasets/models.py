"""Frozen data sets."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from annotator.core.models import JobState

from .states import Weighting


def _share(default: float, most: float) -> models.FloatField:  # type: ignore[type-arg]
    validators = [MinValueValidator(0.0), MaxValueValidator(most)]
    return models.FloatField(default=default, validators=validators)


class Snapshot(models.Model):
    """A frozen, hashed, reproducible data set made of decisions. ``filters`` select the tasks;
    ``val`` and ``test`` are the shares held out, in twentieths; ``tail_share`` is the least that the
    rarer half of the SKUs weighs in training, ``annotator_cap`` the most that one annotator does;
    ``trust`` is how far each (by id) was trusted when it was asked for, where that is known. Once it
    is made, ``sha256`` is that of its manifest and ``path`` its folder below HOME; ``decisions_up_to``
    is the id of its latest decision."""

    site = models.ForeignKey("accounts.Site", related_name="snapshots", on_delete=models.CASCADE)
    project = models.ForeignKey(
        "accounts.Project", related_name="snapshots", on_delete=models.CASCADE, db_index=False
    )
    filters = models.JSONField(default=dict)
    seed = models.PositiveIntegerField(default=1)
    val = _share(0.1, 0.45)
    test = _share(0.1, 0.45)
    tail_share = _share(0.15, 0.9)
    weighting = models.CharField(
        max_length=8, choices=Weighting.choices, default=Weighting.EVEN.value
    )
    annotator_cap = _share(0.5, 1.0)
    trust = models.JSONField(default=dict)
    licence = models.TextField(blank=True)
    counts = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64, blank=True)
    path = models.CharField(max_length=255, blank=True)
    decisions_up_to = models.BigIntegerField(null=True)
    job = models.OneToOneField(
        "core.Job", null=True, related_name="snapshot", on_delete=models.SET_NULL
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(auto_now_add=True)
    made_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="snapshot_of_project")]

    @property
    def state(self) -> str:
        """That of the job that makes it, until it is made."""
        if self.sha256:
            return JobState.DONE.value
        return self.job.state if self.job else JobState.FAILED.value
