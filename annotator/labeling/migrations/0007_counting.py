"""Triggers that keep the counts of tasks."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from annotator.labeling import counting


def add(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    counting.install(editor.connection)


def drop(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    counting.remove(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0006_queue")]
    operations = [migrations.RunPython(add, drop)]
