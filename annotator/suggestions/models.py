"""What the machine saw and proposed, and what the recognizer was taught of each site."""

from __future__ import annotations

from django.db import models


class PictureDescription(models.Model):
    """What the recognizer read in a picture, kept so that ranking again costs nothing. Where evidence is
    ``missing``, it is described again at ``retry_at``, after ``tries`` that brought no more."""

    image = models.OneToOneField(
        "media.StoredImage", related_name="description", on_delete=models.CASCADE
    )
    describer = models.CharField(max_length=128)
    embedding = models.BinaryField()
    keypoints = models.BinaryField(default=b"")
    barcodes = models.JSONField(default=list)
    ocr_lines = models.JSONField(default=list)
    missing = models.JSONField(default=dict)
    timings_ms = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now=True)
    tries = models.PositiveSmallIntegerField(default=1)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["retry_at"],
                name="description_retry",
                condition=models.Q(retry_at__isnull=False),
            )
        ]


class Sight(models.Model):
    """What one model saw in a picture (:mod:`inference.minigpt.sight`), kept so that it can caption it for
    any catalog, and so that nothing is looked at again when another model becomes live. ``digest`` is that of the
    model's bundle, empty for the shipped one; ``seen_by`` is how the recognizer calls it."""

    image = models.ForeignKey("media.StoredImage", related_name="sights", on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, blank=True)
    seen_by = models.CharField(max_length=64, blank=True)
    data = models.BinaryField(default=b"")
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "digest"], name="sight_once_a_model")
        ]


class Suggestion(models.Model):
    """One proposal for a capture. Rows never change: an annotation points at the one it was shown.
    ``model`` is the version that had part in it, null for the shipped one. ``none`` is the probability that
    the picture shows nothing of the catalog (null: not told), ``left_out`` the evidence that was late or
    failed."""

    capture = models.ForeignKey(
        "captures.Capture", related_name="suggestions", on_delete=models.CASCADE
    )
    model = models.ForeignKey(
        "modelhub.ModelVersion", null=True, related_name="suggestions", on_delete=models.SET_NULL
    )
    model_version = models.CharField(max_length=128)
    site_number = models.PositiveBigIntegerField()
    learned_number = models.PositiveBigIntegerField(default=0)
    fields = models.JSONField()
    candidates = models.JSONField()
    neighbours = models.JSONField()
    flags = models.JSONField()
    timings_ms = models.JSONField()
    heat = models.JSONField(default=dict)
    attributes = models.JSONField(default=dict)
    none = models.FloatField(null=True)
    left_out = models.JSONField(default=list)
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


class Evidence(models.Model):
    """What was read in a picture for a machine's answer, for good and once only: ``body`` is the JSON
    of the description, compressed, ``digest`` its SHA-256."""

    site = models.ForeignKey("accounts.Site", related_name="evidence", on_delete=models.CASCADE)
    digest = models.CharField(max_length=64)
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "digest"], name="evidence_once")]


class MachineAnswer(models.Model):
    """One answer of the machine API, with all that it was made of: the model's version, the numbers of
    the site's memory (in ``recognition``) and the evidence; and what the caller told of the picture.
    Rows never change."""

    site = models.ForeignKey("accounts.Site", related_name="answers", on_delete=models.CASCADE)
    caller = models.ForeignKey(
        "accounts.User", null=True, related_name="+", on_delete=models.SET_NULL
    )
    request_id = models.CharField(max_length=64)
    place = models.PositiveSmallIntegerField(default=0)
    """Of the picture among those of the request."""
    evidence = models.ForeignKey(Evidence, related_name="answers", on_delete=models.PROTECT)
    image = models.ForeignKey(
        "media.StoredImage", null=True, related_name="+", on_delete=models.SET_NULL
    )
    model = models.ForeignKey(
        "modelhub.ModelVersion", null=True, related_name="+", on_delete=models.SET_NULL
    )
    recognition = models.JSONField()
    sensor_data = models.JSONField(default=dict)
    context_metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["request_id"], name="machine_answer_request"),
            models.Index(fields=["site", "created_at"], name="machine_answer_site"),
        ]
