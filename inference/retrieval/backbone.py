"""Turn pictures into embedding vectors with the shipped ImageNet backbone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

Float32Array = NDArray[np.float32]

MODEL_PATH = Path(__file__).with_name("backbone.onnx")
MODEL_SHA256 = "12fdf42d637aa896f12b8498e082256fbf229584bb42f6833950cee2f602223f"
MODEL_NAME = "lite0-320-cgem3-looks4"
INPUT_SIDE_PX = 320
DIMENSIONS = 1280
LOOKS = (1.0, 0.8, 0.6, 0.4)
"""Central parts of a picture, as shares of its sides, whose vectors are averaged: shoots differ in
how near they stand and in what surrounds the pack, and the average depends least on either."""


class ImageEmbedder:
    """Thread-safe embedder. Raises :class:`ValueError` when the model file is not the shipped one.

    ``threads`` bounds ONNX Runtime's threads; one is best on few cores.
    """

    def __init__(self, *, threads: int = 1, path: Path = MODEL_PATH) -> None:
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest != MODEL_SHA256:
            raise ValueError(f"{path.name}: SHA-256 is {digest}, expected {MODEL_SHA256}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )

    def embed(self, pictures: Sequence[Image.Image]) -> Float32Array:
        """L2-normalised embeddings [B, 1280] of RGB pictures, each the mean over its LOOKS."""
        if not pictures:
            return np.zeros((0, DIMENSIONS), np.float32)
        embeddings = np.zeros((len(pictures), DIMENSIONS), np.float32)
        for row, picture in enumerate(pictures):
            pixels = np.stack([_pixels(centre(picture, share)) for share in LOOKS])
            (looks,) = self._session.run(None, {"pixels": pixels})
            total = looks.sum(axis=0)
            embeddings[row] = total / np.linalg.norm(total)
        return embeddings


def centre(picture: Image.Image, share: float) -> Image.Image:
    """The middle of a picture, ``share`` of its width and height, at least one pixel."""
    if share >= 1:
        return picture
    return picture.crop(centre_box(*picture.size, share))


def centre_box(width_px: int, height_px: int, share: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the middle of a picture."""
    left, top = round(width_px * (1 - share) / 2), round(height_px * (1 - share) / 2)
    return left, top, max(left + 1, width_px - left), max(top + 1, height_px - top)


def _pixels(picture: Image.Image) -> Float32Array:
    """[3, S, S]: scaled to fit, aspect kept, padded with the network's zero; (x − 127) / 128."""
    scale = INPUT_SIDE_PX / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    resized = np.asarray(picture.resize(size, Image.Resampling.BICUBIC), np.float32)
    canvas = np.zeros((INPUT_SIDE_PX, INPUT_SIDE_PX, 3), np.float32)
    top, left = (INPUT_SIDE_PX - size[1]) // 2, (INPUT_SIDE_PX - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = (resized - 127.0) / 128.0
    return np.ascontiguousarray(canvas.transpose(2, 0, 1))


def pack(vector: Float32Array) -> bytes:
    """A vector [D] as little-endian float16 bytes."""
    return vector.astype("<f2").tobytes()


def unpack(data: bytes) -> Float32Array:
    """The vector [D] of :func:`pack`, normalised again after the rounding."""
    vector = np.frombuffer(data, "<f2").astype(np.float32)
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm > 0 else vector
