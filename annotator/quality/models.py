"""What was measured, and what was made of it. All of it can be made anew from the rooms above."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Fact(models.Model):
    """What was measured of one answer (``annotation``) of a settled task, or of the task itself.
    ``readings`` maps a metric to a whole number (see ``metrics``), so that sums are exact.
    ``people`` and ``cameras`` list, as ``,3,7,``, whose and which views it is of; ``author`` is whose
    answer, 0 of the task itself."""

    project = models.ForeignKey(
        "accounts.Project", related_name="+", on_delete=models.CASCADE, db_index=False
    )
    task = models.ForeignKey("labeling.Task", related_name="facts", on_delete=models.CASCADE)
    annotation = models.OneToOneField(
        "labeling.Annotation", null=True, related_name="fact", on_delete=models.CASCADE
    )
    day = models.DateField()
    batch = models.BigIntegerField(default=0)
    category = models.CharField(max_length=128, blank=True)
    cameras = models.CharField(max_length=32, default=",")
    people = models.CharField(max_length=255, default=",")
    author = models.BigIntegerField(default=0)
    reviewer = models.BigIntegerField(default=0)
    readings = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-day", "-id"], name="fact_of"),
            models.Index(
                fields=["project", "author", "-day", "-id"],
                name="fact_by",
                condition=models.Q(author__gt=0),
            ),
        ]


class Dimension(models.TextChoices):
    """What figures are told apart by."""

    ALL = "all"
    BATCH = "batch"
    CATEGORY = "category"
    CAMERA = "camera"
    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"


class Rollup(models.Model):
    """The sum of a metric over facts: of one day for the whole project, else of the week that begins
    with ``day``. ``squares`` is the sum of the squares."""

    project = models.ForeignKey(
        "accounts.Project", related_name="+", on_delete=models.CASCADE, db_index=False
    )
    dimension = models.CharField(max_length=9, choices=Dimension.choices)
    key = models.CharField(max_length=128, blank=True)
    metric = models.CharField(max_length=64)
    day = models.DateField()
    n = models.BigIntegerField()
    total = models.BigIntegerField()
    squares = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "dimension", "metric", "key", "day"], name="rollup_once"
            )
        ]


class Summary(models.Model):
    """Figures of a project that are no sums (agreement beyond chance, for one), as they were when it
    was last looked at."""

    project = models.OneToOneField("accounts.Project", related_name="+", on_delete=models.CASCADE)
    figures = models.JSONField(default=dict)
    computed_at = models.DateTimeField()


class Reliability(models.Model):
    """How reliable an annotator is in one field, estimated from whom they agree with (Dawid and Skene):
    ``skill`` of ``n`` answers is right, within ``low`` and ``high``."""

    project = models.ForeignKey("accounts.Project", related_name="+", on_delete=models.CASCADE)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE, db_index=False
    )
    field = models.CharField(max_length=40)
    n = models.PositiveIntegerField()
    skill = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "annotator", "field"], name="reliability_once"
            )
        ]


class Alert(models.Model):
    """Something about an annotator that somebody should look at. Open until it no longer holds or
    somebody closes it; ``evidence`` are the figures that it rests on."""

    class Kind(models.TextChoices):
        TOO_FAST = "too_fast"
        DRIFTING = "drifting"
        ALWAYS_ACCEPTS = "always_accepts"
        GOLD_FAILED = "gold_failed"

    project = models.ForeignKey("accounts.Project", related_name="+", on_delete=models.CASCADE)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE, db_index=False
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    evidence = models.JSONField(default=dict)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "annotator", "kind"],
                name="alert_once",
                condition=models.Q(closed_at__isnull=True),
            )
        ]


class TextScore(models.Model):
    """What a language checker found in a text, kept by the text: ``hits`` lists rule, message, offset
    and length. A text without a row was not measured."""

    digest = models.CharField(max_length=64)
    language = models.CharField(max_length=16)
    hits = models.JSONField(default=list)
    checked_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest", "language"], name="text_score_once")
        ]


class Doubt(models.Model):
    """How much the picture and the model contradict a decision: ``score`` is 0…1, ``proposed`` the SKU
    that they speak for, ``why`` what each of them says. It is settled when the decision no longer
    stands or a spot check has looked at it."""

    project = models.ForeignKey(
        "accounts.Project", related_name="doubts", on_delete=models.CASCADE, db_index=False
    )
    decision = models.OneToOneField(
        "review.Decision", related_name="doubt", on_delete=models.CASCADE
    )
    score = models.FloatField()
    proposed = models.CharField(max_length=64, blank=True)
    why = models.JSONField(default=list)
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-score", "id"], name="doubt_score")]
