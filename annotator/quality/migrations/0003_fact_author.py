from django.db import migrations, models

FILL = """UPDATE quality_fact SET author = (
SELECT a.author_id FROM labeling_annotation a WHERE a.id = quality_fact.annotation_id)
WHERE annotation_id IS NOT NULL"""


class Migration(migrations.Migration):
    dependencies = [
        ("quality", "0002_doubts"),
        ("labeling", "0012_adaptive_overlap"),
        ("accounts", "0010_quality"),
    ]

    operations = [
        migrations.AddField(
            model_name="fact", name="author", field=models.BigIntegerField(default=0)
        ),
        migrations.AddIndex(
            model_name="fact",
            index=models.Index(
                fields=["project", "author", "-day", "-id"],
                name="fact_by",
                condition=models.Q(author__gt=0),
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
