"""Looking through a project's decisions for those that are contradicted (ADR 34): a job that keeps the most
doubtful ones as rows, and the list of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from annotator.accounts.models import Project, User
from annotator.captures.models import Capture, Scene
from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key
from annotator.core import jobs
from annotator.core.models import Job
from annotator.labeling.schemas import Schemas
from annotator.labeling.states import TaskState
from annotator.review import spotting
from annotator.review.models import Decision
from annotator.suggestions.models import PictureDescription, Suggestion
from inference.captions import compare, values_from_json

from . import doubts
from .models import Doubt

KIND = "find_doubts"
LATEST = 20_000
"""So many of the latest decisions are looked through, and have a vote."""
SLICE = 500
KEPT = 500
OFFERED = 20
"""So many of the most doubtful become spot checks at once."""
FROM = 0.5
"""What is less doubtful is no doubt: as much speaks for the decision as against it."""
_BARCODE, _SPEC = 0.9, 0.5
"""How much of what is missing to certainty a contradicting barcode, or another spec, takes away."""


def start(*, project: Project, actor: User) -> Job:
    """Look through the project's decisions in the background."""
    return jobs.start(
        kind=KIND, site_id=project.site_id, project_id=project.pk, params={}, actor=actor
    )


def open_doubts(project: Project) -> QuerySet[Doubt]:
    """The doubts that nobody has looked at, of decisions that stand."""
    return Doubt.objects.filter(
        project=project,
        decision__superseded_at=None,
        decision__task__state=TaskState.DECIDED,
        decision__spot_check__checked_at=None,
    ).select_related("decision__task__project")


