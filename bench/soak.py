"""The inference server for a long time with every fault at once: calls that hang, crash, run out of memory
or are slow, and corrupt pictures, while photos repeat as they do on a line.

``python -m bench.soak --minutes 30 --rate 600`` (or ``--hours 72``) asks a model whose right answers are
known (``tests/faulty.py``); with ``--shipped DIR`` the shipped recognizer, struck by the same faults, about
the photos of a folder: its answers must stay what they were. A line a minute tells how it goes; Ctrl-C ends
it with the summary. The exit status is 0 when the goal was reached."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.serving import LIMITS, Caller, loaded, resident_mb, server
from inference.contracts import Description, Failure
from tests.faulty import is_right
from tests.inference.servers import FAULTY, Server

GOAL = 0.9995
RATES = {"hang": 0.002, "segfault": 0.01, "out_of_memory": 0.05, "slow": 0.02}
"""Parts of all calls of a model."""
CORRUPT, REPEATED, REPEATED_SHIPPED = 0.10, 0.70, 0.97
"""Parts of the photos. The shipped recognizer needs most of a second for one that is new."""
SEEN_BEFORE = 20
REMEMBERED = 500
TRIES = 4
REPORT_EVERY_S = 60.0
REASONS = ("died", "hung", "out_of_memory", "killed", "memory", "fatal")


class Times:
    """Durations in steps of 2%, however many: what is kept does not grow with the days."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._longest = 0.0

    def add(self, seconds: float) -> None:
        self._counts[round(math.log(max(seconds, 1e-5)) * 50)] += 1
        self._longest = max(self._longest, seconds)

    def __str__(self) -> str:
        shown = [
            f"p{share * 100:g} {self._at(share) * 1e3:.0f}" for share in (0.5, 0.95, 0.99, 0.999)
        ]
        return f"{' / '.join(shown)} / longest {self._longest * 1e3:.0f} ms"

    def _at(self, share: float) -> float:
        wanted, seen = share * self._counts.total(), 0
        for step in sorted(self._counts):
            seen += self._counts[step]
            if seen >= wanted:
                return math.exp(step / 50)
        return 0.0


@dataclass
class Tally:
    """What a soak has seen so far. ``first`` and ``later``: right at once, or after being refused."""

    first: int = 0
    later: int = 0
    wrong: int = 0
    lost: int = 0
    corrupt: int = 0
    cached: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    answered: Times = field(default_factory=Times)
    cached_s: Times = field(default_factory=Times)

    @property
    def requests(self) -> int:
        return self.first + self.later + self.wrong + self.lost

    @property
    def right(self) -> float:
        return (self.first + self.later) / max(1, self.requests)


class Photos:
    """Photos as they come on a line: most were seen before. Knows the right answer to each."""

    def __init__(self, folder: Path | None) -> None:
        self._seen: list[bytes] = []
        self._numbers = itertools.count()
        self._files = [p.read_bytes() for p in sorted(folder.rglob("*.jpg"))] if folder else []
        random.shuffle(self._files)
        self._repeated = REPEATED_SHIPPED if folder else REPEATED
        self._known: dict[bytes, tuple[Any, ...]] = {}

    async def begin(self, caller: Caller) -> None:
        """Let the shipped recognizer see what was on the line before; it is struck by chance already."""
        for image in self._files[:SEEN_BEFORE]:
            await caller.ask([image])
            self._seen.append(image)

    def next(self) -> bytes:
        number = next(self._numbers)
        if random.random() < CORRUPT:
            return f"corrupt {number}".encode()
        if self._seen and random.random() < self._repeated:
            return random.choice(self._seen)
        if self._files:
            image = self._files[number % len(self._files)]
        else:
            image = f"good {number} ".encode() + os.urandom(1000)
        self._seen = [*self._seen[-REMEMBERED:], image]
        return image

    def is_right(self, image: bytes, answer: Description | Failure) -> bool:
        """A fake's answer follows from the picture; the shipped recognizer must repeat itself."""
        if not self._files or image.startswith(b"corrupt"):
            return is_right(image, answer)
        if isinstance(answer, Failure):
            return False
        said = (answer.embedding, answer.keypoints, answer.barcodes, answer.ocr_lines)
        return self._known.setdefault(image, said) == said and not answer.missing


