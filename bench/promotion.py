"""A line asks about photos without a pause while its site's model is promoted, a tampered one refused, and the
promotion rolled back: how many requests failed, how long the swaps took, and what the line noticed of them.

Real processes: gunicorn on SQLite as ``manage.py up`` runs it, and the inference server with its model processes. The
models are real MiniGPTs of random weights, small. ``--seconds`` is the time of each phase. The exit status is 0 when
no request failed."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import threading
import time
from collections import Counter
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench import databases
from bench.web import web_process

MODEL = re.compile(r"minigpt-[0-9a-f]{12}")


@dataclass(frozen=True)
class Asked:
    """One request: when it began and ended, how it ended, and which model answered."""

    began: float
    ended: float
    status: int
    model: str


class Line:
    """``callers`` threads that ask one photo after the other, half of which were never seen before."""

    def __init__(self, url: str, token: str, callers: int) -> None:
        self.asked: list[Asked] = []
        self._url, self._token = url, token
        self._going = True
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(callers)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._going = False
        for thread in self._threads:
            thread.join()

    def _run(self, caller: int) -> None:
        from tests.factories import picture_bytes

        headers = {"Authorization": f"Token {self._token}"}
        with httpx.Client(base_url=self._url, headers=headers, timeout=120) as client:
            n = 0
            while self._going:
                n += 1
                photo = picture_bytes(n % 6 if n % 2 else 1000 * (caller + 1) + n)
                began = time.monotonic()
                try:
                    answer = client.post("/v1/recognize", files={"image": photo})
                    status, body = answer.status_code, answer.text
                except httpx.HTTPError as error:
                    status, body = 0, repr(error)
                found = MODEL.search(body)
                self.asked.append(
                    Asked(began, time.monotonic(), status, found[0] if found else "none")
                )


def command(*words: str) -> tuple[dict[str, Any], float, float, str]:
    """A command's result, when it began and ended, and what was wrong, if anything."""
    from django.core.management import CommandError, call_command

    out = io.StringIO()
    began, problem = time.monotonic(), ""
    try:
        with redirect_stderr(io.StringIO()):
            call_command(*words, json=True, stdout=out)
    except CommandError as error:
        problem = str(error)
    return json.loads(out.getvalue() or "{}"), began, time.monotonic(), problem


def measure(home: Path, url: str, seconds: float, callers: int) -> int:
    """Promote, refuse and roll back under load; prints what came of it and returns how many failed."""
    from annotator.accounts.models import Site
    from annotator.accounts.services import create_token
    from annotator.modelhub import services
    from tests.bundles import tamper
    from tests.models import tiny_model, variant

    site = Site.objects.create(slug="bench", name="bench", keep_answers="nothing")
    _, token = create_token(site=site, name="line")
    first = tiny_model(home / "made" / "1")
    folders = [first, *(variant(first, home / "made" / str(n), float(n)) for n in (2, 3))]
    versions = [
        services.register(site, folder, report={}, run_key=folder.name) for folder in folders
    ]
    tamper(home / "models" / versions[2].digest)
    line = Line(url, token, callers)
    events: list[tuple[str, float, float]] = []
    failed_commands: list[str] = []
    try:
        time.sleep(seconds)
        for words, refused in (
            (("promote", "v1"), False),
            (("promote", "v2"), False),
            (("promote", "v3"), True),
            (("rollback",), False),
        ):
            result, began, ended, problem = command(*words)
            name = " ".join(words)
            if bool(problem) != refused:
                failed_commands.append(f"{name}: {problem or 'was not refused'}")
            told = {k: v for k, v in result.items() if "seconds" in k}
            print(f"{name:<12} {ended - began:6.2f} s {told or problem[:90]}", flush=True)
            events.append((name, began, ended))
            time.sleep(seconds)
    finally:
        line.stop()
    report(line.asked, events)
    failed = [one for one in line.asked if one.status != 200]
    print(f"{len(line.asked)} requests, {len(failed)} failed: {Counter(o.status for o in failed)}")
    for problem in failed_commands:
        print(f"NOT AS IT SHOULD BE: {problem}")
    return len(failed) + len(failed_commands)


def report(asked: list[Asked], events: list[tuple[str, float, float]]) -> None:
    """Who answered, and how quickly, before, during and after each change."""
    print(f"{'':<22}{'requests':>9}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}  by")
    edges = [("before", min(o.began for o in asked), events[0][1])]
    for n, (name, began, ended) in enumerate(events):
        later = events[n + 1][1] if n + 1 < len(events) else float("inf")
        edges += [(f"during {name}", began, ended), (f"after {name}", ended, later)]
    for name, start, end in edges:
        some = [one for one in asked if start <= one.began < end]
        if not some:
            continue
        ms = [(one.ended - one.began) * 1000 for one in some]
        by = dict(Counter(one.model for one in some))
        p50, p95 = np.percentile(ms, (50, 95))
        print(f"{name:<22}{len(some):>9}{p50:>8.0f}{p95:>8.0f}{max(ms):>8.0f}  {by}")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each phase")
    parser.add_argument("--callers", type=int, default=2)
    options = parser.parse_args()
    with databases.environment("SQLite") as variables:
        os.environ.update(variables)
        from tests.inference.servers import serving

        home = Path(variables["WAREVISION_HOME"])
        (home / "sites").mkdir()
        places = ("--sites", str(home / "sites"), "--models", str(home / "models"))
        with serving(home / "recognizer", *places) as recognizer:
            os.environ["INFERENCE_URL"] = recognizer.url
            import django

            django.setup()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            with web_process() as url:
                return 1 if measure(home, url, options.seconds, options.callers) else 0


if __name__ == "__main__":
    sys.exit(main())
