"""What becomes of requests when models hang, crash, run out of memory or are slow: a real server and
real processes, with a model whose faults are known."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from servers import FAULTY, Server, eventually, serving

from inference.client import HttpRecognizer
from inference.contracts import (
    Change,
    Description,
    Failure,
    RecognizerError,
    SiteRef,
    SkuRecord,
    StaleMemory,
    write_segment,
)
from inference.logs import bound
from tests.faulty import is_right

FAST = ("--recognizer", FAULTY, "--call-limit-s", "1", "--kill-grace-s", "0.5")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("faulty"), *FAST, "--workers", "2") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[HttpRecognizer]:
    made = HttpRecognizer(server.url, connections=64)
    yield made
    made.close()


def neighbours(name: str, count: int = 5) -> list[bytes]:
    """Pictures like no others, so that no kept result answers for them."""
    return [f"good {name} {n}".encode() for n in range(count)]


@pytest.mark.parametrize("fault", ["segfault", "abort", "exit", "hang", "gpu", "garble"])
def test_a_picture_that_ends_processes_fails_alone(
    server: Server, client: HttpRecognizer, fault: str
) -> None:
    good = neighbours(fault)
    *described, poison = client.describe([*good, f"{fault} it".encode()])
    assert all(is_right(image, answer) for image, answer in zip(good, described, strict=True))
    assert isinstance(poison, Failure) and poison.code == "internal"
    assert eventually(client.ready)
    # Sent again, it does no harm: it is known.
    restarts = server.metric("restarts_total")
    (again,) = client.describe([f"{fault} it".encode()])
    assert again == poison and server.metric("restarts_total") == restarts


@pytest.mark.parametrize("fault", ["out_of_memory", "allocate"])
def test_without_memory_batches_are_halved(
    server: Server, client: HttpRecognizer, fault: str
) -> None:
    good = neighbours(fault, 7)
    *described, greedy = client.describe([*good, f"{fault} now".encode()])
    assert all(is_right(image, answer) for image, answer in zip(good, described, strict=True))
    assert isinstance(greedy, Failure) and "memory" in greedy.detail
    assert server.metric("retries_total", reason="out of memory") >= 4


def test_an_error_of_the_model_costs_no_process(server: Server, client: HttpRecognizer) -> None:
    restarts = server.metric("restarts_total")
    good = neighbours("raise")
    *described, refused = client.describe([*good, b"raise it"])
    assert all(is_right(image, answer) for image, answer in zip(good, described, strict=True))
    assert refused == Failure("internal", "no such picture was foreseen")
    assert server.metric("restarts_total") == restarts


def test_what_libraries_print_does_not_disturb(client: HttpRecognizer) -> None:
    (answer,) = client.describe([b"print it"])
    assert isinstance(answer, Description)


def test_health_and_others_are_answered_while_a_model_hangs(
    server: Server, client: HttpRecognizer
) -> None:
    hung = threading.Thread(target=lambda: client.describe([b"hang for health"]))
    hung.start()
    slowest = 0.0
    answered = 0
    while hung.is_alive():
        started = time.monotonic()
        assert server.get("/healthz").status_code == 200
        slowest = max(slowest, time.monotonic() - started)
        (answer,) = client.describe([f"meanwhile {answered}".encode()])
        assert isinstance(answer, Description)
        answered += 1
    assert answered > 5
    # A generous bound: this machine may be busy. bench/serving.py prints the figure.
    assert slowest < 2.0


def test_processes_that_are_killed_are_replaced(server: Server, client: HttpRecognizer) -> None:
    before = server.processes()
    assert len(before) == 3
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    good = neighbours("killed")
    assert all(map(is_right, good, client.describe(good)))
    assert eventually(lambda: len(server.processes()) == 3)
    assert not set(before) & set(server.processes())


def test_a_process_that_grows_too_large_is_replaced(tmp_path: Path) -> None:
    # Hoarding takes a busy machine longer than the second that FAST gives a call.
    with serving(tmp_path, "--recognizer", FAULTY, "--memory-mb", "400") as small:
        client = HttpRecognizer(small.url)
        (pid,) = {int(d.timings_ms["pid"]) for d in client.describe([b"who"]) if not _failed(d)}  # type: ignore[union-attr]
        # Below what a process may allocate beyond its models, above what it may hold with them.
        client.describe([b"hoard 250", b"hoard 130"])
        assert eventually(lambda: pid not in small.processes())
        assert eventually(client.ready)
        assert small.metric("restarts_total", reason="memory") >= 1
        client.close()


def _failed(answer: Description | Failure) -> bool:
    return isinstance(answer, Failure)


def test_a_deadline_is_kept_and_what_it_leaves_is_not_done(
    server: Server, client: HttpRecognizer
) -> None:
    hasty = HttpRecognizer(server.url, timeout_s=0.4)
    with pytest.raises(RecognizerError) as caught:
        hasty.describe([b"sleep 0.8 a", b"sleep 0.8 b", b"sleep 0.8 c", b"sleep 0.8 d"])
    assert caught.value.retry_after_s
    assert eventually(lambda: server.metric("queue_depth") == 0)
    hasty.close()


def test_a_caller_who_goes_away_is_not_worked_for(server: Server) -> None:
    gone = server.metric("abandoned_total", reason="caller_gone")
    files = [("images", (str(n), f"sleep 0.3 {n}".encode())) for n in range(32)]
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/v1/describe", files=files, timeout=httpx.Timeout(60, read=0.3))
    assert eventually(lambda: server.metric("abandoned_total", reason="caller_gone") > gone)
    assert server.metric("queue_depth") == 0


def test_ranking_survives_its_process(server: Server, client: HttpRecognizer) -> None:
    (described,) = client.describe([b"ranked"])
    assert isinstance(described, Description)
    with pytest.raises(RecognizerError, match="422") as caught:
        client.rank(SiteRef("segfault-x", 0), [described])
    assert caught.value.retry_after_s is None
    with pytest.raises(RecognizerError, match="503") as caught:
        client.rank(SiteRef("out_of_memory-x", 0), [described])
    assert caught.value.retry_after_s
    (ranked,) = client.rank(SiteRef("calm", 0), [described])
    assert ranked.site_number == 0
    with pytest.raises(StaleMemory):
        client.rank(SiteRef("calm", 7), [described])


def test_the_request_id_goes_from_caller_to_model(server: Server, client: HttpRecognizer) -> None:
    with bound("from-the-browser-1"):
        client.describe([b"named", b"segfault for the log"])
    lines = [line for line in server.log() if line["request_id"] == "from-the-browser-1"]
    assert {line["logger"] for line in lines} >= {"inference.access", "inference.model"}
    assert len({line["process"] for line in lines}) > 1
    (access,) = [line for line in lines if line["logger"] == "inference.access"]
    assert (access["status"], access["pictures"], access["lane"]) == (200, 2, "normal")
    sent = {"X-Request-ID": "mine", "X-Priority": "urgent"}
    answer = httpx.post(f"{server.url}/v1/describe", files={"images": b"x"}, headers=sent)
    assert answer.headers["X-Request-ID"] == "mine"
    forged = httpx.get(f"{server.url}/healthz", headers={"X-Request-ID": 'a"} forged'})
    assert len(forged.headers["X-Request-ID"]) == 32


def test_all_faults_at_once(tmp_path: Path) -> None:
    rates = {"hang": 0.01, "segfault": 0.02, "out_of_memory": 0.05, "slow": 0.02}
    model = json.dumps({"rates": rates, "call_ms": 4})
    options = (
        *FAST,
        "--workers",
        "2",
        "--spares",
        "1",
        "--recognizer-options",
        model,
        "--tries",
        "8",
    )
    with serving(tmp_path, *options) as troubled:
        client = HttpRecognizer(troubled.url, connections=16)

        def ask(n: int) -> list[bool]:
            images = [f"good soak {n} {i}".encode() for i in range(3)]
            if n % 10 == 0:
                images.append(f"corrupt {n}".encode())
            return list(map(is_right, images, client.describe(images, urgent=n % 4 == 0)))

        with ThreadPoolExecutor(16) as people:
            outcomes = [right for answer in people.map(ask, range(200)) for right in answer]
        assert len(outcomes) == 620 and all(outcomes)
        assert troubled.metric("retries_total") >= 1
        assert troubled.metric("requests_total", status="500") == 0
        assert eventually(client.ready)
        client.close()


def test_a_model_that_cannot_start_is_said_so_and_tried_again(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.touch()
    options = (*FAST, "--recognizer-options", f'{{"broken_start": "{damaged}"}}')
    with serving(tmp_path, *options, wait=False) as broken:
        client = HttpRecognizer(broken.url)

        def hopeless() -> bool:
            try:
                return broken.metric("failed_starts_total", pool="describe") >= 3
            except httpx.HTTPError:
                return False

        assert eventually(hopeless)
        assert broken.get("/healthz").status_code == 200
        assert broken.get("/readyz").status_code == 503
        with pytest.raises(RecognizerError, match="no model process") as caught:
            client.describe([b"x"])
        assert caught.value.retry_after_s
        damaged.unlink()
        assert eventually(client.ready)
        assert is_right(b"x", client.describe([b"x"])[0])
        client.close()


def test_overload_is_turned_away_early_and_the_rest_is_served(tmp_path: Path) -> None:
    options = (*FAST, "--recognizer-options", '{"picture_ms": 20}', "--normal-capacity", "8")
    with serving(tmp_path, *options) as busy:
        client = HttpRecognizer(busy.url, connections=32)

        def ask(n: int) -> str:
            image = f"overload {n}".encode()
            try:
                (answer,) = client.describe([image])
            except RecognizerError as error:
                return "refused" if "503" in str(error) and error.retry_after_s else "unsaid"
            return "right" if is_right(image, answer) else "wrong"

        with ThreadPoolExecutor(32) as people:
            outcomes = list(people.map(ask, range(200)))
        assert set(outcomes) <= {"right", "refused"}
        assert outcomes.count("right") >= 8 and outcomes.count("refused") >= 8
        assert busy.metric("rejections_total", reason="queue_full") == outcomes.count("refused")
        # What cannot be done in time is not begun.
        hasty = HttpRecognizer(busy.url, timeout_s=0.02)
        with ThreadPoolExecutor(8) as people:
            list(people.map(ask, range(200, 208)))
        with pytest.raises(RecognizerError):
            hasty.describe([b"sleep 1"])
        client.close()
        hasty.close()


def test_urgent_pictures_overtake(tmp_path: Path) -> None:
    with serving(tmp_path, *FAST, "--recognizer-options", '{"picture_ms": 20}') as busy:
        client = HttpRecognizer(busy.url, connections=16)
        finished: list[str] = []

        def ask(lane: str, n: int) -> None:
            images = [f"{lane} {n} {i}".encode() for i in range(20 if lane == "normal" else 1)]
            client.describe(images, urgent=lane == "urgent")
            finished.append(lane)

        with ThreadPoolExecutor(16) as people:
            for n in range(8):
                people.submit(ask, "normal", n)
            assert eventually(lambda: busy.metric("queue_depth", lane="normal") > 60)
            for n in range(4):
                people.submit(ask, "urgent", n)
        # 160 normal pictures of 20 ms were there first.
        assert "urgent" in finished[:4] and finished[-1] == "normal"
        client.close()


def test_model_processes_do_not_outlive_a_killed_server(tmp_path: Path) -> None:
    with serving(tmp_path, *FAST) as running:
        pids = running.processes()
        assert len(pids) == 2
        running.process.kill()
        running.process.wait()
        assert eventually(lambda: all(_is_gone(pid) for pid in pids))


def _is_gone(pid: int) -> bool:
    """An orphan is reaped by init, where there is one; until then it is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_model_processes_know_no_secrets(tmp_path: Path) -> None:
    options = (*FAST, "--pass-environment", "MODEL_HINT")
    secrets = {"WAREVISION_SECRET_KEY": "s3cret", "DATABASE_URL": "s3cret", "MODEL_HINT": "h"}
    with serving(tmp_path, *options, **secrets) as running:
        for pid in running.processes():
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"s3cret" not in environment and b"MODEL_HINT=h" in environment


