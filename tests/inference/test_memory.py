from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.contracts import Change, Example, SkuRecord, write_segment
from inference.retrieval.backbone import DIMENSIONS, pack
from inference.retrieval.memory import MemoryFault, MemoryLimits, SiteMemory


def vector(seed: int) -> bytes:
    v = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return pack(v / np.linalg.norm(v))


def put_sku(number: int, code: str, **more: str) -> Change:
    return Change(number, "put_sku", sku=SkuRecord(code, code, **more))


def put_example(number: int, key: str, code: str, kind: str = "decided", seed: int = 0) -> Change:
    made = Example(key, code, kind, vector(seed))  # type: ignore[arg-type]
    return Change(number, "put_example", example=made)


LOG = [
    put_sku(1, "A", barcode="4006381333931"),
    put_sku(2, "B"),
    put_example(3, "ref:1", "A", "reference", 1),
    put_example(4, "cap:1", "A", "decided", 2),
    put_example(5, "cap:2", "B", "decided", 3),
    Change(6, "delete_example", key="cap:1"),
    put_sku(7, "C"),
    Change(8, "delete_sku", key="B"),
]


def state(memory: SiteMemory) -> tuple[object, ...]:
    return (
        memory.catalog().codes,
        memory.examples(),
        memory.nearest(np.ones(DIMENSIONS, np.float32) / DIMENSIONS**0.5, 10),
    )


def pulled(folder: Path) -> SiteMemory:
    memory = SiteMemory("s")
    memory.pull(folder)
    return memory


def test_replays_segments_in_order(tmp_path: Path) -> None:
    write_segment(tmp_path, "log", LOG[:3], first=1, last=3)
    memory = pulled(tmp_path)
    assert memory.number == 3
    write_segment(tmp_path, "log", LOG[3:], first=4, last=8)
    assert memory.pull(tmp_path) == 8
    assert memory.catalog().codes == ("A", "C")
    assert [e.key for e in memory.examples()] == ["ref:1"]
    assert memory.catalog().by_barcode == {"04006381333931": ("A",)}
    assert state(memory) == state(pulled(tmp_path))


def test_a_base_restates_and_the_log_goes_on(tmp_path: Path) -> None:
    whole, based = tmp_path / "whole", tmp_path / "based"
    write_segment(whole, "log", LOG, first=1, last=8)
    base = [put_sku(1, "A", barcode="4006381333931"), put_sku(2, "B"), LOG[2], LOG[4]]
    write_segment(based, "base", base, first=1, last=6)
    write_segment(based, "log", LOG[5:], first=6, last=8)  # overlaps the base
    assert pulled(based).number == 8
    assert state(pulled(based)) == state(pulled(whole))


def test_a_newer_base_replaces_what_a_replica_missed(tmp_path: Path) -> None:
    write_segment(tmp_path, "log", LOG[:2], first=1, last=2)
    memory = pulled(tmp_path)
    next(tmp_path.glob("log-*")).unlink()
    write_segment(tmp_path, "base", [put_sku(1, "Z")], first=1, last=50)
    assert memory.pull(tmp_path) == 50
    assert memory.catalog().codes == ("Z",)


def test_a_gap_is_named(tmp_path: Path) -> None:
    write_segment(tmp_path, "log", LOG[:2], first=1, last=2)
    write_segment(tmp_path, "log", LOG[5:], first=6, last=8)
    with pytest.raises(MemoryFault, match="3 to 5"):
        pulled(tmp_path)


def test_damaged_bytes_are_refused(tmp_path: Path) -> None:
    segment = write_segment(tmp_path, "log", LOG, first=1, last=8)
    path = tmp_path / segment.name
    path.write_bytes(path.read_bytes().replace(b'"A"', b'"X"', 1))
    with pytest.raises(MemoryFault, match="does not match"):
        pulled(tmp_path)


def test_files_that_are_no_segments_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".log-1-2-77.partial").write_text("half")
    write_segment(tmp_path, "log", LOG[:2], first=1, last=2)
    assert pulled(tmp_path).number == 2


def test_no_folder_yet(tmp_path: Path) -> None:
    assert pulled(tmp_path / "absent").number == 0


def test_a_change_without_its_content_is_refused() -> None:
    with pytest.raises(MemoryFault, match="put_sku"):
        SiteMemory("s").apply([Change(1, "put_sku")])


def test_an_embedding_of_another_describer_is_left_out() -> None:
    memory = SiteMemory("s")
    old = Example("cap:1", "A", "decided", b"\0\0" * 10)
    memory.apply([put_sku(1, "A"), Change(2, "put_example", example=old)])
    assert memory.examples() == []


def test_examples_of_a_deleted_sku_sleep_until_it_returns() -> None:
    memory = SiteMemory("s")
    memory.apply([put_sku(1, "A"), put_example(2, "cap:1", "A"), Change(3, "delete_sku", key="A")])
    assert memory.examples() == []
    assert memory.nearest(np.ones(DIMENSIONS, np.float32), 5) == []
    memory.apply([put_sku(4, "A")])
    assert [e.key for e in memory.examples()] == ["cap:1"]


def test_an_example_that_moves_to_another_sku_leaves_the_first() -> None:
    memory = SiteMemory("s")
    memory.apply([put_sku(1, "A"), put_sku(2, "B"), put_example(3, "cap:1", "A")])
    memory.apply([put_example(4, "cap:1", "B")])
    assert [(e.key, e.sku_code) for e in memory.examples()] == [("cap:1", "B")]


def test_decided_examples_are_bounded_whatever_the_order() -> None:
    changes = [put_example(i + 2, f"cap:{i}", "A", seed=i) for i in range(30)]
    limits = MemoryLimits(decided_per_sku=5)
    kept = []
    for order in (changes, changes[::-1]):
        memory = SiteMemory("s", limits=limits)
        memory.apply([put_sku(1, "A"), *order])
        kept.append([e.key for e in memory.examples()])
    assert kept[0] == kept[1]
    assert len(kept[0]) == 5


keys = st.sampled_from(["cap:1", "cap:2", "ref:1"])
codes = st.sampled_from(["A", "B"])
changes_ = st.lists(
    st.one_of(
        st.builds(lambda c: put_sku(0, c), codes),
        st.builds(lambda c: Change(0, "delete_sku", key=c), codes),
        st.builds(
            lambda k, c: put_example(0, k, c, "reference" if k[0] == "r" else "decided"),
            keys,
            codes,
        ),
        st.builds(lambda k: Change(0, "delete_example", key=k), keys),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(changes_)
def test_applying_each_change_twice_does_no_harm(changes: list[Change]) -> None:
    once, twice = SiteMemory("s"), SiteMemory("s")
    once.apply(changes)
    twice.apply(c for change in changes for c in (change, change))
    assert state(once) == state(twice)
