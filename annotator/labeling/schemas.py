"""A project's caption schema."""

from __future__ import annotations

from annotator.accounts.models import Project
from inference.captions import DEFAULT_SCHEMA, Schema


def schema_of(project: Project) -> Schema:
    """The schema that the project's captions follow."""
    return Schema.from_json(project.schema) if project.schema else DEFAULT_SCHEMA
