"""A recognizer whose service time and faults are known, for tests and measurements of the server.

What a picture does to it stands in the picture: ``b"segfault …"``. Faults that strike by chance come from
``rates``, a part of all calls each. Descriptions are made of the picture's hash, so that every answer can
be checked (:func:`is_right`)."""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from inference.contracts import (
    Description,
    Failure,
    FieldSuggestion,
    Recognition,
    RecognizerError,
    SiteRef,
    StaleMemory,
)
from tests.recognizers import replay

DESCRIBER = "faulty-1"


def embedding_of(image: bytes) -> bytes:
    """What the model sees in a picture: 64 bytes made of its hash."""
    return hashlib.sha512(image).digest()


def is_right(image: bytes, answer: Description | Failure) -> bool:
    """Whether ``answer`` is the only right one to ``image``."""
    if image.startswith(b"corrupt"):
        return isinstance(answer, Failure) and answer.code == "unreadable"
    return (
        isinstance(answer, Description)
        and answer.image_sha256 == hashlib.sha256(image).hexdigest()
        and answer.embedding == embedding_of(image)
    )


_hoard: list[bytearray] = []


def fail(name: str, image: bytes = b"") -> None:
    """Let the fault ``name`` happen; nothing for other names."""
    if name == "hang":
        # In C and with the interpreter's lock held, as a driver hangs.
        ctypes.PyDLL(None).sleep(3600)
    elif name == "segfault":
        ctypes.string_at(0)
    elif name == "abort":
        os.abort()
    elif name == "exit":
        os._exit(0)
    elif name == "out_of_memory":
        raise MemoryError
    elif name == "allocate":
        bytearray(1 << 40)
    elif name == "hoard":
        # Takes memory that is counted against it, and keeps it.
        _hoard.append(bytearray(b"x") * (int(image.split()[1]) << 20))
    elif name == "gpu":
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    elif name == "raise":
        raise ValueError("no such picture was foreseen")
    elif name == "sleep":
        time.sleep(float(image.split()[1]))
    elif name == "print":
        print("a library prints to standard output", flush=True)
    elif name == "garble":
        # Writes between the frames, as a process that was taken over might.
        for fd in range(3, 64):
            try:
                os.write(fd, b"\x00\x00\x00\x02\x00\x00\x00\x00no")
            except OSError:
                pass


class Chance:
    """Faults that strike a part of all calls, whatever the pictures: ``rates`` by name in 0…1."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self._rates = dict(rates)
        self._random = random.Random(os.getpid())

    def strike(self) -> int:
        """Let happen what chance wants; returns how many times as long this call takes."""
        slow = 1
        for name, rate in self._rates.items():
            if self._random.random() < rate:
                if name == "slow":
                    slow = 50
                else:
                    fail(name)
        return slow


class FaultyRecognizer:
    """``call_ms`` for each call and ``picture_ms`` for each picture in it. ``rates``: of ``hang``,
    ``segfault``, ``abort``, ``out_of_memory``, ``slow`` (50 times as long) in 0…1 of calls."""

    def __init__(
        self,
        sites_dir: str,
        *,
        threads: int = 1,
        call_ms: float = 0.0,
        picture_ms: float = 0.0,
        rates: Mapping[str, float] | None = None,
        broken_start: str = "",
    ) -> None:
        self.describer = DESCRIBER
        self._sites = Path(sites_dir)
        self._call_ms, self._picture_ms = call_ms, picture_ms
        self._chance = Chance(rates or {})
        # A file that says whether the model can be loaded.
        if broken_start and Path(broken_start).exists():
            raise RuntimeError("the model's file is damaged")

    def warm_up(self) -> None:
        """There is nothing to load."""

    def settle(self, site: str) -> None:
        """There is nothing to fit."""
        if "/" in site or not site:
            raise RecognizerError(f"not a site name: {site!r}")

    def describe(
        self, images: Sequence[bytes], *, urgent: bool = False, model: str = ""
    ) -> list[Description | Failure]:
        """Describe pictures, unless one of them, or chance, is against it."""
        slow = self._chance.strike()
        for image in images:
            fail(image.partition(b" ")[0].decode("latin-1"), image)
        time.sleep((self._call_ms + self._picture_ms * len(images)) * slow / 1000)
        return [self._describe(image) for image in images]

    def _describe(self, image: bytes) -> Description | Failure:
        if image.startswith(b"corrupt"):
            return Failure("unreadable", "damaged picture")
        return Description(
            image_sha256=hashlib.sha256(image).hexdigest(),
            width_px=1,
            height_px=1,
            describer=self.describer,
            embedding=embedding_of(image),
            timings_ms={"pid": float(os.getpid())},
        )

    def rank(
        self, site: SiteRef, descriptions: Sequence[Description], *, model: str = ""
    ) -> list[Recognition]:
        """Tell how far the site's log has come; a site's name may carry a fault as well."""
        fail(site.site.partition("-")[0], b"")
        known = replay(self._sites / site.site)
        if known.number < site.number:
            raise StaleMemory(f"{known.number} < {site.number}", retry_after_s=1)
        sku = next(iter(sorted(known.skus)), None)
        fields = {"sku": FieldSuggestion(sku, None, "catalog")}
        return [Recognition(DESCRIBER, known.number, fields) for _ in descriptions]
