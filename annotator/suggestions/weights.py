"""What machines told of the weight of goods before their photo came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotator.captures.models import Capture
from annotator.captures.weighing import grams_of, weigh

from .models import MachineAnswer


def take_over(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``capture.created``: a picture that a machine had asked about weighs what it said then, last."""
    rows = Capture.objects.filter(pk__in=[p["capture"] for p in payloads], weight_g=None)
    captures = dict(rows.values_list("image", "pk"))
    told = MachineAnswer.objects.filter(image__in=captures).exclude(sensor_data={}).order_by("pk")
    weights = {
        captures[image]: weight
        for image, sensors in told.values_list("image", "sensor_data")
        if (weight := grams_of(sensors)) is not None
    }
    if weights:
        weigh(weights)
