"""What the machine saw and proposed, and what the recognizer was taught of each site."""

from __future__ import annotations

from django.db import models


class PictureDescription(models.Model):
    """What the recognizer read in a picture, kept so that ranking again costs nothing."""

    image = models.OneToOneField(
        "media.StoredImage", related_name="description", on_delete=models.CASCADE
    )
    describer = models.CharField(max_length=128)
    embedding = models.BinaryField()
    keypoints = models.BinaryField(default=b"")
    sight = models.BinaryField(default=b"")
    barcodes = models.JSONField(default=list)
    ocr_lines = models.JSONField(default=list)
    missing = models.JSONField(default=dict)
    timings_ms = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now=True)


class Suggestion(models.Model):
    """One proposal for a capture. Rows never change: an annotation points at the one it was shown."""

    capture = models.ForeignKey(
        "captures.Capture", related_name="suggestions", on_delete=models.CASCADE
    )
    model_version = models.CharField(max_length=128)
    site_number = models.PositiveBigIntegerField()
    fields = models.JSONField()
    candidates = models.JSONField()
    neighbours = models.JSONField()
    flags = models.JSONField()
    timings_ms = models.JSONField()
    heat = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)


class SuggestionState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class CaptureSuggestion(models.Model):
    """Where a capture stands: its current suggestion, or why it has none."""

    capture = models.OneToOneField(
        "captures.Capture", related_name="suggestion_status", on_delete=models.CASCADE
    )
    state = models.CharField(
        max_length=8, choices=SuggestionState.choices, default=SuggestionState.WAITING
    )
    current = models.ForeignKey(Suggestion, null=True, related_name="+", on_delete=models.SET_NULL)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["state"], name="capture_suggestion_state")]


class SiteMemory(models.Model):
    """The head of a site's change log: the last number given out and the last one published.
    Locking this row orders the writers of the log. ``describer`` made its examples."""

    site = models.OneToOneField("accounts.Site", related_name="memory", on_delete=models.CASCADE)
    last_number = models.PositiveBigIntegerField(default=0)
    published_number = models.PositiveBigIntegerField(default=0)
    describer = models.CharField(max_length=128, blank=True)


class SiteChange(models.Model):
    """One numbered change that replicas apply. ``key`` is what it is about (``sku:…``, ``ref:…``,
    ``cap:…``), so that only the last change of each key matters when the log is compacted."""

    site = models.ForeignKey("accounts.Site", related_name="changes", on_delete=models.CASCADE)
    number = models.PositiveBigIntegerField()
    op = models.CharField(max_length=16)
    key = models.CharField(max_length=96)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="change_number_once")
        ]
        indexes = [models.Index(fields=["site", "key"], name="change_key")]
