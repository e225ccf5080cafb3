"""The inference server under load and under faults: real processes, a model whose service time and
faults are known (``tests/faulty.py``).

``python -m bench.serving`` prints overload, urgent, faults, start and cache, a minute or so each at most;
``python -m bench.serving overload`` one of them. The long one is ``python -m bench.soak``."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inference.client import described
from inference.contracts import Description, Failure
from inference.serving.cache import ResultCache
from tests.faulty import is_right
from tests.inference.servers import FAULTY, Server, eventually, serving

PHOTO_BYTES = 100_000
LIMITS = ("--call-limit-s", "1")


def photo(name: str) -> bytes:
    """A picture like no other, of the size of a photo."""
    return name.encode() + b" " + os.urandom(PHOTO_BYTES)


@dataclass
class Outcome:
    """What became of one request. ``status`` 0: no answer."""

    status: int
    seconds: float
    answers: list[Description | Failure] = field(default_factory=list)
    retry_after_s: float = 0.0
    hits: int = 0


class Caller:
    """Asks a server, each time over a connection of its own, with as little work as can be: what is
    measured is the server."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)

    async def get(self, path: str) -> int:
        """The status of a probe."""
        return (await self._exchange(f"GET {path} HTTP/1.1\r\n", b""))[0]

    async def ask(self, images: Sequence[bytes], *, urgent: bool = False) -> Outcome:
        """One request to describe pictures, its answer read to the end."""
        started = time.perf_counter()
        head = 'Content-Disposition: form-data; name="images"; filename="x"'
        parts = [f"--cut\r\n{head}\r\n\r\n".encode() + image + b"\r\n" for image in images]
        body = b"".join([*parts, b"--cut--\r\n"])
        lines = (
            "POST /v1/describe HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=cut\r\n"
            f"X-Priority: {'urgent' if urgent else 'normal'}\r\nContent-Length: {len(body)}\r\n"
        )
        try:
            status, headers, content = await self._exchange(lines, body)
        except (OSError, EOFError, ValueError):
            return Outcome(0, time.perf_counter() - started)
        outcome = Outcome(status, time.perf_counter() - started)
        outcome.retry_after_s = float(headers.get("retry-after", 0))
        if status == 200:
            outcome.answers = [described(item) for item in json.loads(content)["results"]]
            outcome.hits = int(headers["x-cache-hits"])
        return outcome

    async def _exchange(self, lines: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(f"{lines}Host: {self._host}\r\nConnection: close\r\n\r\n".encode() + body)
            head, _, content = (await reader.read(-1)).partition(b"\r\n\r\n")
        finally:
            writer.close()
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        return int(first.split()[1]), headers, content


async def at_a_rate(
    rate_per_s: float, seconds: float, request: Callable[[int], Awaitable[Outcome]]
) -> list[Outcome]:
    """Requests at even intervals, however long the answers take: an open loop."""
    started = time.perf_counter()
    tasks: list[asyncio.Task[Outcome]] = []
    for n in range(int(rate_per_s * seconds)):
        await asyncio.sleep(max(0.0, started + n / rate_per_s - time.perf_counter()))
        tasks.append(asyncio.ensure_future(request(n)))
    return list(await asyncio.gather(*tasks))


@contextmanager
def server(*options: str, model: str = FAULTY, **model_options: Any) -> Iterator[Server]:
    """A server with a fake model of known service time."""
    with tempfile.TemporaryDirectory(prefix="warevision-bench-") as folder:
        told = ("--recognizer", model, "--recognizer-options", json.dumps(model_options))
        with serving(Path(folder), *told, "--log-level", "WARNING", *options) as running:
            yield running


def ms(seconds: Sequence[float]) -> str:
    """p50 / p95 / max in milliseconds."""
    if not seconds:
        return "-"
    ranked = sorted(seconds)
    p95 = ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]
    return f"{statistics.median(ranked) * 1e3:.0f} / {p95 * 1e3:.0f} / {ranked[-1] * 1e3:.0f} ms"


def resident_mb(pids: Sequence[int]) -> float:
    """Resident memory of processes together."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def loaded() -> str:
    """The machine's load, for the record."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


# --- overload -------------------------------------------------------------------------------


