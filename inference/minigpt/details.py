"""What is small in a picture: dents, tears, and the units that are counted."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from .attention import Attention, FeedForward
from .config import MiniGPTConfig
from .towers import FINE_PX, Tower

UNIT_PX = 4
"""Side of the cells in which units are told apart."""
MAX_UNITS = 32
"""The largest count that the summary tells from more."""
REACHES = (1, 2, 4, 2, 1)
"""How far fine cells look around them, one after the other."""
_APART = 2
"""So many cells around a peak hold no other: a second one as near is nearly always of the same unit."""
_DOUBT = 0.35
"""Standard deviation of a count in units, however sure its parts are."""


class Details(nn.Module):
    """What is small: dents and tears, and where the middles of units are.

    Fine cells tell edges, the tower's cells what they are edges of; each then hears of ever more of
    its neighbours (dilated convolutions, Yu & Koltun 2016). Units are the peaks of a heat map
    (CenterNet, Zhou et al. 2019), each with how sure it is: so much is counted, and no unit twice.
    What is a unit and what a part of one is told by what there is more of: in between, cells of the first look, where
    units are counted, hear of all others.
    """

    size: int
    """E, of its summary."""
    held: bool
    """Whether they learn nothing and the tower learns nothing for them: what they know stays as it is."""

    def __init__(self, config: MiniGPTConfig, tower: Tower) -> None:
        super().__init__()
        detail = config.detail
        self.near = nn.Conv2d(tower.fine_channels, detail, 1)
        self.around = nn.Linear(tower.channels, detail)
        self.mixes = nn.ModuleList(
            nn.Conv2d(detail, detail, 3, padding=reach, dilation=reach) for reach in REACHES
        )
        layers, squares = config.detail_layers, config.side_px // FINE_PX // 2
        self.among = Among(detail, squares**2, layers) if layers else nn.Identity()
        self.finer = FINE_PX // UNIT_PX
        self.unit = nn.Conv2d(detail, self.finer**2, 1)
        assert self.unit.bias is not None
        nn.init.constant_(self.unit.bias, -4.6)  # units are rare (Lin et al. 2017, section 4.1)
        self.sure = nn.Parameter(torch.tensor([4.0, 2.0]))
        places = (config.side_px // 32) ** 2
        self.size = len(config.looks) * 2 * detail + places + MAX_UNITS + 1
        self.norm = nn.LayerNorm(self.size)
        self.held = False

    def hold(self) -> None:
        """Let them be as they are, whatever else is taught: there is nothing small to learn."""
        self.held = True
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Self:
        return super().train(mode and not self.held)

    def forward(self, cells: Tensor, fine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cells [B, K, N, C] and fine cells [B, K, F, √M, √M] → a summary [B, E], and of the first look
        the heat [B, √U, √U] of units and how surely there is one in each of its cells [B, U]."""
        x = self.features(cells.detach() if self.held else cells, fine)
        heat = self.heat(x[:, 0])
        units = self.units(heat)
        count = units.sum(dim=1, keepdim=True)
        near_count = _bell(count, _DOUBT**2).exp()
        flat = x.flatten(3)
        pooled = torch.cat([flat.mean(dim=3), flat.amax(dim=3)], dim=2).flatten(1)
        summary = torch.cat([pooled, coarse(units, cells.shape[2]), near_count], dim=1)
        return self.norm(summary), heat, units

    def features(self, cells: Tensor, fine: Tensor) -> Tensor:
        """What fine cells tell [B, K, E, √M, √M]."""
        side = math.isqrt(cells.shape[2])
        around = self.around(cells).flatten(0, 1).transpose(1, 2).unflatten(2, (side, side))
        times = float(fine.shape[3] // side)
        around = functional.interpolate(around, scale_factor=times, mode="nearest")
        x = functional.gelu(self.near(fine.flatten(0, 1)) + around)
        for mix in self.mixes:
            x = x + functional.gelu(mix(x))
        looks = x.unflatten(0, fine.shape[:2])
        return torch.cat([self.among(looks[:, 0])[:, None], looks[:, 1:]], dim=1)

    def heat(self, features: Tensor) -> Tensor:
        """The log-odds [B, √U, √U] that features of a look [B, E, √M, √M] give each cell of
        :data:`UNIT_PX` to be the middle of a unit."""
        return functional.pixel_shuffle(self.unit(features), self.finer)[:, 0]

    def units(self, heat: Tensor) -> Tensor:
        """How surely there is a unit in each cell [B, U] of a heat map [B, √U, √U]: nowhere but at its
        peaks."""
        top = heat == functional.max_pool2d(heat[:, None], 2 * _APART + 1, 1, _APART)[:, 0]
        return ((self.sure[0] * heat.float() + self.sure[1]).sigmoid() * top).flatten(1)


class Among(nn.Module):
    """Fine cells, four in one, attend to each other: a token [B, N, D] is a square of 16 px."""

    _HEADS = 4

    def __init__(self, detail: int, squares: int, layers: int) -> None:
        super().__init__()
        width = 2 * detail
        self.enter = nn.Linear(4 * detail, width)
        self.position = nn.Parameter(0.02 * torch.randn(squares, width))
        self.layers = nn.ModuleList(AmongLayer(width, self._HEADS) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, 4 * detail)
        nn.init.zeros_(self.leave.weight)  # at first nothing is heard
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Fine cells [B, E, √M, √M] → the same, and what each square heard."""
        squares = functional.pixel_unshuffle(x, 2)
        tokens = self.enter(squares.flatten(2).transpose(1, 2)) + self.position
        for layer in self.layers:
            tokens = layer(tokens)
        heard = self.leave(self.norm(tokens)).transpose(1, 2).unflatten(2, squares.shape[2:])
        return x + functional.pixel_shuffle(heard, 2)


class AmongLayer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.before_attention, self.before_mix = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mix = FeedForward(width, dropout=0.0, times=2)

    def forward(self, x: Tensor) -> Tensor:
        a, normed = self.attention, self.before_attention(x)
        query, key, value = (a.split(part(normed)) for part in (a.query, a.key, a.value))
        found = functional.scaled_dot_product_attention(query, key, value)
        x = x + a.out(found.transpose(1, 2).flatten(2))
        mixed: Tensor = x + self.mix(self.before_mix(x))
        return mixed


def count_log_odds(units: Tensor) -> Tensor:
    """What the chances of units [B, U] give each number of them [B, :data:`MAX_UNITS` + 1]: a sum of
    independent chances is nearly normal, of mean Σ p and variance Σ p (1 − p)."""
    variance = (units * (1 - units)).sum(dim=1, keepdim=True) + _DOUBT**2
    return _bell(units.sum(dim=1, keepdim=True), variance)


def _bell(mean: Tensor, variance: Tensor | float) -> Tensor:
    steps = torch.arange(MAX_UNITS + 1, device=mean.device)
    return -((mean - steps) ** 2) / (2 * variance)


def coarse(units: Tensor, cells: int) -> Tensor:
    """The sums [B, N] of units over small cells [B, U] in each of fewer cells."""
    side, wide = math.isqrt(units.shape[1]), math.isqrt(cells)
    squares = units.unflatten(1, (wide, side // wide, wide, side // wide))
    return squares.sum(dim=(2, 4)).flatten(1)
