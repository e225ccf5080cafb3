"""A spot check may mend a decision; who does so is a judge to the triggers as well."""

from django.conf import settings
from django.db import migrations, models

from annotator.review import independence


def renew(apps, editor):
    if editor.connection.vendor != "sqlite":  # there they come after all migrations
        independence.remove(editor.connection)
        independence.install(editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('labeling', '0013_delayed_suggestions'),
        ('review', '0008_single'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='decision',
            name='arbitrated_by_somebody',
        ),
        migrations.AlterField(
            model_name='decision',
            name='source',
            field=models.CharField(choices=[('agreed', 'Agreed'), ('arbitrated', 'Arbitrated'), ('imported', 'Imported'), ('single', 'Single'), ('checked', 'Checked')], max_length=12),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('source__in', ['arbitrated', 'checked']), _negated=True), ('decided_by__isnull', False), _connector='OR'), name='arbitrated_by_somebody'),
        ),
        migrations.RunPython(renew, migrations.RunPython.noop),
    ]
