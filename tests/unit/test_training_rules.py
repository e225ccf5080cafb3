"""When a run is due, what it may be told, and the states that it goes through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from annotator.core.errors import Invalid
from annotator.training import policies
from annotator.training.models import Schedule
from annotator.training.policies import Acceptance, Facts, due, last_slot
from annotator.training.states import (
    ACTIVE,
    AT_WORK,
    ENDED,
    TRANSITIONS,
    RunAction,
    RunState,
    Trigger,
    next_state,
)

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)  # a Wednesday


def test_every_state_and_action() -> None:
    """The whole table: who is at work may fail, be cancelled or queued again; the rest is one line."""
    line = [RunState.QUEUED, RunState.FREEZING, RunState.TRAINING, RunState.JUDGING]
    line.append(RunState.EXPORTED)
    forward = [RunAction.FREEZE, RunAction.TRAIN, RunAction.JUDGE, RunAction.EXPORT]
    again = {
        RunAction.REQUEUE: AT_WORK,
        RunAction.RETRY: {RunState.FAILED, RunState.CANCELLED},
    }
    for state, action in product(RunState, RunAction):
        expected = None
        if action in forward and state == line[forward.index(action)]:
            expected = line[forward.index(action) + 1]
        elif action == RunAction.PROMOTE and state == RunState.EXPORTED:
            expected = RunState.PROMOTED
        elif action == RunAction.KEEP and state == RunState.EXPORTED:
            expected = RunState.KEPT
        elif action == RunAction.FAIL and state in ACTIVE:
            expected = RunState.FAILED
        elif action == RunAction.CANCEL and state in ACTIVE:
            expected = RunState.CANCELLED
        elif state in again.get(action, ()):
            expected = RunState.QUEUED
        assert next_state(state, action) == expected, (state, action)
    assert ENDED.isdisjoint(ACTIVE) and len(TRANSITIONS) == 22


@pytest.mark.parametrize(
    ("zone", "hour", "weekday", "slot"),
    [
        ("UTC", 12, None, datetime(2026, 3, 4, 12)),
        ("UTC", 13, None, datetime(2026, 3, 3, 13)),
        ("Asia/Shanghai", 20, None, datetime(2026, 3, 4, 12)),
        ("Asia/Shanghai", 21, None, datetime(2026, 3, 3, 13)),
        ("UTC", 3, 0, datetime(2026, 3, 2, 3)),
        ("UTC", 3, 2, datetime(2026, 3, 4, 3)),
        ("UTC", 23, 2, datetime(2026, 2, 25, 23)),
        ("UTC", 3, 6, datetime(2026, 3, 1, 3)),
    ],
)
def test_the_last_time_by_the_clock(
    zone: str, hour: int, weekday: int | None, slot: datetime
) -> None:
    schedule = Schedule(timezone=zone, hour=hour, weekday=weekday)
    assert last_slot(schedule, NOW) == slot.replace(tzinfo=UTC)


def test_summer_time_moves_no_hour() -> None:
    """Two in the morning does not exist in Berlin on 29 March 2026; three o'clock does."""
    schedule = Schedule(timezone="Europe/Berlin", hour=3)
    before = last_slot(schedule, datetime(2026, 3, 28, 12, tzinfo=UTC))
    after = last_slot(schedule, datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert before == datetime(2026, 3, 28, 2, tzinfo=UTC)
    assert after == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_the_clock_asks_once() -> None:
    schedule = Schedule(timezone="UTC", hour=12, last_slot=NOW - timedelta(days=1))
    found = due(schedule, Facts(new_decisions=3), NOW)
    assert found is not None and found[0] == Trigger.TIME
    schedule.last_slot = last_slot(schedule, NOW)
    assert due(schedule, Facts(new_decisions=3), NOW) is None
    assert due(schedule, Facts(new_decisions=3), NOW + timedelta(days=1)) is not None


def test_without_a_new_decision_nothing_is_due() -> None:
    schedule = Schedule(timezone="UTC", hour=12, new_decisions=1, drift_fall=0.01)
    assert due(schedule, Facts(new_decisions=0), NOW) is None
    schedule.enabled = False
    assert due(schedule, Facts(new_decisions=9), NOW) is None


def test_by_the_number_of_decisions() -> None:
    schedule = Schedule(new_decisions=100)
    assert due(schedule, Facts(new_decisions=99), NOW) is None
    assert due(schedule, Facts(new_decisions=100), NOW) == (
        Trigger.COUNT,
        {"new_decisions": 100, "asked": 100},
    )


def test_by_drift() -> None:
    schedule = Schedule(drift_fall=0.05)
    good, worse = Acceptance(200, 180), Acceptance(100, 80)
    facts = Facts(1, NOW - timedelta(days=30), good, worse)
    assert due(schedule, facts, NOW) == (
        Trigger.DRIFT,
        {"before": 90.0, "recent": 80.0, "asked": 5.0},
    )
    assert due(Schedule(drift_fall=0.2), facts, NOW) is None
    few = Facts(1, NOW - timedelta(days=30), good, Acceptance(policies.DRIFT_FEWEST - 1, 0))
    assert due(schedule, few, NOW) is None
    # What the last run could not mend is not tried again at once.
    assert due(schedule, Facts(1, NOW - timedelta(days=6), good, worse), NOW) is None


def test_arguments_are_checked_together() -> None:
    assert policies.check_arguments({"epochs": 3, "side": 96}) == {"epochs": 3, "side": 96}
    with pytest.raises(Invalid) as caught:
        policies.check_arguments({"epochs": "3", "views": 99, "side": 100, "out": 1, "seed": True})
    assert {e.field for e in caught.value.errors} == {
        f"arguments.{name}" for name in ("epochs", "views", "side", "out", "seed")
    }
