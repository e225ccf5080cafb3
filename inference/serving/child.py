"""A model process: makes one recognizer, answers frames on its standard input, one at a time.

Hostile pictures are decoded and engines run here and nowhere else. It may be killed at any moment;
the server replaces it. The first frame says what to make (``recognizer``, ``options``, ``role``,
``memory_mb``, ``log_level``); ``{"ready": true, …}`` or ``{"failed": …}`` is the answer.

A request of the role ``describe`` carries pictures, each after what is asked of it (:mod:`.asks`), and is
answered with one item and one JSON text for each, or with a ``fault``. One of the role ``rank`` carries bodies
of ``POST /v1/rank`` or ``/v1/search``. A request with ``prepare`` names a model to be loaded on a thread beside,
and is answered at once with how far that is.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.contracts import (
    Description,
    Failure,
    ModelRefused,
    OtherDescriber,
    RecognizerError,
    Sighting,
    SiteRef,
    StaleMemory,
)
from inference.faults import fault_of
from inference.logs import bound, to_stderr
from inference.serving import asks, frames

logger = logging.getLogger("inference.model")
_PR_SET_PDEATHSIG = 1
_SETTLE_AT_START_S = 3.0
Item = tuple[dict[str, Any], bytes]
Handler = Callable[[Sequence[bytes]], tuple[dict[str, Any], list[bytes]]]


def main() -> None:
    """Serve the socket that is standard input until it is closed."""
    stream = _take_socket()
    _live_and_die_with_the_server()
    setup = frames.read(stream)
    if setup is None:
        return
    to_stderr(setup.fields["log_level"])
    try:
        recognizer = _load(setup.fields["recognizer"], setup.fields["options"])
        sites = Path(setup.fields["options"].get("sites_dir", ""))
        handler = _HANDLERS[setup.fields["role"]](recognizer, sites)
        _limit_memory(setup.fields["memory_mb"] << 20)
    except Exception as error:
        logger.exception("The model could not be loaded")
        _send(stream, {"failed": f"{type(error).__name__}: {error}"})
        raise SystemExit(1) from error
    preparing = _Preparing(recognizer)
    name = str(getattr(recognizer, "describer", ""))
    _send(stream, {"ready": True, "describer": name})
    while (frame := frames.read(stream)) is not None:
        started = time.perf_counter()
        if "prepare" in frame.fields:
            _send(stream, preparing(frame.fields["prepare"]))
            continue
        with bound(frame.fields.get("request_id", "")):
            fields, blobs = handler(frame.blobs)
            ms = round((time.perf_counter() - started) * 1000, 2)
            told = {"role": setup.fields["role"], "size": len(frame.blobs), "ms": ms}
            logger.info("a call", extra={"data": told})
        _send(stream, {**fields, "ms": ms}, blobs)
        if fields.get("fault") == "fatal":
            # Nothing that this process could still say would be worth anything.
            os._exit(70)


def _take_socket() -> Any:
    """The stream to the server. What a library reads from standard input or prints to standard
    output must not get between the frames."""
    connection = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    return connection.makefile("rwb")


def _live_and_die_with_the_server() -> None:
    """Only the server ends this process, and its death does, even in the middle of a call."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Where memory runs out, this process goes, not the server.
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()


def _load(path: str, options: dict[str, Any]) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)(**options)


