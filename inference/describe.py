"""Describe pictures, whatever the site: barcodes, printed words, embedding, local features, and what a
MiniGPT sees."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from PIL import Image

from inference.contracts import Box, Description, Failure, OcrLine, Sighting
from inference.evidence.barcode import read_barcodes
from inference.evidence.ocr import TextReader, engine_version
from inference.evidence.side_by_side import Once, SideBySide
from inference.faults import fault_of
from inference.minigpt.reading import Reader
from inference.minigpt.sight import Sight
from inference.pictures import DEFAULT_MAX_PIXELS, PictureError, decode
from inference.retrieval import backbone, keypoints

logger = logging.getLogger(__name__)

SIDE_BY_SIDE = max(3, min(8, os.cpu_count() or 1))
"""Pieces of evidence at work at a time, for all pictures: at least two readings of text and what else
there is."""
READINGS_KEPT = 4096


Look = Callable[[], Sight]
"""What a MiniGPT sees in a picture, looked at when it is asked for."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A picture that could be decoded."""

    picture: Image.Image
    sha256: str
    decode_s: float


class PictureTower(Protocol):
    """Embeds pictures for search by text."""

    name: str

    def pictures(self, pictures: Sequence[Image.Image]) -> backbone.Float32Array:
        """Unit vectors [B, D] of RGB pictures."""
        ...


