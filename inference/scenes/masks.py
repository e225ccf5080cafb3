"""Which unit each pixel shows: the source of boxes and occlusion."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from .camera import Array

Shape = list[Array] | tuple[Image.Image, tuple[int, int]]
"""Quads in pixels, or an alpha mask with its place."""

Box = tuple[int, int, int, int]

_LEAST_SHARE: Final = 0.04
_LEAST_SHOWN: Final = 0.0003
"""A unit counts as shown when this share of it, and of the picture, can be seen."""


class UnitMasks:
    """Units drawn one over the other at half size, each with its own number."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        self._size = (size_px[0] // 2, size_px[1] // 2)
        self._ids = Image.new("L", self._size, 0)
        self._areas: list[int] = []

    def add(self, shape: Shape) -> None:
        """Draw the next unit over what is there."""
        alone = self._alone(shape)
        self._areas.append(int(np.count_nonzero(np.asarray(alone))))
        self._ids.paste(len(self._areas), (0, 0), alone)

    def cover(self, quad: Array) -> None:
        """Draw something that is no unit over what is there."""
        ImageDraw.Draw(self._ids).polygon([tuple(p) for p in quad / 2], fill=0)

    def _alone(self, shape: Shape) -> Image.Image:
        mask = Image.new("1", self._size, 0)
        if isinstance(shape, list):
            draw = ImageDraw.Draw(mask)
            for quad in shape:
                draw.polygon([tuple(p) for p in quad / 2], fill=1)
            return mask
        alpha, (x, y) = shape
        half = alpha.resize(
            (max(1, alpha.width // 2), max(1, alpha.height // 2)), Image.Resampling.BOX
        )
        solid = half.point(lambda v: 255 if v > 110 else 0).convert("1")
        mask.paste(solid, (x // 2, y // 2))
        return mask

    def _visible(self, ids: Image.Image) -> list[float]:
        counts = ids.histogram()
        return [
            counts[number] / area if area else 0.0
            for number, area in enumerate(self._areas, start=1)
        ]

    def least_visible_with(self, quad: Array) -> float:
        """The share that would be seen of the unit most hidden, were ``quad`` drawn over all."""
        ids = self._ids.copy()
        ImageDraw.Draw(ids).polygon([tuple(p) for p in quad / 2], fill=0)
        return min(self._visible(ids))

    def extent(self) -> Box:
        """Left, top, right, bottom of all units, in pixels of the picture."""
        left, top, right, bottom = self._ids.getbbox() or (0, 0, *self._size)
        return left * 2, top * 2, right * 2, bottom * 2

    def visible_area(self, number: int) -> int:
        """How much can be seen of the unit with ``number`` (from 1), at half size."""
        return self._ids.histogram()[number]

    def share_of(self, number: int, edges: Box) -> float:
        """The share of a box (left, top, right, bottom in pixels) that shows the unit."""
        left, top, right, bottom = (side // 2 for side in edges)
        part = self._ids.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
        return part.histogram()[number] / (part.width * part.height)

    def shown(self) -> int:
        """How many units can be told to be there."""
        least = max(4.0, _LEAST_SHOWN * self._size[0] * self._size[1])
        counts = self._ids.histogram()
        return sum(
            counts[number] >= least and counts[number] >= _LEAST_SHARE * area
            for number, area in enumerate(self._areas, start=1)
        )

    def truth(self, minimum: float) -> tuple[tuple[Box, ...], Box, float]:
        """The boxes of units of which at least ``minimum`` can be seen, the box of all, and the
        share of the units' area that is hidden."""
        ids = np.asarray(self._ids)
        boxes = []
        for number, share in enumerate(self._visible(self._ids), start=1):
            if share < minimum or share == 0:
                continue
            mine = ids == number
            columns, rows = np.flatnonzero(mine.any(axis=0)), np.flatnonzero(mine.any(axis=1))
            x, y = int(columns[0]) * 2, int(rows[0]) * 2
            boxes.append((x, y, int(columns[-1]) * 2 + 2 - x, int(rows[-1]) * 2 + 2 - y))
        left, top, right, bottom = self.extent()
        counts = self._ids.histogram()
        seen = sum(counts[1 : len(self._areas) + 1])
        hidden = 1 - seen / max(1, sum(self._areas))
        return tuple(boxes), (left, top, right - left, bottom - top), round(max(0.0, hidden), 3)
