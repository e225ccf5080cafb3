"""One attempt of a run: freeze, train, judge, register, decide. Every step looks at what an earlier
attempt left behind and goes on from there."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction

from annotator.core.errors import Conflict, DomainError
from annotator.core.outbox import TryLater
from annotator.datasets import snapshots
from inference import bundles

from . import champions, gates, queries, results, services
from .models import TrainingRun
from .services import Cancelled, Lost
from .states import Method, RunAction, RunState
from .supervision import Busy, ChildFailed, Lines, Stopped, follow, hold

log = logging.getLogger(__name__)

LOG = "run.log"
MODEL = "model"
CHAMPION_ANSWERS = "champion.jsonl"
_TRAINED = "trained"
_GROWTH = 4
"""Times the snapshot's own bytes that a run may write, beside what is always to be free."""


def nobody(run: TrainingRun) -> None:
    """Nobody watches."""


watch: Callable[[TrainingRun], None] = nobody
"""Told of every heartbeat of this process's run: a command shows its progress."""


def run_training(payloads: Sequence[Mapping[str, Any]]) -> None:
    """The outbox handler: one attempt of each run that waits."""
    for payload in payloads:
        attempt(payload["run"])


def attempt(run_id: int) -> None:
    """One attempt of a run; nothing where it does not wait. Raises TryLater while a former attempt
    may still write to its folder."""
    run = services.claim(run_id)
    if run is None:
        return
    try:
        with hold(services.folder_of(run)) as lock:
            _Attempt(run, lock).carry_out()
    except Busy as busy:
        services.put_back(run)
        raise TryLater(str(busy)) from busy
    except Lost as lost:
        log.warning("%s", lost)
    except Stopped:
        services.put_back(run)
    except Cancelled:
        _end(run, RunAction.CANCEL)
    except DomainError as error:
        _fail(run, error.code, error.params)
    except ChildFailed as failed:
        _fail(run, "training_child_failed", {"status": failed.status, "tail": failed.tail[-2000:]})
    except Exception as error:
        log.exception("Training run %s broke", run.pk)
        _fail(run, "training_broke", {"detail": f"{type(error).__name__}: {error}"[:500]})


def _fail(run: TrainingRun, code: str, params: Mapping[str, Any]) -> None:
    _end(run, RunAction.FAIL, error={"code": code, "params": dict(params)})


def _end(run: TrainingRun, action: RunAction, **changes: Any) -> None:
    try:
        services.advance(run, action, **changes)
    except Lost as lost:
        log.warning("%s", lost)


