"""Pictures that show the same photo: recompressed, resized, cropped. Pure.

A copy that was only written anew has nearly the same perceptual hash; a crop has not, but it still
looks like its original to the recognizer's embedding. Only pictures of one SKU are compared: what
was decided of a copy is what was decided of its original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

HASH_BITS = 10
"""Hashes of one SKU's pictures that differ in at most this many of 64 bits are of one photo. Chance
reaches it once in 10^8 pairs; at the intake, where a link has consequences for people, it is 4."""
LOOK = 0.93
"""Embeddings of one SKU's pictures that are at least this alike (cosine) are of one photo."""
_AT_ONCE = 512

Look = tuple[str, bytes]
"""The describer that made it, and a little-endian float16 embedding [D]."""

_POPCOUNT = np.array([bin(n).count("1") for n in range(256)], np.uint8)


def same_photo(
    keys: Sequence[int], hashes: Mapping[int, int], looks: Mapping[int, Look]
) -> list[tuple[int, int]]:
    """The pairs of ``keys``, pictures of one SKU, that show one photo. ``hashes`` are 64-bit; pictures
    that were not described, or by different describers, are compared by their hashes only."""
    pairs = set(_pairs_by_hash([k for k in keys if k in hashes], hashes))
    by_describer: dict[str, list[int]] = {}
    for key in keys:
        if key in looks:
            by_describer.setdefault(looks[key][0], []).append(key)
    for described in by_describer.values():
        pairs.update(_pairs_by_look(described, looks))
    return sorted(pairs)


def _pairs_by_hash(keys: Sequence[int], hashes: Mapping[int, int]) -> list[tuple[int, int]]:
    rows = np.array([hashes[k] for k in keys], np.uint64)
    found = []
    for start in range(0, len(keys), _AT_ONCE):
        differing = rows[start : start + _AT_ONCE, None] ^ rows[None, :]
        bits = _POPCOUNT[differing[..., None].view(np.uint8)].sum(axis=-1, dtype=np.uint8)
        found += _named(keys, start, bits <= HASH_BITS)
    return found


def _pairs_by_look(keys: Sequence[int], looks: Mapping[int, Look]) -> list[tuple[int, int]]:
    rows = np.stack([np.frombuffer(looks[k][1], "<f2") for k in keys]).astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    found = []
    for start in range(0, len(keys), _AT_ONCE):
        found += _named(keys, start, rows[start : start + _AT_ONCE] @ rows.T >= LOOK)
    return found


def _named(keys: Sequence[int], start: int, alike: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The pairs that a block [B, N] of rows from ``start`` names, each once."""
    ones, others = np.nonzero(alike)
    return [
        (keys[one + start], keys[other])
        for one, other in zip(ones.tolist(), others.tolist(), strict=True)
        if other > one + start
    ]
