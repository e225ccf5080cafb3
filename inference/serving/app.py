"""The HTTP face of a recognizer.

``POST /v1/describe``: multipart, one part ``images`` a picture, ``X-Priority: urgent`` optional →
``{"results": [{"description": …} | {"failure": …}]}``. ``POST /v1/rank``: JSON ``{"site",
"number", "descriptions"}`` → ``{"recognitions": […]}``. Errors are RFC 9457 problems whose ``type``
is one of ``queue_full``, ``timed_out``, ``stale_memory``, ``cannot_recognize``, ``bad_request``,
``too_large``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.contracts import (
    Description,
    Failure,
    OtherDescriber,
    RecognizerError,
    SiteRef,
    StaleMemory,
)
from inference.local import LocalRecognizer
from inference.serving.metrics import Metrics
from inference.serving.queue import PictureQueue, QueueFull


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one request may cost."""

    max_body_bytes: int = 80 * 1024 * 1024
    max_images: int = 32
    max_descriptions: int = 256
    queue_capacity: int = 64
    deadline_s: float = 120.0


class BodyLimit:
    """Answers 413 to bodies above the limit, whether announced or only found while reading."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._max_bytes:
            problem = _problem(413, "too_large", f"at most {self._max_bytes} bytes are accepted")
            await problem(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, f"at most {self._max_bytes} bytes are accepted")
            return message

        await self._app(scope, counted, send)


def create_app(
    recognizer: LocalRecognizer, *, limits: ServerLimits | None = None, workers: int = 1
) -> Starlette:
    """The ASGI application. It owns the queue's threads and closes ``recognizer`` at the end."""
    bounds = limits or ServerLimits()
    metrics = Metrics()
    queue = PictureQueue(
        recognizer.describe,
        capacity=bounds.queue_capacity,
        workers=workers,
        warm_up=recognizer.warm_up,
    )

    async def describe(request: Request) -> Response:
        images = await _images(request, bounds.max_images)
        urgent = request.headers.get("x-priority", "").lower() == "urgent"
        started = time.perf_counter()
        futures = queue.submit(images, urgent=urgent)
        waiting = asyncio.gather(*(asyncio.wrap_future(f) for f in futures))
        results = await asyncio.wait_for(waiting, bounds.deadline_s)
        metrics.add("describe_seconds_total", time.perf_counter() - started)
        for result in results:
            outcome = result.code if isinstance(result, Failure) else "described"
            metrics.add("pictures_total", outcome=outcome)
        return JSONResponse({"results": [_described(r) for r in results]})

    async def rank(request: Request) -> Response:
        site, descriptions = _rank_request(await request.body(), bounds.max_descriptions)
        started = time.perf_counter()
        recognitions = await anyio.to_thread.run_sync(recognizer.rank, site, descriptions)
        metrics.add("rank_seconds_total", time.perf_counter() - started)
        metrics.add("ranked_total", len(recognitions))
        return JSONResponse({"recognitions": [r.to_json() for r in recognitions]})

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(request: Request) -> Response:
        ready = queue.ready and recognizer.ready()
        return PlainTextResponse("ready\n" if ready else "not ready\n", 200 if ready else 503)

    async def metrics_text(request: Request) -> Response:
        gauges = {"queue_depth": float(queue.depth), "ready": float(queue.ready)}
        return PlainTextResponse(metrics.render(gauges), media_type="text/plain; version=0.0.4")

    def counted(name: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Any:
        async def wrapped(request: Request) -> Response:
            try:
                response = await endpoint(request)
            except Exception as error:
                response = _answer(error)
            metrics.add("requests_total", route=name, status=str(response.status_code))
            return response

        return wrapped

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(queue.close)
        await anyio.to_thread.run_sync(recognizer.close)

    return Starlette(
        routes=[
            Route("/v1/describe", counted("describe", describe), methods=["POST"]),
            Route("/v1/rank", counted("rank", rank), methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics_text),
        ],
        middleware=[Middleware(BodyLimit, max_bytes=bounds.max_body_bytes)],
        lifespan=lifespan,
    )


async def _images(request: Request, most: int) -> list[bytes]:
    async with request.form(max_files=most, max_fields=8) as form:
        uploads = [u for u in form.getlist("images") if isinstance(u, UploadFile)]
        images = [await upload.read() for upload in uploads]
    if not images:
        raise HTTPException(400, "no part named images")
    return images


def _rank_request(body: bytes, most: int) -> tuple[SiteRef, list[Description]]:
    try:
        data = json.loads(body)
        site = SiteRef(str(data["site"]), int(data["number"]))
        descriptions = [Description.from_json(d) for d in data["descriptions"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HTTPException(400, f"not a rank request: {error!r}") from error
    if len(descriptions) > most:
        raise HTTPException(400, f"at most {most} descriptions a request")
    return site, descriptions


def _described(result: Description | Failure) -> dict[str, Any]:
    if isinstance(result, Failure):
        return {"failure": asdict(result)}
    return {"description": result.to_json()}


def _answer(error: Exception) -> Response:
    """The problem response for an error; unknown ones go on to the server's own handler."""
    if isinstance(error, QueueFull):
        return _problem(503, "queue_full", str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, TimeoutError):
        return _problem(503, "timed_out", "the picture waited too long", retry_after_s=5)
    if isinstance(error, asyncio.CancelledError):
        return _problem(503, "timed_out", "the server is stopping", retry_after_s=5)
    if isinstance(error, StaleMemory):
        return _problem(409, "stale_memory", str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, OtherDescriber):
        return _problem(409, "other_describer", str(error))
    if isinstance(error, RecognizerError):
        return _problem(422, "cannot_recognize", str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, HTTPException):
        kind = "too_large" if error.status_code == 413 else "bad_request"
        return _problem(error.status_code, kind, error.detail)
    raise error


def _problem(
    status: int, kind: str, detail: str, *, retry_after_s: float | None = None
) -> Response:
    headers = {} if retry_after_s is None else {"Retry-After": str(max(1, round(retry_after_s)))}
    return JSONResponse(
        {"type": kind, "title": kind.replace("_", " "), "status": status, "detail": detail},
        status,
        headers,
        media_type="application/problem+json",
    )
