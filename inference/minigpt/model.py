"""MiniGPT: a picture encoder, a Q-Former and a causal decoder that writes the caption.

::

    pixels ── tower ─┬─ cells ──► Q-Former: learned queries look at the cells ──► first tokens
                     └─ fine cells ──► Details: how many units, and where ──────────┐ │
                                                                                    ▼ ▼
                                    printed words, barcodes, sensors (tokens) ──► decoder
                                                                                    │
                                                     【SKU】…|【品类】…|【规格】…, a token at a time

After BLIP-2 (Li et al. 2023, figure 2) and Flamingo's gate (Alayrac et al. 2022), small enough for
one CPU thread: the queries' outputs are the decoder's first tokens, so whatever it writes attends
to them, and they to cells: :func:`field_maps` follows that back into the picture. Two more tokens
sum up the whole picture (generalised mean pooling, Radenović et al. 2018) and its small details,
among them how many units stand where (after CenterNet, Zhou et al. 2019).

Letters in shapes: B pictures, K looks at each (the whole, and its middle nearer), S side in pixels,
N cells of a look, C the tower's channels, M fine cells of F channels, U unit cells, Q first tokens, D width,
T tokens, P tokens before them, H heads, L decoder layers, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedModel

from inference.contracts import PACKAGE_TYPES

from .attention import Attention, FeedForward
from .config import GRADES, MiniGPTConfig
from .details import Details, coarse, count_log_odds
from .sight import MAX_STACK
from .towers import build_tower, each_look
from .vocabulary import PAD


class QFormerLayer(nn.Module):
    """Queries look at each other, then, through a gate, at the picture."""

    def __init__(self, config: MiniGPTConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.before_self, self.before_cross, self.before_mix = (
            nn.LayerNorm(width) for _ in range(3)
        )
        self.self_attention = Attention(width, heads)
        self.cross_attention = Attention(width, heads)
        self.gate = nn.Parameter(torch.ones(1))
        self.mix = FeedForward(width, config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, queries: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Queries [B, Q, D] and cells [B, N, D] → queries, weights over the cells [B, Q, N]."""
        x, own = self.before_self(queries), self.self_attention
        found, _ = own(x, own.split(own.key(x)), own.split(own.value(x)))
        queries = queries + self.dropout(found)
        x, cross = self.before_cross(queries), self.cross_attention
        found, weights = cross(x, cross.split(cross.key(cells)), cross.split(cross.value(cells)))
        queries = queries + self.dropout(self.gate.tanh() * found)
        queries = queries + self.dropout(self.mix(self.before_mix(queries)))
        return queries, weights.mean(dim=1)


class QFormer(nn.Module):
    """Learned queries [Q − 2] gather what the caption needs from the cells.

    Queries that start alike stay alike: theirs start orthogonal and long, and training pushes their
    gazes apart (:func:`gaze_overlap`).
    """

    def __init__(self, config: MiniGPTConfig, channels: int) -> None:
        super().__init__()
        start = nn.init.orthogonal_(torch.empty(config.queries - 2, config.width))
        self.queries = nn.Parameter(start * math.sqrt(config.width) / 2)
        self.image_projection = nn.Linear(channels, config.width)
        self.look = nn.Parameter(torch.zeros(len(config.looks), 1, config.width))
        self.norm = nn.LayerNorm(config.width)
        self.feature_dropout = nn.Dropout(config.feature_dropout)
        self.layers = nn.ModuleList(QFormerLayer(config) for _ in range(config.qformer_layers))
        self.out_norm = nn.LayerNorm(config.width)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Cells [B, K, N, C] → outputs [B, Q − 2, D] and the last layer's gaze [B, Q − 2, K · N]."""
        x = self.norm(self.image_projection(self.feature_dropout(cells)))
        x = (x + self.look + positions_2d(x.shape[2], x.shape[3]).to(x)).flatten(1, 2)
        queries = self.queries.expand(cells.shape[0], -1, -1)
        gaze = queries
        for layer in self.layers:
            queries, gaze = layer(queries, x)
        return self.out_norm(queries), gaze


