"""MiniGPT in TensorRT, on an NVIDIA GPU."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.minigpt.alternatives import Float32Array, IntArray

from . import cuda, plans
from .base import GRAPHS, EngineError, Graph, Picture, Precision, graph_path


class TensorRTEngine:
    """The plans of the graphs, an execution context for each of their profiles. Thread-safe: one at a time."""

    together = True

    def __init__(self, trt: ModuleType, plan_of: Mapping[Graph, bytes]) -> None:
        self._lock = threading.Lock()
        runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._encode, self._begin, self._step = (
            Plan(trt, runtime, plan_of[graph]) for graph in GRAPHS
        )
        self.pixel_shape: tuple[int, ...] = self._encode.input_shape("pixels")[1:]

    @classmethod
    def open(cls, graphs: Path, kept: Path, *, precision: Precision = "fp16") -> TensorRTEngine:
        """The graphs of a folder, from the plans in ``kept``, where those that are missing for this
        GPU, TensorRT and driver are built first (minutes). Raises :class:`EngineError`."""
        trt = plans.load()
        target = plans.Target.here(cuda.the_gpu(), trt)
        return cls(
            trt,
            {graph: kept_plan(trt, graphs, kept, graph, precision, target) for graph in GRAPHS},
        )

    def encode(self, pixels: Float32Array) -> Picture:
        """See :class:`inference.engines.Engine`."""
        with self._lock:
            found = self._encode.run({"pixels": pixels})
        return Picture(found.pop("outputs"), found.pop("gaze"), found)

    def begin(self, outputs: Float32Array) -> Float32Array:
        """See :class:`inference.engines.Engine`."""
        with self._lock:
            return self._begin.run({"outputs": outputs})["past"]

    def step(
        self, tokens: IntArray, past: Float32Array, place: IntArray, mask: Float32Array
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """See :class:`inference.minigpt.alternatives.Decoder`."""
        given: dict[str, NDArray[Any]] = {
            "tokens": tokens,
            "past": past,
            "place": place,
            "mask": mask,
        }
        with self._lock:
            found = self._step.run(given)
        return found["logits"], found["present"], found["looks"]


def kept_plan(
    trt: ModuleType,
    graphs: Path,
    kept: Path,
    graph: Graph,
    precision: Precision,
    target: plans.Target,
) -> bytes:
    """The plan of a graph, built and kept in the folder ``kept`` where it is not there yet."""
    sha256 = plans.fingerprint(graphs, graph, precision)
    path = kept / target.plan_name(graph, precision, sha256)
    if not path.is_file():
        source = plans.source_of(graphs, graph, precision)
        plan = plans.build(
            trt,
            source,
            profiles_of(graphs, graph),
            target,
            timing_cache=kept / target.cache_name(),
        )
        plans.write_whole(path, plan)
    return path.read_bytes()


def profiles_of(graphs: Path, graph: Graph) -> tuple[plans.Profile, ...]:
    """The profiles of a graph, for the shapes that the graphs' own inputs have."""
    if graph != "step":
        ((name, shape),) = _input_shapes(graphs, graph).items()
        return plans.batch_profiles(name, tuple(map(int, shape[1:])))
    queries = int(_input_shapes(graphs, "begin")["outputs"][1])
    return plans.step_profiles(_input_shapes(graphs, "step")["past"], queries)


def _input_shapes(graphs: Path, graph: Graph) -> dict[str, list[int | str]]:
    session = onnxruntime.InferenceSession(
        str(graph_path(graphs, graph)), providers=["CPUExecutionProvider"]
    )
    return {one.name: one.shape for one in session.get_inputs()}


class Plan:
    """One plan on the GPU, with buffers for what goes in and comes out."""

    def __init__(self, trt: ModuleType, runtime: Any, plan: bytes) -> None:
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineError("this TensorRT cannot load the plan")
        self._engine = engine
        names = [engine.get_tensor_name(n) for n in range(engine.num_io_tensors)]
        inputs = {n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT}
        self._type_of = {name: trt.nptype(engine.get_tensor_dtype(name)) for name in names}
        self._outputs = [name for name in names if name not in inputs]
        self._buffers = {name: cuda.Buffer() for name in names}
        self._stream = cuda.Stream()
        self._profiles = [
            plans.Profile(
                {name: _three(engine.get_tensor_profile_shape(name, n)) for name in inputs}
            )
            for n in range(engine.num_optimization_profiles)
        ]
        self._contexts = [self._context(n) for n in range(len(self._profiles))]

    def input_shape(self, name: str) -> tuple[int, ...]:
        """The shape of an input, with −1 for what is free."""
        return tuple(self._engine.get_tensor_shape(name))

    def run(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """What comes out of what goes in, by name. Raises :class:`EngineError` for shapes that the
        plan was not built for."""
        shapes = {name: array.shape for name, array in given.items()}
        fitting = (n for n, profile in enumerate(self._profiles) if profile.fits(shapes))
        number = next(fitting, None)
        if number is None:
            raise EngineError(f"the plan was not built for the shapes {shapes}")
        context = self._contexts[number]
        held = []  # until the copies are done
        for name, array in given.items():
            held.append(np.ascontiguousarray(array, self._type_of[name]))
            context.set_input_shape(name, array.shape)
            context.set_tensor_address(name, self._buffers[name].put(held[-1], self._stream))
        shape_of = {name: tuple(context.get_tensor_shape(name)) for name in self._outputs}
        for name, shape in shape_of.items():
            size = int(np.prod(shape)) * np.dtype(self._type_of[name]).itemsize
            context.set_tensor_address(name, self._buffers[name].hold(size))
        if not context.execute_async_v3(self._stream.handle):
            raise EngineError("TensorRT could not run the plan")
        found = {
            name: self._buffers[name].get(shape, self._type_of[name], self._stream)
            for name, shape in shape_of.items()
        }
        self._stream.wait()
        return found

    def _context(self, profile: int) -> Any:
        context = self._engine.create_execution_context()
        if context is None or not context.set_optimization_profile_async(
            profile, self._stream.handle
        ):
            raise EngineError("there is too little memory on the GPU")
        self._stream.wait()
        return context


def _three(
    shapes: Sequence[Sequence[int]],
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    least, likely, most = (tuple(shape) for shape in shapes)
    return least, likely, most
