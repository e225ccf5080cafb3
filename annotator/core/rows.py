"""Rows of another table as one JSON value, so that what belongs together is read in one statement."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, JSONField, Model, QuerySet, Subquery
from django.db.models.functions import JSONObject


class _AsJson(Func):
    """A JSON column, kept as JSON inside a JSON object (SQLite stores it as text)."""

    arity = 1
    template = "%(expressions)s"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="JSON(%(expressions)s)", **extra)


class Rows(Subquery):
    """The rows of ``queryset`` as a list of objects: ``annotate(views=Rows(captures, id="pk"))``.

    ``columns`` maps a name to a field (or an expression); texts, numbers, booleans and JSON survive,
    dates do not. The queryset may refer to the outer query by ``OuterRef``. No rows are ``[]``.
    """

    output_field = JSONField()
    empty_result_set_value = None

    def __init__(self, queryset: QuerySet[Any], **columns: Any) -> None:
        parts = {name: _column(queryset.model, column) for name, column in columns.items()}
        super().__init__(queryset.values(item=JSONObject(**parts)))

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        postgres = connection.vendor == "postgresql"
        call = "jsonb_agg(rows.item)" if postgres else "json_group_array(json(rows.item))"
        template = f"(SELECT COALESCE({call}, '[]') FROM (%(subquery)s) rows)"
        return super().as_sql(compiler, connection, template=template, **extra)


def _column(model: type[Model], column: Any) -> Any:
    if not isinstance(column, str):
        return column
    json_fields = {f.name for f in model._meta.get_fields() if isinstance(f, JSONField)}
    return _AsJson(F(column)) if column in json_fields else F(column)
