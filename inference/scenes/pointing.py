"""Where words that are printed on packs come to stand in a photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from .camera import Array, perspective_coefficients
from .masks import Box, Shape, UnitMasks
from .prints import Span

_UNIT_SQUARE: Final = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])

LEAST_PX: Final = 4
"""Words whose box is smaller than this across are left out."""

_CLEAR: Final = 0.75
_CLEAR_CODE: Final = 0.97
"""Words are left out when less of their box than this shows the pack they are printed on. A code of
which a character is hidden is no code."""

Edges = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A unit as it was drawn: its shape, and the places of its words."""

    shape: Shape
    words: Mapping[str, Edges] = field(default_factory=dict)


def on_quad(words: Mapping[str, Span], quad: Array) -> dict[str, Edges]:
    """The edges of words on a face whose corners, clockwise from its top left, are ``quad``
    [4, 2]."""
    try:
        a, b, c, d, e, f, g, h = perspective_coefficients(_UNIT_SQUARE, quad)
    except np.linalg.LinAlgError:  # seen edge on
        return {}
    found = {}
    for group, (x0, y0, x1, y1) in words.items():
        xs = np.array([x0, x1, x1, x0])
        ys = np.array([y0, y0, y1, y1])
        below = g * xs + h * ys + 1
        px, py = (a * xs + b * ys + c) / below, (d * xs + e * ys + f) / below
        found[group] = (float(px.min()), float(py.min()), float(px.max()), float(py.max()))
    return found


def on_rectangle(
    words: Mapping[str, Span], place: tuple[int, int], size: tuple[int, int]
) -> dict[str, Edges]:
    """The edges of words on an upright picture of ``size`` at ``place``."""
    return {
        group: (
            place[0] + x0 * size[0],
            place[1] + y0 * size[1],
            place[0] + x1 * size[0],
            place[1] + y1 * size[1],
        )
        for group, (x0, y0, x1, y1) in words.items()
    }


def larger(a: Mapping[str, Edges], b: Mapping[str, Edges]) -> dict[str, Edges]:
    """Each word where it is larger: a name is on several faces of a carton."""

    def area(edges: Edges) -> float:
        return (edges[2] - edges[0]) * (edges[3] - edges[1])

    both = dict(a)
    for group, edges in b.items():
        if group not in both or area(edges) > area(both[group]):
            both[group] = edges
    return both


def words_in_view(drawn: list[Drawn], masks: UnitMasks, size_px: tuple[int, int]) -> dict[str, Box]:
    """Boxes [x, y, w, h] of the words of the unit that shows most of itself, as far as they lie in
    the picture and nothing stands before them."""
    if not drawn:
        return {}
    front = max(range(len(drawn)), key=lambda k: (masks.visible_area(k + 1), k))
    found: dict[str, Box] = {}
    for group, (x0, y0, x1, y1) in sorted(drawn[front].words.items()):
        left, top = max(0, round(x0)), max(0, round(y0))
        right, bottom = min(size_px[0], round(x1)), min(size_px[1], round(y1))
        if min(right - left, bottom - top) < LEAST_PX or (right - left) < 0.8 * (x1 - x0):
            continue
        clear = _CLEAR_CODE if group in ("code", "barcode") else _CLEAR
        if masks.share_of(front + 1, (left, top, right, bottom)) >= clear:
            found[group] = (left, top, right - left, bottom - top)
    return found
