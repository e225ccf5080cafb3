"""The quality figures at size, and whether they are true.

``python -m bench.quality --tasks 100000`` writes a site of decided tasks, answered by simulated people
whose error rates are known, keeps the figures, times the page, and prints true rates beside measured ones.
A 95% interval should hold the true rate 95 times of 100.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bench import databases

GRADES = ("完好无损", "轻微压痕", "明显变形", "破损", "渗漏")
FIELDS = ("sku", "quantity", "condition")
NOT_IN_CATALOG = 0.003
WITHHELD = 0.05
SUGGESTED_RIGHT = 0.92
SWAYED = 0.5
"""So many of the wrong suggestions that are shown are taken unread."""
DAYS = 120
GOLD_EACH = 200
SPOT_SHARE = 0.03
CHUNK = 5000


@dataclass(frozen=True)
class Person:
    """How often somebody errs in each field when no suggestion sways them, leaves one unknown, and how
    long they take."""

    user: Any
    wrong: dict[str, float]
    unknown: float
    seconds: float


def people_of(users: list[Any]) -> list[Person]:
    """People whose errors range from rare to frequent."""
    rng = random.Random(7)
    return [
        Person(
            user,
            {
                "sku": rng.uniform(0.003, 0.04),
                "quantity": rng.uniform(0.01, 0.06),
                "condition": rng.uniform(0.02, 0.1),
            },
            rng.uniform(0.0, 0.02),
            rng.uniform(9, 30),
        )
        for user in users
    ]


class World:
    """Simulated tasks, written in bulk, and what is true of them."""

    def __init__(self, tasks: int, annotators: int) -> None:
        from annotator.accounts.models import Project, User
        from annotator.labeling.models import Annotation
        from annotator.review.models import Decision
        from bench import filling

        site, users, _ = filling.make_site(annotators)
        self.rng = random.Random(11)
        self.codes = filling.CODES
        self.people = people_of(users)
        self.reviewer = User.objects.create(username="reviewer")
        self.project = Project.objects.create(site=site, slug="bench", name="Bench")
        self.suggestion = self._suggestion()
        self.hits: dict[str, Counter[Any]] = {}
        for model in (Annotation, Decision):  # the past is to be written
            model._meta.get_field("created_at").auto_now_add = False
        for first in range(0, tasks, CHUNK):
            self._write(first, min(CHUNK, tasks - first))
            print(f"  {min(first + CHUNK, tasks)} tasks written", file=sys.stderr, flush=True)
        self._write_gold()

    def _suggestion(self) -> Any:
        from annotator.captures.models import Capture, Scene
        from annotator.suggestions.models import Suggestion
        from bench import filling

        [image] = filling._images(self.project.site, 0, 1, salt=999)
        scene = Scene.objects.create(site=self.project.site, key="one")
        capture = Capture.objects.create(
            site=self.project.site, scene=scene, image=image, image_id_text="one", source="bench"
        )
        return Suggestion.objects.create(
            capture=capture, model_version="b", site_number=1, fields={}, candidates=[],
            neighbours=[], flags=[], timings_ms={},
        )  # fmt: skip

    def truth(self) -> dict[str, Any]:
        rng = self.rng
        known = rng.random() >= NOT_IN_CATALOG
        return {
            "sku": rng.choice(self.codes) if known else f"NEW-{rng.randrange(10**6)}",
            "category": "饮料",
            "spec": "500ml×6瓶/箱",
            "quantity": f"{rng.randint(1, 12)}箱",
            "condition": rng.choice(GRADES),
        }

    def other(self, field: str, value: str) -> str:
        """Something else than ``value``."""
        if field == "quantity":
            number = int(value.removesuffix("箱"))
            return f"{number + self.rng.choice((-1, 1)) if number > 1 else 2}箱"
        among = self.codes if field == "sku" else GRADES
        return next(x for x in iter(lambda: self.rng.choice(among), None) if x != value)

    def answer(
        self, who: Person, truth: dict[str, Any], suggested: str | None
    ) -> tuple[dict[str, Any], bool]:
        """What somebody answers, and whether they took the suggested SKU."""
        rng, said = self.rng, dict(truth)
        for field in FIELDS:
            if rng.random() < who.wrong[field]:
                said[field] = self.other(field, truth[field])
        if suggested not in (None, truth["sku"]) and rng.random() < SWAYED:
            said["sku"] = suggested
        taken = said["sku"] == suggested
        if rng.random() < who.unknown:
            said["spec"] = {"unknown": "反光"}
        return said, taken

    def _write(self, first: int, count: int) -> None:
        from django.utils import timezone

        from annotator.captures.models import Scene
        from annotator.labeling.models import Agreement, Annotation, Assignment, Task
        from annotator.review.models import Decision, SpotCheck

        rng, project = self.rng, self.project
        scenes = Scene.objects.bulk_create(
            Scene(site=project.site, key=f"q{first + n}") for n in range(count)
        )
        now = timezone.now()
        tasks = Task.objects.bulk_create(
            Task(
                project=project, scene=scene, state="decided", overlap=2, places_left=0, answers=2,
                decided_at=now,
            )
            for scene in scenes
        )  # fmt: skip
        rows: list[tuple[Any, ...]] = []
        agreements, decisions, wrong = [], [], []
        for task in tasks:
            day = now - timedelta(days=rng.random() * DAYS)
            truth = self.truth()
            right_guess = rng.random() < SUGGESTED_RIGHT
            guess = truth["sku"] if right_guess else self.other("sku", truth["sku"])
            pair = rng.sample(self.people, 2)
            said = []
            for who in pair:
                shown = rng.random() >= WITHHELD
                fields, taken = self.answer(who, truth, guess if shown else None)
                rows.append((task, who, fields, shown, shown and taken, day))
                said.append((fields, shown, taken, who))
            found = _agreement(said[0][0], said[1][0])
            agreements.append(
                Agreement(
                    task=task, score=round(found.score, 4), per_field=dict(found.per_field),
                    reasons=[r.to_json() for r in found.reasons],
                )
            )  # fmt: skip
            source = "arbitrated" if found.disputed else "agreed"
            fields = truth if found.disputed else _settled(said)
            together = all(shown and taken for _, shown, taken, _ in said)
            decisions.append(
                Decision(
                    task=task, fields=fields, caption=_caption(fields), sku_code=fields["sku"],
                    source=source, created_at=day,
                    decided_by=self.reviewer if source == "arbitrated" else None,
                )
            )  # fmt: skip
            error = any(fields[f] != truth[f] for f in FIELDS)
            wrong.append((source == "agreed", error, together))
            self._count(truth, said, source, error, together)
        assignments = Assignment.objects.bulk_create(
            Assignment(task=task, annotator=who.user, state="submitted", token="t", expires_at=now)
            for task, who, *_ in rows
        )
        Annotation.objects.bulk_create(
            Annotation(
                assignment=assignment, task=task, author=who.user, fields=fields,
                caption=_caption(fields), active_seconds=rng.lognormvariate(-0.08, 0.4) * who.seconds,
                created_at=day, suggestion=self.suggestion, suggestion_shown=shown,
                suggestion_used={"sku": taken},
            )
            for assignment, (task, who, fields, shown, taken, day) in zip(
                assignments, rows, strict=True
            )
        )  # fmt: skip
        Agreement.objects.bulk_create(agreements)
        made = Decision.objects.bulk_create(decisions)
        SpotCheck.objects.bulk_create(
            SpotCheck(
                decision=decision, task=decision.task, project=project, share=SPOT_SHARE,
                stratum="together" if together else "independent", reviewer=self.reviewer,
                wrong=error, checked_at=now,
            )
            for decision, (agreed, error, together) in zip(made, wrong, strict=True)
            if agreed and rng.random() < SPOT_SHARE
        )  # fmt: skip

    def _count(
        self, truth: dict[str, Any], said: list[Any], source: str, error: bool, together: bool
    ) -> None:
        """What is true of a task, for what cannot be worked out from the rates."""
        hits = self.hits
        hits.setdefault("agreed", Counter())["n"] += source == "agreed"
        hits["agreed"]["wrong"] += source == "agreed" and error
        hits["agreed"]["together"] += source == "agreed" and together

    def _write_gold(self) -> None:
        from django.utils import timezone

        from annotator.captures.models import Scene
        from annotator.labeling.models import Annotation, Assignment, Gold, Task

        project = self.project
        scenes = Scene.objects.bulk_create(
            Scene(site=project.site, key=f"g{n}") for n in range(GOLD_EACH)
        )
        tasks = Task.objects.bulk_create(
            Task(project=project, scene=scene, state="gold", overlap=2, places_left=0)
            for scene in scenes
        )
        truths = [self.truth() for _ in tasks]
        Gold.objects.bulk_create(
            Gold(task=task, fields=truth, schema_version=1)
            for task, truth in zip(tasks, truths, strict=True)
        )
        rows = [
            (task, who, self.answer(who, truth, None)[0])
            for task, truth in zip(tasks, truths, strict=True)
            for who in self.people
        ]
        assignments = Assignment.objects.bulk_create(
            Assignment(
                task=task, annotator=who.user, state="submitted", token="t",
                expires_at=timezone.now(),
            )
            for task, who, _ in rows
        )  # fmt: skip
        Annotation.objects.bulk_create(
            Annotation(
                assignment=a, task=task, author=who.user, fields=fields, caption=_caption(fields),
                active_seconds=9.0, suggestion_shown=False, created_at=timezone.now(),
            )
            for a, (task, who, fields) in zip(assignments, rows, strict=True)
        )  # fmt: skip


_agreements: dict[Any, Any] = {}


def _agreement(a: dict[str, Any], b: dict[str, Any]) -> Any:
    """The agreement of two answers; worked out once for what agrees and differs in the same way."""
    from inference.captions import DEFAULT_SCHEMA, agreement, values_from_json

    key = (a["sku"] == b["sku"], *(str(x[f]) for x in (a, b) for f in (*FIELDS[1:], "spec")))
    if key not in _agreements:
        _agreements[key] = agreement(values_from_json(a), values_from_json(b), DEFAULT_SCHEMA)
    return _agreements[key]


def _settled(said: list[Any]) -> dict[str, Any]:
    """What two agreeing answers come to: a value before an unknown, the first before the second."""
    first, second = said[0][0], said[1][0]
    return {k: v if isinstance(v, str) else second[k] for k, v in first.items()}


def _caption(fields: dict[str, Any]) -> str:
    """The caption; its values hold nothing to escape, which ``format_caption`` would check for long."""
    from inference.captions import DEFAULT_SCHEMA

    values = [
        (f.label["zh"], v if isinstance(v := fields[f.key], str) else f"看不清({v['unknown']})")
        for f in DEFAULT_SCHEMA.fields
    ]
    return "|".join(f"【{label}】{value}" for label, value in values)


# --- true and measured ---------------------------------------------------------------------------


def true_rates(world: World) -> dict[str, float]:
    """What the simulated habits make of each figure, in its unit. Everybody is paired with everybody
    else equally often."""
    people = world.people
    pairs = [(a, b) for a in people for b in people if a is not b]

    def equal(a: Person, b: Person) -> float:
        """Both right, or both wrong in the same way: one up, one down, but only up from one box."""
        p, q = a.wrong["quantity"], b.wrong["quantity"]
        same = (11 / 12) * 0.5 + 1 / 12
        return (1 - p) * (1 - q) + p * q * same

    return {
        "completeness": 100 * statistics.fmean(1 - p.unknown for p in people),
        "completeness_decided": 100 * statistics.fmean(
            1 - _undecided(a, b) for a, b in pairs
        ),
        "quantity_consistency": 100 * statistics.fmean(equal(a, b) for a, b in pairs),
        "time": statistics.fmean(p.seconds for p in people),
        "spot_check_error": 100 * world.hits["agreed"]["wrong"] / world.hits["agreed"]["n"],
    }  # fmt: skip


def _undecided(a: Person, b: Person) -> float:
    """Both leave the spec unknown and agree in everything that makes a dispute: approximately their
    product, times the chance of agreeing in SKU and quantity."""
    agree = 1.0
    for field in ("sku", "quantity"):
        agree *= (1 - a.wrong[field]) * (1 - b.wrong[field])
    return a.unknown * b.unknown * agree


def table(rows: list[tuple[Any, ...]], heads: tuple[str, ...]) -> None:
    cells = [heads, *[tuple(str(cell) for cell in row) for row in rows]]
    widths = [max(len(row[n]) for row in cells) for n in range(len(heads))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def compare(world: World) -> None:
    """True rates beside measured ones, in all and by person."""
    from annotator.quality import queries

    report = queries.report(world.project)
    tiles = {m["key"]: m for m in report["metrics"]}
    truth = true_rates(world)
    rows = []
    for key, value in truth.items():
        m = tiles[key]
        low, high = m["interval"]
        rows.append((key, f"{value:.3f}", m["value"], f"{low} – {high}", m["count"],
                     "yes" if low - 0.005 <= value <= high + 0.005 else "NO"))  # fmt: skip
    table(rows, ("figure", "true", "measured", "95% interval", "n", "held"))

    print()
    held: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    by_person = {
        f"gold:{field}": {p.user.pk: 100 * (1 - p.wrong[field]) for p in world.people}
        for field in FIELDS
    }
    by_person["time"] = {p.user.pk: p.seconds for p in world.people}
    by_person["completeness"] = {p.user.pk: 100 * (1 - p.unknown) for p in world.people}
    for metric, true in by_person.items():
        for row in queries.breakdown(world.project, metric=metric, by="annotator"):
            low, high = row["interval"]
            asked[metric] += 1
            held[metric] += low - 0.005 <= true[int(row["at"])] <= high + 0.005
    rows = [(m, asked[m], held[m], f"{held[m] / asked[m]:.2f}") for m in by_person]
    rows.append(("all", asked.total(), held.total(), f"{held.total() / asked.total():.3f}"))
    table(rows, ("by annotator", "intervals", "hold the true rate", "share (nominal .95)"))

    print()
    anchoring = report["anchoring"]
    rows = [
        (c["key"], c["shown"]["value"], c["shown"]["interval"], c["shown"]["count"],
         c["withheld"]["value"], c["withheld"]["interval"], c["withheld"]["count"])
        for c in anchoring["compared"]
    ]  # fmt: skip
    table(rows, ("anchoring", "shown", "interval", "n", "withheld", "interval", "n"))
    together, apart = (anchoring["spot_checked"][k] for k in ("together", "independent"))
    print(
        f"agreed because all took the suggested SKU: {anchoring['together']['value']}% "
        f"of agreed tasks; wrong on spot check {together['value']}% {together['interval']} of those, "
        f"{apart['value']}% {apart['interval']} of the others"
    )


def timed(name: str, action: Any, times: int = 7) -> None:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        took.append((time.perf_counter() - began) * 1000)
    print(f"{name:<34} median {statistics.median(took):7.1f} ms   worst {max(took):7.1f} ms")


def measure(tasks: int, annotators: int) -> None:
    from django.core.management import call_command
    from django.test import Client

    from annotator.accounts.models import Membership
    from annotator.quality import services, summaries
    from annotator.quality.models import Rollup

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    world = World(tasks, annotators)
    print(f"{tasks} decided tasks written in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    services.rebuild(world.project)
    print(f"all figures made anew in {time.perf_counter() - began:.0f} s, "
          f"{Rollup.objects.count()} sums kept")  # fmt: skip
    began = time.perf_counter()
    summaries.summarise(world.project)
    print(f"agreement beyond chance, reliability, alerts: {time.perf_counter() - began:.1f} s")
    databases.settle()

    Membership.objects.create(user=world.reviewer, site=world.project.site, role="reviewer")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(world.reviewer)
    root = f"/api/v1/projects/{world.project.pk}"

    def get(path: str) -> Any:
        def act() -> None:
            response = client.get(root + path)
            assert response.status_code == 200, response.content[:300]
            if response.streaming:
                b"".join(response.streaming_content)

        return act

    person = world.people[0].user.pk
    client.get(root + "/quality")  # what is loaded once
    print()
    timed("the page", get("/quality"))
    timed("the page, last 4 weeks", get("/quality?weeks=4"))
    for by in ("annotator", "category", "week"):
        timed(f"breakdown by {by}", get(f"/quality/breakdown?metric=time&by={by}"))
    timed("tasks behind an error", get("/quality/tasks?metric=sku_accuracy&flawed=true"))
    timed("of one annotator",
          get(f"/quality/tasks?metric=completeness&flawed=true&by=annotator&at={person}"))  # fmt: skip
    timed("one annotator", get(f"/quality/people/{person}"))
    timed("the table (CSV)", get("/quality.csv"), times=2)
    print()
    compare(world)


def main() -> int:
    """Measure on PostgreSQL, or where the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--tasks", type=int, default=5_000)
    parser.add_argument("--annotators", type=int, default=30)
    parser.add_argument("--database", choices=["PostgreSQL", "SQLite"], default="PostgreSQL")
    options = parser.parse_args()
    try:
        with databases.environment(options.database) as variables:
            os.environ.update(variables)
            import django

            django.setup()
            print(f"{options.database}, {options.annotators} annotators")
            try:
                measure(options.tasks, options.annotators)
            finally:
                from django.db import connections

                connections.close_all()
    except OSError as error:
        print(f"SKIPPED: {options.database} does not answer ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
