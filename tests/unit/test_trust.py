"""Poisoned answers: what one annotator who turns every label around can still do to a training set."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.datasets.policies import shares_of, trust_in, weigh, weigh_capped
from annotator.quality.reliability import Answers, right_by_answer

SKUS = [f"SKU-{n}" for n in range(20)]
POISONER = 0


def simulated(seed: int) -> tuple[list[tuple[int, int, str]], dict[int, str]]:
    """(task, person, label) of 600 tasks that two of five people answer each, and the truths. One of
    them turns every label around; the others err once in twenty times."""
    rng = random.Random(seed)
    rows, truth = [], {}
    for task in range(600):
        truth[task] = rng.choice(SKUS)
        for person in rng.sample(range(5), 2):
            label = truth[task]
            if person == POISONER:
                label = SKUS[(SKUS.index(label) + 1) % len(SKUS)]
            elif rng.random() < 0.05:
                label = rng.choice(SKUS)
            rows.append((task, person, label))
    return rows, truth


def skills(rows: Sequence[tuple[int, int, str]]) -> dict[int, float]:
    """How often each person's word was right, from whom they agree with alone."""
    answers, people = Answers.of(rows, {})
    right = right_by_answer(answers)
    return {
        person: float(right[answers.people == place].mean()) for place, person in enumerate(people)
    }


@pytest.mark.parametrize("seed", range(3))
def test_who_turns_every_label_around_weighs_next_to_nothing(seed: int) -> None:
    """Each answer is a picture of its own (overlap 1), so that nobody's agreement filters any. The
    poisoner gives a fifth of the labels, all wrong."""
    rows, truth = simulated(seed)
    trust = skills(rows)
    assert trust[POISONER] < 0.1 < 0.85 < min(t for p, t in trust.items() if p != POISONER)
    labels = [label for _, _, label in rows]
    people = [(person,) for _, person, _ in rows]
    wrong = [label != truth[task] for task, _, label in rows]

    def harm(weights: Sequence[float]) -> float:
        return sum(w for w, bad in zip(weights, wrong, strict=True) if bad) / sum(weights)

    plain = harm(weigh(labels))
    weighed = harm(weigh_capped(labels, people, trust=trust, cap=0.5))
    assert plain > 0.2 and weighed < 0.07
    # Found by gold tasks, they contribute nothing at all.
    gated = {**trust, POISONER: 0.0}
    kept = [n for n, some in enumerate(people) if trust_in(some, gated) > 0]
    assert {person for n in kept for person in people[n]} == {1, 2, 3, 4}


def test_the_cap_holds_who_gave_nearly_all() -> None:
    """One of three gave 90 of 100 labels, trusted by all: they weigh half at most, the other two the
    rest."""
    skus = [SKUS[n % 4] for n in range(100)]
    people = [(0,)] * 90 + [(1,)] * 5 + [(2,)] * 5
    weights = weigh_capped(skus, people, trust={}, cap=0.5)
    shares = shares_of(weights, people, {})
    assert shares[0] == pytest.approx(0.5, abs=0.005)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert sum(weights) == pytest.approx(100, rel=1e-3)
    # A cap of one caps nobody; with two people a half is the least.
    assert weigh_capped(skus, people, trust={}, cap=1.0) == weigh(skus)
    two = [(0,)] * 90 + [(1,)] * 10
    least = shares_of(weigh_capped(skus, two, trust={}, cap=0.1), two, {})
    assert least[0] == pytest.approx(0.5, abs=0.005)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.lists(st.integers(0, 4), max_size=2, unique=True)),
        min_size=1,
        max_size=60,
    ),
    st.floats(0.05, 1.0),
)
def test_weights_are_weights(rows: list[tuple[int, list[int]]], cap: float) -> None:
    skus = [SKUS[sku] for sku, _ in rows]
    people = [tuple(some) for _, some in rows]
    weights = weigh_capped(skus, people, trust={0: 0.5, 1: 0.9}, cap=cap)
    assert len(weights) == len(rows) and min(weights) > 0
    assert sum(weights) == pytest.approx(len(rows), rel=1e-2)


def test_two_who_agree_are_trusted_more_than_either() -> None:
    assert trust_in((), {}) == 1.0
    assert trust_in((7,), {}) == 1.0
    assert trust_in((1,), {1: 0.4}) == pytest.approx(0.4)
    assert trust_in((1, 2), {1: 0.4, 2: 0.5}) == pytest.approx(0.7)
    assert trust_in((1, 2), {1: 0.0, 2: 0.5}) == pytest.approx(0.5)
    assert trust_in((1, 2), {1: 0.0, 2: 0.0}) == 0.0
