"""Making snapshots: what is decided now, frozen below HOME. Same decisions, same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.core import audit, jobs
from annotator.core.errors import Conflict
from annotator.core.models import Job
from annotator.core.validation import checked
from annotator.labeling.schemas import schema_of

from . import layout, policies, queries
from .export import Place, Plan, write_folder
from .leakage import Grey, same_photo
from .models import Snapshot
from .states import Weighting

KIND = "make_snapshot"
SETTINGS = ("seed", "val", "test", "tail_share", "weighting", "annotator_cap")
"""What, with the filters and the decisions, determines a snapshot."""

Tick = Callable[[int], None]


def start_snapshot(
    *, project: Project, filters: Mapping[str, Any], actor: User | None, **chosen: Any
) -> Snapshot:
    """Start making a snapshot of the decided tasks that ``filters`` select; ``chosen`` are its
    :data:`SETTINGS` and its licence."""
    with transaction.atomic():
        snapshot = new_snapshot(project=project, filters=filters, actor=actor, **chosen)
        snapshot.job = jobs.start(
            kind=KIND,
            site_id=project.site_id,
            project_id=project.pk,
            params={"snapshot": snapshot.pk},
            actor=actor,
        )
        snapshot.save(update_fields=["job"])
    return snapshot


def new_snapshot(
    *, project: Project, filters: Mapping[str, Any], actor: User | None, **chosen: Any
) -> Snapshot:
    """The row of a snapshot that is still to be made."""
    with transaction.atomic():
        snapshot = Snapshot(
            site=project.site,
            project=project,
            filters=dict(filters),
            created_by=actor,
            trust={str(pk): t for pk, t in sorted(queries.trust_of(project).items())},
            **{"licence": settings.LICENCE, **chosen},
        )
        _check(snapshot)
        snapshot.save()
        audit.record(
            action="snapshot.asked",
            on=snapshot,
            actor=actor,
            site_id=project.site_id,
            project=project.pk,
            filters=snapshot.filters,
        )
    return snapshot


def _check(snapshot: Snapshot) -> None:
    """Raises Invalid for settings that cannot be."""
    checked(snapshot, exclude={field.name for field in Snapshot._meta.fields} - set(SETTINGS))


def run_snapshot(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job. It begins anew after a kill; a snapshot that is made is left as it is."""
    snapshot = Snapshot.objects.select_related("project__site").get(pk=job.params["snapshot"])
    if not snapshot.sha256:
        make(snapshot, total=progress.total, tick=progress.advance)
    return {"snapshot": snapshot.pk, "sha256": snapshot.sha256}


def folder_of(snapshot: Snapshot) -> Path:
    """Where a snapshot that was made lies."""
    return Path(settings.HOME) / snapshot.path


def make(
    snapshot: Snapshot,
    *,
    total: Callable[[int], None] = lambda n: None,
    tick: Tick = lambda n: None,
) -> None:
    """Freeze what is decided. Raises Conflict when nothing is."""
    path = f"snapshots/{snapshot.site_id}/{snapshot.pk}"
    final = Path(settings.HOME) / path
    unfinished = final.with_name(f"{final.name}.partial")
    for leftover in (unfinished, final):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        plan, latest, pictures = planned(snapshot, tick)
        total(2 * pictures)
        write_folder(snapshot.project, unfinished, plan=plan, linked=True, tick=partial(tick, 1))
        manifest = (unfinished / layout.MANIFEST).read_bytes()
        counts = json.loads(manifest)["counts"]
        if counts["records"] != pictures:
            raise RuntimeError(f"{counts['records']} of {pictures} pictures were found again")
        os.replace(unfinished, final)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    with transaction.atomic():
        snapshot.counts, snapshot.path, snapshot.decisions_up_to = counts, path, latest
        snapshot.sha256 = hashlib.sha256(manifest).hexdigest()
        snapshot.made_at = timezone.now()
        snapshot.save()
        audit.record(
            action="snapshot.made",
            on=snapshot,
            actor=snapshot.created_by,
            site_id=snapshot.site_id,
            sha256=snapshot.sha256,
            records=counts["records"],
        )


