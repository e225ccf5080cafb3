"""What has changed from one snapshot to another, read from their folders."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from . import layout

Kind = Literal["added", "removed", "changed", "moved"]
KINDS: tuple[Kind, ...] = ("added", "removed", "changed", "moved")
"""``changed``: another caption; ``moved``: the same caption in another split."""


@dataclass(frozen=True, slots=True)
class Side:
    """A record as one of the snapshots has it."""

    split: str
    caption: str


@dataclass(frozen=True, slots=True)
class Change:
    """A picture whose record differs; a side is None where there is none."""

    image_id: str
    kind: Kind
    before: Side | None
    after: Side | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs, by image id; how many records are the same; and the numbers of pictures of
    each SKU, before and after, where these differ, the greatest difference first."""

    changes: tuple[Change, ...]
    same: int
    skus: tuple[tuple[str, int, int], ...]

    def counts(self) -> dict[str, int]:
        """How many changes there are of each kind."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in KINDS} | {"same": self.same}


@lru_cache(maxsize=4)
def difference(before: Path, after: Path, hashes: tuple[str, str]) -> Difference:
    """How the snapshots in two folders differ. ``hashes`` are of their manifests: a pair is read
    once."""
    one, other = _records(before), _records(after)
    changes = []
    for image_id in sorted(one.keys() | other.keys()):
        was, now = one.get(image_id), other.get(image_id)
        if was != now:
            changes.append(Change(image_id, _kind(was, now), was, now))
    was_of, now_of = _pictures_by_sku(before), _pictures_by_sku(after)
    skus = [
        (sku, was_of[sku], now_of[sku])
        for sku in was_of.keys() | now_of.keys()
        if was_of[sku] != now_of[sku]
    ]
    skus.sort(key=lambda row: (-abs(row[2] - row[1]), row[0]))
    return Difference(tuple(changes), len(one.keys() | other.keys()) - len(changes), tuple(skus))


def _kind(was: Side | None, now: Side | None) -> Kind:
    if was is None or now is None:
        return "added" if was is None else "removed"
    return "changed" if was.caption != now.caption else "moved"


def _records(root: Path) -> dict[str, Side]:
    found = {}
    for split in layout.SPLITS:
        with (root / layout.annotations_path(split)).open("rb") as file:
            for line in file:
                record = json.loads(line)
                found[record["image_id"]] = Side(split, record["caption"])
    return found


def _pictures_by_sku(root: Path) -> Counter[str]:
    skus: Mapping[str, Mapping[str, int]] = manifest_of(root)["skus"]
    return Counter({sku: sum(by_split.values()) for sku, by_split in skus.items()})


def manifest_of(root: Path) -> dict[str, Any]:
    """What a snapshot says of itself."""
    manifest: dict[str, Any] = json.loads((root / layout.MANIFEST).read_bytes())
    return manifest
