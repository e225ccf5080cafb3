from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from annotator.pipeline.demo import fill_demo, is_wanted
from annotator.pipeline.supervisor import (
    CannotStart,
    Child,
    Supervisor,
    check_disk,
    check_port,
    python,
    take_lock,
    web,
)
from annotator.settings.env import env


class Command(BaseCommand):
    help = "Run everything on this machine: web, recognizer, Celery worker and beat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="fill an empty installation with the demo site"
        )
        parser.add_argument("--no-recognizer", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        # A worker that recognizes by itself needs no server.
        asked = settings.RECOGNIZER.endswith("HttpRecognizer")
        embedded = asked and not env.inference_url and not options["no_recognizer"]
        try:
            lock = take_lock(settings.HOME)
            check_disk(settings.HOME)
            check_port(env.host, env.port, "PORT")
            if embedded:
                check_port("127.0.0.1", env.inference_port, "WAREVISION_INFERENCE_PORT")
        except CannotStart as error:
            raise CommandError(str(error)) from error
        with lock:
            call_command("migrate", verbosity=0, interactive=False)
            accounts = {}
            if options["demo"] and is_wanted():
                self._say("Rendering the demo site …")
                accounts = fill_demo(say=self._say)
            connection.close()
            self._run(self._children(embedded, demo=bool(accounts)), accounts)

    def _run(self, children: list[Child], accounts: dict[str, str]) -> None:
        supervisor = Supervisor(children, logs=settings.HOME / "logs", say=self._say)
        supervisor.start()
        if supervisor.wait_ready(120):
            self._say(f"\nWareVision is ready: http://{env.host}:{env.port}")
            if accounts:
                self._say("Demo accounts (these passwords are shown this once):")
                for username, password in accounts.items():
                    self._say(f"  {username:<12} {password}")
            self._say("Ctrl-C stops everything.")
        supervisor.run()
        self._say("Stopped.")

    def _children(self, embedded: bool, *, demo: bool) -> list[Child]:
        sqlite = connection.vendor == "sqlite"
        celery = python("-m", "celery", "-A", "annotator.celery")
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        threads = {"OMP_NUM_THREADS": "1"}
        children = []
        if embedded:
            port = str(env.inference_port)
            command = python("-m", "inference", "serve", "--host", "127.0.0.1", "--port", port)
            command += ["--sites", str(settings.SITES_DIR), "--models", str(settings.MODELS_DIR)]
            command += ["--model", env.model] if env.model else []
            if env.vlm_url:
                command += ["--recognizer", "inference.remote.VlmRecognizer"]
                command += ["--recognizer-options", json.dumps(env.vlm_options)]
                command += ["--pass-environment", "WAREVISION_VLM_KEY"]
            ready = f"http://127.0.0.1:{port}/readyz"
            children.append(Child("recognizer", command, ready, threads))
        command = web(env.host, env.port, sqlite=sqlite)
        children.append(Child("web", command, f"http://{env.host}:{env.port}/readyz"))
        worker = [*celery, "worker", "-Q", "urgent,normal,bulk", "-P", "threads", "-c", "6", *quiet]
        children.append(Child("worker", [*worker, "-l", "WARNING", "-n", "worker@warevision"]))
        # One training at a time, apart from the worker that serves people.
        trainer = [*celery, "worker", "-Q", "train", "-P", "solo", *quiet]
        children.append(Child("trainer", [*trainer, "-l", "WARNING", "-n", "trainer@warevision"]))
        beat = [*celery, "beat", "-l", "WARNING", "--pidfile=", "-s", str(settings.HOME / "beat")]
        children.append(Child("beat", beat))
        if demo:
            command = python(str(settings.BASE_DIR / "manage.py"), "colleagues", "--demo")
            children.append(Child("colleagues", command, once=True))
        return children

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
