"""The shipped recognizer under faults that strike by chance, for measurements of the server."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from inference.contracts import Description, Failure
from inference.local import LocalRecognizer
from tests.faulty import Chance


class UnluckyRecognizer(LocalRecognizer):
    """The shipped recognizer, struck by chance; a slow call takes two seconds more."""

    def __init__(
        self, sites_dir: str, *, rates: Mapping[str, float] | None = None, **options: Any
    ) -> None:
        super().__init__(sites_dir, **options)
        self._chance = Chance(rates or {})

    def describe(
        self, images: Sequence[bytes], *, urgent: bool = False, model: str = ""
    ) -> list[Description | Failure]:
        """Describe pictures, unless chance is against it."""
        if self._chance.strike() > 1:
            time.sleep(2.0)
        return super().describe(images, urgent=urgent, model=model)
