"""A trained MiniGPT as three ONNX graphs: the picture, how the decoder begins, a token or more after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from inference.minigpt.model import MiniGPT, causal_mask

OPSET = 17


class _Encode(nn.Module):
    def __init__(self, model: MiniGPT) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        encoded = self.model.encode(pixels)
        heads = (head(encoded.summary) for head in self.model.heads.values())
        return (encoded.outputs, encoded.gaze, *heads)


class _Begin(nn.Module):
    def __init__(self, model: MiniGPT) -> None:
        super().__init__()
        self.model = model

    def forward(self, outputs: Tensor) -> Tensor:
        return self.model.begin(outputs)


class _Step(nn.Module):
    def __init__(self, model: MiniGPT) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, tokens: Tensor, past: Tensor, place: Tensor, mask: Tensor
    ) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = self.model.step(tokens, past, place, mask)
        return found


def export_onnx(model: MiniGPT, folder: Path) -> None:
    """Write ``encode.onnx``, ``begin.onnx`` and ``step.onnx`` into ``folder``; batch, tokens and past
    may have any length."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval()
    side, length, batch = model.config.side_px, 3, 2
    pixels = torch.zeros(batch, len(model.config.looks), 3, side, side)
    with torch.no_grad():
        outputs = model.encode(pixels).outputs
        past = model.begin(outputs)
    tokens = torch.zeros(batch, length, dtype=torch.long)
    place = torch.arange(length).expand(batch, -1)
    mask = causal_mask(length, past.shape[4]).expand(batch, -1, -1, -1)
    _write(
        _Encode(model).eval(),
        (pixels,),
        folder / "encode.onnx",
        names=(["pixels"], ["outputs", "gaze", *model.heads]),
        axes={name: {0: "batch"} for name in ("pixels", "outputs", "gaze", *model.heads)},
    )
    _write(
        _Begin(model).eval(),
        (outputs,),
        folder / "begin.onnx",
        names=(["outputs"], ["past"]),
        axes={name: {0: "batch"} for name in ("outputs", "past")},
    )
    long = {0: "batch", 1: "tokens"}
    _write(
        _Step(model).eval(),
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


def _write(
    module: nn.Module,
    given: tuple[Tensor, ...],
    path: Path,
    *,
    names: tuple[list[str], list[str]],
    axes: dict[str, Any],
) -> None:
    torch.onnx.export(
        module,
        given,
        str(path),
        input_names=names[0],
        output_names=names[1],
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(path))
