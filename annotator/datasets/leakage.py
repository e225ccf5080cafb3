"""Pictures that show the same photo: recompressed, resized, cropped. Pure.

A copy that was only written anew has nearly the same perceptual hash. A crop has not: it is looked
for among the pictures that the recognizer's embedding finds most alike, and found where it fits onto
its original, pixel by pixel. Likeness alone would not do: one shoot's photos of a pack are as alike.
Only pictures of one SKU are compared, since what was decided of a copy is what was decided of its
original.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

HASH_BITS = 6
"""Hashes of one SKU's pictures that differ in at most this many of 64 bits are of one photo; at the
intake, where a link has consequences for people, it is 4."""
NEIGHBOURS = 16
"""The most alike pictures among which a crop's original is looked for."""
GREY_PX = 72
"""The longer side of the pictures that are laid upon each other."""
SMALLEST = 0.5
"""The least share of its original's side that a crop is looked for at."""
FITS = 0.86
"""Normalised correlation at which a picture is a part of another (measured: ADR 36)."""
FLAT = 2.0
"""Grey levels (standard deviation) below which a picture shows nothing."""
_STEP = 0.965
_AT_ONCE = 512

Look = tuple[str, bytes]
"""The describer that made it, and a little-endian float16 embedding [D]."""
Grey = NDArray[np.float32]

_POPCOUNT = np.array([bin(n).count("1") for n in range(256)], np.uint8)


def same_photo(
    keys: Sequence[int],
    hashes: Mapping[int, int],
    looks: Mapping[int, Look],
    grey: Callable[[int], Grey | None],
) -> list[tuple[int, int]]:
    """The pairs of ``keys``, pictures of one SKU, that show one photo. ``hashes`` are 64-bit; pictures
    that were not described, or by different describers, are compared by their hashes only. ``grey``
    gives what :func:`to_grey` makes of a picture, or None."""
    pairs = _alike_by_hash(keys, hashes)
    by_describer: dict[str, list[int]] = {}
    for key in keys:
        if key in looks:
            by_describer.setdefault(looks[key][0], []).append(key)
    for described in by_describer.values():
        for one, other in sorted(_neighbours(described, looks) - pairs):
            if (a := grey(one)) is not None and (b := grey(other)) is not None and overlie(a, b):
                pairs.add((one, other))
    return sorted(pairs)


def to_grey(picture: Image.Image) -> Grey:
    """A small grey picture [H, W] to lay upon another."""
    scale = GREY_PX / max(picture.size)
    size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
    return np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX), np.float32)


def overlie(one: Grey, other: Grey) -> bool:
    """Whether one of two pictures is a part of the other."""
    return _fit(one, other) >= FITS or _fit(other, one) >= FITS


def _fit(whole: Grey, part: Grey) -> float:
    """How well ``part`` fits onto ``whole`` [H, W] at its best place and size: the greatest
    normalised correlation, from -1 to 1."""
    if part.std() < FLAT:  # OpenCV takes a blank for a part of everything
        return -1.0
    height, width = whole.shape
    largest = min(height / part.shape[0], width / part.shape[1])
    best, share = -1.0, 1.0
    while share >= SMALLEST:
        size = (round(part.shape[1] * largest * share), round(part.shape[0] * largest * share))
        template = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        best = max(best, float(cv2.matchTemplate(whole, template, cv2.TM_CCOEFF_NORMED).max()))
        share *= _STEP
    return best


def _alike_by_hash(keys: Sequence[int], hashes: Mapping[int, int]) -> set[tuple[int, int]]:
    rows = np.array([hashes[k] for k in keys], np.uint64)
    found = set[tuple[int, int]]()
    for start in range(0, len(keys), _AT_ONCE):
        differing = rows[start : start + _AT_ONCE, None] ^ rows[None, :]
        bits = _POPCOUNT[differing[..., None].view(np.uint8)].sum(axis=-1, dtype=np.uint8)
        for one, other in zip(*np.nonzero(bits <= HASH_BITS), strict=True):
            if other > one + start:
                found.add((keys[one + start], keys[other]))
    return found


def _neighbours(keys: Sequence[int], looks: Mapping[int, Look]) -> set[tuple[int, int]]:
    """Each picture with those that look most like it, as pairs in the order of ``keys``."""
    rows = np.stack([np.frombuffer(looks[k][1], "<f2") for k in keys]).astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    n = min(NEIGHBOURS, len(keys) - 1)
    found = set[tuple[int, int]]()
    for start in range(0, len(keys), _AT_ONCE):
        alike = rows[start : start + _AT_ONCE] @ rows.T
        for at, near in enumerate(np.argsort(-alike, axis=1, kind="stable")[:, : n + 1], start):
            found |= {(keys[min(at, k)], keys[max(at, k)]) for k in near.tolist() if k != at}
    return found
