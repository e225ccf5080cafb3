"""Counting tasks without scanning them: triggers write what every change adds and takes away.

PostgreSQL's triggers run once a statement and only insert, so that nobody waits for anybody; a beat
task sums up what has gathered. SQLite has one writer at a time and adds to one row of each kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from .models import TaskCount

_VACANT = "{row}state IN ('ready', 'labeling') AND {row}places_left > 0 AND NOT {row}on_hold"
_KEY = (
    "{row}project_id, {row}state, "
    f"CASE WHEN {_VACANT} THEN COALESCE({{row}}category_id, 0) ELSE 0 END, "
    f"CASE WHEN {_VACANT} THEN {{row}}had ELSE '' END"
)
_COLUMNS = "project_id, state, category_id, lane"
_SCAN = (
    f"INSERT INTO labeling_taskcount ({_COLUMNS}, n) "
    f"SELECT {_KEY.format(row='')}, COUNT(*) FROM labeling_task GROUP BY 1, 2, 3, 4"
)


def _sqlite() -> list[str]:
    def add(row: str, n: int) -> str:
        return (
            f"INSERT INTO labeling_taskcount ({_COLUMNS}, n) VALUES ({_KEY.format(row=row)}, {n}) "
            f"ON CONFLICT ({_COLUMNS}) DO UPDATE SET n = n + {n};"
        )

    watched = "state, places_left, on_hold, had, category_id, project_id"
    return [
        f"CREATE UNIQUE INDEX IF NOT EXISTS task_count_once ON labeling_taskcount ({_COLUMNS})",
        "CREATE TRIGGER IF NOT EXISTS task_count_insert AFTER INSERT ON labeling_task "
        f"BEGIN {add('NEW.', 1)} END",
        "CREATE TRIGGER IF NOT EXISTS task_count_delete AFTER DELETE ON labeling_task "
        f"BEGIN {add('OLD.', -1)} END",
        f"CREATE TRIGGER IF NOT EXISTS task_count_update AFTER UPDATE OF {watched} ON labeling_task "
        f"BEGIN {add('OLD.', -1)} {add('NEW.', 1)} END",
    ]


def _postgres() -> list[str]:
    def rows(table: str, n: int) -> str:
        return f"SELECT {_KEY.format(row='')}, {n} FROM {table}"

    def function(name: str, changes: str) -> str:
        return (
            f"CREATE OR REPLACE FUNCTION task_count_{name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN INSERT INTO labeling_taskcount ({_COLUMNS}, n) "
            f"SELECT {_COLUMNS}, SUM(n) FROM ({changes}) AS changes ({_COLUMNS}, n) "
            "GROUP BY 1, 2, 3, 4 HAVING SUM(n) <> 0; RETURN NULL; END $$"
        )

    def trigger(name: str, tables: str) -> str:
        return (
            f"CREATE TRIGGER task_count_{name} AFTER {name.upper()} ON labeling_task "
            f"REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION task_count_{name}()"
        )

    before, after = rows("old_rows", -1), rows("new_rows", 1)
    return [
        function("insert", after),
        function("delete", before),
        function("update", f"{before} UNION ALL {after}"),
        trigger("insert", "NEW TABLE AS new_rows"),
        trigger("delete", "OLD TABLE AS old_rows"),
        trigger("update", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    ]


def install(connection: Any) -> None:
    """Create the triggers, and count what is there."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE labeling_task IN SHARE ROW EXCLUSIVE MODE")
        for statement in _postgres() if connection.vendor == "postgresql" else _sqlite():
            cursor.execute(statement)
        cursor.execute("DELETE FROM labeling_taskcount")
        cursor.execute(_SCAN)


def remove(connection: Any) -> None:
    """Drop the triggers."""
    with connection.cursor() as cursor:
        for name in ("insert", "delete", "update"):
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER task_count_{name} ON labeling_task")
                cursor.execute(f"DROP FUNCTION task_count_{name}()")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS task_count_{name}")
        if connection.vendor == "sqlite":
            cursor.execute("DROP INDEX IF EXISTS task_count_once")


def put_back(connection: Any) -> None:
    """After migrations on SQLite: changing a table there makes it anew, without its triggers."""
    with connection.cursor() as cursor:
        there = "labeling_taskcount" in connection.introspection.table_names(cursor)
    if connection.vendor == "sqlite" and there:
        install(connection)


def compact() -> int:
    """Replace the gathered rows by their sums; returns how many rows went. The rows' locks keep two
    compactions apart: the second finds nothing left to do."""
    with transaction.atomic():
        rows = list(TaskCount.objects.select_for_update().order_by("pk"))
        sums: Counter[Sequence[Any]] = Counter()
        for row in rows:
            sums[row.project_id, row.state, row.category_id, row.lane] += row.n
        kept = [
            TaskCount(project_id=project, state=state, category_id=category, lane=lane, n=n)
            for (project, state, category, lane), n in sums.items()
            if n
        ]
        TaskCount.objects.filter(pk__in=[row.pk for row in rows]).delete()
        TaskCount.objects.bulk_create(kept)
    return len(rows) - len(kept)
