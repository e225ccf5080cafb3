from django.db import migrations

from annotator.catalog.naming import code_key

SLICE = 500
SURE_FROM = 0.85


def fill(apps, editor):
    """Open tasks from before: the SKU that the machine is sure of."""
    task = apps.get_model("labeling", "Task")
    status = apps.get_model("suggestions", "CaptureSuggestion")
    sku = apps.get_model("catalog", "Sku")
    known = set(sku.objects.values_list("site", "code_key"))
    waiting = task.objects.filter(state__in=["new", "ready", "labeling"]).order_by("pk")
    last = 0
    while rows := list(
        waiting.filter(pk__gt=last).values_list("pk", "scene", "project__site")[:SLICE]
    ):
        last = rows[-1][0]
        best = {}
        found = status.objects.filter(
            capture__scene__in=[scene for _, scene, _ in rows], current__isnull=False
        ).values_list("capture__scene", "current__candidates")
        for scene, candidates in found:
            if candidates:
                best.setdefault(scene, []).append(candidates[0])
        changed = []
        for pk, scene, site in rows:
            top = max(best.get(scene, ()), key=lambda one: one["confidence"], default=None)
            if top and top["confidence"] >= SURE_FROM and (site, code_key(top["sku_code"])) in known:
                changed.append(task(pk=pk, proposed=code_key(top["sku_code"])))
        task.objects.bulk_update(changed, ["proposed"], batch_size=SLICE)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_catalog_at_size"),
        ("labeling", "0008_lookalikes_and_flags"),
        ("suggestions", "0001_initial"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
