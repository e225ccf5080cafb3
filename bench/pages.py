"""Pages of lists with 100,000 tasks: milliseconds a request through the whole of Django, side by side
on SQLite and, where it answers, PostgreSQL.

``python -m bench.pages [tasks]``"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bench.side_by_side import INSIDE, Row, analyze, inside, percentiles, rows

TASKS, SKUS, REPEATS = 100_000, 5_000, 25
PEOPLE, PULSE_EVERY_S = 32, 10.0
CHUNK = 5_000


def fill(tasks: int) -> tuple[Any, int]:
    """A project of ``tasks`` tasks in all states, with pictures, suggestions, decisions, disputes."""
    from django.utils import timezone

    from annotator.captures.models import Capture, Scene
    from annotator.catalog.models import Sku
    from annotator.labeling.models import Task
    from annotator.media.models import StoredImage
    from annotator.review.models import Decision, Dispute
    from annotator.suggestions.models import CaptureSuggestion, Suggestion
    from tests import factories

    project = factories.ProjectFactory()
    site, now = project.site, timezone.now()
    Sku.objects.bulk_create(
        [factories.SkuFactory.build(site=site, code=f"SKU-{n:05d}") for n in range(SKUS)]
    )
    people = factories.UserFactory.create_batch(2)
    states = ["ready"] * 45 + ["labeling"] * 5 + ["disputed"] * 4 + ["decided"] * 45 + ["rejected"]
    for start in range(0, tasks, CHUNK):
        ns = range(start, min(start + CHUNK, tasks))
        scenes = Scene.objects.bulk_create([Scene(site=site, key=f"s{n:06d}") for n in ns])
        images = StoredImage.objects.bulk_create(
            [
                factories.StoredImageFactory.build(
                    site=site, sha256=f"{n:064x}", sharpness=(n * 7919) % 997
                )
                for n in ns
            ]
        )
        captures = Capture.objects.bulk_create(
            [
                Capture(
                    site=site,
                    scene=scene,
                    image=image,
                    image_id_text=f"I{n:06d}",
                    original_name=f"photos/I{n:06d}.jpg",
                    source="bench",
                    cam_type=("front", "top", "side")[n % 3],
                )
                for n, scene, image in zip(ns, scenes, images, strict=True)
            ]
        )
        suggestions = Suggestion.objects.bulk_create(
            [
                Suggestion(
                    capture=capture,
                    model_version="m",
                    site_number=1,
                    fields={},
                    candidates=[{"sku_code": "A", "confidence": 0.5}],
                    neighbours=[],
                    flags=[],
                    timings_ms={},
                )
                for capture in captures
            ]
        )
        CaptureSuggestion.objects.bulk_create(
            [
                CaptureSuggestion(
                    capture=c, state="failed" if c.pk % 500 == 0 else "done", current=s
                )
                for c, s in zip(captures, suggestions, strict=True)
            ]
        )
        made = Task.objects.bulk_create(
            [
                Task(
                    project=project,
                    scene=scene,
                    state=(state := states[(n * 31) % 100]),
                    overlap=2,
                    places_left=2 if state == "ready" else int(state == "labeling"),
                    priority=int(n % 400 == 0),
                    value=(n * 7919) % 1000 / 1000,
                    decided_at=now - timedelta(seconds=n) if state == "decided" else None,
                )
                for n, scene in zip(ns, scenes, strict=True)
            ]
        )
        Decision.objects.bulk_create(
            [
                Decision(
                    task=t,
                    fields={},
                    caption=f"【SKU】SKU-{t.pk % SKUS:05d}",
                    sku_code=f"SKU-{t.pk % SKUS:05d}",
                    source="agreed",
                )
                for t in made
                if t.state == "decided"
            ]
        )
        Dispute.objects.bulk_create(
            [
                Dispute(
                    task=t,
                    project=project,
                    score=(t.pk % 80) / 100,
                    gap=1 - (t.pk % 80) / 100,
                    severity=1 + t.pk % 3,
                    pair=f"P{t.pk % 40:04d}",
                    trivial="catalog" if t.pk % 10 == 0 else "",
                    opened_at=now - timedelta(seconds=t.pk),
                    differing=",category,spec,"
                    if t.pk % 10 == 0
                    else (",sku,", ",quantity,")[t.pk % 2],
                )
                for t in made
                if t.state == "disputed"
            ]
        )
        _answer([t for t in made if t.state == "disputed" and t.pk % 10 == 0], people)
    analyze()
    return project, site.pk


def _answer(tasks: list[Any], people: list[Any]) -> None:
    """Two answers to each task that differ in what the catalog knows."""
    from django.utils import timezone

    from annotator.labeling.models import Annotation, Assignment

    for person, category in zip(people, ("饮料", "食品"), strict=True):
        leases = Assignment.objects.bulk_create(
            Assignment(
                task=t, annotator=person, state="submitted", token="t", expires_at=timezone.now()
            )
            for t in tasks
        )
        Annotation.objects.bulk_create(
            Annotation(
                assignment=lease,
                task=lease.task,
                author=person,
                fields={"sku": f"SKU-{lease.task_id % SKUS:05d}", "category": category,
                        "spec": "500ml/瓶", "quantity": "2箱", "condition": "完好无损"},
                caption="",
                active_seconds=9.0,
                suggestion_shown=False,
            )
            for lease in leases
        )  # fmt: skip


def measure(tasks: int) -> Iterator[Row]:
    """p50 and p95 of each page in ms, of the first page and the ones after it; CPU ms of all."""
    from annotator.accounts.states import Role
    from tests import factories
    from tests.conftest import Api

    project, site = fill(tasks)
    api = Api(factories.member(project.site, Role.ADMIN, Role.REVIEWER, Role.ANNOTATOR))
    tasks_of = f"/tasks?project={project.pk}"
    disputes = f"/projects/{project.pk}/disputes"
    pages = {
        "tasks, newest": tasks_of,
        "tasks, ready": f"{tasks_of}&state=ready",
        "tasks, rejected, oldest": f"{tasks_of}&state=rejected&sort=oldest",
        "tasks, last decided": f"{tasks_of}&sort=decided_last",
        "tasks, urgent": f"{tasks_of}&priority=urgent",
        "tasks, urgent and decided": f"{tasks_of}&priority=urgent&state=decided",
        "tasks, one SKU": f"{tasks_of}&sku=SKU-00042",
        "tasks, imported": f"{tasks_of}&source=imported",
        "tasks, search number": f"{tasks_of}&search=%2377777",
        "tasks, search picture": f"{tasks_of}&search=I0777",
        "tasks, search product": f"{tasks_of}&search=商品42",
        "tasks, search nothing": f"{tasks_of}&search=zzzzzz",
        "disputes, urgent": disputes,
        "disputes, worst": f"{disputes}?sort=worst",
        "disputes, oldest": f"{disputes}?sort=oldest",
        "disputes, severe": f"{disputes}?severity=high&sort=worst",
        "disputes, of a pair": f"{disputes}?pair=P0007",
        "disputes, field": f"{disputes}?field=quantity",
        "disputes, summary": f"{disputes}/summary",
        "disputes, trivial": f"{disputes}/trivial",
        "captures, newest": f"/captures?site={site}",
        "captures, failed": f"/captures?site={site}&state=failed",
        "captures, top view": f"/captures?site={site}&cam_type=top",
        "captures, near-duplicates": f"/captures?site={site}&duplicate=true",
        "captures, blurriest": f"/captures?site={site}&sort=blurriest",
        "captures, of a project": f"/captures?site={site}&project={project.pk}",
        "captures, search": f"/captures?site={site}&search=I0777",
        "catalog": f"/skus?site={site}",
        "catalog, search": f"/skus?site={site}&search=商品42",
        "projects": "/projects",
        "pulse": "/pulse",
    }
    for name, first in pages.items():
        times, path, cpu = [], first, time.process_time()
        for n in range(1, REPEATS + 1):
            started = time.perf_counter()
            answer = api.get(path)
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.content
            body = answer.json()
            following = body.get("next") if isinstance(body, dict) else None
            # Five pages from the beginning, then again.
            path = following.split("/api/v1", 1)[1] if following and n % 5 else first
        cpu_ms = (time.process_time() - cpu) * 1000 / REPEATS
        p50, p95 = percentiles(times)
        yield {"page": name, "p50": p50, "p95": p95, "cpu_ms": cpu_ms}


def main() -> None:
    """Print the table."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    found: dict[str, dict[str, Row]] = {}
    for name, row in rows("bench.pages", tasks):
        found.setdefault(row["page"], {})[name] = row
    print(f"{tasks} tasks; ms a request, p50 / p95")
    print(f"{'':28}{'SQLite':>18}{'PostgreSQL':>18}")
    for page, by_name in found.items():
        cells = (by_name.get(name) for name in ("SQLite", "PostgreSQL"))
        shown = (f"{row['p50']:.1f} / {row['p95']:.1f}" if row else "-" for row in cells)
        print(f"{page:28}" + "".join(f"{cell:>18}" for cell in shown))
    for name, row in found["pulse"].items():
        share = row["cpu_ms"] * PEOPLE / PULSE_EVERY_S / 10
        print(
            f"live figures, {name}: {row['cpu_ms']:.1f} ms CPU of the web process a question; ",
            end="",
        )
        print(f"{PEOPLE} people looking take {share:.1f}% of a core")


if __name__ == "__main__":
    if INSIDE in sys.argv:
        inside(measure, int(sys.argv[-1]))
    else:
        main()
