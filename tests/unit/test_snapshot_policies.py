"""Splits and weights of snapshots: pure rules, for whatever was decided."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.datasets.policies import BLOCK, Item, need_of, split, tail_of, units_of, weigh

SKUS = ["A", "B", "C", "D"]


@st.composite
def decided(draw: st.DrawFn) -> list[Item]:
    """Pictures in scenes, scenes in groups, in the order of their decisions."""
    scenes = draw(st.integers(1, 40))
    items = []
    for scene in range(scenes):
        group = draw(st.integers(0, scene))  # often its own, else an earlier one's
        sku = draw(st.sampled_from(SKUS))
        gold = draw(st.integers(0, 9)) == 0
        imported = draw(st.sampled_from(["", "", "", "train", "val"]))
        for _ in range(draw(st.integers(1, 2))):
            items.append(Item(len(items), scene, group, sku, scene, gold, imported))
    return items


@st.composite
def bonds_of(draw: st.DrawFn, items: list[Item]) -> list[tuple[int, int]]:
    keys = st.integers(0, len(items) - 1)
    return draw(st.lists(st.tuples(keys, keys), max_size=5))


@given(st.data(), st.integers(0, 9))
def test_what_belongs_together_stays_together_and_gold_is_not_trained_on(
    data: st.DataObject, seed: int
) -> None:
    items = data.draw(decided())
    bonds = data.draw(bonds_of(items))
    found = split(items, bonds=bonds, seed=seed)
    assert found.keys() == {item.key for item in items}
    together: dict[object, set[str]] = defaultdict(set)
    for item in items:
        together["scene", item.scene].add(found[item.key])
        together["group", item.group].add(found[item.key])
        assert not (item.gold and found[item.key] == "train")
    assert all(len(splits) == 1 for splits in together.values())
    assert all(found[one] == found[other] for one, other in bonds)
    for unit in units_of(items, bonds):
        if any(item.split == "val" for item in unit):
            assert found[unit[0].key] == "val", "what was held out stays held out"


@given(st.data(), st.integers(0, 9))
def test_the_order_of_rows_does_not_matter(data: st.DataObject, seed: int) -> None:
    items = data.draw(decided())
    shuffled = data.draw(st.permutations(items))
    assert split(items, seed=seed) == split(shuffled, seed=seed)


@given(st.data(), st.integers(0, 9))
def test_later_decisions_move_nothing(data: st.DataObject, seed: int) -> None:
    items = data.draw(decided())
    own = [Item(i.key, i.scene, i.scene, i.sku, i.order, i.gold, i.split) for i in items]
    upto = data.draw(st.integers(0, max(i.order for i in own)))
    before = split([i for i in own if i.order <= upto], seed=seed)
    after = split(own, seed=seed)
    assert before == {key: after[key] for key in before}


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from([0.0, 0.1, 0.2]))
def test_each_sku_is_dealt_out_by_its_shares(seed: int, n: int, share: float) -> None:
    items = [Item(k, k, k, "A", k) for k in range(n)]
    found = Counter(split(items, seed=seed, val=share, test=0.1).values())
    assert split(items, seed=seed)[0] == "train", "a SKU's first picture is learned"
    blocks, rest = divmod(n, BLOCK)
    for name, held in (("val", round(share * BLOCK)), ("test", 2)):
        assert blocks * held <= found[name] <= blocks * held + min(rest, held)


def test_another_seed_holds_out_others() -> None:
    items = [Item(k, k, k, SKUS[k % 4], k) for k in range(80)]
    assert split(items, seed=1) != split(items, seed=2)


@given(
    st.lists(st.sampled_from("AAAAAAAAAAAAAAAABBBBBBBBBCCCDEF"), min_size=1, max_size=300),
    st.sampled_from([0.0, 0.15, 0.4]),
    st.one_of(
        st.none(), st.dictionaries(st.sampled_from("ABCDEF"), st.floats(1e-3, 1e6), max_size=6)
    ),
)
def test_the_long_tail_keeps_its_share(
    skus: list[str], share: float, mass: dict[str, float] | None
) -> None:
    weights = weigh(skus, mass=mass, tail_share=share)
    assert all(w > 0 for w in weights)
    assert math.fsum(weights) / len(skus) == pytest.approx(1.0, abs=1e-5)
    tail = tail_of(Counter(skus))
    rare = math.fsum(w for sku, w in zip(skus, weights, strict=True) if sku in tail)
    if tail:
        assert rare / math.fsum(weights) >= share - 1e-9
    by_sku = dict(zip(skus, weights, strict=True))
    assert weights == [by_sku[sku] for sku in skus]


def test_weights_follow_what_is_asked_for() -> None:
    skus = ["A"] * 8 + ["B"] * 8
    assert weigh(skus) == [1.0] * 16
    sold = weigh(skus, mass={"A": 1.0, "B": 3.0}, tail_share=0.1)
    assert sum(sold[8:]) / sum(sold) == pytest.approx(0.75, abs=1e-5)
    assert weigh([]) == []


def test_need_is_how_often_the_machine_was_wrong() -> None:
    told = [("A", "A")] * 8 + [("A", "B"), ("C", "B"), ("B", "B")]
    need = need_of(told)
    assert need == {"A": pytest.approx(1 / 10), "B": pytest.approx(3 / 5)}


def test_units_are_found_however_far() -> None:
    rng = random.Random(3)
    chain = [Item(k, k, 1000 + k, "A", k) for k in range(50)]
    bonds = [(k, k + 1) for k in range(49)]
    rng.shuffle(bonds)
    assert len(units_of(chain, bonds)) == 1
    assert len(units_of(chain)) == 50