async def ask(caller: Caller, photos: Photos, tally: Tally, *, urgent: bool) -> None:
    """One photo, until it is answered: who is refused comes back when told to, as the platform's workers
    do, but not for ever."""
    image, began = photos.next(), time.perf_counter()
    tally.corrupt += image.startswith(b"corrupt")
    for attempt in range(TRIES):
        outcome = await caller.ask([image], urgent=urgent)
        tally.statuses[outcome.status] += 1
        if outcome.status == 200:
            (tally.cached_s if outcome.hits else tally.answered).add(time.perf_counter() - began)
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


async def run(running: Server, seconds: float, rate_per_s: float, photos: Photos) -> bool:
    """Soak a running server; whether the goal was reached."""
    caller, tally = Caller(running.url), Tally()
    await photos.begin(caller)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    began = reported = time.perf_counter()
    memory = [resident_mb([running.process.pid])]
    tasks: set[asyncio.Task[None]] = set()
    for n in range(int(seconds * rate_per_s)):
        await asyncio.sleep(max(0.0, began + n / rate_per_s - time.perf_counter()))
        if stop.is_set():
            break
        task = asyncio.ensure_future(ask(caller, photos, tally, urgent=n % 5 == 0))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if time.perf_counter() - reported >= REPORT_EVERY_S:
            reported = time.perf_counter()
            memory.append(resident_mb([running.process.pid]))
            print(f"  {(reported - began) / 60:6.1f} min: {tally.requests} requests, "
                  f"{tally.right:.3%} right, {tally.wrong} wrong, {tally.lost} lost, "
                  f"{memory[-1]:.0f} MB", flush=True)  # fmt: skip
    await asyncio.gather(*tasks)
    memory.append(resident_mb([running.process.pid]))
    await asyncio.to_thread(summarise, running, tally, memory, time.perf_counter() - began)
    return tally.right >= GOAL


def summarise(running: Server, tally: Tally, memory: Sequence[float], seconds: float) -> None:
    """Print what became of everything."""
    share = max(1, tally.requests)
    print(f"  {tally.requests} requests in {seconds / 60:.1f} minutes, {tally.corrupt / share:.1%} of corrupt "
          f"photos")  # fmt: skip
    print(f"  answered right {tally.right:.3%} (goal {GOAL:.2%}), at once {tally.first / share:.3%}; "
          f"{tally.wrong} wrong, {tally.lost} lost; answers {dict(sorted(tally.statuses.items()))}")  # fmt: skip
    print(f"  from the cache {tally.cached / share:.1%}: {tally.cached_s}")
    print(f"  by a model, refusals included: {tally.answered}")
    counts = {reason: int(running.metric("restarts_total", reason=reason)) for reason in REASONS}
    merged = int(running.metric("cache_lookups_total", result="merged"))
    print(f"  processes replaced {counts}; pictures tried again "
          f"{int(running.metric('retries_total'))}; asked for twice at the same time {merged}")  # fmt: skip
    # What is kept of results fills its bound at first: growth is told from the first minute's end on.
    early = memory[min(1, len(memory) - 1)]
    kept_mb = running.metric("cache_bytes") / 2**20
    print(f"  memory of the server {memory[0]:.0f} → {memory[-1]:.0f} MB, {memory[-1] / early - 1:+.1%} since "
          f"the first minute, of which {kept_mb:.0f} MB are kept results; load {loaded()}")  # fmt: skip


def main() -> int:
    """Soak for as long as is told; the exit status is 0 when the goal was reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=600.0, help="requests a minute")
    parser.add_argument("--shipped", type=Path, help="photos for the shipped recognizer")
    options = parser.parse_args()
    seconds = options.hours * 3600 or options.minutes * 60
    model = "tests.unlucky.UnluckyRecognizer" if options.shipped else FAULTY
    limits = ("--call-limit-s", "8") if options.shipped else LIMITS
    more: dict[str, Any] = {} if options.shipped else {"call_ms": 5.0, "picture_ms": 20.0}
    print(f"soak: {seconds / 60:.1f} minutes, {options.rate:.0f} requests a minute, faults by chance (part of "
          f"calls) {RATES}, {CORRUPT:.0%} corrupt, load {loaded()}", flush=True)  # fmt: skip
    told = (*limits, "--workers", "2", "--spares", "1")
    with server(*told, model=model, rates=RATES, **more) as running:
        good = asyncio.run(run(running, seconds, options.rate / 60, Photos(options.shipped)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
