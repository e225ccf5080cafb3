"""What fusion starts from: figures that ``python -m inference.evidence fit`` found, in ``shipped.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from inference.evidence.openset import NoneModel

PATH = Path(__file__).with_name("shipped.json")
FUSION_VERSION = f"fusion-5-{hashlib.sha256(PATH.read_bytes()).hexdigest()[:8]}"
"""Changes with what is shipped: answers are made again by their version."""
BARCODE_WEIGHT = 5.0
"""A check digit stands behind a barcode: it outvotes the look of the pack. Not fitted, for decided photos
with a barcode that is wrong are too few to tell."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """``untaught`` and ``taught`` are weights of a site without and with very many decided pictures;
    at ``half_taught`` decided pictures a SKU it stands half-way. ``none_prior`` is the share of pictures that
    are expected to show nothing of the catalog. ``fitted`` tells on what each was fitted."""

    untaught: Mapping[str, float]
    taught: Mapping[str, float]
    half_taught: float
    none_untaught: NoneModel
    none_taught: NoneModel
    none_prior: float
    fitted: Mapping[str, str]

    def weights(self, decided_per_sku: float) -> dict[str, float]:
        """The weights from which the fit of a site's own starts.

        What heads learned from a picture or two may be the shelf behind it, so they count little at
        first, and print and reference pictures count as if nothing had been decided.
        """
        taught = decided_per_sku / (decided_per_sku + self.half_taught)
        weights = {
            source: taught * weight + (1 - taught) * self.untaught.get(source, 0.0)
            for source, weight in self.taught.items()
        }
        return {"barcode": BARCODE_WEIGHT, **weights}

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises :class:`KeyError` or :class:`TypeError` for what is no such thing."""
        models = {name: NoneModel(**data[name]) for name in ("none_untaught", "none_taught")}
        return cls(**{**data, **models})


SHIPPED = Shipped.from_json(json.loads(PATH.read_text("utf-8")))
