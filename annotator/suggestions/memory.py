"""What the recognizer is taught of a site: a numbered log in the database, published as files.

The log is the truth. Publishing copies it into immutable segment files that replicas pull; a crash
between the two only means that the next publication repeats some numbers, with the same content.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from annotator.catalog.models import Sku
from inference.contracts import Change, Example, Segment, SiteRef, SkuRecord, write_segment

from .models import PictureDescription, SiteChange, SiteMemory

COMPACT_AFTER_SEGMENTS = 64
"""Restate the log as one base when so many segments lie behind the last base."""


def site_key(site_id: int) -> str:
    """How the recognizer calls a site."""
    return f"site-{site_id}"


def site_ref(site_id: int) -> SiteRef:
    """The site's memory as published now."""
    number = (
        SiteMemory.objects.filter(site_id=site_id)
        .values_list("published_number", flat=True)
        .first()
    )
    return SiteRef(site=site_key(site_id), number=number or 0)


def sku_record(sku: Sku) -> SkuRecord:
    """A SKU as the recognizer sees it."""
    return SkuRecord(
        code=sku.code,
        name=sku.name,
        brand=sku.brand,
        category=sku.category.name if sku.category else "",
        spec=sku.spec,
        unit=sku.unit,
        barcode=sku.barcode,
        pack_text=sku.pack_text,
        sales_volume=sku.sales_volume,
    )


def example_of(
    *, key: str, sku_code: str, description: PictureDescription, group: str, caption: str = ""
) -> Example:
    """An example made of a kept description. ``key`` is ``ref:…`` or ``cap:…``; ``caption`` is what was
    decided of the picture."""
    return Example(
        key=key,
        sku_code=sku_code,
        kind="reference" if key.startswith("ref:") else "decided",
        embedding=bytes(description.embedding),
        keypoints=bytes(description.keypoints),
        ocr_text=" ".join(line["text"] for line in description.ocr_lines),
        group=group,
        caption=caption,
    )


def seen_anew(change: SiteChange, description: PictureDescription) -> Example:
    """The example of a ``put_example``, of what is now known to be in its picture."""
    known = Example.from_json(change.payload["example"])
    return example_of(
        key=known.key,
        sku_code=known.sku_code,
        description=description,
        group=known.group,
        caption=known.caption,
    )


def append(*, site_id: int, changes: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
    """Add changes (op, key, payload) to the log and publish them after the commit.

    A change that says again what the log already says is left out.
    """
    with transaction.atomic():
        SiteMemory.objects.get_or_create(site_id=site_id)
        memory = SiteMemory.objects.select_for_update().get(site_id=site_id)
        for op, key, payload in changes:
            last = SiteChange.objects.filter(site_id=site_id, key=key).order_by("-number").first()
            if last is not None and (last.op, last.payload) == (op, payload):
                continue
            if last is None and op.startswith("delete"):
                continue
            memory.last_number += 1
            SiteChange.objects.create(
                site_id=site_id, number=memory.last_number, op=op, key=key, payload=payload
            )
        memory.save(update_fields=["last_number"])
        transaction.on_commit(lambda: publish(site_id))


def put_sku(sku: Sku) -> tuple[str, str, dict[str, Any]]:
    """The change that tells of a SKU, or takes an inactive one away."""
    if not sku.active:
        return "delete_sku", f"sku:{sku.code_key}", {"key": sku.code}
    change = Change(0, "put_sku", sku=sku_record(sku)).to_json()
    return "put_sku", f"sku:{sku.code_key}", {"sku": change["sku"]}


def put_example(example: Example) -> tuple[str, str, dict[str, Any]]:
    """The change that adds or replaces an example."""
    return "put_example", example.key, {"example": example.to_json()}


def delete_example(key: str) -> tuple[str, str, dict[str, Any]]:
    """The change that takes an example away."""
    return "delete_example", key, {"key": key}


def folder(site_id: int) -> Path:
    """Where the site's segments are published."""
    return Path(settings.SITES_DIR) / site_key(site_id)


def publish(site_id: int) -> int:
    """Publish what the log has beyond the last publication; returns the number published now."""
    with transaction.atomic():
        memory = SiteMemory.objects.select_for_update().get(site_id=site_id)
        first, last = memory.published_number + 1, memory.last_number
        if first > last:
            return last
        if first == 1:
            # A new database beside an old folder: what lies there is another log.
            for segment in _segments(site_id):
                (folder(site_id) / segment.name).unlink(missing_ok=True)
        rows = SiteChange.objects.filter(site_id=site_id, number__gte=first).order_by("number")
        write_segment(folder(site_id), "log", map(_change, rows), first=first, last=last)
        memory.published_number = last
        memory.save(update_fields=["published_number"])
    if len(_segments(site_id)) > COMPACT_AFTER_SEGMENTS:
        rebuild(site_id)
    return last


def restate(site_id: int, where: Path, *, first: int, last: int) -> None:
    """Write the log from ``first`` to ``last`` into the folder ``where``, as it was given out. Raises
    ValueError when the database does not have all of it."""
    rows = SiteChange.objects.filter(site_id=site_id, number__gte=first, number__lte=last)
    if rows.count() != last - first + 1:
        raise ValueError(f"changes {first} to {last} of {site_key(site_id)} are not all there")
    write_segment(
        where, "log", map(_change, rows.order_by("number").iterator()), first=first, last=last
    )


def rebuild(site_id: int) -> int:
    """Restate the whole log as one base segment, from the database alone, and drop the files that
    it replaces. Returns its number."""
    old = _segments(site_id)
    with transaction.atomic():
        memory = SiteMemory.objects.select_for_update().get(site_id=site_id)
        latest = (
            SiteChange.objects.filter(site_id=site_id)
            .values("key")
            .annotate(latest=Max("number"))
            .values("latest")
        )
        rows = (
            SiteChange.objects.filter(site_id=site_id, number__in=latest)
            .exclude(op__startswith="delete")
            .order_by("number")
        )
        number = memory.last_number
        base = write_segment(
            folder(site_id), "base", map(_change, rows.iterator()), first=1, last=number
        )
        memory.published_number = number
        memory.save(update_fields=["published_number"])
    for segment in old:
        if segment != base:
            (folder(site_id) / segment.name).unlink(missing_ok=True)
    return number


def _segments(site_id: int) -> list[Segment]:
    where = folder(site_id)
    names = [p.name for p in where.iterdir()] if where.is_dir() else []
    return [segment for name in names if (segment := Segment.parse(name))]


def _change(row: SiteChange) -> Change:
    return Change.from_json({"number": row.number, "op": row.op, **row.payload})
