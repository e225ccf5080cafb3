"""What a base learns by parts before it learns all of it at once: counting, and copying.

The details have a small part in what a step of the whole costs, and need far more steps; and a decoder that
cannot copy yet reads the picture instead of what it hears.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
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


class See(Protocol):
    """What is seen in the whole of photos: of ``rows`` in ``epoch``, perhaps left and right exchanged, the
    tower's cells [B, 1, N, C] and fine cells [B, 1, F, √M, √M]."""

    def __call__(
        self, rows: NDArray[np.intp], epoch: int, *, mirrored: bool
    ) -> tuple[Tensor, Tensor]: ...


def seen_in(model: MiniGPT, views: Views, count: int) -> See:
    """What the held tower of ``model`` has seen in ``count`` views of each photo, which keep its cells."""

    def see(rows: NDArray[np.intp], epoch: int, *, mirrored: bool) -> tuple[Tensor, Tensor]:
        seen = views.get((rows + epoch) % count, rows)
        assert seen.cells is not None
        cells, fine = seen.cells[:, :1], each_look(model.tower.fine, seen.stems[:, :1])
        if not mirrored:
            return cells, fine
        side = math.isqrt(cells.shape[2])
        return cells.unflatten(2, (side, side)).flip(3).flatten(2, 3), fine.flip(4)

    return see


def learn_details(
    model: MiniGPT,
    see: See,
    answers: Answers,
    recipe: Recipe,
    progress: Callable[[int, int], None],
    *,
    epochs: int,
    stem_rate: float = 0.0,
) -> None:
    """Teach the details of ``model`` where units stand in the whole of a photo, with heads for what else
    they are to tell that are thrown away afterwards; at a ``stem_rate`` the tower's stem learns too."""
    torch.manual_seed(recipe.seed)
    details = model.details
    size = 2 * model.config.detail
    heads = nn.ModuleDict({name: nn.Linear(size, n) for name, n in _GRADED.items()})
    rng = np.random.default_rng(recipe.seed)
    count = len(answers.records)
    assert answers.units is not None
    bumps = answers.units

    def losses() -> Iterable[Tensor]:
        for epoch in range(epochs):
            order = rng.permutation(count)
            for first in range(0, count, recipe.batch):
                rows = np.sort(order[first : first + recipe.batch])
                mirrored = rng.random() < 0.5
                units = bumps[rows].float()
                if mirrored:
                    across = math.isqrt(units.shape[1])
                    units = units.unflatten(1, (across, across)).flip(2).flatten(1)
                features = details.features(*see(rows, epoch, mirrored=mirrored))[:, 0]
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
    model.tower.eval()  # batch norms keep what they learned of a million pictures
    parameters = {_DETAIL_RATE: [*details.parameters(), *heads.parameters()]}
    if stem_rate:
        parameters[stem_rate] = list(model.tower.stem_parameters())
    steps = math.ceil(count / recipe.batch)
    _descend(losses(), parameters, steps * epochs, progress)


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
    parameters = {_COPYING_RATE: [p for part in decoder for p in part.parameters()]}
    _descend(
        losses(),
        parameters,
        recipe.copying_steps,
        lambda done, of: progress("copying", done, of),
    )


def _descend(
    losses: Iterable[Tensor],
    parameters: Mapping[float, list[nn.Parameter]],
    steps: int,
    progress: Callable[[int, int], None],
) -> None:
    """AdamW through so many ``losses``, ``parameters`` each at the most at the rate that they stand under."""
    groups = [{"params": some, "lr": rate} for rate, some in parameters.items()]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, list(parameters), total_steps=steps + 1, pct_start=0.05
    )
    for step, loss in enumerate(losses, start=1):
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([p for some in parameters.values() for p in some], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)  # nothing is left over for what is learned next
        schedule.step()
        if step % 20 == 0 or step == steps:
            progress(step, steps)
