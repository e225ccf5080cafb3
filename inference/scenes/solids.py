"""Outlines of round packs: the radius over the height of bottles, jars, cans and cups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .catalog import SkuTruth

Pixels = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Outline:
    """Lengths are in heights of the pack. ``body`` is the radius of the belly; it narrows by
    ``shrink`` between ``shoulder`` and ``neck``; the cap begins at ``cap_from`` with ``cap`` of the
    belly's radius. ``taper`` is how much narrower the foot is (cups). ``label`` is where print
    begins and ends. ``hollow`` shows air under the shoulder, ``ridged`` has grip on the cap;
    ``body_rgb`` and ``cap_rgb`` override the pack's colours (bare metal)."""

    body: float
    shoulder: float
    neck: float
    shrink: float
    cap_from: float
    cap: float
    label: tuple[float, float]
    waist: float = 0.025
    taper: float = 0.0
    hollow: bool = True
    ridged: bool = True
    body_rgb: tuple[int, int, int] | None = None
    cap_rgb: tuple[int, int, int] | None = None

    def radius(self, z: Pixels) -> Pixels:
        """The radius at heights ``z`` (0…1)."""
        rise = np.clip((z - self.shoulder) / (self.neck - self.shoulder), 0, 1)
        smooth = rise * rise * (3 - 2 * rise)
        radius = self.body * (1 - smooth * self.shrink)
        if self.taper:
            radius = radius * (1 - self.taper * (1 - np.clip(z, 0, 1)))
        cap = (z > self.cap_from).astype(np.float32)
        foot = np.clip(z / 0.02, 0, 1)
        waist = 1 - self.waist * np.exp(-(((z - 0.66) / 0.02) ** 2))
        outline = radius * (0.93 + 0.07 * foot) * waist * (1 - cap) + cap * self.body * self.cap
        return np.asarray(outline, np.float32)


_METAL: Final = (168, 171, 176)

# shoulder, neck, shrink, where the cap begins, its radius: water, sauce, jar, flagon, pills, round
_BOTTLES: Final = (
    (0.72, 0.87, 0.66, 0.90, 0.42),
    (0.66, 0.84, 0.66, 0.90, 0.42),
    (0.80, 0.86, 0.16, 0.86, 0.88),
    (0.52, 0.84, 0.70, 0.91, 0.36),
    (0.74, 0.80, 0.26, 0.80, 0.80),
    (0.58, 0.92, 0.60, 0.92, 0.44),
)


@lru_cache(maxsize=64)
def outline_of(sku: SkuTruth) -> Outline:
    """The outline of a round pack."""
    body = sku.size_cm[0] / sku.size_cm[2] / 2
    if sku.package_type == "can":
        return Outline(
            body, 0.93, 0.97, 0.1, 0.965, 0.92, (0.05, 0.925), 0.0,
            hollow=False, ridged=False, body_rgb=_METAL, cap_rgb=_METAL,
        )  # fmt: skip
    if sku.package_type == "cup":
        return Outline(
            body, 0.97, 0.99, 0.0, 0.955, 1.03, (0.06, 0.9), 0.0,
            taper=0.24, hollow=False, ridged=False,
        )  # fmt: skip
    if sku.design is not None:
        shoulder, neck, shrink, cap_from, cap = _BOTTLES[sku.design.shape % len(_BOTTLES)]
        return Outline(body, shoulder, neck, shrink, cap_from, cap, (0.06, shoulder - 0.03), 0.012)
    shoulder, neck = (0.66, 0.84) if sku.category in ("酱油", "洗洁精") else (0.72, 0.87)
    return Outline(body, shoulder, neck, 0.66, 0.9, 0.42, (0.08, 0.66))
