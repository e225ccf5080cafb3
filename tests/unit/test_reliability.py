"""Whom the figures suspect: simulated people with known habits."""

from __future__ import annotations

import random

import numpy as np
import pytest

from annotator.quality import alerts
from annotator.quality.alerts import Tally
from annotator.quality.reliability import MANY, Answers, right_by_answer
from inference.captions import GRADES

SKUS = [f"SKU-{n}" for n in range(40)]


def simulated(
    labels: list[str], skills: list[float], tasks: int, seed: int, gold: int = 0
) -> tuple[Answers, list[int], list[float]]:
    """Two random people on each task; each is right with their skill, else says anything else.
    Returns also how often each really was right."""
    rng = random.Random(seed)
    rows, hits, known = [], {n: [0, 0] for n in range(len(skills))}, {}
    for task in range(tasks):
        truth = rng.choice(labels)
        if task < gold:
            known[task] = truth
        for who in rng.sample(range(len(skills)), 2):
            right = rng.random() < skills[who]
            said = truth if right else rng.choice([x for x in labels if x != truth])
            rows.append((task, who, said))
            hits[who][0] += right
            hits[who][1] += 1
    answers, people = Answers.of(rows, known)
    return answers, people, [hits[who][0] / hits[who][1] for who in people]


@pytest.mark.parametrize("labels", [list(GRADES), SKUS], ids=["matrices", "one coin"])
def test_skill_is_found_from_agreement_alone(labels: list[str]) -> None:
    assert (len(labels) > MANY) == (labels is SKUS)
    skills = [0.97, 0.95, 0.9, 0.93, 0.6, 0.96]
    answers, people, truth = simulated(labels, skills, tasks=1500, seed=1)
    right = right_by_answer(answers)
    found = np.bincount(answers.people, right) / np.bincount(answers.people)
    assert found == pytest.approx(truth, abs=0.05)
    assert people[int(found.argmin())] == 4


def test_gold_anchors_a_majority_that_is_wrong() -> None:
    """Two of three say the same wrong thing: agreement alone believes them, gold tasks do not."""
    rows, known = [], {}
    rng = random.Random(2)
    for task in range(300):
        truth = rng.randrange(5)
        if task % 6 == 0:
            known[task] = truth
        rows += [(task, "wrong1", (truth + 1) % 5), (task, "wrong2", (truth + 1) % 5)]
        rows += [(task, "right", truth)]
    blind, people = Answers.of(rows, {})
    anchored, _ = Answers.of(rows, known)
    skill = {}
    for name, answers in (("blind", blind), ("anchored", anchored)):
        hits = np.bincount(answers.people, right_by_answer(answers))
        skill[name] = dict(zip(people, hits / np.bincount(answers.people), strict=True))
    assert skill["blind"]["wrong1"] > 0.9
    assert skill["anchored"]["right"] > 0.9 and skill["anchored"]["wrong1"] < 0.1


def test_nothing_comes_of_nothing() -> None:
    answers, people = Answers.of([], {})
    assert people == [] and right_by_answer(answers).size == 0
    alone, _ = Answers.of([(1, "a", "x")], {})
    assert right_by_answer(alone).shape == (1,)


def gold_of(rng: random.Random, flip: str, n: int) -> dict[str, Tally]:
    """What somebody with usual errors makes of ``n`` gold tasks, or with one field flipped."""
    right = {"sku": 0, "quantity": 0, "condition": 0}
    for _ in range(n):
        grade = rng.choice(GRADES)
        said = GRADES[len(GRADES) - 1 - GRADES.index(grade)] if flip == "condition" else grade
        right["condition"] += said == grade and rng.random() > 0.12
        sku = rng.choice(SKUS)
        right["sku"] += (rng.choice(SKUS) if flip == "sku" else sku) == sku and rng.random() > 0.04
        right["quantity"] += rng.random() > 0.08
    return {key: Tally(n, hits) for key, hits in right.items()}


@pytest.mark.parametrize("flip", ["condition", "sku"])
def test_a_flipped_annotator_is_flagged_within_50_gold_tasks(flip: str) -> None:
    flagged = [alerts.failed_gold(gold_of(random.Random(n), flip, 50)) for n in range(200)]
    assert all(found and set(found["fields"]) == {flip} for found in flagged)


def test_honest_people_are_not_flagged() -> None:
    """Looked at after each of 50 gold tasks, as it is done, 300 honest people stay unflagged."""
    rng = random.Random(3)
    suspected = 0
    for _ in range(300):
        so_far: dict[str, Tally] = {}
        for _ in range(50):
            for key, tally in gold_of(rng, "", 1).items():
                so_far[key] = so_far.get(key, Tally()) + tally
            if alerts.failed_gold(so_far):
                suspected += 1
                break
    assert suspected <= 3


def test_speed_acceptance_and_drift() -> None:
    usual = Tally(1000, 1000 * 2000)
    assert alerts.too_fast(Tally(60, 60 * 900), usual) == {"seconds": 9.0, "usual": 20.0, "of": 60}
    assert alerts.too_fast(Tally(60, 60 * 1100), usual) is None
    assert alerts.too_fast(Tally(20, 20 * 100), usual) is None, "too few to say"
    assert alerts.always_accepts(Tally(200, 200), Tally(1000, 900))
    assert alerts.always_accepts(Tally(200, 200), Tally(1000, 995)) is None, "as everybody does"
    assert alerts.always_accepts(Tally(200, 185), Tally(1000, 900)) is None
    assert alerts.drifting(Tally(200, 150), Tally(400, 380))
    assert alerts.drifting(Tally(200, 185), Tally(400, 380)) is None
    assert alerts.drifting(Tally(10, 0), Tally(400, 380)) is None
