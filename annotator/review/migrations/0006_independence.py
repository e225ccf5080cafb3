"""Every dispute has a project; triggers keep judges and parties apart."""

from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from annotator.review import independence


def add(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor != "sqlite":  # there they come after all migrations
        independence.install(editor.connection)


def drop(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    independence.remove(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("review", "0005_fill_disputes"), ("labeling", "0010_returned_answers")]
    operations = [
        migrations.AlterField(
            model_name="dispute",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="disputes",
                to="accounts.project",
            ),
        ),
        migrations.RunPython(add, drop),
    ]