class DecoderLayer(nn.Module):
    def __init__(self, config: MiniGPTConfig) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(config.width)
        self.attention = Attention(config.width, config.heads)
        self.before_mix = nn.LayerNorm(config.width)
        self.mix = FeedForward(config.width, config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, past: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, T, D] after ``past`` keys and values [B, 2, H, P, D / H] → x, present
        [B, 2, H, P + T, D / H], weights of each head [B, H, T, P + T]."""
        a, normed = self.attention, self.before_attention(x)
        present = torch.stack([a.split(a.key(normed)), a.split(a.value(normed))], dim=1)
        if past is not None:
            present = torch.cat([past, present], dim=3)
        found, weights = a(normed, present[:, 0], present[:, 1], mask)
        x = x + self.dropout(found)
        return x + self.dropout(self.mix(self.before_mix(x))), present, weights


@dataclass
class Encoded:
    """What was seen in a picture. ``outputs`` [B, Q, D] are the queries' and, last, those of the whole
    picture and of its details, ``gaze`` [B, Q, K · N] where each looks, ``heads`` the logits of each
    head, ``heat`` [B, √U, √U] of units and how surely there is one in each of its cells, ``units``
    [B, U]."""

    outputs: Tensor
    gaze: Tensor
    heads: dict[str, Tensor]
    heat: Tensor
    units: Tensor


class MiniGPT(PreTrainedModel):
    """The whole model. ``encode`` a picture and ``begin`` with it, then ``step`` a token or a chunk
    at a time."""

    config_class = MiniGPTConfig
    supports_gradient_checkpointing = True
    gradient_checkpointing = False
    base_model_prefix = "minigpt"
    _tied_weights_keys = {}

    def __init__(self, config: MiniGPTConfig) -> None:
        super().__init__(config)
        width = config.width
        self.tower = build_tower(config.tower, config.side_px)
        self.qformer = QFormer(config, self.tower.channels)
        self.embedding = nn.Embedding(config.vocabulary_size, width)
        self.position = nn.Embedding(config.max_tokens, width)
        self.after = nn.Linear(2 * width, width, bias=False)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.details = Details(config, self.tower)
        read = width + self.tower.channels
        both = read + self.details.size
        self.whole = nn.Linear(read, width)
        self.small = nn.Sequential(
            nn.Linear(self.details.size, width), nn.GELU(), nn.Linear(width, width)
        )
        self.summary_norm = nn.LayerNorm(read)
        self.heads = nn.ModuleDict(
            {
                "stack_level": nn.Linear(self.details.size, MAX_STACK),
                "condition": nn.Linear(both, GRADES),
                "package_type": nn.Linear(both, len(PACKAGE_TYPES)),
            }
            | ({"sku": nn.Linear(read, len(config.classes))} if config.classes else {})
        )
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        nn.init.normal_(self.position.weight, std=0.02)
        nn.init.orthogonal_(self.after.weight)
        self.all_tied_weights_keys: dict[str, str] = {}

    @property
    def head_names(self) -> tuple[str, ...]:
        """What :meth:`encode` gives the logits of."""
        return (*self.heads, "count")

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def encode(self, pixels: Tensor) -> Encoded:
        """Pixels [B, K, 3, S, S], (x − 127) / 128, → what is seen in them."""
        return self.encode_stems(each_look(self.tower.stem, pixels))

    def encode_stems(self, stems: Tensor) -> Encoded:
        """The same from what the tower's stem made of each look [B, K, …]."""
        tail = self.tower.tail
        if self.gradient_checkpointing and self.training:
            tail = partial(self._gradient_checkpointing_func, tail)
        return self.encode_cells(each_look(tail, stems), stems)

    def encode_cells(self, cells: Tensor, stems: Tensor) -> Encoded:
        """The same where the tower's tail has made its cells [B, K, N, C] of them."""
        outputs, gaze = self.qformer(cells)
        small, heat, units = self.details(cells, each_look(self.tower.fine, stems))
        strong = cells * cells * cells
        pooled = strong.mean(dim=2).clamp(min=1e-6).pow(1 / 3).mean(dim=1)
        summary = self.summary_norm(torch.cat([outputs.mean(dim=1), pooled], dim=1))
        both = torch.cat([summary, small], dim=1)
        read = {"sku": summary, "stack_level": small}
        tokens = torch.stack([self.whole(summary), self.small(small)], dim=1)
        glow = strong.mean(dim=3).clamp(min=1e-6).flatten(1)
        near = coarse(heat.float().sigmoid().flatten(1), cells.shape[2])
        stand = functional.pad(near, (0, glow.shape[1] - cells.shape[2]))
        own = torch.stack([glow, stand], dim=1)
        return Encoded(
            torch.cat([outputs, tokens], dim=1),
            torch.cat([gaze, own / own.sum(dim=2, keepdim=True).clamp(min=1e-6)], dim=1),
            {n: head(read.get(n, both)) for n, head in self.heads.items()}
            | {"count": count_log_odds(units)},
            heat,
            units,
        )

    def begin(self, outputs: Tensor) -> Tensor:
        """The decoder's keys and values [B, L, 2, H, Q, D / H] of the queries' outputs [B, Q, D].
        Queries see each other, so there is no mask."""
        x, presents = outputs, []
        for layer in self.layers:
            x, present, _ = layer(x, None, None)
            presents.append(present)
        return torch.stack(presents, dim=1)

    def step(
        self,
        tokens: Tensor,
        past: Tensor,
        place: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [B, T] after ``past`` [B, L, 2, H, P, D / H] → logits [B, T, V], present
        [B, L, 2, H, P + T, D / H], weights on the queries, mean of the layers [B, T, Q].

        They follow each other, unless ``place`` [B | 1, T] says where in the caption each stands
        and ``mask`` [B | 1, 1, T, P + T], added to the scores, what each sees: so a whole tree of
        alternatives goes through at once. What is given before the caption stands from
        :attr:`heard_from` on, in one piece; each of its tokens knows the two before it, so that
        what follows those written last is found at a glance (induction, Olsson et al. 2022).
        """
        length, before = tokens.shape[1], past.shape[4]
        if place is None:
            place = torch.arange(length, device=tokens.device)[None] + before - self.config.queries
        if mask is None:
            mask = causal_mask(length, before).to(past)
        written = self.embedding(tokens)
        two_before = [functional.pad(written, (0, 0, n, 0))[:, :length] for n in (1, 2)]
        known = self.after(torch.cat(two_before, dim=2)) * (place >= self.heard_from)[..., None]
        x = self.dropout(written + known + self.position(place))
        presents, looks = [], []
        for n, layer in enumerate(self.layers):
            x, present, weights = layer(x, past[:, n], mask)
            presents.append(present)
            looks.append(weights[..., : self.config.queries].mean(dim=1))
        logits = functional.linear(self.norm(x), self.embedding.weight)
        return logits, torch.stack(presents, dim=1), torch.stack(looks).mean(dim=0)

    @property
    def heard_from(self) -> int:
        """The place of the first token that is given before a caption."""
        return self.config.max_tokens // 2

    def decode(
        self, outputs: Tensor, tokens: Tensor, heard: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits [B, T, V] of the token after each of captions [B, T], and weights on the queries
        [B, T, Q], after the queries' ``outputs`` [B, Q, D] and what is ``heard`` [B, P], padded."""
        past, mask = self.begin(outputs), None
        if heard is not None:
            place = torch.arange(heard.shape[1], device=heard.device)[None] + self.heard_from
            _, past, _ = self.step(heard, past, place)
            open_ = torch.cat(
                [torch.ones_like(heard[:, :1]).expand(-1, outputs.shape[1]), heard], 1
            )
            mask = causal_mask(tokens.shape[1], past.shape[4]).to(past)
            mask = mask + functional.pad((open_ == PAD) * -1e4, (0, tokens.shape[1]))[:, None, None]
        place = torch.arange(tokens.shape[1], device=tokens.device)[None]
        logits, _, looks = self.step(tokens, past, place, mask)
        return logits, looks

    def forward(
        self,
        stems: Tensor,
        tokens: Tensor,
        heard: Tensor | None = None,
        cells: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """What the tower's stem made of each look [B, K, …], with the tail's ``cells`` where they are
        known, captions [B, T] and what is ``heard`` before them [B, P], padded, → ``logits`` [B, T, V]
        of the token after each, ``gaze`` [B, Q, K · N], ``looks`` [B, T, Q], ``heat`` [B, √U, √U],
        ``units`` [B, U] and the logits of each head."""
        encoded = self.encode_stems(stems) if cells is None else self.encode_cells(cells, stems)
        logits, looks = self.decode(encoded.outputs, tokens, heard)
        return {
            "logits": logits,
            "gaze": encoded.gaze,
            "looks": looks,
            "heat": encoded.heat,
            "units": encoded.units,
            **encoded.heads,
        }


def causal_mask(length: int, before: int) -> Tensor:
    """Each of ``length`` tokens sees what came ``before`` and those up to itself [1, 1, T, P + T]."""
    column = torch.arange(before + length)[None, :]
    row = torch.arange(length)[:, None] + before
    return (column > row)[None, None] * -1e4


def positions_2d(cells: int, width: int) -> Tensor:
    """Sines of the column in the first half, of the row in the second [N, D], for a square grid
    (Vaswani et al. 2017, section 3.5, in two dimensions)."""
    side = math.isqrt(cells)
    rates = torch.exp(torch.arange(0, width // 2, 2) * (-math.log(10_000.0) / (width // 2)))
    angles = torch.arange(side)[:, None] * rates
    line = torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
    columns = line[None, :, :].expand(side, -1, -1)
    rows = line[:, None, :].expand(-1, side, -1)
    return torch.cat([columns, rows], dim=2).reshape(cells, -1)


def gaze_overlap(gaze: Tensor) -> Tensor:
    """How alike the gazes [B, Q, K · N] of different queries are: the mean cosine, 0 … 1."""
    unit = functional.normalize(gaze, dim=2)
    alike = unit @ unit.transpose(1, 2)
    queries = gaze.shape[1]
    off = alike.sum(dim=(1, 2)) - queries
    return (off / (queries * (queries - 1))).mean()


def field_maps(looks: Tensor, gaze: Tensor) -> Tensor:
    """Where in the looks tokens come from [B, T, K · N]: from tokens to queries [B, T, Q], from
    queries to cells [B, Q, K · N] (attention rollout over the two, Abnar & Zuidema 2020)."""
    shares = looks / looks.sum(dim=2, keepdim=True).clamp(min=1e-6)
    return shares @ gaze


AutoConfig.register(MiniGPTConfig.model_type, MiniGPTConfig)
AutoModel.register(MiniGPTConfig, MiniGPT)
