"""Whether a decided caption says what the catalog and the boxes say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key
from annotator.review.models import Decision
from inference.captions import Schema, World, findings, values_from_json

Record = Mapping[str, str]
"""A SKU's values in the catalog by kind of field; empty where it has none."""

_RULES = frozenset({"catalog_differs", "boxes_differ"})


def records(site_id: int, decisions: Iterable[Decision]) -> dict[str, Record]:
    """What the site's catalog says of the decided SKUs, by normalised code; nothing of those that do
    not stand in it."""
    wanted = {code_key(row.sku_code) for row in decisions if row.sku_code}
    rows = Sku.objects.filter(site=site_id, code_key__in=wanted)
    return {
        key: {"category": category or "", "spec": spec}
        for key, category, spec in rows.values_list("code_key", "category__name", "spec")
    }


def agrees(decision: Decision, schema: Schema, record: Record) -> bool:
    """Whether nothing in the caption differs from the SKU's record or from the number of boxes. Boxes
    on several views show the same goods more than once and are not counted."""
    catalog = {f.key: record[f.kind] for f in schema.fields if record.get(f.kind)}
    one_view = len({box["capture"] for box in decision.boxes}) == 1
    world = World(catalog=catalog, boxes=len(decision.boxes) if one_view else 0)
    found = findings(values_from_json(decision.fields), schema, world)
    return not any(finding.rule in _RULES for finding in found)
