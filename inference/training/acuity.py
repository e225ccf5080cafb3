"""What a model makes of rendered photos of SKUs that it has never seen."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inference.captions import Condition, parse_condition
from inference.contracts import PACKAGE_TYPES
from inference.minigpt.reading import Reader

from .answers import POINTED
from .judge import see
from .places import covered
from .snapshot import CatalogEntry, Record
from .telling import words_heard

UP_TO = 12
_WRITTEN = 300
"""Photos whose caption is also written freely: that takes some time."""
_IN_BOX = 0.1


def acuity(
    reader: Reader, records: Sequence[Record], catalog: Mapping[str, CatalogEntry]
) -> dict[str, Any]:
    """Shares of right answers on rendered ``records`` of unseen SKUs, with the number of photos each
    was asked of (``of``): quantities, of photos in which every unit can be told, all and up to
    :data:`UP_TO`; conditions, exact and within a grade; stack levels, package types; codes that were heard,
    copied; and how often the cell that a field's map is brightest in shows the words that the field is
    read from, beside the share of cells that do (``by_chance``)."""
    asked = [r for r in records if r.truth and r.truth.unseen and r.sku in catalog]
    hits: dict[str, list[float]] = defaultdict(list)
    for number, (record, sight) in enumerate(zip(asked, see(reader, asked), strict=True)):
        assert record.truth is not None
        entry = catalog[record.sku or ""]
        settled = {"sku": entry.code, "category": entry.category, "spec": entry.spec}
        read = reader.read(sight, settled, entry.unit)
        best = {key: options[0].value or "" for key, options in read.options.items()}
        if record.truth.countable and "quantity" in best:
            right = best["quantity"] == record.values["quantity"]
            hits["quantity"].append(right)
            if len(record.truth.units) <= UP_TO:
                hits[f"quantity_to_{UP_TO}"].append(right)
        said, true = (
            parse_condition(v or "") for v in (best.get("condition"), record.values["condition"])
        )
        if isinstance(true, Condition):
            off = abs(said.grade - true.grade) if isinstance(said, Condition) else 9
            hits["condition"].append(off == 0)
            hits["condition_within_1"].append(off <= 1)
        level = int(sight.heads["stack_level"].argmax()) + 1
        hits["stack_level"].append(level == record.attributes["stack_level"])
        kind = PACKAGE_TYPES[int(sight.heads["package_type"].argmax())]
        hits["package_type"].append(kind == record.attributes["package_type"])
        _point(reader, record, read.maps, hits)
        heard, code = words_heard(record, entry, random.Random(record.image_id))
        if code and number < _WRITTEN:
            written = reader.write(sight, heard, entry.unit)
            hits["code_copied"].append(written["sku"][0].value == code)
            hits["category_written"].append(written["category"][0].value == entry.category)
    return {
        name: {"share": round(float(np.mean(found)), 4), "of": len(found)}
        for name, found in sorted(hits.items())
    }


def _point(
    reader: Reader, record: Record, maps: Mapping[str, Any], hits: dict[str, list[float]]
) -> None:
    assert record.truth is not None
    for key, words in POINTED.items():
        box = next((record.truth.words[w] for w in words if w in record.truth.words), None)
        if box is None or key not in maps:
            continue
        side = reader.facts.side_px // 32
        inside = covered([box], *record.size_px(), reader.facts.looks, side) > _IN_BOX
        if inside.any():
            hits[f"{key}_pointed"].append(bool(inside.flat[int(maps[key].argmax())]))
            hits[f"{key}_pointed_by_chance"].append(float(inside.mean()))
