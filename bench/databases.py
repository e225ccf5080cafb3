"""Databases of one measurement: made, migrated and dropped again; what they cost in CPU."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


@contextmanager
def environment(vendor: str) -> Iterator[dict[str, str]]:
    """The variables of an empty installation on SQLite or PostgreSQL, with the durability that
    users have; gone afterwards. Raises OSError when PostgreSQL does not answer."""
    with tempfile.TemporaryDirectory(prefix="warevision-bench-") as home:
        (Path(home) / "static").mkdir()
        variables = {
            "DJANGO_SETTINGS_MODULE": "annotator.settings.dev",
            "WAREVISION_HOME": home,
            "WAREVISION_LOG_LEVEL": "ERROR",
            "DATABASE_URL": "",
            "BROKER_URL": "filesystem://",
        }
        if vendor == "SQLite":
            yield variables
            return
        name = f"warevision_bench_{os.getpid()}"
        _administer(f"CREATE DATABASE {name}")
        try:
            yield variables | {"DATABASE_URL": POSTGRES.rsplit("/", 1)[0] + f"/{name}"}
        finally:
            _administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administer(statement: str) -> None:
    import dj_database_url
    import psycopg2

    config = dj_database_url.parse(POSTGRES)
    try:
        connection = psycopg2.connect(
            host=config["HOST"], port=config["PORT"] or 5432, user=config["USER"],
            password=config["PASSWORD"], dbname=config["NAME"], connect_timeout=3,
        )  # fmt: skip
    except psycopg2.OperationalError as error:
        raise OSError(str(error)) from error
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def settle() -> None:
    """Fresh statistics, as autovacuum would leave them, before anything is timed."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def cpu_of_processes(pids: list[int]) -> float:
    """CPU seconds, user and system, that processes and their reaped children have used."""
    total = 0.0
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(words[n]) for n in (11, 12)) * _TICK_S
    return total


def backends() -> list[int]:
    """The process ids of PostgreSQL's backends on this database; none on SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [row[0] for row in cursor.fetchall()]
