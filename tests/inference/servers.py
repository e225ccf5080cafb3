"""Inference servers as processes of their own, as they are run, for the tests that ask them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
FAULTY = "tests.faulty.FaultyRecognizer"

NO_MODEL = ("--recognizer-options", '{"minigpt": false}')
"""Options of a server whose requests are answered by no model unless they name one."""


class Server:
    """A running server: its address, its log, its metrics."""

    def __init__(self, url: str, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.url, self._log, self.process = url, log, process

    def get(self, path: str, timeout_s: float = 60.0) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=timeout_s)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry ``labels``."""
        total = 0.0
        for line in self.get("/metrics").text.splitlines():
            told, _, value = line.rpartition(" ")
            if told.partition("{")[0] == f"warevision_recognizer_{name}" and all(
                f'{key}="{text}"' in told for key, text in labels.items()
            ):
                total += float(value)
        return total

    def log(self) -> list[dict[str, Any]]:
        """Its lines, and those of its model processes. What a dying process says about its end
        comes in pieces, and others may write between them."""
        text, decoder = self._log.read_text(errors="replace"), json.JSONDecoder()
        starts = [found.start() for found in re.finditer(r'\{"at"', text)]
        return [decoder.raw_decode(text, start)[0] for start in starts]

    def processes(self) -> list[int]:
        """The model processes that it has now."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in found.stdout.split()]


def eventually(condition: Callable[[], bool], within_s: float = 120.0) -> bool:
    """Whether ``condition`` comes true; machines may be slow."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def serving(folder: Path, *options: str, wait: bool = True, **environment: str) -> Iterator[Server]:
    """A server with site logs in ``folder``/sites; ended with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    log, url = folder / "server.log", f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "inference", "serve", "--port", str(port)]
    if "--sites" not in options:
        command += ["--sites", str(folder / "sites")]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, stderr=out, env={**os.environ, **environment}
        )
    server = Server(url, log, process)
    try:
        if wait:
            assert eventually(lambda: _answers(url) or process.poll() is not None), log.read_text()
            assert process.poll() is None, log.read_text()
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
