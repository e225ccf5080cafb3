"""What is given to the decoder before a caption: printed words, barcodes and sensors, as tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .vocabulary import BARCODE, PRINTED, SENSOR, Vocabulary

MOST_TOKENS = 112
"""What is left out of more is what comes last."""
_APART = re.compile(r"[\s:：]+")
"""What stands between a heading and what it is the heading of."""


@dataclass(frozen=True, slots=True)
class Heard:
    """``printed`` lines, the most telling first, texts of ``barcodes``, and ``sensors``' readings with
    their units, such as ``{"weight": "12.5kg"}``."""

    printed: Sequence[str] = ()
    barcodes: Sequence[str] = ()
    sensors: Mapping[str, str] = field(default_factory=dict)

    def words(self) -> list[str]:
        """What could be copied of it: barcodes, printed lines and their parts, each once."""
        parts = [part for line in self.printed for part in (line, *_APART.split(line))]
        return list(dict.fromkeys(part for part in (*self.barcodes, *parts) if part))

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
