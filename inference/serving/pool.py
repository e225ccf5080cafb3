"""Model processes behind two lanes: batches, deadlines, and what happens when a process fails.

=====================  =====================================  ======================================
what goes wrong        what happens to the process            what happens to its pictures
=====================  =====================================  ======================================
a call hangs           killed after limit and grace, replaced  tried again, each alone
it dies, fatal error   replaced                               tried again, each alone
out of memory          stays, or is replaced if it was killed  tried again in halves, then alone
too much memory        replaced, between calls if it can be   as above if it was killed
=====================  =====================================  ======================================

A picture that had part in ``tries`` failed calls is given up. Its neighbours were tried without it by
then. A new process describes a picture of its own before it counts as started, so that a model which
cannot work at all is told from a picture that breaks it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from inference.serving.frames import Frame
from inference.serving.lanes import Answer, Job, Lane, LaneFull, Lanes
from inference.serving.metrics import Metrics
from inference.serving.process import CannotStart, ModelProcess, ProcessDied, ProcessSpec
from inference.serving.settings import ServerSettings

logger = logging.getLogger(__name__)

_SMOOTHING = 0.2
_WATCH_EVERY_S = 0.5
_FAR_ABOVE = 1.25
_PATIENCE = 10.0
"""A call is not given up before it took so many times as long as such calls usually do."""
_OF_WHAT_IS_LEFT = 0.75
"""A request is admitted when it probably waits no longer than this part of its time: an estimate errs,
and one that is turned away late has waited for nothing."""
_MAX_RETRY_AFTER_S = 120
_MAX_START_PAUSE_S = 15.0
_LOOK_AGAIN_S = 0.05
"""Between two looks whether a model is loaded."""
MODELS_KNOWN = 4
"""Models that a new process loads before it gets work: those that were asked for last."""
_HOPELESS_AFTER = 3
"""Failed starts in a row after which requests are turned away at once."""


class Rejected(Exception):
    """The request is turned away before any work: ``kind`` is ``queue_full``, ``too_late`` or
    ``not_ready``; ``retry_after_s`` comes from the measured rate of service."""

    def __init__(self, kind: str, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry_after_s = retry_after_s


class Expired(Exception):
    """The deadline passed while the job waited."""


class GivenUp(Exception):
    """The job had part in too many calls that ended in a fault of the process. ``poison``: the last
    time it was alone, and memory was not what was missing."""

    def __init__(self, detail: str, *, poison: bool) -> None:
        super().__init__(detail)
        self.poison = poison


class NotPrepared(Exception):
    """A process refuses the model; says why."""


@dataclass(slots=True)
class _Slot:
    """The place of one process, which is replaced when it fails."""

    number: int
    process: ModelProcess | None = None
    busy: bool = False
    recycle: bool = False
    condemned: bool = False
    task: asyncio.Task[None] | None = None
    failures: int = field(default=0)


class Pool:
    """``workers`` processes that do the same. Everything runs on one event loop."""

    def __init__(
        self,
        spec: ProcessSpec,
        settings: ServerSettings,
        metrics: Metrics,
        *,
        workers: int,
        spares: int = 0,
        max_batch: int,
        capacity: dict[Lane, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = spec.role
        self._spec = spec
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._lanes = Lanes(capacity, normal_share=settings.normal_share)
        self._slots = [_Slot(number) for number in range(workers)]
        self._wanted_spares = spares
        self._spares: deque[asyncio.Task[ModelProcess]] = deque()
        self._max_batch = max_batch
        self._batch_cap = float(max_batch)
        self._mean_s: float | None = None
        self._changed = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._closed = False
        self._models: OrderedDict[str, None] = OrderedDict()
        self.describer = ""

    # --- for callers ---------------------------------------------------------------------------

    def start(self) -> None:
        """Start the processes; :attr:`ready` tells when the first one is."""
        for slot in self._slots:
            slot.task = asyncio.create_task(self._keep(slot), name=f"{self.name}-{slot.number}")
        self._watcher = asyncio.create_task(self._watch_memory(), name=f"{self.name}-memory")

    async def close(self) -> None:
        """End every process; what waits is cancelled."""
        self._closed = True
        tasks = [slot.task for slot in self._slots if slot.task] + list(self._spares)
        tasks += [self._watcher] if self._watcher else []  # type: ignore[list-item]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for spare in self._spares:
            if not spare.cancelled() and spare.exception() is None:
                spare.result().kill()
        while jobs := self._lanes.take(self._max_batch):
            for job in jobs:
                job.future.cancel()

    @property
    def ready(self) -> bool:
        """Whether a process is up."""
        return not self._closed and any(s.process and s.process.alive for s in self._slots)

    @property
    def processes(self) -> list[tuple[int, ModelProcess]]:
        """The live processes by the number of their place."""
        return [(s.number, s.process) for s in self._slots if s.process and s.process.alive]

    def depth(self, lane: Lane) -> int:
        """Jobs that wait in ``lane``."""
        return self._lanes.depth(lane)

    def admit(self, lane: Lane, count: int, deadline: float) -> None:
        """Raise :class:`Rejected` when ``count`` jobs have no room, or would not be done by
        ``deadline``, as far as can be told."""
        if self._closed:
            raise Rejected("not_ready", "the server is stopping", 5)
        if not self.ready and min(slot.failures for slot in self._slots) >= _HOPELESS_AFTER:
            raise Rejected("not_ready", "no model process can be started", 10)
        if count > self._lanes.room(lane):
            wait_s = self._wait_s(len(self._lanes))
            raise Rejected("queue_full", "the queue is full", self._retry_after(wait_s))
        wait_s = self._wait_s(self._lanes.ahead_of(lane))
        left_s = deadline - self._clock()
        if wait_s > left_s * _OF_WHAT_IS_LEFT:
            detail = f"{wait_s:.0f} s of work are ahead, {max(0.0, left_s):.0f} s are left"
            raise Rejected("too_late", detail, self._retry_after(wait_s - left_s / 2))

    def submit(
        self, payloads: Sequence[bytes], *, lane: Lane, deadline: float, request_id: str
    ) -> list[Job]:
        """Queue payloads, all or none; each job's future gives an :class:`Answer`, or raises
        :class:`Expired` or :class:`GivenUp`. Raises :class:`Rejected`."""
        self.admit(lane, len(payloads), deadline)
        now, loop = self._clock(), asyncio.get_running_loop()
        jobs = [Job(p, lane, deadline, request_id, now, loop.create_future()) for p in payloads]
        try:
            self._lanes.put(jobs)
        except LaneFull as error:  # admit() has looked
            raise AssertionError from error
        self._changed.set()
        return jobs

    def abandon(self, jobs: Sequence[Job]) -> None:
        """Nobody waits for ``jobs`` any more: those that no process has taken are forgotten."""
        for job in jobs:
            if not job.future.done():
                job.future.cancel()
                self._lanes.discard(job)

    def hasten(self, job: Job) -> None:
        """Somebody in a hurry waits for ``job`` too: it goes to the urgent lane if it still waits."""
        if self._lanes.hasten(job):
            self._changed.set()

    async def prepare(self, model: str) -> int:
        """Return when every process has loaded ``model``, beside its work; how many have. Raises
        :class:`NotPrepared`, and :class:`Rejected` where no process is up."""
        processes = [process for _, process in self.processes]
        if not processes:
            raise Rejected("not_ready", "no model process is up", 5)
        told = await asyncio.gather(*(self._prepared(process, model) for process in processes))
        if refused := [detail for detail in told if detail]:
            raise NotPrepared(refused[0])
        self.note_model(model)
        return len(processes)

    def note_model(self, model: str) -> None:
        """``model`` is in use: processes that come up later load it before they get work."""
        if model:
            self._models[model] = None
            self._models.move_to_end(model)
            while len(self._models) > MODELS_KNOWN:
                self._models.popitem(last=False)

    async def _equip(self, process: ModelProcess) -> None:
        """Load what is in use before ``process`` gets work; one that hangs over it is ended."""
        try:
            async with asyncio.timeout(self._settings.start_limit_s):
                for model in list(self._models):
                    if detail := await self._prepared(process, model):
                        logger.warning("A new process goes without a model: %s", detail)
        except TimeoutError:
            process.kill()
        except BaseException:
            process.kill()  # it has no place yet from which it would be ended
            raise

    async def _prepared(self, process: ModelProcess, model: str) -> str:
        """Why ``process`` refuses ``model``; empty when it is loaded, or the process has ended: the one
        that takes its place is told of the model too."""
        try:
            while True:
                frame = await process.prepare(model)
                if frame.fields.get("state") != "loading":
                    break
                await asyncio.sleep(_LOOK_AGAIN_S)
        except ProcessDied:
            return ""
        if frame.fields.get("state") == "ready":
            return ""
        return str(frame.fields.get("detail") or "the model process does not say why")

    def _wait_s(self, jobs: int) -> float:
        up = sum(1 for slot in self._slots if slot.process and slot.process.alive)
        return jobs * (self._mean_s or 0.0) / max(1, up)

    @staticmethod
    def _retry_after(wait_s: float) -> int:
        return max(1, min(_MAX_RETRY_AFTER_S, math.ceil(wait_s)))

    # --- processes -----------------------------------------------------------------------------

    async def _keep(self, slot: _Slot) -> None:
        """Keep a process in ``slot`` and give it work, for ever."""
        try:
            while True:
                process = await self._obtain(slot)
                await self._equip(process)
                slot.process = process
                slot.recycle = slot.condemned = False
                self.describer = slot.process.describer
                slot.process.exit.add_done_callback(lambda _: self._changed.set())
                self._top_up_spares()
                reason = await self._serve(slot, slot.process)
                status = await slot.process.end()
                slot.process = None
                self._metrics.restarts.labels(self.name, reason).inc()
                logger.warning(
                    "A model process is replaced: %s",
                    reason,
                    extra={"data": {"pool": self.name, "slot": slot.number, "status": status}},
                )
        except asyncio.CancelledError:
            raise
        except Exception:
            # A fault of this module must not leave the place empty.
            logger.exception("Slot %d of %s failed; it goes on", slot.number, self.name)
            if slot.process:
                slot.process.kill()
            slot.process, slot.busy = None, False
            slot.task = asyncio.create_task(self._keep(slot))
        finally:
            if slot.process and self._closed:
                slot.process.kill()

    async def _obtain(self, slot: _Slot) -> ModelProcess:
        slot.failures = 0
        while True:
            task = self._spares.popleft() if self._spares else self._starting()
            try:
                process = await task
            except asyncio.CancelledError:
                task.cancel()
                raise
            except (CannotStart, OSError) as error:
                slot.failures += 1
                self._metrics.failed_starts.labels(self.name).inc()
                logger.error("A model process of %s does not start: %s", self.name, error)
                await asyncio.sleep(min(_MAX_START_PAUSE_S, 0.25 * 2.0**slot.failures))
                continue
            if process.alive:
                return process

    def _starting(self) -> asyncio.Task[ModelProcess]:
        return asyncio.create_task(
            ModelProcess.start(self._spec, limit_s=self._settings.start_limit_s)
        )

    def _top_up_spares(self) -> None:
        while len(self._spares) < self._wanted_spares and not self._closed:
            self._spares.append(self._starting())

    async def _watch_memory(self) -> None:
        """Replace processes above their budget: after their call, or at once far above it."""
        budget = self._settings.memory_mb << 20
        while budget:
            await asyncio.sleep(_WATCH_EVERY_S)
            for slot in self._slots:
                used = slot.process.resident_bytes() if slot.process else 0
                if slot.process is None or used <= budget:
                    continue
                if used > budget * _FAR_ABOVE or not slot.busy:
                    slot.condemned = True
                    slot.process.kill()
                slot.recycle = True

    # --- work ----------------------------------------------------------------------------------

    async def _serve(self, slot: _Slot, process: ModelProcess) -> str:
        """Give ``process`` work until it has to be replaced; returns why."""
        while (batch := await self._next_batch(process)) is not None:
            slot.busy = True
            try:
                reason = await self._run(slot, process, batch)
            finally:
                slot.busy = False
            if reason:
                return reason
            if slot.recycle:
                return "memory"
        return "memory" if slot.condemned else "died"

    async def _next_batch(self, process: ModelProcess) -> list[Job] | None:
        """The next batch, or None when the process has ended."""
        while process.alive:
            oldest, limit = self._lanes.oldest(), self._limit()
            hold_s = 0.0
            if oldest is not None:
                hold_s = oldest + self._settings.max_wait_ms / 1000 - self._clock()
                if hold_s <= 0 or self._lanes.fills(limit):
                    batch = [job for job in self._lanes.take(limit) if self._wanted(job)]
                    if batch:
                        return batch
                    continue
            # Looking and clearing happen without a pause in between: no change is missed.
            self._changed.clear()
            try:
                async with asyncio.timeout(hold_s if oldest is not None else None):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return None

    def _wanted(self, job: Job) -> bool:
        if job.future.done():
            return False
        if job.deadline <= self._clock():
            job.future.set_exception(Expired("the deadline passed while the picture waited"))
            return False
        return True

    def _limit(self) -> int:
        """How many jobs the next batch may hold: no more than what memory and time allow, and so
        few that other idle processes get their share."""
        idle = sum(1 for s in self._slots if s.process and s.process.alive and not s.busy)
        limit = min(self._batch_cap, math.ceil(len(self._lanes) / max(1, idle)))
        if self._mean_s:
            limit = min(limit, self._settings.max_batch_ms / 1000 / self._mean_s)
        return max(1, int(limit))

    async def _run(self, slot: _Slot, process: ModelProcess, batch: list[Job]) -> str:
        """One call. Returns why the process has to be replaced, or an empty string."""
        started = self._clock()
        self._metrics.batch_size.labels(self.name).observe(len(batch))
        try:
            async with asyncio.timeout(self._call_limit_s(batch, started)):
                frame = await process.ask(
                    [job.payload for job in batch],
                    request_id=",".join(dict.fromkeys(job.request_id for job in batch)),
                )
        except TimeoutError:
            process.kill()
            self._again(batch, "hung", alone=True)
            return "hung"
        except ProcessDied as died:
            if slot.condemned or died.killed:
                self._out_of_memory(batch)
                return "memory" if slot.condemned else "killed"
            self._again(batch, died.told, alone=True)
            return "died"
        except asyncio.CancelledError:
            for job in batch:
                job.future.cancel()
            raise
        fault = frame.fields.get("fault")
        if fault == "out_of_memory":
            self._out_of_memory(batch)
            # Alone, nothing can be smaller: a fresh process has more room.
            return "out_of_memory" if len(batch) == 1 else ""
        if fault or not _answers(frame, len(batch)):
            self._again(batch, "a fatal error", alone=True)
            return "fatal"
        self._settle(batch, frame, started)
        return ""

    def _call_limit_s(self, batch: Sequence[Job], now: float) -> float:
        """Until nobody waits any more, and no longer than a call may take; but not before it took
        many times as long as usual: a caller in a hurry must not end a process that works."""
        wanted_s = max(job.deadline for job in batch) - now
        usual_s = (self._mean_s or 0.0) * len(batch)
        patient_s = max(wanted_s, _PATIENCE * usual_s)
        return min(self._settings.call_limit_s, patient_s) + self._settings.kill_grace_s

    def _settle(self, batch: Sequence[Job], frame: Frame, started: float) -> None:
        elapsed_s = self._clock() - started
        each_s = elapsed_s / len(batch)
        former = self._mean_s
        self._mean_s = each_s if former is None else former + _SMOOTHING * (each_s - former)
        self._batch_cap = min(float(self._max_batch), self._batch_cap + 0.1)
        for job, item, body in zip(batch, frame.fields["items"], frame.blobs, strict=True):
            if not job.future.done():
                job.future.set_result(
                    Answer(
                        outcome=item["outcome"],
                        body=body,
                        fields=item,
                        queued_ms=(started - job.arrived) * 1000,
                        model_ms=elapsed_s * 1000,
                        batch=len(batch),
                    )
                )

    def _out_of_memory(self, batch: list[Job]) -> None:
        self._batch_cap = max(1.0, min(self._batch_cap, len(batch) / 2))
        self._again(batch, "out of memory", alone=False)

    def _again(self, batch: Sequence[Job], reason: str, *, alone: bool) -> None:
        """Put back what may be tried again: each by itself, or in halves the first time."""
        left: list[Job] = []
        for job in batch:
            job.tries += 1
            if job.future.done():
                continue
            if job.tries >= self._settings.tries:
                self._metrics.given_up.labels(self.name, reason).inc()
                detail = f"{job.tries} calls ended like this: {reason}"
                poison = alone and len(batch) == 1
                job.future.set_exception(GivenUp(detail, poison=poison))
            else:
                left.append(job)
        if left:
            self._metrics.retries.labels(self.name, reason).inc(len(left))
        size = 1
        if not alone and max((job.tries for job in left), default=0) == 1:
            size = math.ceil(len(batch) / 2)
        for at in range(0, len(left), size):
            self._lanes.put_back(left[at : at + size])
        self._changed.set()


def _answers(frame: Frame, count: int) -> bool:
    """Whether a frame has the form of ``count`` answers; a process that was taken over by a picture
    may say anything."""
    items = frame.fields.get("items")
    return (
        isinstance(items, list)
        and len(items) == len(frame.blobs) == count
        and all(isinstance(i, dict) and isinstance(i.get("outcome"), str) for i in items)
    )
