"""What is given to the decoder before a caption: printed words, barcodes and sensors, as tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .vocabulary import BARCODE, PRINTED, SENSOR, Vocabulary

MOST_TOKENS = 112
"""What is left out of more is what comes last."""


@dataclass(frozen=True, slots=True)
class Heard:
    """``printed`` lines, the most telling first, texts of ``barcodes``, and ``sensors``' readings with
    their units, such as ``{"weight": "12.5kg"}``."""

    printed: Sequence[str] = ()
    barcodes: Sequence[str] = ()
    sensors: Mapping[str, str] = field(default_factory=dict)

    def tokens(self, vocabulary: Vocabulary) -> list[int]:
        """The tokens of all this, at most :data:`MOST_TOKENS`, whole lines only."""
        lines = [
            *([BARCODE, *vocabulary.encode(text)] for text in self.barcodes),
            *([SENSOR, *vocabulary.encode(f"{k} {v}")] for k, v in self.sensors.items()),
            *([PRINTED, *vocabulary.encode(line)] for line in self.printed),
        ]
        found: list[int] = []
        for line in lines:
            if len(found) + len(line) <= MOST_TOKENS:
                found += line
        return found
