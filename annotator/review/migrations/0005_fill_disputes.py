"""What earlier disputes say in their new columns."""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.models import OuterRef, Subquery

from annotator.review.policies import severity_of
from annotator.review.settling import pair_of

CHUNK = 1000


def fill(apps: Apps, editor: Any) -> None:
    dispute = apps.get_model("review", "Dispute")
    task = apps.get_model("labeling", "Task")
    annotation = apps.get_model("labeling", "Annotation")
    of_task = task.objects.filter(pk=OuterRef("task")).values("project")
    dispute.objects.update(project=Subquery(of_task))
    rows = dispute.objects.filter(closed_at=None).order_by("pk")
    last = 0
    while found := list(rows.filter(pk__gt=last)[:CHUNK]):
        people: dict[int, list[int]] = {}
        answers = annotation.objects.filter(task__in=[r.task_id for r in found], withdrawn_at=None)
        for pk, author in answers.values_list("task", "author"):
            people.setdefault(pk, []).append(author)
        for row in found:
            row.severity = severity_of({reason["code"] for reason in row.reasons})
            row.gap = 1.0 if row.score is None else round(1 - row.score, 4)
            row.pair = pair_of(row.project_id, people.get(row.task_id, ()))
        dispute.objects.bulk_update(found, ["severity", "gap", "pair"])
        last = found[-1].pk


class Migration(migrations.Migration):
    dependencies = [("review", "0004_the_desk")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
