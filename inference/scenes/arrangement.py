"""How the goods of a scene stand: how many, how high, where, and how sound."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from .backdrop import Support
from .catalog import SkuTruth

BOARD_CM: Final = 1.6
"""Thickness of the board between levels of bottles or bags."""

_COUNTS: Final = (1, 2, 3, 4, 5, 6, 8, 9, 10, 12)
_COUNT_WEIGHTS: Final = (26, 18, 13, 11, 6, 9, 6, 5, 3, 3)
_GRADE_WEIGHTS: Final = (58, 14, 10, 10, 8)
_WIDEST: Final = {"carton": 4, "bottle": 6, "bag": 6}
_HIGHEST: Final = {"carton": 3, "bottle": 2, "bag": 2}


@dataclass(frozen=True, slots=True)
class Unit:
    """One pack: where the middle of its bottom stands (cm), its turn, and its damage.
    ``column_x`` is where its column's middle is, without the unit's own shift."""

    centre: tuple[float, float, float]
    column_x: float
    yaw_deg: float
    level: int
    grade: int
    variant: int


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Units on a support; ``boards`` are the heights (cm) of boards between levels."""

    units: tuple[Unit, ...]
    stack_level: int
    grade: int
    support: Support
    boards: tuple[float, ...]
    width_cm: float
    depth_cm: float


def arrange(
    sku: SkuTruth,
    rng: random.Random,
    *,
    count: int | None = None,
    grade: int | None = None,
    stack_level: int | None = None,
) -> Arrangement:
    """Stand 1–12 units in one row, in columns up to three high.

    What is not given is drawn at random. ``stack_level`` is an upper bound where ``count`` is too
    small for it. Raises :class:`ValueError` for a count or grade that cannot be shown.
    """
    count = rng.choices(_COUNTS, _COUNT_WEIGHTS)[0] if count is None else count
    grade = rng.choices(range(5), _GRADE_WEIGHTS)[0] if grade is None else grade
    if not 1 <= count <= 12 or not 0 <= grade <= 4:
        raise ValueError(f"count {count} must be 1…12 and grade {grade} 0…4")
    heights = _heights(sku, rng, count, stack_level)
    width, depth, height = sku.size_cm
    gap = {"carton": 0.6, "bottle": 0.9, "bag": 0.7}[sku.package_type]
    boarded = sku.package_type != "carton" and max(heights) > 1
    places = [(column, level) for column, high in enumerate(heights) for level in range(high)]
    hurt = set(rng.sample(range(count), 1 if count < 4 else rng.choice((1, 2)))) if grade else set()
    units = []
    for number, (column, level) in enumerate(places):
        column_x = (column - (len(heights) - 1) / 2) * (width + gap)
        x = column_x + rng.uniform(-0.35, 0.35)
        y = rng.uniform(-0.03, 0.03) * depth
        z = level * (height + (BOARD_CM if boarded else 0.0))
        yaw = rng.uniform(-2.2, 2.2) if sku.package_type == "carton" else rng.uniform(-7, 7)
        units.append(
            Unit((x, y, z), column_x, yaw, level, grade if number in hurt else 0, rng.randint(0, 2))
        )
    boards = tuple(height + k * (height + BOARD_CM) for k in range(max(heights) - 1))
    support: Support = rng.choice(("shelf", "shelf", "pallet", "floor"))
    if sku.package_type != "carton" and support == "floor":
        support = "shelf"
    return Arrangement(
        tuple(units),
        max(heights),
        grade,
        support,
        boards if boarded else (),
        len(heights) * (width + gap),
        depth,
    )


def _heights(sku: SkuTruth, rng: random.Random, count: int, stack_level: int | None) -> list[int]:
    """Units per column, as level as they go, the higher columns somewhere in the row."""
    highest = min(_HIGHEST[sku.package_type], count)
    lowest = -(-count // _WIDEST[sku.package_type])
    if stack_level is None:
        level = rng.randint(lowest, max(lowest, highest))
    else:
        level = max(lowest, min(stack_level, highest))
    columns = -(-count // level)
    heights = [count // columns + (1 if k < count % columns else 0) for k in range(columns)]
    if rng.random() < 0.5:
        heights.reverse()
    return heights
