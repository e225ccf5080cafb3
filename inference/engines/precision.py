"""The graphs in half and in int8. Wants the package ``onnx``; engines run without.

Quantised is what multiplies weights, each output channel with a scale of its own: every convolution,
depthwise ones too (in fp32 they cost time and, since their neighbours round twice, accuracy), every linear
layer of the attentions and mixes. Left in fp32 are attention's own products, softmax, norms, the heads, and
sums, for a mask of −10,000 takes all the room that int8 has; only the sums between two convolutions are
quantised. Nor is the last convolution of a heat map: neighbours that int8 makes equal would both be peaks.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from onnxruntime.transformers.float16 import convert_float_to_float16

CALIBRATION = CalibrationMethod.MinMax
"""Percentiles and entropy were no better on trained weights, and take minutes."""
OPERATORS = ("Conv", "Clip", "MatMul", "Add")
_WORTH_HALF = 256


def half(path: Path) -> bytes:
    """The graph in half; what goes in and comes out stays fp32."""
    found: bytes = convert_float_to_float16(onnx.load(path), keep_io_types=True).SerializeToString()
    return found


def weights_in_half(path: Path) -> bytes:
    """The graph in fp32 as before, but its weights are kept in half, and widened when it is loaded: half
    the file, and as fast."""
    graph = (model := onnx.load(path)).graph
    widened = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= _WORTH_HALF:
            name, kept = weight.name, f"{weight.name}/half"
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), kept))
            widened.append(helper.make_node("Cast", [kept], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*widened, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    found: bytes = model.SerializeToString()
    return found


def cpu_int8(path: Path, ranges: Path) -> bytes:
    """The graph as ONNX Runtime is fastest with on a CPU: activations unsigned, with a zero point."""
    return _quantised(path, ranges, QuantType.QUInt8, {})


def signed_int8(path: Path, ranges: Path) -> bytes:
    """The graph as TensorRT wants it: activations signed and symmetric, biases left alone. What is
    not quantised stays fp32: scales are too small for half."""
    options = {"ActivationSymmetric": True, "QuantizeBias": False}
    return _quantised(path, ranges, QuantType.QInt8, options)


def _quantised(path: Path, ranges: Path, activations: QuantType, options: dict[str, Any]) -> bytes:
    model = onnx.load(path)
    add_pre_process_metadata(model)
    with tempfile.TemporaryDirectory(prefix="warevision-int8-") as folder:
        out = Path(folder) / path.name
        quantize_static(
            model,
            out,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(OPERATORS),
            nodes_to_exclude=left_alone(model),
            per_channel=True,
            activation_type=activations,
            weight_type=QuantType.QInt8,
            calibrate_method=CALIBRATION,
            calibration_cache_path=ranges,
            extra_options={"WeightSymmetric": True, **options},
        )
        return out.read_bytes()


def left_alone(model: onnx.ModelProto) -> list[str]:
    """The names of the nodes that stay in fp32 although they are of :data:`OPERATORS`."""
    weights = {one.name for one in model.graph.initializer}
    maker = {name: node.op_type for node in model.graph.node for name in node.output}
    spread = {node.input[0] for node in model.graph.node if node.op_type == "DepthToSpace"}

    def stays(node: onnx.NodeProto) -> bool:
        if node.op_type == "MatMul":
            return node.input[1] not in weights
        if node.op_type == "Conv":
            return node.output[0] in spread
        return node.op_type == "Add" and "Conv" not in {maker.get(name) for name in node.input}

    return [node.name for node in model.graph.node if stays(node)]
