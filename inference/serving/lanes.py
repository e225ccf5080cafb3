"""What waits for a model: two bounded lanes, and a few pictures that are tried again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Lane = Literal["urgent", "normal"]
LANES: tuple[Lane, ...] = ("urgent", "normal")


class LaneFull(Exception):
    """There is no room in the lane."""


@dataclass(eq=False, slots=True)
class Job:
    """One picture, or one body to rank, on its way to a model. Times are of the pool's clock."""

    payload: bytes
    lane: Lane
    deadline: float
    request_id: str
    arrived: float
    future: asyncio.Future[Answer]
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said to one job: JSON for the caller, and what the server must know of it."""

    outcome: str
    body: bytes
    fields: Mapping[str, object] = field(default_factory=dict)
    queued_ms: float = 0.0
    model_ms: float = 0.0
    batch: int = 0


class Lanes:
    """Takes requests whole or not at all; gives batches of one lane.

    Urgent jobs go first, but while both lanes hold work, ``normal_share`` of the jobs taken are
    normal ones: each urgent job taken earns the normal lane a claim, and a whole claim is a turn.
    Groups that are put back come before everything and stay by themselves. Not thread-safe.
    """

    def __init__(self, capacity: Mapping[Lane, int], *, normal_share: float) -> None:
        self._capacity = capacity
        self._lanes: dict[Lane, deque[Job]] = {lane: deque() for lane in LANES}
        self._again: deque[list[Job]] = deque()
        self._earned_per_urgent = normal_share / (1.0 - normal_share)
        self._claim = 0.0

    def depth(self, lane: Lane) -> int:
        """Jobs that wait in ``lane``."""
        return len(self._lanes[lane])

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values())) + sum(map(len, self._again))

    def room(self, lane: Lane) -> int:
        """How many jobs ``lane`` still takes."""
        return self._capacity[lane] - len(self._lanes[lane])

    def ahead_of(self, lane: Lane) -> int:
        """Jobs that are probably taken before one that enters ``lane`` now."""
        again = sum(map(len, self._again))
        urgent, normal = self.depth("urgent"), self.depth("normal")
        if lane == "urgent":
            # of the normal ones, those that have their share until then
            return again + urgent + min(normal, int(urgent * self._earned_per_urgent))
        return again + urgent + normal

    def put(self, jobs: Sequence[Job]) -> None:
        """Let ``jobs``, all of one lane, wait. Raises :class:`LaneFull` and takes none of them."""
        if jobs and len(jobs) > self.room(jobs[0].lane):
            raise LaneFull
        for job in jobs:
            self._lanes[job.lane].append(job)

    def put_back(self, group: list[Job]) -> None:
        """Try ``group`` again, before others, as one batch of its own."""
        self._again.append(group)

    def discard(self, job: Job) -> None:
        """Forget a job that nobody waits for any more; does nothing when it was taken already."""
        try:
            self._lanes[job.lane].remove(job)
        except ValueError:
            pass

    def hasten(self, job: Job) -> bool:
        """Move a job from the normal lane to the urgent one; False when it is not there, or there is
        no room."""
        if job.lane == "urgent" or self.room("urgent") < 1:
            return False
        try:
            self._lanes["normal"].remove(job)
        except ValueError:
            return False
        job.lane = "urgent"
        self._lanes["urgent"].append(job)
        return True

    def oldest(self) -> float | None:
        """When the job that :meth:`take` gives first arrived; None when nothing waits. Groups that
        were put back are due at once."""
        if self._again:
            return float("-inf")
        lane = self._next_lane()
        return self._lanes[lane][0].arrived if lane else None

    def fills(self, limit: int) -> bool:
        """Whether waiting longer would not make the next batch larger."""
        lane = self._next_lane()
        return bool(self._again) or (lane is not None and self.depth(lane) >= limit)

    def take(self, limit: int) -> list[Job]:
        """The next batch, of at most ``limit`` jobs; empty when nothing waits."""
        if self._again:
            return self._again.popleft()
        lane = self._next_lane()
        if lane is None:
            return []
        waiting = self._lanes[lane]
        contended = bool(self._lanes["urgent"]) and bool(self._lanes["normal"])
        if lane == "normal" and contended:
            limit = max(1, min(limit, int(self._claim + 1e-9)))
        batch = [waiting.popleft() for _ in range(min(limit, len(waiting)))]
        if not contended:
            self._claim = 0.0
        elif lane == "normal":
            self._claim = max(0.0, self._claim - len(batch))
        else:
            self._claim += len(batch) * self._earned_per_urgent
        return batch

    def _next_lane(self) -> Lane | None:
        if not self._lanes["urgent"]:
            return "normal" if self._lanes["normal"] else None
        # tolerance: four fifths and one fifth have no exact sum in binary
        return "normal" if self._lanes["normal"] and self._claim > 1.0 - 1e-9 else "urgent"
