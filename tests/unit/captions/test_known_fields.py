"""Answers to different versions of a schema: only what both people were asked for is compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.captions import (
    DEFAULT_SCHEMA,
    Field,
    Schema,
    agreement_of_all,
    settle,
)

EXPIRY = Field("expiry", "date", {"zh": "保质期", "en": "Expiry", "ja": "期限"}, weight=0.5)
SCHEMA = Schema((*DEFAULT_SCHEMA.fields, EXPIRY))
OLD = frozenset(f.key for f in DEFAULT_SCHEMA.fields)
NEW = OLD | {"expiry"}
ANSWER = {
    "sku": "A-1",
    "category": "饮料",
    "spec": "500ml/瓶",
    "quantity": "2箱",
    "condition": "完好无损",
}
DATED = {**ANSWER, "expiry": "2026-03-01"}


def test_a_field_that_one_was_not_asked_for_is_no_difference() -> None:
    plain = agreement_of_all([ANSWER, DATED], SCHEMA)
    assert plain.disputed, "as if the first had left it out"
    fair = agreement_of_all([ANSWER, DATED], SCHEMA, known=[OLD, NEW])
    assert fair.score == 1
    assert not fair.reasons
    assert "expiry" not in fair.per_field
    settled = settle([ANSWER, DATED], SCHEMA, known=[OLD, NEW])
    assert settled.values["expiry"] == "2026-03-01"
    assert settled.ties == ()


def test_among_three_each_pair_counts_what_both_knew() -> None:
    other = {**DATED, "expiry": "2027-01-01"}
    score = agreement_of_all([ANSWER, DATED, other], SCHEMA, known=[OLD, NEW, NEW])
    assert score.per_field["expiry"] == 0, "only the pair that was asked"
    settled = settle([ANSWER, DATED, other], SCHEMA, known=[OLD, NEW, NEW])
    assert settled.ties == ("expiry",)


def test_what_nobody_knew_of_the_others_answer_agrees_in_nothing() -> None:
    score = agreement_of_all([{}, DATED], SCHEMA, known=[frozenset(), NEW])
    assert score.disputed
    assert score.per_field == {}


_values = st.fixed_dictionaries(
    {"sku": st.sampled_from(["A", "B"]), "quantity": st.sampled_from(["1箱", "2箱"])},
    optional={"expiry": st.sampled_from(["2026-01-01", "2026-02-01"])},
)


@given(st.lists(_values, min_size=2, max_size=4))
def test_knowing_everything_changes_nothing(answers: list[dict[str, str]]) -> None:
    known = [NEW] * len(answers)
    assert agreement_of_all(answers, SCHEMA, known=known) == agreement_of_all(answers, SCHEMA)
    assert settle(answers, SCHEMA, known=known) == settle(answers, SCHEMA)
