"""Querysets that are built and compiled once, and asked many times with other values.

Django builds a queryset and compiles it to SQL anew each time that it is asked. For the reads that
run with every request this costs several times what the database takes for the answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable
from copy import copy
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")
_MARKS = itertools.count(1)
_FAR = -(2**53)


class Statement(Generic[Row]):
    """``build`` returns a queryset for values that are numbers, texts or lists of one of them::

        in_scene = Statement(lambda scene: Capture.objects.filter(scene_id=scene))
        in_scene(scene=7)  # the rows, as a list

    The values must reach SQL as they are; what depends on them in any other way does not belong
    here. ``None`` and flags are compiled in. With any other value, say a queryset, the statement is
    built for that call alone. Lists are told apart by their length, rounded up to a power of two,
    and thus stand for sets (``__in``).
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build = build
        self._compiled: dict[Hashable, _Compiled[Row]] = {}

    def __call__(self, **values: Any) -> list[Row]:
        """The rows for ``values``."""
        shape: list[Hashable] = [connection.alias, connection.vendor]
        for name, value in values.items():
            if value is None or isinstance(value, bool):
                shape.append((name, value))
            elif isinstance(value, int | str):
                shape.append((name, type(value)))
            elif isinstance(value, list | tuple):
                values[name] = filled = _fill(value)
                shape.append((name, len(filled), *map(type, filled[:1])))
            else:
                return list(self._build(**values))
        key = tuple(shape)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = _Compiled(self._build, values)
        return compiled.ask(values)


class _Compiled(Generic[Row]):
    """A statement for values of one shape."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], values: dict[str, Any]) -> None:
        marks = {name: _mark(value) for name, value in values.items()}
        self.queryset = build(**marks)
        self.compiler = self.queryset.query.get_compiler(connection=connection)
        try:
            self.sql, params = self.compiler.as_sql()
        except EmptyResultSet:
            self.sql, params = "", ()
        places: dict[Any, tuple[str, int | None]] = {}
        for name, mark in marks.items():
            if isinstance(mark, list):
                places |= {one: (name, n) for n, one in enumerate(mark)}
            elif not (mark is None or isinstance(mark, bool)):
                places[mark] = (name, None)
        self.params = [(places.get(param), param) for param in params]
        lost = set(places.values()) - {place for place, _ in self.params}
        if self.sql and lost:
            raise ValueError(f"These values do not reach the statement as they are: {lost}")

    def ask(self, values: dict[str, Any]) -> list[Row]:
        if not self.sql:
            return []
        if self.queryset.query.select_for_update and not connection.in_atomic_block:
            raise TransactionManagementError("select_for_update wants a transaction")
        params = tuple(
            param if place is None else _at(values, *place) for place, param in self.params
        )
        compiler = copy(self.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (self.sql, params)
        queryset = self.queryset.all()
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(queryset)


def _at(values: dict[str, Any], name: str, n: int | None) -> Any:
    return values[name] if n is None else values[name][n]


def _fill(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    """The same set with its last element repeated up to the next power of two."""
    size = 1 << (len(value) - 1).bit_length() if value else 0
    return [*value, *value[-1:] * (size - len(value))]


def _mark(value: Any) -> Any:
    """A value of the same kind that occurs nowhere else."""
    if isinstance(value, list):
        return [_mark(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    return _FAR - next(_MARKS) if isinstance(value, int) else f"\x1a{next(_MARKS)}"
