"""A site with one of everything, for pages that are looked at: rendered scenes, answers that agree and
that do not, decisions, feedback, jobs, a refused file, a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.accounts.states import Role
from annotator.captures.models import Capture, Quarantine
from annotator.core.models import Job, OutboxEvent
from annotator.datasets.services import import_dataset
from annotator.labeling import services as labeling
from annotator.labeling.models import Annotation, Assignment, Batch, Task
from annotator.labeling.states import Action
from annotator.pipeline.colleagues import Truth, read_truth
from annotator.quality import services as quality
from annotator.quality.models import Doubt
from annotator.review import services as review
from annotator.review.models import Decision, Dispute, SpotCheck
from annotator.suggestions.models import CaptureSuggestion, Suggestion

from .taught import teach

SCENES = 16


@dataclass(frozen=True, slots=True)
class World:
    """Where the things are that pages show."""

    project: Project
    dispute: Task
    decided: Task
    trivial: Task
    anna: int
    run: int
    answer: int


def fill(project: Project, folder: Path) -> World:
    """Import the rendered scenes of ``folder``, propose the truth for most of them, and let people
    work. Nothing is left to the recognizer, which would take minutes."""
    import_dataset(root=folder, project=project, as_decided=False)
    truth = read_truth(folder)
    for capture in Capture.objects.filter(site=project.site, image_id_text__in=truth):
        _propose(capture, truth[capture.image_id_text])
    made = _work(project, truth)
    OutboxEvent.objects.all().delete()
    return made


def _propose(capture: Capture, known: Truth) -> None:
    sure = 0.93 if capture.pk % 3 else 0.58
    suggestion = Suggestion.objects.create(
        capture=capture,
        model_version="rendered",
        site_number=1,
        fields={
            key: {"value": known.values[key], "confidence": sure}
            for key in ("sku", "category", "spec")
        },
        candidates=[
            {"sku_code": known.values["sku"], "confidence": sure, "parts": {}, "words": []}
        ],
        neighbours=[],
        flags=[],
        timings_ms={},
    )
    CaptureSuggestion.objects.update_or_create(
        capture=capture, defaults={"state": "done", "current": suggestion}
    )
    with transaction.atomic():
        labeling.prepare_tasks(
            scene=capture.scene_id, confidence=sure, sku_code=str(known.values["sku"])
        )


def _work(project: Project, truth: dict[str, Truth]) -> World:
    """Two people answer the tasks; a reviewer decides some."""
    anna, ben, rita, adam = (
        User.objects.get(username=name) for name in ("anna", "ben", "rita", "adam")
    )
    # by their names: threads brought them in, in any order
    ready = Task.objects.filter(project=project, state="ready").order_by("scene__key")
    tasks = list(ready)[:12]
    # ...: as another SKU of the scenes has it
    differences: list[dict[str, Any]] = [
        {"quantity": "9箱"},
        dict.fromkeys(("sku", "category", "spec"), ...),
        {"quantity": "7箱"},
        {"category": "其他", "spec": "9m×2卷/包"},  # as no SKU has it
        {"category": "其他", "spec": "90片/包"},
        {"condition": "破损，左下角"},
        {"sku": ...},
        {},
        {},
        {"quantity": "5箱"},
    ]
    made = []
    for task, different in zip(tasks, differences, strict=False):
        known = _truth_of(task, truth)
        other = _another(truth, known)
        different = {k: other[k] if v is ... else v for k, v in different.items()}
        _answer(task, anna, known, {}, shift_px=0)
        _answer(task, ben, known, different, shift_px=14 if different else 2)
        task.refresh_from_db()
        made.append(task)
    Dispute.objects.filter(task=made[0]).update(opened_at=timezone.now() - timedelta(hours=30))
    Task.objects.filter(pk=made[1].pk).update(priority=Task.Priority.URGENT)
    _decide(made[2], rita, "左后方被挡住的也要数")
    token = review.claim_dispute(task=made[9], reviewer=rita).token
    review.send_back(
        task=made[9], reviewer=rita, token=token, note="第二层右边还有一箱，请再数一遍"
    )
    token = review.claim_dispute(task=made[6], reviewer=rita).token
    review.reject(task=made[6], reviewer=rita, token=token, reason="unreadable", note="标签全糊了")
    batch = Batch.objects.create(
        project=project, name="八月到货", due_at=timezone.now() + timedelta(days=3)
    )
    Task.objects.filter(pk__in=[t.pk for t in tasks[7:]]).update(batch=batch)
    Quarantine.objects.create(
        site=project.site, name="货架/模糊 03.jpg", code="corrupt_picture", size=48_211,
        sha256="1" * 64, source="upload", params={"detail": "truncated"},
    )  # fmt: skip
    site = {"site_id": project.site_id, "created_by": adam}
    Job.objects.create(
        **site, kind="import_catalog", state="running", total=5000, done=3120,
        started_at=timezone.now(), counts={"created": 2900, "existing": 220},
    )  # fmt: skip
    Job.objects.create(
        **site, kind="export_dataset", state="done", total=40, done=40, ended_at=timezone.now()
    )
    Job.objects.create(
        **site, kind="take_in", state="failed", total=200, done=12, ended_at=timezone.now(),
        error={"code": "s3_failed", "detail": "S3 出错：timeout"},
    )  # fmt: skip
    checked = Decision.objects.get(task=made[7], superseded_at=None)
    SpotCheck.objects.create(
        decision=checked, task=made[7], project=project, stratum="independent", share=0.2
    )
    Doubt.objects.create(
        project=project, decision=checked, score=0.81, proposed="cola-330",
        why=[{"code": "neighbours", "sku": "cola-330", "share": 0.72}],
    )  # fmt: skip
    project.quality = {"single_limit": 0.01}
    project.save()
    quality.rebuild(project)
    run, answer = teach(project, User.objects.get(username="adam"))
    return World(
        project,
        dispute=made[0],
        decided=made[2],
        trivial=made[3],
        anna=anna.pk,
        run=run,
        answer=answer,
    )


def _truth_of(task: Task, truth: dict[str, Truth]) -> dict[str, Any]:
    views = list(task.scene.captures.order_by("id"))
    known = next(truth[view.image_id_text] for view in views if view.image_id_text in truth)
    boxes = [
        {"capture": view.pk, "x": x, "y": y, "w": w, "h": h}
        for view in views
        for x, y, w, h in truth[view.image_id_text].boxes[:3]
    ]
    return {"fields": dict(known.values), "boxes": boxes, "attributes": known.attributes}


def _another(truth: dict[str, Truth], first: dict[str, Any]) -> dict[str, Any]:
    sku = first["fields"]["sku"]
    return next(dict(one.values) for one in truth.values() if one.values["sku"] != sku)


def _answer(
    task: Task, person: User, known: dict[str, Any], changed: dict[str, Any], *, shift_px: float
) -> None:
    assignment = _take(task, person)
    labeling.submit_annotation(
        assignment=assignment,
        annotator=person,
        token=assignment.token,
        fields={**known["fields"], **changed},
        boxes=[{**box, "x": box["x"] + shift_px} for box in known["boxes"]],
        attributes=known["attributes"],
        active_seconds=18,
    )


def _take(task: Task, person: User) -> Any:
    """A lease of this very task, as the queue would give it."""
    with transaction.atomic():
        return _lease(labeling.lock_task(task.pk), person)


def _lease(task: Task, person: User) -> Assignment:

    labeling.take_transition(task, Action.LEASE, actor=Role.ANNOTATOR)
    task.places_left -= 1
    task.had += f"{person.pk},"
    task.save()
    return Assignment.objects.create(
        task=task, annotator=person, token="t", expires_at=timezone.now() + timedelta(hours=1)
    )


def _decide(task: Task, reviewer: User, note: str) -> None:
    answers: Sequence[Annotation] = list(task.annotations.order_by("id"))
    token = review.claim_dispute(task=task, reviewer=reviewer).token
    review.decide(
        task=task, reviewer=reviewer, token=token, fields=answers[0].fields,
        boxes=answers[0].boxes, attributes=answers[0].attributes, note=note,
    )  # fmt: skip
