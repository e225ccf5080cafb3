"""The inference server's pieces by themselves."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import logs
from inference.faults import fault_of
from inference.serving import frames, gpu
from inference.serving.cache import Refusals, ResultCache
from inference.serving.lanes import Job, Lane, LaneFull, Lanes
from inference.serving.metrics import Metrics
from inference.serving.settings import ServerSettings


def job(lane: Lane = "normal", name: str = "") -> Job:
    return Job(name.encode(), lane, 1e9, name, 0.0, asyncio.Future(loop=_LOOP))


_LOOP = asyncio.new_event_loop()


def lanes(urgent: int = 1000, normal: int = 1000, share: float = 0.2) -> Lanes:
    return Lanes({"urgent": urgent, "normal": normal}, normal_share=share)


# --- lanes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 5, 8])
def test_normal_keeps_a_fifth_under_urgent_load(limit: int) -> None:
    queue = lanes()
    queue.put([job("normal") for _ in range(500)])
    taken: list[Lane] = []
    while len(taken) < 500:
        queue.put([job("urgent") for _ in range(limit)])
        batch = queue.take(limit)
        assert len({one.lane for one in batch}) == 1
        taken += [one.lane for one in batch]
    assert 0.18 <= taken.count("normal") / len(taken) <= 0.22


def test_urgent_goes_first_and_each_lane_keeps_its_order() -> None:
    queue = lanes()
    queue.put([job("normal", f"n{i}") for i in range(3)])
    queue.put([job("urgent", f"u{i}") for i in range(3)])
    order = [queue.take(2) for _ in range(4)]
    names = [[one.request_id for one in batch] for batch in order]
    assert names == [["u0", "u1"], ["u2"], ["n0", "n1"], ["n2"]]
    assert queue.take(2) == []


def test_a_lane_takes_a_request_whole_or_not_at_all() -> None:
    queue = lanes(normal=3)
    queue.put([job(), job()])
    with pytest.raises(LaneFull):
        queue.put([job(), job()])
    assert queue.depth("normal") == 2
    queue.put([job()])
    # a full normal lane leaves urgent pictures their own room
    queue.put([job("urgent") for _ in range(1000)])
    with pytest.raises(LaneFull):
        queue.put([job("urgent")])


def test_what_is_tried_again_comes_first_and_by_itself() -> None:
    queue = lanes()
    queue.put([job("urgent", "u")])
    queue.put_back([job("normal", "a"), job("normal", "b")])
    queue.put_back([job("normal", "c")])
    assert len(queue) == 4 and queue.ahead_of("urgent") == 4
    taken = [[one.request_id for one in queue.take(1)] for _ in range(3)]
    assert taken == [["a", "b"], ["c"], ["u"]]


def test_discarding() -> None:
    queue, one, two = lanes(), job(), job()
    queue.put([one, two])
    queue.discard(one)
    queue.discard(one)
    assert queue.take(8) == [two]


@given(
    st.lists(st.tuples(st.sampled_from(["urgent", "normal"]), st.integers(1, 9)), max_size=40),
    st.integers(1, 8),
    st.floats(0.0, 0.9),
)
def test_nothing_is_lost_nothing_is_given_twice(
    steps: list[tuple[Lane, int]], limit: int, share: float
) -> None:
    queue, put, taken = lanes(share=share), [], []
    for lane, count in steps:
        made = [job(lane) for _ in range(count)]
        put += made
        queue.put(made)
        taken += queue.take(limit)
    while batch := queue.take(limit):
        assert len(batch) <= limit
        taken += batch
    assert len(taken) == len(put) and set(map(id, taken)) == set(map(id, put))


# --- frames ----------------------------------------------------------------------------------


def test_a_frame_comes_back_as_it_was() -> None:
    sent = b"".join(frames.encode({"a": [1, "鹿"]}, [b"", b"\x00" * 70000, b"x"]))
    stream = io.BytesIO(sent)
    frame = frames.read(stream)
    assert frame == frames.Frame({"a": [1, "鹿"]}, (b"", b"\x00" * 70000, b"x"))
    assert frames.read(stream) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        frames.HEAD.pack(2, 0) + b"{",
        frames.HEAD.pack(2, 0) + b"no",
        frames.HEAD.pack(2, 0) + b"[]",
        frames.HEAD.pack(2, 0) + b"{}",
        frames.HEAD.pack(13, 0) + b'{"sizes":[1]}',
        frames.HEAD.pack(14, 0) + b'{"sizes":[-1]}',
        frames.HEAD.pack(1 << 31, 0),
        frames.HEAD.pack(2, (1 << 32) - 1),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(frames.BrokenFrame):
        frames.read(io.BytesIO(data))


# --- cache -----------------------------------------------------------------------------------


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_results_belong_to_a_content_and_a_version() -> None:
    cache = ResultCache(1 << 20)
    cache.put(sha("a"), "v1", "described", b"1")
    assert cache.get(sha("a"), "v1") == ("described", b"1")
    assert cache.get(sha("a"), "v2") is None and cache.get(sha("b"), "v1") is None
    cache.put(sha("a"), "v1", "described", b"22")
    assert cache.get(sha("a"), "v1") == ("described", b"22") and len(cache) == 1


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago() -> None:
    cache = ResultCache(1 << 20)
    for n in range(2000):
        cache.put(sha(str(n)), "v", "described", b"x" * 2000)
        cache.get(sha("0"), "v")
    assert cache.used_bytes <= 1 << 20
    assert cache.get(sha("0"), "v") and cache.get(sha("1999"), "v")
    assert cache.get(sha("1"), "v") is None
    cache.put(sha("huge"), "v", "described", b"x" * (1 << 20))
    assert cache.get(sha("huge"), "v") is None
    nothing = ResultCache(0)
    nothing.put(sha("a"), "v", "described", b"1")
    assert len(nothing) == 0


def test_twenty_writers() -> None:
    cache = ResultCache(4 << 20)

    def write(writer: int) -> None:
        for n in range(500):
            key, body = sha(f"{writer % 4} {n}"), f"{writer % 4} {n}".encode() * 40
            cache.put(key, "v", "described", body)
            found = cache.get(key, "v")
            assert found is None or found == ("described", body)

    threads = [threading.Thread(target=write, args=(w,)) for w in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 2000
    assert cache.used_bytes == sum(
        len(body) + 300 for shard in cache._shards for _, body in shard.entries.values()
    )


def test_refusals_end() -> None:
    now = [0.0]
    refusals = Refusals(for_s=10, at_most=2, clock=lambda: now[0])
    for name in "abc":
        refusals.put(name, name.encode())
    assert (refusals.get("a"), refusals.get("b"), refusals.get("c")) == (None, b"b", b"c")
    now[0] = 10.0
    assert refusals.get("c") is None


# --- the rest --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling"), "out_of_memory"),
        (RuntimeError("Failed to allocate memory for requested buffer"), "out_of_memory"),
        (RuntimeError("std::bad_alloc"), "out_of_memory"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "fatal"),
        (RuntimeError("CUDA error: device-side assert triggered"), "fatal"),
        (ValueError("not a picture"), None),
        (TimeoutError("memory of a better time"), None),
    ],
)
def test_faults_are_told_from_errors(error: Exception, fault: str | None) -> None:
    assert fault_of(error) == fault


def test_settings_are_checked() -> None:
    ServerSettings(sites=Path())
    for wrong in ({"workers": 0}, {"normal_share": 1.0}, {"call_limit_s": 0}, {"memory_mb": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ServerSettings(sites=Path(), **wrong)  # type: ignore[arg-type]


def test_graphics_cards_are_told_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = gpu.Gpus()
    cards._library = SimpleNamespace(
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=3, total=7),
        nvmlDeviceGetName=lambda handle: b"Card",
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=50),
    )
    assert cards.read() == [gpu.GpuReading(0, "Card", 0.5, 3, 7)]
    metrics = Metrics()
    metrics.watch_gpus(cards)
    told = 'warevision_recognizer_gpu_utilisation{gpu="0",name="Card"} 0.5'
    assert told in metrics.render().decode()
    cards._library = None
    assert cards.read() == []


def test_log_lines_are_objects_with_the_request(caplog: pytest.LogCaptureFixture) -> None:
    with logs.bound("r1"), caplog.at_level(logging.INFO):
        logging.getLogger("a").info("seen %d", 3, extra={"data": {"ms": 1.5}})
        try:
            raise ValueError("鹿")
        except ValueError:
            logging.getLogger("a").exception("failed")
        seen, failed = (json.loads(logs.JsonLines().format(r)) for r in caplog.records)
    assert (seen["request_id"], seen["message"], seen["ms"]) == ("r1", "seen 3", 1.5)
    assert "ValueError: 鹿" in failed["traceback"]


def test_request_ids() -> None:
    assert logs.accepted("abc-1.2:3_") == "abc-1.2:3_"
    for bad in (None, "", "a b", "x" * 65, "a\n", "é"):
        assert len(logs.accepted(bad)) == 32
    assert logs.shared(["a", "a", ""]) == "a"
    assert logs.shared(["a", "b"]) not in ("a", "b")
