"""Triggers that make the audit log append-only, whoever connects to the database."""

from __future__ import annotations

from typing import Any

_SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb.lower()} BEFORE {verb} ON core_auditentry "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
_POSTGRES = [
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON core_auditentry "
    "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
]


def install(connection: Any) -> None:
    """Create the triggers."""
    _run(connection, _POSTGRES if connection.vendor == "postgresql" else _SQLITE)


def remove(connection: Any) -> None:
    """Drop the triggers."""
    if connection.vendor == "postgresql":
        drop = ["DROP TRIGGER audit_append_only ON core_auditentry"]
        drop.append("DROP FUNCTION audit_append_only()")
    else:
        drop = [f"DROP TRIGGER IF EXISTS audit_no_{verb}" for verb in ("update", "delete")]
    _run(connection, drop)


def put_back(connection: Any) -> None:
    """After migrations on SQLite: changing a table there makes it anew, without its triggers."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            there = "core_auditentry" in connection.introspection.table_names(cursor)
        if there:
            install(connection)


def _run(connection: Any, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
