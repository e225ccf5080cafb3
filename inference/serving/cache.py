"""Answers kept by what they are answers to, in shards that are locked one at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_OVERHEAD_BYTES = 300
SHARDS: Final = 32


class ResultCache:
    """The least recently used results, ``max_bytes`` of them. Thread-safe.

    The key is the SHA-256 of a picture's bytes and the version of the describer: two photos that only
    look alike may differ in number or damage, and share nothing here. Each key belongs to one of
    :data:`SHARDS` shards by its hash, so that writers rarely meet.
    """

    def __init__(self, max_bytes: int) -> None:
        self._shards = [_Shard(max_bytes // SHARDS) for _ in range(SHARDS)]

    def get(self, sha256: str, describer: str) -> tuple[str, bytes] | None:
        """Outcome and JSON text, or None."""
        return self._shard(sha256).get((sha256, describer))

    def put(self, sha256: str, describer: str, outcome: str, body: bytes) -> None:
        """Keep a result; one that is larger than a shard is not kept."""
        self._shard(sha256).put((sha256, describer), (outcome, body))

    @property
    def used_bytes(self) -> int:
        """What the results take."""
        return sum(shard.used for shard in self._shards)

    def __len__(self) -> int:
        return sum(len(shard.entries) for shard in self._shards)

    def _shard(self, sha256: str) -> _Shard:
        return self._shards[int(sha256[:4], 16) % SHARDS]


class _Shard:
    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used = 0
        self.entries: OrderedDict[tuple[str, str], tuple[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str]) -> tuple[str, bytes] | None:
        with self._lock:
            found = self.entries.get(key)
            if found is not None:
                self.entries.move_to_end(key)
            return found

    def put(self, key: tuple[str, str], value: tuple[str, bytes]) -> None:
        size = len(value[1]) + _OVERHEAD_BYTES
        if size > self.max_bytes:
            return
        with self._lock:
            former = self.entries.pop(key, None)
            if former is not None:
                self.used -= len(former[1]) + _OVERHEAD_BYTES
            self.entries[key] = value
            self.used += size
            while self.used > self.max_bytes:
                _, (_, body) = self.entries.popitem(last=False)
                self.used -= len(body) + _OVERHEAD_BYTES


class Refusals:
    """Pictures that ended processes again and again: refused for ``for_s`` without being tried, so
    that one who goes on sending them does no further harm. Used on one thread."""

    def __init__(self, *, for_s: float, at_most: int, clock: Callable[[], float]) -> None:
        self._for_s = for_s
        self._at_most = at_most
        self._clock = clock
        self._until: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, sha256: str) -> bytes | None:
        """The answer to give instead, while the picture is refused."""
        until, body = self._until.get(sha256, (0.0, b""))
        return body if until > self._clock() else None

    def put(self, sha256: str, body: bytes) -> None:
        """Refuse a picture from now on."""
        self._until[sha256] = (self._clock() + self._for_s, body)
        self._until.move_to_end(sha256)
        while len(self._until) > self._at_most:
            self._until.popitem(last=False)