def planned(snapshot: Snapshot, tick: Tick = lambda n: None) -> tuple[Plan, int, int]:
    """What a snapshot takes and where it puts it, the id of its latest decision, and the number of
    its pictures. ``tick`` is called with the number of pictures looked at."""
    rows = list(queries.chosen(snapshot.project, snapshot.filters))
    if not rows:
        raise Conflict("nothing_decided")
    by_key = {row.item.key: row for row in rows}
    items = [row.item for row in rows]
    bonds, described = _bonds(by_key, tick)
    splits = policies.split(
        items, bonds=bonds, seed=snapshot.seed, val=snapshot.val, test=snapshot.test
    )
    trust = {int(pk): float(t) for pk, t in snapshot.trust.items()}
    people = queries.answered_by(rows)
    kept = {row.item.key for row in rows if policies.trust_in(people.get(row.task, ()), trust) > 0}
    if not kept:
        raise Conflict("nothing_decided")
    train = [item for item in items if splits[item.key] == "train" and item.key in kept]
    need = _need(snapshot, rows)
    skus = [item.sku for item in train]
    mass = _mass(snapshot, skus, need)
    whose = [people.get(by_key[item.key].task, ()) for item in train]
    weights = policies.weigh_capped(
        skus,
        whose,
        trust=trust,
        cap=snapshot.annotator_cap,
        mass=mass,
        tail_share=snapshot.tail_share,
    )
    weight_of = {item.key: weight for item, weight in zip(train, weights, strict=True)}
    places = {
        (key, row.decision): Place(splits[key], _more(row.item, weight_of.get(key)))
        for key, row in by_key.items()
        if key in kept
    }
    by_sku: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item.key in kept:
            by_sku[item.sku][splits[item.key]] += 1
    latest = max(row.decision for row in rows)
    torn = sum(splits[one] != splits[other] for one, other in bonds)
    if torn:
        raise AssertionError(f"{torn} pairs of like photos were torn apart")
    head = {
        "licence": snapshot.licence,
        "filters": snapshot.filters,
        "settings": {name: getattr(snapshot, name) for name in SETTINGS},
        "schema": schema_of(snapshot.project).to_json(),
        "sources": {
            "decisions": len({row.decision for row in rows}),
            "decisions_up_to": latest,
            "schema_version": snapshot.project.schema_version,
            "captions_by_schema_version": _sorted(
                Counter(str(row.schema_version) for row in rows)
            ),
        },
        "near_duplicates": {"pairs": len(bonds), "described": described, "of": len(rows)},
        "tail": {"skus": sorted(policies.tail_of(Counter(skus))), "weight": _tail_weight(skus, weights)},
        **({"need": need} if need is not None else {}),
        "annotators": _annotators(policies.shares_of(weights, whose, trust), trust),
        "distrusted": len(rows) - len(kept),
        "skus": {sku: _sorted(by_sku[sku]) for sku in sorted(by_sku)},
    }  # fmt: skip
    return Plan(places, head), latest, len(places)


def _bonds(rows: Mapping[int, queries.Chosen], tick: Tick) -> tuple[list[tuple[int, int]], int]:
    """The pairs of pictures that show one photo, and how many pictures were described."""
    bonds: list[tuple[int, int]] = []
    described = 0
    hashes = {key: row.phash for key, row in rows.items()}
    for group in policies.groups_of(row.item for row in rows.values()):
        keys = sorted(item.key for item in group)
        looks = queries.looks_of(keys)
        described += len(looks)
        small = cache(queries.grey_of)

        def grey(key: int, small: Callable[[int], Grey | None] = small) -> Grey | None:
            tick(0)  # a thousand pictures of one SKU take minutes
            return small(key)

        bonds += same_photo(keys, hashes, looks, grey)
        tick(len(keys))
    return bonds, described


def _need(snapshot: Snapshot, rows: Sequence[queries.Chosen]) -> dict[str, float] | None:
    if snapshot.weighting != Weighting.NEED:
        return None
    need = policies.need_of(queries.proposals({row.task: row.item.sku for row in rows}))
    return {sku: round(need.get(sku, 0.5), 6) for sku in sorted({row.item.sku for row in rows})}


def _mass(
    snapshot: Snapshot, skus: Sequence[str], need: Mapping[str, float] | None
) -> dict[str, float] | None:
    """What each SKU is to weigh; None for its number of pictures."""
    if need is not None:
        return {sku: n * need[sku] for sku, n in Counter(skus).items()}
    if snapshot.weighting == Weighting.SALES:
        return queries.sales_of(snapshot.project)
    return None


def _annotators(
    shares: Mapping[int, float], trust: Mapping[int, float]
) -> list[dict[str, float | None]]:
    """What each annotator weighs and how far they are trusted, nobody named."""
    rows = [(round(share, 6), trust.get(person)) for person, share in shares.items()]
    rows.sort(key=lambda row: (-row[0], row[1] is None, row[1] or 0.0))
    return [{"share": share, "trust": known} for share, known in rows]


def _more(item: policies.Item, weight: float | None) -> dict[str, Any]:
    said: dict[str, Any] = {} if weight is None else {"weight": weight}
    return said | ({"gold": True} if item.gold else {})


def _tail_weight(skus: Sequence[str], weights: Sequence[float]) -> float:
    tail = policies.tail_of(Counter(skus))
    rare = sum(w for sku, w in zip(skus, weights, strict=True) if sku in tail)
    return round(rare / sum(weights), 6) if weights else 0.0


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