def _limit_memory(budget_bytes: int) -> None:
    """Refuse allocations of more than the budget beyond what is taken already, so that one hostile
    picture meets a MemoryError instead of the kernel. Resident memory is watched by the server."""
    if not budget_bytes or sys.platform != "linux":
        return
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            limit = int(line.split()[1]) * 1024 + budget_bytes
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _send(stream: Any, fields: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    for piece in frames.encode(fields, blobs):
        stream.write(piece)
    stream.flush()


class _Preparing:
    """Loads models on a thread of its own. Who asks again is told how far it is."""

    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prepare")
        self._under_way: dict[str, Future[None]] = {}

    def __call__(self, model: str) -> dict[str, Any]:
        if model not in self._under_way:
            # looked up on the thread: a recognizer without models of its own refuses like others
            prepare = self._thread.submit(lambda: self._recognizer.prepare(model))
            self._under_way[model] = prepare
        future = self._under_way[model]
        if not future.done():
            return {"state": "loading"}
        del self._under_way[model]
        error = future.exception()
        if error is None:
            return {"state": "ready"}
        if not isinstance(error, RecognizerError):
            logger.error("Model %s could not be prepared", model, exc_info=error)
        return {"state": "refused", "detail": (str(error) or type(error).__name__)[:500]}


# --- describing ------------------------------------------------------------------------------


class _Describing:
    def __init__(self, recognizer: Any, sites: Path) -> None:
        self._recognizer = recognizer
        recognizer.warm_up()

    def __call__(self, payloads: Sequence[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        together: dict[asks.Ask, list[tuple[int, bytes]]] = {}
        for place, payload in enumerate(payloads):
            ask, image = asks.Ask.unpack(payload)
            together.setdefault(ask, []).append((place, image))
        items: list[Item] = [({}, b"")] * len(payloads)
        try:
            for ask, some in together.items():
                answers = self._answer(ask, [image for _, image in some])
                for (place, _), item in zip(some, answers, strict=True):
                    items[place] = item
        except Exception as error:
            fault = fault_of(error)
            logger.error("A batch of %d ended in a fault (%s): %r", len(payloads), fault, error)
            return {"fault": fault, "detail": f"{type(error).__name__}: {error}"[:500]}, []
        return {"items": [fields for fields, _ in items]}, [text for _, text in items]

    def _answer(self, ask: asks.Ask, images: Sequence[bytes]) -> list[Item]:
        try:
            return [_described(result) for result in self._describe(ask, images)]
        except ModelRefused as error:
            return [_refused("model_refused", str(error))] * len(images)

    def _describe(
        self, ask: asks.Ask, images: Sequence[bytes]
    ) -> list[Description | Sighting | Failure]:
        """Results in order; where the model refuses a batch, each picture is asked for alone.
        Raises :class:`ModelRefused`, and else only faults of the process."""
        verb = self._recognizer.see if ask.sight else self._recognizer.describe
        try:
            results: list[Description | Sighting | Failure] = verb(images, model=ask.model)
            if len(results) != len(images):
                raise RuntimeError(f"{len(images)} pictures, {len(results)} results")
            return results
        except ModelRefused:
            raise
        except Exception as error:
            if fault_of(error):
                raise
            logger.exception("The model failed on %d pictures", len(images))
            if len(images) == 1:
                return [Failure("internal", str(error) or type(error).__name__)]
            return [result for image in images for result in self._describe(ask, [image])]


def _described(result: Description | Sighting | Failure) -> Item:
    if isinstance(result, Failure):
        return {"outcome": result.code, "keep": result.code != "internal"}, _json(
            {"failure": asdict(result)}
        )
    if isinstance(result, Sighting):
        return {"outcome": "seen", "keep": True}, asks.part_of(result)
    # What is missing may have been missed by chance: such a result is not kept.
    fields = {"outcome": "described", "keep": not result.missing}
    return fields, b"\n".join(asks.parts_of(result))


# --- ranking ---------------------------------------------------------------------------------


class _Ranking:
    """Ranks with site memories that are read from their logs. A site's heads are fitted before its
    first answer, so that a process that was just started answers like one that was not."""

    def __init__(self, recognizer: Any, sites: Path) -> None:
        self._recognizer = recognizer
        self._settled: set[str] = set()
        self._sites = sites
        started = time.monotonic()
        known = sites.iterdir() if sites.is_dir() else ()
        for folder in sorted(path for path in known if path.is_dir()):
            if time.monotonic() - started > _SETTLE_AT_START_S:
                break  # the others are fitted when they are asked for
            try:
                self._settle(folder.name)
            except Exception:
                logger.exception("Site %s could not be read yet", folder.name)

    def __call__(self, bodies: Sequence[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        try:
            items = [self._rank(body) for body in bodies]
        except Exception as error:
            fault = fault_of(error)
            logger.exception("Ranking failed (%s)", fault)
            if fault:
                return {"fault": fault, "detail": f"{type(error).__name__}: {error}"[:500]}, []
            items = [_refused("internal", "the ranking failed")] * len(bodies)
        return {"items": [fields for fields, _ in items]}, [text for _, text in items]

    def _rank(self, body: bytes) -> Item:
        try:
            data = json.loads(body)
            site = SiteRef(str(data["site"]), int(data["number"]))
            asked = self._asked(data)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            return _refused("bad_request", f"not a rank or search request: {error!r}")
        try:
            self._settle(site.site)
            answer, count = asked(site)
        except ModelRefused as error:
            return _refused("model_refused", str(error))
        except StaleMemory as error:
            return _refused("stale_memory", str(error), error.retry_after_s)
        except OtherDescriber as error:
            return _refused("other_describer", str(error))
        except RecognizerError as error:
            return _refused("cannot_recognize", str(error), error.retry_after_s)
        told = {"outcome": "ranked", "n": count, "model": str(data.get("model", ""))}
        return told, _json(answer)

    def _asked(self, data: Mapping[str, Any]) -> Callable[[SiteRef], tuple[dict[str, Any], int]]:
        """What a body asks for: gives the answer and how many descriptions were ranked for it."""
        if "descriptions" in data:
            descriptions = [Description.from_json(d) for d in data["descriptions"]]
            model = str(data.get("model", ""))

            def rank(site: SiteRef) -> tuple[dict[str, Any], int]:
                ranked = self._recognizer.rank(site, descriptions, model=model)
                return {"recognitions": [r.to_json() for r in ranked]}, len(ranked)

            return rank
        text, count = data.get("text"), int(data["count"])
        query = Description.from_json(data["description"]) if text is None else str(text)
        return lambda site: (self._recognizer.search(site, query, count=count).to_json(), 0)

    def _settle(self, site: str) -> None:
        if site in self._settled:
            return
        settle = getattr(self._recognizer, "settle", None)
        if settle is not None:
            settle(site)
        if (self._sites / site).is_dir():
            self._settled.add(site)


def _refused(outcome: str, detail: str, retry_after_s: float | None = None) -> Item:
    return {"outcome": outcome, "detail": detail[:500], "retry_after_s": retry_after_s}, b""


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


_HANDLERS: Mapping[str, Callable[[Any, Path], Handler]] = {
    "describe": _Describing,
    "rank": _Ranking,
}

if __name__ == "__main__":
    main()
