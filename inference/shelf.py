"""The models that requests name: verified when they are first asked for, loaded once, a few of them kept."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from pathlib import Path

from PIL import Image

from inference import bundles
from inference.contracts import ModelRefused
from inference.engines import EngineError
from inference.minigpt.reading import Reader

logger = logging.getLogger(__name__)

_REFUSED_FOR_S = 5.0
"""How long a model that could not be loaded is refused without another look."""


class Shelf:
    """Readers by the digest of their bundle, whose folder below ``folder`` is called so. The ``kept``
    that were used last stay loaded. Thread-safe: while one is loaded, those that are there answer, and who
    asks for the same one waits for it."""

    def __init__(self, folder: Path | str | None, *, threads: int = 1, kept: int = 4) -> None:
        if kept < 1:
            raise ValueError("at least one model must be kept")
        self._folder = Path(folder) if folder else None
        self._threads = threads
        self._kept = kept
        self._readers: OrderedDict[str, Reader] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}
        self._refused: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def get(self, digest: str) -> Reader:
        """The model of a digest, loaded if it has to be. Raises :class:`ModelRefused`."""
        reader = self._known(digest)
        if reader is not None:
            return reader
        if not bundles.is_digest(digest):
            raise ModelRefused(f"not the digest of a model: {digest[:80]!r}")
        with self._lock:
            loading = self._loading.setdefault(digest, threading.Lock())
        with loading:
            reader = self._known(digest)
            if reader is None:
                reader = self._load(digest)
                self._put(digest, reader)
            return reader

    def loaded(self) -> list[str]:
        """The digests of the models that are loaded, the last used last."""
        with self._lock:
            return list(self._readers)

    def _known(self, digest: str) -> Reader | None:
        with self._lock:
            reader = self._readers.get(digest)
            if reader is not None:
                self._readers.move_to_end(digest)
                return reader
            until, detail = self._refused.get(digest, (0.0, ""))
        if time.monotonic() < until:
            raise ModelRefused(detail)
        return None

    def _put(self, digest: str, reader: Reader) -> None:
        with self._lock:
            self._loading.pop(digest, None)
            self._refused.pop(digest, None)
            self._readers[digest] = reader
            while len(self._readers) > self._kept:
                left, _ = self._readers.popitem(last=False)
                logger.info("Model %s is no longer kept loaded", left[:12])

    def _load(self, digest: str) -> Reader:
        started = time.monotonic()
        try:
            if self._folder is None:
                raise ModelRefused(
                    f"model {digest[:12]} is asked for, but there is no models folder"
                )
            folder = self._folder / digest
            if not folder.is_dir():
                raise ModelRefused(f"model {digest[:12]} is not in {self._folder}")
            try:
                bundles.verify(folder, digest)
                reader = Reader.open(folder, threads=self._threads)
                reader.see([Image.new("RGB", (64, 64), "white")])
            except MemoryError:
                raise
            except (bundles.BundleError, EngineError, OSError, ValueError) as error:
                raise ModelRefused(f"model {digest[:12]} cannot be loaded: {error}") from error
        except ModelRefused as error:
            logger.error("%s", error)
            with self._lock:
                self._loading.pop(digest, None)
                self._refused[digest] = (time.monotonic() + _REFUSED_FOR_S, str(error))
            raise
        logger.info("Model %s was loaded in %.2f s", digest[:12], time.monotonic() - started)
        return reader
