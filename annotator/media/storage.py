"""Where picture files lie: one path per content, written durably."""

from __future__ import annotations

import os
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage

from .formats import EXTENSIONS as EXTENSIONS

VARIANTS = ("original", "display", "thumb")


class DurableFileSystemStorage(FileSystemStorage):
    """A folder whose files are complete or absent, and survive a power loss once saved."""

    def _save(self, name: str, content: File[Any]) -> str:
        full = self.path(name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        partial = f"{full}.{os.getpid()}.{os.urandom(4).hex()}.partial"
        try:
            with open(partial, "xb") as out:
                for chunk in content.chunks():
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            os.replace(partial, full)
        except BaseException:
            if os.path.exists(partial):
                os.unlink(partial)
            raise
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        # Names carry the content's hash, so writing one again writes the same bytes.
        return name


def path_of(*, site_id: int, sha256: str, variant: str, format: str) -> str:
    """The storage name of one variant of a picture."""
    extension = EXTENSIONS[format] if variant == "original" else "webp"
    return f"{site_id}/{variant}/{sha256[:2]}/{sha256}.{extension}"


def write(name: str, data: bytes) -> None:
    """Write ``data`` under ``name`` unless it is there."""
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(data))


def read(name: str) -> bytes:
    """The bytes under ``name``; raises FileNotFoundError."""
    with default_storage.open(name) as file:
        return bytes(file.read())
