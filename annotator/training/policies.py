"""What a run may be asked for, and when one starts by itself. Pure, but for reading the clock's zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from annotator.core.errors import FieldError, Invalid

from .models import Schedule
from .states import Trigger

ARGUMENTS: Mapping[str, tuple[int, int]] = {
    "epochs": (1, 200),
    "views": (1, 16),
    "seed": (0, 2**31 - 1),
    "side": (64, 512),
}
"""What the trainer may be told beside its folders, and within which bounds."""

DRIFT_WINDOW = timedelta(days=7)
DRIFT_FEWEST = 50
"""Answers in each of the two windows."""
QUIET = timedelta(days=7)
"""So long after any run nothing starts by drift: what the last one could not mend stays visible."""


def check_arguments(arguments: Mapping[str, Any]) -> dict[str, int]:
    """The arguments as they are given to the trainer. Raises Invalid with every problem."""
    errors, known = [], {}
    for name, value in arguments.items():
        bounds = ARGUMENTS.get(name)
        if bounds is None:
            errors.append(FieldError(f"arguments.{name}", "unknown_setting", {"name": name}))
        elif not _fits(name, value, bounds):
            errors.append(FieldError(f"arguments.{name}", "bad_number", {"value": value}))
        else:
            known[name] = value
    if errors:
        raise Invalid(errors)
    return known


def _fits(name: str, value: Any, bounds: tuple[int, int]) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return bounds[0] <= value <= bounds[1] and not (name == "side" and value % 32)


def zone_of(name: str) -> ZoneInfo:
    """The time zone. Raises Invalid for a name that there is none of."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid([FieldError("timezone", "unknown_time_zone", {"name": name})]) from error


def last_slot(schedule: Schedule, now: datetime) -> datetime | None:
    """The latest time, not after ``now``, at which the clock asks for a run; None where it never
    does. In the zone's wall time, so that summer time moves nothing."""
    if schedule.hour is None:
        return None
    here = now.astimezone(zone_of(schedule.timezone))
    slot = here.replace(hour=schedule.hour, minute=0, second=0, microsecond=0, fold=0)
    back = 1 if schedule.weekday is None else 7
    if schedule.weekday is not None:
        slot -= timedelta(days=(slot.weekday() - schedule.weekday) % 7)
    if slot > here:
        slot -= timedelta(days=back)
    return slot.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Of ``of`` answers that saw a suggestion, ``accepted`` took all of it."""

    of: int = 0
    accepted: int = 0

    @property
    def share(self) -> float:
        return self.accepted / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a schedule looks at: decisions made since the last run was asked for, when that was, and
    how suggestions were accepted in the first days after the last promotion and in the last days."""

    new_decisions: int = 0
    last_run_at: datetime | None = None
    after_promotion: Acceptance = Acceptance()
    recent: Acceptance = Acceptance()


def due(schedule: Schedule, facts: Facts, now: datetime) -> tuple[Trigger, dict[str, Any]] | None:
    """Why a run is to start now, with the figures that say so; None when there is no reason. The
    clock comes first. Nothing is learned twice: without a new decision there is no run."""
    if not schedule.enabled or not facts.new_decisions:
        return None
    slot = last_slot(schedule, now)
    if slot is not None and (schedule.last_slot is None or slot > schedule.last_slot):
        return Trigger.TIME, {"slot": slot.isoformat(), "new_decisions": facts.new_decisions}
    if schedule.new_decisions is not None and facts.new_decisions >= schedule.new_decisions:
        asked = {"new_decisions": facts.new_decisions, "asked": schedule.new_decisions}
        return Trigger.COUNT, asked
    if schedule.drift_fall is not None and _drifted(schedule.drift_fall, facts, now):
        return Trigger.DRIFT, {
            "before": round(100 * facts.after_promotion.share, 2),
            "recent": round(100 * facts.recent.share, 2),
            "asked": round(100 * schedule.drift_fall, 2),
        }
    return None


def _drifted(fall: float, facts: Facts, now: datetime) -> bool:
    if facts.last_run_at is not None and now - facts.last_run_at < QUIET:
        return False
    if min(facts.after_promotion.of, facts.recent.of) < DRIFT_FEWEST:
        return False
    return facts.after_promotion.share - facts.recent.share > fall
