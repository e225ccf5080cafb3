"""The recognizer in this process: describes pictures, replays site logs, ranks SKUs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import faiss
import threadpoolctl

from inference import bundles
from inference.contracts import (
    Box,
    Change,
    Description,
    Failure,
    Found,
    OtherDescriber,
    Recognition,
    RecognizerError,
    Sighting,
    SiteRef,
    StaleMemory,
)
from inference.describe import Describer
from inference.evidence.shipped import FUSION_VERSION
from inference.gathering import Heads, MatchCache
from inference.learning import fit_heads
from inference.minigpt.reading import Reader
from inference.pictures import DEFAULT_MAX_PIXELS
from inference.ranking import rank
from inference.retrieval import search
from inference.retrieval.backbone import unpack
from inference.retrieval.clip import Clip
from inference.retrieval.memory import SiteMemory
from inference.retrieval.towers import ClipTower
from inference.shelf import Shelf

logger = logging.getLogger(__name__)

_STALE_RETRY_S = 1.0
MODELS_KEPT = 4
INDEXES = "indexes"
"""Folder beside a site's log for what can be made of it again."""


def limit_threads(threads: int) -> None:
    """Bound the process's BLAS, FAISS and OpenCV threads.

    The matrices here are small: spinning worker threads cost more than they save, and on a busy
    machine ten times more. These libraries know only settings of the whole process.
    """
    threadpoolctl.threadpool_limits(limits=threads)
    faiss.omp_set_num_threads(threads)
    cv2.setNumThreads(threads)


def open_model(folder: Path | str | None, *, threads: int) -> Reader | None:
    """The MiniGPT of ``folder``, or the shipped one; None where none is shipped. Raises
    :class:`inference.engines.EngineError` for a folder that holds no complete model."""
    found = bundles.base(folder)
    return Reader.open(found, threads=threads) if found is not None else None


def _check_seen(description: Description, minigpt: Reader | None) -> None:
    """Raises :class:`OtherDescriber` where another model looked than ``minigpt``, or none did although
    it could."""
    wanted = minigpt.name if minigpt is not None else ""
    if description.seen_by != wanted and "minigpt" not in description.missing:
        raise OtherDescriber(
            f"{description.seen_by or 'no model'} looked at the picture, not "
            f"{wanted or 'none'}: let it be seen again"
        )


class _Site:
    """A site's memory with the heads learned from it, as it was at ``learned_number``. While ``lock``
    is held, nothing of it changes: an answer belongs to one number."""

    def __init__(self, name: str, folder: Path) -> None:
        self.memory = SiteMemory(name, versions=folder / INDEXES)
        self.heads = Heads()
        self.learned_number = 0
        self.lock = threading.RLock()
        self.changed_at = 0.0
        self._clip_tower: tuple[int, ClipTower] | None = None

    def clip_tower(self, clip: Clip) -> ClipTower:
        """The examples as ``clip`` saw them, made anew when they have changed."""
        made, revision = self._clip_tower, self.memory.revision
        if made is None or made[0] != revision:
            made = self._clip_tower = (revision, ClipTower(clip, self.memory.examples()))
        return made[1]

    def learn(self, cache: MatchCache) -> None:
        """Fit the heads to one number of the memory. It goes on changing meanwhile: if it did, they are
        fitted on a copy that stands still."""
        with self.lock:
            memory, number, revision = self.memory, self.memory.number, self.memory.revision
        heads = fit_heads(memory, cache)
        with self.lock:
            if self.memory.revision == revision:
                self.heads, self.learned_number = heads, number
                return
            memory, number, revision = self._copy(), self.memory.number, self.memory.revision
        heads = replace(fit_heads(memory, cache), revision=revision)
        with self.lock:
            self.heads, self.learned_number = heads, number

    def _copy(self) -> SiteMemory:
        copy = SiteMemory(self.memory.site)
        skus = self.memory.catalog().skus.values()
        copy.apply(Change(0, "put_sku", sku=sku) for sku in skus)
        examples = self.memory.examples()
        copy.apply(Change(0, "put_example", example=example) for example in examples)
        return copy


