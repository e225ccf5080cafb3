"""When one person and the machine are enough: risk control over random audits (ADR 33). Pure.

Tasks are scored before anybody answers. A random share of them, whatever their score, is answered twice;
among those on which the first person and the machine agree, errors are counted. A threshold is certified
when the exact upper bound of the error above it stays under the limit (selective prediction with a
guarantee: Geifman and El-Yaniv, 2017; thresholds in a fixed sequence: Angelopoulos et al., Learn then
Test, 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

CONFIDENCE_LEFT = 0.05
"""What may go wrong: in a stretch of as many audits as the window has, a false certificate is given with
at most this probability."""
LOOKS = 10
"""So many times a window is looked at while it passes. Each look has its part of what may go wrong, so
that looking often is paid for."""
GRID_FROM = 100
"""The first scores only say where the thresholds lie; they are not tested with."""
COVERAGES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""The shares of tasks above each threshold, in the order in which they are tested. A smaller share is not
worth the trouble."""
ALARM = 4
"""So many errors where at most one is expected are no accident: a Poisson variable of mean one reaches
it once in fifty times, of the usual third once in a thousand."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A task that was answered twice: its ``score``; whether the first answer and the machine
    ``agree``, so that nobody else would have been asked; whether that answer was ``wrong``."""

    score: float
    agree: bool
    wrong: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """The loosest ``threshold`` whose error is surely below the limit: the ``bound`` of it, the
    ``audits`` above it and the ``errors`` among those. Without a threshold the figures are of the first
    that failed."""

    threshold: float | None
    bound: float | None
    audits: int
    errors: int


def window(limit: float) -> int:
    """Of so many of the latest audits the error is estimated: enough for the strictest threshold to pass
    without an error among them."""
    return math.ceil(20 / limit)


def step(limit: float) -> int:
    """After so many further audits it is estimated anew."""
    return window(limit) // LOOKS


def score_of(confidence: float, skill: float | None) -> float:
    """How surely not both are wrong: the machine of ``confidence``, and a person whose answers are right
    at the rate ``skill`` (None: not known, counted as nothing). It only orders tasks; that the error
    above a threshold is small is shown by audits, not by this."""
    return 1 - (1 - confidence) * (1 - (skill or 0.0))


def upper_bound(errors: int, audits: int, level: float) -> float:
    """The exact upper confidence bound of an error rate that is exceeded with probability ``level`` at
    most (Clopper and Pearson, 1934)."""
    if errors >= audits:
        return 1.0
    return float(beta.ppf(1 - level, errors + 1, audits - errors))


def grid_of(scores: Sequence[float]) -> list[float]:
    """The thresholds to test, strictest first: quantiles of scores that are not tested with."""
    cuts = np.quantile(np.asarray(scores, np.float64), [1 - share for share in COVERAGES])
    return sorted({round(float(cut), 6) for cut in cuts}, reverse=True)


def certify(audits: Sequence[Audit], grid: Sequence[float], limit: float) -> Certificate:
    """Test the thresholds in their order, each at the level of one look, until one fails. That order
    does not depend on what is tested, so the first false one is passed with that probability at most."""
    level = CONFIDENCE_LEFT / LOOKS
    best: Certificate | None = None
    for threshold in grid:
        wrong = [audit.wrong for audit in audits if audit.agree and audit.score >= threshold]
        bound = upper_bound(sum(wrong), len(wrong), level)
        if bound > limit:
            return best or Certificate(None, bound, len(wrong), sum(wrong))
        best = Certificate(threshold, bound, len(wrong), sum(wrong))
    return best or Certificate(None, None, 0, 0)


def alarming(audits: Sequence[Audit], threshold: float, limit: float) -> bool:
    """Whether the latest audits (last ones last) above a certified threshold have too many errors for
    its certificate to still be believed."""
    above = [audit.wrong for audit in audits if audit.agree and audit.score >= threshold]
    return sum(above[-round(1 / limit) :]) >= ALARM