def overload(seconds: float = 15.0) -> None:
    """Five times what two processes of 100 ms a picture can do."""
    workers, picture_ms = 2, 100.0
    capacity = workers / (picture_ms / 1000)
    with server(
        *("--workers", str(workers), "--normal-capacity", "64"), picture_ms=picture_ms
    ) as running:

        async def measure() -> tuple[list[Outcome], list[float]]:
            memory: list[float] = []
            client = Caller(running.url)

            async def one(n: int) -> Outcome:
                return await client.ask([photo(f"overload {n}")])

            async def watch() -> None:
                while True:
                    memory.append(resident_mb([running.process.pid, *running.processes()]))
                    await asyncio.sleep(0.5)

            # Buffers and the queue fill before memory is compared.
            await at_a_rate(5 * capacity, 4.0, one)
            watcher = asyncio.ensure_future(watch())
            outcomes = await at_a_rate(5 * capacity, seconds, one)
            watcher.cancel()
            return outcomes, memory

        started = time.perf_counter()
        outcomes, memory = asyncio.run(measure())
        del started
    served = [o for o in outcomes if o.status == 200]
    refused = [o for o in outcomes if o.status == 503]
    # What was queued at the beginning is served on top; the tail after the end is left out.
    goodput = len(served) / (seconds + 64 / capacity)
    print(f"overload: 5 × {capacity:.0f} pictures/s for {seconds:.0f} s, load {loaded()}")
    print(f"  goodput {goodput / capacity:.0%} of capacity (goal 80%); answers {_codes(outcomes)}")
    print(f"  refused in {ms([o.seconds for o in refused])} p50/p95/max (goal 50 ms)")
    print(f"  Retry-After {min(o.retry_after_s for o in refused):.0f}–"
          f"{max(o.retry_after_s for o in refused):.0f} s")  # fmt: skip
    growth = max(memory) / memory[0] - 1
    print(f"  memory {memory[0]:.0f} → at most {max(memory):.0f} MB, {growth:+.1%} (goal +10%)")


def _codes(outcomes: Sequence[Outcome]) -> str:
    counts = sorted(Counter(o.status for o in outcomes).items())
    return ", ".join(f"{count} × {status}" for status, count in counts)


# --- urgent pictures before a thousand normal ones ------------------------------------------


def urgent(waiting: int = 1000) -> None:
    """Urgent pictures while a thousand normal requests wait; 25 ms a picture, two processes."""
    with server(
        *("--workers", "2", "--normal-capacity", str(waiting + 100)), picture_ms=25.0
    ) as running:

        async def measure() -> tuple[list[Outcome], list[Outcome], float]:
            client = Caller(running.url)
            normal = [
                asyncio.ensure_future(client.ask([f"normal {n}".encode()])) for n in range(waiting)
            ]
            await asyncio.sleep(2.0)
            depth = await asyncio.to_thread(running.metric, "queue_depth", lane="normal")
            outcomes = await at_a_rate(
                20, 4.0, lambda n: client.ask([f"urgent {n}".encode()], urgent=True)
            )
            return outcomes, list(await asyncio.gather(*normal)), depth

        outcomes, normal, depth = asyncio.run(measure())
    print(f"urgent: {depth:.0f} normal requests wait, 20 urgent ones a second, load {loaded()}")
    print(f"  urgent in {ms([o.seconds for o in outcomes])} p50/p95/max (goal p95 2 s), "
          f"{_codes(outcomes)}; normal {_codes(normal)}")  # fmt: skip


# --- faults ---------------------------------------------------------------------------------


def faults() -> None:
    """Each fault among good pictures: who is harmed, for how long."""
    print(f"faults: two processes, a call may take 1 s (and 2 s of grace), load {loaded()}")
    for name in ("hang", "segfault", "abort", "out_of_memory", "gpu"):
        with server("--workers", "2", *LIMITS, call_ms=5.0) as running:
            asyncio.run(_fault(running, name))
    with server("--workers", "1", *LIMITS, call_ms=5.0) as running:
        (pid, *_) = (int(d.timings_ms["pid"]) for d in _ask_now(running, b"who"))
        os.kill(pid, signal.SIGKILL)
        started = time.perf_counter()
        _ask_now(running, b"after the kill")
        took = time.perf_counter() - started
        print(f"  the only process killed: next answer after {took:.2f} s (goal 5 s)")


