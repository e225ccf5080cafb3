"""Reading the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery

from annotator.accounts.models import Site

from . import completion
from .models import Category, ReferencePicture, Sku
from .naming import code_key


def skus_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Sku]:
    """SKUs with what a list of them shows, in a fixed number of queries."""
    return (
        Sku.objects.filter(site__in=sites)
        .select_related("category")
        .prefetch_related(
            Prefetch("pictures", ReferencePicture.objects.select_related("image").order_by("id"))
        )
    )


SEARCH_LIMIT = 1_000


def search(skus: QuerySet[Sku], text: str, *, site_ids: Iterable[int]) -> QuerySet[Sku]:
    """SKUs that ``text`` finds as completion does, the thousand most wanted of each site, and those
    whose exact code it is though they are not active."""
    found = [
        match.pk
        for site_id in site_ids
        for match in completion.find(site_id=site_id, text=text, limit=SEARCH_LIMIT)
    ]
    return skus.filter(Q(pk__in=found) | Q(code_key=code_key(text)))


@dataclass(frozen=True, slots=True)
class Completion:
    """A SKU that completes what was typed, and by what it matched."""

    sku: Sku
    match: str
    picture: int | None
    """The image of its first reference picture."""


def complete(*, site_id: int, text: str, limit: int = 8) -> list[Completion]:
    """The best completions of ``text``: exact code or barcode first, then the start of a code, a
    name, pinyin initials, pinyin, brand; within one kind by sales and recent use."""
    matches = completion.find(site_id=site_id, text=text, limit=limit)
    first = ReferencePicture.objects.filter(sku=OuterRef("pk")).order_by("id").values("image")[:1]
    skus: QuerySet[Any] = Sku.objects.select_related("category").annotate(picture=Subquery(first))
    rows = skus.in_bulk([match.pk for match in matches])
    return [
        Completion(sku, _match_name(match.kind, sku, text), sku.picture)
        for match in matches
        if (sku := rows.get(match.pk))
    ]


def _match_name(kind: str, sku: Sku, text: str) -> str:
    if kind == "exact":
        return "barcode" if sku.barcode == text.strip() else "code"
    return kind.removesuffix("_part")


def skus_by_code(*, site_id: int, codes: Iterable[str]) -> dict[str, Sku]:
    """SKUs by the code as asked for; codes that are not in the catalog are absent. The code of a SKU
    that was merged into another leads there."""
    wanted = {code: code_key(code) for code in codes if code}
    rows = {
        sku.code_key: sku for sku in skus_of([site_id]).filter(code_key__in=set(wanted.values()))
    }
    merged = {sku.merged_into_id for sku in rows.values()} - {None}
    if merged:
        targets = skus_of([site_id]).in_bulk(merged)
        rows = {key: targets.get(sku.merged_into_id, sku) for key, sku in rows.items()}
    return {code: rows[key] for code, key in wanted.items() if key in rows}


def sku_by_code(*, site_id: int, code: str) -> Sku | None:
    """One SKU with its category; the code of one that was merged into another leads there."""
    rows = Sku.objects.filter(site=site_id, code_key=code_key(code))
    sku = rows.select_related("category", "merged_into__category").first()
    return sku.merged_into or sku if sku else None


def category_parents(site_id: int) -> Mapping[str, str]:
    """The parent's name of each category that has one, by name."""
    return dict(
        Category.objects.filter(site_id=site_id, parent__isnull=False).values_list(
            "name", "parent__name"
        )
    )


def categories_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Category]:
    """The category tree with the number of SKUs at each node, in path order."""
    return (
        Category.objects.filter(site__in=sites)
        .annotate(sku_count=Count("skus", filter=Q(skus__active=True)))
        .order_by("path")
    )
