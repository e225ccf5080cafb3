"""Intervals of measured figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z95 = 1.959964


def wilson(successes: float, total: int, z: float = Z95) -> tuple[float, float] | None:
    """The Wilson score interval of a proportion, 0…1 (Wilson, 1927); None without data."""
    if total == 0:
        return None
    return _wilson(successes / total, total, z)


def of_mean(values: Sequence[float], z: float = Z95) -> tuple[float, float] | None:
    """The normal interval of a mean; None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    mean = sum(values) / n
    variance = sum((value - mean) ** 2 for value in values) / (n - 1)
    half = z * math.sqrt(variance / n)
    return mean - half, mean + half


def of_sums(n: int, total: int, squares: int, z: float = Z95) -> tuple[float, float] | None:
    """The normal interval of a mean of whole numbers, by their count, sum and sum of squares; None
    for fewer than two."""
    if n < 2:
        return None
    mean = total / n
    variance = max(0.0, (squares - total * total / n) / (n - 1))
    half = z * math.sqrt(variance / n)
    return mean - half, mean + half


def wilson_of_weighted(
    right: float, weight: float, squared_weight: float, z: float = Z95
) -> tuple[float, float] | None:
    """The interval of a share that was estimated from a sample with unequal weights: Wilson's at the
    effective number (Σw)²/Σw² (Kish, 1965). ``right`` is the weight of the successes."""
    if weight <= 0:
        return None
    n = weight * weight / squared_weight
    return _wilson(right / weight, n, z)


def _wilson(p: float, n: float, z: float) -> tuple[float, float]:
    denominator = 1 + z**2 / n
    centre = (p + z**2 / (2 * n)) / denominator
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / denominator
    return max(0.0, centre - half), min(1.0, centre + half)
