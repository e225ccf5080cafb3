"""Search what a site knows: by a picture, by words, by what a text means.

All functions take the :class:`~inference.retrieval.memory.SiteMemory` to search and answer at most
``count`` :class:`~inference.contracts.Hit`, best first, of SKUs that are in the catalog. They raise
nothing on any text, and answer nothing where nothing fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.contracts import Hit
from inference.retrieval.heads import MetricHead
from inference.retrieval.index import matrix
from inference.retrieval.memory import SiteMemory

Float32Array = NDArray[np.float32]

RANK_OFFSET = 60.0
"""k of reciprocal rank fusion, as published (Cormack, Clarke and Büttcher 2009)."""
CONSIDERED = 200
"""Nearest pictures of the backbone, of each kind, among which a learned space chooses."""
DEEPER = 4
"""Each way of searching by text is asked for that many times the answers wanted."""


class TextTower(Protocol):
    """Puts texts and known pictures into one space."""

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors [T, D] of texts."""
        ...

    def nearest(self, vector: Float32Array, count: int) -> list[tuple[str, float]]:
        """The keys of the ``count`` examples nearest to a vector [D], with their cosines."""
        ...


def similar_pictures(
    memory: SiteMemory, embedding: Float32Array, count: int, metric: MetricHead | None = None
) -> list[Hit]:
    """Known pictures that look like one with this backbone embedding [D], by cosine: that of learned
    embeddings where there is a ``metric`` head, which orders the :data:`CONSIDERED` nearest anew."""
    found = memory.nearest(embedding, max(count, CONSIDERED) if metric else count)
    if metric is None or not found:
        return [Hit(n.key, n.sku_code, n.kind, n.similarity, ("picture",)) for n in found[:count]]
    examples = [example for n in found if (example := memory.example(n.key)) is not None]
    known = metric.embed(matrix([example.embedding for example in examples]))
    cosines = known @ metric.embed(embedding[None])[0]
    order = np.argsort(-cosines, kind="stable")[:count].tolist()
    return [
        Hit(e.key, e.sku_code, e.kind, round(float(cosines[n]), 4), ("picture",))
        for n in order
        for e in (examples[n],)
    ]


def by_words(memory: SiteMemory, text: str, count: int) -> list[Hit]:
    """Pictures whose caption, catalog entry, pack text or printed words fit ``text`` (BM25).

    What is written of a picture's SKU counts for the picture too. A SKU that fits and has no picture
    answers for itself.
    """
    return [
        Hit(key, code, kind, score, ("words",))
        for key, code, kind, score in memory.by_words(text, count)
    ]


def by_meaning(memory: SiteMemory, tower: TextTower, text: str, count: int) -> list[Hit]:
    """Known pictures that fit ``text``, though none of its words be written anywhere."""
    if not text.strip():
        return []
    hits = []
    for key, cosine in tower.nearest(tower.texts([text])[0], count):
        example = memory.example(key)
        if example is not None:
            hits.append(Hit(key, example.sku_code, example.kind, round(cosine, 4), ("meaning",)))
    return hits


def by_text(memory: SiteMemory, tower: TextTower | None, text: str, count: int) -> list[Hit]:
    """Both ways of searching by text, merged by their ranks; by words alone without a ``tower``."""
    words = by_words(memory, text, DEEPER * count)
    if tower is None:
        return words[:count]
    return merged([words, by_meaning(memory, tower, text, DEEPER * count)])[:count]


def merged(answers: Iterable[Sequence[Hit]]) -> list[Hit]:
    """One answer from several by reciprocal rank fusion, Σ 1 / (k + rank); ties by key."""
    score: dict[str, float] = {}
    found: dict[str, Hit] = {}
    ways: dict[str, tuple] = {}
    for hits in answers:
        for rank, hit in enumerate(hits, 1):
            score[hit.key] = score.get(hit.key, 0.0) + 1 / (RANK_OFFSET + rank)
            found.setdefault(hit.key, hit)
            ways[hit.key] = (*ways.get(hit.key, ()), *hit.by)
    order = sorted(found, key=lambda key: (-score[key], key))
    return [
        Hit(key, found[key].sku_code, found[key].kind, round(score[key], 6), ways[key])
        for key in order
    ]