class LocalRecognizer:
    """Implements :class:`inference.contracts.Recognizer` in process. Thread-safe.

    ``sites_dir`` holds one folder of log segments per site, ``model`` is the folder of the MiniGPT for
    requests that name none (the shipped one, where there is one, unless given; none at all without
    ``minigpt``). ``models_dir`` holds those that requests name, each in a folder that is called as its
    digest; at most ``models_kept`` of them stay loaded. ``clip`` is the folder of a
    CLIP or SigLIP, by which pictures are then found by text
    (:class:`inference.retrieval.clip.ClipError` when it is none). ``threads`` bounds the threads of each
    ONNX session, and those of BLAS, FAISS and OpenCV in this process. ``budget_s`` is the time in which
    evidence on a picture is to be there, if it may not take as long as it does; without ``ocr`` no text,
    which takes longest, is read. After ``debounce_s`` without a further change (at most ten times that),
    a background thread re-fits the light heads and swaps them in; until then new examples already
    count as neighbours.
    """

    def __init__(
        self,
        sites_dir: Path | str,
        *,
        model: Path | str | None = None,
        models_dir: Path | str | None = None,
        models_kept: int = MODELS_KEPT,
        clip: Path | str | None = None,
        minigpt: bool = True,
        ocr: bool = True,
        threads: int = 1,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        budget_s: float | None = None,
        debounce_s: float = 1.0,
    ) -> None:
        limit_threads(threads)
        self._budget_s = budget_s
        self._sites_dir = Path(sites_dir)
        self._minigpt = open_model(model, threads=threads) if minigpt else None
        self._clip = Clip(Path(clip), threads=threads) if clip is not None else None
        self._shelf = Shelf(models_dir, threads=threads, kept=models_kept)
        self._describer = Describer(
            threads=threads, max_pixels=max_pixels, clip=self._clip, ocr=ocr
        )
        self._cache = MatchCache()
        self._sites: dict[str, _Site] = {}
        self._sites_lock = threading.Lock()
        self._debounce_s = debounce_s
        self._wake = threading.Event()
        self._closed = False
        self._learner: threading.Thread | None = None
        self.model_version = self._version(self._minigpt)

    # --- the protocol ----------------------------------------------------------------------

    def describe(
        self,
        images: Sequence[bytes],
        *,
        urgent: bool = False,
        model: str = "",
        budget_s: float | None = None,
        boxes: Sequence[Box | None] | None = None,
    ) -> list[Description | Failure]:
        """Describe encoded pictures, in order. Without a queue, ``urgent`` changes nothing.

        ``budget_s`` is the time for each, after which evidence is left out and named in ``missing``
        (that of the instance unless given); ``boxes`` say where alone to read text.
        """
        budget_s = self._budget_s if budget_s is None else budget_s
        minigpt = self._reader(model)
        return self._describer.describe(images, budget_s=budget_s, boxes=boxes, minigpt=minigpt)

    def see(
        self, images: Sequence[bytes], *, model: str, urgent: bool = False
    ) -> list[Sighting | Failure]:
        """What ``model`` sees in encoded pictures, in order."""
        return self._describer.see(images, self._reader(model))

    def prepare(self, model: str) -> None:
        """Load ``model``."""
        self._shelf.get(model)

    def rank(
        self, site: SiteRef, descriptions: Sequence[Description], *, model: str = ""
    ) -> list[Recognition]:
        """Rank the site's SKUs. Raises :class:`StaleMemory` when its log has not come so far, and
        :class:`OtherDescriber` on descriptions that another version made, or another model saw."""
        minigpt = self._reader(model)
        for description in descriptions:
            self._check_describer(description)
            _check_seen(description, minigpt)
        version = self._version(minigpt)
        known = self._site(site.site)
        with known.lock:
            self._reach(known, site)
            answers = [
                rank(known.memory, known.heads, self._cache, d, version, minigpt)
                for d in descriptions
            ]
            return [replace(a, learned_number=known.learned_number) for a in answers]

    def search(self, site: SiteRef, query: Description | str, *, count: int) -> Found:
        """Known pictures like that of a description, or pictures and SKUs that a text is about. Raises
        as :meth:`rank` does."""
        if isinstance(query, Description):
            self._check_describer(query)
        known = self._site(site.site)
        with known.lock:
            self._reach(known, site)
            if isinstance(query, str):
                tower = known.clip_tower(self._clip) if self._clip else known.heads.tower
                hits = search.by_text(known.memory, tower, query, count)
            else:
                embedding, metric = unpack(query.embedding), known.heads.metric
                hits = search.similar_pictures(known.memory, embedding, count, metric)
            return Found(known.memory.number, tuple(hits))

    def ready(self) -> bool:
        """Models are loaded by the constructor, so an instance is ready."""
        return not self._closed

    # --- beyond the protocol ---------------------------------------------------------------

    @property
    def describer(self) -> str:
        """The version that descriptions carry; those of another one must be made anew."""
        return self._describer.name

    def teach(self, site: str, changes: Sequence[Change]) -> None:
        """Apply changes directly, for use without published files."""
        known = self._site(site)
        with known.lock:
            known.memory.apply(changes)
        self._changed(known)

    def settle(self, site: str) -> None:
        """Fit the heads for all that is known of ``site`` before returning."""
        known = self._site(site)
        self._pull(known)
        while known.heads.revision != known.memory.revision:
            known.learn(self._cache)

    def warm_up(self) -> None:
        """Load what is loaded lazily on the calling thread."""
        self._describer.warm_up(self._minigpt)

    def close(self) -> None:
        """Stop the background fit. The instance is not ready afterwards."""
        self._closed = True
        self._describer.close()
        self._wake.set()
        if self._learner is not None:
            self._learner.join(timeout=30)

    def _reader(self, model: str) -> Reader | None:
        return self._shelf.get(model) if model else self._minigpt

    def _version(self, minigpt: Reader | None) -> str:
        """What answers carry that ``minigpt`` had part in."""
        names = [self._describer.name, minigpt.name if minigpt else "", FUSION_VERSION]
        return "+".join(name for name in names if name)

    def _site(self, name: str) -> _Site:
        if not name or "/" in name or "\\" in name or name.startswith("."):
            raise RecognizerError(f"not a site name: {name!r}")
        with self._sites_lock:
            if name not in self._sites:
                self._sites[name] = _Site(name, self._sites_dir / name)
            return self._sites[name]

    def _check_describer(self, description: Description) -> None:
        if description.describer != self._describer.name:
            raise OtherDescriber(
                f"the description was made by {description.describer}, "
                f"this recognizer is {self._describer.name}: describe the picture again"
            )

    def _reach(self, known: _Site, wanted: SiteRef) -> None:
        if known.memory.number < wanted.number:
            self._pull(known)
        if known.memory.number < wanted.number:
            raise StaleMemory(
                f"site {wanted.site}: change {wanted.number} is asked for, "
                f"{known.memory.number} is the last one here",
                retry_after_s=_STALE_RETRY_S,
            )

    def _pull(self, known: _Site) -> None:
        with known.lock:
            before = known.memory.revision
            known.memory.pull(self._sites_dir / known.memory.site)
            if known.memory.revision != before:
                self._changed(known)

    def _changed(self, known: _Site) -> None:
        known.changed_at = known.changed_at or time.monotonic()
        with self._sites_lock:
            if self._learner is None and not self._closed:
                self._learner = threading.Thread(
                    target=self._learn_forever, name="learner", daemon=True
                )
                self._learner.start()
        self._wake.set()

    def _learn_forever(self) -> None:
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            # wait for a pause in the changes, but not for ever
            for _ in range(10):
                if self._closed or not self._wake.wait(self._debounce_s):
                    break
                self._wake.clear()
            with self._sites_lock:
                waiting = [s for s in self._sites.values() if s.changed_at]
            for known in waiting:
                if self._closed:
                    return
                known.changed_at = 0.0
                try:
                    known.learn(self._cache)
                    known.memory.tidy()
                except Exception:
                    # the old heads go on serving; the next change tries again
                    logger.exception("site %s: nothing new was learned", known.memory.site)
