"""Photos that came in, the scenes they show, and the files that could not be used."""

from __future__ import annotations

from django.db import models


class CamType(models.TextChoices):
    TOP = "top"
    FRONT = "front"
    SIDE = "side"


def _prefixes(site: str, text: str, *, name: str) -> models.Index:
    """An index for "begins with", whatever the database's collation."""
    return models.Index(
        fields=[site, text], name=name, opclasses=["int8_ops", "varchar_pattern_ops"]
    )


class Scene(models.Model):
    """Captures of one item. ``split`` is the data set split it was imported with, if any. Scenes
    that near-duplicates link, however many steps apart, have the same ``group``: the earliest of
    them, also in its own row. A scene that resembles no other has none."""

    site = models.ForeignKey("accounts.Site", related_name="scenes", on_delete=models.CASCADE)
    key = models.CharField(max_length=128)
    split = models.CharField(max_length=16, blank=True)
    group = models.ForeignKey(
        "self", null=True, related_name="members", on_delete=models.SET_NULL, db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "key"], name="scene_key_once")]
        indexes = [
            _prefixes("site", "key", name="scene_key_prefix"),
            models.Index(
                fields=["group"], name="scene_group", condition=models.Q(group__isnull=False)
            ),
        ]


class Capture(models.Model):
    """One photo. The same content on the same site is the same capture."""

    site = models.ForeignKey("accounts.Site", related_name="captures", on_delete=models.CASCADE)
    scene = models.ForeignKey(Scene, related_name="captures", on_delete=models.PROTECT)
    image = models.OneToOneField(
        "media.StoredImage", related_name="capture", on_delete=models.PROTECT
    )
    image_id_text = models.CharField(max_length=128)
    cam_type = models.CharField(max_length=8, choices=CamType.choices, blank=True)
    original_name = models.CharField(max_length=255, blank=True)
    source = models.CharField(max_length=16)
    duplicate_of = models.ForeignKey(
        "self", null=True, related_name="near_duplicates", on_delete=models.SET_NULL
    )
    duplicate_distance = models.PositiveSmallIntegerField(null=True)
    weight_g = models.FloatField(null=True)
    """What the goods were weighed at, in grams."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "image_id_text"], name="capture_image_id_once")
        ]
        indexes = [
            models.Index(fields=["site", "-id"], name="capture_site"),
            _prefixes("site", "image_id_text", name="capture_image_id_prefix"),
            _prefixes("site", "original_name", name="capture_name_prefix"),
        ]


class Quarantine(models.Model):
    """A file that was refused, kept visible with its reason until somebody dismisses it. ``sha256``
    is empty where the file was not even read."""

    site = models.ForeignKey("accounts.Site", related_name="quarantine", on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    code = models.CharField(max_length=32)
    params = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "sha256", "name"], name="quarantine_once")
        ]
        indexes = [
            models.Index(
                fields=["site", "-id"],
                name="quarantine_open",
                condition=models.Q(dismissed_at__isnull=True),
            )
        ]
