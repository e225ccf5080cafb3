"""After a model went live: the waiting tasks are put in the order of what they would teach it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotator.labeling import valuing

from . import queries


def order_waiting(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``model.changed``, once the suggestions that come first have followed."""
    for site in {payload["site"] for payload in payloads}:
        valuing.order_waiting(site_id=site, seen=queries.decided_by_sku(site))
