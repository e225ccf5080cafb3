"""The working loop under simulated annotators, side by side on SQLite and PostgreSQL.

A closed loop: everybody takes the next task and answers it at once, over and over. The services are
called from as many processes as ``manage.py up`` starts (one on SQLite, two on PostgreSQL); the rows
marked HTTP go through its gunicorn, with the simulated colleagues as clients. The default takes a
minute or two; ``--full`` measures 1k, 10k and 100k tasks with 1, 8 and 32 annotators.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bench import databases

ROOT = Path(__file__).parent.parent
COLUMNS = {
    "database": "database", "way": "way", "tasks": "tasks", "people": "people",
    "labels": "labels", "rate": "labels/s", "cpu": "CPU s/label", "cpu_db": "of it database",
    "sql_next": "SQL next", "sql_submit": "SQL submit",
    "next_p50": "next p50", "next_p95": "p95", "next_p99": "p99",
    "submit_p50": "submit p50", "submit_p95": "p95", "submit_p99": "p99",
    "errors": "errors", "wrong": "wrong handouts",
}  # fmt: skip


def percentiles(name: str, values_ms: list[float]) -> dict[str, float]:
    """The 50th, 95th and 99th percentile, in milliseconds."""
    values = sorted(values_ms) or [0.0]
    return {
        f"{name}_p{p}": round(values[min(len(values) - 1, len(values) * p // 100)], 1)
        for p in (50, 95, 99)
    }


# --- one annotator process: services in threads ------------------------------------------------


def annotate(project_id: int, user_ids: list[int], seconds: float) -> dict[str, Any]:
    """Label with each of ``user_ids`` in a thread until the time is over."""
    from django.db import connection

    from annotator.accounts.models import Project
    from annotator.accounts.queries import user_with_roles
    from annotator.labeling import services
    from bench.filling import FIELDS

    project = Project.objects.get(pk=project_id)
    times: dict[str, list[float]] = {"next": [], "submit": []}
    errors: list[str] = []
    start = threading.Event()
    until = [0.0]

    def work(user: Any) -> None:
        connection.ensure_connection()
        start.wait()
        while time.monotonic() < until[0]:
            try:
                one(user)
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
        connection.close()

    def one(user: Any) -> None:
        began = time.perf_counter()
        assignment = services.next_assignment(project=project, annotator=user)
        took = time.perf_counter()
        times["next"].append((took - began) * 1000)
        if assignment is None:
            errors.append("next: nothing left")
            time.sleep(0.05)
            return
        services.submit_annotation(
            assignment=assignment,
            annotator=user,
            token=assignment.token,
            fields=FIELDS,
            boxes=[],
            attributes={},
            active_seconds=1.0,
        )
        times["submit"].append((time.perf_counter() - took) * 1000)

    people = [user_with_roles(pk) for pk in user_ids]  # as signing in gives them
    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    connection.close()
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    until[0] = time.monotonic() + seconds
    start.set()
    cpu = time.process_time()
    for thread in threads:
        thread.join()
    return {"times": times, "errors": errors, "cpu": time.process_time() - cpu}


def through_services(project: Any, users: list[Any], seconds: float) -> dict[str, Any]:
    """The figures of one closed loop through the services."""
    from django.db import connection

    count = 1 if connection.vendor == "sqlite" or len(users) == 1 else 2
    workers = []
    for n in range(count):
        job = {"project_id": project.pk, "user_ids": [u.pk for u in users[n::count]]}
        workers.append(
            subprocess.Popen(
                [sys.executable, "-m", "bench.loop", "--worker", json.dumps(job | {"seconds": seconds})],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            )
        )  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready", "a worker did not start"
    pids = databases.backends()
    before, began = databases.cpu_of_processes(pids), time.monotonic()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    time.sleep(seconds)
    server_cpu = databases.cpu_of_processes(pids) - before
    results = [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]
    elapsed = time.monotonic() - began
    times = {k: [ms for r in results for ms in r["times"][k]] for k in ("next", "submit")}
    return {
        "way": "services",
        "labels": len(times["submit"]),
        "elapsed": elapsed,
        "cpu_s": server_cpu + sum(r["cpu"] for r in results),
        "database_cpu_s": server_cpu,
        "errors": [e for r in results for e in r["errors"]],
        "times": times,
    }


def through_http(project: Any, secrets: list[str], seconds: float) -> dict[str, Any]:
    """The figures of one closed loop through gunicorn, as ``manage.py up`` runs it."""
    from django.db import connection

    from annotator.pipeline.colleagues import Annotator, Habits, Tally, Truth
    from annotator.pipeline.supervisor import answers, web
    from bench.filling import FIELDS

    class Everywhere(dict[str, Truth]):
        """The same truth for every picture."""

        def __contains__(self, key: object) -> bool:
            return True

        def __getitem__(self, key: str) -> Truth:
            return Truth(values=FIELDS, boxes=[[10, 10, 100, 80]], attributes={})

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = web("127.0.0.1", port, sqlite=connection.vendor == "sqlite")
    server = subprocess.Popen([*command, "--log-level", "error"], cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        while not answers(f"{url}/readyz"):
            time.sleep(0.2)
        tally = Tally()
        habits = Habits(wrong_sku=0, wrong_quantity=0, wrong_condition=0, skip=0)
        people = [
            Annotator(
                url=url, token=secret, project=project.pk, seed=n, tally=tally,
                truth=Everywhere(), habits=habits,
            )
            for n, secret in enumerate(secrets)
        ]  # fmt: skip
        for person in people[:16]:  # every thread of the server has its connection
            person.work_one()
        warm = {k: len(v) for k, v in tally.latencies_ms.items()}
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        web_pids = [server.pid, *map(int, children)]
        before = (
            databases.cpu_of_processes(web_pids),
            databases.cpu_of_processes(databases.backends()),
        )
        began = time.monotonic()

        def work(person: Annotator) -> None:
            while time.monotonic() < began + seconds:
                if not person.work_one():
                    tally.errors.append("next: nothing left")

        threads = [threading.Thread(target=work, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.monotonic() - began
        web_cpu = databases.cpu_of_processes(web_pids) - before[0]
        # connections that were opened meanwhile count from their beginning
        database_cpu = databases.cpu_of_processes(databases.backends()) - before[1]
    finally:
        server.terminate()
        server.wait()
    times = {k: tally.latencies_ms[k][warm.get(k, 0) :] for k in ("next", "submit")}
    return {
        "way": "HTTP",
        "labels": len(times["submit"]),
        "elapsed": elapsed,
        "cpu_s": web_cpu + database_cpu,
        "database_cpu_s": database_cpu,
        "errors": tally.errors,
        "times": times,
    }


# --- checks ------------------------------------------------------------------------------------


def wrong_handouts(project: Any) -> int:
    """Tasks handed to more people than their overlap, people who had a task twice, answers that
    are counted more or less than once."""
    from django.db.models import Count, F, Q

    from annotator.labeling.models import Annotation, Assignment, Task

    holding = Assignment.objects.filter(task__project=project, state__in=("active", "submitted"))
    by_task = Task.objects.filter(project=project).annotate(
        holds=Count("assignments", filter=Q(assignments__state__in=("active", "submitted")))
    )
    too_many = by_task.filter(holds__gt=F("overlap")).count()
    miscounted = by_task.exclude(places_left=F("overlap") - F("holds")).count()
    twice = holding.values("task", "annotator").annotate(n=Count("pk")).filter(n__gt=1).count()
    answers = (
        Task.objects.filter(project=project)
        .annotate(standing=Count("annotations", filter=Q(annotations__withdrawn_at=None)))
        .exclude(standing=F("answers"))
        .count()
    )
    doubled = (
        Annotation.objects.filter(task__project=project)
        .values("task", "author")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .count()
    )
    return too_many + miscounted + twice + answers + doubled


def statements(project: Any, users: list[Any], secrets: list[str], way: str) -> tuple[int, int]:
    """The most SQL statements of a next and of a submit, where two people answer the same tasks so
    that first and settling answers are among them; transaction statements and savepoints are not
    counted. Through HTTP it includes signing in by token."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from annotator.labeling import services
    from bench.filling import FIELDS

    answer = {"fields": FIELDS, "boxes": [], "attributes": {}, "active_seconds": 1.0}
    clients = [Client(headers={"Authorization": f"Token {secret}"}) for secret in secrets]

    def count(captured: Any) -> int:
        control = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
        return sum(not q["sql"].startswith(control) for q in captured)

    most_next = most_submit = 0
    for n in range(3):
        for user, client in zip(users, clients, strict=True):
            client.get("/api/v1/projects")  # notes the token's use, once a minute
            with CaptureQueriesContext(connection) as taking:
                if way == "HTTP":
                    address = f"/api/v1/projects/{project.pk}/next"
                    assignment = client.post(address, {}, "application/json").json()
                else:
                    row = services.next_assignment(project=project, annotator=user)
            with CaptureQueriesContext(connection) as submitting:
                if way == "HTTP":
                    client.post(
                        f"/api/v1/assignments/{assignment['id']}/submit",
                        answer | {"token": assignment["token"]},
                        "application/json",
                        headers={"Idempotency-Key": f"{project.pk}-{user.pk}-{n}"},
                    )
                else:
                    assert row is not None
                    services.submit_annotation(
                        assignment=row, annotator=user, token=row.token, **answer
                    )
            most_next = max(most_next, count(taking))
            most_submit = max(most_submit, count(submitting))
    return most_next, most_submit


