"""MiniGPT in ONNX Runtime, on a CPU or, with its CUDA provider, on a GPU. Needs no torch."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from inference.minigpt.alternatives import Float32Array, IntArray

from .base import GRAPHS, EngineError, Picture, Precision, graph_path, has_graphs

_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
MULTIPLY = Path(__file__).with_name("multiply.onnx")
"""``MatMulInteger`` of ``a`` [n, k] in uint8 and ``b`` [k, m] in int8."""


class OnnxEngine:
    """The graphs of a folder. Thread-safe.

    ``threads`` bounds the threads of each session; one is best for single pictures. Without
    ``providers``, fp32 runs on a GPU where this ONNX Runtime can, and int8 on the CPU, for which it
    was made. Raises :class:`EngineError` where the graphs are missing.
    """

    def __init__(
        self,
        graphs: Path,
        *,
        precision: Precision = "fp32",
        threads: int = 1,
        providers: Sequence[str] | None = None,
    ) -> None:
        if not has_graphs(graphs, precision):
            raise EngineError(f"{graphs} holds no {precision} graphs for ONNX Runtime")
        if providers is None:
            here = onnxruntime.get_available_providers()
            providers = [p for p in _PROVIDERS if p in here][-1 if precision == "int8" else 0 :]
        self._encode, self._begin, self._step = (
            session(graph_path(graphs, graph, precision), threads, providers) for graph in GRAPHS
        )
        self.together = self._encode.get_providers()[0] != _PROVIDERS[-1]
        self._outputs = [output.name for output in self._encode.get_outputs()]
        self.pixel_shape: tuple[int, ...] = tuple(self._encode.get_inputs()[0].shape[1:])

    def encode(self, pixels: Float32Array) -> Picture:
        """See :class:`inference.engines.Engine`."""
        found = dict(zip(self._outputs, self._encode.run(None, {"pixels": pixels}), strict=True))
        return Picture(found.pop("outputs"), found.pop("gaze"), found)

    def begin(self, outputs: Float32Array) -> Float32Array:
        """See :class:`inference.engines.Engine`."""
        past: Float32Array = self._begin.run(None, {"outputs": outputs})[0]
        return past

    def step(
        self, tokens: IntArray, past: Float32Array, place: IntArray, mask: Float32Array
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """See :class:`inference.minigpt.alternatives.Decoder`."""
        given = {"tokens": tokens, "past": past, "place": place, "mask": mask}
        logits, present, looks = self._step.run(None, given)
        return logits, present, looks


def session(
    graph: Path | bytes, threads: int, providers: Sequence[str] = _PROVIDERS[-1:]
) -> onnxruntime.InferenceSession:
    """A graph, or the one in a file, in ONNX Runtime. Where products of int8 overflow it is told to multiply
    otherwise, which takes twice as long; where it cannot rewrite a graph so (nodes share a weight), it is opened as
    it is."""
    source = graph if isinstance(graph, bytes) else str(graph)

    def opened(precise: str) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.x64quantprecision", precise)
        return onnxruntime.InferenceSession(source, options, providers=list(providers))

    if overflows():
        with suppress(Fail):
            return opened("1")
    return opened("0")


@functools.cache
def overflows() -> bool:
    """Whether sums of int8 products overflow on this CPU: on x86 without VNNI, ONNX Runtime adds pairs of them
    in 16 bits. A product tells."""
    multiply = onnxruntime.InferenceSession(MULTIPLY, providers=list(_PROVIDERS[-1:]))
    a, b = np.full((4, 32), 255, np.uint8), np.full((32, 16), 127, np.int8)
    (product,) = multiply.run(None, {"a": a, "b": b})
    return bool((product != 32 * 255 * 127).any())
