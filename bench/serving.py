"""The inference server under load and under faults: real processes, a model whose service time and
faults are known (``tests/faulty.py``).

``python -m bench.serving`` prints overload, urgent, faults, start and cache, a minute or so each at most;
``python -m bench.serving overload`` one of them. ``python -m bench.serving soak --minutes 30`` (or
``--hours 72``) sends 600 requests a minute with all faults at once; ``--shipped DIR`` does so with the
shipped recognizer and the photos of a folder."""

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
SOAK_RATES = {"hang": 0.002, "segfault": 0.01, "out_of_memory": 0.05, "slow": 0.02}
SOAK_CORRUPT, SOAK_REPEATED, SOAK_REPEATED_SHIPPED = 0.10, 0.70, 0.97
"""Parts of the photos. The shipped recognizer needs most of a second for one that is new."""
SEEN_BEFORE = 20
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


# --- soak -----------------------------------------------------------------------------------


@dataclass
class Tally:
    """What a soak has seen so far."""

    first: int = 0
    later: int = 0
    wrong: int = 0
    lost: int = 0
    cached: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return self.first + self.later + self.wrong + self.lost


def soak(seconds: float, per_minute: float, shipped: Path | None) -> None:
    """All faults at once. A caller that is refused comes back when it was told to, three times, as
    the platform's workers do."""
    model = "tests.unlucky.UnluckyRecognizer" if shipped else FAULTY
    limit = ("--call-limit-s", "8") if shipped else LIMITS
    more: dict[str, Any] = {} if shipped else {"call_ms": 5.0, "picture_ms": 20.0}
    options = (*limit, "--workers", "2", "--spares", "1")
    print(f"soak: {seconds / 60:.1f} minutes, {per_minute:.0f} requests a minute, faults by chance "
          f"(part of calls) {SOAK_RATES}, {SOAK_CORRUPT:.0%} corrupt, load {loaded()}")  # fmt: skip
    with server(*options, model=model, rates=SOAK_RATES, **more) as running:
        asyncio.run(_soak(running, seconds, per_minute / 60, _Photos(shipped)))


class _Photos:
    """Photos as they come on a line: most were seen before. Knows the right answer to each."""

    def __init__(self, folder: Path | None) -> None:
        self._seen: list[bytes] = []
        self._numbers = itertools.count()
        self._files = [p.read_bytes() for p in sorted(folder.rglob("*.jpg"))] if folder else []
        random.shuffle(self._files)
        self._repeated = SOAK_REPEATED_SHIPPED if folder else SOAK_REPEATED
        self._known: dict[bytes, tuple[Any, ...]] = {}

    async def begin(self, client: Caller) -> None:
        """Let the shipped recognizer see what was on the line before; it is struck by chance already."""
        for image in self._files[:SEEN_BEFORE]:
            await client.ask([image])
            self._seen.append(image)

    def next(self) -> bytes:
        number = next(self._numbers)
        if random.random() < SOAK_CORRUPT:
            return f"corrupt {number}".encode()
        if self._seen and random.random() < self._repeated:
            return random.choice(self._seen)
        if self._files:
            image = self._files[number % len(self._files)]
        else:
            image = f"good {number} ".encode() + os.urandom(1000)
        self._seen = [*self._seen[-500:], image]
        return image

    def is_right(self, image: bytes, answer: Description | Failure) -> bool:
        """A fake's answer follows from the picture; the shipped recognizer must repeat itself."""
        if not self._files or image.startswith(b"corrupt"):
            return is_right(image, answer)
        if isinstance(answer, Failure):
            return False
        said = (answer.embedding, answer.keypoints, answer.barcodes, answer.ocr_lines)
        return self._known.setdefault(image, said) == said and not answer.missing


async def _soak(running: Server, seconds: float, rate: float, photos: _Photos) -> None:
    client = Caller(running.url)
    await photos.begin(client)
    tally, began = Tally(), time.perf_counter()
    memory = [resident_mb([running.process.pid])]

    async def one(client: Caller, urgent: bool) -> None:
        image = photos.next()
        for attempt in range(4):
            outcome = await client.ask([image], urgent=urgent)
            tally.statuses[outcome.status] += 1
            tally.seconds.append(outcome.seconds)
            del tally.seconds[:-200_000]
            if outcome.status == 200:
                tally.cached += outcome.hits
                if not photos.is_right(image, outcome.answers[0]):
                    tally.wrong += 1
                elif attempt:
                    tally.later += 1
                else:
                    tally.first += 1
                return
            await asyncio.sleep(outcome.retry_after_s or 1.0)
        tally.lost += 1

    tasks: set[asyncio.Task[None]] = set()
    reported = began
    for n in range(int(seconds * rate)):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        task = asyncio.ensure_future(one(client, n % 5 == 0))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if time.perf_counter() - reported >= 60:
            reported = time.perf_counter()
            memory.append(resident_mb([running.process.pid]))
            print(f"  {(reported - began) / 60:6.1f} min: {tally.requests} requests, "
                  f"{tally.wrong} wrong, {tally.lost} lost, {memory[-1]:.0f} MB", flush=True)  # fmt: skip
    await asyncio.gather(*tasks)
    memory.append(resident_mb([running.process.pid]))
    right = tally.first + tally.later
    print(f"  answered right {right / tally.requests:.3%} of {tally.requests} (goal 99.95%), at once "
          f"{tally.first / tally.requests:.3%}; {tally.wrong} wrong, {tally.lost} lost")  # fmt: skip
    print(f"  from the cache {tally.cached / tally.requests:.0%}; answers "
          f"{dict(sorted(tally.statuses.items()))}; {ms(tally.seconds)} p50/p95/max")  # fmt: skip
    counts = {
        reason: int(running.metric("restarts_total", reason=reason))
        for reason in ("died", "hung", "out_of_memory", "killed", "memory", "fatal")
    }
    print(f"  processes replaced {counts}; memory of the server {memory[0]:.0f} → {memory[-1]:.0f} MB; "
          f"load {loaded()}")  # fmt: skip


SHORT = {"overload": overload, "urgent": urgent, "faults": faults, "start": start, "cache": cache}


def main() -> None:
    """Run what is named; everything but the soak when nothing is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*SHORT, "soak", []])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=600.0, help="requests a minute")
    parser.add_argument("--shipped", type=Path, help="photos for the shipped recognizer")
    options = parser.parse_args()
    for name in options.what or SHORT:
        if name == "soak":
            soak(options.hours * 3600 or options.minutes * 60, options.rate, options.shipped)
        else:
            SHORT[name]()


if __name__ == "__main__":
    main()
