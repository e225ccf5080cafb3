"""Finding pictures."""

from __future__ import annotations

from django.db.models import Q

from . import pictures, storage
from .models import StoredImage


def image_path(image: StoredImage, variant: str) -> str:
    """The storage name of a variant of ``image``."""
    return storage.path_of(
        site_id=image.site_id, sha256=image.sha256, variant=variant, format=image.format
    )


def image_urls(image_id: int) -> dict[str, str]:
    """Where the browser fetches each variant."""
    return {v: f"/api/v1/images/{image_id}/{v}" for v in storage.VARIANTS}


def near_duplicates(image: StoredImage) -> list[tuple[StoredImage, int]]:
    """Earlier pictures of the site that look nearly the same, nearest first, with their distance."""
    b0, b1, b2, b3 = pictures.bands(image.phash)
    rows = (
        StoredImage.objects.filter(site_id=image.site_id)
        .filter(Q(band0=b0) | Q(band1=b1) | Q(band2=b2) | Q(band3=b3))
        .exclude(pk=image.pk)
    )
    near = [(row, pictures.distance(row.phash, image.phash)) for row in rows[:5000]]
    return sorted(
        ((row, d) for row, d in near if d <= pictures.NEAR_DISTANCE), key=lambda r: (r[1], r[0].pk)
    )
