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
_ROUNDS = 60


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
    skus: Sequence[str],
    *,
    trust: Sequence[float] = (),
    mass: Mapping[str, float] | None = None,
    tail_share: float = 0.15,
) -> list[float]:
    """The sampling weight of each training picture, by its SKU. A SKU's pictures share its ``mass``
    (any unit; without one, its number of pictures; the least known where it is unknown), in
    proportion to the ``trust`` in each (above 0; 1 where none is given). Of the sum the long tail
    has at least ``tail_share``. The mean is 1."""
    trusted = list(trust) or [1.0] * len(skus)
    counts: dict[str, float] = defaultdict(float)
    for sku, t in zip(skus, trusted, strict=True):
        counts[sku] += t
    if not counts:
        return []
    least = min((m for m in (mass or {}).values() if m > 0), default=1.0)
    wanted = {
        sku: (mass.get(sku) or least) if mass is not None else float(n) for sku, n in counts.items()
    }
    tail = tail_of(Counter(skus))
    rare = math.fsum(m for sku, m in wanted.items() if sku in tail)
    common = math.fsum(m for sku, m in wanted.items() if sku not in tail)
    lift = 1.0
    if tail and rare < tail_share * (rare + common):
        lift = tail_share / (1 - tail_share) * common / rare
    per_trust = {sku: m * (lift if sku in tail else 1.0) / counts[sku] for sku, m in wanted.items()}
    each = [per_trust[sku] * t for sku, t in zip(skus, trusted, strict=True)]
    scale = len(skus) / math.fsum(each)
    # Rounded in the tail's favour, so that its share holds for what is written.
    rounded = [
        (math.ceil if sku in tail else math.floor)(w * scale * 1e6) / 1e6
        for sku, w in zip(skus, each, strict=True)
    ]
    return [max(w, 1e-6) for w in rounded]


def trust_in(people: Iterable[int], trust: Mapping[int, float]) -> float:
    """How far a decision is to be trusted that rests on the agreement of ``people``, each right with a
    probability of ``trust`` (1 where nothing is known): it is wrong when all of them are. One that
    rests on nobody's answer was made by a reviewer or imported, and is trusted."""
    doubts = [1.0 - trust.get(person, 1.0) for person in people]
    return 1.0 - math.prod(doubts) if doubts else 1.0


def shares_of(
    weights: Sequence[float], people: Sequence[Sequence[int]], trust: Mapping[int, float]
) -> dict[int, float]:
    """The share of each annotator in the weight of all pictures: those on whose agreement a picture
    rests share it in proportion to the trust in them."""
    found: dict[int, float] = defaultdict(float)
    total = math.fsum(weights)
    for weight, some in zip(weights, people, strict=True):
        known = {person: trust.get(person, 1.0) for person in some}
        whole = math.fsum(known.values())
        for person, t in known.items():
            if whole:
                found[person] += weight * t / whole / total
    return dict(found)


def weigh_capped(
    skus: Sequence[str],
    people: Sequence[Sequence[int]],
    *,
    trust: Mapping[int, float],
    cap: float,
    mass: Mapping[str, float] | None = None,
    tail_share: float = 0.15,
) -> list[float]:
    """As :func:`weigh`, by the trust in those on whose agreement each picture rests; and nobody's share
    is above ``cap``, as far as there are others: with two annotators and nothing else, a half."""
    base = [trust_in(some, trust) for some in people]
    sources = len({person for some in people for person in some})
    sources += any(not some for some in people)
    cap = max(cap, 1.0 / max(1, sources)) + 1e-9
    held: dict[int, float] = {}
    weights: list[float] = []
    for _ in range(_ROUNDS):
        factors = [min((held.get(p, 1.0) for p in some), default=1.0) for some in people]
        given = [t * f for t, f in zip(base, factors, strict=True)]
        weights = weigh(skus, trust=given, mass=mass, tail_share=tail_share)
        shares = shares_of(weights, people, trust)
        above = {person: share for person, share in shares.items() if share > cap * 1.001}
        if not above:
            break
        for person, share in above.items():
            # Solves share = cap while the others stay as they are.
            held[person] = held.get(person, 1.0) * cap / share * (1 - share) / (1 - cap or 1)
            held[person] = max(held[person], 1e-4)
    return weights


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
