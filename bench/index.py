"""How fast and how truly known pictures are found, beside usearch.

    python -m bench.index [--sizes 10000 100000 1000000] [--engines flat sq8 hnsw ivf usearch] [--json]

A line an engine and size: seconds of one core to build, milliseconds to add one more, recall@5 against exact
search, p50 and p95 of one search on one core, and megabytes beyond the vectors themselves, which all keep in
two bytes a number (and usearch once more). The tiers are those of ``inference/retrieval/tiers.py``, searched
as a site's memory searches them; ``*`` marks the one chosen for the size. Vectors are drawn like the
product's embeddings of real photos: a common mean, SKUs about it, twenty pictures about each SKU, with the
shares and the fall of variance measured on grocery photos. ``--noise`` draws white noise instead, in which
nothing is near anything.

By default an engine that would build for more than minutes is left out: HNSW and usearch beyond
100,000, exact search beyond that too (it gives the truth, however).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator

import faiss
import numpy as np
from numpy.typing import NDArray

from inference.local import limit_threads
from inference.retrieval.backbone import DIMENSIONS, pack
from inference.retrieval.index import Coded, PictureIndex, code_all, matrix
from inference.retrieval.tiers import TIERS, Tier, tier_for

Float32Array = NDArray[np.float32]
QUERIES = 200
WANTED = 5
PER_SKU = 20
LATENT = 320
MEAN, BETWEEN, WITHIN = 0.728, 0.107, 0.170
"""Shares of the squared length of grocery embeddings: their common mean, SKUs, pictures of a SKU."""
ADDED = 512
CHUNK = 20_000
SLOW_TO_BUILD = 100_000


class Drawing:
    """Unit vectors that lie like embeddings do; the same ones for the same seed."""

    def __init__(self, skus: int, *, noise: bool, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._noise = noise
        basis = np.linalg.qr(self._rng.normal(size=(DIMENSIONS, LATENT + 1)))[0].T
        mixed = np.linalg.qr(self._rng.normal(size=(LATENT, LATENT)))[0]
        self._mean = (basis[0] * np.sqrt(MEAN)).astype(np.float32)
        # participation ratios of 44 and 73; measured within SKUs: 64
        between = _fall(LATENT, 4, 1.2, BETWEEN)[:, None] * (mixed @ basis[1:])
        self._within = (_fall(LATENT, 10, 1.3, WITHIN)[:, None] * basis[1:]).astype(np.float32)
        latent = self._rng.normal(size=(skus, LATENT)).astype(np.float32)
        self._skus = self._mean + latent @ between.astype(np.float32)

    def pictures(self, skus: NDArray[np.intp]) -> Float32Array:
        """A new picture [N, D] of each of these SKUs."""
        if self._noise:
            x = self._rng.normal(size=(len(skus), DIMENSIONS)).astype(np.float32)
        else:
            latent = self._rng.normal(size=(len(skus), LATENT)).astype(np.float32)
            x = self._skus[skus] + latent @ self._within
        unit: Float32Array = x / np.linalg.norm(x, axis=1, keepdims=True)
        return unit


def _fall(count: int, offset: float, power: float, total: float) -> NDArray[np.float64]:
    """Standard deviations whose variances fall as a power law and sum to ``total``."""
    variance = 1 / (np.arange(count) + offset) ** power
    root: NDArray[np.float64] = np.sqrt(variance / variance.sum() * total)
    return root


Search = Callable[[Float32Array], list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.index", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--engines", nargs="+", default=[*(t.name for t in TIERS), "usearch"])
    parser.add_argument("--all", action="store_true", help="the slow ones too, at any size")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    limit_threads(1)
    for size in options.sizes:
        for row in measure(size, options.engines, everything=options.all, noise=options.noise):
            show(row, as_json=options.json)


def show(row: dict[str, object], *, as_json: bool) -> None:
    """Print one line at once: the next may take long."""
    if as_json:
        print(json.dumps(row), flush=True)
        return
    print(
        f"{row['vectors']:>9,} {row['engine']:8} build {row['build_s']:7.1f} s   "
        f"add {row['add_ms']:6.3f} ms   recall@5 {row['recall']:.3f}   "
        f"p50 {row['p50_ms']:6.2f} ms   p95 {row['p95_ms']:6.2f} ms   {row['mb']:7.0f} MB",
        flush=True,
    )


def measure(
    size: int, engines: list[str], *, everything: bool, noise: bool
) -> Iterator[dict[str, object]]:
    """A row for each engine."""
    drawing = Drawing(max(1, size // PER_SKU), noise=noise)
    skus = np.arange(size) // PER_SKU % max(1, size // PER_SKU)
    items: list[tuple[str, bytes]] = []
    for start in range(0, size, CHUNK):
        rows = drawing.pictures(skus[start : start + CHUNK])
        items += [(f"cap:{start + n:08d}", pack(row)) for n, row in enumerate(rows)]
    rng = np.random.default_rng(1)
    queries = drawing.pictures(rng.integers(0, skus.max() + 1, QUERIES))
    more = [
        (f"new:{n}", pack(row))
        for n, row in enumerate(drawing.pictures(rng.integers(0, skus.max() + 1, ADDED)))
    ]
    truth = nearest(items, queries)
    chosen = tier_for(size).name
    for engine in engines:
        slow = engine in ("hnsw", "usearch", "flat")
        if slow and size > SLOW_TO_BUILD and not everything:
            continue
        tier = next((t for t in TIERS if t.name == engine), None)
        if tier is None:
            row = beside_usearch(items, more, queries, truth)
        else:
            row = ours(tier, items, more, queries, truth)
        yield {"vectors": size, "engine": engine + "*" * (engine == chosen), **row}


def nearest(items: list[tuple[str, bytes]], queries: Float32Array) -> list[set[str]]:
    """The true nearest of each query."""
    best = np.full((len(queries), WANTED), -2.0, np.float32)
    who = np.zeros((len(queries), WANTED), np.int64)
    for start in range(0, len(items), CHUNK):
        part = queries @ matrix([packed for _, packed in items[start : start + CHUNK]]).T
        count = min(WANTED, part.shape[1])
        top = np.argpartition(-part, count - 1, axis=1)[:, :count]
        both = np.hstack([best, np.take_along_axis(part, top, axis=1)])
        names = np.hstack([who, top + start])
        order = np.argsort(-both, axis=1, kind="stable")[:, :WANTED]
        best = np.take_along_axis(both, order, axis=1)
        who = np.take_along_axis(names, order, axis=1)
    return [{items[n][0] for n in row} for row in who.tolist()]


def timed(search: Search, queries: Float32Array, truth: list[set[str]]) -> dict[str, float]:
    """Recall and times of a search a query."""
    taken, hits = [], 0
    for query, wanted in zip(queries, truth, strict=True):
        started = time.perf_counter()
        found = search(query)
        taken.append((time.perf_counter() - started) * 1000)
        hits += len(wanted & set(found))
    return {
        "recall": hits / (WANTED * len(truth)),
        "p50_ms": float(np.median(taken)),
        "p95_ms": float(np.quantile(taken, 0.95)),
    }


def ours(
    tier: Tier,
    items: list[tuple[str, bytes]],
    more: list[tuple[str, bytes]],
    queries: Float32Array,
    truth: list[set[str]],
) -> dict[str, float]:
    """The product's index in one tier."""
    index = PictureIndex(DIMENSIONS, gpu=False)
    started = time.process_time()
    coded = code_all(items, tier) if tier.factory else None
    if coded is not None:
        index.adopt(coded)
    for key, packed in items:
        index.put(key, packed)
    build_s = time.process_time() - started

    def search(query: Float32Array) -> list[str]:
        return [key for key, _ in index.search(query, WANTED)]

    row = timed(search, queries, truth)
    started = time.perf_counter()
    for key, packed in more:
        index.put(key, packed)
    while index.absorb(most_fresh=0):
        pass
    add_ms = (time.perf_counter() - started) * 1000 / len(more)
    return {"build_s": build_s, "add_ms": add_ms, **row, "mb": megabytes(index, coded)}


