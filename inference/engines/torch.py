"""MiniGPT in torch: the reference that other engines are held to, and the fallback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from inference.minigpt.alternatives import Float32Array, IntArray
from inference.minigpt.model import MiniGPT
from inference.minigpt.pixels import to_pixels

from .base import EngineError, Picture


class Encode(nn.Module):
    """What an engine makes of pixels, as one module: ``names`` says what it answers, in order."""

    def __init__(self, model: MiniGPT) -> None:
        super().__init__()
        self.model = model
        self.names = ("outputs", "gaze", *model.head_names)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        encoded = self.model.encode(pixels)
        return (encoded.outputs, encoded.gaze, *encoded.heads.values())


class Begin(nn.Module):
    """:meth:`MiniGPT.begin` as a module."""

    def __init__(self, model: MiniGPT) -> None:
        super().__init__()
        self.model = model

    def forward(self, outputs: Tensor) -> tuple[Tensor]:
        return (self.model.begin(outputs),)


class Step(nn.Module):
    """:meth:`MiniGPT.step` as a module."""

    def __init__(self, model: MiniGPT) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, tokens: Tensor, past: Tensor, place: Tensor, mask: Tensor
    ) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = self.model.step(tokens, past, place, mask)
        return found


class TorchEngine:
    """A model on ``device``. ``compiled`` has torch compile it, with CUDA graphs on a GPU."""

    def __init__(self, model: MiniGPT, *, device: str = "cpu", compiled: bool = False) -> None:
        self._device = torch.device(device)
        self.together = self._device.type != "cpu"
        model = model.eval().to(self._device)
        encode = Encode(model)
        self._names = encode.names
        self._encode: Callable[..., tuple[Tensor, ...]] = encode
        self._begin: Callable[..., tuple[Tensor, ...]] = Begin(model)
        self._step: Callable[..., tuple[Tensor, ...]] = Step(model)
        if compiled:
            mode = "reduce-overhead" if self._device.type == "cuda" else "default"
            self._encode = torch.compile(self._encode, mode=mode)
            self._begin = torch.compile(self._begin, mode=mode)
            self._step = torch.compile(self._step, mode=mode, dynamic=True)
        self.pixel_shape: tuple[int, ...] = pixel_shape(model)

    @classmethod
    def open(
        cls, folder: Path, *, device: str | None = None, compiled: bool = False
    ) -> TorchEngine:
        """What ``save_pretrained`` wrote, on a GPU where there is one. Raises :class:`EngineError`
        where it is missing."""
        if not (folder / "config.json").is_file():
            raise EngineError(f"{folder} holds no model for torch")
        model = MiniGPT.from_pretrained(folder, dtype=torch.float32)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        return cls(model, device=device, compiled=compiled)

    def encode(self, pixels: Float32Array) -> Picture:
        """See :class:`inference.engines.Engine`."""
        found = dict(zip(self._names, self._run(self._encode, pixels), strict=True))
        return Picture(found.pop("outputs"), found.pop("gaze"), found)

    def begin(self, outputs: Float32Array) -> Float32Array:
        """See :class:`inference.engines.Engine`."""
        return self._run(self._begin, outputs)[0]

    def step(
        self, tokens: IntArray, past: Float32Array, place: IntArray, mask: Float32Array
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """See :class:`inference.minigpt.alternatives.Decoder`."""
        logits, present, looks = self._run(self._step, tokens, past, place, mask)
        return logits, present, looks

    @torch.no_grad()
    def _run(
        self, run: Callable[..., tuple[Tensor, ...]], *given: Float32Array | IntArray
    ) -> list[Float32Array]:
        found = run(*(torch.from_numpy(one).to(self._device) for one in given))
        return [one.cpu().numpy() for one in found]


def pixel_shape(model: MiniGPT) -> tuple[int, ...]:
    """The shape of one picture's pixels, which ``to_pixels`` decides."""
    config, blank = model.config, Image.new("RGB", (1, 1))
    pixels = to_pixels([blank], config.side_px, config.looks)
    shape: tuple[int, ...] = pixels.shape[1:]
    return shape
