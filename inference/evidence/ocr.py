"""Read printed text with the PP-OCR models that rapidocr ships (offline, ONNX Runtime on CPU)."""

from __future__ import annotations

import threading
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
from PIL import Image
from rapidocr import RapidOCR

from inference.contracts import OcrLine
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
    """Thread-safe reader; every concurrent caller gets an engine of its own (about 60 MB each).

    ``threads`` bounds ONNX Runtime's threads for one engine.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._local = threading.local()

    def read(self, picture: Image.Image) -> tuple[OcrLine, ...]:
        """Lines of at least :data:`MIN_CONFIDENCE`, polygons in pixels of ``picture``.

        The whole picture is read, then its centre once more, larger and with a lower threshold. A
        line that both readings found appears twice, on purpose: what was read twice is more likely
        to be printed there, and the words head counts how often it was read.
        """
        lines = self._read(picture, reading_scale(*picture.size))
        left, top, right, bottom = centre_box(*picture.size, CENTRE_SHARE)
        scale = reading_scale(right - left, bottom - top, at_most=_MAX_CENTRE_ENLARGEMENT)
        if scale < _MIN_GAIN * reading_scale(*picture.size):
            return lines
        again = self._read(
            picture.crop((left, top, right, bottom)), scale, box_threshold=CENTRE_BOX_THRESHOLD
        )
        return lines + tuple(
            replace(line, polygon=tuple((x + left, y + top) for x, y in line.polygon))
            for line in again
        )

    def _read(
        self, picture: Image.Image, scale: float, *, box_threshold: float = _BOX_THRESHOLD
    ) -> tuple[OcrLine, ...]:
        if scale != 1:
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        bgr = np.ascontiguousarray(np.asarray(_widened(picture))[:, :, ::-1])
        # given each time: the engine remembers the last one
        result = self._engine()(bgr, box_thresh=box_threshold)
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
        engine = getattr(self._local, "engine", None)
        if engine is None:
            engine = RapidOCR(
                params={
                    "Global.log_level": "error",
                    "Global.text_score": MIN_CONFIDENCE,
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                    "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
                }
            )
            self._local.engine = engine
        return engine
