"""A site that has been taught: versions of its model, runs with their course, answers to machines."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.captures.models import Capture
from annotator.modelhub import services as hub
from annotator.suggestions.answers import keep_evidence
from annotator.suggestions.models import MachineAnswer
from annotator.training import attempts, results, services
from annotator.training.models import TrainingRun
from inference.contracts import Candidate, Description, FieldSuggestion, OcrLine, Recognition
from tests.bundles import bundle
from tests.trainer import PHOTOS, answers

EPOCHS = 8


def teach(project: Project, by: User) -> tuple[int, int]:
    """Three versions of which the second is live and the third is tried; a run that was kept, with everything
    to look at, one that failed, and one at work; two kept answers. Returns the kept run and an answer."""
    site = project.site
    with TemporaryDirectory() as folder:
        made = [
            hub.register(
                site,
                bundle(Path(folder) / name, name),
                report={"val": {"sku": 0.8 + n / 50, "caption": 0.71 + n / 40}},
                run_key=name,
                by=by,
            )
            for n, name in enumerate(("first", "second", "third"))
        ]
    for version in made[:2]:
        hub.promote(version, by=by, reason="")
    hub.start_trial(made[2], 0.1, by=by)
    now = timezone.now()
    run = TrainingRun.objects.create(
        site=site, project=project, state="kept", requested_by=by, champion=made[1], version=made[2],
        started_at=now, ended_at=now, gate=_gate(), timings_s={"freezing": 12, "training": 840.5},
        host="station-1", fence=1,
    )  # fmt: skip
    out = services.folder_of(run) / attempts.MODEL
    out.mkdir(parents=True)
    lines = [_epoch(n) for n in range(1, EPOCHS + 1)]
    (out / results.PROGRESS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (services.folder_of(run) / attempts.LOG).write_text(
        "$ python -m inference.training …\nepoch 1\n"
    )
    answers(out / results.ANSWERS, 29)
    answers(services.folder_of(run) / attempts.CHAMPION_ANSWERS, 25)
    error = {"code": "training_no_memory", "params": {"free_mb": 900, "need_mb": 2048}}
    TrainingRun.objects.create(
        site=site, project=project, state="failed", error=error, ended_at=now, fence=1
    )
    TrainingRun.objects.create(
        site=site, project=project, state="training", stage="epochs", done=3, total=12, fence=1,
        started_at=now, heartbeat_at=now, host="station-1",
    )  # fmt: skip
    captures = Capture.objects.filter(site=site).order_by("pk")[:2]
    kept = [_keep(capture, n, by) for n, capture in enumerate(captures)]
    return run.pk, kept[-1]


def _gate() -> dict[str, Any]:
    def part(name: str, key: str, champion: float, challenger: float) -> dict[str, Any]:
        found = challenger - champion
        return {
            "part": name, "key": key, "photos": PHOTOS, "champion": champion,
            "challenger": challenger, "difference": found, "low": found - 0.04, "high": found + 0.04,
        }  # fmt: skip

    return {
        "passed": False,
        "reasons": [
            {
                "code": "gate_not_better",
                "params": {
                    "challenger": 72.5,
                    "champion": 71.0,
                    "low": -2.5,
                    "high": 5.5,
                    "margin": 0.0,
                },
            }
        ],
        "differences": [
            part("whole", "", 0.71, 0.725),
            part("field", "sku", 0.8, 0.9),
            part("field", "quantity", 0.9, 0.84),
            part("category", "饮料", 0.7, 0.75),
            part("tail", "", 0.5, 0.55),
        ],
    }


def _epoch(n: int) -> dict[str, Any]:
    val = {"caption": 1 - 1 / (n + 1), "sku_top1": 1 - 0.6 / n, "ece": 0.2 / n}
    line = {"stage": results.EPOCHS, "done": n, "of": EPOCHS, "loss": 2.0 / n, "rate": 1e-3}
    return {**line, "memory_mb": 900.0, "val": val}


def _keep(capture: Capture, n: int, by: User) -> int:
    seen = Description(
        capture.image.sha256, 640, 480, "e-1", b"", ocr_lines=(OcrLine("COLA 330ml", 0.9, ()),),
        missing={"barcode": "late"},
    )  # fmt: skip
    said = Recognition(
        "lite0-1+ocr-5+minigpt-0123456789ab+fusion-3",
        41,
        {
            "sku": FieldSuggestion("COLA-330", 0.93, "neighbours"),
            "quantity": FieldSuggestion("6罐", 0.71, "minigpt"),
        },
        candidates=(Candidate("COLA-330", 0.93, {}, ()),),
        flags=() if n else ("low_confidence",),
        left_out=seen.left_out,
        none=0.04,
        learned_number=40,
    )
    with transaction.atomic():
        made = MachineAnswer.objects.create(
            site=capture.site,
            caller=by,
            request_id=f"7f3c0a55e0b94f7d9a53c6f0d8e2b71{n}",
            evidence=keep_evidence(capture.site, [seen])[0],
            image=capture.image if n else None,
            recognition=said.to_json(),
            sensor_data={"weight_kg": 2.1},
            context_metadata={"order": "W-1207"},
        )
    return made.pk
