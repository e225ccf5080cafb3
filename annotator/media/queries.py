"""Finding pictures."""

from __future__ import annotations

from . import storage
from .models import StoredImage


def image_path(image: StoredImage, variant: str) -> str:
    """The storage name of a variant of ``image``."""
    return storage.path_of(
        site_id=image.site_id, sha256=image.sha256, variant=variant, format=image.format
    )


def image_urls(image_id: int) -> dict[str, str]:
    """Where the browser fetches each variant."""
    return {v: f"/api/v1/images/{image_id}/{v}" for v in storage.VARIANTS}
