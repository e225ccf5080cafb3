"""MiniGPT in torch: the reference that other engines are held to, and the fallback."""

from __future__ import annotations

import torch

from inference.minigpt.alternatives import Float32Array, IntArray
from inference.minigpt.model import MiniGPT


class TorchDecoder:
    """Implements :class:`inference.minigpt.alternatives.Decoder`."""

    def __init__(self, model: MiniGPT) -> None:
        self._model = model.eval()

    @torch.no_grad()
    def step(
        self, tokens: IntArray, past: Float32Array, place: IntArray, mask: Float32Array
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        found = self._model.step(*map(torch.from_numpy, (tokens, past, place, mask)))
        logits, present, looks = (one.numpy() for one in found)
        return logits, present, looks
