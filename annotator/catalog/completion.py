"""What people type, completed from the catalog.

Each process keeps a lexicon of the sites that it is asked about. Every change of a site's catalog takes
the next number from the row of :class:`SiteCatalog`, under its lock, so that what is new is known
exactly: rows with a higher number than the lexicon's are read and searched beside it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from .lexicon import Entry, Lexicon, Match
from .models import SiteCatalog, Sku

SITES_KEPT = 16
NEW_AT_MOST = 1_000
"""Changed rows that are searched beside a lexicon before it is made anew."""
OLD_AFTER_S = 900.0
"""After this a lexicon is made anew for the weights, which change without a number."""
USES_HALF_LIFE_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class _Kept:
    lexicon: Lexicon
    token: str
    number: int
    made: float


_kept: OrderedDict[int, _Kept] = OrderedDict()
_making = threading.Lock()


def find(*, site_id: int, text: str, limit: int) -> list[Match]:
    """The best matches of ``text`` among the site's active SKUs."""
    catalog = catalog_of(site_id)
    kept = _kept.get(site_id)
    if kept is None or kept.token != str(catalog.token):
        with _making:
            kept = _make(site_id, catalog)
    changed: dict[int, Entry | None] = {}
    if catalog.number > kept.number:
        rows = Sku.objects.filter(site=site_id, change_number__gt=kept.number)
        changed = {entry.pk: entry if active else None for entry, active in _entries(rows)}
    too_old = time.monotonic() - kept.made > OLD_AFTER_S
    if (len(changed) > NEW_AT_MOST or too_old) and _making.acquire(blocking=False):
        # Others go on with what there is.
        try:
            kept, changed = _make(site_id, catalog), {}
        finally:
            _making.release()
    if not changed:
        return kept.lexicon.find(text, limit=limit)
    new = Lexicon(entry for entry in changed.values() if entry is not None)
    for typos in (False, True):
        old = kept.lexicon.find(text, limit=limit + len(changed), typos=typos)
        found = [match for match in old if match.pk not in changed]
        found += new.find(text, limit=limit, typos=typos)
        if found:
            break
    return sorted(found, key=lambda match: match.place)[:limit]


def catalog_of(site_id: int) -> SiteCatalog:
    """The head of the site's catalog."""
    return SiteCatalog.objects.get_or_create(site_id=site_id)[0]


def _make(site_id: int, catalog: SiteCatalog) -> _Kept:
    # The number was read first: what is committed in between is read twice, never missed.
    rows = Sku.objects.filter(site=site_id, active=True)
    lexicon = Lexicon(entry for entry, _ in _entries(rows))
    kept = _Kept(lexicon, str(catalog.token), catalog.number, time.monotonic())
    _kept[site_id] = kept
    _kept.move_to_end(site_id)
    while len(_kept) > SITES_KEPT:
        _kept.popitem(last=False)
    return kept


def _entries(rows: QuerySet[Sku]) -> Iterable[tuple[Entry, bool]]:
    now = timezone.now()
    columns = ("pk", "code", "code_key", "name", "brand", "barcode", "pinyin", "initials")
    for row in rows.values_list(*columns, "sales_volume", "uses", "used_at", "active").iterator(
        chunk_size=5000
    ):
        *_, sales, uses, used_at, active = row
        wanted = weight(sales, uses, used_at, now)
        yield Entry(**dict(zip(columns, row, strict=False)), weight=wanted), active


def weight(sales: float, uses: float, used_at: datetime | None, now: datetime) -> float:
    """How much a SKU is wanted: its sales and its recent uses, both on a logarithmic scale, a
    doubling of uses counting four times a doubling of sales."""
    return math.log1p(max(sales, 0.0)) + 4.0 * math.log1p(decayed(uses, used_at, now))


def decayed(uses: float, used_at: datetime | None, now: datetime) -> float:
    """Uses counted until ``used_at``, of which half is forgotten every week."""
    if used_at is None:
        return 0.0
    days = max((now - used_at).total_seconds(), 0.0) / 86_400
    return uses * math.pow(0.5, days / USES_HALF_LIFE_DAYS)
