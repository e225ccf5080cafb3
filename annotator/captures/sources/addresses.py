"""Files at web addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from urllib.parse import unquote, urlsplit

from django.conf import settings

from annotator.core import egress
from annotator.media.pictures import BadPicture

from ..intake import Incoming


def files_at(urls: Iterable[str], *, cam_type: str = "") -> Iterator[Incoming]:
    """The files at ``urls``. What they are is found by decoding them, not by what a server says."""
    client = egress.Client(
        allow=settings.EGRESS_ALLOW,
        max_bytes=settings.MAX_UPLOAD_BYTES,
        limit_s=settings.EGRESS_LIMIT_S,
    )
    try:
        for url in urls:
            read = partial(_read, client.fetch, url.strip())
            yield Incoming(_name_of(url), read, cam_type=cam_type)
    finally:
        client.close()


def _read(fetch: Callable[[str], bytes], url: str) -> bytes:
    try:
        return fetch(url)
    except egress.Refused as refusal:
        raise BadPicture(refusal.code, **refusal.params) from refusal


def _name_of(url: str) -> str:
    """Host and path: a query may hold a key that others should not read."""
    try:
        parts = urlsplit(url.strip())
        return unquote(f"{parts.hostname or ''}{parts.path}") or "?"
    except ValueError:
        return url.partition("?")[0]
