"""What every engine can do, and where its files lie.

A model's folder, as training writes it::

    model/                    weights for torch (safetensors)
    onnx/*.onnx               the graphs: encode a picture, begin the decoder with it, step a token
    onnx/*.int8.onnx          the same in int8 for CPUs, where calibrated
    onnx/*.ranges.json        how far each tensor reaches on the site's photos
    tensorrt/*.plan           what TensorRT built of them for one GPU and one driver
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, get_args

from inference.minigpt.alternatives import Decoder, Float32Array

Graph = Literal["encode", "begin", "step"]
GRAPHS: Final[tuple[Graph, ...]] = get_args(Graph)
Precision = Literal["fp32", "fp16", "int8"]


class EngineError(RuntimeError):
    """An engine that cannot run here, or not this model; says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A batch of encoded pictures: the queries' outputs [B, Q, D], where each query looks
    [B, Q, K · N], and each head's logits."""

    outputs: Float32Array
    gaze: Float32Array
    heads: Mapping[str, Float32Array]


class Engine(Decoder, Protocol):
    """A model that runs: ``encode`` and ``begin`` once a picture, ``step`` a token, a chunk or a tree
    at a time."""

    @property
    def pixel_shape(self) -> tuple[int, ...]:
        """The shape of one picture's pixels, without the batch."""
        ...

    @property
    def together(self) -> bool:
        """Whether several pictures at once take less time than one after the other, as on a GPU. On a CPU
        they do not."""
        ...

    def encode(self, pixels: Float32Array) -> Picture:
        """Pixels [B, *pixel_shape] → what is seen in them."""
        ...

    def begin(self, outputs: Float32Array) -> Float32Array:
        """The queries' outputs [B, Q, D] → what the decoder starts from [B, L, 2, H, Q, D / H]."""
        ...


def graph_path(graphs: Path, graph: Graph, precision: Precision = "fp32") -> Path:
    """Where a folder of graphs keeps one."""
    return graphs / (f"{graph}.onnx" if precision == "fp32" else f"{graph}.{precision}.onnx")


def ranges_path(graphs: Path, graph: Graph) -> Path:
    """Where a folder of graphs keeps the ranges of a graph's tensors."""
    return graphs / f"{graph}.ranges.json"


def has_graphs(graphs: Path, precision: Precision = "fp32") -> bool:
    """Whether a folder has all graphs in ``precision``."""
    return all(graph_path(graphs, graph, precision).is_file() for graph in GRAPHS)
