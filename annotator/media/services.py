"""Taking pictures in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from threading import Lock

from cachetools import LRUCache, cached
from django.conf import settings

from annotator.accounts.models import Site

from . import decoding, storage
from .models import StoredImage
from .pictures import Picture, bands, check_size
from .queries import image_path

RECENT_BYTES = 32 << 20
"""Of derivatives of recent pictures: some hundred photos."""


def verify(data: bytes) -> Picture:
    """Verify in a decoder process, with this installation's limits. Raises
    :class:`.pictures.BadPicture`."""
    check_size(len(data), max_bytes=settings.MAX_UPLOAD_BYTES)
    pool = decoding.pool(size=settings.DECODERS, memory_mb=settings.DECODER_MEMORY_MB)
    return pool.verify(
        data,
        max_pixels=settings.MAX_PICTURE_PIXELS,
        limit_s=settings.DECODER_LIMIT_S,
    )


_RECENT: LRUCache[str, Picture] = LRUCache(
    RECENT_BYTES, getsizeof=lambda picture: len(picture.display) + len(picture.thumb)
)


@cached(_RECENT, key=lambda data: hashlib.sha256(data).hexdigest(), lock=Lock())
def verify_again(data: bytes) -> Picture:
    """The same for those who may send the same picture again, as lines do: the most recent ones are known by
    their content, in this process. What is bad is looked at each time."""
    return verify(data)


def store_image(*, site: Site, data: bytes, picture: Picture) -> StoredImage:
    """Keep a verified picture: files first, then the row, so that a row always has its files."""
    store_files(site=site, data=data, picture=picture)
    return register_images(site=site, pictures=[picture])[picture.sha256]


def store_files(*, site: Site, data: bytes, picture: Picture) -> None:
    """Write the files of a verified picture. Touches no database: threads may call it."""
    for variant, content in (
        ("original", data),
        ("display", picture.display),
        ("thumb", picture.thumb),
    ):
        name = storage.path_of(
            site_id=site.pk, sha256=picture.sha256, variant=variant, format=picture.format
        )
        storage.write(name, content)


def register_images(*, site: Site, pictures: Sequence[Picture]) -> dict[str, StoredImage]:
    """The rows of pictures whose files are stored, by SHA-256."""
    StoredImage.objects.bulk_create(
        [
            StoredImage(
                site=site,
                sha256=picture.sha256,
                format=picture.format,
                width=picture.width,
                height=picture.height,
                size=picture.size,
                phash=picture.phash,
                sharpness=picture.sharpness,
                exposure=picture.exposure,
                **{f"band{n}": band for n, band in enumerate(bands(picture.phash))},
            )
            for picture in pictures
        ],
        ignore_conflicts=True,
    )
    rows = StoredImage.objects.filter(site=site, sha256__in=[p.sha256 for p in pictures])
    return {row.sha256: row for row in rows}


def original_bytes(image: StoredImage) -> bytes:
    """The picture as it came in."""
    return storage.read(image_path(image, "original"))
