"""MiniGPT in ONNX Runtime, on a CPU or, with its CUDA provider, on a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from inference.minigpt.alternatives import Float32Array, IntArray


@dataclass(frozen=True, slots=True)
class Picture:
    """A batch of encoded pictures: the queries' outputs [B, Q, D], where each query looks
    [B, Q, K · N], and each head's logits."""

    outputs: Float32Array
    gaze: Float32Array
    heads: Mapping[str, Float32Array]


class OnnxEngine:
    """The graphs of a folder, ``encode.onnx``, ``begin.onnx`` and ``step.onnx``. Thread-safe.

    ``threads`` bounds the threads of each session; one is best for single pictures.
    """

    def __init__(
        self,
        folder: Path,
        *,
        threads: int = 1,
        providers: Sequence[str] = ("CPUExecutionProvider",),
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._encode, self._begin, self._step = (
            onnxruntime.InferenceSession(
                str(folder / f"{name}.onnx"), options, providers=list(providers)
            )
            for name in ("encode", "begin", "step")
        )
        self._outputs = [output.name for output in self._encode.get_outputs()]

    def encode(self, pixels: Float32Array) -> Picture:
        """Pixels [B, K, 3, S, S] → what is seen in them."""
        found = dict(zip(self._outputs, self._encode.run(None, {"pixels": pixels}), strict=True))
        return Picture(found.pop("outputs"), found.pop("gaze"), found)

    def begin(self, outputs: Float32Array) -> Float32Array:
        """The queries' outputs [B, Q, D] → what the decoder starts from [B, L, 2, H, Q, D / H]."""
        (past,) = self._begin.run(None, {"outputs": outputs})
        return past

    def step(
        self, tokens: IntArray, past: Float32Array, place: IntArray, mask: Float32Array
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """See :class:`inference.minigpt.alternatives.Decoder`."""
        given = {"tokens": tokens, "past": past, "place": place, "mask": mask}
        logits, present, looks = self._step.run(None, given)
        return logits, present, looks
