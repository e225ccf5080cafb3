"""Model versions of a site, and which of them is live."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class ModelVersion(models.Model):
    """A model bundle that a site may use. ``digest`` is the SHA-256 of its manifest
    (:mod:`inference.bundles`) and names its folder below MODELS_DIR, which never changes; ``parent``
    is what it was trained from (null: the shipped base, or nothing); ``run_key`` names the run that made
    it. ``refusal`` is why the recognizer would not load it when it was last asked, and empty when it did."""

    class Source(models.TextChoices):
        TRAINED = "trained"
        IMPORTED = "imported"

    site = models.ForeignKey(
        "accounts.Site", related_name="model_versions", on_delete=models.CASCADE
    )
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    parent = models.ForeignKey("self", null=True, related_name="+", on_delete=models.RESTRICT)
    snapshot_digest = models.CharField(max_length=64, blank=True)
    report = models.JSONField(default=dict)
    notes = models.TextField(blank=True)
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.TRAINED.value)
    run_key = models.CharField(max_length=128, blank=True)
    refusal = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.RESTRICT
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="model_number_once"),
            models.UniqueConstraint(
                fields=["site", "run_key"],
                name="model_run_once",
                condition=~models.Q(run_key=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """How people call it."""
        return f"v{self.number}"


class LiveModel(models.Model):
    """Which models a site uses. ``champion`` answers (null: the shipped base, or none); ``previous`` is
    what rolling back goes to, ``steps`` how often that can be done. While there is a ``challenger``, it answers
    for ``challenger_share`` of the captures. ``rollout`` is the job that prepares the next champion or
    challenger.
    Locking this row orders all changes; ``revision`` counts them."""

    site = models.OneToOneField(
        "accounts.Site", related_name="live_model", on_delete=models.CASCADE
    )
    champion = models.ForeignKey(
        ModelVersion, null=True, related_name="+", on_delete=models.RESTRICT
    )
    previous = models.ForeignKey(
        ModelVersion, null=True, related_name="+", on_delete=models.RESTRICT
    )
    steps = models.PositiveIntegerField(default=0)
    challenger = models.ForeignKey(
        ModelVersion, null=True, related_name="+", on_delete=models.RESTRICT
    )
    challenger_share = models.FloatField(
        default=0.0, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    rollout = models.ForeignKey("core.Job", null=True, related_name="+", on_delete=models.SET_NULL)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.RESTRICT
    )


class ModelChange(models.Model):
    """One change of what is live. Rows never change. ``gate`` is the report of the check that let a
    promotion through; ``before`` and ``after`` are champions, or of a trial its challenger and nothing."""

    class Kind(models.TextChoices):
        PROMOTED = "promoted"
        ROLLED_BACK = "rolled_back"
        TRIAL_STARTED = "trial_started"
        TRIAL_ENDED = "trial_ended"

    site = models.ForeignKey(
        "accounts.Site", related_name="model_changes", on_delete=models.CASCADE
    )
    kind = models.CharField(max_length=13, choices=Kind.choices)
    before = models.ForeignKey(ModelVersion, null=True, related_name="+", on_delete=models.RESTRICT)
    after = models.ForeignKey(ModelVersion, null=True, related_name="+", on_delete=models.RESTRICT)
    share = models.FloatField(default=0.0)
    reason = models.TextField(blank=True)
    gate = models.JSONField(null=True)
    revision = models.PositiveIntegerField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.RESTRICT
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "revision"], name="model_change_once")
        ]
