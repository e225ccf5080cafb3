"""When a picture is looked at again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

FIRST_AFTER = timedelta(minutes=2)
LONGER = 6
"""Times as long until each further try: 2 and 12 minutes, 72."""
MOST_TRIES = 4


def next_try(missing: Mapping[str, str], tries: int, now: datetime) -> datetime | None:
    """When a picture is to be described again of which ``missing`` could not be had ``tries`` times; None
    where all is there, or will not come."""
    if not missing or tries >= MOST_TRIES:
        return None
    wait: timedelta = FIRST_AFTER * LONGER ** (tries - 1)
    return now + wait
