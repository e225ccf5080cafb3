"""What a MiniGPT saw in a picture: kept with it, so that captions can be written for any catalog later."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from .alternatives import Float32Array

MAX_STACK: Final = 5
"""The levels of a stack that are told apart: so many, or more."""
_HEAD = "head."
_FULL = 255


@dataclass(frozen=True, slots=True)
class Sight:
    """The queries' outputs [Q, D], where each query looks [Q, K · N], whose rows sum to 1, and the
    logits of each head."""

    outputs: Float32Array
    gaze: Float32Array
    heads: Mapping[str, Float32Array]

    def pack(self) -> bytes:
        """As bytes, some 8 kB: half floats, and the gaze in 255 steps of each row's largest."""
        largest = self.gaze.max(axis=1, keepdims=True)
        steps = np.rint(self.gaze / np.maximum(largest, 1e-9) * _FULL).astype(np.uint8)
        arrays: dict[str, Any] = {"outputs": self.outputs.astype("<f2"), "gaze": steps}
        arrays |= {_HEAD + name: logits.astype("<f2") for name, logits in self.heads.items()}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def unpack(cls, data: bytes) -> Sight:
        """What :meth:`pack` made. Raises ValueError for other bytes."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                found = {name: arrays[name].astype(np.float32) for name in arrays.files}
            gaze = found["gaze"] / np.maximum(found["gaze"].sum(axis=1, keepdims=True), 1e-9)
            heads = {k.removeprefix(_HEAD): v for k, v in found.items() if k.startswith(_HEAD)}
            return cls(found["outputs"], gaze, heads)
        except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
            raise ValueError(f"these bytes are no sight: {error}") from error
