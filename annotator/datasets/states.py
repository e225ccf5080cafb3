"""What training may be told of how often to look at a SKU."""

from __future__ import annotations

from django.db import models


class Weighting(models.TextChoices):
    """``even``: as often as it was photographed; ``sales``: as often as it is sold; ``need``: the
    more, the more often the machine took it for another."""

    EVEN = "even"
    SALES = "sales"
    NEED = "need"
