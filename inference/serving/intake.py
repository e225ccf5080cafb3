"""What stands before the routes: bodies within bounds, a request id, a line in the log."""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference import logs
from inference.serving.problems import problem

access = logging.getLogger("inference.access")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


class Intake:
    """Bodies above ``max_body_bytes`` get 413, announced or found while reading; while bodies of more
    than ``max_waiting_bytes`` are on their way, more get 503. Every answer names its request."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, max_waiting_bytes: int) -> None:
        self._app = app
        self._max_body = max_body_bytes
        self._room = max_waiting_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = logs.accepted(Headers(scope=scope).get(logs.HEADER))
        told: dict[str, Any] = {}
        scope["log"] = told
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[logs.HEADER] = request_id
            await send(message)

        with logs.bound(request_id):
            try:
                await self._bounded(scope, receive, named)
            finally:
                if scope["path"] not in _QUIET:
                    ms = round((time.perf_counter() - started) * 1000, 1)
                    data = {"path": scope["path"], "status": status, "ms": ms, **told}
                    access.info("%s %d", scope["path"], status, extra={"data": data})

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = Headers(scope=scope).get("content-length", "0")
        announced = int(text) if text.isdigit() else 0
        if announced > self._max_body:
            await self._too_large()(scope, receive, send)
            return
        if announced > self._room:
            full = problem(503, "queue_full", "too many bodies are on their way", retry_after_s=1)
            await full(scope, receive, send)
            return
        held = announced
        self._room -= held
        received = 0

        async def counted() -> Message:
            nonlocal received, held
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body:
                raise HTTPException(413, f"at most {self._max_body} bytes are accepted")
            if received > held:  # its length was not announced
                self._room -= received - held
                held = received
                if self._room < 0:
                    raise HTTPException(503, "too many bodies are on their way")
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._room += held

    def _too_large(self) -> ASGIApp:
        return problem(413, "too_large", f"at most {self._max_body} bytes are accepted")
