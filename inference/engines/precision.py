"""The graphs in half and in int8. Wants the package ``onnx``; engines run without.

Quantised is what multiplies weights (convolutions and linear layers), each output channel with a
scale of its own, and in the tower also the sums between convolutions. Attention's products, softmax
and norms stay in fp32.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.calibrate import load_tensors_data
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from onnxruntime.transformers.float16 import convert_float_to_float16

METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}
CPU_OPS = ("Conv", "MatMul", "Gemm", "Add", "Clip")


def half(path: Path) -> bytes:
    """The graph in half; what goes in and comes out stays fp32."""
    found: bytes = convert_float_to_float16(onnx.load(path), keep_io_types=True).SerializeToString()
    return found


def signed_int8(path: Path, ranges: Path) -> bytes:
    """The graph as TensorRT wants it: activations symmetric and signed, biases left alone. What is
    not quantised stays fp32, since scales of quantisation are too small for half."""
    return _quantised(
        path,
        ranges,
        ops=("Conv", "MatMul", "Gemm"),
        activations=QuantType.QInt8,
        options={"ActivationSymmetric": True, "QuantizeBias": False},
    )


def cpu_int8(path: Path, ranges: Path) -> bytes:
    """The graph as ONNX Runtime is fastest with on a CPU: activations unsigned, with a zero point."""
    return _quantised(
        path,
        ranges,
        ops=CPU_OPS,
        activations=QuantType.QUInt8,
        options={},
    )


def _quantised(
    path: Path,
    ranges: Path,
    *,
    ops: tuple[str, ...],
    activations: QuantType,
    options: dict[str, Any],
    without: tuple[str, ...] = (),
) -> bytes:
    model = onnx.load(path)
    add_pre_process_metadata(model)
    with tempfile.TemporaryDirectory(prefix="warevision-int8-") as folder:
        out = Path(folder) / path.name
        quantize_static(
            model,
            out,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(ops),
            nodes_to_exclude=list(without),
            per_channel=True,
            activation_type=activations,
            weight_type=QuantType.QInt8,
            calibrate_method=load_tensors_data(ranges).calibration_method,
            calibration_cache_path=ranges,
            extra_options={"MatMulConstBOnly": True, "WeightSymmetric": True, **options},
        )
        return out.read_bytes()
