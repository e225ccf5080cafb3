"""What a base learns by parts before it learns all of it at once: counting, and copying.

The details have a small part in what a step of the whole costs, and need far more steps; and a decoder that
cannot copy yet reads the picture instead of what it hears.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.minigpt.config import GRADES, MAX_STACK, PACKAGE_TYPES
from inference.minigpt.model import MiniGPT
from inference.minigpt.towers import each_look

from .answers import NO_ANSWER, Answers
from .losses import causal_loss, count_loss, heat_loss
from .recipe import Recipe
from .telling import batch
from .views import Progress, Views

_DETAIL_RATE = 2e-3
_COUNT_WEIGHT, _GRADED_WEIGHT = 0.2, 0.3
_COPYING_RATE = 2e-3
_GRADED = {"condition": GRADES, "stack_level": MAX_STACK, "package_type": len(PACKAGE_TYPES)}


def learn_details(
    model: MiniGPT, views: Views, answers: Answers, recipe: Recipe, progress: Progress
) -> None:
    """Teach the details of ``model`` where units stand in the whole of a photo, with heads for what else
    they are to tell that are thrown away afterwards. ``views`` keep the tower's cells."""
    torch.manual_seed(recipe.seed)
    size = 2 * model.config.detail
    heads = nn.ModuleDict({name: nn.Linear(size, n) for name, n in _GRADED.items()})
    rng = np.random.default_rng(recipe.seed)
    count = len(answers.records)
    steps = math.ceil(count / recipe.batch)
    parameters = [*model.details.parameters(), *heads.parameters()]
    details = model.details

    def losses() -> Iterable[Tensor]:
        for epoch in range(recipe.detail_epochs):
            order = rng.permutation(count)
            for first in range(0, count, recipe.batch):
                rows = np.sort(order[first : first + recipe.batch])
                seen = views.get((rows + epoch) % recipe.views, rows)
                assert seen.cells is not None
                assert answers.units is not None
                cells, units = seen.cells[:, :1], answers.units[rows].float()
                fine = each_look(model.tower.fine, seen.stems[:, :1])
                if rng.random() < 0.5:
                    cells, fine, units = _mirrored(cells, fine, units)
                features = details.features(cells, fine)[:, 0]
                heat = details.heat(features)
                counts = answers.heads["count"][rows]
                loss = heat_loss(heat, units)
                loss = loss + _COUNT_WEIGHT * count_loss(details.units(heat), counts)
                flat = features.flatten(2)
                summary = torch.cat([flat.mean(dim=2), flat.amax(dim=2)], dim=1)
                for name, head in heads.items():
                    here = answers.heads[name][rows]
                    if bool((here != NO_ANSWER).any()):
                        wrong = functional.cross_entropy(
                            head(summary), here, ignore_index=NO_ANSWER
                        )
                        loss = loss + _GRADED_WEIGHT * wrong
                yield loss

    model.train()
    _descend(
        losses(),
        parameters,
        _DETAIL_RATE,
        steps * recipe.detail_epochs,
        lambda done, of: progress("details", done, of),
    )


def _mirrored(cells: Tensor, fine: Tensor, units: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Left and right exchanged: cells [B, K, N, C], fine cells [B, K, F, √M, √M], units [B, U]."""
    side = math.isqrt(cells.shape[2])
    turned = cells.unflatten(2, (side, side)).flip(3).flatten(2, 3)
    across = math.isqrt(units.shape[1])
    square = units.unflatten(1, (across, across)).flip(2).flatten(1)
    return turned, fine.flip(4), square


def learn_copying(model: MiniGPT, answers: Answers, recipe: Recipe, progress: Progress) -> None:
    """Teach the decoder of ``model`` to write what it hears, whatever it sees: nothing."""
    torch.manual_seed(recipe.seed)
    chance = random.Random(recipe.seed)
    blank = torch.zeros(recipe.batch, model.config.queries, model.config.width)
    decoder = [model.embedding, model.position, model.after, model.layers, model.norm]

    def losses() -> Iterable[Tensor]:
        for _ in range(recipe.copying_steps):
            rows = [chance.randrange(len(answers.records)) for _ in range(recipe.batch)]
            tokens, wanted, heard = batch(answers.told(rows, chance, always=True))
            logits, _ = model.decode(blank, tokens[:, :-1], heard)
            yield causal_loss(logits, wanted, torch.ones(recipe.batch), recipe.smoothing)

    model.train()
    _descend(
        losses(),
        [p for part in decoder for p in part.parameters()],
        _COPYING_RATE,
        recipe.copying_steps,
        lambda done, of: progress("copying", done, of),
    )


def _descend(
    losses: Iterable[Tensor],
    parameters: list[nn.Parameter],
    rate: float,
    steps: int,
    progress: Callable[[int, int], None],
) -> None:
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps + 1, pct_start=0.05
    )
    for step, loss in enumerate(losses, start=1):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0 or step == steps:
            progress(step, steps)
