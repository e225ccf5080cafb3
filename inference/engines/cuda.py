"""The little of CUDA that engines need: which GPU there is, buffers on it, copies to and fro."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import EngineError

_DRIVER = Path("/proc/driver/nvidia/version")

try:
    from cuda.bindings import runtime as _cuda
except ImportError:  # an extra
    _cuda = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU: its name, compute capability, and the driver's version."""

    name: str
    capability: tuple[int, int]
    driver: str


def has_gpu() -> bool:
    """Whether there is a GPU that this process can use."""
    if _cuda is None:
        return False
    status, count = _cuda.cudaGetDeviceCount()
    return int(status) == 0 and bool(count)


def the_gpu() -> Gpu:
    """The first GPU. Raises :class:`EngineError` where there is none."""
    if _cuda is None:
        raise EngineError("cuda-bindings is not installed: pip install -e '.[tensorrt]'")
    if not has_gpu():
        raise EngineError("there is no GPU here, or no driver for it")
    found = call("cudaGetDeviceProperties", 0)
    name = found.name.decode() if isinstance(found.name, bytes) else str(found.name)
    return Gpu(name.rstrip("\0"), (found.major, found.minor), driver_version())


def driver_version() -> str:
    """The kernel module's version, such as 570.86.15; else the newest CUDA that the driver runs."""
    try:
        found = re.search(r"\b\d+\.\d+(\.\d+)?\b", _DRIVER.read_text("utf-8"))
    except OSError:
        found = None
    if found:
        return found.group()
    number = int(call("cudaDriverGetVersion"))
    return f"cuda{number // 1000}.{number % 1000 // 10}"


def call(name: str, *given: Any) -> Any:
    """What the CUDA runtime answers. Raises :class:`EngineError` with its word for what failed."""
    status, *answer = getattr(_cuda, name)(*given)
    if int(status) != 0:
        _, word = _cuda.cudaGetErrorString(status)
        said = word.decode() if isinstance(word, bytes) else word
        raise EngineError(f"{name}: {said}")
    return answer[0] if answer else None


class Stream:
    """Work of one engine on the GPU, in order."""

    def __init__(self) -> None:
        self.handle = int(call("cudaStreamCreate"))

    def wait(self) -> None:
        """Until everything asked of it is done."""
        call("cudaStreamSynchronize", self.handle)


class Buffer:
    """Memory on the GPU that grows with what is put into it and is given back at the end."""

    def __init__(self) -> None:
        self.address = 0
        self._bytes = 0

    def hold(self, size: int) -> int:
        """Have room for ``size`` bytes; answers the address. What was in it may be lost."""
        if size > self._bytes or not self.address:
            self.free()
            self.address = int(call("cudaMalloc", max(size, 1)))
            self._bytes = max(size, 1)
        return self.address

    def put(self, array: NDArray[Any], stream: Stream) -> int:
        """Copy ``array``, C-contiguous, to the GPU; answers the address."""
        address = self.hold(array.nbytes)
        kind = _cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        call("cudaMemcpyAsync", address, array.ctypes.data, array.nbytes, kind, stream.handle)
        return address

    def get(self, shape: tuple[int, ...], dtype: Any, stream: Stream) -> NDArray[Any]:
        """Copy an array from the GPU, there when ``stream`` has been waited for."""
        array: NDArray[Any] = np.empty(shape, dtype)
        kind = _cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        call("cudaMemcpyAsync", array.ctypes.data, self.address, array.nbytes, kind, stream.handle)
        return array

    def free(self) -> None:
        """Give the memory back."""
        if self.address:
            call("cudaFree", self.address)
            self.address = self._bytes = 0
