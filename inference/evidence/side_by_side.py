"""Gather pieces of evidence at the same time, as far as time allows.

The models behind them are native code that lets go of Python's lock, so threads do run side by side
(bench/describe.py measures it). What is late cannot be stopped; it ends in the background.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from inference.contracts import LATE

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class Gathered:
    """What came of each piece: its value, or why there is none, or the error; milliseconds taken."""

    values: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)


class SideBySide:
    """Threads for pieces of evidence, ``workers`` of them for all callers. Thread-safe."""

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="evidence")

    def gather(
        self,
        pieces: Mapping[str, Callable[[], Any]],
        *,
        budget_s: float | None = None,
        needed: frozenset[str] = frozenset(),
    ) -> Gathered:
        """Do all ``pieces``, started in their order. What is not done after ``budget_s`` is left out as
        :data:`~inference.contracts.LATE`, but for what is ``needed``, which is waited for."""
        started = time.monotonic()
        running = {name: self._threads.submit(_timed, piece) for name, piece in pieces.items()}
        wait([running[name] for name in running if name in needed])
        left_s = None if budget_s is None else max(0.0, started + budget_s - time.monotonic())
        wait(list(running.values()), timeout=left_s)
        found = Gathered()
        for name, future in running.items():
            if not future.done():
                future.cancel()  # what has not begun never will
                found.left_out[name] = LATE
                continue
            value, error, found.timings_ms[name] = future.result()
            if error is None:
                found.values[name] = value
            else:
                found.errors[name] = error
        return found

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _timed(piece: Callable[[], Any]) -> tuple[Any, Exception | None, float]:
    started = time.perf_counter()
    value, raised = None, None
    try:
        value = piece()
    except Exception as error:
        raised = error
    return value, raised, round((time.perf_counter() - started) * 1000, 2)


class Once(Generic[K, V]):
    """Values by key, each made once and the ``most`` recently used kept. Who asks for one that is
    being made waits for it; errors are not kept. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._futures: OrderedDict[K, Future[V]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._futures)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of ``key``, made by ``make`` where there is none. Raises what that raises."""
        with self._lock:
            future = self._futures.get(key)
            mine = future is None
            if future is None:
                future = self._futures[key] = Future()
            self._futures.move_to_end(key)
            while len(self._futures) > self._most:
                self._futures.popitem(last=False)
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                with self._lock:
                    if self._futures.get(key) is future:
                        del self._futures[key]
                future.set_exception(error)
        return future.result()
