"""What a base learns by parts before it learns all of it at once: counting, and copying.

The details have a small part in what a step of the whole costs, and need far more steps; and a decoder that
cannot copy yet reads the picture instead of what it hears.
"""

from __future__ import annotations

import functools
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from inference.contracts import PACKAGE_TYPES
from inference.minigpt.config import GRADES
from inference.minigpt.model import MiniGPT
from inference.minigpt.sight import MAX_STACK
from inference.minigpt.towers import each_look

from .answers import NO_ANSWER, Answers
from .losses import causal_loss, count_loss, heat_loss
from .recipe import Recipe
from .telling import batch
from .views import Progress, Views

_DETAIL_RATE, _FORK_RATE = 1e-3, 5e-4
_COUNT_WEIGHT, _GRADED_WEIGHT = 0.2, 0.3
_COPYING_RATE = 2e-3
_SMALL = ("details.", "tower.fork.")
_GRADED = {"condition": GRADES, "stack_level": MAX_STACK, "package_type": len(PACKAGE_TYPES)}


class See(Protocol):
    """What is seen in the whole of photos: of ``rows`` in ``epoch``, perhaps left and right exchanged, the
    tower's cells [B, 1, N, C] and stems [B, 1, …]."""

    def __call__(
        self, rows: NDArray[np.intp], epoch: int, *, mirrored: bool
    ) -> tuple[Tensor, Tensor]: ...


def seen_in(model: MiniGPT, views: Views, count: int) -> See:
    """What the held tower of ``model`` has seen in ``count`` views of each photo, which keep its cells."""

    def see(rows: NDArray[np.intp], epoch: int, *, mirrored: bool) -> tuple[Tensor, Tensor]:
        seen = views.get((rows + epoch) % count, rows)
        assert seen.cells is not None
        cells, stems = seen.cells[:, :1], seen.stems[:, :1]
        if not mirrored:
            return cells, stems
        side = math.isqrt(cells.shape[2])
        cells = cells.unflatten(2, (side, side)).flip(3).flatten(2, 3)
        return cells, each_look(model.tower.mirrored, stems)

    return see


def learn_details(
    model: MiniGPT, see: See, answers: Answers, recipe: Recipe, progress: Progress, kept: Path
) -> None:
    """Teach the details of ``model``, and the fork of its tower, where units stand in the whole of a photo, with
    heads for what else they are to tell that are thrown away afterwards. What comes of it is ``kept``; where it
    is there already, it is taken."""
    fork = model.tower.fork_parameters()
    for parameter in fork:
        parameter.requires_grad_(True)
    if not kept.is_file():
        _teach_details(model, see, answers, recipe, progress)
        learned = {k: v for k, v in model.state_dict().items() if k.startswith(_SMALL)}
        part = kept.with_suffix(".part")
        save_file({k: v.contiguous().clone() for k, v in learned.items()}, part)
        part.replace(kept)
    model.load_state_dict(load_file(kept), strict=False)
    for parameter in fork:
        parameter.requires_grad_(False)


def _teach_details(
    model: MiniGPT, see: See, answers: Answers, recipe: Recipe, progress: Progress
) -> None:
    torch.manual_seed(recipe.seed)
    details, tower, device = model.details, model.tower, model.device
    size = 2 * model.config.detail
    heads = nn.ModuleDict({name: nn.Linear(size, n) for name, n in _GRADED.items()}).to(device)
    rng = np.random.default_rng(recipe.seed)
    count = len(answers.records)
    half = device.type == "cuda" or halves_are_faster()
    assert answers.units is not None
    bumps = answers.units

    def losses() -> Iterable[Tensor]:
        for epoch in range(recipe.detail_epochs):
            order = rng.permutation(count)
            for first in range(0, count, recipe.batch):
                rows = np.sort(order[first : first + recipe.batch])
                mirrored = rng.random() < 0.5
                units = bumps[rows].to(device).float()
                if mirrored:
                    across = math.isqrt(units.shape[1])
                    units = units.unflatten(1, (across, across)).flip(2).flatten(1)
                cells, stems = (x.to(device) for x in see(rows, epoch, mirrored=mirrored))
                with torch.autocast(device.type, torch.bfloat16, enabled=half):
                    fine = each_look(lambda x: tower.fine(tower.look_again(x)), stems)
                    features = details.features(cells, fine)[:, 0].float()
                heat = details.heat(features)  # whole: of halves many are equal, and each a peak
                counts = answers.heads["count"][rows].to(device)
                loss = heat_loss(heat, units)
                loss = loss + _COUNT_WEIGHT * count_loss(details.units(heat), counts)
                flat = features.flatten(2)
                summary = torch.cat([flat.mean(dim=2), flat.amax(dim=2)], dim=1)
                for name, head in heads.items():
                    here = answers.heads[name][rows].to(device)
                    if bool((here != NO_ANSWER).any()):
                        wrong = functional.cross_entropy(
                            head(summary), here, ignore_index=NO_ANSWER
                        )
                        loss = loss + _GRADED_WEIGHT * wrong
                yield loss

    model.train()
    tower.eval()  # batch norms keep what they learned of a million pictures
    # a CPU is a fourth faster through the fork
    tower.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parameters = {_DETAIL_RATE: [*details.parameters(), *heads.parameters()]}
    if fork := tower.fork_parameters():
        parameters[_FORK_RATE] = fork
    steps = recipe.detail_epochs * math.ceil(count / recipe.batch)
    _descend(losses(), parameters, steps, lambda done, of: progress("details", done, of))
    tower.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


@functools.cache
def halves_are_faster() -> bool:
    """Whether this CPU is safe with bfloat16, and faster through a convolution as the details have, there and back.
    Only trying tells: of two that announce the same instructions one took half the time, the other nearly twice.
    Some virtual machines announce AMX without having it, and end a process that uses it."""
    if torch.cpu._is_amx_tile_supported() or not torch.cpu._is_avx512_bf16_supported():
        return False
    x, weight = (
        torch.zeros(shape).contiguous(memory_format=torch.channels_last).requires_grad_()
        for shape in ((32, 64, 32, 32), (64, 64, 3, 3))
    )

    def seconds(half: bool) -> float:
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            seen = functional.conv2d(x, weight, padding=1)
        seen.float().sum().backward()
        return time.perf_counter() - began

    return min(seconds(True) for _ in range(5)) < min(seconds(False) for _ in range(5))


def learn_copying(model: MiniGPT, answers: Answers, recipe: Recipe, progress: Progress) -> None:
    """Teach the decoder of ``model`` to write what it hears, whatever it sees: nothing."""
    torch.manual_seed(recipe.seed)
    chance = random.Random(recipe.seed)
    blank = torch.zeros(recipe.batch, model.config.queries, model.config.width).to(model.device)
    decoder = [model.embedding, model.position, model.after, model.layers, model.norm]

    def losses() -> Iterable[Tensor]:
        for _ in range(recipe.copying_steps):
            rows = [chance.randrange(len(answers.records)) for _ in range(recipe.batch)]
            tokens, wanted, heard = batch(answers.told(rows, chance, always=True))
            heard = None if heard is None else heard.to(model.device)
            logits, _ = model.decode(blank, tokens[:, :-1].to(model.device), heard)
            each = torch.ones(recipe.batch, device=model.device)
            yield causal_loss(logits, wanted.to(model.device), each, recipe.smoothing)

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
