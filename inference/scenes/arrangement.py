"""How the goods of a scene stand: how many, how high, how deep, where, and how sound."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .backdrop import Support
from .catalog import SkuTruth

BOARD_CM: Final = 1.6
"""Thickness of the board between levels of bottles or bags."""

MOST: Final = 24
"""Units that a scene can have."""

_BOARDED: Final = frozenset({"bottle", "bag"})
_GAP_CM: Final = {"carton": 0.6, "bottle": 0.9, "bag": 0.7, "can": 0.7, "cup": 0.7, "tray": 0.6}
# Rows stand apart by so much of the pack's height, that the one behind can be seen.
_ROW_GAP: Final = {
    "carton": 0.03,
    "bottle": 0.3,
    "bag": 0.4,
    "can": 0.08,
    "cup": 0.08,
    "tray": 0.03,
}


@dataclass(frozen=True, slots=True)
class Mix:
    """What scenes show, and how often. ``highest`` and ``widest`` bound levels and columns; a share
    ``deep`` stands in several rows, one level high; ``labelled`` is the share of scenes whose packs
    bear a shipping label; ``hurt`` is the share of units, from–to, that a damaged scene damages
    (None: one or two); ``uneven`` is the share of stacks with columns of any height. With
    ``compact``, stacks are seldom much wider than high or higher than wide, so that each unit has
    its pixels."""

    counts: tuple[int, ...]
    count_weights: tuple[float, ...]
    grade_weights: tuple[float, ...]
    widest: Mapping[str, int]
    highest: Mapping[str, int]
    deep: float = 0.0
    labelled: float = 0.0
    uneven: float = 0.0
    hurt: tuple[float, float] | None = None
    compact: bool = False


DEMO_MIX: Final = Mix(
    counts=(1, 2, 3, 4, 5, 6, 8, 9, 10, 12),
    count_weights=(26, 18, 13, 11, 6, 9, 6, 5, 3, 3),
    grade_weights=(58, 14, 10, 10, 8),
    widest={"carton": 4, "bottle": 6, "bag": 6, "can": 6, "cup": 6, "tray": 4},
    highest={"carton": 3, "bottle": 2, "bag": 2, "can": 3, "cup": 2, "tray": 3},
)
"""The scenes of the demo site: one row, mostly few and sound."""

TRAINING_MIX: Final = Mix(
    counts=tuple(range(1, MOST + 1)),
    count_weights=tuple(1 / (n + 3) for n in range(MOST)),
    grade_weights=(32, 17, 17, 17, 17),
    widest={"carton": 6, "bottle": 8, "bag": 7, "can": 8, "cup": 8, "tray": 5},
    highest={"carton": 5, "bottle": 3, "bag": 3, "can": 5, "cup": 5, "tray": 5},
    deep=0.3,
    labelled=0.4,
    uneven=0.35,
    hurt=(0.2, 0.5),
    compact=True,
)
"""Scenes to learn from: every count, level and grade often enough."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One pack: where the middle of its bottom stands (cm), its turn, and its damage.
    ``column_x`` and ``row_y`` are where its column's middle is, without the unit's own shift."""

    centre: tuple[float, float, float]
    column_x: float
    yaw_deg: float
    level: int
    grade: int
    variant: int
    row_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Units on a support; ``boards`` are the heights (cm) of boards between levels. ``labelled``
    packs bear a shipping label."""

    units: tuple[Unit, ...]
    stack_level: int
    grade: int
    support: Support
    boards: tuple[float, ...]
    width_cm: float
    depth_cm: float
    rows: int = 1
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """Units per column; with several ``rows``, the columns of the back row first."""

    heights: list[int]
    columns: int
    rows: int = field(default=1)


