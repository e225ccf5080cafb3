"""Adaptive overlap, simulated: how often the error among tasks that one person answered exceeds the limit,
and how many second answers it saves (ADR 33).

Each run is one project: people who differ in care and in how readily they take what is suggested, a
machine whose confidence says something of how often it is right, reviewers who come later, and a drift that
the scores do not show. The rules are those of ``annotator.labeling.risk``, looked at as in service.

    python -m bench.overlap --runs 200
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from annotator.labeling import risk
from annotator.labeling.risk import Audit

PEOPLE = 12
REVIEWED_AFTER = 150
"""So many tasks later a dispute is decided; until then it counts as wrong."""


@dataclass(frozen=True)
class Person:
    """``slips``: how often they name another SKU by themselves; ``takes``: how readily a wrong
    suggestion."""

    slips: float
    takes: float


@dataclass
class Outcome:
    """Of one run."""

    tasks: int = 0
    spared: int = 0
    missed: int = 0
    """Spared ones whose decision two people and a reviewer would not have come to."""
    wrong: int = 0
    """Spared ones that are not true, whoever would have noticed."""
    alarms: int = 0


@dataclass
class Trial:
    """An audit on its way to being settled."""

    audit: Audit
    pending_until: int


@dataclass
class Course:
    """A project's certificate as ``review.trials`` keeps it."""

    limit: float
    scores: list[float] = field(default_factory=list)
    grid: list[float] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    new: int = 0
    threshold: float | None = None

    def add(self, trial: Trial, at: int) -> bool:
        """Take in an audit; whether it raised the alarm."""
        if not self.grid:
            self.scores.append(trial.audit.score)
            if len(self.scores) == risk.GRID_FROM:
                self.grid = risk.grid_of(self.scores)
            return False
        self.trials.append(trial)
        self.new += 1
        if self.threshold is not None and trial.audit.wrong:
            latest = [t.audit for t in self.trials[-2000:] if t.pending_until <= at]
            if risk.alarming(latest, self.threshold, self.limit):
                self.trials, self.new, self.threshold = [], 0, None
                return True
        if self.new >= risk.step(self.limit):
            self.new = 0
            step, window = risk.step(self.limit), risk.window(self.limit)
            ripe = self.trials[-step - window : -step]
            rows = [
                Audit(t.audit.score, t.audit.agree, t.audit.wrong or t.pending_until > at)
                for t in ripe
            ]
            self.threshold = risk.certify(rows, self.grid, self.limit).threshold
        return False


Drift = Callable[[float], tuple[float, float]]
"""By the part of the run that has passed: how many times more often the machine errs, and people take what
it says."""

DRIFTS: dict[str, Drift] = {
    "steady": lambda t: (1.0, 1.0),
    "machine errs 3 times as often from the middle on": lambda t: (3.0 if t > 0.5 else 1.0, 1.0),
    "machine errs 8 times as often from the middle on": lambda t: (8.0 if t > 0.5 else 1.0, 1.0),
    "machine slowly errs 5 times as often": lambda t: (1.0 + 4.0 * t, 1.0),
    "people stop looking from two thirds on": lambda t: (1.0, 3.0 if t > 2 / 3 else 1.0),
}


def run(seed: int, drift: Drift, *, tasks: int, limit: float, share: float) -> Outcome:
    """One project."""
    rng = random.Random(seed)
    people = [Person(rng.uniform(0.005, 0.04), rng.uniform(0.02, 0.2)) for _ in range(PEOPLE)]
    hard = rng.uniform(0.5, 2.0)
    course, done = Course(limit), Outcome(tasks=tasks)
    waiting: deque[tuple[int, Trial]] = deque()
    for n in range(tasks):
        worse, careless = drift(n / tasks)
        confidence = 1 - 0.5 * rng.random() ** 4
        first, second = rng.sample(people, 2)
        score = risk.score_of(confidence, 1 - first.slips)
        machine_wrong = rng.random() < min(0.9, worse * hard * (1 - confidence))

        def follows(who: Person, wrong: bool = machine_wrong, more: float = careless) -> bool:
            """Says what the machine says."""
            return rng.random() < (min(0.95, who.takes * more) if wrong else 1 - who.slips)

        drawn = rng.random() < share
        alone = course.threshold is not None and not drawn and score >= course.threshold
        agree = follows(first)
        both = agree and follows(second)
        missed = agree and machine_wrong and not both
        if alone:
            done.spared += agree
            done.missed += missed
            done.wrong += agree and machine_wrong
            continue
        if drawn or course.threshold is None:
            # A second who differs makes a dispute, which a reviewer settles in time.
            late = REVIEWED_AFTER if agree and not both else 0
            trial = Trial(Audit(score, agree, missed), n + late)
            waiting.append((n, trial))
        while waiting and waiting[0][0] <= n - 20:  # the second comes a little later
            _, trial = waiting.popleft()
            done.alarms += course.add(trial, n)
    return done


def row(name: str, drift: Drift, options: argparse.Namespace) -> tuple[str, ...]:
    runs = [
        run(seed, drift, tasks=options.tasks, limit=options.limit, share=options.share)
        for seed in range(options.runs)
    ]
    errors = [100 * r.missed / r.spared if r.spared else 0.0 for r in runs]
    truth = [100 * r.wrong / r.spared if r.spared else 0.0 for r in runs]
    over = sum(error > 100 * options.limit for error in errors)
    saved = [100 * r.spared / r.tasks for r in runs]
    return (
        name, f"{over} ({100 * over / len(runs):.1f}%)", f"{statistics.fmean(errors):.2f}%",
        f"{sorted(errors)[int(0.95 * len(errors))]:.2f}%", f"{max(errors):.2f}%",
        f"{statistics.fmean(truth):.2f}%", f"{statistics.fmean(saved):.0f}%",
        f"{min(saved):.0f}–{max(saved):.0f}%", f"{statistics.fmean(r.alarms for r in runs):.1f}",
    )  # fmt: skip


def show(cells: Sequence[str], widths: Sequence[int]) -> None:
    line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.overlap", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--limit", type=float, default=0.01)
    parser.add_argument("--share", type=float, default=0.15, help="of audits")
    options = parser.parse_args()
    began = time.perf_counter()
    print(
        f"{options.runs} runs of {options.tasks} tasks, limit {100 * options.limit:g}%, "
        f"{100 * options.share:g}% audited"
    )
    heads = (
        "world", "runs over the limit", "error, mean", "95th run", "worst run", "untrue, mean",
        "second answers saved", "from run to run", "alarms a run",
    )  # fmt: skip
    widths = [max(map(len, DRIFTS)), *(max(len(head), 8) for head in heads[1:])]
    show(heads, widths)
    for name, drift in DRIFTS.items():
        show(row(name, drift, options), widths)
    print(f"{time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
