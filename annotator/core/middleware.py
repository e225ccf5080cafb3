"""Middleware that must answer even when the rest cannot."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django_prometheus.exports import ExportToDjangoView

from inference import logs

from .http import problem

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]


access = logging.getLogger("annotator.access")


def request_ids(get_response: GetResponse) -> GetResponse:
    """Every request has an id: its caller's, or one made here. What is logged, queued or asked of the
    recognizer on its behalf carries it, and the answer names it."""

    def handle(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        with logs.bound(logs.accepted(request.headers.get(logs.HEADER))):
            response = get_response(request)
            response.headers[logs.HEADER] = logs.REQUEST_ID.get()
            if request.path.startswith(("/api/", "/v1/")):
                told = {
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                }
                line = "%(method)s %(path)s %(status)s %(ms)s ms"
                access.info(line, told, extra={"data": told})
        return response

    return handle


def probes(get_response: GetResponse) -> GetResponse:
    """``/healthz``: the process is alive. ``/readyz``: it can work (the database answers and is
    migrated). ``/metrics``: for Prometheus. Ahead of host checks, so that a load balancer or Prometheus
    can ask by address."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            return _readiness()
        if request.path == "/metrics":
            exported: HttpResponse = ExportToDjangoView(request)
            return exported
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


def _limit_bytes(request: HttpRequest) -> int:
    """How long a body may be: several pictures as files, one as base64, else plain JSON."""
    if request.content_type == "multipart/form-data":
        return settings.MAX_UPLOAD_BYTES * 4
    if request.path.startswith("/v1/"):
        return settings.MAX_UPLOAD_BYTES * 3 // 2
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def answer_errors_as_problems(get_response: GetResponse) -> GetResponse:
    """Errors that arise outside the REST views still answer the API in problem+json."""

    def is_api(request: HttpRequest) -> bool:
        return request.path.startswith(("/api/", "/v1/"))

    def handle(request: HttpRequest) -> HttpResponse:
        length, limit = request.headers.get("Content-Length", ""), _limit_bytes(request)
        if length.isdigit() and int(length) > limit:
            with translation.override(translation.get_language_from_request(request)):
                return problem(413, "payload_too_large", limit_mb=limit >> 20)
        response = get_response(request)
        html = response.get("Content-Type", "").startswith("text/html")
        if is_api(request) and html and response.status_code >= 400:
            code = {400: "bad_request", 403: "permission_denied", 404: "not_found"}.get(
                response.status_code, "server_error"
            )
            with translation.override(translation.get_language_from_request(request)):
                return problem(response.status_code, code, detail=response.reason_phrase)
        return response

    return handle
