"""Triggers that keep judges and parties apart, whoever connects to the database: nobody who ever
answered a task arbitrates or mends it, and nobody who did so answers it."""

from __future__ import annotations

from typing import Any

NAME = "decision_independence"
MESSAGE = "a reviewer does not decide a task that they annotated"

_JUDGE = (
    "NEW.source IN ('arbitrated', 'checked') AND EXISTS (SELECT 1 FROM labeling_annotation a "
    "WHERE a.task_id = NEW.task_id AND a.author_id = NEW.decided_by_id)"
)
_PARTY = (
    "EXISTS (SELECT 1 FROM review_decision d WHERE d.task_id = NEW.task_id "
    "AND d.source IN ('arbitrated', 'checked') AND d.decided_by_id = NEW.author_id)"
)
# name → table, columns whose change is looked at, what must not be
_RULES = {
    "judge": ("review_decision", "task_id, source, decided_by_id", _JUDGE),
    "party": ("labeling_annotation", "task_id, author_id", _PARTY),
}


def install(connection: Any) -> None:
    """Create the triggers."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for name, (table, columns, forbidden) in _RULES.items():
            for statement in (_postgres if postgres else _sqlite)(name, table, columns, forbidden):
                cursor.execute(statement)


def _sqlite(name: str, table: str, columns: str, forbidden: str) -> list[str]:
    return [
        f"CREATE TRIGGER IF NOT EXISTS {NAME}_{name}_{n} BEFORE {event} ON {table} "
        f"WHEN {forbidden} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        for n, event in (("insert", "INSERT"), ("update", f"UPDATE OF {columns}"))
    ]


def _postgres(name: str, table: str, columns: str, forbidden: str) -> list[str]:
    return [
        f"CREATE OR REPLACE FUNCTION {NAME}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {forbidden} THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'check_violation'; "
        "END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {NAME}_{name} BEFORE INSERT OR UPDATE OF {columns} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {NAME}_{name}()",
    ]


def remove(connection: Any) -> None:
    """Drop the triggers."""
    with connection.cursor() as cursor:
        for name, (table, _, _) in _RULES.items():
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER IF EXISTS {NAME}_{name} ON {table}")
                cursor.execute(f"DROP FUNCTION IF EXISTS {NAME}_{name}()")
            else:
                for n in ("insert", "update"):
                    cursor.execute(f"DROP TRIGGER IF EXISTS {NAME}_{name}_{n}")


def step_aside(connection: Any) -> None:
    """Before migrations on SQLite: a table that is made anew there must not be named in triggers of
    another."""
    if connection.vendor == "sqlite":
        remove(connection)


def put_back(connection: Any) -> None:
    """After migrations on SQLite."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    if there >= {table for table, _, _ in _RULES.values()}:
        install(connection)
