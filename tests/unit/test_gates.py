"""The gate: who is equal stays, who is better passes, who pays for it with a part does not."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.training.gates import Answer, Rules, Verdict, changed, judge

RULES = Rules(min_photos=10)
FIELDS = ("sku", "quantity", "condition")


def answer(n: int, right: Sequence[bool], **more: object) -> Answer:
    said = dict(zip(FIELDS, right, strict=True))
    given = {"scene_id": f"s{n}", "category": "零食", "cam_type": "front", **more}
    return Answer(f"img{n:04d}", correct=said, whole=all(right), **given)  # type: ignore[arg-type]


@st.composite
def models(draw: st.DrawFn) -> list[Answer]:
    n = draw(st.integers(1, 60))
    rng = random.Random(draw(st.integers(0, 2**32)))
    return [
        answer(
            i,
            [rng.random() < 0.8 for _ in FIELDS],
            scene_id=f"s{i // draw(st.sampled_from([1, 2, 3]))}",
            category=rng.choice(["零食", "饮料", "日化"]),
            cam_type=rng.choice(["top", "front", "side"]),
            rarity=rng.choice(["head", "tail"]),
            group=rng.choice(["val", "gold"]),
        )
        for i in range(n)
    ]


def all_right(answers: Sequence[Answer]) -> list[Answer]:
    return [
        dataclasses.replace(a, correct=dict.fromkeys(a.correct, True), whole=True) for a in answers
    ]


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


@settings(max_examples=40)
@given(models(), st.floats(0, 0.2))
def test_identical_answers_are_never_promoted(answers: list[Answer], margin: float) -> None:
    verdict = judge(answers, list(reversed(answers)), Rules(margin=margin, min_photos=1))
    assert not verdict.passed and "gate_not_better" in codes(verdict)
    assert all(d.difference == d.low == d.high == 0 for d in verdict.differences)


@settings(max_examples=40)
@given(models())
def test_a_strictly_better_one_is_promoted(answers: list[Answer]) -> None:
    better = all_right(answers)
    wrong = {a.scene_id for a in answers if not a.whole}
    verdict = judge(answers, better, Rules(min_photos=1))
    assert all(d.difference >= 0 for d in verdict.differences)
    # A draw misses k of n scenes with a probability of about exp(-k): six are beyond chance.
    if len(wrong) >= 6:
        assert verdict.passed, verdict.reasons
    if not wrong:
        assert not verdict.passed


@settings(max_examples=40)
@given(models())
def test_turned_around_it_is_never_both(answers: list[Answer]) -> None:
    other = [
        dataclasses.replace(a, whole=b.whole, correct=b.correct)
        for a, b in zip(answers, reversed(answers), strict=True)
    ]
    there, back = (
        judge(*pair, Rules(min_photos=1)) for pair in ((answers, other), (other, answers))
    )
    assert not (there.passed and back.passed)
    assert there == judge(answers, other, Rules(min_photos=1))


@pytest.mark.parametrize(
    ("more", "code", "key"),
    [
        ({"category": "饮料"}, "gate_fell_category", "饮料"),
        ({"cam_type": "top"}, "gate_fell_camera", "top"),
        ({"rarity": "tail"}, "gate_fell_tail", "tail"),
        ({"group": "gold"}, "gate_fell_gold", "gold"),
    ],
)
def test_a_fall_in_one_part_refuses(more: dict[str, str], code: str, key: str) -> None:
    """Far better as a whole, worse in one part of 20 photos."""
    bad, good = (False, True, True), (True, True, True)
    champion = [answer(n, bad) for n in range(100)]
    challenger = [answer(n, good) for n in range(100)]
    champion += [answer(n, good, **more) for n in range(100, 120)]
    challenger += [answer(n, bad if n < 105 else good, **more) for n in range(100, 120)]
    verdict = judge(champion, challenger, RULES)
    assert not verdict.passed
    reason = next(r for r in verdict.reasons if r.code == code)
    assert reason.params["key"] == key and reason.params["fall"] == 25.0
    assert codes(verdict)[0] == "gate_better"
    # Of a part that has too few photos nothing is concluded.
    assert judge(champion, challenger, dataclasses.replace(RULES, min_photos=21)).passed


def test_a_fall_in_one_field_refuses() -> None:
    champion = [answer(n, (False, True, True)) for n in range(100)]
    challenger = [answer(n, (True, n > 4, True)) for n in range(100)]
    verdict = judge(champion, challenger, RULES)
    assert codes(verdict) == ["gate_better", "gate_fell_field"]
    assert verdict.reasons[1].params["key"] == "quantity"
    assert judge(champion, challenger, dataclasses.replace(RULES, field_fall=0.05)).passed


def test_better_by_chance_is_not_better() -> None:
    """Four scenes won and three lost of a hundred say nothing."""
    good, bad = (True, True, True), (False, True, True)
    champion = [answer(n, bad if n < 4 else good) for n in range(100)]
    challenger = [answer(n, bad if 4 <= n < 7 else good) for n in range(100)]
    verdict = judge(champion, challenger, dataclasses.replace(RULES, field_fall=1.0))
    assert codes(verdict) == ["gate_not_better"]
    whole = verdict.differences[0]
    assert whole.difference == pytest.approx(0.01) and whole.low < 0 < whole.high


def test_photos_of_one_scene_are_one_witness() -> None:
    """Sixty photos of three scenes are no sixty witnesses."""
    good, bad = (True, True, True), (False, True, True)
    champion = [answer(n, bad, scene_id=f"s{n % 3}") for n in range(60)]
    challenger = [answer(n, good, scene_id=f"s{n % 3}") for n in range(60)]
    assert codes(judge(champion, challenger, RULES)) == ["gate_better", "gate_few_photos"]


def test_the_margin_is_asked_of_the_lower_end() -> None:
    champion = [answer(n, (n >= 30, True, True)) for n in range(100)]
    challenger = [answer(n, (True, True, True)) for n in range(100)]
    whole = judge(champion, challenger, RULES).differences[0]
    assert 0.18 < whole.low < 0.25 and 0.36 < whole.high < 0.42
    assert judge(champion, challenger, dataclasses.replace(RULES, margin=0.15)).passed
    assert not judge(champion, challenger, dataclasses.replace(RULES, margin=0.25)).passed


def test_without_a_champion_all_was_wrong() -> None:
    challenger = [answer(n, (n % 2 == 0, True, True)) for n in range(40)]
    verdict = judge([], challenger, RULES)
    assert verdict.passed and verdict.differences[0].champion == 0
    assert not judge([], [answer(n, (False, True, True)) for n in range(40)], RULES).passed
    assert codes(judge(challenger, [], RULES)) == ["gate_no_photos"]


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Two models that are right in .7 and .8: the interval holds .1 in about 95 of 100 samples."""
    rng = random.Random(5)
    held = 0
    for _ in range(100):
        rows = [(rng.random() < 0.7, rng.random() < 0.8) for _ in range(150)]
        one = [answer(n, (a, True, True)) for n, (a, _) in enumerate(rows)]
        other = [answer(n, (b, True, True)) for n, (_, b) in enumerate(rows)]
        whole = judge(one, other, RULES).differences[0]
        held += whole.low <= 0.1 <= whole.high
    assert 88 <= held <= 99


def test_what_changed() -> None:
    good, bad = (True, True, True), (False, True, True)
    champion = [answer(0, good), answer(1, bad), answer(2, good)]
    challenger = [answer(0, bad), answer(1, good), answer(2, good), answer(3, good)]
    assert changed(champion, challenger) == {"img0000": "lost", "img0001": "won"}
