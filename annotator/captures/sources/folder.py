"""Files below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from annotator.media.pictures import BadPicture, check_size

from ..intake import Incoming, refused


def paths_in(folder: Path) -> Iterator[Path]:
    """Every file below ``folder``, sorted; what is hidden, and what hidden folders hold, is not."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.is_file():
                yield path


def file_at(path: Path, *, root: Path, cam_type: str = "") -> Incoming:
    """One file, named by its path below ``root``. Too large ones are not read."""
    name = str(path.relative_to(root))
    try:
        size = path.stat().st_size
        check_size(size, max_bytes=settings.MAX_UPLOAD_BYTES)
    except BadPicture as bad:
        return refused(name, bad.code, size=size, about=path, **bad.params)
    except OSError as error:
        return refused(name, "unreadable_file", about=path, detail=error.strerror or str(error))
    return Incoming(name, path.read_bytes, size=size, cam_type=cam_type, about=path)


def files_in(folder: Path, *, cam_type: str = "") -> Iterator[Incoming]:
    """Every file below ``folder``."""
    for path in paths_in(folder):
        yield file_at(path, root=folder, cam_type=cam_type)


class Watch:
    """A folder into which files are still being copied: one is ready when its size and time rest
    from one look to the next. What was taken is known by its content, so nothing else is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, tuple[int, int]] = {}
        self._handled: dict[Path, tuple[int, int]] = {}

    def look(self) -> list[Path]:
        """The files that are ready and were not given yet as they are now."""
        seen: dict[Path, tuple[int, int]] = {}
        for path in paths_in(self._folder):
            try:
                stat = path.stat()
            except OSError:
                continue
            seen[path] = (stat.st_size, stat.st_mtime_ns)
        ready = [
            path
            for path, state in seen.items()
            if self._seen.get(path) == state != self._handled.get(path)
        ]
        self._handled = {p: s for p, s in self._handled.items() if p in seen}
        self._handled |= {path: seen[path] for path in ready}
        self._seen = seen
        return ready

    def put_away(self, path: Path, *, below: str) -> None:
        """Move a file that was dealt with below a hidden folder of the watched one, unless it
        changed in the meantime."""
        stat = path.stat()
        if self._handled.get(path) != (stat.st_size, stat.st_mtime_ns):
            return
        target = self._folder / below / path.relative_to(self._folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target = target.with_name(f"{target.stem}.{stat.st_mtime_ns}{target.suffix}")
        path.rename(target)
