"""Captions before a LanguageTool server: a peer that speaks its protocol over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
import time_machine
from django.utils import timezone

from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.core.models import OutboxEvent
from annotator.quality import queries
from annotator.quality import services as quality
from annotator.quality.models import Fact, TextScore
from tests import factories
from tests.acting import submit, take
from tests.conftest import Api

pytestmark = pytest.mark.django_db


class Peer(BaseHTTPRequestHandler):
    """``/v2/languages`` and ``/v2/check``, as LanguageTool documents them: it minds the word 箱子."""

    asked: list[str]

    def do_GET(self) -> None:
        codes = ("zh-CN", "en-US", "ja-JP")
        self._answer([{"name": c, "code": c[:2], "longCode": c} for c in codes])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        text = parse_qs(body)["text"][0]
        self.asked.append(text)
        place = text.find("箱子")
        match = {
            "message": "多余的字", "shortMessage": "", "offset": place, "length": 2,
            "replacements": [{"value": "箱"}], "context": {"text": text, "offset": place, "length": 2},
            "sentence": text, "type": {"typeName": "Other"},
            "rule": {"id": "ZH_BOX", "description": "", "issueType": "style",
                     "category": {"id": "STYLE", "name": ""}},
            "ignoreForIncompleteSentence": False, "contextForSureMatch": 0,
        }  # fmt: skip
        self._answer({"language": {"code": "zh-CN"}, "matches": [match] if place >= 0 else []})

    def _answer(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Asked", (Peer,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def decided(project: Any, **fields: Any) -> None:
    factories.TaskFactory(project=project)
    for _ in range(2):
        api = Api(factories.member(project.site, Role.ANNOTATOR))
        submit(api, take(api, project), **fields)


def run_later(seconds: int = 30) -> None:
    with time_machine.travel(timezone.now() + timezone.timedelta(seconds=seconds)):
        outbox.drain("bulk")


def fluency(project: Any) -> dict[str, Any]:
    return next(m for m in queries.report(project)["metrics"] if m["key"] == "fluency")


def test_captions_are_checked_once_and_counted(server: ThreadingHTTPServer, settings: Any) -> None:
    settings.LANGUAGETOOL_URL = f"http://127.0.0.1:{server.server_address[1]}"
    project = factories.ProjectFactory()
    for fields in ({}, {}, {"category": "箱子"}):
        decided(project, **fields)
    run_later()
    asked = server.RequestHandlerClass.asked  # type: ignore[attr-defined]
    assert len(asked) == len(set(asked)) == 2, "the same caption is read once"
    found = fluency(project)
    assert (found["count"], found["value"]) == (3, pytest.approx((100 + 100 + 90) / 3, abs=0.01))
    [hit] = TextScore.objects.exclude(hits=[]).get().hits
    assert (hit["rule"], hit["length"]) == ("ZH_BOX", 2)
    before = list(Fact.objects.order_by("task", "pk").values_list("readings", flat=True))
    quality.rebuild(project)
    assert list(Fact.objects.order_by("task", "pk").values_list("readings", flat=True)) == before
    assert len(asked) == 2


def test_a_server_that_is_away_is_no_pass(server: ThreadingHTTPServer, settings: Any) -> None:
    settings.LANGUAGETOOL_URL = "http://127.0.0.1:9"  # nobody answers there
    project = factories.ProjectFactory()
    decided(project)
    run_later()
    found = fluency(project)
    assert (found["count"], found["value"], found["passes"]) == (0, None, None)
    [waiting] = OutboxEvent.objects.filter(handler="check_captions")
    assert "LanguageTool" in waiting.last_error and waiting.failed_at is None
    settings.LANGUAGETOOL_URL = f"http://127.0.0.1:{server.server_address[1]}"
    run_later(300)
    assert fluency(project)["value"] == 100.0
