"""Read printed text with the PP-OCR models that rapidocr ships (offline, ONNX Runtime on CPU)."""

from __future__ import annotations

import threading
from importlib.metadata import version
from typing import Any

import numpy as np
from PIL import Image
from rapidocr import RapidOCR

from inference.contracts import OcrLine

MIN_CONFIDENCE = 0.3
_SMALL_SIDE_PX = 700
_LARGE_SIDE_PX = 1280
_MAX_ENLARGEMENT = 3.5
_MAX_ASPECT = 4


def engine_version() -> str:
    """Names the engine and its version, for the describer's name."""
    return f"rapidocr-{version('rapidocr')}"


def reading_scale(width_px: int, height_px: int) -> float:
    """How much to enlarge or shrink a picture before reading it.

    Small photos gain from enlargement to 700 px (recognition crops come from the enlarged picture),
    not from more; beyond 1280 px the detector's time grows and packs are read no better.
    """
    longest = max(width_px, height_px)
    if longest < _SMALL_SIDE_PX:
        return min(_MAX_ENLARGEMENT, _SMALL_SIDE_PX / longest)
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
        """Lines of at least :data:`MIN_CONFIDENCE`, polygons in pixels of ``picture``."""
        scale = reading_scale(*picture.size)
        if scale != 1:
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        bgr = np.ascontiguousarray(np.asarray(_widened(picture))[:, :, ::-1])
        result = self._engine()(bgr)
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
