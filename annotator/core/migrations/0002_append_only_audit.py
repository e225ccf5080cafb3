"""Triggers that make the audit log append-only."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from annotator.core import append_only


def add(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.install(editor.connection)


def drop(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    append_only.remove(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunPython(add, drop)]
