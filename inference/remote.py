"""The recognizer with a vision-language model behind an endpoint in the place of MiniGPT."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from inference.captions import fold
from inference.contracts import (
    Change,
    Description,
    Failure,
    FieldSuggestion,
    Found,
    ModelRefused,
    OcrLine,
    OtherDescriber,
    Recognition,
    RecognizerError,
    Sighting,
    SiteRef,
)
from inference.engines.vlm import Read, VisionEndpoint, VlmError, VlmReading, name_of
from inference.local import LocalRecognizer
from inference.pictures import DEFAULT_MAX_PIXELS
from inference.ranking import CONFIDENT

logger = logging.getLogger(__name__)

UNCALIBRATED: Final = "vlm_uncalibrated"
"""The source of a value of whose confidence the endpoint tells nothing."""
UNTOLD_LINE: Final = 0.5
"""Confidence of a printed line where the endpoint tells nothing of it."""


class VlmRecognizer:
    """Implements :class:`inference.contracts.Recognizer`: barcodes, printed words, look-alikes and the
    ranking of :class:`LocalRecognizer`, and what a model behind an OpenAI-compatible endpoint reads
    (:mod:`inference.engines.vlm`). A picture of which the endpoint says nothing is described without it,
    and that is said. Thread-safe.

    ``base_url`` and ``vlm`` name endpoint and model, ``allow`` the hosts inside that may be asked,
    ``key_variable`` the environment variable that holds the key; ``version`` is given instead to rank
    what that version described, which asks nobody. The rest is for :class:`LocalRecognizer`. Requests that
    name a model of their own are refused: the endpoint's stands in its place.
    """

    def __init__(
        self,
        sites_dir: Path | str,
        *,
        base_url: str = "",
        vlm: str = "",
        allow: Iterable[str] = (),
        key_variable: str = "WAREVISION_VLM_KEY",
        limit_s: float = 20.0,
        at_once: int = 8,
        version: str = "",
        max_pixels: int = DEFAULT_MAX_PIXELS,
        **local: Any,
    ) -> None:
        self._local = LocalRecognizer(sites_dir, minigpt=False, max_pixels=max_pixels, **local)
        self._name = version or name_of(vlm)
        self._max_pixels = max_pixels
        self._endpoint = None
        if not version:
            self._endpoint = VisionEndpoint(
                base_url,
                vlm,
                api_key=os.environ.get(key_variable, ""),
                allow=allow,
                limit_s=limit_s,
                connections=at_once,
            )
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="vlm")
        self.model_version = f"{self._local.model_version}+{self._name}"

    @property
    def describer(self) -> str:
        """The version that descriptions carry."""
        return f"{self._local.describer}+{self._name}"

    def describe(
        self, images: Sequence[bytes], *, urgent: bool = False, model: str = ""
    ) -> list[Description | Failure]:
        """Describe encoded pictures, in order; the endpoint is asked about several at once."""
        self._check_model(model)
        if self._endpoint is None:
            raise RecognizerError(f"{self._name} is not connected here")
        reading = [self._threads.submit(self._read, image) for image in images]
        described = self._local.describe(images, urgent=urgent)
        return [
            one if isinstance(one, Failure) else self._with(one, *asked.result())
            for one, asked in zip(described, reading, strict=True)
        ]

    def see(
        self, images: Sequence[bytes], *, model: str, urgent: bool = False
    ) -> list[Sighting | Failure]:
        """Refuses: what the endpoint's model read is in the description."""
        raise self._refusal()

    def prepare(self, model: str) -> None:
        """Refuses."""
        raise self._refusal()

    def rank(
        self, site: SiteRef, descriptions: Sequence[Description], *, model: str = ""
    ) -> list[Recognition]:
        """Rank the site's SKUs, and propose what was read of the goods. Raises as
        :meth:`LocalRecognizer.rank` does."""
        self._check_model(model)
        ranked = self._local.rank(site, [self._without(d) for d in descriptions])
        return [
            replace(
                answer,
                model_version=self.model_version,
                fields={**answer.fields, **_read_fields(answer, description)},
            )
            for answer, description in zip(ranked, descriptions, strict=True)
        ]

    def search(self, site: SiteRef, query: Description | str, *, count: int) -> Found:
        """As :meth:`LocalRecognizer.search`."""
        if isinstance(query, Description):
            query = self._without(query)
        return self._local.search(site, query, count=count)

    def ready(self) -> bool:
        """Without the endpoint there is less evidence, but there is some."""
        return self._local.ready()

    def teach(self, site: str, changes: Sequence[Change]) -> None:
        """As :meth:`LocalRecognizer.teach`."""
        self._local.teach(site, changes)

    def settle(self, site: str) -> None:
        """As :meth:`LocalRecognizer.settle`."""
        self._local.settle(site)

    def warm_up(self) -> None:
        """Load what is loaded lazily on the calling thread."""
        self._local.warm_up()

    def close(self) -> None:
        """Stop what runs in the background and close connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._endpoint is not None:
            self._endpoint.close()
        self._local.close()

    def _check_model(self, model: str) -> None:
        if model:
            raise self._refusal()

    def _refusal(self) -> ModelRefused:
        return ModelRefused(f"{self._name} stands in the place of the site's own models")

    def _read(self, image: bytes) -> tuple[VlmReading | str, float]:
        """What the model read, or why it did not; and how long it took, ms."""
        assert self._endpoint is not None
        started = time.perf_counter()
        try:
            read: VlmReading | str = self._endpoint.read(image, max_pixels=self._max_pixels)
        except VlmError as error:
            logger.warning("No word of the vision model: %s", error)
            read = str(error)
        return read, round((time.perf_counter() - started) * 1000, 2)

    def _with(self, seen: Description, read: VlmReading | str, ms: float) -> Description:
        missing, lines, sight = dict(seen.missing), seen.ocr_lines, b""
        if isinstance(read, str):
            missing["vlm"] = read
        else:
            sight = read.pack()
            known = {fold(line.text) for line in lines}
            lines += tuple(_line(one) for one in read.lines if fold(one.value) not in known)
        return replace(
            seen,
            describer=self.describer,
            ocr_lines=lines,
            sight=sight,
            missing=missing,
            timings_ms={**seen.timings_ms, "vlm": ms},
        )

    def _without(self, description: Description) -> Description:
        """The description in the form that the local recognizer knows."""
        if description.describer != self.describer:
            raise OtherDescriber(
                f"the description was made by {description.describer}, "
                f"this recognizer is {self.describer}: describe the picture again"
            )
        return replace(description, describer=self._local.describer, sight=b"")


def _line(read: Read) -> OcrLine:
    """A line whose place in the picture is not known."""
    return OcrLine(read.value, UNTOLD_LINE if read.confidence is None else read.confidence, ())


def _read_fields(answer: Recognition, description: Description) -> dict[str, FieldSuggestion]:
    """What the model read, where the catalog proposes nothing."""
    if not description.sight:
        return {}
    try:
        reading = VlmReading.unpack(description.sight)
    except (ValueError, json.JSONDecodeError):
        return {}
    return {
        key: _proposal(read)
        for key, read in reading.fields.items()
        if key in answer.fields and answer.fields[key].value is None
    }


def _proposal(read: Read) -> FieldSuggestion:
    if read.confidence is None:
        return FieldSuggestion(read.value, None, UNCALIBRATED)
    if read.confidence < CONFIDENT:
        return FieldSuggestion(None, read.confidence, "low_confidence")
    return FieldSuggestion(read.value, read.confidence, "vlm")
