"""A project's caption schemas: the one in force, the earlier ones, and reading answers across them.

Nothing that people wrote is rewritten when a schema changes. An answer keeps its version and is read
through the changes since: renamed keys are followed, fields that are gone are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotator.accounts.models import Project, SchemaVersion
from inference.captions import (
    DEFAULT_SCHEMA,
    Field,
    FieldError,
    Schema,
    Value,
    normalise_value,
    values_from_json,
)


def schema_of(project: Project) -> Schema:
    """The schema that the project's captions follow now."""
    return Schema.from_json(project.schema) if project.schema else DEFAULT_SCHEMA


@dataclass(frozen=True, slots=True)
class Carried:
    """An answer's fields by the keys in force, and which of those its author was asked for."""

    fields: dict[str, Any]
    known: frozenset[str]

    @property
    def values(self) -> dict[str, Value]:
        """The fields as caption values."""
        return values_from_json(self.fields)


@dataclass(frozen=True, slots=True)
class _Step:
    schema: Schema
    renames: Mapping[str, str]


class Schemas:
    """The schemas of a project by version. The earlier ones are read once, when they are needed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.now, self.current = schema_of(project), project.schema_version
        self._earlier: dict[int, _Step] | None = None
        self._last: dict[int, _Step] = {}
        self._keys: dict[int, dict[str, str]] = {}
        self._doubts: dict[int, list[Field]] = {}

    def followed_by(self, schema: Schema, renames: Mapping[str, str]) -> Schemas:
        """These schemas as they would be with ``schema`` as the next version."""
        plan = Schemas(self._project)
        plan.now, plan.current = schema, self.current + 1
        plan._last = {self.current: _Step(self.now, {}), plan.current: _Step(schema, renames)}
        return plan

    def of(self, version: int) -> Schema:
        """The schema numbered ``version``."""
        if version == self.current:
            return self.now
        step = self._steps().get(version)
        return step.schema if step else self.now

    def carry(self, fields: Mapping[str, Any], version: int) -> Carried:
        """Fields written under ``version``, by the keys in force."""
        keys = self._keys_since(version)
        return Carried(
            {keys[key]: value for key, value in fields.items() if key in keys},
            frozenset(keys.values()),
        )

    def objections(self, fields: Mapping[str, Any], version: int) -> list[FieldError]:
        """Why an answer that was valid under ``version`` cannot stand under the schema in force;
        empty when it can."""
        carried = self.carry(fields, version)
        errors = []
        for field in self._doubtful(version):
            value = carried.fields.get(field.key)
            if isinstance(value, str):
                normal = normalise_value(field, value)
                errors += [normal] if isinstance(normal, FieldError) else []
            elif value is None and field.required:
                errors.append(_missing(field))
        if not any(f.weight > 0 and f.key in carried.known for f in self.now.fields):
            # Nothing that could be compared with another answer is left.
            errors += [_missing(f) for f in self.now.fields if f.weight > 0]
        return errors

    def _doubtful(self, version: int) -> list[Field]:
        """The fields in force for which a valid answer of ``version`` may have nothing valid."""
        if version not in self._doubts:
            before = self.of(version)
            was = {key: before.get(old) for old, key in self._keys_since(version).items()}
            self._doubts[version] = [f for f in self.now.fields if _asks_more(f, was.get(f.key))]
        return self._doubts[version]

    def _keys_since(self, version: int) -> dict[str, str]:
        """The key in force of each field of ``version`` that is still there."""
        if version not in self._keys:
            keys = {f.key: f.key for f in self.of(version).fields}
            for number in range(version + 1, self.current + 1):
                step = self._steps()[number]
                moved = {old: step.renames.get(key, key) for old, key in keys.items()}
                keys = {old: key for old, key in moved.items() if step.schema.get(key)}
            self._keys[version] = keys
        return self._keys[version]

    def _steps(self) -> dict[int, _Step]:
        if self._earlier is None:
            rows = SchemaVersion.objects.filter(project=self._project)
            stored = {row.number: _Step(Schema.from_json(row.schema), row.renames) for row in rows}
            # The version in force may have no row yet, the planned one has none.
            self._earlier = {**self._last, **stored}
        return self._earlier


def _asks_more(field: Field, was: Field | None) -> bool:
    """Whether a valid value of ``was`` may be none of ``field``."""
    if was is None:
        return field.required
    return (
        was.kind != field.kind
        or bool(set(was.options) - set(field.options))
        or (field.required and not was.required)
    )


def _missing(field: Field) -> FieldError:
    return FieldError("missing_field", {"label": field.label["zh"]}, field.key)