# --- several replicas -------------------------------------------------------------------------


def put_sku(number: int) -> Change:
    return Change(number, "put_sku", sku=SkuRecord(f"SKU-{number}", "x"))


def test_a_replica_that_is_behind_sends_elsewhere_and_one_that_is_gone_is_passed_over(
    tmp_path: Path,
) -> None:
    fresh_sites, late_sites = tmp_path / "fresh", tmp_path / "late"
    write_segment(fresh_sites / "s", "log", [put_sku(1), put_sku(2)], first=1, last=2)
    write_segment(late_sites / "s", "log", [put_sku(1)], first=1, last=1)
    options = ("--recognizer", FAULTY)
    with (
        serving(tmp_path / "a", *options, "--sites", str(fresh_sites)) as fresh,
        serving(
            tmp_path / "b", *options, "--sites", str(late_sites), "--stale-wait-s", "0.1"
        ) as late,
    ):
        gone = "http://127.0.0.1:9"
        (picture,) = HttpRecognizer(fresh.url).describe([b"a picture"])
        assert isinstance(picture, Description)
        for urls in ([fresh.url, late.url, gone], [gone, late.url, fresh.url], [late.url, gone]):
            client = HttpRecognizer(urls)
            assert client.ready()
            (at_once,) = client.rank(SiteRef("s", 1), [picture])
            assert at_once.site_number >= 1
            if fresh.url in urls:
                (ranked,) = client.rank(SiteRef("s", 2), [picture])
                assert ranked.site_number == 2
            else:
                with pytest.raises(RecognizerError) as caught:
                    client.rank(SiteRef("s", 2), [picture])
                assert caught.value.retry_after_s
            assert is_right(b"elsewhere", client.describe([b"elsewhere"])[0])
            client.close()
        # What every replica would say is not asked for twice.
        both = HttpRecognizer([fresh.url, late.url])
        refused = sum(s.metric("requests_total", route="rank") for s in (fresh, late))
        with pytest.raises(RecognizerError, match="422"):
            both.rank(SiteRef("", 0), [picture])
        after = sum(s.metric("requests_total", route="rank") for s in (fresh, late))
        assert after == refused + 1
        both.close()


