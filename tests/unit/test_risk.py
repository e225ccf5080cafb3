"""When one answer is enough: the bound, the order of the thresholds, the alarm."""

from __future__ import annotations

import random

import pytest
from scipy.stats import binom

from annotator.labeling import risk
from annotator.labeling.risk import Audit


@pytest.mark.parametrize(("errors", "audits"), [(0, 300), (3, 200), (17, 50)])
def test_the_bound_is_exact(errors: int, audits: int) -> None:
    """At the bound, so few errors come with just the probability of the level."""
    bound = risk.upper_bound(errors, audits, 0.05)
    assert binom.cdf(errors, audits, bound) == pytest.approx(0.05)


def test_without_audits_nothing_is_known() -> None:
    assert risk.upper_bound(0, 0, 0.05) == 1.0
    assert risk.certify([], [0.9, 0.5], 0.01).threshold is None
    assert risk.certify([Audit(0.99, True, False)] * 9000, [], 0.01).threshold is None


def test_thresholds_are_tested_strictest_first_until_one_fails() -> None:
    good = [Audit(0.99, True, False)] * 700
    fair = [Audit(0.7, True, n % 10 == 0) for n in range(700)]
    fine = [Audit(0.3, True, False)] * 90_000
    found = risk.certify([*good, *fair, *fine], [0.9, 0.6, 0.2], 0.01)
    assert (found.threshold, found.audits, found.errors) == (0.9, 700, 0)
    assert found.bound is not None and found.bound <= 0.01
    assert risk.certify([*fair, *good], [0.6, 0.9], 0.01).threshold is None, "in their order only"


def test_what_the_machine_would_not_have_passed_is_no_error() -> None:
    audits = [Audit(0.99, True, False)] * 600 + [Audit(0.99, False, True)] * 300
    assert risk.certify(audits, [0.9], 0.01).threshold == 0.9


def test_an_alarm_needs_errors_among_the_latest() -> None:
    long_ago = [Audit(0.9, True, True)] * 4 + [Audit(0.9, True, False)] * 100
    assert not risk.alarming(long_ago, 0.5, 0.01)
    assert risk.alarming(long_ago[::-1], 0.5, 0.01)
    assert not risk.alarming([Audit(0.4, True, True)] * 50, 0.5, 0.01), "below the threshold"


def test_false_certificates_are_rare() -> None:
    """Audits whose error is just above the limit, looked at as often as in service: a certificate is
    given in no more of the windows than promised."""
    limit, false = 0.05, 0
    for seed in range(200):
        rng = random.Random(seed)
        n = risk.window(limit)
        audits = [Audit(rng.random(), True, rng.random() < 0.051) for _ in range(2 * n)]
        looks = range(n + risk.step(limit), 2 * n + 1, risk.step(limit))
        grid = [0.7, 0.5, 0.3, 0.0]
        false += any(
            risk.certify(audits[at - n : at], grid, limit).threshold is not None for at in looks
        )
    assert false <= 0.05 * 200


def test_a_person_and_the_machine_add_up() -> None:
    assert risk.score_of(0.9, None) == pytest.approx(0.9)
    assert risk.score_of(0.9, 0.9) == pytest.approx(0.99)
    assert risk.grid_of([n / 100 for n in range(100)])[0] == pytest.approx(0.693)
