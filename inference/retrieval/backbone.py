"""Turn pictures into embedding vectors with the shipped ImageNet backbone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from inference.minigpt.pixels import to_pixels

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
            pixels = to_pixels([picture], INPUT_SIDE_PX, LOOKS)[0]
            (looks,) = self._session.run(None, {"pixels": pixels})
            total = looks.sum(axis=0)
            embeddings[row] = total / np.linalg.norm(total)
        return embeddings


def pack(vector: Float32Array) -> bytes:
    """A vector [D] as little-endian float16 bytes."""
    return vector.astype("<f2").tobytes()


def unpack(data: bytes) -> Float32Array:
    """The vector [D] of :func:`pack`, normalised again after the rounding."""
    vector = np.frombuffer(data, "<f2").astype(np.float32)
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm > 0 else vector
