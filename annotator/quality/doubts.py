"""How much a decided SKU is contradicted by what was seen, in the manner of confident learning (Northcutt,
Jiang and Chuang, 2021): by the normalised margin of out-of-sample probabilities. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Label = TypeVar("Label", int, str)

NEIGHBOURS = 10
SHARPNESS = 20.0
"""A neighbour's vote weighs exp(SHARPNESS x cosine): .1 nearer counts seven times as much."""
_CHUNK = 512


def margin(given: float, other: float) -> float:
    """How much more probable another label is than the given one, 0…1; .5: equally."""
    return (1 + other - given) / 2


def votes(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    asked: NDArray[np.int64],
    k: int = NEIGHBOURS,
) -> list[dict[int, float]]:
    """The probability of each label by the nearest pictures: of those ``asked`` (places in ``vectors``
    [N, D], of length one) with ``labels`` [N]. What is of the same group [N] (the scene and its
    near-duplicates) has no vote, so that nothing vouches for itself. Empty where nothing else is known."""
    found: list[dict[int, float]] = []
    for first in range(0, len(asked), _CHUNK):
        places = asked[first : first + _CHUNK]
        cosines = vectors[places] @ vectors.T
        cosines[groups[places][:, None] == groups[None, :]] = -2.0
        near = np.argpartition(-cosines, min(k, cosines.shape[1] - 1), axis=1)[:, :k]
        for row, neighbours in zip(cosines, near, strict=True):
            seen = [n for n in neighbours if row[n] > -2.0]
            weights = np.exp(SHARPNESS * (row[seen] - max(row[seen], default=0.0)))
            share: dict[int, float] = {}
            for n, weight in zip(seen, weights, strict=True):
                label = int(labels[n])
                share[label] = share.get(label, 0.0) + float(weight)
            total = sum(share.values())
            found.append({label: weight / total for label, weight in share.items()})
    return found


def against(shares: Mapping[Label, float], given: Label) -> tuple[float, Label | None]:
    """The margin of a given label among probabilities, and the best other one."""
    others = {label: p for label, p in shares.items() if label != given}
    best = max(others, key=lambda label: others[label], default=None)
    return margin(shares.get(given, 0.0), others[best] if best is not None else 0.0), best


def combined(margins: Sequence[float], contradictions: Sequence[float] = ()) -> float:
    """One score, 0…1: the mean of the margins (.5 without any), of which each contradiction takes away
    its part of what is missing to 1."""
    left = 1 - (sum(margins) / len(margins) if margins else 0.5)
    for part in contradictions:
        left *= 1 - part
    return 1 - left