class Describer:
    """Thread-safe. The pieces of a picture's evidence are gathered side by side.

    ``threads`` bounds the threads of each ONNX session, ``side_by_side`` the pieces at work at a time.
    A piece of evidence that fails is named in ``Description.missing``; only the embedding is
    indispensable. Without ``ocr`` no text is read at all. Faults of the machine
    (:func:`inference.faults.fault_of`) are raised: they say nothing about the picture. ``clip`` embeds
    pictures for search by text. Which MiniGPT looks is said with each call: what else is described does
    not depend on it.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        clip: PictureTower | None = None,
        ocr: bool = True,
        side_by_side: int = SIDE_BY_SIDE,
    ) -> None:
        self._max_pixels = max_pixels
        self._clip = clip
        self._embedder = backbone.ImageEmbedder(threads=threads)
        self._reader = TextReader(threads=threads) if ocr else None
        self._pieces = SideBySide(side_by_side)
        self._read: Once[tuple[str, str, Box | None], tuple[OcrLine, ...]] = Once(READINGS_KEPT)
        names = [backbone.MODEL_NAME, keypoints.EXTRACTOR_NAME]
        names += [engine_version()] if ocr else []
        names += [clip.name] if clip is not None else []
        self.name = "+".join(names)

    def describe(
        self,
        images: Sequence[bytes],
        *,
        budget_s: float | None = None,
        boxes: Sequence[Box | None] | None = None,
        minigpt: Reader | None = None,
    ) -> list[Description | Failure]:
        """Describe encoded pictures in order, and let ``minigpt`` look; a bad one fails alone.

        ``budget_s`` is the time for each: evidence that is late is left out and named. What was read
        late is remembered, so that asking again finds it. ``boxes`` say where alone to read text.
        Where ``minigpt`` gains by it, it looks at all pictures at once, when it is asked for the first.
        """
        opened = [self._open(image) for image in images]
        looks = iter(_looks([one.picture for one in opened if isinstance(one, _Opened)], minigpt))
        each = boxes or [None] * len(images)
        return [
            one
            if isinstance(one, Failure)
            else self._describe(one, budget_s, box, minigpt, next(looks))
            for one, box in zip(opened, each, strict=True)
        ]

    def see(self, images: Sequence[bytes], minigpt: Reader | None) -> list[Sighting | Failure]:
        """What ``minigpt`` sees in encoded pictures, in order: nothing without one. A bad picture fails
        alone."""
        return [self._see(image, minigpt) for image in images]

    def _see(self, image: bytes, minigpt: Reader | None) -> Sighting | Failure:
        sha256 = hashlib.sha256(image).hexdigest()
        if minigpt is None:
            return Sighting(sha256, b"", "")
        try:
            picture = decode(image, max_pixels=self._max_pixels)
        except PictureError as error:
            return error.failure
        return Sighting(sha256, minigpt.see([picture])[0].pack(), minigpt.name)

    def _open(self, image: bytes) -> _Opened | Failure:
        started = time.perf_counter()
        try:
            picture = decode(image, max_pixels=self._max_pixels)
        except PictureError as error:
            return error.failure
        sha256 = hashlib.sha256(image).hexdigest()
        return _Opened(picture, sha256, time.perf_counter() - started)

    def _describe(
        self,
        opened: _Opened,
        budget_s: float | None,
        box: Box | None,
        minigpt: Reader | None,
        look: Look | None,
    ) -> Description | Failure:
        picture, sha256, decode_s = opened.picture, opened.sha256, opened.decode_s
        found = self._pieces.gather(
            self._actions(picture, sha256, box, look),
            budget_s=None if budget_s is None else budget_s - decode_s,
            needed=frozenset({"embedding"}),
        )
        for name, raised in found.errors.items():
            if fault_of(raised):
                raise raised
            # a broken reader must not cost the annotator the other evidence
            logger.error("%s failed", name, exc_info=raised)
        if "embedding" in found.errors:
            return Failure("internal", f"embedding failed: {found.errors['embedding']}")
        value = found.values.get
        broken = {name: str(e) or type(e).__name__ for name, e in found.errors.items()}
        return Description(
            image_sha256=sha256,
            width_px=picture.width,
            height_px=picture.height,
            describer=self.name,
            embedding=backbone.pack(found.values["embedding"]),
            barcodes=value("barcode", ()),
            ocr_lines=value("ocr", ()) + value("ocr_closer", ()),
            keypoints=value("keypoints", b""),
            sight=value("minigpt", b""),
            seen_by=minigpt.name if minigpt is not None and "minigpt" in found.values else "",
            clip=value("clip", b""),
            box=box,
            missing=found.left_out | broken,
            timings_ms={"decode": round(decode_s * 1000, 2), **found.timings_ms},
        )

    def _actions(
        self, picture: Image.Image, sha256: str, box: Box | None, look: Look | None
    ) -> dict[str, Callable[[], Any]]:
        """The pieces of evidence, the longest first."""
        reader, clip = self._reader, self._clip

        def once(name: str, read: Callable[[], tuple[OcrLine, ...]]) -> Callable[[], Any]:
            return lambda: self._read.get((sha256, name, box), read)

        actions: dict[str, Callable[[], Any]] = {}
        if reader is not None and box is not None:
            actions["ocr"] = once("box", lambda: reader.read_box(picture, box))
        elif reader is not None:
            actions["ocr"] = once("whole", lambda: reader.read_whole(picture))
            actions["ocr_closer"] = once("closer", lambda: reader.read_closer(picture))
        actions["embedding"] = lambda: self._embedder.embed([picture])[0]
        if look is not None:
            actions["minigpt"] = lambda: look().pack()
        if clip is not None:
            actions["clip"] = lambda: backbone.pack(clip.pictures([picture])[0])
        actions["keypoints"] = lambda: keypoints.extract(picture)
        actions["barcode"] = lambda: read_barcodes(picture)
        return actions

    def warm_up(self, minigpt: Reader | None = None) -> None:
        """Load every model, so that the first request does not pay for it."""
        blank = Image.new("RGB", (64, 64), "white")
        found = self._pieces.gather(self._actions(blank, "", None, *_looks([blank], minigpt)))
        for error in found.errors.values():
            raise error

    def close(self) -> None:
        """Begin nothing more."""
        self._pieces.close()


def _looks(pictures: Sequence[Image.Image], minigpt: Reader | None) -> list[Look | None]:
    """How ``minigpt`` looks at each of the pictures."""
    if minigpt is None:
        return [None] * len(pictures)
    if len(pictures) == 1 or not minigpt.engine.together:
        return [partial(_look, minigpt, picture) for picture in pictures]
    seen: Once[str, list[Sight]] = Once(1)

    def look(number: int) -> Sight:
        return seen.get(minigpt.name, lambda: minigpt.see(pictures))[number]

    return [partial(look, number) for number in range(len(pictures))]


def _look(minigpt: Reader, picture: Image.Image) -> Sight:
    return minigpt.see([picture])[0]
