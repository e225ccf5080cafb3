from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
import uvicorn
from conftest import catalog_changes, encode, render_pack

from inference.client import HttpRecognizer
from inference.contracts import (
    Description,
    Failure,
    RecognizerError,
    SiteRef,
    StaleMemory,
    write_segment,
)
from inference.local import LocalRecognizer
from inference.serving.app import ServerLimits, create_app
from inference.serving.queue import PictureQueue, QueueFull


class Unclosed(LocalRecognizer):
    """The session's recognizer, which outlives one server."""

    def __init__(self, inner: LocalRecognizer) -> None:
        self.__dict__ = inner.__dict__

    def close(self) -> None:
        return


@pytest.fixture(scope="module")
def base_url(recognizer: LocalRecognizer) -> Iterator[str]:
    limits = ServerLimits(max_body_bytes=2_000_000, max_images=4, queue_capacity=4)
    app = create_app(Unclosed(recognizer), limits=limits)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while not (server.started and httpx.get(f"{url}/readyz", timeout=60).status_code == 200):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield url
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture
def client(base_url: str) -> Iterator[HttpRecognizer]:
    made = HttpRecognizer(base_url)
    yield made
    made.close()


def test_the_same_answers_as_in_process(
    client: HttpRecognizer,
    recognizer: LocalRecognizer,
    sites_dir: Path,
    described_packs: dict[str, list[Description]],
) -> None:
    write_segment(sites_dir / "served", "log", catalog_changes(described_packs), first=1, last=8)
    pictures = [encode(render_pack("BRAVO", "Apple", "Juice", turn=5)), b"nonsense"]
    remote, bad = client.describe(pictures, urgent=True)
    local, _ = recognizer.describe(pictures)
    assert isinstance(bad, Failure) and bad.code == "unreadable"
    assert isinstance(remote, Description) and isinstance(local, Description)
    assert (remote.embedding, remote.keypoints) == (local.embedding, local.keypoints)
    assert remote.ocr_lines == local.ocr_lines
    (from_afar,) = client.rank(SiteRef("served", 8), [remote])
    (at_home,) = recognizer.rank(SiteRef("served", 8), [local])
    assert from_afar.candidates == at_home.candidates
    assert from_afar.candidates[0].sku_code == "JUICE-APPLE"
    assert from_afar.fields == at_home.fields
    assert client.ready()


def test_a_number_that_is_not_published_yet_is_stale(
    client: HttpRecognizer, described_packs: dict[str, list[Description]]
) -> None:
    with pytest.raises(StaleMemory) as caught:
        client.rank(SiteRef("unpublished", 3), [described_packs["MILK-LOW"][0]])
    assert caught.value.retry_after_s == 1


def test_nothing_asked_nothing_sent(client: HttpRecognizer) -> None:
    assert client.describe([]) == []
    assert client.rank(SiteRef("any", 0), []) == []


def test_bodies_are_bounded(client: HttpRecognizer, base_url: str) -> None:
    with pytest.raises(RecognizerError, match="413") as caught:
        client.describe([b"x" * 2_100_000])
    assert caught.value.retry_after_s is None

    def chunks() -> Iterator[bytes]:  # no length is announced
        yield b'--b\r\nContent-Disposition: form-data; name="images"; filename="0"\r\n\r\n'
        for _ in range(30):
            yield b"x" * 100_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{base_url}/v1/describe", content=chunks(), headers=headers, timeout=60)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/v1/describe", "/v1/rank"])
@pytest.mark.parametrize("body", [b"", b"[1, 2]", b"{}", b"\xff\xfe"])
def test_requests_that_make_no_sense(base_url: str, path: str, body: bytes) -> None:
    answer = httpx.post(f"{base_url}{path}", content=body, timeout=60)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_too_many_pictures_for_the_queue(base_url: str) -> None:
    small = encode(render_pack("A", side=64))
    with HttpClients(base_url, 6) as clients:
        outcomes = clients.describe_at_once([small] * 3)
    refused = [o for o in outcomes if isinstance(o, RecognizerError)]
    served = [o for o in outcomes if isinstance(o, list)]
    assert served and all(len(o) == 3 for o in served)
    assert refused and all(o.retry_after_s and "503" in str(o) for o in refused)


