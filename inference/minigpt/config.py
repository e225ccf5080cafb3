"""Sizes of a MiniGPT, and what its heads tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import PretrainedConfig

from inference import bundles

GRADES = 5


class MiniGPTConfig(PretrainedConfig):
    """Sizes of a :class:`MiniGPT`. ``queries`` counts the decoder's first tokens: those of the learned
    queries, and the last two, of the whole picture and of its details, whose cells hear of each other in
    ``detail_layers``. ``looks`` are shares of a picture's sides (see
    :func:`inference.minigpt.pixels.to_pixels`), ``classes`` the SKU codes that its class head tells
    apart, ``make`` see :data:`inference.bundles.MAKE`."""

    model_type = "warevision-minigpt"

    def __init__(
        self,
        *,
        vocabulary_size: int = 4436,
        tower: str = "efficientnet-lite0",
        side_px: int = 320,
        looks: Sequence[float] = (1.0,),
        width: int = 192,
        heads: int = 6,
        queries: int = 18,
        detail: int = 64,
        detail_layers: int = 0,
        qformer_layers: int = 2,
        decoder_layers: int = 3,
        max_tokens: int = 256,
        dropout: float = 0.1,
        feature_dropout: float = 0.2,
        classes: list[str] | None = None,
        make: int = bundles.MAKE,
        **other: Any,
    ) -> None:
        super().__init__(**other)
        self.vocabulary_size = vocabulary_size
        self.tower = tower
        self.side_px = side_px
        self.looks = list(looks)
        self.width = width
        self.heads = heads
        self.queries = queries
        self.detail = detail
        self.detail_layers = detail_layers
        self.qformer_layers = qformer_layers
        self.decoder_layers = decoder_layers
        self.max_tokens = max_tokens
        self.dropout = dropout
        self.feature_dropout = feature_dropout
        self.classes = list(classes or [])
        self.make = make
