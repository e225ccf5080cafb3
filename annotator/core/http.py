"""The HTTP shell of every room: problem+json errors, paging, precondition headers."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from .errors import DomainError, EditConflict, FieldError, Invalid, Unavailable
from .messages import text

log = logging.getLogger(__name__)
PROBLEM = "application/problem+json"


def problem_body(status: int, code: str, detail: str, **extras: Any) -> dict[str, Any]:
    """The JSON of a problem."""
    return {
        "type": f"about:blank#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **extras,
    }


def problem(status: int, code: str, **params: Any) -> HttpResponse:
    """A problem as a plain Django response."""
    return JsonResponse(
        problem_body(status, code, text(code, **params)), status=status, content_type=PROBLEM
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What a request with a missing or wrong CSRF token gets."""
    return problem(403, "csrf_failed")


IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that was edited."
)


def version_seen(request: Request) -> int | None:
    """The version that ``If-Match`` names; None without one. Raises EditConflict for a tag that was
    never given out."""
    tag = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not tag or tag == "*":
        return None
    if not tag.isdigit():
        raise EditConflict()
    return int(tag)


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view raised into problem+json."""
    set_rollback()
    answer = _answer(error, context["request"].method or "")
    if answer is None:
        return None
    status, body, headers = answer
    return Response(body, status=status, headers=headers, content_type=PROBLEM)


def _answer(error: Exception, method: str) -> tuple[int, dict[str, Any], dict[str, str]] | None:
    if isinstance(error, DomainError):
        extras = dict(error.extras)
        if isinstance(error, Invalid):
            extras["errors"] = [e.to_json() for e in error.errors]
        headers = {}
        if isinstance(error, Unavailable):
            headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
        return error.status, problem_body(error.status, error.code, error.detail, **extras), headers
    if isinstance(error, Http404):
        return 404, problem_body(404, "not_found", text("not_found")), {}
    if isinstance(error, PermissionDenied):
        return 403, problem_body(403, "permission_denied", text("permission_denied")), {}
    if isinstance(error, RequestDataTooBig):
        limit_mb = settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20
        detail = text("payload_too_large", limit_mb=limit_mb)
        return 413, problem_body(413, "payload_too_large", detail), {}
    if isinstance(error, TooManyFilesSent):
        detail = text("too_many_files", limit=settings.UPLOAD_FILES_PER_REQUEST)
        return 413, problem_body(413, "too_many_files", detail), {}
    if isinstance(error, exceptions.APIException):
        return _framework_answer(error, method)
    return None


def _framework_answer(
    error: exceptions.APIException, method: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if isinstance(error, exceptions.ValidationError):
        errors = _flatten(error.detail)
        wrapped = Invalid(errors)
        body = problem_body(
            400, "invalid", wrapped.detail, errors=[e.to_json() for e in wrapped.errors]
        )
        return 400, body, headers
    if isinstance(error, exceptions.Throttled):
        seconds = int(getattr(error, "wait", None) or 1)
        headers["Retry-After"] = str(seconds)
        return 429, problem_body(429, "throttled", text("throttled", seconds=seconds)), headers
    if isinstance(error, exceptions.MethodNotAllowed):
        detail = text("method_not_allowed", method=method)
        return 405, problem_body(405, "method_not_allowed", detail), headers
    known = {
        exceptions.NotAuthenticated: "not_authenticated",
        exceptions.AuthenticationFailed: "not_authenticated",
        exceptions.PermissionDenied: "permission_denied",
        exceptions.NotFound: "not_found",
    }
    status = error.status_code
    for kind, code in known.items():
        if isinstance(error, kind):
            return status, problem_body(status, code, text(code)), headers
    detail = text("bad_request", detail=str(error.detail))
    return status, problem_body(status, "bad_request", detail), headers


def _flatten(detail: Any, path: str = "") -> list[FieldError]:
    if isinstance(detail, dict):
        return [
            e
            for key, value in detail.items()
            for e in _flatten(
                value, path if key == "non_field_errors" else f"{path}.{key}".lstrip(".")
            )
        ]
    if isinstance(detail, list):
        if all(isinstance(item, str) for item in detail):
            return [
                FieldError(path, str(getattr(item, "code", "invalid")), message=str(item))
                for item in detail
            ]
        return [e for n, item in enumerate(detail) for e in _flatten(item, f"{path}.{n}")]
    return [FieldError(path, str(getattr(detail, "code", "invalid")), message=str(detail))]
