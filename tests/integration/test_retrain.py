"""The whole way with the real trainer: decided photos become a version that was judged. Slow."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from annotator.accounts.models import Project
from annotator.labeling.services import check_for_task
from annotator.modelhub.models import ModelVersion
from annotator.review.services import import_decision
from annotator.training import results, services
from annotator.training.models import TrainingRun
from inference import bundles
from inference.minigpt.reading import name_of
from tests import factories
from tests.factories import picture_bytes
from tests.integration.test_snapshots import bring
from tests.models import tiny_model

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PHOTOS = 24


@pytest.mark.parametrize("with_base", [False, True])
def test_decided_photos_become_a_judged_version(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, with_base: bool
) -> None:
    pytest.importorskip("torch", reason="training wants torch: pip install -e '.[train]'")
    if with_base:
        from inference.training.ship import ship

        ship(tiny_model(tmp_path / "trained"), tmp_path / "shipped")
        monkeypatch.setattr(bundles, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("PYTHONPATH", str(settings.BASE_DIR))
    settings.TRAINING_FREE_DISK_MB = settings.TRAINING_FREE_MEMORY_MB = 1
    settings.MODEL = ""
    project: Project = factories.ProjectFactory()
    for code in ("SKU-A", "SKU-B"):
        factories.SkuFactory(site=project.site, code=code)
    tasks = bring(project, {f"{n}.jpg": picture_bytes(300 + n) for n in range(PHOTOS)})
    for n, task in enumerate(tasks):
        fields = {**factories.GOOD_FIELDS, "sku": "SKU-B" if n % 2 else "SKU-A"}
        answer = check_for_task(task, fields=fields, boxes=[], attributes={})
        with transaction.atomic():
            import_decision(task=task.pk, answer=answer)
    out = io.StringIO()
    arguments = ["--epochs", "1", "--views", "1", "--side", "64", "--wait", "--json"]
    call_command("retrain", "--site", project.site.slug, *arguments, stdout=out)
    said = json.loads(out.getvalue())
    assert said["ok"] and said["version"] == "v1" and said["reasons"]
    run = TrainingRun.objects.get()
    version = ModelVersion.objects.get()
    folder = services.folder_of(run) / "model"
    assert version.digest == bundles.digest_of(folder)
    assert version.report == results.report_in(folder)
    assert version.report["base"] == (name_of(bundles.SHIPPED) if with_base else None)
    assert version.report["method"] == "joint"
    answers = results.answers_in(folder / results.ANSWERS)
    assert run.snapshot is not None
    assert {a.group for a in answers} <= {"val", "gold"}
    assert len(answers) == run.gate["differences"][0]["photos"] > 0
    assert len(results.curve(folder / results.PROGRESS)) == 1
