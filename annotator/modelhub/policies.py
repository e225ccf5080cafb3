"""Rules of which model answers, as functions of values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def in_share(key: str, *, salt: str, share: float) -> bool:
    """Whether ``key`` is in the part ``share`` (0…1) of all keys that ``salt`` draws. The same key stays
    where it is, and a larger share holds all of a smaller one."""
    drawn = hashlib.sha256(f"{salt}/{key}".encode()).digest()[:8]
    return int.from_bytes(drawn) < share * 2**64


def ways_back(changes: Iterable[tuple[str, int | None]]) -> list[int | None]:
    """The former champions that rolling back leads to, the nearest last, given what happened since the
    beginning: ``(kind, former champion)``, of promotions and of ways back."""
    before: list[int | None] = []
    for kind, former in changes:
        if kind == "promoted":
            before.append(former)
        elif kind == "rolled_back" and before:
            before.pop()
    return before


def side_by_side(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figures of two reports beside each other, by their places in the report; None where a report
    has none."""
    left, right = dict(_figures(one)), dict(_figures(other))
    return [
        {
            "figure": place,
            "one": left.get(place),
            "other": right.get(place),
            "change": right[place] - left[place] if place in left and place in right else None,
        }
        for place in sorted({*left, *right})
    ]


def _figures(data: Any, place: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _figures(value, f"{place}.{key}".lstrip("."))
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield place, float(data)