async def _fault(running: Server, name: str) -> None:
    client = Caller(running.url)
    stop = asyncio.Event()
    health: list[float] = []
    good: list[tuple[list[bytes], Outcome]] = []

    async def probe() -> None:
        while not stop.is_set():
            started = time.perf_counter()
            await client.get("/healthz")
            health.append(time.perf_counter() - started)
            await asyncio.sleep(0.02)

    async def stream() -> None:
        for n in itertools.count():
            if stop.is_set():
                return
            images = [f"good {name} {n} {i}".encode() for i in range(3)]
            good.append((images, await client.ask(images)))

    tasks = [asyncio.ensure_future(t) for t in (probe(), stream(), stream())]
    await asyncio.sleep(1.0)
    beside = [f"beside {name} {i}".encode() for i in range(7)]
    answer = await client.ask([*beside, f"{name} x".encode()])
    await asyncio.sleep(1.0)
    stop.set()
    await asyncio.gather(*tasks)
    harmed = sum(not _all_right(images, o) for images, o in good)
    harmed += not _all_right(beside, Outcome(answer.status, 0.0, answer.answers[:7]))
    statuses = _codes([answer, *(o for _, o in good)])
    print(f"  {name:14} answered in {answer.seconds:5.1f} s; of {len(good) + 1} requests {harmed} "
          f"harmed, {statuses}; others at most {max(o.seconds for _, o in good):.2f} s; "
          f"healthz {ms(health)}")  # fmt: skip


def _all_right(images: Sequence[bytes], outcome: Outcome) -> bool:
    return outcome.status == 200 and all(map(is_right, images, outcome.answers))


def _ask_now(running: Server, image: bytes) -> list[Any]:
    async def once() -> Outcome:
        client = Caller(running.url)
        return await client.ask([image])

    return asyncio.run(once()).answers


def start() -> None:
    """How long the shipped recognizer is away when its only process is killed."""
    for spares in (0, 1):
        with server("--spares", str(spares), model="inference.local.LocalRecognizer") as running:
            # A spare is a third process; it is warm when it uses no more CPU.
            eventually(lambda spares=spares: len(running.processes()) == 2 + spares)  # type: ignore[misc]
            time.sleep(10.0 * spares)
            slot = running.metric("process_resident_bytes", pool="describe")
            victim = min(running.processes())
            os.kill(victim, signal.SIGKILL)
            started = time.perf_counter()
            _ask_now(running, b"not a picture")
            took = time.perf_counter() - started
        print(f"start: shipped recognizer ({slot / 2**20:.0f} MB), {spares} spare: next answer "
              f"{took:.1f} s after its process was killed (goal 5 s), load {loaded()}")  # fmt: skip


# --- the cache ------------------------------------------------------------------------------


def cache(writers: int = 20, each: int = 20_000) -> None:
    """Writers of the result cache: one, and twenty at once."""
    body = os.urandom(2000)
    for count in (1, writers):
        kept, slowest = ResultCache(64 << 20), [0.0] * count

        def write(number: int, kept: ResultCache = kept, slowest: list[float] = slowest) -> None:
            keys = [f"{random.getrandbits(256):064x}" for _ in range(1000)]
            for n in range(each):
                began = time.perf_counter()
                kept.put(keys[n % 1000], "v", "described", body)
                kept.get(keys[n * 7 % 1000], "v")
                slowest[number] = max(slowest[number], time.perf_counter() - began)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(count)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate = count * each / (time.perf_counter() - started)
        print(f"cache: {count} writers, {rate:,.0f} writes and reads a second in all, "
              f"longest {max(slowest) * 1e3:.1f} ms, load {loaded()}")  # fmt: skip


SHORT = {"overload": overload, "urgent": urgent, "faults": faults, "start": start, "cache": cache}


def main() -> None:
    """Run what is named; everything when nothing is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*SHORT, []])
    for name in parser.parse_args().what or SHORT:
        SHORT[name]()


if __name__ == "__main__":
    main()