def test_metrics(client: HttpRecognizer, base_url: str) -> None:
    client.describe([b"nonsense"])
    text = httpx.get(f"{base_url}/metrics", timeout=60).text
    assert 'warevision_recognizer_pictures_total{outcome="unreadable"}' in text
    assert "warevision_recognizer_queue_depth 0" in text
    assert httpx.get(f"{base_url}/healthz", timeout=60).status_code == 200


def test_nobody_there() -> None:
    client = HttpRecognizer("http://127.0.0.1:9", timeout_s=1)
    assert not client.ready()
    with pytest.raises(RecognizerError, match="cannot be reached") as caught:
        client.describe([b"x"])
    assert caught.value.retry_after_s


class HttpClients:
    """Several clients that ask at the same moment."""

    def __init__(self, base_url: str, count: int) -> None:
        self._clients = [HttpRecognizer(base_url) for _ in range(count)]

    def __enter__(self) -> HttpClients:
        return self

    def __exit__(self, *error: object) -> None:
        for client in self._clients:
            client.close()

    def describe_at_once(self, images: Sequence[bytes]) -> list[object]:
        outcomes: list[object] = []
        together = threading.Barrier(len(self._clients))

        def ask(client: HttpRecognizer) -> None:
            together.wait()
            try:
                outcomes.append(client.describe(images))
            except RecognizerError as error:
                outcomes.append(error)

        threads = [threading.Thread(target=ask, args=(c,)) for c in self._clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes


# --- the queue by itself ----------------------------------------------------------------------


class Gate:
    """A describer that waits to be let through, and remembers the order."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.started = threading.Event()
        self.batches: list[list[bytes]] = []

    def __call__(self, images: Sequence[bytes]) -> list[Description | Failure]:
        self.batches.append(list(images))
        self.started.set()
        self.open.wait(60)
        if b"crash" in images:
            raise RuntimeError("no luck")
        return [Failure("unreadable", image.decode()) for image in images]


def test_urgent_pictures_overtake_and_batches_are_small() -> None:
    gate = Gate()
    queue = PictureQueue(gate, capacity=10, batch_size=2)
    first = queue.submit([b"first"])
    assert gate.started.wait(60)
    normal = queue.submit([b"n1", b"n2", b"n3"])
    urgent = queue.submit([b"u1"], urgent=True)
    gate.open.set()
    results = [f.result(60) for f in (*first, *normal, *urgent)]
    assert [r.detail for r in results if isinstance(r, Failure)] == [
        "first",
        "n1",
        "n2",
        "n3",
        "u1",
    ]
    assert gate.batches == [[b"first"], [b"u1"], [b"n1", b"n2"], [b"n3"]]
    queue.close()


def test_a_full_queue_takes_a_request_whole_or_not_at_all() -> None:
    gate = Gate()
    queue = PictureQueue(gate, capacity=3)
    queue.submit([b"running"])
    assert gate.started.wait(60)
    queue.submit([b"1", b"2"])
    with pytest.raises(QueueFull) as caught:
        queue.submit([b"3", b"4"])
    assert caught.value.retry_after_s >= 1
    assert queue.depth == 2
    queue.submit([b"3"])
    gate.open.set()
    queue.close()


def test_a_crash_is_answered_and_the_worker_lives() -> None:
    gate = Gate()
    gate.open.set()
    queue = PictureQueue(gate)
    (crashed,) = queue.submit([b"crash"])
    failure = crashed.result(60)
    assert isinstance(failure, Failure) and failure.code == "internal"
    (after,) = queue.submit([b"after"])
    assert after.result(60) == Failure("unreadable", "after")
    assert queue.ready
    queue.close()


def test_closing_cancels_what_waits() -> None:
    gate = Gate()
    queue = PictureQueue(gate)
    queue.submit([b"running"])
    assert gate.started.wait(60)
    (waiting,) = queue.submit([b"waiting"])
    # the running batch ends only when the waiting one has been cancelled
    waiting.add_done_callback(lambda _: gate.open.set())
    queue.close()
    assert waiting.cancelled()
    with pytest.raises(QueueFull):
        queue.submit([b"late"])
