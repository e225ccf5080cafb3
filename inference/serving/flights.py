"""One computation for callers who ask for the same picture at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inference.serving.lanes import Job, Lane
from inference.serving.pool import Pool


@dataclass(slots=True)
class _Flight:
    job: Job
    waiting: int = 0


class Flights:
    """Pictures on their way by the SHA-256 of their content. Who asks for one that is asked for already
    waits for the same job, which then has the later of their deadlines and the faster of their lanes,
    and is given up when nobody waits any more. A job that is done can be joined until those who waited
    for it have taken, and kept, its answer. Used on one event loop."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._flights: dict[str, _Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def join(
        self, images: Mapping[str, bytes], *, lane: Lane, deadline: float, request_id: str
    ) -> dict[str, Job]:
        """The job of each picture, submitted where there is none. Raises
        :class:`inference.serving.pool.Rejected`, and then has joined none."""
        fresh = [sha256 for sha256 in images if not self._under_way(sha256)]
        if fresh:
            jobs = self._pool.submit(
                [images[sha256] for sha256 in fresh],
                lane=lane,
                deadline=deadline,
                request_id=request_id,
            )
            for sha256, job in zip(fresh, jobs, strict=True):
                self._flights[sha256] = _Flight(job)
        for sha256 in images:
            flight = self._flights[sha256]
            flight.waiting += 1
            flight.job.deadline = max(flight.job.deadline, deadline)
            if lane == "urgent":
                self._pool.hasten(flight.job)
        return {sha256: self._flights[sha256].job for sha256 in images}

    def leave(self, jobs: Mapping[str, Job]) -> None:
        """One to whom :meth:`join` gave ``jobs`` waits no longer."""
        for sha256, job in jobs.items():
            flight = self._flights.get(sha256)
            if flight is None or flight.job is not job:  # it is over, and perhaps another one began
                continue
            flight.waiting -= 1
            if not flight.waiting:
                del self._flights[sha256]
                self._pool.abandon([job])

    def _under_way(self, sha256: str) -> bool:
        flight = self._flights.get(sha256)
        if flight is None:
            return False
        future = flight.job.future
        return not future.done() or not (future.cancelled() or future.exception())
