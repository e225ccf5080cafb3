"""Nearest known pictures by cosine, with FAISS; additions are searchable at once."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


class PictureIndex:
    """Exact inner-product search over L2-normalised vectors [D], addressed by string keys.

    Not thread-safe: the site memory that owns it holds a lock.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))
        self._id_of: dict[str, int] = {}
        self._key_of: dict[int, str] = {}
        self._next_id = 0

    def __len__(self) -> int:
        return len(self._id_of)

    def put(self, key: str, vector: Float32Array) -> None:
        """Add a vector, replacing that of the same key. Raises :class:`ValueError` on its shape."""
        if vector.shape != (self.dimensions,):
            raise ValueError(f"embedding of {key} has shape {vector.shape}, not {self.dimensions}")
        self.remove(key)
        self._index.add_with_ids(
            np.ascontiguousarray(vector[None], np.float32), np.asarray([self._next_id], np.int64)
        )
        self._id_of[key] = self._next_id
        self._key_of[self._next_id] = key
        self._next_id += 1

    def remove(self, key: str) -> None:
        """Forget a key; one that is not there does no harm."""
        number = self._id_of.pop(key, None)
        if number is None:
            return
        del self._key_of[number]
        self._index.remove_ids(np.asarray([number], np.int64))  # type: ignore[arg-type]

    def search(self, vector: Float32Array, count: int) -> list[tuple[str, float]]:
        """The ``count`` most similar keys with their cosine, ties by key."""
        count = min(count, len(self))
        if count == 0:
            return []
        cosines, ids = self._index.search(np.ascontiguousarray(vector[None], np.float32), count)
        found = [
            (self._key_of[int(i)], float(cosine))
            for i, cosine in zip(ids[0], cosines[0], strict=True)
            if i >= 0
        ]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))
