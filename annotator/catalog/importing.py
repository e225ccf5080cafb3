"""Importing a catalog file: what it would change, and changing it, in slices."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from annotator.accounts.models import Site, User
from annotator.core import audit, events, jobs
from annotator.core.errors import FieldError, Invalid
from annotator.core.lists import RowError
from annotator.core.messages import text
from annotator.core.models import Job
from annotator.media import services as media
from annotator.media.pictures import BadPicture

from .models import Sku
from .naming import code_key
from .services import add_picture, apply_changes, next_number
from .table import Row, Table, read_table
from .tree import Tree, clean_path

KIND = "import_catalog"
SLICE = 500
JOB_FROM_ROWS = 500
"""Files with more rows are imported in the background."""
CHANGES_LISTED = 500

PictureReader = Callable[[str], bytes]
"""Gives the bytes behind a ``reference_image`` cell; raises LookupError (not there) or
PermissionError (outside the data root)."""

_PLAIN = ("name", "brand", "spec", "unit", "barcode", "pack_text")
_WRITTEN = (
    *_PLAIN, "category", "sales_volume", "weight_g", "extra", "active", "merged_into",
    "pinyin", "initials", "version", "change_number", "changed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowChange:
    """What an import does to one SKU: ``create``, ``update`` or ``deactivate``; ``fields`` are the
    old and new values of an update. ``line`` is None for a SKU that the file does not name."""

    line: int | None
    code: str
    name: str
    action: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do. ``changes`` lists the first of them."""

    dry_run: bool
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0
    pictures: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)
    changes: list[RowChange] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A SKU, new or known, with what is to change and the pictures to add."""

    sku: Sku
    row: Row | None
    changes: dict[str, Any]
    pictures: list[bytes]


def import_catalog(
    *,
    site: Site,
    table: Table,
    actor: User | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    mirror: bool = False,
    read_picture: PictureReader | None = None,
    tick: Callable[[int], None] = lambda done: None,
) -> ImportReport:
    """Create or update SKUs from ``table``, by code; with ``mirror``, deactivate those that it does
    not name. ``tick`` is called with the number of rows done.

    With errors nothing is written, unless ``skip_bad`` leaves the bad rows out. A column that the
    table lacks keeps its values. Reference pictures are added where ``read_picture`` is given. Rows
    are written in slices: what a killed import did not write, a second one does.
    """
    report = ImportReport(
        dry_run=dry_run,
        columns={"known": table.known, "extra": table.extra, "missing": table.missing},
        errors=list(table.errors),
    )
    pictures = _verified_pictures(table, read_picture, report) if read_picture else {}
    plan = list(_plan(site, table, report, pictures))
    if mirror and not table.missing:
        plan += _left_out(site, table, report)
    if dry_run or table.missing or (report.errors and not skip_bad):
        return report
    for start in range(0, len(plan), SLICE):
        _write(site, plan[start : start + SLICE], actor)
        tick(min(SLICE, len(plan) - start))
    audit.record(
        action="catalog.imported",
        on=site,
        actor=actor,
        site_id=site.pk,
        created=report.created,
        updated=report.updated,
        deactivated=report.deactivated,
        errors=len(report.errors),
    )
    return report


def _plan(
    site: Site, table: Table, report: ImportReport, pictures: Mapping[int, list[bytes]]
) -> Iterator[_Planned]:
    """What is to be written, counted in ``report``."""
    existing = {
        sku.code_key: sku for sku in Sku.objects.filter(site=site).select_related("category")
    }
    bad_lines = {error.line for error in report.errors}
    for row in table.rows:
        if row.line in bad_lines:
            continue
        code = row.values["code"]
        sku = existing.get(code_key(code))
        changes = _changes(sku, row)
        added = pictures.get(row.line, [])
        report.pictures += len(added)
        if sku is None:
            report.created += 1
            sku = Sku(site=site, code=code, code_key=code_key(code))
            _list(report, row.line, sku, "create", {"name": row.values["name"]})
        elif changes:
            report.updated += 1
            _list(report, row.line, sku, "update", changes)
        else:
            report.unchanged += 1
            if not added:
                continue
        yield _Planned(sku, row, changes, added)


def _left_out(site: Site, table: Table, report: ImportReport) -> Iterator[_Planned]:
    named = {code_key(row.values["code"]) for row in table.rows} | table.named
    for sku in Sku.objects.filter(site=site, active=True).order_by("code"):
        if sku.code_key not in named:
            report.deactivated += 1
            _list(report, None, sku, "deactivate", {})
            yield _Planned(sku, None, {"active": False}, [])


def _list(
    report: ImportReport, line: int | None, sku: Sku, action: str, changes: Mapping[str, Any]
) -> None:
    if len(report.changes) < CHANGES_LISTED:
        had = {key: _value(sku, key) for key in changes} if action == "update" else {}
        fields = {key: (had[key], changes[key]) for key in had}
        name = sku.name or str(changes.get("name", ""))
        report.changes.append(RowChange(line, sku.code, name, action, fields))


def _value(sku: Sku, key: str) -> Any:
    if key == "category":
        return sku.category.path if sku.category else ""
    return getattr(sku, key)


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
    if "weight_g" in row.values:
        wanted["weight_g"] = row.weight_g
    if "category" in row.values:
        wanted["category"] = clean_path(row.values["category"])
    if row.extra:
        wanted["extra"] = {**(sku.extra if sku else {}), **row.extra}
    if sku is None:
        return wanted
    changes = {key: value for key, value in wanted.items() if _value(sku, key) != value}
    if not sku.active:
        changes["active"] = True
    return changes


def _write(site: Site, planned: Iterable[_Planned], actor: User | None) -> None:
    """One slice, in one transaction. Somebody may have changed the SKUs since they were planned:
    they are read again under the lock, and only what the file says is changed."""
    planned = list(planned)
    with transaction.atomic():
        number = next_number(site.pk)
        keys = [one.sku.code_key for one in planned]
        current = {
            sku.code_key: sku
            for sku in Sku.objects.select_for_update(of=("self",)).filter(
                site=site, code_key__in=keys
            )
        }
        tree = Tree(site)
        new: list[Sku] = []
        known: list[Sku] = []
        for one in planned:
            sku = current.get(one.sku.code_key)
            if one.changes or sku is None:
                (known if sku else new).append(sku or one.sku)
                apply_changes(sku or one.sku, one.changes, tree=tree, number=number)
        Sku.objects.bulk_create(new)
        Sku.objects.bulk_update(known, _WRITTEN, batch_size=100)
        events.publish_many(
            "sku.changed", [{"sku": sku.pk, "site": site.pk} for sku in (*new, *known)]
        )
        current |= {sku.code_key: sku for sku in new}
        for one in planned:
            for data in one.pictures:
                add_picture(sku=current[one.sku.code_key], data=data, actor=actor)


# --- in the background ------------------------------------------------------------------------


def start_import(*, site: Site, data: bytes, skip_bad: bool, mirror: bool, actor: User) -> Job:
    """Keep the file and import it as a job, whose result is the report."""
    name = default_storage.save(f"{site.pk}/incoming/{uuid.uuid4().hex}.table", ContentFile(data))
    return jobs.start(
        kind=KIND,
        site_id=site.pk,
        params={"file": name, "skip_bad": skip_bad, "mirror": mirror},
        actor=actor,
    )


def run_import(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job."""
    with default_storage.open(job.params["file"]) as file:
        table = read_table(file.read())
    progress.total(len(table.rows))
    report = import_catalog(
        site=Site.objects.get(pk=job.site_id),
        table=table,
        actor=job.created_by,
        skip_bad=job.params["skip_bad"],
        mirror=job.params["mirror"],
        tick=progress.advance,
    )
    default_storage.delete(job.params["file"])
    return {**report.to_json(), "changes": []}


def check_mirror(table: Table, *, mirror: bool) -> None:
    """Raise Invalid for a mirror with bad rows: what they mean is not known, so nothing may follow
    from what the file leaves out."""
    if mirror and table.errors:
        raise Invalid([FieldError("mirror", "mirror_needs_good_rows")])


def error_lines(report: ImportReport) -> Iterator[str]:
    """The errors of a report, a line each."""
    for error in report.errors:
        place = f"line {error.line}" + (f", {error.column}" if error.column else "")
        yield f"{place}: {error.message}"
