"""The one way in: files from any source are read, compared, verified in decoder processes, stored,
and registered in batches. A bad file is quarantined; it never stops its neighbours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from annotator.accounts.models import Project, Site, User
from annotator.media import services as media
from annotator.media.pictures import BadPicture, Picture

from . import queries
from .services import Checked, Taken, register

BATCH_FILES = 64
BATCH_BYTES = 32 << 20
READERS = 8
GUESSED_BYTES = 4 << 20
"""What a file whose size is not told beforehand is taken for, when batches are made."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that comes in. ``read`` gives its bytes, or raises BadPicture with the reason why it
    cannot be taken; ``size`` is what it will have, in bytes, where that is known. ``about`` is the source's own."""

    name: str
    read: Callable[[], bytes]
    size: int | None = None
    cam_type: str = ""
    scene_key: str = ""
    image_id: str = ""
    split: str = ""
    weight_g: float | None = None
    about: Any = field(default=None, compare=False)


def refused(
    name: str, code: str, *, size: int = 0, about: Any = None, **params: object
) -> Incoming:
    """A file that its source refuses to read."""

    def read() -> bytes:
        raise BadPicture(code, **params)

    return Incoming(name, read, size=size, about=about)


def clean_name(name: str) -> str:
    """A file's name as it is kept: slashes, at most 255 characters, what is no text as ``?``."""
    name = name.replace("\\", "/").replace("\0", "?")
    return name[-255:].encode(errors="replace").decode()


def take_in(*, site: Site, name: str, data: bytes, source: str, **options: Any) -> Taken:
    """Verify, store and register one file. Options as of :func:`take_in_all` and Incoming."""
    facts = ("cam_type", "scene_key", "image_id", "split", "weight_g")
    about_file = {key: options.pop(key) for key in facts if key in options}
    file = Incoming(name, lambda: data, size=len(data), **about_file)
    ((taken,),) = take_in_all(site=site, files=[file], source=source, **options)
    return taken


def take_in_all(
    *,
    site: Site,
    files: Iterable[Incoming],
    source: str,
    project: Project | None = None,
    batch: int | None = None,
    actor: User | None = None,
    suggest: bool = True,
) -> Iterator[list[Taken]]:
    """Take in all files, in their order, and yield what became of them, batch by batch; what is
    yielded is committed. While some files are registered, the next are read and decoded. Memory
    holds two such lots, however many files there are. ``batch`` is the project's batch that new
    tasks are put in."""
    readers = ThreadPoolExecutor(READERS, "read")
    decoders = ThreadPoolExecutor(settings.DECODERS, "decode")

    def finish(steps: list[_Step]) -> list[Taken]:
        checked = [step.checked() for step in steps]
        return register(
            site=site,
            files=checked,
            source=source,
            project=project,
            batch=batch,
            actor=actor,
            suggest=suggest,
        )

    try:
        ahead: list[_Step] = []
        for some in _batches(files):
            steps = _begin(site, some, readers, decoders)
            if ahead:
                yield finish(ahead)
            ahead = steps
        if ahead:
            yield finish(ahead)
    finally:
        readers.shutdown(cancel_futures=True)
        decoders.shutdown(cancel_futures=True)


def _batches(files: Iterable[Incoming]) -> Iterator[list[Incoming]]:
    batch: list[Incoming] = []
    weight = 0
    for file in files:
        size = GUESSED_BYTES if file.size is None else file.size
        if batch and (len(batch) >= BATCH_FILES or weight + size > BATCH_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(file)
        weight += size
    if batch:
        yield batch


@dataclass(slots=True)
class _Step:
    """A file on its way: read, and perhaps being decoded."""

    file: Incoming
    sha256: str = ""
    size: int = 0
    bad: BadPicture | None = None
    decoding: Future[Picture] | None = None

    def checked(self) -> Checked:
        picture = None
        if self.decoding is not None:
            try:
                picture = self.decoding.result()
            except BadPicture as bad:
                self.bad = bad
        file = self.file
        return Checked(
            name=clean_name(file.name),
            sha256=self.sha256,
            size=self.size,
            picture=picture,
            bad=self.bad,
            cam_type=file.cam_type,
            scene_key=file.scene_key,
            image_id=file.image_id,
            split=file.split,
            weight_g=file.weight_g,
            about=file.about,
        )


def _begin(
    site: Site,
    files: Sequence[Incoming],
    readers: ThreadPoolExecutor,
    decoders: ThreadPoolExecutor,
) -> list[_Step]:
    """Read a batch, and put in hand the decoding of what the site does not have yet."""
    steps = []
    contents: dict[str, bytes] = {}
    for file, data in zip(files, readers.map(_read, files), strict=True):
        if isinstance(data, BadPicture):
            steps.append(_Step(file, size=file.size or 0, bad=data))
            continue
        sha256 = hashlib.sha256(data).hexdigest()
        contents[sha256] = data
        steps.append(_Step(file, sha256, len(data)))
    known = queries.captures_by_content(site.pk, list(contents))
    decoding: dict[str, Future[Picture]] = {}
    for step in steps:
        if step.bad is None and step.sha256 not in known:
            if step.sha256 not in decoding:
                data = contents.pop(step.sha256)
                decoding[step.sha256] = decoders.submit(_verify_and_store, site, data)
            step.decoding = decoding[step.sha256]
    return steps


def _read(file: Incoming) -> bytes | BadPicture:
    try:
        return file.read()
    except BadPicture as bad:
        return bad
    except OSError as error:
        return BadPicture("unreadable_file", detail=(error.strerror or str(error))[:120])


def _verify_and_store(site: Site, data: bytes) -> Picture:
    """In a thread: the picture, its files written, without its derivatives."""
    picture = media.verify(data)
    media.store_files(site=site, data=data, picture=picture)
    return replace(picture, display=b"", thumb=b"")
