"""What goods weigh: told with their photo, by a list, or by a machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from annotator.accounts.models import Site, User
from annotator.core import audit, events
from annotator.core.lists import RowError, read_list, row_error

from . import queries
from .models import Capture

MOST_G = 1e8
"""A hundred tonnes: beyond, somebody took one unit for another."""
COLUMNS = ("image_id", "weight_g")


def grams(value: object) -> float | None:
    """A weight in grams that somebody states as a number or its text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        weight = float(value)
    except (ValueError, OverflowError):
        return None
    return weight if math.isfinite(weight) and 0 < weight <= MOST_G else None


def grams_of(sensor_data: Mapping[str, Any]) -> float | None:
    """The weight among the readings that a machine sends along: ``weight_g``, or ``weight_kg``."""
    if (weight := grams(sensor_data.get("weight_g"))) is not None:
        return weight
    kilograms = grams(sensor_data.get("weight_kg"))
    return grams(kilograms * 1000) if kilograms is not None else None


def weight_of(captures: Iterable[Capture]) -> float | None:
    """What the goods of one scene weigh: all views show the same, the first that was weighed tells."""
    weights = (c.weight_g for c in queries.in_view_order(captures))
    return next((weight for weight in weights if weight is not None), None)


def weigh(weights: Mapping[int, float], *, actor: User | None = None) -> int:
    """Note what captures weigh, in grams by their ids; what is noted already is left alone. Returns how
    many were changed."""
    with transaction.atomic():
        rows = Capture.objects.select_for_update(of=("self",), no_key=True)
        found = rows.filter(pk__in=weights).order_by("pk")
        changed = [row for row in found if row.weight_g != weights[row.pk]]
        for row in changed:
            row.weight_g = weights[row.pk]
        Capture.objects.bulk_update(changed, ["weight_g"], batch_size=500)
        for row in changed:
            audit.record(
                action="capture.weighed",
                on=row,
                actor=actor,
                site_id=row.site_id,
                weight_g=row.weight_g,
            )
        events.publish_many("capture.weighed", [{"capture": row.pk} for row in changed])
    return len(changed)


def weigh_contents(site_id: int, weights: Mapping[str, float], *, actor: User | None) -> int:
    """The same by the pictures' SHA-256, as far as the site has them."""
    found = queries.captures_by_content(site_id, list(weights)) if weights else {}
    return weigh({row.pk: weights[sha] for sha, row in found.items()}, actor=actor) if found else 0


@dataclass(slots=True)
class WeightsReport:
    """What a list of weights did. With errors it did nothing."""

    weighed: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def import_weights(*, site: Site, data: bytes, actor: User) -> WeightsReport:
    """Take a CSV or a JSON list of ``image_id, weight_g``. A photo is named by its image id or SHA-256."""
    table = read_list(data, COLUMNS)
    report = WeightsReport(errors=list(table.errors))
    named = queries.captures_called(site.pk, [row.cells["image_id"] for row in table.rows])
    weights: dict[int, float] = {}
    for row in table.rows:
        name, stated = row.cells["image_id"], row.cells["weight_g"]
        capture, weight = named.get(name), grams(stated)
        if capture is None:
            report.errors.append(row_error(row.line, "image_id", name, "no_such_photo", value=name))
        elif weight is None:
            report.errors.append(
                row_error(row.line, "weight_g", stated, "bad_weight", value=stated)
            )
        elif weights.setdefault(capture.pk, weight) != weight:
            report.errors.append(row_error(row.line, "image_id", name, "named_twice", value=name))
    if not report.errors:
        report.weighed = weigh(weights, actor=actor)
        report.unchanged = len(weights) - report.weighed
    return report
