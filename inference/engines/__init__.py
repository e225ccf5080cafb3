"""Where a model runs: one protocol, and an engine for each runtime."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final, Literal, get_args

from .base import Engine, EngineError, Picture, has_graphs

Kind = Literal["auto", "torch", "torch-compiled", "onnx", "onnx-int8", "tensorrt", "tensorrt-int8"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

__all__ = ["KINDS", "Engine", "EngineError", "Kind", "Picture", "choose", "open_engine"]


def open_engine(folder: Path, kind: Kind = "auto", *, threads: int = 1) -> Engine:
    """The model of ``folder``, as training wrote it, in a runtime; ``auto`` takes the fastest of
    those that are here. Raises :class:`EngineError` for one that cannot run here or not this model.
    """
    if kind == "auto":
        kind = choose(folder)
    if kind in ("onnx", "onnx-int8"):
        from .onnx import OnnxEngine

        quantised = kind == "onnx-int8"
        return OnnxEngine(
            folder / "onnx", precision="int8" if quantised else "fp32", threads=threads
        )
    if kind in ("tensorrt", "tensorrt-int8"):
        from .tensorrt import TensorRTEngine

        quantised = kind == "tensorrt-int8"
        return TensorRTEngine.open(
            folder / "onnx", folder / "tensorrt", precision="int8" if quantised else "fp16"
        )
    if kind in ("torch", "torch-compiled"):
        if not _is_here("torch") or not _is_here("transformers"):
            raise EngineError("torch and transformers are not installed: pip install -e '.[train]'")
        from .torch import TorchEngine

        return TorchEngine.open(folder / "model", compiled=kind == "torch-compiled")
    raise EngineError(f"{kind} is no engine; there are {', '.join(KINDS)}")


def choose(folder: Path) -> Kind:
    """The engine that ``auto`` means: TensorRT on a GPU, else int8, else fp32, else torch. Raises
    :class:`EngineError` where there is none."""
    graphs = folder / "onnx"
    if has_graphs(graphs):
        if _gpu_runs_tensorrt():
            return "tensorrt"
        if has_graphs(graphs, "int8") and not _gpu_runs_onnx():
            return "onnx-int8"
        return "onnx"
    if has_graphs(graphs, "int8"):
        return "onnx-int8"
    if (folder / "model" / "config.json").is_file():
        return "torch"
    raise EngineError(f"{folder} holds no model: neither onnx/ nor model/ is complete")


def _gpu_runs_tensorrt() -> bool:
    if not _is_here("tensorrt") and not _is_here("tensorrt_rtx"):
        return False
    from .cuda import has_gpu

    return has_gpu()


def _gpu_runs_onnx() -> bool:
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