def arrange(
    sku: SkuTruth,
    rng: random.Random,
    *,
    mix: Mix = DEMO_MIX,
    count: int | None = None,
    grade: int | None = None,
    stack_level: int | None = None,
) -> Arrangement:
    """Stand 1–24 units so that each can be seen from some side: in one row of columns, or in
    several rows one level high.

    What is not given is drawn from ``mix``. ``stack_level`` is kept where ``count`` and the kind of
    pack allow it. Raises :class:`ValueError` for a count or grade that cannot be shown.
    """
    count = rng.choices(mix.counts, mix.count_weights)[0] if count is None else count
    grade = rng.choices(range(5), mix.grade_weights)[0] if grade is None else grade
    if not 1 <= count <= MOST or not 0 <= grade <= 4:
        raise ValueError(f"count {count} must be 1…{MOST} and grade {grade} 0…4")
    plan = _plan(sku, rng, mix, count, stack_level)
    width, depth, height = sku.size_cm
    gap = _GAP_CM[sku.package_type]
    if sku.design is not None:  # small packs and trays run together unless they stand apart
        gap = max(gap, width * (0.05 if sku.form in ("tray", "box") else 0.025))
    boarded = sku.package_type in _BOARDED and max(plan.heights) > 1
    pitch = depth + gap + _ROW_GAP[sku.package_type] * height
    places = [(place, level) for place, high in enumerate(plan.heights) for level in range(high)]
    hurt = _hurt(rng, mix, places, plan) if grade else frozenset()
    square = sku.package_type in ("carton", "tray")
    units = []
    for number, (place, level) in enumerate(places):
        row, column = divmod(place, plan.columns)
        in_row = min(plan.columns, len(plan.heights) - row * plan.columns)
        column_x = (column - (in_row - 1) / 2) * (width + gap)
        row_y = ((plan.rows - 1) / 2 - row) * pitch if plan.rows > 1 else 0.0
        x = column_x + rng.uniform(-0.35, 0.35)
        y = row_y + rng.uniform(-0.03, 0.03) * depth
        z = level * (height + (BOARD_CM if boarded else 0.0))
        yaw = rng.uniform(-2.2, 2.2) if square else rng.uniform(-7, 7)
        own = grade if number in hurt else 0
        units.append(Unit((x, y, z), column_x, yaw, level, own, rng.randint(0, 2), row_y))
    boards = tuple(height + k * (height + BOARD_CM) for k in range(max(plan.heights) - 1))
    support: Support = rng.choice(("shelf", "shelf", "pallet", "floor"))
    if not square and support == "floor":
        support = "shelf"
    return Arrangement(
        tuple(units),
        max(plan.heights),
        grade,
        support,
        boards if boarded else (),
        plan.columns * (width + gap),
        depth + (plan.rows - 1) * pitch,
        plan.rows,
        mix.labelled > 0 and rng.random() < mix.labelled,
    )


def _hurt(
    rng: random.Random, mix: Mix, places: list[tuple[int, int]], plan: _Plan
) -> frozenset[int]:
    """Numbers of the units that are damaged; with several rows, among those of the front row."""
    count = len(places)
    if mix.hurt is None:
        return frozenset(rng.sample(range(count), 1 if count < 4 else rng.choice((1, 2))))
    front = [n for n, (place, _) in enumerate(places) if place // plan.columns == plan.rows - 1]
    share = rng.uniform(*mix.hurt)
    return frozenset(rng.sample(front, max(1, min(len(front), round(count * share)))))


def _plan(
    sku: SkuTruth, rng: random.Random, mix: Mix, count: int, stack_level: int | None
) -> _Plan:
    widest, highest = mix.widest[sku.package_type], mix.highest[sku.package_type]
    wanted = 1 if stack_level is None else min(stack_level, highest)
    too_many = count > widest * highest
    if too_many or (mix.deep and wanted == 1 and count >= 4 and rng.random() < mix.deep):
        rows = rng.randint(max(2, -(-count // (widest + 2))), max(2, min(4, count // 2)))
        rows = max(rows, -(-count // (widest + 2)))
        columns = -(-count // rows)
        return _Plan([1] * count, columns, -(-count // columns))
    aspect = sku.size_cm[0] / sku.size_cm[2] if mix.compact else None
    heights = _heights(rng, count, widest, min(highest, count), stack_level, aspect)
    level = max(heights)
    if mix.uneven and sku.package_type not in _BOARDED and rng.random() < mix.uneven:
        heights = _uneven(rng, count, level, min(widest, count - level + 1))
    return _Plan(heights, len(heights))


def _heights(
    rng: random.Random,
    count: int,
    widest: int,
    highest: int,
    stack_level: int | None,
    aspect: float | None,
) -> list[int]:
    """Units per column, as level as they go, the higher columns at one end of the row. ``aspect``
    is a unit's width by its height, where the stack is to be compact."""
    lowest = -(-count // widest)
    if stack_level is None and aspect is not None:
        levels = range(lowest, max(lowest, highest) + 1)
        shapes = [abs(math.log(-(-count // level) / level * aspect / 1.3)) for level in levels]
        level = rng.choices(levels, [math.exp(-1.2 * shape) for shape in shapes])[0]
    elif stack_level is None:
        level = rng.randint(lowest, max(lowest, highest))
    else:
        level = max(lowest, min(stack_level, highest))
    columns = -(-count // level)
    heights = [count // columns + (1 if k < count % columns else 0) for k in range(columns)]
    if rng.random() < 0.5:
        heights.reverse()
    return heights


def _uneven(rng: random.Random, count: int, level: int, widest: int) -> list[int]:
    """Columns of any height up to ``level``, which one of them reaches."""
    fewest = -(-count // level)
    columns = rng.randint(fewest, max(fewest, min(widest, fewest + 2)))
    if count < level + columns - 1:
        columns = count - level + 1
    heights = [level] + [1] * (columns - 1)
    for _ in range(count - sum(heights)):
        heights[rng.choice([k for k, high in enumerate(heights) if high < level])] += 1
    rng.shuffle(heights)
    return heights
