from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.contracts import Change, Example, SkuRecord
from inference.retrieval import memory as memory_module
from inference.retrieval import tiers, versions
from inference.retrieval.backbone import DIMENSIONS, pack, unpack
from inference.retrieval.index import Coded, PictureIndex, code_all, fingerprint_of
from inference.retrieval.memory import SiteMemory
from inference.retrieval.tiers import Tier, tier_for

D = 16
SQ8 = Tier("sq8", 300, "PCAR8,SQ8")
HNSW = Tier("hnsw", 500, "PCAR8,HNSW8_SQ8", ef=64)
IVF = Tier("ivf", float("inf"), "PCAR8,IVF1024,SQ8", probes=8)
SMALL = (Tier("flat", 100), SQ8, HNSW, IVF)


def vectors(count: int, seed: int = 0) -> dict[str, bytes]:
    """Twelve clusters in half of the dimensions, as pictures of a few packs are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(12, D // 2)) * 3
    x = centres[rng.integers(0, 12, count)] + rng.normal(size=(count, D // 2))
    x = np.hstack([x, 0.05 * rng.normal(size=(count, D // 2))]).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return {f"k{seed}-{n}": pack(row) for n, row in enumerate(x)}


def filled(known: dict[str, bytes]) -> PictureIndex:
    index = PictureIndex(D, tiers=SMALL, gpu=False)
    for key, packed in known.items():
        index.put(key, packed)
    return index


def exact(known: dict[str, bytes], query: np.ndarray, count: int) -> list[str]:
    cosine = {key: float(unpack(packed) @ query) for key, packed in known.items()}
    return sorted(cosine, key=lambda key: (-cosine[key], key))[:count]


def recall(index: PictureIndex, known: dict[str, bytes]) -> float:
    """Share of the true five nearest that are found, over ten queries."""
    hits = 0
    for packed in vectors(10, seed=99).values():
        query = unpack(packed)
        found = [key for key, _ in index.search(query, 5)]
        hits += len(set(found) & set(exact(known, query, 5)))
    return hits / 50


def coded_for(index: PictureIndex) -> None:
    tier = index.outgrown()
    assert tier is not None
    index.adopt(code_all(index.items(), tier))


@pytest.mark.parametrize(
    ("count", "name"), [(80, "flat"), (200, "sq8"), (400, "hnsw"), (900, "ivf")]
)
def test_each_tier_finds_and_forgets(count: int, name: str) -> None:
    known = vectors(count)
    index = filled(known)
    if name != "flat":
        coded_for(index)
        assert index.fresh == 0
    assert index.tier == name and index.outgrown() is None
    assert recall(index, known) >= 0.9
    (query, packed) = next(iter(known.items()))
    key, cosine = index.search(unpack(packed), 1)[0]
    assert key == query and cosine == pytest.approx(1, abs=1e-6)  # scored with the vector itself
    for n, gone in enumerate(list(known)):
        if n % 3 == 0:
            index.remove(gone)
            del known[gone]
    moved = next(iter(known))
    known[moved] = vectors(1, seed=5)["k5-0"]
    index.put(moved, known[moved])
    known |= vectors(20, seed=6)
    for key, packed in vectors(20, seed=6).items():
        index.put(key, packed)
    assert len(index) == len(known)
    assert index.fingerprint == fingerprint_of(known.items())
    assert recall(index, known) >= 0.9
    assert index.search(unpack(known[moved]), 1)[0][0] == moved


def test_fresh_ones_are_absorbed_step_by_step() -> None:
    known = vectors(150)
    index = filled(known)
    coded_for(index)
    for key, packed in vectors(60, seed=1).items():
        index.put(key, packed)
        known[key] = packed
    while index.absorb(most_fresh=10, step=16):
        pass
    assert index.fresh <= 10 and index.outgrown() is None
    assert recall(index, known) >= 0.9
    index.remove("k1-0")
    index.put("k1-0", known["k1-0"])  # the same again: what was coded lives again
    assert recall(index, known) >= 0.9


def test_too_many_dead_and_too_few_left() -> None:
    known = vectors(600)
    index = filled(known)
    coded_for(index)
    for key in list(known)[:-40]:
        index.remove(key)
    assert index.outgrown() == SMALL[0]
    index.adopt(None)
    assert (index.tier, index.fresh) == ("flat", 40)
    rest = dict(index.items())
    assert recall(index, rest) == 1


changes = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "code", "absorb"]), st.integers(0, 30), st.integers(0, 3)
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(changes)
def test_any_order_of_changes_leaves_what_was_put(steps: list[tuple[str, int, int]]) -> None:
    pool = [vectors(31, seed=seed) for seed in range(4)]
    index = PictureIndex(
        D, tiers=(Tier("flat", 5), Tier("sq8", float("inf"), "PCAR4,SQ8")), gpu=False
    )
    known: dict[str, bytes] = {}
    for action, n, seed in steps:
        key = f"k{n}"
        if action == "put":
            known[key] = pool[seed][f"k{seed}-{n}"]
            index.put(key, known[key])
        elif action == "remove":
            known.pop(key, None)
            index.remove(key)
        elif action == "code" and len(index) > 16:
            index.adopt(code_all(index.items(), Tier("sq8", 99, "PCAR4,SQ8")))
        elif action == "absorb":
            index.absorb(most_fresh=1, step=3)
    assert dict(index.items()) == known
    assert index.fingerprint == fingerprint_of(known.items())
    query = unpack(pool[0]["k0-0"])
    # fewer than are scored again: nothing can be missed
    assert [key for key, _ in index.search(query, 9)] == exact(known, query, 9)


# --- on disk ---------------------------------------------------------------------------------


def some(count: int = 120, seed: int = 0) -> Coded:
    return code_all(sorted(vectors(count, seed).items()), SQ8)


def test_a_version_comes_back(tmp_path: Path) -> None:
    known = vectors(120)
    versions.save(tmp_path, some())
    index = PictureIndex(D, tiers=SMALL, gpu=False)
    index.adopt(versions.load(tmp_path, D))
    assert len(index) == 0 and index.search(unpack(known["k0-0"]), 3) == []
    for key, packed in (known | vectors(5, seed=1)).items():
        index.put(key, packed)
    assert index.fresh == 5  # the others were coded already
    assert recall(index, known | vectors(5, seed=1)) >= 0.9


def test_versions_are_whole_or_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert versions.load(tmp_path / "absent", D) is None
    first = versions.save(tmp_path, some())
    assert versions.save(tmp_path, some()) == first  # nothing new
    newest = versions.save(tmp_path, some(121))
    (tmp_path / ".partial-1").mkdir()
    codes = bytearray((newest / "codes.faiss").read_bytes())
    codes[len(codes) // 2] ^= 1
    (newest / "codes.faiss").write_bytes(codes)
    with caplog.at_level(logging.WARNING):
        coded = versions.load(tmp_path, D)
    assert coded is not None and len(coded.keys) == 120
    assert "does not match its hash" in caplog.text
    versions.save(tmp_path, some(122))
    assert not first.exists() and newest.exists()  # two are kept
    manifest = first.with_name(newest.name) / "manifest.json"
    assert json.loads(manifest.read_text())["count"] == 121
    assert versions.load(tmp_path, D + 1) is None


# --- in a site's memory ----------------------------------------------------------------------


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    table = (Tier("flat", 100), Tier("sq8", float("inf"), "PCAR64,SQ8"))
    monkeypatch.setattr(
        memory_module, "PictureIndex", lambda d: PictureIndex(d, tiers=table, gpu=False)
    )


def log_of(count: int) -> list[Change]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, DIMENSIONS)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    log = [Change(0, "put_sku", sku=SkuRecord(f"S{n}", "s")) for n in range(4)]
    for n, row in enumerate(x):
        made = Example(f"cap:{n}", f"S{n % 4}", "decided", pack(row))
        log.append(Change(0, "put_example", example=made))
    return log


@pytest.mark.usefixtures("small_memory")
def test_a_memory_codes_keeps_and_finds_again(tmp_path: Path) -> None:
    first = SiteMemory("s", versions=tmp_path / "indexes")
    first.apply(log_of(150))
    asked = unpack(first.examples()[7].embedding)
    before = first.nearest(asked, 5)
    first.tidy()
    assert first.nearest(asked, 5) == before
    assert list((tmp_path / "indexes/decided").glob("v-*"))
    again = SiteMemory("s", versions=tmp_path / "indexes")
    again.pull(tmp_path)
    again.apply(log_of(150))
    assert again._indexes["decided"].fresh == 0
    assert again.nearest(asked, 5) == before


@pytest.mark.usefixtures("small_memory")
def test_an_index_that_lost_something_is_put_right(caplog: pytest.LogCaptureFixture) -> None:
    memory = SiteMemory("s")
    memory.apply(log_of(20))
    index = memory._indexes["decided"]
    index.remove("cap:3")
    index.put("cap:ghost", index.items()[0][1])
    memory.tidy()
    assert "put right" in caplog.text
    assert {key for key, _ in index.items()} == {f"cap:{n}" for n in range(20)}


def test_the_table_of_tiers() -> None:
    assert [tier_for(n).name for n in (0, 20_000, 20_001, 400_000, 10**6)] == [
        "flat", "flat", "sq8", "hnsw", "ivf",
    ]  # fmt: skip
    assert tier_for(100, gpu=True).name == "flat"
    assert tier_for(50_000, gpu=True).name == "ivf"


@pytest.mark.skipif(
    not tiers.has_gpu(), reason="NOT RUN ON A GPU: this FAISS has none (faiss-gpu-cu12)"
)
def test_the_gpu_finds_the_same() -> None:
    known = vectors(900)
    index = PictureIndex(D, tiers=SMALL, gpu=True)
    for key, packed in known.items():
        index.put(key, packed)
    tier = index.outgrown()
    assert tier is not None and tier.name == "ivf"
    index.adopt(code_all(index.items(), IVF, gpu=True))
    index.remove("k0-0")
    del known["k0-0"]
    assert recall(index, known) >= 0.9
