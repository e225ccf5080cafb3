"""One id from the browser to the model, through the outbox where work waits there."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.test import Client

from annotator.core import outbox
from annotator.core.models import OutboxEvent
from inference.client import HttpRecognizer
from inference.logs import HEADER, REQUEST_ID, JsonLines, bound


@pytest.fixture
def seen() -> Any:
    """A handler that remembers on whose behalf it ran."""
    ids: list[str] = []
    outbox.register("seen", lambda payloads: ids.append(REQUEST_ID.get()), batch=5)
    yield ids
    outbox._handlers.pop("seen")


def test_every_answer_names_its_request(client: Client, db: None) -> None:
    assert client.get("/healthz", headers={HEADER: "from-a-proxy"})[HEADER] == "from-a-proxy"
    first, second = (client.get("/api/v1/session")[HEADER] for _ in range(2))
    assert len(first) == 32 and first != second
    assert client.get("/healthz", headers={HEADER: "forged\nline"})[HEADER] != "forged\nline"
    assert REQUEST_ID.get() == ""


def test_the_log_of_a_request_carries_its_id(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[dict[str, Any]] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(self.format(record)))

    handler = Collect()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("annotator.access")
    logger.addHandler(handler)
    try:
        with caplog.at_level(logging.INFO, "annotator.access"):
            client.get("/api/v1/session", headers={HEADER: "r-1"})
    finally:
        logger.removeHandler(handler)
    (line,) = lines
    assert (line["request_id"], line["path"], line["status"]) == ("r-1", "/api/v1/session", 200)


@pytest.mark.django_db(transaction=True)
def test_queued_work_is_done_for_the_request_that_made_it(seen: list[str]) -> None:
    with bound("r-2"), transaction.atomic():
        outbox.enqueue("seen", queue="normal", payload={})
    assert OutboxEvent.objects.get().request_id == "r-2"
    outbox.drain("normal")
    assert seen == ["r-2"]


@pytest.mark.django_db(transaction=True)
def test_work_for_several_requests_says_for_which(
    seen: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for request_id in ("r-3", "r-4"):
        with bound(request_id), transaction.atomic():
            outbox.enqueue("seen", queue="normal", payload={})
    with caplog.at_level(logging.INFO, "inference.logs"):
        outbox.drain("normal")
    (together,) = seen
    assert f"{together} works for r-3, r-4" in caplog.text


def test_the_recognizer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(
            200, json={"results": [{"failure": {"code": "unreadable", "detail": ""}}]}
        )

    recognizer = HttpRecognizer("http://recognizer", timeout_s=10)
    recognizer._replicas = [
        httpx.Client(base_url="http://recognizer", transport=httpx.MockTransport(answer))
    ]
    with bound("r-5"):
        recognizer.describe([b"x"], urgent=True)
    recognizer.describe([b"x"])
    assert sent[0][HEADER] == "r-5" and HEADER not in sent[1]
    assert sent[0]["X-Priority"] == "urgent"
    assert 5000 < int(sent[0]["X-Deadline-Ms"]) <= 9500


def test_metrics_are_told_whatever_the_host(client: Client, db: None) -> None:
    answer = client.get("/metrics", headers={"host": "web:8000"})
    assert answer.status_code == 200 and b"django_http_requests" in answer.content
    assert client.get("/api/v1/session", headers={"host": "web:8000"}).status_code == 400
