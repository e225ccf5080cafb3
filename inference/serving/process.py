"""One model process as the server sees it: started, asked, watched, ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inference.serving import frames

logger = logging.getLogger(__name__)
Role = Literal["describe", "rank"]

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_GONE_WITHIN_S = 5.0
_PASSED = (
    *("PATH", "HOME", "LANG", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    *("LC_", "OMP_", "OPENBLAS_", "MKL_", "ORT_", "CUDA_", "NVIDIA_", "TORCH_"),
)
"""Variables, or beginnings of their names, that libraries need. A process that decodes hostile
pictures gets no others: the server's environment holds secrets."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What a model process is to make (see :mod:`inference.serving.child`)."""

    role: Role
    recognizer: str
    options: Mapping[str, Any]
    memory_mb: int
    log_level: str
    pass_environment: tuple[str, ...] = ()


class ProcessDied(Exception):
    """The process ended, or said what no model process says. ``status`` is its exit status: below 0
    the number of the signal that ended it."""

    def __init__(self, status: int | None) -> None:
        self.status = status
        super().__init__(f"the model process ended ({self.told})")

    @property
    def told(self) -> str:
        """The status in words."""
        if self.status is None:
            return "unknown status"
        if self.status < 0:
            return signal.Signals(-self.status).name
        return f"status {self.status}"

    @property
    def killed(self) -> bool:
        """Whether it was killed from outside: by a kernel short of memory, most likely."""
        return self.status == -signal.SIGKILL


class CannotStart(Exception):
    """The model process does not come up."""


class ModelProcess:
    """Use :meth:`start`. One call at a time; everything runs on the event loop that started it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.describer = ""
        self.calls = 0
        self._exit = asyncio.ensure_future(process.wait())
        self._talking = asyncio.Lock()

    @classmethod
    async def start(cls, spec: ProcessSpec, *, limit_s: float) -> ModelProcess:
        """Start a process and wait until its models are loaded. Raises :class:`CannotStart`."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "inference.serving.child"),
                stdin=theirs.fileno(),
                env=_environment(spec.pass_environment),
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        started = cls(process, reader, writer)
        try:
            async with asyncio.timeout(limit_s):
                hello = await started._exchange(
                    {
                        "role": spec.role,
                        "recognizer": spec.recognizer,
                        "options": dict(spec.options),
                        "memory_mb": spec.memory_mb,
                        "log_level": spec.log_level,
                    }
                )
        except TimeoutError as error:
            await started.end()
            raise CannotStart(f"not ready within {limit_s:g} s") from error
        except ProcessDied as error:
            raise CannotStart(str(error)) from error
        except BaseException:
            started.kill()
            raise
        if not hello.fields.get("ready"):
            await started.end()
            raise CannotStart(str(hello.fields.get("failed"))[:500])
        started.describer = str(hello.fields.get("describer", ""))
        return started

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._exit.done()

    @property
    def exit(self) -> asyncio.Future[int]:
        """Done when the process has ended."""
        return self._exit

    def resident_bytes(self) -> int:
        """Its resident memory; 0 when it has ended or the system does not tell."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE_BYTES
        except (OSError, ValueError, IndexError):
            return 0

    async def ask(self, blobs: Sequence[bytes], *, request_id: str) -> frames.Frame:
        """Its answer. Raises :class:`ProcessDied`. Whoever stops waiting must end the process: its
        next answer would be that to the question before."""
        self.calls += 1
        async with self._talking:
            return await self._exchange({"request_id": request_id}, blobs)

    async def prepare(self, model: str) -> frames.Frame:
        """Have it load a model beside its work; its ``state`` is ``loading``, ``ready`` or ``refused``.
        Raises :class:`ProcessDied`; as with :meth:`ask`, nobody may stop waiting."""
        async with self._talking:
            return await self._exchange({"prepare": model})

    def kill(self) -> None:
        """End it now, whatever it does."""
        if self.alive:
            try:
                self._process.kill()
            except ProcessLookupError:
                pass
        self._writer.close()

    async def end(self) -> int | None:
        """Kill it and wait until it is gone; its exit status, None where even that takes too long."""
        self.kill()
        return await self._status()

    async def _exchange(self, fields: dict[str, Any], blobs: Sequence[bytes] = ()) -> frames.Frame:
        try:
            for piece in frames.encode(fields, blobs):
                self._writer.write(piece)
            await self._writer.drain()
            return await frames.read_async(self._reader)
        except frames.BrokenFrame as error:
            logger.error("Process %d broke the form of frames: %s", self.pid, error)
            await self.end()
            raise ProcessDied(None) from error
        except (OSError, EOFError) as error:
            # The socket closes a moment before the status is known.
            status = await self._status()
            self.kill()
            raise ProcessDied(status) from error

    async def _status(self) -> int | None:
        done, _ = await asyncio.wait({self._exit}, timeout=_GONE_WITHIN_S)
        return self._exit.result() if done else None


def _environment(also: Sequence[str]) -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PASSED) or name in also
    }
