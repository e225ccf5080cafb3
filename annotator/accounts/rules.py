"""What a project asks of quality: thresholds, gold tasks, spot checks, second opinions. Kept as JSON on the
project; what is absent has its default."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from annotator.core.errors import FieldError, Invalid

THRESHOLDS: Final[Mapping[str, float]] = {
    "completeness": 98.0,
    "completeness_decided": 98.0,
    "sku_accuracy": 99.5,
    "quantity_consistency": 90.0,
    "fluency": 85.0,
    "time": 90.0,
    "spot_check_error": 0.7,
    "gold": 90.0,
}
"""What passes, in the unit of the metric (%, points or seconds)."""


@dataclass(frozen=True, slots=True)
class QualityRules:
    """``gold_rate`` of what is handed out are gold tasks (0: none are made), ``newcomer_gold_rate`` among
    somebody's first ``newcomer_tasks``. Spot checks are drawn so that the 95% interval of their error is
    ``spot_half_width`` wide to each side (a share, 0…1), but of at most ``spot_most`` of the agreed
    tasks. ``single_limit`` is the error (a share) under which one answer that agrees with the machine may
    do; 0: every task is answered as often as the overlap says. ``audit_share`` of the tasks for which one
    would do are answered twice nevertheless."""

    gold_rate: float = 0.0
    newcomer_gold_rate: float = 0.2
    newcomer_tasks: int = 50
    spot_half_width: float = 0.005
    spot_most: float = 0.2
    single_limit: float = 0.0
    audit_share: float = 0.15
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> QualityRules:
        """The rules that a project's JSON describes. Raises Invalid with every problem."""
        known = {f.name: f for f in dataclasses.fields(cls)}
        errors = [
            FieldError(f"quality.{key}", "unknown_setting", {"name": key})
            for key in data
            if key not in known
        ]
        errors += [
            FieldError(f"quality.{key}", "bad_number", {"value": value})
            for key, value in data.items()
            if key in known and key != "thresholds" and not _fits(key, value)
        ]
        thresholds = data.get("thresholds", {})
        errors += [
            FieldError(f"quality.thresholds.{key}", "bad_number", {"value": value})
            for key, value in thresholds.items()
            if key not in THRESHOLDS or not _is_number(value)
        ]
        if errors:
            raise Invalid(errors)
        return cls(**data)

    def threshold(self, metric: str) -> float | None:
        """What passes of a metric; None where nothing is asked of it."""
        return self.thresholds.get(metric, THRESHOLDS.get(metric))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _fits(key: str, value: Any) -> bool:
    if key == "newcomer_tasks":
        return isinstance(value, int) and 0 <= value <= 200
    if key == "single_limit":
        return _is_number(value) and (value == 0 or 0.002 <= value <= 0.2)
    if key == "audit_share":
        return _is_number(value) and 0.05 <= value <= 1
    return _is_number(value) and 0 <= value <= 1
