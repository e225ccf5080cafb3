"""What was decided, who is looking at a dispute now, and what its annotators are told."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Decision(models.Model):
    """The final caption, boxes and attributes of a task. A task has at most one current decision;
    older ones keep their place in the history. A ``single`` one is of one person, with whom the machine
    agreed. A ``checked`` one mends, after a spot
    check, what stood before it. ``schema_version`` numbers the project's schema that
    its fields and caption follow."""

    class Source(models.TextChoices):
        AGREED = "agreed"
        ARBITRATED = "arbitrated"
        IMPORTED = "imported"
        SINGLE = "single"
        CHECKED = "checked"

    task = models.ForeignKey("labeling.Task", related_name="decisions", on_delete=models.CASCADE)
    fields = models.JSONField()
    schema_version = models.PositiveIntegerField(default=1)
    boxes = models.JSONField(default=list)
    attributes = models.JSONField(default=dict)
    caption = models.TextField()
    sku_code = models.CharField(max_length=64, blank=True)
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
            ),
            models.CheckConstraint(
                condition=~models.Q(source__in=["arbitrated", "checked"])
                | models.Q(decided_by__isnull=False),
                name="arbitrated_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sku_code", "task"],
                name="decision_sku",
                condition=models.Q(superseded_at__isnull=True),
            )
        ]


class Severity(models.IntegerChoices):
    """How much hangs on a dispute (see ``policies.severity_of``)."""

    LOW = 1, "low"
    MEDIUM = 2, "medium"
    HIGH = 3, "high"


class Trivial(models.TextChoices):
    """Why a dispute can be settled with a look (see ``trivial``)."""

    WRITING = "writing"
    CATALOG = "catalog"
    MINOR = "minor"


_OPEN = models.Q(closed_at__isnull=True)


class Dispute(models.Model):
    """An open question about a task. ``reviewer`` holds it, fenced by ``token``, until
    ``claimed_until``. ``differing`` lists the fields in question as ``,sku,quantity,``; ``gap`` is
    what the answers lack of full agreement, 1 where nothing was compared; ``pair`` stands for the
    people who answered without naming them."""

    task = models.OneToOneField("labeling.Task", related_name="dispute", on_delete=models.CASCADE)
    project = models.ForeignKey(
        "accounts.Project", related_name="disputes", on_delete=models.CASCADE, db_index=False
    )
    reasons = models.JSONField(default=list)
    differing = models.CharField(max_length=500, blank=True)
    score = models.FloatField(null=True)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, default=Severity.LOW)
    gap = models.FloatField(default=1.0)
    pair = models.CharField(max_length=8, blank=True)
    trivial = models.CharField(max_length=8, blank=True, choices=Trivial.choices)
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
                fields=["project", "opened_at", "id"], name="dispute_age", condition=_OPEN
            ),
            models.Index(
                fields=["project", "-severity", "-gap", "opened_at", "id"],
                name="dispute_severity",
                condition=_OPEN,
            ),
            models.Index(
                fields=["project", "pair", "opened_at", "id"],
                name="dispute_pair",
                condition=_OPEN,
            ),
            models.Index(
                fields=["project", "trivial", "opened_at", "id"],
                name="dispute_trivial",
                condition=_OPEN & ~models.Q(trivial=""),
            ),
        ]


class Feedback(models.Model):
    """What a reviewer made of one answer, for its author to see. ``changed`` names the fields in
    which the decision differs from it; ``comment`` is the reviewer's."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld"
        CORRECTED = "corrected"
        SENT_BACK = "sent_back"
        REJECTED = "rejected"

    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="feedback", on_delete=models.CASCADE, db_index=False
    )
    annotation = models.ForeignKey(
        "labeling.Annotation", related_name="feedback", on_delete=models.CASCADE
    )
    task = models.ForeignKey("labeling.Task", related_name="feedback", on_delete=models.CASCADE)
    decision = models.ForeignKey(
        Decision, null=True, related_name="feedback", on_delete=models.CASCADE
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    changed = models.JSONField(default=list)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["annotator", "-id"], name="feedback_of"),
            models.Index(
                fields=["annotator", "-id"],
                name="feedback_unread",
                condition=models.Q(read_at__isnull=True),
            ),
        ]


class SpotCheck(models.Model):
    """A second look at an agreed decision, drawn by chance. ``stratum`` is the kind of decisions that
    it stands for, ``share`` the probability with which it was drawn (0 of a ``doubt``, which was not).
    ``wrong`` is the verdict, ``changed`` names the fields that are."""

    DOUBTED = "doubt"

    decision = models.OneToOneField(Decision, related_name="spot_check", on_delete=models.CASCADE)
    task = models.ForeignKey("labeling.Task", related_name="spot_checks", on_delete=models.CASCADE)
    project = models.ForeignKey(
        "accounts.Project", related_name="spot_checks", on_delete=models.CASCADE, db_index=False
    )
    stratum = models.CharField(max_length=16)
    share = models.FloatField()
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, related_name="+", on_delete=models.PROTECT
    )
    wrong = models.BooleanField(null=True)
    changed = models.JSONField(default=list)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "id"],
                name="spot_check_open",
                condition=models.Q(checked_at__isnull=True),
            ),
            models.Index(fields=["project", "checked_at"], name="spot_check_done"),
        ]
