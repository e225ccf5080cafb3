"""Every cell of (state, action, role), and the diagram."""

from __future__ import annotations

from itertools import product

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from annotator.accounts.states import Role
from annotator.labeling.management.commands.states_diagram import document
from annotator.labeling.states import (
    SYSTEM,
    TRANSITIONS,
    Action,
    TaskState,
    may_take,
    next_state,
)

ACTORS = [*Role, SYSTEM]
# Written out by hand: what the table must say. state → action → (to, who).
EXPECTED = {
    "new": {"prepare": ("ready", "system"), "reject": ("rejected", "reviewer admin"),
            "import": ("decided", "admin system")},
    "ready": {"lease": ("labeling", "annotator"), "reject": ("rejected", "reviewer admin"),
              "import": ("decided", "admin system")},
    "labeling": {"lease": ("labeling", "annotator"), "submit": ("labeling", "annotator"),
                 "vacate": ("ready", "system"), "agree": ("decided", "system"),
                 "dispute": ("disputed", "system"), "withdraw": ("labeling", "annotator"),
                 "return": ("labeling", "system")},
    "disputed": {"withdraw": ("labeling", "annotator"), "arbitrate": ("decided", "reviewer"),
                 "send_back": ("labeling", "reviewer"), "reject": ("rejected", "reviewer")},
    "decided": {"withdraw": ("labeling", "annotator"), "reopen": ("disputed", "reviewer admin")},
    "rejected": {"reopen": ("disputed", "reviewer admin")},
    "gold": {"lease": ("gold", "annotator"), "submit": ("gold", "annotator"),
             "withdraw": ("gold", "annotator")},
}  # fmt: skip


@pytest.mark.parametrize(("state", "action"), list(product(TaskState, Action)))
def test_every_cell(state: TaskState, action: Action) -> None:
    expected = EXPECTED[state].get(action)
    found = next_state(state, action)
    assert found == (expected[0] if expected else None)
    for actor in ACTORS:
        allowed = expected is not None and str(actor) in expected[1].split()
        assert may_take(state, action, actor) is allowed, (state, action, actor)


@given(st.lists(st.sampled_from(list(Action)), max_size=40))
def test_no_path_leads_out_of_the_table(actions: list[Action]) -> None:
    state = TaskState.NEW
    for action in actions:
        to = next_state(state, action)
        if to is None:
            assert (state, action) not in TRANSITIONS
            continue
        # A decision only falls from complete answers, a reviewer, or an import.
        if to == TaskState.DECIDED:
            assert action in (Action.AGREE, Action.ARBITRATE, Action.IMPORT)
        state = to


def test_every_state_can_be_reached_and_left() -> None:
    reached = {TaskState.NEW, TaskState.GOLD}
    for _ in TaskState:
        reached |= {t.to for (state, _), t in TRANSITIONS.items() if state in reached}
    assert reached == set(TaskState)
    assert {state for state, _ in TRANSITIONS} == set(TaskState)


def test_the_diagram_is_up_to_date() -> None:
    kept = (settings.BASE_DIR / "docs" / "states.md").read_text(encoding="utf-8")
    assert kept == document(), "run: python manage.py states_diagram"
