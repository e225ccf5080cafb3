"""Reading the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Prefetch, Q, QuerySet, Value, When

from annotator.accounts.models import Site

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


def search(skus: QuerySet[Sku], text: str) -> QuerySet[Sku]:
    """SKUs whose code, name, brand, barcode, pack text or pinyin contains ``text``."""
    text = text.strip()
    if not text:
        return skus
    return skus.filter(
        Q(code__icontains=text)
        | Q(name__icontains=text)
        | Q(brand__icontains=text)
        | Q(barcode__startswith=text)
        | Q(pack_text__icontains=text)
        | Q(pinyin__contains=text.lower())
        | Q(initials__startswith=text.lower())
    )


@dataclass(frozen=True, slots=True)
class Completion:
    """A SKU that completes what was typed, and by what it matched."""

    sku: Sku
    match: str


_KINDS = ("code", "barcode", "code_part", "name", "initials", "pinyin", "brand")


def complete(*, site_id: int, text: str, limit: int = 8) -> list[Completion]:
    """The best completions of ``text``: exact code or barcode first, then the start of a code, a
    name, pinyin initials, pinyin, brand; within one kind by sales volume."""
    text = text.strip()
    if not text:
        return []
    key, low = code_key(text), text.lower().replace(" ", "")
    conditions = [
        ("code", Q(code_key__startswith=key) if key else Q(pk=None)),
        ("barcode", Q(barcode__startswith=text)),
        ("code_part", Q(code_key__contains=key) if key else Q(pk=None)),
        ("name", Q(name__icontains=text)),
        ("initials", Q(initials__contains=low)),
        ("pinyin", Q(pinyin__contains=low)),
        ("brand", Q(brand__icontains=text)),
    ]
    any_match = Q()
    for _, condition in conditions:
        any_match |= condition
    rank = Case(
        When(Q(code_key=key) | Q(barcode=text), then=Value(-1)),
        *[When(condition, then=Value(n)) for n, (_, condition) in enumerate(conditions)],
        default=Value(len(conditions)),
        output_field=IntegerField(),
    )
    rows = (
        skus_of([site_id])
        .filter(any_match, active=True)
        .annotate(rank=rank)
        .order_by("rank", "-sales_volume", "code")[:limit]
    )
    return [Completion(sku, _match_name(sku.rank, sku, text)) for sku in rows]


def _match_name(rank: int, sku: Sku, text: str) -> str:
    if rank < 0:
        return "barcode" if sku.barcode == text else "code"
    return _KINDS[rank].removesuffix("_part")


def skus_by_code(*, site_id: int, codes: Iterable[str]) -> dict[str, Sku]:
    """SKUs by the code as asked for; codes that are not in the catalog are absent."""
    wanted = {code: code_key(code) for code in codes if code}
    rows = {
        sku.code_key: sku for sku in skus_of([site_id]).filter(code_key__in=set(wanted.values()))
    }
    return {code: rows[key] for code, key in wanted.items() if key in rows}


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
