"""Whether a decided caption says what the catalog, the boxes and the scale say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key
from annotator.review.models import Decision
from inference.captions import Schema, Value, World, findings

_RULES = frozenset({"catalog_differs", "boxes_differ", "weight_differs"})


@dataclass(frozen=True, slots=True)
class Record:
    """What the catalog says of a SKU, empty where it says nothing; ``weight_g`` is of one unit."""

    category: str = ""
    spec: str = ""
    unit: str = ""
    weight_g: float = 0

    def value(self, kind: str) -> str:
        """That of a kind of field."""
        return {"category": self.category, "spec": self.spec}.get(kind, "")


def records(site_id: int, decisions: Iterable[Decision]) -> dict[str, Record]:
    """What the site's catalog says of the decided SKUs, by normalised code; nothing of those that do
    not stand in it."""
    wanted = {code_key(row.sku_code) for row in decisions if row.sku_code}
    rows = Sku.objects.filter(site=site_id, code_key__in=wanted)
    told = rows.values_list("code_key", "category__name", "spec", "unit", "weight_g")
    return {
        key: Record(category or "", spec, unit, weight or 0)
        for key, category, spec, unit, weight in told
    }


def boxes_in_one_view(decision: Decision) -> int:
    """How many boxes there are. On several views they show the same goods more than once: 0, not
    counted."""
    return len(decision.boxes) if len({box["capture"] for box in decision.boxes}) == 1 else 0


def agrees(
    values: Mapping[str, Value], schema: Schema, record: Record, boxes: int, weight_g: float
) -> bool:
    """Whether nothing in a caption differs from the SKU's record, from the number of boxes, or from
    what the goods were weighed at (0: not)."""
    catalog = {f.key: value for f in schema.fields if (value := record.value(f.kind))}
    world = World(
        catalog=catalog,
        boxes=boxes,
        weight_g=weight_g,
        unit_weight_g=record.weight_g,
        unit=record.unit,
    )
    found = findings(values, schema, world)
    return not any(finding.rule in _RULES for finding in found)
