"""The HTTP face of a recognizer.

``POST /v1/describe``: multipart, one part ``images`` a picture → ``{"results": [{"description": …} |
{"failure": …}]}``. ``POST /v1/see?model=``, likewise: ``{"results": [{"sighting": …} | {"failure": …}]}``.
``POST /v1/rank``: JSON ``{"site", "number", "descriptions", "model"}`` → ``{"recognitions": […]}``.
``POST /v1/search``: JSON ``{"site", "number", "description" | "text", "count"}`` → ``{"site_number", "hits": […]}``.
``POST /v1/prepare``: JSON ``{"model"}``; answered when every model process has loaded it. A model is named by
the digest of its bundle; ``?model=`` goes with ``/v1/describe`` too, and none is the one that is shipped. All take
``X-Priority: urgent``, ``X-Deadline-Ms`` (how long the caller will wait) and ``X-Request-ID``, which the answer
repeats. Errors are problems (:mod:`.problems`); those that pass have ``Retry-After``. ``/healthz`` | ``/readyz`` |
``/metrics``.

This process holds no model. It parses, queues and answers; whatever can crash, hang or eat memory runs
in the processes of two pools, one that describes and one that ranks (:mod:`.pool`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from inference.bundles import is_digest
from inference.logs import REQUEST_ID
from inference.serving import asks
from inference.serving.cache import Refusals, ResultCache
from inference.serving.flights import Flights
from inference.serving.gpu import Gpus
from inference.serving.intake import Intake
from inference.serving.lanes import LANES, Answer, Job, Lane
from inference.serving.metrics import CONTENT_TYPE, Metrics, Sample
from inference.serving.pool import GivenUp, Pool, Rejected
from inference.serving.problems import ClientGone, of_error, problem, refused
from inference.serving.process import ProcessSpec, Role
from inference.serving.settings import ServerSettings

logger = logging.getLogger(__name__)

_HASH_HERE_BYTES = 1 << 20
_REFUSED_FOR_S = 600.0
_MAX_REFUSED = 4096
_STALE_PAUSE_S = 0.05
_FINISH_WITHIN_S = 5.0


class RecognizerServer:
    """Routes, pools and cache of one server."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.cache = ResultCache(settings.cache_mb << 20)
        self._refusals = Refusals(for_s=_REFUSED_FOR_S, at_most=_MAX_REFUSED, clock=time.monotonic)
        self.describing = Pool(
            self._spec("describe"),
            settings,
            self.metrics,
            workers=settings.workers,
            spares=settings.spares,
            max_batch=settings.max_batch,
            capacity={"urgent": settings.urgent_capacity, "normal": settings.normal_capacity},
        )
        self.ranking = Pool(
            self._spec("rank"),
            settings,
            self.metrics,
            workers=1,
            max_batch=1,
            capacity={"urgent": settings.rank_capacity, "normal": settings.rank_capacity},
        )
        self._flights = Flights(self.describing)
        self._watch()

    def _spec(self, role: Role) -> ProcessSpec:
        settings = self.settings
        models = {"models_dir": str(settings.models)} if settings.models else {}
        return ProcessSpec(
            role=role,
            recognizer=settings.recognizer,
            options={"sites_dir": str(settings.sites), **models, **settings.recognizer_options},
            memory_mb=settings.memory_mb,
            log_level=settings.log_level,
            pass_environment=settings.pass_environment,
        )

    def _watch(self) -> None:
        pools = (self.describing, self.ranking)

        def depths() -> list[Sample]:
            return [((p.name, lane), float(p.depth(lane))) for p in pools for lane in LANES]

        def processes() -> list[Sample]:
            return [((p.name,), float(len(p.processes))) for p in pools]

        def memory() -> list[Sample]:
            return [
                ((pool.name, str(number)), float(process.resident_bytes()))
                for pool in pools
                for number, process in pool.processes
            ]

        gauge = self.metrics.gauge
        gauge("queue_depth", "Jobs that wait.", ("pool", "lane"), depths)
        gauge("processes", "Model processes that are up.", ("pool",), processes)
        gauge("process_resident_bytes", "Memory of a process.", ("pool", "slot"), memory)
        gauge("ready", "1 when requests can be served.", (), lambda: [((), float(self.ready))])
        gauge(
            "cache_bytes",
            "What kept results take.",
            (),
            lambda: [((), float(self.cache.used_bytes))],
        )
        self.metrics.watch_gpus(Gpus())

    @property
    def ready(self) -> bool:
        """Whether pictures can be described and ranked now."""
        return self.describing.ready and self.ranking.ready

    # --- routes --------------------------------------------------------------------------------

    async def describe(self, request: Request) -> Response:
        """``POST /v1/describe`` and ``POST /v1/see``."""
        lane, deadline = self._terms(request)
        model, sight = _model(request), request.url.path.endswith("/see")
        # Before the body is read: those who are turned away cost next to nothing.
        self.describing.admit(lane, 1, deadline)
        async with _until(deadline):
            images = await _images(request, self.settings.max_images)
        hashes = await _hashes(images)
        # What is in a picture and what a model sees there are kept apart: only what is not known is made.
        bases = {sha256: self._base(sha256) for sha256 in hashes}
        wanted = {
            sha256: asks.Ask(model, sight or (bool(model) and base is not None))
            for sha256, base in bases.items()
        }
        results = {
            sha256: self._known(sha256, ask, bases[sha256], sight) for sha256, ask in wanted.items()
        }
        missing = {h: i for h, i in zip(hashes, images, strict=True) if results[h] is None}
        hits = sum(results[sha256] is not None for sha256 in hashes)
        told: dict[str, Any] = request.scope["log"]
        told |= {"lane": lane, "pictures": len(images), "cached": hits}
        if missing:
            begun = len(self._flights)
            keys = {sha256: wanted[sha256].key(sha256) for sha256 in missing}
            jobs = self._flights.join(
                {keys[sha256]: wanted[sha256].pack(image) for sha256, image in missing.items()},
                lane=lane,
                deadline=deadline,
                request_id=REQUEST_ID.get(),
            )
            begun = len(self._flights) - begun
            self.metrics.cache.labels("miss").inc(begun)
            told["merged"] = len(hashes) - hits - begun
            self.metrics.cache.labels("merged").inc(told["merged"])
            try:
                await self._finish("describe", list(jobs.values()), deadline, request)
            finally:
                self._flights.leave(jobs)
            made = {
                sha256: self._described(
                    jobs[key], sha256, wanted[sha256], None if sight else bases[sha256]
                )
                for sha256, key in keys.items()
            }
            for answer in made.values():
                if answer.outcome == "model_refused":
                    return refused("model_refused", str(answer.fields.get("detail", "")), None)
            self.describing.note_model(model)
            results |= made
            told |= _slowest(list(made.values()))
        self.metrics.cache.labels("hit").inc(hits)
        bodies = []
        for sha256 in hashes:
            result = results[sha256]
            assert result is not None
            self.metrics.pictures.labels(result.outcome).inc()
            bodies.append(result.body)
        content = b'{"results": [' + b", ".join(bodies) + b"]}"
        return Response(content, media_type="application/json", headers={"X-Cache-Hits": str(hits)})

    def _base(self, sha256: str) -> bytes | None:
        """What is in a picture whoever looks, where it is known."""
        kept = self.cache.get(sha256, self.describing.describer)
        return kept[1] if kept is not None and kept[0] == "described" else None

    def _known(self, sha256: str, ask: asks.Ask, base: bytes | None, sight: bool) -> Answer | None:
        """What is known of a picture without asking a model; ``sight``: only what it sees is wanted."""
        describer = self.describing.describer
        failure = self.cache.get(sha256, describer)
        if failure is not None and base is None:
            return Answer(*failure)
        seen = self.cache.get(sha256, _seen_by(describer, ask.model))
        if seen is not None and (sight or base is not None):
            return Answer(seen[0], _result(sha256, None if sight else base, seen[1]))
        refusal = self._refusals.get(ask.key(sha256))
        return Answer("internal", refusal) if refusal else None

    def _described(self, job: Job, sha256: str, ask: asks.Ask, base: bytes | None) -> Answer:
        """The answer to a finished job, with what was known of the picture; raises when it has none. A
        picture that cannot be described whatever is tried fails alone."""
        try:
            answer = job.future.result()
        except GivenUp as error:
            failure = {"code": "internal", "detail": str(error)}
            body = json.dumps({"failure": failure}).encode()
            if error.poison:
                self._refusals.put(ask.key(sha256), body)
            return Answer("internal", body)
        self._time("describe", answer)
        describer, keep = self.describing.describer, answer.fields.get("keep") is True
        if answer.outcome not in ("described", "seen"):
            if keep:
                self.cache.put(sha256, describer, answer.outcome, answer.body)
            return answer
        seen = answer.body
        if answer.outcome == "described":
            base, _, seen = answer.body.partition(b"\n")
            if keep:
                self.cache.put(sha256, describer, "described", base)
        if keep:
            self.cache.put(sha256, _seen_by(describer, ask.model), "described", seen)
        return replace(answer, outcome="described", body=_result(sha256, base, seen))

    def _time(self, route: str, answer: Answer) -> None:
        self.metrics.stage_s.labels(route, "queue").observe(answer.queued_ms / 1000)
        self.metrics.stage_s.labels(route, "model").observe(answer.model_ms / 1000)

    async def _finish(self, pool: str, jobs: list[Job], deadline: float, request: Request) -> None:
        """Wait until every job has its answer. Raises when the deadline passes or the caller goes."""
        everything = asyncio.ensure_future(asyncio.wait([job.future for job in jobs]))
        gone = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait(
                {everything, gone},
                timeout=max(0.0, deadline - time.monotonic()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not everything.done():
                reason = "caller_gone" if gone.done() else "deadline"
                self.metrics.abandoned.labels(pool, reason).inc()
                raise ClientGone if gone.done() else TimeoutError
        finally:
            gone.cancel()
            everything.cancel()

    async def rank(self, request: Request) -> Response:
        """``POST /v1/rank`` and ``POST /v1/search``."""
        lane, deadline = self._terms(request)
        self.ranking.admit(lane, 1, deadline)
        async with _until(deadline):
            body = await request.body()
        patient_until = min(deadline, time.monotonic() + self.settings.stale_wait_s)
        while True:
            jobs = self.ranking.submit(
                [body], lane=lane, deadline=deadline, request_id=REQUEST_ID.get()
            )
            try:
                await self._finish("rank", jobs, deadline, request)
            finally:
                self.ranking.abandon(jobs)
            answer = jobs[0].future.result()
            if answer.outcome != "stale_memory" or time.monotonic() >= patient_until:
                break
            await asyncio.sleep(_STALE_PAUSE_S)
        request.scope["log"].update(_slowest([answer]), lane=lane, outcome=answer.outcome)
        if answer.outcome == "ranked":
            self._time("rank", answer)
            self.ranking.note_model(str(answer.fields.get("model", "")))
            self.metrics.ranked.inc(_number(answer.fields.get("n")) or 0)
            return Response(answer.body, media_type="application/json")
        detail = str(answer.fields.get("detail", ""))
        return refused(answer.outcome, detail, _number(answer.fields.get("retry_after_s")))

    async def prepare(self, request: Request) -> Response:
        """``POST /v1/prepare``."""
        _, deadline = self._terms(request)
        async with _until(deadline):
            try:
                model = str((await request.json())["model"])
            except (ValueError, KeyError, TypeError) as error:
                raise HTTPException(400, f"not a request to prepare a model: {error!r}") from error
            if not is_digest(model):
                raise HTTPException(400, f"not the digest of a model: {model[:80]!r}")
            # Nobody may stop waiting in the middle of a frame: what has begun goes on.
            both = asyncio.gather(self.describing.prepare(model), self.ranking.prepare(model))
            counts = await asyncio.shield(both)
        return JSONResponse({"model": model, "processes": sum(counts)})

    def _terms(self, request: Request) -> tuple[Lane, float]:
        """The lane, and the time on the monotonic clock by which the caller wants an answer."""
        lane: Lane = "normal"
        if request.headers.get("x-priority", "").lower() == "urgent":
            lane = "urgent"
        asked = request.headers.get("x-deadline-ms", "")
        limit_s = self.settings.deadline_s
        if asked.isascii() and asked.isdigit():
            limit_s = min(limit_s, int(asked) / 1000)
        return lane, time.monotonic() + limit_s

    def route(self, name: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Any:
        """``endpoint``, timed and counted, its errors answered."""

        async def answered(request: Request) -> Response:
            started = time.perf_counter()
            try:
                response = await endpoint(request)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # the jobs were cancelled: the server is stopping
                response = problem(503, "stopping", "the server is stopping", retry_after_s=5)
            except Exception as error:
                if isinstance(error, Rejected):
                    self.metrics.rejections.labels(name, error.kind).inc()
                    await _let_finish(request)
                known = of_error(error)
                if known is None:
                    logger.exception("%s failed", name)
                    known = problem(500, "internal", "the server failed; see its log")
                response = known
            self.metrics.requests.labels(name, str(response.status_code)).inc()
            if response.status_code == 200:
                elapsed_s = time.perf_counter() - started
                self.metrics.stage_s.labels(name, "total").observe(elapsed_s)
            return response

        return answered

    async def healthz(self, request: Request) -> Response:
        """``GET /healthz``: this process answers."""
        return PlainTextResponse("alive\n")

    async def readyz(self, request: Request) -> Response:
        """``GET /readyz``: models are up."""
        ready = self.ready
        return PlainTextResponse("ready\n" if ready else "not ready\n", 200 if ready else 503)

    async def metrics_text(self, request: Request) -> Response:
        """``GET /metrics``."""
        # NVML may take its time
        text = await asyncio.to_thread(self.metrics.render)
        return Response(text, media_type=CONTENT_TYPE)


def create_app(settings: ServerSettings) -> Starlette:
    """The ASGI application. Its model processes start and end with it."""
    server = RecognizerServer(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        server.describing.start()
        server.ranking.start()
        yield
        await asyncio.gather(server.describing.close(), server.ranking.close())

    app = Starlette(
        routes=[
            Route("/v1/describe", server.route("describe", server.describe), methods=["POST"]),
            Route("/v1/see", server.route("see", server.describe), methods=["POST"]),
            Route("/v1/prepare", server.route("prepare", server.prepare), methods=["POST"]),
            Route("/v1/rank", server.route("rank", server.rank), methods=["POST"]),
            Route("/v1/search", server.route("search", server.rank), methods=["POST"]),
            Route("/healthz", server.healthz),
            Route("/readyz", server.readyz),
            Route("/metrics", server.metrics_text),
        ],
        middleware=[
            Middleware(
                Intake,
                max_body_bytes=settings.max_body_mb << 20,
                max_waiting_bytes=settings.max_waiting_mb << 20,
            )
        ],
        lifespan=lifespan,
    )
    app.state.server = server
    return app


def _until(deadline: float) -> asyncio.Timeout:
    """Bounds what a caller who sends slowly may take."""
    return asyncio.timeout(max(0.0, deadline - time.monotonic()))


def _model(request: Request) -> str:
    """The model that a call names. Raises :class:`HTTPException` for what is no digest."""
    model = request.query_params.get("model", "")
    if model and not is_digest(model):
        raise HTTPException(400, f"not the digest of a model: {model[:80]!r}")
    return model


def _seen_by(describer: str, model: str) -> str:
    """Under which name what ``model`` saw is kept; no model of its own is the describer's."""
    return f"sight {model or describer}"


def _result(sha256: str, described: bytes | None, seen: bytes) -> bytes:
    """One result of the answer."""
    if described is None:
        return b'{"sighting": ' + asks.sighting(sha256, seen) + b"}"
    return b'{"description": ' + asks.whole(described, seen) + b"}"


async def _images(request: Request, most: int) -> list[bytes]:
    async with request.form(max_files=most, max_fields=8) as form:
        uploads = [u for u in form.getlist("images") if isinstance(u, UploadFile)]
        images = [await upload.read() for upload in uploads]
    if not images:
        raise HTTPException(400, "no part named images")
    return images


async def _let_finish(request: Request) -> None:
    """Read what a caller who will hang up is still sending: closing before would cut off the answer.
    Others go on with their next request, and what they still send is passed over."""
    if request.headers.get("connection", "").lower() == "close" or (
        request.scope.get("http_version") == "1.0"
    ):
        with contextlib.suppress(ClientDisconnect, HTTPException, RuntimeError, TimeoutError):
            async with asyncio.timeout(_FINISH_WITHIN_S):
                async for _ in request.stream():
                    pass


async def _hashes(images: Sequence[bytes]) -> list[str]:
    def hashes() -> list[str]:
        return [hashlib.sha256(image).hexdigest() for image in images]

    if sum(map(len, images)) < _HASH_HERE_BYTES:
        return hashes()
    return await asyncio.to_thread(hashes)


async def _disconnected(request: Request) -> None:
    """Returns when the caller hangs up; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _slowest(answers: Sequence[Answer]) -> dict[str, Any]:
    """For the log: the longest wait, the longest call, and the size of its batch."""
    if not answers:
        return {}
    longest = max(answers, key=lambda a: a.model_ms)
    return {
        "queued_ms": round(max(a.queued_ms for a in answers), 1),
        "model_ms": round(longest.model_ms, 1),
        "batch": longest.batch,
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
