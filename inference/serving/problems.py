"""Errors as RFC 9457 problems. ``type`` is one of :data:`KINDS`."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from inference.serving.pool import Expired, GivenUp, NotPrepared, Rejected

KINDS: Final = frozenset(
    {
        *("queue_full", "too_late", "not_ready", "timed_out", "stopping", "given_up"),
        *("stale_memory", "other_describer", "cannot_recognize", "bad_request", "too_large"),
        "model_refused",
        "internal",
    }
)
_STATUS = {
    "bad_request": 400,
    "stale_memory": 409,
    "other_describer": 409,
    "model_refused": 409,
    "cannot_recognize": 422,
    "internal": 503,
}
_AGAIN_S = 5


class ClientGone(Exception):
    """Nobody listens for the answer any more."""


def problem(status: int, kind: str, detail: str, *, retry_after_s: float | None = None) -> Response:
    """The response."""
    assert kind in KINDS
    headers = {} if retry_after_s is None else {"Retry-After": str(max(1, round(retry_after_s)))}
    return JSONResponse(
        {"type": kind, "title": kind.replace("_", " "), "status": status, "detail": detail},
        status,
        headers,
        media_type="application/problem+json",
    )


def refused(kind: str, detail: str, retry_after_s: float | None) -> Response:
    """What a model process refused."""
    kind = kind if kind in _STATUS else "internal"
    if kind == "internal":
        retry_after_s = _AGAIN_S
    return problem(_STATUS[kind], kind, detail, retry_after_s=retry_after_s)


def of_error(error: BaseException) -> Response | None:
    """The problem that an error stands for; None for one that nobody foresaw."""
    if isinstance(error, Rejected):
        return problem(503, error.kind, str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, TimeoutError | Expired):
        return problem(503, "timed_out", "the deadline passed", retry_after_s=_AGAIN_S)
    if isinstance(error, GivenUp):
        # One that ends processes must not come back for ever; one that found no memory may.
        if error.poison:
            return problem(422, "given_up", str(error))
        return problem(503, "given_up", str(error), retry_after_s=_AGAIN_S)
    if isinstance(error, NotPrepared):
        return refused("model_refused", str(error), None)
    if isinstance(error, ClientGone):
        # nobody reads it; the log does
        return problem(499, "timed_out", "the caller has gone")
    if isinstance(error, HTTPException):
        kind = {413: "too_large", 503: "queue_full"}.get(error.status_code, "bad_request")
        again = 1 if error.status_code == 503 else None
        return problem(error.status_code, kind, error.detail, retry_after_s=again)
    return None
