"""CUDA and TensorRT's runtime on a machine with neither: device memory is memory, and a plan is run by
ONNX Runtime at the addresses that it is given. So all of an engine's own work can be tested."""

from __future__ import annotations

import ctypes
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from inference.engines.onnx import session
from inference.engines.plans import Profile

cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
held: dict[int, Any] = {}
"""Buffers that have not been given back."""


def cudaMalloc(size: int) -> tuple[int, int]:
    buffer = ctypes.create_string_buffer(size)
    held[ctypes.addressof(buffer)] = buffer
    return 0, ctypes.addressof(buffer)


def cudaFree(address: int) -> tuple[int]:
    del held[address]
    return (0,)


def cudaMemcpyAsync(to: int, source: int, size: int, kind: int, stream: int) -> tuple[int]:
    device = to if kind == cudaMemcpyKind.cudaMemcpyHostToDevice else source
    assert size <= len(held[device]), "beyond the buffer"
    ctypes.memmove(to, source, size)
    return (0,)


def cudaStreamCreate() -> tuple[int, int]:
    return 0, 1


def cudaStreamSynchronize(stream: int) -> tuple[int]:
    return (0,)


class Plan:
    """An engine, and its execution context."""

    def __init__(self, source: bytes, profiles: tuple[Profile, ...]) -> None:
        self._session = session(source, threads=1)
        self._profiles = profiles
        self._inputs = {one.name: one for one in self._session.get_inputs()}
        self._outputs = {one.name: one for one in self._session.get_outputs()}
        self._names = [*self._inputs, *self._outputs]
        self.num_io_tensors = len(self._names)
        self.num_optimization_profiles = len(profiles)
        self._shape: dict[str, tuple[int, ...]] = {}
        self._address: dict[str, int] = {}
        self._found: dict[str, np.ndarray] = {}

    # the engine's

    def get_tensor_name(self, number: int) -> str:
        return self._names[number]

    def get_tensor_mode(self, name: str) -> str:
        return "input" if name in self._inputs else "output"

    def get_tensor_dtype(self, name: str) -> str:
        return str((self._inputs | self._outputs)[name].type)

    def get_tensor_profile_shape(self, name: str, number: int) -> tuple[tuple[int, ...], ...]:
        return self._profiles[number].shapes[name]

    def create_execution_context(self) -> Plan:
        return self

    # the context's

    def set_optimization_profile_async(self, number: int, stream: int) -> bool:
        return number < len(self._profiles)

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._shape[name] = tuple(shape)
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._address[name] = address
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name in self._inputs:
            return tuple(n if isinstance(n, int) else -1 for n in self._inputs[name].shape)
        given = {one: self._at(one, self._shape[one]) for one in self._inputs}
        self._found = dict(zip(self._outputs, self._session.run(None, given), strict=True))
        return self._found[name].shape

    def execute_async_v3(self, stream: int) -> bool:
        for name, array in self._found.items():
            self._at(name, array.shape)[...] = array
        return True

    def _at(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        dtype = np.dtype(nptype(self.get_tensor_dtype(name)))
        raw = held[self._address[name]]
        return np.frombuffer(raw, dtype, int(np.prod(shape))).reshape(shape)


def nptype(name: str) -> type:
    return {"tensor(float)": np.float32, "tensor(int64)": np.int64}[name]


def tensorrt(plans: dict[bytes, Plan]) -> ModuleType:
    """A module like ``tensorrt`` whose runtime knows ``plans``."""
    module: Any = ModuleType("tensorrt")
    module.__version__ = "0"
    module.Logger = type("Logger", (), {"ERROR": 0, "__init__": lambda self, level: None})
    module.Runtime = lambda logger: SimpleNamespace(deserialize_cuda_engine=plans.get)
    module.TensorIOMode = SimpleNamespace(INPUT="input")
    module.nptype = nptype
    return module