def test_a_replica_waits_a_little_for_what_is_on_its_way(tmp_path: Path) -> None:
    sites = tmp_path / "sites"
    with serving(tmp_path, "--recognizer", FAULTY, "--stale-wait-s", "60") as server:
        client = HttpRecognizer(server.url)
        (picture,) = client.describe([b"a picture"])
        assert isinstance(picture, Description)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.rank, SiteRef("s", 1), [picture])
            assert eventually(lambda: server.metric("batch_size_count", pool="rank") >= 1)
            assert not asked.done()
            write_segment(sites / "s", "log", [put_sku(1)], first=1, last=1)
            (ranked,) = asked.result(60)
        assert ranked.site_number == 1
        client.close()


# --- the same picture at the same time --------------------------------------------------------


def test_the_same_picture_at_the_same_time_is_one_computation(tmp_path: Path) -> None:
    picture = b"sleep 1 twin"
    with serving(tmp_path, "--recognizer", FAULTY, "--workers", "4", "--max-batch", "1") as server:
        client = HttpRecognizer(server.url, connections=32)
        with ThreadPoolExecutor(20) as pool:
            # Twenty callers, one of them with the picture twice, and one who soon hangs up.
            asked = [pool.submit(client.describe, [picture], urgent=n % 2 == 0) for n in range(18)]
            twice = pool.submit(client.describe, [picture, picture, b"other"])
            hasty = HttpRecognizer(server.url, timeout_s=0.3)
            with pytest.raises(RecognizerError):
                hasty.describe([picture])
            answers = [one.result()[0] for one in asked]
            first, second, other = twice.result()
        assert all(is_right(picture, answer) for answer in [*answers, first, second])
        assert is_right(b"other", other)
        # One process described it, once: they all have its number and its time.
        assert len({str(answer.timings_ms) for answer in answers}) == 1  # type: ignore[union-attr]
        described = server.metric("batch_size_sum", pool="describe")
        assert described == 2
        # Whoever came later found it kept.
        merged, hits = (
            server.metric("cache_lookups_total", result=result) for result in ("merged", "hit")
        )
        assert merged >= 1 and merged + hits in (19, 20)  # the hasty one may not have come in time
        hasty.close()
        client.close()


def test_a_picture_that_ends_processes_is_given_up_once_for_all_who_ask(tmp_path: Path) -> None:
    with serving(tmp_path, *FAST, "--workers", "2") as server:
        client = HttpRecognizer(server.url, connections=32)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(client.describe, [[b"segfault twin"]] * 8))
        assert {answer[0].code for answer in answers} == {"internal"}  # type: ignore[union-attr]
        assert server.metric("restarts_total", reason="died") == 4
        client.close()
