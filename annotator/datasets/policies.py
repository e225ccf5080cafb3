"""Which side of a snapshot each picture goes to, and how often training is to see it. Pure.

The order of first decisions only grows, so that what was held out stays held out: a later snapshot
puts an earlier picture where the earlier one put it, unless what ties pictures together has changed.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

BLOCK = 20
"""Units of a SKU among which the shares of the splits are dealt out: shares are twentieths."""


@dataclass(frozen=True, slots=True)
class Item:
    """One decided picture. ``order`` grows with the first decision of its scene, ``group`` is shared
    by near-duplicates, ``split`` is the one that it was imported with, if any."""

    key: int
    scene: int
    group: int
    sku: str
    order: int
    gold: bool = False
    split: str = ""


def units_of(items: Iterable[Item], bonds: Iterable[tuple[int, int]] = ()) -> list[list[Item]]:
    """The items in units that must not be torn apart: what shares a scene or a group, or is tied by
    ``bonds`` (pairs of keys), however many steps away. In the order of their earliest items."""
    above: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        while (parent := above.get(node, node)) != node:
            above[node] = above.get(parent, parent)
            node = parent
        return node

    ordered = sorted(items, key=lambda item: (item.order, item.key))
    ties = [(("item", i.key), (what, at)) for i in ordered for what, at in _ties(i)]
    ties += [(("item", one), ("item", other)) for one, other in bonds]
    for one, other in ties:
        above[root(one)] = root(other)
    units: dict[Hashable, list[Item]] = {}
    for item in ordered:
        units.setdefault(root(("item", item.key)), []).append(item)
    return list(units.values())


def _ties(item: Item) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("scene", item.scene), ("group", item.group)


def split(
    items: Iterable[Item],
    *,
    bonds: Iterable[tuple[int, int]] = (),
    seed: int = 1,
    val: float = 0.1,
    test: float = 0.1,
) -> dict[int, str]:
    """The split of each item by its key. Units stay whole. A unit that holds gold is never trained
    on; one that was imported keeps its split, the held-out one where several meet; of the others,
    each SKU's are dealt out by ``val`` and ``test``, its first to ``train``."""
    seen: Counter[str] = Counter()
    splits: dict[int, str] = {}
    for unit in units_of(items, bonds):
        imported = {item.split for item in unit if item.split}
        if imported:
            where: str = next(s for s in ("test", "val", "train") if s in imported)
        else:
            sku = unit[0].sku
            where = _dealt(sku, seen[sku], seed, val, test)
            seen[sku] += 1
        if where == "train" and any(item.gold for item in unit):
            where = "test"
        splits |= dict.fromkeys((item.key for item in unit), where)
    return splits


def _dealt(sku: str, n: int, seed: int, val: float, test: float) -> str:
    """The split of a SKU's unit number ``n``."""
    block, place = divmod(n, BLOCK)
    held = ["val"] * round(val * BLOCK) + ["test"] * round(test * BLOCK)
    deck = held + ["train"] * (BLOCK - len(held))
    order = sorted(range(BLOCK), key=lambda i: _digest(f"{seed}/{sku}/{block}/{i}"))
    dealt = [deck[i] for i in order]
    if block == 0:
        first = dealt.index("train")
        dealt[0], dealt[first] = dealt[first], dealt[0]
    return dealt[place]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def tail_of(counts: Mapping[str, int]) -> set[str]:
    """The long tail: the rarer half of the SKUs, by their pictures."""
    rarest = sorted(counts, key=lambda sku: (counts[sku], sku))
    return set(rarest[: len(rarest) // 2])


def weigh(
    skus: Sequence[str], *, mass: Mapping[str, float] | None = None, tail_share: float = 0.15
) -> list[float]:
    """The sampling weight of each training picture, by its SKU. A SKU's pictures share its ``mass``
    (any unit; without one, its number of pictures; the least known where it is unknown). Of the sum
    the long tail has at least ``tail_share``. The mean is 1."""
    counts = Counter(skus)
    if not counts:
        return []
    least = min((m for m in (mass or {}).values() if m > 0), default=1.0)
    wanted = {
        sku: (mass.get(sku) or least) if mass is not None else float(n) for sku, n in counts.items()
    }
    tail = tail_of(counts)
    rare = math.fsum(m for sku, m in wanted.items() if sku in tail)
    common = math.fsum(m for sku, m in wanted.items() if sku not in tail)
    lift = 1.0
    if tail and rare < tail_share * (rare + common):
        lift = tail_share / (1 - tail_share) * common / rare
    per_picture = {
        sku: m * (lift if sku in tail else 1.0) / counts[sku] for sku, m in wanted.items()
    }
    scale = len(skus) / math.fsum(per_picture[sku] for sku in skus)
    # Rounded in the tail's favour, so that its share holds for what is written.
    rounded = {
        sku: (math.ceil if sku in tail else math.floor)(w * scale * 1e6) / 1e6
        for sku, w in per_picture.items()
    }
    return [max(rounded[sku], 1e-6) for sku in skus]


def need_of(outcomes: Iterable[tuple[str, str]]) -> dict[str, float]:
    """How much each SKU needs teaching: the share of its answers, as pairs of what the machine
    proposed and what was decided, at which the machine was wrong, with one right and one wrong
    answer more (Laplace's rule of succession)."""
    asked: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for proposed, decided in outcomes:
        asked[decided] += 1
        wrong[decided] += proposed != decided
    return {sku: (wrong[sku] + 1) / (n + 2) for sku, n in asked.items()}


def groups_of(items: Iterable[Item]) -> list[list[Item]]:
    """Items of the same SKU, which alone can look like each other and mean the same."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.sku].append(item)
    return [found[sku] for sku in sorted(found)]
