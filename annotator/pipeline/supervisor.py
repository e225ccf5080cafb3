"""Running the embedded processes: start, watch, restart what dies, stop all together."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

MIN_FREE_BYTES = 300 << 20
STOP_WITHIN_S = 10.0
STEADY_AFTER_S = 30.0
_PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """One clear line on why, and what to do."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running: its command line, and the address that answers when it is ready.
    One that runs ``once`` is not started again."""

    name: str
    command: Sequence[str]
    ready_url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    once: bool = False


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies, however that happens, so that a
    killed supervisor leaves nothing behind that holds its ports."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class _Running:
    def __init__(self, child: Child, log: Path) -> None:
        self.child = child
        self.log = log
        self.failures = 0
        self.started_at = 0.0
        self.restart_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                list(self.child.command),
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.child.env},
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        self.started_at = time.monotonic()

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass


class Supervisor:
    """Keeps ``children`` alive until :meth:`stop` or a signal. Each writes its own log file."""

    def __init__(
        self, children: Sequence[Child], *, logs: Path, say: Callable[[str], None]
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._running = [_Running(child, logs / f"{child.name}.log") for child in children]
        self._say = say
        self._stopping = False

    def start(self) -> None:
        """Start every child; Ctrl-C and a termination signal stop them all."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._ask_to_stop())
        for running in self._running:
            running.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until every child that has an address answers there."""
        deadline = time.monotonic() + timeout_s
        waiting = [r for r in self._running if r.child.ready_url]
        while waiting and not self._stopping:
            if time.monotonic() > deadline:
                names = ", ".join(r.child.name for r in waiting)
                self._say(f"Not ready after {timeout_s:.0f} s: {names}. See {waiting[0].log}")
                return False
            self._mend()
            waiting = [r for r in waiting if not answers(r.child.ready_url)]
            time.sleep(0.2)
        return not self._stopping

    def run(self) -> None:
        """Watch until told to stop, then stop everything."""
        try:
            while not self._stopping:
                self._mend()
                time.sleep(0.5)
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask every child to end, and end those that do not."""
        self._stopping = True
        for running in self._running:
            running.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for running in self._running:
            if running.process is None:
                continue
            try:
                running.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                running.signal(signal.SIGKILL)
                running.process.wait()

    def _ask_to_stop(self) -> None:
        self._stopping = True

    def _mend(self) -> None:
        now = time.monotonic()
        for running in self._running:
            process = running.process
            if process is None:
                if now >= running.restart_at:
                    running.start()
                continue
            if process.poll() is None or running.child.once:
                if now - running.started_at > STEADY_AFTER_S:
                    running.failures = 0
                continue
            running.failures += 1
            pause_s = min(30.0, 0.5 * 2 ** (running.failures - 1))
            self._say(
                f"{running.child.name} ended with status {process.returncode}; "
                f"starting it again in {pause_s:g} s. See {running.log}"
            )
            running.process = None
            running.restart_at = now + pause_s


def answers(url: str) -> bool:
    """Whether ``url`` answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def take_lock(home: Path) -> IO[str]:
    """Hold ``home`` for this process; released by the system when the process ends."""
    home.mkdir(parents=True, exist_ok=True)
    file = (home / "up.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        raise CannotStart(
            f"WareVision already runs in {home} (process {owner}). "
            "Stop it, or set WAREVISION_HOME to another folder for a second installation."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def check_port(host: str, port: int, variable: str) -> None:
    """Raise when something else listens on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} is taken by another program. Choose a free one: {variable}={port + 10} make run"
            ) from error


def check_disk(home: Path) -> None:
    """Raise when the disk is nearly full."""
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        raise CannotStart(
            f"Only {free >> 20} MB are free on the disk of {home}; at least {MIN_FREE_BYTES >> 20} MB "
            "are needed. Free some space, or set WAREVISION_HOME to a folder on another disk."
        )


def python(*arguments: str) -> list[str]:
    """A command line of this very Python."""
    return [sys.executable, *arguments]


def web(host: str, port: int, *, sqlite: bool) -> list[str]:
    """The command line of the embedded web process. SQLite has one writer, so one process does."""
    return [
        *python("-m", "gunicorn", "annotator.wsgi", "--worker-class", "gthread"),
        *("--workers", "1" if sqlite else "2", "--threads", "16", "--keep-alive", "30"),
        *("--bind", f"{host}:{port}", "--timeout", "120", "--graceful-timeout", "8"),
        "--no-control-socket",
    ]