# --- the table ---------------------------------------------------------------------------------


def measure(vendor: str, cells: list[list[Any]], seconds: float) -> None:
    """Measure ``cells`` (tasks, people, way) on the database of this process's environment; prints
    a JSON line each."""
    import django
    from django.conf import settings

    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    from django.core.management import call_command
    from django.db import connection

    from bench.filling import make_project, make_site

    call_command("migrate", verbosity=0, interactive=False)
    site, users, secrets = make_site(34)
    for tasks in dict.fromkeys(cell[0] for cell in cells):
        project = None
        for _, people, way in (cell for cell in cells if cell[0] == tasks):
            if project is None or tasks < 10_000:
                project = make_project(site, f"t{tasks}-{people}-{way.lower()}", tasks)
                databases.settle()
            sql = statements(project, users[32:], secrets[32:], way)
            connection.close()
            if way == "HTTP":
                figures = through_http(project, secrets[:people], seconds)
            else:
                figures = through_services(project, users[:people], seconds)
            labels = max(1, figures["labels"])
            row = {
                "database": vendor, "way": way, "tasks": tasks, "people": people,
                "labels": figures["labels"],
                "rate": round(figures["labels"] / figures["elapsed"], 1),
                "cpu": round(figures["cpu_s"] / labels, 4),
                "cpu_db": round(figures["database_cpu_s"] / labels, 4),
                "sql_next": sql[0], "sql_submit": sql[1],
                **percentiles("next", figures["times"]["next"]),
                **percentiles("submit", figures["times"]["submit"]),
                "errors": len(figures["errors"]),
                "wrong": wrong_handouts(project),
            }  # fmt: skip
            for error in sorted(set(figures["errors"]))[:5]:
                print(error, file=sys.stderr)
            print(json.dumps(row), flush=True)


