"""What an answer to a waiting task is worth to the model: more where the model is unsure, and more where
it has seen little. The random share of what is handed out, which keeps the figures honest, is the
queue's own (``Project.random_share``)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

UNSURE = 0.6
"""The weight of being unsure; the rest is that of having seen little."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task and what the machine now takes it for; no ``sku`` where it proposes none."""

    task: int
    sku: str
    confidence: float


def values_of(waiting: Iterable[Waiting], seen: Mapping[str, int]) -> dict[int, float]:
    """The value of each task, in 0…1. ``seen`` counts decided tasks by SKU. Of tasks that look like the
    same SKU the least sure comes first, and each after it counts as if those before it were seen: the
    head of the queue is varied. What nothing is proposed for is of an unseen kind."""
    by_sku: dict[str, list[Waiting]] = defaultdict(list)
    for one in waiting:
        by_sku[one.sku].append(one)
    values = {}
    for sku, some in by_sku.items():
        some.sort(key=lambda one: (one.confidence, one.task))
        for place, one in enumerate(some):
            known = seen.get(sku, 0) + place if sku else 0
            values[one.task] = value_of(one.confidence, known)
    return values


def value_of(confidence: float, seen: int) -> float:
    """Of one task by itself."""
    new = 1.0 / math.sqrt(1.0 + seen)
    return round(UNSURE * (1.0 - confidence) + (1.0 - UNSURE) * new, 4)