class _Attempt:
    def __init__(self, run: TrainingRun, lock: IO[bytes]) -> None:
        self.run = run
        self.lock = lock
        self.folder = services.folder_of(run)
        self.out = self.folder / MODEL
        self.log = self.folder / LOG

    def carry_out(self) -> None:
        with self.timed("freezing"):
            self.freeze()
        champion, revision = champions.live(self.run.site_id)
        # Going on means going on from the same, whatever has become live since.
        base = self.run.base if self.out.exists() else self.base(champion)
        services.advance(self.run, RunAction.TRAIN, base=base, champion=champion, stage="")
        with self.timed("training"):
            self.train(base)
        services.advance(self.run, RunAction.JUDGE, stage="", done=0, total=None)
        with self.timed("judging"):
            verdict = self.judge(champion)
        version = champions.register(self.run, self.out, results.report_in(self.out))
        services.advance(self.run, RunAction.EXPORT, version=version, gate=verdict.to_json())
        self.decide(verdict, revision)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        spent = self.run.timings_s.get(stage, 0.0) + time.monotonic() - began
        self.run.timings_s = {**self.run.timings_s, stage: round(spent, 1)}
        TrainingRun.objects.filter(pk=self.run.pk, fence=self.run.fence).update(
            timings_s=self.run.timings_s
        )

    def freeze(self) -> None:
        """The snapshot: the one named, the one that an earlier attempt made, or a new one."""
        run = self.run
        if run.snapshot is None:
            run.snapshot = snapshots.new_snapshot(
                project=run.project, filters={}, actor=run.requested_by
            )
            services.beat(run)
            TrainingRun.objects.filter(pk=run.pk, fence=run.fence).update(snapshot=run.snapshot)
        if run.snapshot.sha256:
            return
        state = {"done": 0, "at": 0.0}

        def tick(n: int) -> None:
            state["done"] += n
            if time.monotonic() - state["at"] >= 1.0:
                state["at"] = time.monotonic()
                services.beat(run, stage="freezing", done=int(state["done"]))

        def total(n: int) -> None:
            services.beat(run, stage="freezing", total=n)

        snapshots.make(run.snapshot, total=total, tick=tick)

    def base(self, champion: Any) -> str:
        """What the training goes on from: an adapter from the champion, all weights from the base;
        each from the other where there is none, and from nothing at last."""
        own = champions.folder_of(champion) if champion is not None else None
        if own is not None and not bundles.is_of_this_make(own):  # it came with an earlier version
            own = None
        base = champions.base()
        joint = self.run.method == Method.JOINT
        return str(((base or own) if joint else (own or base)) or "")

    def train(self, base: str) -> None:
        """The trainer, unless an earlier attempt saw it through."""
        if (self.folder / _TRAINED).exists():
            return
        assert self.run.snapshot is not None
        data = snapshots.folder_of(self.run.snapshot)
        check_can_train()
        check_room(self.folder, data)
        command = [*settings.TRAINER, "--snapshot", str(data), "--out", str(self.out)]
        if base:
            command += ["--base", base]
            # A base knows no SKU of the site: its first training moves all weights.
            joint = self.run.method == Method.JOINT or not champions.is_version(base)
            command += ["--joint"] if joint else []
        for name, value in sorted(self.run.arguments.items()):
            command += [f"--{name}", str(value)]
        command += ["--threads", str(settings.TRAINING_THREADS)]
        if self.out.exists() and any(self.out.iterdir()):
            command.append("--resume")
        self.child(command)
        (self.folder / _TRAINED).touch()

    def judge(self, champion: Any) -> gates.Verdict:
        """Both models' answers to the photos held out, and what the gate makes of them."""
        if not (self.out / results.ANSWERS).exists():
            self.ask(self.out, self.out / results.ANSWERS)
        challenger = results.answers_in(self.out / results.ANSWERS)
        former: list[gates.Answer] = []
        against = champions.folder_of(champion) if champion is not None else champions.base()
        if against is not None:
            answers = self.folder / CHAMPION_ANSWERS
            self.ask(against, answers)
            former = results.answers_in(answers)
        return gates.judge(former, challenger, queries.rules_of(queries.gate_of(self.run.site_id)))

    def ask(self, model: Path, answers: Path) -> None:
        """What ``model`` says of the photos held out of the run's snapshot."""
        assert self.run.snapshot is not None
        unfinished = answers.with_name(f"{answers.name}.partial")
        unfinished.unlink(missing_ok=True)
        data = snapshots.folder_of(self.run.snapshot)
        command = [*settings.JUDGE, "--model", str(model), "--snapshot", str(data)]
        self.child([*command, "--out", str(unfinished)])
        if not unfinished.exists():
            raise Conflict("training_no_answers", file=answers.name)
        os.replace(unfinished, answers)

    def decide(self, verdict: gates.Verdict, revision: int | None) -> None:
        """The challenger goes live where it passed, nobody wants to be asked, the recognizer takes it,
        and it was compared with what is live now."""
        gate = queries.gate_of(self.run.site_id)
        services.beat(self.run)
        said = verdict.to_json()
        if not verdict.passed:
            services.advance(self.run, RunAction.KEEP)
            return
        if not gate.auto_promote:
            said["reasons"].append({"code": "gate_asks", "params": {}})
            services.advance(self.run, RunAction.KEEP, gate=said)
            return
        try:
            champions.prepare(self.run, beat=lambda: services.beat(self.run))
            with transaction.atomic():
                services.advance(self.run, RunAction.PROMOTE)
                champions.promote(self.run, verdict, revision=revision)
        except Conflict as error:
            # Not live, whoever was in the way; the run itself is in order.
            self.run.state = RunState.EXPORTED
            said["reasons"].append({"code": error.code, "params": dict(error.params)})
            services.advance(self.run, RunAction.KEEP, gate=said)

    def child(self, command: Sequence[str]) -> None:
        lines = Lines(self.out / results.PROGRESS)
        lines.new()  # what an earlier attempt had reached was told then
        threads = str(settings.TRAINING_THREADS)
        env = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}
        with self.log.open("a", encoding="utf-8") as out:
            out.write(f"$ {' '.join(command)}\n")
        follow(command, lock=self.lock, log=self.log, env=env, beat=lambda: self.tell(lines.new()))

    def tell(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """A heartbeat, with what the trainer has said since the last one."""
        growing: dict[str, Any] = {}
        for line in lines:
            growing["stage"] = str(line.get("stage") or "")[:64]
            growing["done"] = max(0, int(line.get("done") or 0))
            growing["total"] = int(line["of"]) if line.get("of") is not None else None
            if line.get("stage") == results.EPOCHS:
                growing["figures"] = dict(line)
                growing["attempts"] = 1  # it gets somewhere
        services.beat(self.run, **growing)
        watch(self.run)


def check_can_train() -> None:
    """Raises Conflict where this installation has no torch and the trainer is our own."""
    own = list(settings.TRAINER) == [sys.executable, "-m", "inference.training"]
    if own and importlib.util.find_spec("torch") is None:
        raise Conflict("training_not_installed")


def check_room(folder: Path, data: Path) -> None:
    """Raises Conflict when the disk or the memory is too small to see a training through."""
    size = sum(path.stat().st_size for path in data.rglob("annotations/*") if path.is_file())
    need = settings.TRAINING_FREE_DISK_MB + _GROWTH * (size >> 20)
    free = shutil.disk_usage(folder).free >> 20
    if free < need:
        raise Conflict("training_no_disk", free_mb=free, need_mb=need, folder=str(settings.HOME))
    memory = available_memory_mb()
    if memory is not None and memory < settings.TRAINING_FREE_MEMORY_MB:
        raise Conflict(
            "training_no_memory", free_mb=memory, need_mb=settings.TRAINING_FREE_MEMORY_MB
        )


def available_memory_mb() -> int | None:
    """What could be had without swapping; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) >> 10
    return None
