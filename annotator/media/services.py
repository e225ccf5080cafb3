"""Taking pictures in."""

from __future__ import annotations

from django.conf import settings

from annotator.accounts.models import Site

from . import pictures, storage
from .models import StoredImage
from .queries import image_path


def verify(data: bytes) -> pictures.Picture:
    """Verify with this installation's limits. Raises :class:`pictures.BadPicture`."""
    return pictures.verify(
        data, max_bytes=settings.MAX_UPLOAD_BYTES, max_pixels=settings.MAX_PICTURE_PIXELS
    )


def store_image(*, site: Site, data: bytes, picture: pictures.Picture) -> tuple[StoredImage, bool]:
    """Keep a verified picture: files first, then the row, so that a row always has its files."""
    for variant, content in (
        ("original", data),
        ("display", picture.display),
        ("thumb", picture.thumb),
    ):
        name = storage.path_of(
            site_id=site.pk, sha256=picture.sha256, variant=variant, format=picture.format
        )
        storage.write(name, content)
    bands = pictures.bands(picture.phash)
    return StoredImage.objects.get_or_create(
        site=site,
        sha256=picture.sha256,
        defaults={
            "format": picture.format,
            "width": picture.width,
            "height": picture.height,
            "size": picture.size,
            "phash": picture.phash,
            "sharpness": picture.sharpness,
            "exposure": picture.exposure,
            **{f"band{n}": band for n, band in enumerate(bands)},
        },
    )


def original_bytes(image: StoredImage) -> bytes:
    """The picture as it came in."""
    return storage.read(image_path(image, "original"))
