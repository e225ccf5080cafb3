"""The inference server with the real recognizer, and what every server does."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from conftest import catalog_changes, encode, example, render_pack
from servers import NO_MODEL, Server, eventually, serving

from inference.client import HttpRecognizer
from inference.contracts import (
    Change,
    Description,
    Failure,
    RecognizerError,
    SiteRef,
    StaleMemory,
    write_segment,
)
from inference.local import LocalRecognizer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sites_dir: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, "--sites", str(sites_dir), "--max-body-mb", "2", *NO_MODEL) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[HttpRecognizer]:
    made = HttpRecognizer(server.url)
    yield made
    made.close()


def test_the_same_answers_as_in_process_and_after_a_restart(
    server: Server,
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
    recognizer.settle("served")
    (at_home,) = recognizer.rank(SiteRef("served", 8), [local])
    assert from_afar.candidates == at_home.candidates
    assert from_afar.candidates[0].sku_code == "JUICE-APPLE"
    assert from_afar.fields == at_home.fields
    assert client.ready()

    # Every model process dies; those that take their places say the same.
    for pid in server.processes():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: server.metric("restarts_total") >= 2 and client.ready())
    (again,) = client.rank(SiteRef("served", 8), [remote])
    assert (again.candidates, again.fields) == (from_afar.candidates, from_afar.fields)


def test_two_replicas_say_the_same_though_one_starts_in_the_middle(
    server: Server,
    sites_dir: Path,
    tmp_path: Path,
    described_packs: dict[str, list[Description]],
) -> None:
    changes = catalog_changes(described_packs)
    folder = sites_dir / "replicated"
    write_segment(folder, "log", changes, first=1, last=8)
    asked = [described_packs[code][2] for code in described_packs]
    said: dict[tuple[int, int], list[object]] = {}

    def ask(client: HttpRecognizer, number: int) -> tuple[int, int]:
        """Answers of the same numbers are the same, whoever gives them and when."""
        answers = client.rank(SiteRef("replicated", number), asked)
        numbers = (answers[0].site_number, answers[0].learned_number)
        plain = [replace(answer, timings_ms={}) for answer in answers]
        assert said.setdefault(numbers, plain) == plain
        return numbers

    def teach(first: int, code: str) -> int:
        for n in range(2):
            learned = example(f"cap:{code}-{n}", code, described_packs[code][n])
            change = Change(first + n, "put_example", example=learned)
            write_segment(folder, "log", [change], first=first + n, last=first + n)
        return first + 1

    options = ("--sites", str(sites_dir), *NO_MODEL)
    one = HttpRecognizer(server.url)
    with serving(tmp_path, *options) as second:
        two = HttpRecognizer(second.url)
        assert ask(one, 8) == ask(two, 8)
        number = teach(9, "MILK-LOW")
        ask(one, number), ask(two, number)
        second.process.kill()
        second.process.wait()
        # While it is away, the other one answers for both, and learns.
        either = HttpRecognizer([second.url, server.url])
        number = teach(11, "JUICE-APPLE")
        assert ask(either, number)[0] == number
        assert eventually(lambda: ask(either, number) == (number, number))
        either.close(), two.close()
    with serving(tmp_path, *options) as second:
        two = HttpRecognizer(second.url)
        assert ask(two, number) == (number, number)
        number = teach(13, "MILK-FULL")
        for client in (one, two, one, two):
            ask(client, number)
        assert eventually(lambda: ask(one, number) == ask(two, number) == (number, number))
        two.close()
    one.close()
    assert len(said) >= 3 and len({str(answers) for answers in said.values()}) >= 3


def test_search(
    server: Server,
    client: HttpRecognizer,
    sites_dir: Path,
    described_packs: dict[str, list[Description]],
) -> None:
    write_segment(sites_dir / "searched", "log", catalog_changes(described_packs), first=1, last=8)
    site = SiteRef("searched", 8)
    found = client.search(site, described_packs["JUICE-ORANGE"][1], count=3)
    assert (found.site_number, found.hits[0].sku_code, len(found.hits)) == (8, "JUICE-ORANGE", 3)
    assert found.hits[0].kind == "reference" and found.hits[0].by == ("picture",)
    by_text = client.search(site, "apple juice", count=1)
    assert [hit.sku_code for hit in by_text.hits] == ["JUICE-APPLE"]
    assert client.search(site, "", count=5).hits == ()
    with pytest.raises(StaleMemory):
        client.search(SiteRef("searched", 99), "apple", count=1)
    bad = httpx.post(f"{server.url}/v1/search", json={"site": "searched", "number": 8}, timeout=60)
    assert (bad.status_code, bad.json()["type"]) == (400, "bad_request")


def test_a_number_that_is_not_published_yet_is_stale(
    client: HttpRecognizer, described_packs: dict[str, list[Description]]
) -> None:
    with pytest.raises(StaleMemory) as caught:
        client.rank(SiteRef("unpublished", 3), [described_packs["MILK-LOW"][0]])
    assert caught.value.retry_after_s == 1


def test_nothing_asked_nothing_sent(client: HttpRecognizer) -> None:
    assert client.describe([]) == []
    assert client.rank(SiteRef("any", 0), []) == []


def test_bodies_are_bounded(client: HttpRecognizer, server: Server) -> None:
    with pytest.raises(RecognizerError, match="413") as caught:
        client.describe([b"x" * 2_200_000])
    assert caught.value.retry_after_s is None

    def chunks() -> Iterator[bytes]:  # no length is announced
        yield b'--b\r\nContent-Disposition: form-data; name="images"; filename="0"\r\n\r\n'
        for _ in range(30):
            yield b"x" * 100_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{server.url}/v1/describe", content=chunks(), headers=headers, timeout=60)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/v1/describe", "/v1/rank"])
@pytest.mark.parametrize("body", [b"", b"[1, 2]", b"{}", b"\xff\xfe"])
def test_requests_that_make_no_sense(server: Server, path: str, body: bytes) -> None:
    answer = httpx.post(f"{server.url}{path}", content=body, timeout=60)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("site", ["", "../served", "a/b", ".hidden"])
def test_site_names_stay_inside_the_folder(
    client: HttpRecognizer, site: str, described_packs: dict[str, list[Description]]
) -> None:
    with pytest.raises(RecognizerError, match="422"):
        client.rank(SiteRef(site, 0), [described_packs["MILK-LOW"][0]])


def test_a_kept_result_is_the_same_and_is_counted(server: Server, client: HttpRecognizer) -> None:
    picture = encode(render_pack("ARLA", "Milk", "3%", turn=3))
    hits = server.metric("cache_lookups_total", result="hit")
    first, again = client.describe([picture])[0], client.describe([picture])[0]
    assert first == again
    assert server.metric("cache_lookups_total", result="hit") == hits + 1
    # One bit of the file is another picture, however alike they look.
    client.describe([picture + b"\0"])
    assert server.metric("cache_lookups_total", result="hit") == hits + 1


def test_metrics(server: Server, client: HttpRecognizer) -> None:
    client.describe([b"nonsense"])
    text = server.get("/metrics").text
    assert 'warevision_recognizer_pictures_total{outcome="unreadable"}' in text
    assert 'warevision_recognizer_queue_depth{lane="urgent",pool="describe"} 0.0' in text
    assert server.metric("process_resident_bytes", pool="describe") > 50 << 20
    assert server.get("/healthz").status_code == 200


def test_nobody_there() -> None:
    client = HttpRecognizer("http://127.0.0.1:9", timeout_s=1)
    assert not client.ready()
    with pytest.raises(RecognizerError, match="cannot be reached") as caught:
        client.describe([b"x"])
    assert caught.value.retry_after_s
