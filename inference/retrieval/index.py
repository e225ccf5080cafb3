"""Nearest known pictures by cosine, with FAISS; additions are searchable at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from inference.retrieval.tiers import (
    TIERS,
    TRAINING_VECTORS,
    Sealed,
    Tier,
    has_gpu,
    tier_for,
)

Float32Array = NDArray[np.float32]

OVERFETCH = 50
"""How many more than asked for are scored again with their vectors: codes order nearly right."""
STEP = 256
"""Vectors coded at a time while queries wait."""
MOST_FRESH = 10_000
"""Vectors that may wait uncoded beside coded ones."""
MOST_DEAD = 0.1
"""Share of coded vectors that may be dead before all are coded anew."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many vectors there are, and the sum of their hashes (mod 2¹²⁸): equal for equal content, in
    whatever order it came (AdHash, Bellare and Micciancio 1997; it guards against faults, not foes)."""

    count: int = 0
    total: int = 0

    def plus(self, digest: bytes) -> Fingerprint:
        """With one vector more."""
        return Fingerprint(self.count + 1, (self.total + int.from_bytes(digest)) % (1 << 128))

    def minus(self, digest: bytes) -> Fingerprint:
        """With one vector less."""
        return Fingerprint(self.count - 1, (self.total - int.from_bytes(digest)) % (1 << 128))


def digest_of(key: str, packed: bytes) -> bytes:
    """What stands for a key and its vector in fingerprints, 16 bytes."""
    return hashlib.sha256(key.encode() + b"\0" + packed).digest()[:16]


def fingerprint_of(vectors: Iterable[tuple[str, bytes]]) -> Fingerprint:
    """The fingerprint of keys and packed vectors, as the database has them."""
    found = Fingerprint()
    for key, packed in vectors:
        found = found.plus(digest_of(key, packed))
    return found


@dataclass(slots=True)
class Coded:
    """Coded vectors, and whose they are: by place, their keys and digests."""

    sealed: Sealed
    keys: list[str]
    digests: list[bytes]

    def append(self, items: Sequence[tuple[str, bytes]]) -> None:
        """Code keys and packed vectors."""
        self.sealed.add(matrix([packed for _, packed in items]))
        self.keys += [key for key, _ in items]
        self.digests += [digest_of(key, packed) for key, packed in items]


def matrix(packed: Sequence[bytes]) -> Float32Array:
    """Unit vectors [N, D] of what :func:`inference.retrieval.backbone.pack` made."""
    vectors = np.frombuffer(b"".join(packed), "<f2").astype(np.float32).reshape(len(packed), -1)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Float32Array = np.divide(vectors, norms, out=vectors, where=norms > 0)
    return unit


def code_all(items: Sequence[tuple[str, bytes]], tier: Tier, *, gpu: bool = False) -> Coded:
    """Code keys and packed vectors for ``tier``; the same ones give the same codes."""
    step = max(1, len(items) // TRAINING_VECTORS)
    sealed = Sealed.train(tier, matrix([packed for _, packed in items[::step]]), gpu=gpu)
    coded = Coded(sealed, [], [])
    for start in range(0, len(items), STEP * 16):
        coded.append(items[start : start + STEP * 16])
    return coded


class PictureIndex:
    """Search by inner product over L2-normalised vectors [D], addressed by string keys.

    New vectors are searched exactly. When there are many, most are coded (see
    :mod:`inference.retrieval.tiers`): the owner calls :meth:`outgrown`, :func:`code_all` and
    :meth:`adopt` for that, the second without its lock, and :meth:`absorb` until it answers False. A coded
    vector whose key is removed or replaced is dead: it is passed over.

    ``packed`` vectors are those of :func:`inference.retrieval.backbone.pack`, and are shared, not copied.
    Not thread-safe: the site memory that owns it holds a lock.
    """

    def __init__(
        self, dimensions: int, *, tiers: Sequence[Tier] = TIERS, gpu: bool | None = None
    ) -> None:
        self.dimensions = dimensions
        self.fingerprint = Fingerprint()
        self._tiers = tiers
        self.gpu = has_gpu() if gpu is None else gpu
        self._packed: dict[str, bytes] = {}
        self._digests: dict[str, bytes] = {}
        self._fresh = faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))
        self._id_of: dict[str, int] = {}
        self._key_of: dict[int, str] = {}
        self._next_id = 0
        self._coded: Coded | None = None
        self._place_of: dict[str, int] = {}
        self._alive = np.zeros(0, bool)
        self._dead = 0

    def __len__(self) -> int:
        return len(self._packed)

    @property
    def tier(self) -> str:
        """The tier at work."""
        return self._coded.sealed.tier.name if self._coded else self._tiers[0].name

    @property
    def coded(self) -> Coded | None:
        """What is coded, dead or alive."""
        return self._coded

    @property
    def fresh(self) -> int:
        """How many vectors are not coded."""
        return len(self._id_of)

    def items(self) -> list[tuple[str, bytes]]:
        """All keys and packed vectors, by key."""
        return sorted(self._packed.items())

    # --- changes -----------------------------------------------------------------------------

    def put(self, key: str, packed: bytes) -> None:
        """Add a vector, replacing that of the same key. Raises :class:`ValueError` on its length."""
        if len(packed) != 2 * self.dimensions:
            raise ValueError(
                f"embedding of {key} has {len(packed)} bytes, not {2 * self.dimensions}"
            )
        self.remove(key)
        digest = digest_of(key, packed)
        self._packed[key], self._digests[key] = packed, digest
        self.fingerprint = self.fingerprint.plus(digest)
        place = self._place_of.get(key)
        if place is not None and self._coded and self._coded.digests[place] == digest:
            self._revive(place)
        else:
            self._freshen([key])

    def remove(self, key: str) -> None:
        """Forget a key; one that is not there does no harm."""
        if self._packed.pop(key, None) is None:
            return
        self.fingerprint = self.fingerprint.minus(self._digests.pop(key))
        if key in self._id_of:
            self._take_fresh([key])
        else:
            self._alive[self._place_of[key]] = False
            self._dead += 1

    def clear(self) -> None:
        """Forget all keys. What is coded is kept, for vectors that come again."""
        for key in list(self._packed):
            self.remove(key)

    def _revive(self, place: int) -> None:
        self._alive[place] = True
        self._dead -= 1

    def _freshen(self, keys: Sequence[str]) -> None:
        ids = np.arange(self._next_id, self._next_id + len(keys), dtype=np.int64)
        self._next_id += len(keys)
        self._fresh.add_with_ids(matrix([self._packed[key] for key in keys]), ids)
        for key, number in zip(keys, ids.tolist(), strict=True):
            self._id_of[key] = number
            self._key_of[number] = key

    def _take_fresh(self, keys: Sequence[str]) -> None:
        ids = np.asarray([self._id_of.pop(key) for key in keys], np.int64)
        for number in ids.tolist():
            del self._key_of[number]
        self._fresh.remove_ids(ids)  # type: ignore[arg-type]

    # --- tiers -------------------------------------------------------------------------------

    def outgrown(self) -> Tier | None:
        """The tier to code everything for, where what there is suits it no more."""
        wanted = tier_for(len(self), self._tiers, gpu=self.gpu)
        if not wanted.factory:
            # it fits exact search again: that much smaller, it stays small for a while
            return wanted if self._coded and len(self) < wanted.most / 2 else None
        if self._coded is None or self._dead > MOST_DEAD * len(self._alive) + STEP:
            return wanted
        finer = [tier.name for tier in self._tiers[: self._tiers.index(wanted)]]
        known = [tier.name for tier in self._tiers]
        # a version on disk may be of a tier that is no longer in the table
        return wanted if self.tier in finer or self.tier not in known else None

    def adopt(self, coded: Coded | None) -> None:
        """Search ``coded`` in place of what was coded; None searches everything exactly.

        It may be of an earlier or a later time: only what has the same key and vector here counts.
        """
        keys = coded.keys if coded else []
        digests = coded.digests if coded else []
        place_of = {key: place for place, key in enumerate(keys)}
        here = [key for key, n in place_of.items() if self._digests.get(key) == digests[n]]
        lost = self._packed.keys() - self._id_of.keys() - set(here)
        if lost:
            self._freshen(sorted(lost))
        taken = [key for key in here if key in self._id_of]
        if taken:
            self._take_fresh(taken)
        self._coded, self._place_of = coded, place_of
        self._alive = np.zeros(len(keys), bool)
        self._alive[[place_of[key] for key in here]] = True
        self._dead = len(keys) - len(here)

    def absorb(self, *, most_fresh: int = MOST_FRESH, step: int = STEP) -> bool:
        """Code the oldest ``step`` fresh vectors, when more than ``most_fresh`` wait; whether it did."""
        if self._coded is None or self.fresh <= most_fresh:
            return False
        keys = list(self._id_of)[:step]
        start = len(self._coded.keys)
        self._coded.append([(key, self._packed[key]) for key in keys])
        self._place_of |= {key: start + n for n, key in enumerate(keys)}
        self._alive = np.concatenate([self._alive, np.ones(len(keys), bool)])
        self._take_fresh(keys)
        return True

    # --- queries -----------------------------------------------------------------------------

    def search(self, vector: Float32Array, count: int) -> list[tuple[str, float]]:
        """The ``count`` most similar keys with their cosine, ties by key."""
        count = min(count, len(self))
        if count == 0:
            return []
        query = np.ascontiguousarray(vector, np.float32)
        found: list[tuple[str, float]] = []
        if self.fresh:
            cosines, ids = self._fresh.search(query[None], min(count, self.fresh))
            found += [
                (self._key_of[int(i)], float(cosine))
                for i, cosine in zip(ids[0], cosines[0], strict=True)
                if i >= 0
            ]
        if self._coded is not None and self._dead < len(self._alive):
            alive = self._alive if self._dead else None
            places = self._coded.sealed.search(query, count + OVERFETCH, alive)
            keys = [self._coded.keys[place] for place in places.tolist()]
            if keys:
                exact = matrix([self._packed[key] for key in keys]) @ query
                found += zip(keys, exact.tolist(), strict=True)
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:count]
