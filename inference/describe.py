"""Describe pictures, whatever the site: barcodes, printed words, embedding, local features, and what
MiniGPT sees."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from PIL import Image

from inference.contracts import Description, Failure
from inference.evidence.barcode import read_barcodes
from inference.evidence.ocr import TextReader, engine_version
from inference.faults import fault_of
from inference.minigpt.reading import Reader
from inference.pictures import DEFAULT_MAX_PIXELS, PictureError, decode
from inference.retrieval import backbone, keypoints

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Describer:
    """Thread-safe; each picture is described on the calling thread.

    ``threads`` bounds the threads of each ONNX session. A piece of evidence that fails is named in
    ``Description.missing``; only the embedding is indispensable. Faults of the machine
    (:func:`inference.faults.fault_of`) are raised: they say nothing about the picture.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        minigpt: Reader | None = None,
    ) -> None:
        self._max_pixels = max_pixels
        self._minigpt = minigpt
        self._embedder = backbone.ImageEmbedder(threads=threads)
        self._reader = TextReader(threads=threads)
        names = [backbone.MODEL_NAME, keypoints.EXTRACTOR_NAME, engine_version()]
        self.name = "+".join([*names, *([minigpt.name] if minigpt else [])])

    def describe(self, images: Sequence[bytes]) -> list[Description | Failure]:
        """Describe encoded pictures in order; a bad one fails alone."""
        return [self._describe(image) for image in images]

    def _describe(self, image: bytes) -> Description | Failure:
        started = time.perf_counter()
        try:
            picture = decode(image, max_pixels=self._max_pixels)
        except PictureError as error:
            return error.failure
        timings = {"decode": _ms_since(started)}
        missing: dict[str, str] = {}
        try:
            embedding = _timed("embedding", timings, lambda: self._embedder.embed([picture])[0])
        except Exception as error:
            if fault_of(error):
                raise
            logger.exception("embedding failed")
            return Failure("internal", f"embedding failed: {error}")
        return Description(
            image_sha256=hashlib.sha256(image).hexdigest(),
            width_px=picture.width,
            height_px=picture.height,
            describer=self.name,
            embedding=backbone.pack(embedding),
            barcodes=_optional("barcode", timings, missing, lambda: read_barcodes(picture), ()),
            ocr_lines=_optional("ocr", timings, missing, lambda: self._reader.read(picture), ()),
            keypoints=_optional(
                "keypoints", timings, missing, lambda: keypoints.extract(picture), b""
            ),
            sight=_optional("minigpt", timings, missing, lambda: self._see(picture), b""),
            missing=missing,
            timings_ms=timings,
        )

    def _see(self, picture: Image.Image) -> bytes:
        return self._minigpt.see([picture])[0].pack() if self._minigpt else b""

    def warm_up(self) -> None:
        """Load every model on this thread, so that its first request does not pay for it."""
        picture = Image.new("RGB", (64, 64), "white")
        self._embedder.embed([picture])
        self._reader.read(picture)
        self._see(picture)


def _optional(
    name: str,
    timings: dict[str, float],
    missing: dict[str, str],
    action: Callable[[], T],
    default: T,
) -> T:
    try:
        return _timed(name, timings, action)
    except Exception as error:
        if fault_of(error):
            raise
        # a broken reader must not cost the annotator the other evidence
        logger.exception("%s failed", name)
        missing[name] = str(error) or type(error).__name__
        return default


def _timed(name: str, timings: dict[str, float], action: Callable[[], T]) -> T:
    started = time.perf_counter()
    try:
        return action()
    finally:
        timings[name] = _ms_since(started)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
