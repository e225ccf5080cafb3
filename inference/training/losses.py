"""What a model is to be told off for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.minigpt.model import field_maps, gaze_overlap
from inference.minigpt.vocabulary import END, PAD, Vocabulary

from .answers import NO_ANSWER, POINTED, Answers
from .recipe import Recipe
from .telling import Told, batch
from .views import Seen


def loss_of(
    model: nn.Module,
    seen: Seen,
    rows_told: Sequence[Told],
    answers: Answers,
    rows: Tensor,
    recipe: Recipe,
) -> Tensor:
    """Cross-entropy of each next token, that of the heads, how alike the queries look, and how far
    units and words are from their places. ``model`` is a :class:`MiniGPT`, as it is or wrapped."""
    device = seen.stems.device
    tokens, wanted, heard = batch(rows_told)
    tokens, wanted = tokens.to(device), wanted.to(device)
    heard = None if heard is None else heard.to(device)
    weights = answers.weights[rows].to(device)
    said = model(seen.stems, tokens[:, :-1], heard, seen.cells)
    loss = causal_loss(said["logits"], wanted, weights, recipe.smoothing)
    for name, answer in answers.heads.items():
        here = answer[rows].to(device)
        if name in said and name != "count" and bool((here != NO_ANSWER).any()):
            each = functional.cross_entropy(
                said[name].float(),
                here,
                ignore_index=NO_ANSWER,
                label_smoothing=recipe.smoothing,
                reduction="none",
            )
            loss = loss + recipe.head_weight * weighted_mean(each, weights * (here != NO_ANSWER))
    counts = answers.heads["count"][rows].to(device)
    loss = loss + recipe.count_weight * count_loss(said["units"], counts)
    if answers.units is not None and answers.words is not None:
        bumps = answers.units[rows].float().to(device)
        loss = loss + recipe.unit_weight * heat_loss(said["heat"], bumps)
        maps = [
            field_map(answers.vocabulary, key, tokens[:, :-1], said["looks"], said["gaze"])
            for key in POINTED
        ]
        words = answers.words[rows].float().to(device)
        loss = loss + recipe.word_weight * pointing_loss(torch.stack(maps, dim=1), words)
    return loss + recipe.gaze_weight * gaze_overlap(said["gaze"])


def causal_loss(logits: Tensor, wanted: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of the tokens ``wanted`` [B, T], :data:`PAD` where nothing is, under ``logits``
    [B, T, V]: the mean of all of them, each with its row's weight [B]."""
    each = functional.cross_entropy(
        logits.flatten(0, 1).float(),
        wanted.flatten(),
        ignore_index=PAD,
        label_smoothing=smoothing,
        reduction="none",
    )
    return weighted_mean(each, (weights[:, None] * (wanted != PAD)).flatten())


def weighted_mean(x: Tensor, weights: Tensor) -> Tensor:
    """The mean of ``x``, 0 where nothing has weight."""
    return (x * weights).sum() / weights.sum().clamp(min=1e-6)


def heat_loss(heat: Tensor, bumps: Tensor) -> Tensor:
    """How far a heat map [B, √U, √U] is from ``bumps`` [B, U], 1 where a unit has its middle and less around
    it: the focal loss of CenterNet (Zhou et al. 2019, equation 1), a unit, of the photos whose units are
    known (others are negative)."""
    known = bumps[:, 0] >= 0
    if not bool(known.any()):
        return heat.sum() * 0
    odds, bumps = heat[known].flatten(1).float(), bumps[known]
    p, middle = odds.sigmoid(), bumps == 1
    found = (1 - p).square() * functional.logsigmoid(odds) * middle
    empty = p.square() * functional.logsigmoid(-odds) * (1 - bumps).pow(4)
    return -(found + empty).sum() / middle.sum().clamp(min=1)


def count_loss(units: Tensor, counts: Tensor) -> Tensor:
    """How far the sums of ``units`` [B, U] are from ``counts`` [B], in the mean of those that are known."""
    known = counts != NO_ANSWER
    if not bool(known.any()):
        return units.sum() * 0
    return functional.smooth_l1_loss(units[known].sum(dim=1), counts[known].float(), beta=0.5)


def field_map(
    vocabulary: Vocabulary, key: str, tokens: Tensor, looks: Tensor, gaze: Tensor
) -> Tensor:
    """Where in the looks field ``key`` of captions [B, T] comes from [B, K · N]."""
    header = vocabulary.header(key)
    started = (tokens == header).cumsum(dim=1)
    others = [vocabulary.header(k) for k in vocabulary.fields if k != key] + [END, PAD]
    ended = torch.isin(tokens, torch.tensor(others, device=tokens.device)) & (started > 0)
    inside = ((started > 0) & (ended.cumsum(dim=1) == 0)).float()
    mean = (inside[:, None] @ looks) / inside.sum(dim=1).clamp(min=1)[:, None, None]
    return field_maps(mean, gaze)[:, 0]


def pointing_loss(maps: Tensor, words: Tensor) -> Tensor:
    """How little of maps [B, F, K · N] is in the cells of the words [B, F, K · N], in the mean of those
    that a photo shows (after the supervised attention of Liu et al. 2016)."""
    shown = words.amax(dim=2) > 0
    if not bool(shown.any()):
        return maps.sum() * 0
    inside = (maps * (words > 0.1)).sum(dim=2)
    return -inside[shown].clamp(min=1e-4).log().mean()
