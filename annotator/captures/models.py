"""Photos that came in, the scenes they show, and the files that could not be used."""

from __future__ import annotations

from django.db import models


class CamType(models.TextChoices):
    TOP = "top"
    FRONT = "front"
    SIDE = "side"


class Scene(models.Model):
    """Captures of one item. ``split`` is the data set split it was imported with, if any."""

    site = models.ForeignKey("accounts.Site", related_name="scenes", on_delete=models.CASCADE)
    key = models.CharField(max_length=128)
    split = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "key"], name="scene_key_once")]


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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "image_id_text"], name="capture_image_id_once")
        ]


class Quarantine(models.Model):
    """A file that was refused, kept visible with its reason until somebody dismisses it."""

    site = models.ForeignKey("accounts.Site", related_name="quarantine", on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    code = models.CharField(max_length=32)
    params = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "sha256", "name"], name="quarantine_once")
        ]
