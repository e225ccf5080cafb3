"""A trained MiniGPT as three ONNX graphs: the picture, how the decoder begins, tokens after it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from inference.engines.torch import Begin, Encode, Step, pixel_shape
from inference.minigpt.model import MiniGPT, causal_mask
from inference.minigpt.towers import Tower

OPSET = 20


def export_onnx(model: MiniGPT, folder: Path) -> None:
    """Write ``encode.onnx``, ``begin.onnx`` and ``step.onnx`` into ``folder``; batch, tokens and past
    may have any length. Constants are folded and batch norms are part of their convolutions."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval()
    length, batch = 3, 2
    encode = Encode(model).eval()
    pixels = torch.zeros(batch, *pixel_shape(model))
    with torch.no_grad():
        outputs = model.encode(pixels).outputs
        past = model.begin(outputs)
    tokens = torch.zeros(batch, length, dtype=torch.long)
    place = torch.arange(length).expand(batch, -1)
    mask = causal_mask(length, past.shape[4]).expand(batch, -1, -1, -1)
    _write(
        encode,
        (pixels,),
        folder / "encode.onnx",
        names=(["pixels"], list(encode.names)),
        axes={name: {0: "batch"} for name in ("pixels", *encode.names)},
    )
    _write(
        Begin(model).eval(),
        (outputs,),
        folder / "begin.onnx",
        names=(["outputs"], ["past"]),
        axes={name: {0: "batch"} for name in ("outputs", "past")},
    )
    long = {0: "batch", 1: "tokens"}
    _write(
        Step(model).eval(),
        (tokens, past, place, mask),
        folder / "step.onnx",
        names=(["tokens", "past", "place", "mask"], ["logits", "present", "looks"]),
        axes={
            "tokens": long,
            "past": {0: "batch", 4: "past"},
            "place": long,
            "mask": {0: "batch", 2: "tokens", 3: "seen"},
            "logits": long,
            "present": {0: "batch", 4: "seen"},
            "looks": long,
        },
    )


def frozen_stem(tower: Tower, side_px: int) -> Callable[[Tensor], Tensor]:
    """The stem of a tower as it is now, without gradients, in ONNX Runtime: several times as fast as
    torch on a CPU. A stem without weights stays as it is."""
    if next(tower.stem_parameters(), None) is None:
        return tower.stem
    with tempfile.TemporaryDirectory(prefix="warevision-stem-") as folder:
        path = Path(folder) / "stem.onnx"
        names = (["pixels"], ["stem"])
        axes = {name: {0: "batch"} for name in ("pixels", "stem")}
        pixels = torch.zeros(2, 3, side_px, side_px)
        _write(Stem(tower).eval(), (pixels,), path, names=names, axes=axes)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    return lambda pixels: torch.from_numpy(session.run(None, {"pixels": pixels.numpy()})[0])


class Stem(nn.Module):
    """:meth:`Tower.stem` as a module."""

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, pixels: Tensor) -> Tensor:
        return self.tower.stem(pixels)


def _write(
    module: nn.Module,
    given: tuple[Tensor, ...],
    path: Path,
    *,
    names: tuple[list[str], list[str]],
    axes: dict[str, Any],
) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="warevision-export-") as folder,
        warnings.catch_warnings(),
    ):
        # shapes are traced on purpose, and what is not folded here is simplified below
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", message="Constant folding")
        raw = Path(folder) / path.name
        torch.onnx.export(
            module,
            given,
            str(raw),
            input_names=names[0],
            output_names=names[1],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        _simplify(raw, path)
    onnx.checker.check_model(onnx.load(path))


def _simplify(raw: Path, path: Path) -> None:
    """Leave out of a graph what can be computed beforehand. ONNX Runtime's basic optimisations stay
    within the standard's operators, so that other runtimes read the result too."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(str(raw), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(path)
    used = {node.domain for node in graph.graph.node}
    for one in [o for o in graph.opset_import if o.domain not in used]:
        graph.opset_import.remove(one)
    onnx.save(onnx.shape_inference.infer_shapes(graph, data_prop=True), path)
