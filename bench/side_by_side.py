"""The same measurement on SQLite and, where it answers, PostgreSQL: each in a process and a database of
its own, made and dropped by Django's test runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.databases import POSTGRES

Row = dict[str, Any]
INSIDE = "--inside"


def rows(module: str, *arguments: object) -> Iterator[tuple[str, Row]]:
    """Run ``python -m module --inside arguments`` on each database; its lines of JSON with the
    database's name."""
    for name, url in (("SQLite", ""), ("PostgreSQL", POSTGRES)):
        home = tempfile.mkdtemp(prefix="warevision-bench-")
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, INSIDE, *map(str, arguments)],
                env={
                    **os.environ,
                    "DJANGO_SETTINGS_MODULE": "annotator.settings.test",
                    "DATABASE_URL": url,
                    "WAREVISION_TEST_HOME": home,
                },
                capture_output=True,
                text=True,
                cwd=Path(__file__).parent.parent,
            )
        finally:
            shutil.rmtree(home, ignore_errors=True)
        if done.returncode:
            print(f"{name}: not measured: {done.stderr.splitlines()[-1]}")
            continue
        for line in done.stdout.splitlines():
            yield name, json.loads(line)


def inside(measure: Any, *arguments: Any) -> None:
    """Print what ``measure(*arguments)`` yields, a line of JSON each."""
    import django
    from django.test.runner import DiscoverRunner
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        found: Iterable[Row] = measure(*arguments)
        for row in found:
            print(json.dumps(row), flush=True)
    finally:
        runner.teardown_databases(databases)


def analyze() -> None:
    """Fresh statistics, as autovacuum would leave them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def percentiles(times_ms: list[float]) -> tuple[float, float]:
    """The 50th and 95th percentile."""
    times = sorted(times_ms)
    return times[len(times) // 2], times[int(len(times) * 0.95)]
