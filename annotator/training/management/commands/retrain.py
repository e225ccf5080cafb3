from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from annotator.accounts.cli import SiteCommand
from annotator.core.messages import text
from annotator.core.outbox import TryLater
from annotator.training import attempts, services
from annotator.training.models import TrainingRun
from annotator.training.states import ACTIVE, Method, RunState

_PAUSE_S = 2.0


class Command(SiteCommand):
    help = (
        "Freeze what is decided, teach it to a model, compare that with the champion, and promote or "
        "keep it. Without --wait the worker of the queue train does it."
    )
    wants_project = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--method", choices=Method.values, default=Method.LORA.value)
        parser.add_argument("--epochs", type=int)
        parser.add_argument("--views", type=int, help="of each photo")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--side", type=int, help="of each look in pixels, without a base")
        parser.add_argument("--wait", action="store_true", help="train here, and tell how it ended")

    def run(self, **options: Any) -> Mapping[str, Any]:
        given = {name: options[name] for name in ("epochs", "views", "seed", "side")}
        run = services.start_run(
            project=self.project(options),
            method=options["method"],
            arguments={name: value for name, value in given.items() if value is not None},
        )
        if options["wait"]:
            run = self._carry_out(run)
        return _result(run)

    def _carry_out(self, run: TrainingRun) -> TrainingRun:
        """Here, unless a worker took it first: then it is only watched."""
        quiet = self._machine or not sys.stderr.isatty()
        with tqdm(desc=f"run {run.pk}", disable=quiet, file=sys.stderr) as bar:
            attempts.watch = _Bar(bar)
            try:
                while run.state in ACTIVE:
                    try:
                        attempts.attempt(run.pk)
                    except TryLater:
                        pass
                    run = TrainingRun.objects.select_related("version").get(pk=run.pk)
                    if run.state in ACTIVE:
                        attempts.watch(run)
                        services.sweep()
                        time.sleep(_PAUSE_S)
            except KeyboardInterrupt:
                services.cancel_run(run=run, actor=None)
                raise
            finally:
                attempts.watch = attempts.nobody
        if run.state in (RunState.FAILED, RunState.CANCELLED):
            error = run.error or {"code": "training_ended", "params": {"state": run.state}}
            raise CommandError(text(error["code"], **error["params"]))
        return run


class _Bar:
    """What the trainer is doing, as a progress bar."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._of: tuple[str, int | None] = ("", None)

    def __call__(self, run: TrainingRun) -> None:
        of = (run.stage or run.state, run.total)
        if self._of != of:
            self._of = of
            self._bar.reset(total=run.total)
            self._bar.set_description_str(of[0])
        self._bar.update(run.done - self._bar.n)


def _result(run: TrainingRun) -> dict[str, Any]:
    reasons = run.gate["reasons"] if run.gate else []
    return {
        "ok": True,
        "run": run.pk,
        "state": run.state,
        "snapshot": run.snapshot_id,
        "version": run.version.name if run.version else None,
        "passed": run.gate["passed"] if run.gate else None,
        "reasons": [text(reason["code"], **reason["params"]) for reason in reasons],
        "timings_s": run.timings_s,
    }
