"""What is measured: one line a metric. Readings are whole numbers, so that sums are exact and do not
depend on the order in which they were added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

Unit = Literal["%", "s", "score"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A reading divided by ``per`` is in ``unit``. A ``share`` is read as 0 or ``per``, and has a
    Wilson interval; others have that of a mean."""

    key: str
    unit: Unit
    per: float
    better: Literal["up", "down"] = "up"
    share: bool = False

    def value(self, total: float, n: float) -> float | None:
        """The mean of readings in ``unit``; None without any."""
        return total / n / self.per if n else None

    def bound(self, reading: float) -> float:
        """A bound of an interval in ``unit``: no mean lies outside of what can be read."""
        return min(max(reading / self.per, 0.0), float("inf") if self.unit == "s" else 100.0)

    @property
    def flawless(self) -> int | None:
        """The reading that leaves nothing to look at; None where there is none."""
        if self.unit == "s":
            return None
        best = 1 if self.share else round(100 * self.per)
        return best if self.better == "up" else 0


def _share(key: str, better: Literal["up", "down"] = "up") -> Metric:
    return Metric(key, "%", 0.01, better, share=True)


TILES: Final = (
    _share("completeness"),
    _share("completeness_decided"),
    _share("sku_accuracy"),
    _share("consistency"),
    _share("quantity_consistency"),
    Metric("fluency", "score", 100),
    Metric("time", "s", 100, "down"),
    Metric("agreement", "%", 100),
)
"""In the order in which they are shown; the spot checks' error, an estimate of its own, comes last."""

OTHERS: Final = (
    _share("gold"),
    _share("right"),
    _share("spot_check_error", "down"),
    _share("disputed", "down"),
    _share("together"),
    _share("accepted"),
    _share("single"),
    Metric("iou", "%", 100),
)
_BY_KEY: Final = {metric.key: metric for metric in (*TILES, *OTHERS)}
_PER_FIELD: Final = {
    "agree": Metric("agree", "%", 100),
    "right": _share("right"),
    "gold": _share("gold"),
}


def metric_of(key: str) -> Metric:
    """The metric called ``key``; ``agree:sku`` is one of a field, ``time@shown`` one of the answers
    that saw a suggestion. Raises LookupError."""
    base, _, among = key.partition("@")
    if among:
        like = metric_of(base)
        return Metric(key, like.unit, like.per, like.better, like.share)
    if key in _BY_KEY:
        return _BY_KEY[key]
    kind, _, field = key.partition(":")
    if not field or kind not in _PER_FIELD:
        raise LookupError(key)
    like = _PER_FIELD[kind]
    return Metric(key, like.unit, like.per, like.better, like.share)


_OF_ANSWERS: Final = frozenset({"completeness", "time", "right", "gold", "accepted"})


def is_of_answers(key: str) -> bool:
    """Whether a metric is read of single answers, rather than of tasks as a whole."""
    return key.partition("@")[0].partition(":")[0] in _OF_ANSWERS


def hundredths(value: Any) -> int:
    """A reading of a percentage, of points or of seconds."""
    return round(float(value) * 100)
