"""Read printed text with the PP-OCR models that rapidocr ships (offline, ONNX Runtime on CPU)."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.metadata import version
from queue import Empty, LifoQueue
from typing import Any

import numpy as np
from PIL import Image
from rapidocr import RapidOCR

from inference.contracts import Box, OcrLine
from inference.minigpt.pixels import centre_box

MIN_CONFIDENCE = 0.3
_SMALL_SIDE_PX = 700
_LARGE_SIDE_PX = 1280
_MAX_ENLARGEMENT = 3.5
_MAX_ASPECT = 4
CENTRE_SHARE = 0.62
"""Part of the picture that is read a second time, larger: what a photo is about stands there."""
CENTRE_BOX_THRESHOLD = 0.35
_BOX_THRESHOLD = 0.5
BOX_MARGIN = 0.05
"""Around a box, of its longer side: people and detectors cut print off."""
_MAX_CENTRE_ENLARGEMENT = 6.0
_MIN_GAIN = 1.25
"""The second reading must enlarge by at least this over the first."""


def engine_version() -> str:
    """Names the engine and its version, for the describer's name."""
    return f"rapidocr-{version('rapidocr')}-twice"


def reading_scale(width_px: int, height_px: int, *, at_most: float = _MAX_ENLARGEMENT) -> float:
    """How much to enlarge or shrink a picture before reading it.

    Small photos gain from enlargement to 700 px (recognition crops come from the enlarged picture),
    not from more; beyond 1280 px the detector's time grows and packs are read no better.
    """
    longest = max(width_px, height_px)
    if longest < _SMALL_SIDE_PX:
        return min(at_most, _SMALL_SIDE_PX / longest)
    return min(1.0, _LARGE_SIDE_PX / longest)


def _widened(picture: Image.Image) -> Image.Image:
    """Paper added at the right or below until no side is four times the other.

    The detector enlarges until the shorter side has 736 px, which would blow up a narrow strip.
    """
    width, height = picture.size
    size = (max(width, -(-height // _MAX_ASPECT)), max(height, -(-width // _MAX_ASPECT)))
    if size == picture.size:
        return picture
    wider = Image.new("RGB", size, "white")
    wider.paste(picture, (0, 0))
    return wider


class TextReader:
    """Thread-safe reader; as many engines as callers at a time, about 60 MB each.

    ``threads`` bounds ONNX Runtime's threads for one engine.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._idle: LifoQueue[Any] = LifoQueue()

    def read(self, picture: Image.Image) -> tuple[OcrLine, ...]:
        """:meth:`read_whole`, then :meth:`read_closer`.

        A line that both readings found appears twice, on purpose: what was read twice is more likely
        to be printed there, and the words head counts how often it was read.
        """
        return self.read_whole(picture) + self.read_closer(picture)

    def read_whole(self, picture: Image.Image) -> tuple[OcrLine, ...]:
        """Lines of at least :data:`MIN_CONFIDENCE`, polygons in pixels of ``picture``."""
        return self._read(picture, reading_scale(*picture.size))

    def read_closer(self, picture: Image.Image) -> tuple[OcrLine, ...]:
        """The centre read larger and with a lower threshold; nothing where that enlarges little."""
        area = centre_box(*picture.size, CENTRE_SHARE)
        scale = _closer_scale(area)
        if scale < _MIN_GAIN * reading_scale(*picture.size):
            return ()
        return self._read_area(picture, area, scale)

    def read_box(self, picture: Image.Image, box: Box) -> tuple[OcrLine, ...]:
        """What is printed in ``box``, widened a little, and nowhere else."""
        margin = BOX_MARGIN * max(box[2:])
        area = (
            max(0, int(box[0] - margin)),
            max(0, int(box[1] - margin)),
            min(picture.width, math.ceil(box[0] + box[2] + margin)),
            min(picture.height, math.ceil(box[1] + box[3] + margin)),
        )
        if area[0] >= area[2] or area[1] >= area[3]:
            return ()
        return self._read_area(picture, area, _closer_scale(area))

    def _read_area(
        self, picture: Image.Image, area: tuple[int, int, int, int], scale: float
    ) -> tuple[OcrLine, ...]:
        lines = self._read(picture.crop(area), scale, box_threshold=CENTRE_BOX_THRESHOLD)
        return tuple(
            replace(line, polygon=tuple((x + area[0], y + area[1]) for x, y in line.polygon))
            for line in lines
        )

    def _read(
        self, picture: Image.Image, scale: float, *, box_threshold: float = _BOX_THRESHOLD
    ) -> tuple[OcrLine, ...]:
        if scale != 1:
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        bgr = np.ascontiguousarray(np.asarray(_widened(picture))[:, :, ::-1])
        engine = self._engine()
        try:
            # given each time: the engine remembers the last one
            result = engine(bgr, box_thresh=box_threshold)
        finally:
            self._idle.put(engine)
        if result.txts is None or result.boxes is None:
            return ()
        return tuple(
            OcrLine(
                text=text,
                confidence=round(float(score), 4),
                polygon=tuple((float(x) / scale, float(y) / scale) for x, y in box),
            )
            for text, score, box in zip(result.txts, result.scores, result.boxes, strict=True)
            if text.strip()
        )

    def _engine(self) -> Any:
        try:
            return self._idle.get_nowait()
        except Empty:
            return RapidOCR(
                params={
                    "Global.log_level": "error",
                    "Global.text_score": MIN_CONFIDENCE,
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                    "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
                }
            )


def _closer_scale(area: tuple[int, int, int, int]) -> float:
    width, height = area[2] - area[0], area[3] - area[1]
    return reading_scale(width, height, at_most=_MAX_CENTRE_ENLARGEMENT)
