"""Changing the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from annotator.accounts.models import Site, User
from annotator.core import audit, events
from annotator.core.errors import Conflict, EditConflict, FieldError, Invalid
from annotator.core.messages import text
from annotator.media import services as media
from annotator.media.pictures import BadPicture
from inference.captions import FieldError as SpecError
from inference.captions import parse_spec

from .models import Category, ReferencePicture, Sku
from .naming import code_key, gtin_is_valid, is_code, pinyin_keys
from .table import Row, RowError, Table

PictureReader = Callable[[str], bytes]
"""Gives the bytes behind a ``reference_image`` cell; raises LookupError (not there) or
PermissionError (outside the data root)."""

_PLAIN = ("name", "brand", "spec", "unit", "barcode", "pack_text")


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do."""

    dry_run: bool
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    pictures: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def import_catalog(
    *,
    site: Site,
    table: Table,
    actor: User | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    read_picture: PictureReader | None = None,
) -> ImportReport:
    """Create or update SKUs from ``table``, by code.

    With errors nothing is written, unless ``skip_bad`` leaves the bad rows out. A column that the
    table lacks keeps its values. Reference pictures are added where ``read_picture`` is given.
    """
    report = ImportReport(
        dry_run=dry_run,
        columns={"known": table.known, "extra": table.extra, "missing": table.missing},
        errors=list(table.errors),
    )
    pictures = _verified_pictures(table, read_picture, report) if read_picture else {}
    write = not dry_run and (skip_bad or not report.errors) and not table.missing
    bad_lines = {error.line for error in report.errors}
    rows = [row for row in table.rows if row.line not in bad_lines]
    with transaction.atomic():
        existing = {
            sku.code_key: sku
            for sku in Sku.objects.select_for_update(of=("self",))
            .filter(site=site)
            .select_related("category")
        }
        categories = dict(Category.objects.filter(site=site).values_list("path", "pk"))
        for row in rows:
            sku = existing.get(code_key(row.values["code"]))
            changes = _changes(sku, row)
            _count(report, sku, changes)
            report.pictures += len(pictures.get(row.line, ()))
            if write:
                _write_row(site, sku, row, changes, categories, pictures.get(row.line, []), actor)
        if write:
            audit.record(
                action="catalog.imported",
                on=site,
                actor=actor,
                site_id=site.pk,
                created=report.created,
                updated=report.updated,
                errors=len(report.errors),
            )
    return report


def _count(report: ImportReport, sku: Sku | None, changes: Mapping[str, Any]) -> None:
    if sku is None:
        report.created += 1
    elif changes:
        report.updated += 1
    else:
        report.unchanged += 1


def _verified_pictures(
    table: Table, read_picture: PictureReader, report: ImportReport
) -> dict[int, list[bytes]]:
    """The reference pictures of each line; a cell may name several, parted by semicolons."""
    found: dict[int, list[bytes]] = {}
    for row in table.rows:
        for name in filter(None, map(str.strip, row.values.get("reference_image", "").split(";"))):
            params: dict[str, Any] = {"value": name}
            try:
                data = read_picture(name)
                media.verify(data)
            except LookupError:
                code = "missing_picture"
            except PermissionError:
                code = "outside_root"
            except BadPicture as bad:
                code, params = bad.code, dict(bad.params)
            else:
                found.setdefault(row.line, []).append(data)
                continue
            message = text(code, **params)
            report.errors.append(RowError(row.line, "reference_image", name, code, message))
    return found


def _changes(sku: Sku | None, row: Row) -> dict[str, Any]:
    """The values of ``row`` that differ from ``sku``."""
    wanted: dict[str, Any] = {key: row.values[key] for key in _PLAIN if key in row.values}
    if "sales_volume" in row.values:
        wanted["sales_volume"] = row.sales_volume
    if "category" in row.values:
        wanted["category"] = _clean_path(row.values["category"])
    if row.extra:
        wanted["extra"] = {**(sku.extra if sku else {}), **row.extra}
    if sku is None:
        return wanted
    have = {key: getattr(sku, key) for key in wanted if key != "category"}
    if "category" in wanted:
        have["category"] = sku.category.path if sku.category else ""
    changes = {key: value for key, value in wanted.items() if have[key] != value}
    if not sku.active:
        changes["active"] = True
    return changes


def _write_row(
    site: Site,
    sku: Sku | None,
    row: Row,
    changes: dict[str, Any],
    categories: dict[str, int],
    pictures: list[bytes],
    actor: User | None,
) -> None:
    if sku is None:
        code = row.values["code"]
        sku = Sku(site=site, code=code, code_key=code_key(code))
    elif not changes and not pictures:
        return
    if changes or sku.pk is None:
        _apply(sku, changes, lambda path: _category(site, path, categories))
        sku.save()
        events.publish("sku.changed", sku=sku.pk, site=site.pk)
    for data in pictures:
        add_picture(sku=sku, data=data, actor=actor)


def _apply(sku: Sku, changes: Mapping[str, Any], category: Callable[[str], int | None]) -> None:
    for key, value in changes.items():
        if key == "category":
            sku.category_id = category(value)
        else:
            setattr(sku, key, value)
    sku.pinyin, sku.initials = pinyin_keys(f"{sku.name} {sku.brand}")
    sku.version += 1


def _clean_path(path: str) -> str:
    return "/".join(part.strip() for part in path.replace(">", "/").split("/") if part.strip())


def _category(site: Site, path: str, known: dict[str, int]) -> int | None:
    """The id of the category at ``path``; it and its ancestors are made where they are new."""
    path = _clean_path(path)
    if not path:
        return None
    if path not in known:
        head, _, name = path.rpartition("/")
        parent_id = _category(site, head, known) if head else None
        row, _ = Category.objects.get_or_create(
            site=site, path=path, defaults={"parent_id": parent_id, "name": name}
        )
        known[path] = row.pk
    return known[path]


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
        known = dict(Category.objects.filter(site=site).values_list("path", "pk"))
        _apply(sku, changes, lambda path: _category(site, path, known))
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
        image, _ = media.store_image(site=sku.site, data=data, picture=picture)
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


def error_lines(report: ImportReport) -> Iterator[str]:
    """The errors of a report, a line each."""
    for error in report.errors:
        place = f"line {error.line}" + (f", {error.column}" if error.column else "")
        yield f"{place}: {error.message}"
