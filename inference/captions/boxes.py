"""Boxes ``(x, y, w, h)`` in pixels: overlap, matching and averaging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

Box = tuple[float, float, float, float]
"""x, y of the top left corner, width, height."""

EXACT_LIMIT: Final = 8
"""Matching is exact while one side has at most this many boxes."""


class Pair(NamedTuple):
    """Box ``a`` of the first list matches box ``b`` of the second (places in the lists)."""

    a: int
    b: int
    iou: float


def iou(a: Box, b: Box) -> float:
    """Intersection over union in 0…1; 0 when both boxes are empty."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    union = a[2] * a[3] + b[2] * b[3] - shared
    return shared / union if union > 0 else 0.0


def match_boxes(a: Sequence[Box], b: Sequence[Box]) -> list[Pair]:
    """Pair the boxes of two lists so that the sum of IoU is greatest, ordered by ``a``.

    Pairs without overlap are left out. Exact (dynamic programming over subsets of the shorter
    list) while that has at most 8 boxes; beyond, the best overlap first, which can miss the
    optimum when boxes crowd.
    """
    if len(b) > len(a):
        return sorted(Pair(pair.b, pair.a, pair.iou) for pair in match_boxes(b, a))
    scores = [[iou(x, y) for y in b] for x in a]
    chosen = _match_exactly(scores, len(b)) if len(b) <= EXACT_LIMIT else _match_greedily(scores)
    return sorted(Pair(i, j, scores[i][j]) for i, j in chosen if scores[i][j] > 0)


def _match_exactly(scores: list[list[float]], columns: int) -> list[tuple[int, int]]:
    """Rows × columns with the greatest sum; ``best[used]`` is the best so far per set of columns."""
    best: dict[int, tuple[float, tuple[tuple[int, int], ...]]] = {0: (0.0, ())}
    for i, row in enumerate(scores):
        after = dict(best)
        for used, (total, chosen) in best.items():
            for j in range(columns):
                if used >> j & 1 or row[j] <= 0:
                    continue
                key = used | 1 << j
                if key not in after or total + row[j] > after[key][0]:
                    after[key] = (total + row[j], (*chosen, (i, j)))
        best = after
    return list(max(best.values(), key=lambda item: item[0])[1])


def _match_greedily(scores: list[list[float]]) -> list[tuple[int, int]]:
    ranked = sorted(
        ((-score, i, j) for i, row in enumerate(scores) for j, score in enumerate(row) if score > 0)
    )
    rows: set[int] = set()
    columns: set[int] = set()
    chosen = []
    for _, i, j in ranked:
        if i not in rows and j not in columns:
            rows.add(i)
            columns.add(j)
            chosen.append((i, j))
    return chosen


def lowest_iou(a: Sequence[Box], b: Sequence[Box]) -> float:
    """The smallest IoU among matched boxes; 0 when a box has no match, 1 when there are none."""
    if len(a) != len(b):
        return 0.0
    pairs = match_boxes(a, b)
    return min((pair.iou for pair in pairs), default=1.0) if len(pairs) == len(a) else 0.0


def average_boxes(boxes: Sequence[Sequence[Box]], minimum_iou: float = 0.5) -> list[Box]:
    """One list of boxes from several annotators': matched boxes are averaged.

    Boxes are matched to those of the first annotator; a box stays when more than half of the
    annotators have it (both, when there are two).
    """
    if not boxes:
        return []
    groups: list[list[Box]] = [[box] for box in boxes[0]]
    for other in boxes[1:]:
        anchors = [group[0] for group in groups]
        matched = {p.b: p.a for p in match_boxes(anchors, other) if p.iou >= minimum_iou}
        for j, box in enumerate(other):
            if j in matched:
                groups[matched[j]].append(box)
            else:
                groups.append([box])
    return [_mean(group) for group in groups if 2 * len(group) > len(boxes)]


def _mean(group: Sequence[Box]) -> Box:
    x, y, w, h = (sum(side) / len(group) for side in zip(*group, strict=True))
    return (x, y, w, h)
