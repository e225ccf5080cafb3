"""A bounded priority queue of pictures in front of worker threads."""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from inference.contracts import Description, Failure

logger = logging.getLogger(__name__)

Described = Description | Failure
DescribeBatch = Callable[[Sequence[bytes]], list[Described]]

_URGENT, _NORMAL = 0, 1
_FIRST_GUESS_S = 0.5
_SMOOTHING = 0.1


class QueueFull(Exception):
    """There is no room for the request; ``retry_after_s`` is when there probably is."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the queue is full; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class PictureQueue:
    """Runs ``describe`` on ``workers`` threads, urgent pictures first, each class in its order.

    A request enters whole or not at all. ``warm_up`` runs once on each thread before it takes work.
    """

    def __init__(
        self,
        describe: DescribeBatch,
        *,
        capacity: int = 64,
        workers: int = 1,
        batch_size: int = 4,
        warm_up: Callable[[], None] | None = None,
    ) -> None:
        self._describe = describe
        self._capacity = capacity
        self._batch_size = batch_size
        self._warm_up = warm_up
        self._heap: list[tuple[int, int, bytes, Future[Described]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._warm = 0
        self._mean_s = _FIRST_GUESS_S
        self._threads = [
            threading.Thread(target=self._work, name=f"describe-{i}", daemon=True)
            for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def depth(self) -> int:
        """Pictures that wait."""
        with self._changed:
            return len(self._heap)

    @property
    def ready(self) -> bool:
        """Whether every worker is warm and alive."""
        return (
            not self._closed
            and self._warm == len(self._threads)
            and all(thread.is_alive() for thread in self._threads)
        )

    def submit(self, images: Sequence[bytes], *, urgent: bool = False) -> list[Future[Described]]:
        """Queue pictures; one future each. Raises :class:`QueueFull`."""
        priority = _URGENT if urgent else _NORMAL
        with self._changed:
            if self._closed or len(self._heap) + len(images) > self._capacity:
                wait_s = len(self._heap) * self._mean_s / len(self._threads)
                raise QueueFull(max(1, math.ceil(wait_s)))
            futures: list[Future[Described]] = []
            for image in images:
                future: Future[Described] = Future()
                heapq.heappush(self._heap, (priority, next(self._order), image, future))
                futures.append(future)
            self._changed.notify(len(images))
        return futures

    def close(self) -> None:
        """Take nothing more, cancel what waits, and let running batches finish."""
        with self._changed:
            self._closed = True
            for *_, future in self._heap:
                future.cancel()
            self._heap.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=30)

    def _work(self) -> None:
        if self._warm_up is not None:
            try:
                self._warm_up()
            except Exception:
                logger.exception("a worker could not be warmed up")
                return
        with self._changed:
            self._warm += 1
        while (batch := self._take()) is not None:
            self._run(batch)

    def _take(self) -> list[tuple[bytes, Future[Described]]] | None:
        with self._changed:
            while not self._heap and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            # an urgent picture does not wait for companions, nor do normal ones ride with it
            priority = self._heap[0][0]
            # leave work for the other threads
            share = max(1, len(self._heap) // len(self._threads))
            batch: list[tuple[bytes, Future[Described]]] = []
            while (
                self._heap
                and self._heap[0][0] == priority
                and len(batch) < min(share, self._batch_size)
            ):
                _, _, image, future = heapq.heappop(self._heap)
                if future.set_running_or_notify_cancel():
                    batch.append((image, future))
            return batch

    def _run(self, batch: list[tuple[bytes, Future[Described]]]) -> None:
        if not batch:
            return
        started = time.perf_counter()
        try:
            results = self._describe([image for image, _ in batch])
        except Exception as error:
            logger.exception("a batch failed")
            results = [Failure("internal", str(error) or type(error).__name__)] * len(batch)
        elapsed = (time.perf_counter() - started) / len(batch)
        with self._changed:
            self._mean_s += _SMOOTHING * (elapsed - self._mean_s)
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
