"""Pictures that were verified by decoding them, identified by their content."""

from __future__ import annotations

from django.db import models


class StoredImage(models.Model):
    """One picture of a site. ``width`` and ``height`` are those of the upright picture, in pixels;
    ``phash`` is a 64-bit perceptual hash in hex, whose four 16-bit bands are indexed for the
    search of near-duplicates. ``sharpness`` is the variance of the Laplacian, ``exposure`` the
    mean luminance in 0…1."""

    site = models.ForeignKey("accounts.Site", related_name="images", on_delete=models.CASCADE)
    sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=8)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()
    phash = models.CharField(max_length=16)
    band0 = models.PositiveIntegerField()
    band1 = models.PositiveIntegerField()
    band2 = models.PositiveIntegerField()
    band3 = models.PositiveIntegerField()
    sharpness = models.FloatField()
    exposure = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "sha256"], name="image_once")]
        indexes = [
            *(models.Index(fields=["site", f"band{n}"], name=f"image_band{n}") for n in range(4)),
            models.Index(fields=["site", "sharpness", "id"], name="image_sharpness"),
            models.Index(fields=["site", "exposure", "id"], name="image_exposure"),
        ]
