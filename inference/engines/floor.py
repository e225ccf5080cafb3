"""The least time that a graph could take: its multiplications at the machine's peak, its bytes at the
memory's speed (the roofline of Williams, Waterman & Patterson 2009). Wants the package ``onnx``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_CPU: Final = ["CPUExecutionProvider"]
_MULTIPLYING: Final = ("Conv", "MatMul", "Gemm")
_SIDE: Final = 768
_COPIED_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Work:
    """What a graph does with given inputs: multiply-accumulates, bytes of weights, bytes in and out."""

    macs: int
    weight_bytes: int
    io_bytes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What one thread does: multiply-accumulates a second in fp32 and in int8, bytes a second read."""

    fp32_macs_s: float
    int8_macs_s: float
    bytes_s: float

    def floor_s(self, work: Work, *, int8: bool = False) -> float:
        """The least seconds for ``work``."""
        macs_s = self.int8_macs_s if int8 else self.fp32_macs_s
        return max(work.macs / macs_s, (work.weight_bytes + work.io_bytes) / self.bytes_s)


def work_of(path: Path, given: Mapping[str, NDArray[Any]], *, stored: Path | None = None) -> Work:
    """The work of the fp32 graph at ``path`` on ``given``; weights as large as ``stored`` has them.

    Shapes are those of a run: every operand of a multiplication becomes an output.
    """
    model = onnx.load(path)
    known = {one.name for one in (*model.graph.output, *model.graph.input)}
    weights = {one.name: tuple(one.dims) for one in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type in _MULTIPLYING]
    for name in dict.fromkeys(n for node in nodes for n in (*node.input[:2], node.output[0])):
        if name not in known and name not in weights:
            model.graph.output.append(helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=_CPU)
    names = [one.name for one in session.get_outputs()]
    found = dict(zip(names, session.run(None, dict(given)), strict=True))
    shapes = {name: value.shape for name, value in (*found.items(), *given.items())} | weights
    macs = sum(_macs(node, shapes) for node in nodes)
    asked = [one.name for one in onnx.load(path, load_external_data=False).graph.output]
    moved = sum(a.nbytes for a in given.values()) + sum(found[name].nbytes for name in asked)
    kept = onnx.load(stored or path).graph.initializer
    return Work(macs, sum(numpy_helper.to_array(one).nbytes for one in kept), moved)


def _macs(node: Any, shapes: Mapping[str, tuple[int, ...]]) -> int:
    out = int(np.prod(shapes[node.output[0]]))
    if node.op_type == "Conv":  # weights [C_out, C_in / groups, height, width]
        return out * int(np.prod(shapes[node.input[1]][1:]))
    first = shapes[node.input[0]]
    turned = any(a.name == "transA" and a.i for a in node.attribute)
    return out * int(first[0 if turned else -1])


def this_machine() -> Machine:
    """Measured here, with one thread: the best of a few square products, and of copies that fit into
    no cache."""
    return Machine(
        fp32_macs_s=_SIDE**3 / _best(_product(TensorProto.FLOAT)),
        int8_macs_s=_SIDE**3 / _best(_product(TensorProto.UINT8)),
        bytes_s=_COPIED_BYTES / _best(_reading()),
    )


def _best(run: Callable[[], object], times: int = 7) -> float:
    run()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return min(took)


def _product(kind: int) -> Callable[[], object]:
    whole = kind == TensorProto.UINT8
    shape = [_SIDE, _SIDE]
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, shape).astype(np.uint8 if whole else np.float32)
    weights = rng.integers(-127, 127, shape).astype(np.int8 if whole else np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger" if whole else "MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.INT32 if whole else kind, shape)],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=_CPU)
    return lambda: session.run(None, {"x": x})


def _reading() -> Callable[[], object]:
    data = np.ones(_COPIED_BYTES // 8, np.float64)
    return data.sum
