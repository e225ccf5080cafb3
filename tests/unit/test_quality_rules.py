"""Intervals and fluency: pure rules with known answers."""

from __future__ import annotations

import random

import krippendorff
import pytest

from annotator.accounts.rules import QualityRules
from annotator.quality import beyond_chance, fluency, intervals
from annotator.quality.metrics import Metric
from annotator.review.policies import is_drawn, spot_share
from inference.captions import DEFAULT_SCHEMA

GOOD = "【SKU】WASH-2024-BLUE|【品类】个人护理|【规格】500ml×6瓶/箱|【数量】1箱|【状态】完好无损"


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        # Newcombe (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_interval(successes: int, total: int, low: float, high: float) -> None:
    interval = intervals.wilson(successes, total)
    assert interval == pytest.approx((low, high), abs=1e-4)


def test_intervals_need_data() -> None:
    assert intervals.wilson(0, 0) is None
    assert intervals.of_mean([]) is None
    assert intervals.of_mean([3.0]) is None


def test_interval_of_a_mean() -> None:
    # mean 3, sample variance 2.5, n 5: 3 ± 1.96·√0.5
    assert intervals.of_mean([1, 2, 3, 4, 5]) == pytest.approx((1.6141, 4.3859), abs=1e-4)
    assert intervals.of_mean([2.0, 2.0]) == (2.0, 2.0)


def _alpha(units: list[list[object]]) -> float | None:
    return beyond_chance.alpha(beyond_chance.counts_of(units))


def test_the_interval_of_alpha_holds_the_known_value() -> None:
    rng = random.Random(5)
    # Two who each err at random in one of ten: alpha is about .8 of what chance leaves.
    units = [
        [truth if rng.random() > 0.1 else rng.choice("abcd") for _ in range(2)]
        for truth in (rng.choice("abcd") for _ in range(2000))
    ]
    table = beyond_chance.counts_of(units)
    value, interval = beyond_chance.alpha(table), beyond_chance.alpha_interval(table)
    assert value is not None and interval is not None
    assert interval[0] < value < interval[1]
    # Two standard errors and more: the interval is four wide.
    assert abs(value - 0.9**2) < interval[1] - interval[0] < 0.06


def test_kappa_of_a_known_table() -> None:
    # Cohen (1960), by hand: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: po .7, pe .5, kappa .4.
    units = [["y", "y"]] * 20 + [["y", "n"]] * 5 + [["n", "y"]] * 10 + [["n", "n"]] * 15
    assert beyond_chance.kappa(units) == pytest.approx(0.4)
    assert beyond_chance.kappa([["y", "y"]]) is None


def test_bounds_and_samples() -> None:
    # Equal weights are no weights.
    assert intervals.wilson_of_weighted(30, 300, 900) == pytest.approx(intervals.wilson(10, 100))
    assert intervals.of_sums(5, 15, 55) == pytest.approx(intervals.of_mean([1, 2, 3, 4, 5]))


def test_the_sample_follows_from_the_wanted_interval() -> None:
    # 1.96² · .007 · .993 / .003² = 2967; of a population of 3000 about half of them.
    rules = QualityRules(spot_half_width=0.003, spot_most=1.0)
    assert spot_share(rules, "independent", population=10**6) * 10**6 == pytest.approx(2958, abs=3)
    assert spot_share(rules, "independent", population=3000) * 3000 == pytest.approx(1492, abs=3)
    assert spot_share(rules, "tie", population=10**6) == pytest.approx(3 * 2958e-6, rel=0.01)
    assert spot_share(QualityRules(spot_most=0.1), "together", population=10) == 0.1


def test_chance_draws_the_wanted_share() -> None:
    drawn = sum(is_drawn(n, 0.1) for n in range(20_000))
    assert 1850 < drawn < 2150
    assert all(is_drawn(n, 0.1) <= is_drawn(n, 0.5) for n in range(1000))


def test_alpha_of_a_known_table() -> None:
    # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", B: nominal data, two
    # observers, no missing data: 0.692.
    first = ["a", "a", "b", "b", "d", "c", "c", "c", "e", "d", "d", "a"]
    second = ["b", "a", "b", "b", "b", "c", "c", "c", "e", "d", "d", "d"]
    units = [list(pair) for pair in zip(first, second, strict=True)]
    assert _alpha(units) == pytest.approx(0.692, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_that_of_the_reference_implementation(seed: int) -> None:
    rng = random.Random(seed)
    units = [[rng.choice("aaabcd") for _ in range(rng.randint(1, 4))] for _ in range(60)]
    table = beyond_chance.counts_of(units)
    expected = krippendorff.alpha(value_counts=table.toarray(), level_of_measurement="nominal")
    assert beyond_chance.alpha(table) == pytest.approx(expected)


def test_alpha_needs_something_to_tell_apart() -> None:
    assert _alpha([]) is None
    assert _alpha([["a", "a"], ["a", "a"]]) is None
    assert _alpha([["a", "a"], ["b", "b"]]) == 1.0
    # Spellings that are the same thing are one value; an unknown is a value of its own.
    assert _alpha([["Ａ-1", "a-1"], ["b", "b"]]) == 1.0
    disagreeing = _alpha([["a", {"unknown": ""}], ["b", "b"]])
    assert disagreeing is not None and disagreeing < 1


def rules(caption: str) -> set[tuple[str, str]]:
    return {(flaw.field, flaw.rule) for flaw in fluency.flaws(caption, DEFAULT_SCHEMA)}


def test_a_good_caption_reads_well() -> None:
    assert rules(GOOD) == set()
    assert fluency.score(GOOD, DEFAULT_SCHEMA) == 100


@pytest.mark.parametrize(
    ("old", "new", "flaw", "points"),
    [
        ("个人护理", "护理护理", ("category", "repeated"), 15),
        ("个人护理", "啊啊啊啊", ("category", "repeated"), 15),
        ("个人护理", "个人护理？", ("category", "odd_characters"), 15),
        ("个人护理", "个人护理…", ("category", "odd_characters"), 15),
        ("个人护理", "个人(护理", ("category", "brackets"), 10),
    ],
)
def test_each_flaw_takes_its_points(old: str, new: str, flaw: tuple[str, str], points: int) -> None:
    caption = GOOD.replace(old, new)
    assert flaw in rules(caption)
    assert fluency.score(caption, DEFAULT_SCHEMA) <= 100 - points


def test_a_caption_out_of_form_loses_a_little() -> None:
    loose = GOOD.replace("|【", " 【")
    assert rules(loose) == {("", "not_canonical")}
    assert fluency.score(loose, DEFAULT_SCHEMA) == 95


def test_codes_and_amounts_are_not_taken_for_stutter() -> None:
    caption = GOOD.replace("WASH-2024-BLUE", "AB-AB-1111-0000").replace("500ml", "1010ml")
    assert rules(caption) == set()


def test_what_cannot_be_read_scores_low_and_never_below_nothing() -> None:
    assert fluency.score("", DEFAULT_SCHEMA) < 85
    assert fluency.score("？？？" * 30, DEFAULT_SCHEMA) >= 0


def test_an_unknown_value_is_no_flaw() -> None:
    assert rules(GOOD.replace("1箱", "看不清(反光)")) == set()


def test_no_interval_leaves_what_can_be_read() -> None:
    agreement, time = Metric("agreement", "%", 100), Metric("time", "s", 100, "down")
    assert [agreement.bound(b) for b in (-300.0, 7500.0, 10_660.0)] == [0.0, 75.0, 100.0]
    assert [time.bound(b) for b in (-1.0, 12_000.0)] == [0.0, 120.0]