def megabytes(index: PictureIndex, coded: Coded | None) -> float:
    """What the structure takes, keys and digests included."""
    if coded is None:
        return len(index) * DIMENSIONS * 4 / 1e6
    codes = len(faiss.serialize_index(coded.sealed.index))
    return float(codes + len(coded.keys) * 128) / 1e6


def beside_usearch(
    items: list[tuple[str, bytes]],
    more: list[tuple[str, bytes]],
    queries: Float32Array,
    truth: list[set[str]],
) -> dict[str, float]:
    """usearch as it comes: HNSW over half floats, cosine."""
    from usearch.index import Index

    index = Index(ndim=DIMENSIONS, metric="cos", dtype="f16")
    started = time.process_time()
    for start in range(0, len(items), CHUNK):
        rows = matrix([packed for _, packed in items[start : start + CHUNK]])
        index.add(np.arange(start, start + len(rows)), rows, threads=1)
    build_s = time.process_time() - started

    def search(query: Float32Array) -> list[str]:
        return [items[n][0] for n in index.search(query, WANTED, threads=1).keys.tolist()]

    row = timed(search, queries, truth)
    rows = matrix([packed for _, packed in more])
    started = time.perf_counter()
    for n, vector in enumerate(rows):
        index.add(len(items) + n, vector, threads=1)
    add_ms = (time.perf_counter() - started) * 1000 / len(more)
    return {
        "build_s": build_s,
        "add_ms": add_ms,
        **row,
        "mb": float(index.memory_usage) / 1e6,
    }


if __name__ == "__main__":
    main()
