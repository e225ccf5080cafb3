"""The trainer as a child process: started gently, followed, and never left behind.

The child holds the run's folder by a lock on a file that it inherits, so that the folder stays taken
for as long as anybody can write to it, whatever became of the worker.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

POLL_S = 0.5
BEAT_EVERY_S = 2.0
STOP_WITHIN_S = 15.0
NICENESS = 10
LOG_TAIL_BYTES = 16_384
_PR_SET_PDEATHSIG = 1

stopping = threading.Event()
"""Set when this worker is asked to end: what runs is put back for another attempt."""


class Busy(Exception):
    """Somebody else may still write to the folder."""


class Stopped(Exception):
    """This worker is ending."""


class ChildFailed(Exception):
    """The child ended with a ``status`` other than 0; ``tail`` is the end of what it said."""

    def __init__(self, status: int, tail: str) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.tail = tail


@contextmanager
def hold(folder: Path) -> Iterator[IO[bytes]]:
    """Hold ``folder``, which is made where it is missing. Raises :class:`Busy`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"{folder} is held by another process.") from error
        yield lock


class Lines:
    """The JSON lines that were added to a file, which may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def new(self) -> list[dict[str, Any]]:
        """Those that were written in full since the last call. A file that was begun anew is read
        from its beginning."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._at:
                    self._at = 0
                file.seek(self._at)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        return [line for raw in whole.splitlines() if (line := _object(raw)) is not None]


def _object(raw: bytes) -> dict[str, Any] | None:
    """A line as an object; None for one that a killed process left in pieces."""
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def follow(
    command: Sequence[str],
    *,
    lock: IO[bytes],
    log: Path,
    env: Mapping[str, str],
    beat: Callable[[], None],
) -> None:
    """Run ``command`` to its end, with ``beat`` called all the while. What ``beat`` raises ends the
    child first, as does :class:`Stopped`. Raises :class:`ChildFailed`."""
    begin = log.stat().st_size if log.exists() else 0
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(command),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **env},
            start_new_session=True,
            pass_fds=[lock.fileno()],
            preexec_fn=_be_a_gentle_child,
        )
    try:
        last = 0.0
        while process.poll() is None:
            if stopping.is_set():
                raise Stopped
            if time.monotonic() - last >= BEAT_EVERY_S:
                beat()
                last = time.monotonic()
            try:
                process.wait(POLL_S)
            except subprocess.TimeoutExpired:
                pass
        beat()
    finally:
        _end(process)
    if process.returncode:
        raise ChildFailed(process.returncode, tail_of(log, since=begin))


def tail_of(log: Path, *, since: int = 0, most: int = LOG_TAIL_BYTES) -> str:
    """The end of a log, from a whole line on; empty where there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(since, size - most)
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return ""
    if start > since:
        data = data[data.find(b"\n") + 1 :]
    return data.decode("utf-8", "replace")


def _be_a_gentle_child() -> None:
    """Between fork and exec: others come first, and no worker's death leaves a trainer behind."""
    os.nice(NICENESS)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            continue
        if number == signal.SIGTERM:
            # Its own children may have outlived it.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        return
