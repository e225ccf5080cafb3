"""Changing the catalog."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Site, User
from annotator.core import audit, events
from annotator.core.errors import Conflict, EditConflict, FieldError, Invalid
from annotator.media import services as media
from annotator.media.pictures import BadPicture
from inference.captions import FieldError as SpecError
from inference.captions import parse_spec

from .completion import decayed
from .models import ReferencePicture, SiteCatalog, Sku
from .naming import code_key, gtin_is_valid, is_code, pinyin_keys
from .tree import Tree


def next_number(site_id: int) -> int:
    """The number of a change of the site's catalog. It is held until the caller's transaction ends,
    so that numbers are committed in their order."""
    with transaction.atomic():
        SiteCatalog.objects.get_or_create(site_id=site_id)
        head = SiteCatalog.objects.select_for_update().get(site_id=site_id)
        head.number += 1
        head.save(update_fields=["number"])
    return head.number


def apply_changes(sku: Sku, changes: Mapping[str, Any], *, tree: Tree, number: int) -> None:
    """Set values, with what follows from them; the caller saves. ``number`` is the catalog's."""
    for key, value in changes.items():
        if key == "category":
            sku.category_id = tree.at(value)
        else:
            setattr(sku, key, value)
    if sku.active:
        sku.merged_into = None
    if not sku.pinyin or changes.keys() & {"name", "brand"}:
        sku.pinyin, sku.initials = pinyin_keys(f"{sku.name} {sku.brand}")
    sku.changed_at = timezone.now()
    sku.change_number = number
    sku.version += 1


def save_sku(
    *,
    site: Site,
    changes: Mapping[str, Any],
    actor: User,
    sku: Sku | None = None,
    version: int | None = None,
) -> Sku:
    """Create a SKU, or change one that the editor saw at ``version``. Raises Invalid, Conflict
    (the code is taken) or EditConflict."""
    changes = dict(changes)
    _check(changes, new=sku is None)
    with transaction.atomic():
        if sku is None:
            code = changes.pop("code")
            sku = Sku(site=site, code=code, code_key=code_key(code))
            if Sku.objects.filter(site=site, code_key=sku.code_key).exists():
                raise Conflict("conflict", detail=code)
        else:
            changes.pop("code", None)
            sku = Sku.objects.select_for_update().get(pk=sku.pk)
            if version is not None and version != sku.version:
                raise EditConflict()
        apply_changes(sku, changes, tree=Tree(site), number=next_number(site.pk))
        sku.save()
        audit.record(
            action="sku.saved", on=sku, actor=actor, site_id=site.pk, changes=dict(changes)
        )
        events.publish("sku.changed", sku=sku.pk, site=site.pk)
    return sku


def _check(changes: Mapping[str, Any], *, new: bool) -> None:
    errors = []
    if new and not is_code(str(changes.get("code", ""))):
        errors.append(FieldError("code", "bad_code", {"value": str(changes.get("code", ""))[:80]}))
    if (new or "name" in changes) and not str(changes.get("name", "")).strip():
        errors.append(FieldError("name", "required"))
    spec = changes.get("spec")
    if spec and isinstance(parse_spec(spec), SpecError):
        errors.append(FieldError("spec", "bad_spec", {"value": spec}))
    weight = changes.get("weight_g")
    if weight is not None and not (math.isfinite(weight) and weight > 0):
        errors.append(FieldError("weight_g", "bad_weight", {"value": f"{weight:g}"}))
    if changes.get("barcode") and not gtin_is_valid(changes["barcode"]):
        errors.append(FieldError("barcode", "bad_barcode", {"value": changes["barcode"]}))
    if errors:
        raise Invalid(errors)


def add_picture(*, sku: Sku, data: bytes, actor: User | None = None) -> ReferencePicture:
    """Add a reference picture; the same content twice is one. Raises Invalid for a bad file."""
    try:
        picture = media.verify(data)
    except BadPicture as bad:
        raise Invalid([FieldError("file", bad.code, dict(bad.params))]) from bad
    with transaction.atomic():
        image = media.store_image(site=sku.site, data=data, picture=picture)
        reference, created = ReferencePicture.objects.get_or_create(sku=sku, image=image)
        if created:
            audit.record(
                action="picture.added", on=sku, actor=actor, site_id=sku.site_id, image=image.pk
            )
            events.publish("reference.added", reference=reference.pk, site=sku.site_id)
    return reference


def remove_picture(*, reference: ReferencePicture, actor: User) -> None:
    """Take a reference picture away; the recognizer forgets it."""
    with transaction.atomic():
        sku = reference.sku
        audit.record(
            action="picture.removed",
            on=sku,
            actor=actor,
            site_id=sku.site_id,
            image=reference.image_id,
        )
        events.publish("reference.removed", reference=reference.pk, site=sku.site_id)
        reference.delete()


# --- duplicates -------------------------------------------------------------------------------


def merge_skus(*, source: Sku, target: Sku, actor: User) -> Sku:
    """Make ``source`` a name of ``target``: its pictures go there, it is offered no more, and what
    is learned of it is learned of ``target``. Decisions keep the code that people wrote.

    Raises Conflict for SKUs that are the same, of two sites, or merged or inactive already.
    """
    with transaction.atomic():
        number = next_number(source.site_id)
        rows = Sku.objects.select_for_update().in_bulk([source.pk, target.pk])
        source, target = rows[source.pk], rows[target.pk]
        if source.pk == target.pk or source.site_id != target.site_id or not target.active:
            raise Conflict("cannot_merge", source=source.code, target=target.code)
        moved = _move_pictures(source, target)
        # Who was merged into the source before goes along.
        Sku.objects.filter(merged_into=source).update(merged_into=target)
        source.active, source.merged_into = False, target
        target.uses += source.uses
        target.sales_volume += source.sales_volume
        for sku in (source, target):
            sku.change_number = number
            sku.version += 1
            sku.save()
            events.publish("sku.changed", sku=sku.pk, site=sku.site_id)
        audit.record(
            action="sku.merged",
            on=source,
            actor=actor,
            site_id=source.site_id,
            target=target.code,
            pictures=moved,
        )
        events.publish("sku.merged", site=source.site_id, source=source.pk, target=target.pk)
    return target


def _move_pictures(source: Sku, target: Sku) -> int:
    there = set(target.pictures.values_list("image", flat=True))
    moved = 0
    for reference in source.pictures.all():
        events.publish("reference.removed", reference=reference.pk, site=source.site_id)
        if reference.image_id in there:
            reference.delete()
            continue
        reference.sku = target
        reference.save(update_fields=["sku"])
        events.publish("reference.added", reference=reference.pk, site=target.site_id)
        moved += 1
    return moved


def count_uses(*, site_id: int, codes: Sequence[str]) -> None:
    """What was decided lately is likely to be typed next. This is no change of the catalog: nobody
    has to learn of it."""
    now = timezone.now()
    with transaction.atomic():
        skus = Sku.objects.select_for_update().filter(
            site=site_id, code_key__in=[code_key(code) for code in codes]
        )
        for sku in skus.order_by("pk"):
            uses = decayed(sku.uses, sku.used_at, now) + 1.0
            Sku.objects.filter(pk=sku.pk).update(uses=uses, used_at=now)