def show(rows: list[dict[str, Any]]) -> None:
    """The rows as a table; times in milliseconds."""
    table = [list(COLUMNS.values())] + [[str(row[key]) for key in COLUMNS] for row in rows]
    widths = [max(len(line[n]) for line in table) for n in range(len(COLUMNS))]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--people", type=int, nargs="+")
    parser.add_argument("--ways", nargs="+", choices=["services", "HTTP"])
    parser.add_argument("--databases", nargs="+", default=["SQLite", "PostgreSQL"])
    parser.add_argument("--seconds", type=float, help="length of each loop")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker or asked.inside:
        import django

        if asked.worker:
            django.setup()
            print(json.dumps(annotate(**json.loads(asked.worker))), flush=True)
        else:
            measure(**json.loads(asked.inside))
        return
    sizes = asked.sizes or ([1_000, 10_000, 100_000] if asked.full else [1_000])
    crowds = asked.people or ([1, 8, 32] if asked.full else [8, 32])
    ways = asked.ways or ["services", "HTTP"]
    seconds = asked.seconds or (10.0 if asked.full else 6.0)
    cells = [
        [tasks, people, way]
        for tasks in sizes
        for way in ways
        for people in (crowds if way == "services" else crowds[-1:])
    ]
    rows = []
    for vendor in asked.databases:
        try:
            with databases.environment(vendor) as variables:
                job = {"vendor": vendor, "cells": cells, "seconds": seconds}
                done = subprocess.run(
                    [sys.executable, "-m", "bench.loop", "--inside", json.dumps(job)],
                    env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                )  # fmt: skip
        except OSError as error:
            print(f"{vendor}: not measured: {error}")
            continue
        if done.returncode:
            sys.exit(f"{vendor}: the measurement failed (see above)")
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    print(f"overlap 2, closed loop of {seconds:g} s each; times in ms; CPU of all server processes")
    show(rows)


if __name__ == "__main__":
    main()