def find_doubts(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: the most doubtful decisions replace those that were kept before."""
    assert job.project_id is not None
    project = Project.objects.get(pk=job.project_id)
    rows = Decision.objects.filter(
        task__project=project,
        task__state=TaskState.DECIDED,
        superseded_at=None,
        spot_check__checked_at=None,
    ).exclude(sku_code="")
    decisions = list(rows.select_related("task").order_by("-pk")[:LATEST])
    progress.total(len(decisions))
    looks = _Looks(decisions)
    found: list[Doubt] = []
    for first in range(0, len(decisions), SLICE):
        some = decisions[first : first + SLICE]
        found += _doubts(project, some, looks)
        progress.advance(len(some))
    kept = sorted(found, key=lambda doubt: -doubt.score)[:KEPT]
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        Doubt.objects.filter(project=project).delete()
        Doubt.objects.bulk_create(kept, ignore_conflicts=True)
        spotting.ask_about(project, [doubt.decision for doubt in kept[:OFFERED]])
    return {"looked_at": len(decisions), "doubts": len(kept)}


class _Looks:
    """How decided scenes look, and which SKU was decided for them: a vector for each view."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        code_of = {row.task.scene_id: code_key(row.sku_code) for row in decisions}
        scenes = Scene.objects.filter(pk__in=code_of)
        group_of = {pk: group or pk for pk, group in scenes.values_list("pk", "group")}
        views = Capture.objects.filter(scene__in=code_of, image__description__isnull=False)
        rows = views.order_by("pk").values_list("scene", "image__description__embedding")
        self.codes = sorted(set(code_of.values()))
        number = {code: n for n, code in enumerate(self.codes)}
        self.places: dict[int, list[int]] = defaultdict(list)
        vectors: list[NDArray[np.float32]] = []
        labels: list[int] = []
        groups: list[int] = []
        for scene, embedding in rows.iterator(chunk_size=2000):
            self.places[scene].append(len(vectors))
            vectors.append(_of_length_one(bytes(embedding)))
            labels.append(number[code_of[scene]])
            groups.append(group_of[scene])
        self.vectors = np.array(vectors, np.float32)
        self.labels, self.groups = np.array(labels, np.int64), np.array(groups, np.int64)

    def shares(self, scene: int) -> dict[str, float]:
        """The probability of each code by what looks like a scene, itself and its near-duplicates
        aside; the mean over its views."""
        places = self.places.get(scene, [])
        if not places:
            return {}
        total: dict[str, float] = defaultdict(float)
        asked = np.array(places, np.int64)
        for votes in doubts.votes(self.vectors, self.labels, self.groups, asked):
            for label, share in votes.items():
                total[self.codes[label]] += share / len(places)
        return dict(total)


def _of_length_one(packed: bytes) -> NDArray[np.float32]:
    vector = np.frombuffer(packed, "<f2").astype(np.float32)
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _doubts(project: Project, decisions: Sequence[Decision], looks: _Looks) -> Iterable[Doubt]:
    schemas = Schemas(project)
    scenes = [row.task.scene_id for row in decisions]
    said = _said_before(decisions)
    read = _barcodes(project, scenes)
    skus = {
        sku.code_key: sku
        for sku in Sku.objects.filter(
            site=project.site_id, code_key__in={code_key(row.sku_code) for row in decisions}
        )
    }
    for row in decisions:
        scene, given = row.task.scene_id, code_key(row.sku_code)
        why: list[dict[str, Any]] = []
        margins: list[float] = []
        for source, shares in (
            ("model", said.get(scene, {})),
            ("neighbours", looks.shares(scene)),
        ):
            if not shares:
                continue
            found, other = doubts.against(shares, given)
            margins.append(found)
            if other is not None and found > FROM:
                why.append({"code": source, "sku": other, "share": round(shares[other], 3)})
        contradictions: list[float] = []
        for other in sorted(read.get(scene, set()) - {given}):
            if given not in read[scene]:
                contradictions.append(_BARCODE)
                why.insert(0, {"code": "barcode", "sku": other, "share": 1.0})
        spec = _other_spec(schemas, row, skus.get(given))
        if spec:
            contradictions.append(_SPEC)
            why.append({"code": "spec", "sku": given, "spec": spec})
        score = doubts.combined(margins, contradictions)
        if why and score > FROM:
            proposed = next((one["sku"] for one in why if one["code"] != "spec"), "")
            yield Doubt(
                project=project, decision=row, score=round(score, 4), proposed=proposed, why=why
            )


def _said_before(decisions: Sequence[Decision]) -> dict[int, dict[str, float]]:
    """The probabilities of the machine's last proposal of each scene before it was decided: what it
    learned from the decision itself has no say."""
    decided_at = {row.task.scene_id: row.created_at for row in decisions}
    found: dict[int, dict[str, float]] = {}
    rows = Suggestion.objects.filter(capture__scene__in=decided_at).order_by("pk")
    for scene, at, candidates in rows.values_list("capture__scene", "created_at", "candidates"):
        if at < decided_at[scene]:
            found[scene] = {code_key(c["sku_code"]): c["confidence"] for c in candidates}
    return found


def _barcodes(project: Project, scenes: Sequence[int]) -> dict[int, set[str]]:
    """The SKUs of the catalog whose barcodes were read in each scene."""
    rows = PictureDescription.objects.filter(
        image__capture__scene__in=scenes, image__capture__site=project.site_id
    ).exclude(barcodes=[])
    read = [
        (scene, str(code["text"]))
        for scene, codes in rows.values_list("image__capture__scene", "barcodes")
        for code in codes
    ]
    known = Sku.objects.filter(site=project.site_id, barcode__in={text for _, text in read})
    of = {barcode: key for barcode, key in known.values_list("barcode", "code_key") if barcode}
    found: dict[int, set[str]] = defaultdict(set)
    for scene, text in read:
        if text in of:
            found[scene].add(of[text])
    return found


def _other_spec(schemas: Schemas, row: Decision, sku: Sku | None) -> str:
    """The catalog's spec of the decided SKU, where the caption says another."""
    if sku is None or not sku.spec:
        return ""
    values = values_from_json(schemas.carry(row.fields, row.schema_version).fields)
    for f in schemas.now.of_kind("spec"):
        value = values.get(f.key)
        if isinstance(value, str) and value and compare(f, value, sku.spec) < 1:
            return sku.spec
    return ""
