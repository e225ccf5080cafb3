"""A small pool of decoder processes. A picture that kills or stalls its process is refused; the
process is replaced, and nobody else notices."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .decoder import ANSWER, READY, REQUEST
from .formats import EXTENSIONS
from .pictures import BadPicture, Picture

START_WITHIN_S = 60.0
REPLACE_AFTER = 2000
"""Pictures after which a process is replaced, so that what libraries leak does not add up."""
MAX_FACTS_BYTES = 1 << 16
MAX_DERIVATIVE_BYTES = 1 << 25
_ROOT = Path(__file__).resolve().parents[2]


class _Died(Exception):
    """The process ended, or answered what no decoder answers."""


class _Child:
    """One decoder process and the socket to it."""

    def __init__(self, command: Sequence[str]) -> None:
        self.asked = 0
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                list(command),
                stdin=theirs.fileno(),
                cwd=_ROOT,
                # Nothing of this process's environment, which holds its secrets.
                env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        try:
            self._socket.settimeout(START_WITHIN_S)
            if self._read(len(READY), time.monotonic() + START_WITHIN_S) != READY:
                raise _Died
        except (OSError, _Died) as error:
            self.end()
            raise RuntimeError("A decoder process does not start; see the log above.") from error

    def ask(self, data: bytes, *, max_pixels: int, limit_s: float) -> Picture:
        """The verified picture. Raises BadPicture, TimeoutError, or :class:`_Died`."""
        self.asked += 1
        deadline = time.monotonic() + limit_s
        try:
            self._socket.settimeout(limit_s)
            self._socket.sendall(REQUEST.pack(len(data), max_pixels, limit_s))
            self._socket.sendall(data)
            facts_size, *sizes = ANSWER.unpack(self._read(ANSWER.size, deadline))
            if facts_size > MAX_FACTS_BYTES or max(sizes) > MAX_DERIVATIVE_BYTES:
                raise _Died
            facts = json.loads(self._read(facts_size, deadline))
            display, thumb = (self._read(size, deadline) for size in sizes)
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            raise _Died from error
        return _picture(data, facts, display, thumb)

    def _read(self, size: int, deadline: float) -> bytes:
        read = bytearray()
        while len(read) < size:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            piece = self._socket.recv(min(1 << 20, size - len(read)))
            if not piece:
                raise _Died
            read += piece
        return bytes(read)

    def end(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()


def _picture(data: bytes, facts: Any, display: bytes, thumb: bytes) -> Picture:
    """The answer, believed only as far as it has the right form: a decoder that was taken over by
    its picture may say anything."""
    if isinstance(facts, dict) and isinstance(facts.get("bad"), str):
        params = facts.get("params")
        raise BadPicture(facts["bad"][:32], **(params if isinstance(params, dict) else {}))
    try:
        picture = Picture(
            sha256=hashlib.sha256(data).hexdigest(),
            format=str(facts["format"]),
            width=int(facts["width"]),
            height=int(facts["height"]),
            size=len(data),
            phash=f"{int(facts['phash'], 16):016x}",
            sharpness=float(facts["sharpness"]),
            exposure=float(facts["exposure"]),
            display=display,
            thumb=thumb,
        )
        if picture.format not in EXTENSIONS or len(picture.phash) != 16 or not display or not thumb:
            raise ValueError
    except (KeyError, TypeError, ValueError) as error:
        raise _Died from error
    return picture


class DecoderPool:
    """At most ``size`` decoder processes, started when they are first needed. Any number of threads
    may ask; those beyond ``size`` wait. Belongs to the process that made it: after a fork, make
    another (:func:`pool`)."""

    def __init__(self, *, size: int, memory_mb: int, command: Sequence[str] = ()) -> None:
        module = [sys.executable, "-m", "annotator.media.decoder"]
        self.size = size
        self._command = [*(command or module), str(memory_mb)]
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    def verify(self, data: bytes, *, max_pixels: int, limit_s: float) -> Picture:
        """Verify in a decoder process. Raises :class:`BadPicture`."""
        child = self._idle.get()
        try:
            # A process that was killed from outside (a machine short of memory) is no fault of the
            # picture: a second one has to die of it.
            for last in (False, True):
                if child is None:
                    child = _Child(self._command)
                try:
                    return child.ask(data, max_pixels=max_pixels, limit_s=limit_s)
                except BadPicture as bad:
                    if bad.code == "decoder_out_of_memory":
                        child = self._replace(child)
                    raise
                except TimeoutError as error:
                    child = self._replace(child)
                    raise BadPicture("decoder_timed_out", seconds=round(limit_s)) from error
                except _Died as error:
                    child = self._replace(child)
                    if last:
                        raise BadPicture("decoder_died") from error
            raise AssertionError
        finally:
            if child is not None and child.asked >= REPLACE_AFTER:
                child = self._replace(child)
            self._idle.put(child)

    def close(self) -> None:
        """End every idle process."""
        for _ in range(self.size):
            child = self._idle.get()
            if child is not None:
                child.end()
            self._idle.put(None)

    @staticmethod
    def _replace(child: _Child) -> None:
        child.end()


_lock = threading.Lock()
_pools: dict[int, DecoderPool] = {}


def pool(*, size: int, memory_mb: int) -> DecoderPool:
    """This process's pool; a forked process makes its own."""
    with _lock:
        pid = os.getpid()
        if pid not in _pools:
            _pools[pid] = DecoderPool(size=size, memory_mb=memory_mb)
        return _pools[pid]
