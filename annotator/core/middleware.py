"""Middleware that must answer even when the rest cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from .http import problem

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]


def probes(get_response: GetResponse) -> GetResponse:
    """``/healthz``: the process is alive. ``/readyz``: it can work (the database answers and is
    migrated). Ahead of host checks, so that a load balancer can ask by address."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            return _readiness()
        return get_response(request)

    return handle


def _readiness() -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM accounts_user LIMIT 1")
    except Exception as error:
        log.warning("Not ready: %s", error)
        return JsonResponse({"status": "unavailable", "database": str(error)[:200]}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})


def answer_errors_as_problems(get_response: GetResponse) -> GetResponse:
    """Errors that arise outside the REST views still answer the API in problem+json."""

    def is_api(request: HttpRequest) -> bool:
        return request.path.startswith(("/api/", "/v1/"))

    def handle(request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > settings.MAX_UPLOAD_BYTES * 4:
            return problem(413, "payload_too_large", limit_mb=settings.MAX_UPLOAD_BYTES * 4 >> 20)
        try:
            response = get_response(request)
        except RequestDataTooBig:
            return problem(413, "payload_too_large", limit_mb=settings.MAX_UPLOAD_BYTES >> 20)
        except TooManyFilesSent:
            return problem(413, "too_many_files", limit=settings.UPLOAD_FILES_PER_REQUEST)
        html = response.get("Content-Type", "").startswith("text/html")
        if is_api(request) and html and response.status_code >= 400:
            code = {400: "bad_request", 403: "permission_denied", 404: "not_found"}.get(
                response.status_code, "server_error"
            )
            return problem(response.status_code, code, detail=response.reason_phrase)
        return response

    return handle
