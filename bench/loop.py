"""The working loop under simulated annotators: next and submit, side by side on SQLite and, where
it answers, PostgreSQL. Services are called in threads, so that the figures are the platform's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TASKS, ANNOTATORS = 300, 8
POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def measure() -> dict[str, float]:
    """Label every task with every annotator that may; runs inside a test database."""
    import django

    django.setup()
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    from annotator.accounts.states import Role
    from annotator.labeling import services
    from annotator.labeling.models import Annotation, Task
    from tests import factories

    project = factories.ProjectFactory()
    people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(ANNOTATORS)]
    factories.TaskFactory.create_batch(TASKS, project=project)
    times: dict[str, list[float]] = {"next": [], "submit": []}

    def one(person: object) -> bool:
        started = time.perf_counter()
        assignment = services.next_assignment(project=project, annotator=person)  # type: ignore[arg-type]
        times["next"].append((time.perf_counter() - started) * 1000)
        if assignment is None:
            return False
        started = time.perf_counter()
        services.submit_annotation(
            assignment=assignment,
            annotator=person,  # type: ignore[arg-type]
            token=assignment.token,
            fields=factories.GOOD_FIELDS,
            boxes=[],
            attributes={},
            active_seconds=1.0,
        )
        times["submit"].append((time.perf_counter() - started) * 1000)
        return True

    def work(person: object) -> None:
        while one(person):
            pass
        connection.close()

    reset_queries()
    with CaptureQueriesContext(connection) as statements:
        one(people[0])
    per_label = len(statements)
    cpu, started = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    labels = Annotation.objects.count() - 1
    assert Task.objects.filter(state="decided").count() == TASKS
    return {
        "labels": labels,
        "labels_per_s": round(labels / seconds, 1),
        "cpu_s_per_label": round((time.process_time() - cpu) / labels, 4),
        "sql_per_label": per_label,
        **{
            f"{name}_{q}_ms": round(sorted(v)[int(len(v) * p)], 1)
            for name, v in times.items()
            for q, p in (("p50", 0.5), ("p95", 0.95))
        },
    }


def run_inside(url: str) -> dict[str, float]:
    """The figures on one database, from a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "annotator.settings.test",
            "DATABASE_URL": url,
            "WAREVISION_TEST_HOME": home,
            "BENCH_INSIDE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "bench.loop"],
            env=environment,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-1500:])
        figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return figures


def inside() -> None:
    import django
    from django.test.runner import DiscoverRunner

    django.setup()
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        print(json.dumps(measure()))
    finally:
        runner.teardown_databases(databases)


def main() -> None:
    """Print the table."""
    rows: dict[str, dict[str, float]] = {}
    for name, url in (("SQLite", ""), ("PostgreSQL", POSTGRES)):
        try:
            rows[name] = run_inside(url)
        except RuntimeError as error:
            print(f"{name}: not measured: {str(error).splitlines()[-1]}")
    keys = list(next(iter(rows.values())))
    print(f"{ANNOTATORS} annotators, {TASKS} tasks, overlap 2")
    print(f"{'':18}" + "".join(f"{name:>14}" for name in rows))
    for key in keys:
        print(f"{key:18}" + "".join(f"{figures[key]:>14}" for figures in rows.values()))
    speeds = [figures["labels_per_s"] for figures in rows.values()]
    if len(speeds) > 1:
        print(f"ratio PostgreSQL/SQLite in labels/s: {speeds[1] / speeds[0]:.2f}")


if __name__ == "__main__":
    if os.environ.get("BENCH_INSIDE"):
        inside()
    else:
        main()
