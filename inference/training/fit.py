"""Teaching a MiniGPT the captions of a snapshot.

On one device, or on several through ``torchrun`` (Accelerate tells which): each process takes its part of
every batch. A run that is killed goes on from its last epoch and ends with the same weights.
"""

from __future__ import annotations

import math
import random
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from numpy.typing import NDArray
from torch import nn

from inference.minigpt.config import MiniGPTConfig
from inference.minigpt.model import MiniGPT
from inference.minigpt.vocabulary import Vocabulary

from .answers import Answers
from .checkpoint import Checkpoint
from .losses import loss_of
from .recipe import Recipe
from .snapshot import CatalogEntry, Record
from .views import Progress, Views, see_views
from .warmup import learn_copying, learn_details, seen_in
from .watch import exact


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: the mean ``loss``, the ``rate`` at its end, shares of what is ``exact`` on
    photos that are held out (see :func:`.watch.exact`), memory and time."""

    number: int
    loss: float
    rate: float
    exact: Mapping[str, float]
    memory_mb: int
    seconds: float

    def figures(self) -> dict[str, Any]:
        """As it is written down."""
        return {
            "loss": round(self.loss, 4),
            "rate": self.rate,
            "val": {name: round(share, 4) for name, share in self.exact.items()},
            "memory_mb": self.memory_mb,
            "epoch_s": round(self.seconds, 1),
        }

    def flat(self) -> dict[str, float]:
        """The same as curves."""
        val = {f"val/{name}": share for name, share in self.exact.items()}
        return {"loss": self.loss, "rate": self.rate, "memory_mb": self.memory_mb, **val}


@dataclass
class Run:
    """Where a training works, ``folder`` (what is there from an earlier start is gone on from), the photos
    that it is watched on, ``unseen``, and whom it tells: of its ``progress``, of each ``epoch``, and of all
    curves one of Accelerate's trackers, ``report_to``, in the folder ``curves`` beside it."""

    folder: Path
    progress: Progress = lambda stage, done, total: None
    epoch: Callable[[Epoch, int], None] = lambda epoch, of: None
    unseen: Sequence[Record] = ()
    report_to: str | None = None


def fit(
    model: MiniGPT,
    vocabulary: Vocabulary,
    records: Sequence[Record],
    catalog: Mapping[str, CatalogEntry],
    recipe: Recipe,
    run: Run,
) -> list[Epoch]:
    """Train ``model`` in place on ``records``. The same arguments give the same weights on the same
    machine."""
    some_unused = DistributedDataParallelKwargs(
        find_unused_parameters=True
    )  # heads without answers
    accelerator = Accelerator(
        log_with=run.report_to,
        project_dir=run.folder.parent / "curves",
        kwargs_handlers=[some_unused],
    )
    if run.report_to:
        accelerator.init_trackers("warevision", config=asdict(recipe))
    torch.manual_seed(recipe.seed)
    model.tower.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    records = [r for r in records for _ in range(recipe.staged if r.studio else 1)]
    if recipe.hold_tower:
        for parameter in model.tower.parameters():
            parameter.requires_grad_(False)
    config = model.config
    assert isinstance(config, MiniGPTConfig)
    answers = Answers.of(records, catalog, vocabulary, config, recipe.balance)
    asked = Answers.of(run.unseen, catalog, vocabulary, config)
    with accelerator.main_process_first():  # the others find the views there
        views = see_views(
            model,
            records,
            run.folder / "views",
            views=recipe.views,
            seed=recipe.seed,
            keep_cells=recipe.hold_tower,
            progress=run.progress,
        )
        unseen = see_views(
            model,
            run.unseen,
            run.folder / "unseen",
            views=1,
            seed=recipe.seed,
            keep_cells=recipe.hold_tower,
            progress=lambda stage, done, total: None,
        )
    checkpoint = Checkpoint(run.folder / "checkpoint.safetensors")
    nn.Module.to(model, accelerator.device)
    by_parts = recipe.hold_tower and answers.units is not None
    if by_parts and recipe.detail_epochs:
        see, kept = seen_in(model, views, recipe.views), run.folder / "details.safetensors"
        with accelerator.main_process_first():  # the others find there what came of it
            learn_details(model, see, answers, recipe, run.progress, kept)
            if accelerator.is_main_process:
                for each in (views, unseen):
                    each.look_again(model.tower)
        model.details.hold()
    if by_parts and recipe.copying_steps and not checkpoint.exists():
        learn_copying(model, answers, recipe, run.progress)
    loop = _Loop(accelerator, model, views, answers, recipe)
    epochs = _learn(loop, checkpoint, recipe, run, accelerator, lambda: exact(model, unseen, asked))
    accelerator.end_training()
    nn.Module.to(model, "cpu").eval()
    return epochs


def _learn(
    loop: _Loop,
    checkpoint: Checkpoint,
    recipe: Recipe,
    run: Run,
    accelerator: Accelerator,
    watched: Callable[[], Mapping[str, float]],
) -> list[Epoch]:
    """Epoch after epoch from where ``checkpoint`` stands, each ``watched``, kept and told of."""
    epochs = loop.begin(checkpoint)
    while len(epochs) < recipe.epochs and not stuck(epochs, recipe.patience):
        began = time.monotonic()
        loss = loop.learn(len(epochs))
        epoch = Epoch(
            len(epochs) + 1,
            loss,
            loop.rate,
            watched(),
            _memory_mb(accelerator),
            time.monotonic() - began,
        )
        epochs.append(epoch)
        if accelerator.is_main_process:
            loop.keep(checkpoint, epochs)
            run.epoch(epoch, recipe.epochs)
            accelerator.log(epoch.flat(), step=epoch.number)
        accelerator.wait_for_everyone()
    return epochs


class _Loop:
    """What is learned through, epoch by epoch: ``views`` and their ``answers``, by a model with its
    optimiser and its schedule of rates."""

    def __init__(
        self,
        accelerator: Accelerator,
        model: MiniGPT,
        views: Views,
        answers: Answers,
        recipe: Recipe,
    ) -> None:
        self._accelerator, self._model, self._recipe = accelerator, model, recipe
        self._views, self._answers = views, answers
        self._wrapped = accelerator.prepare_model(model)
        self._optimizer = optimizer_of(model, recipe)
        self._count = len(answers.records)
        self._batches = math.ceil(self._count / recipe.batch)
        steps = recipe.epochs * math.ceil(self._batches / recipe.accumulate)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: warmed_cosine(step, steps, recipe.warmup)
        )
        rng = np.random.default_rng(recipe.seed)
        self._first_view = rng.integers(recipe.views, size=self._count)

    @property
    def rate(self) -> float:
        """The one of the next step."""
        return float(self._schedule.get_last_lr()[0])

    def begin(self, checkpoint: Checkpoint) -> list[Epoch]:
        """The epochs that ``checkpoint`` knows, with everything as it stood after them; where there is no
        checkpoint yet, there is one now."""
        if self._accelerator.is_main_process and not checkpoint.exists():
            self.keep(checkpoint, [])  # with what was learned by parts
        self._accelerator.wait_for_everyone()
        known = checkpoint.load(self._model, self._optimizer, self._schedule)
        return [Epoch(**epoch) for epoch in known]

    def keep(self, checkpoint: Checkpoint, epochs: Sequence[Epoch]) -> None:
        """Write how things stand after ``epochs``."""
        checkpoint.save(self._model, self._optimizer, self._schedule, epochs)

    def learn(self, number: int) -> float:
        """Learn through epoch ``number``, from 0; answers the mean loss of this process's photos."""
        process, seed = self._accelerator.process_index, self._recipe.seed
        # of its own for each epoch and process, so that a run can go on from any of them
        torch.manual_seed(seed * 1_000_003 + number * 101 + process)
        order = np.random.default_rng([seed, number]).permutation(self._count)
        chance = random.Random(f"{seed}/{number}/{process}")
        self._model.train()
        freeze_statistics(self._model.tower)
        total, told_of = 0.0, 0
        for number_of, first in enumerate(range(0, self._count, self._recipe.batch), start=1):
            rows = _share_of(order[first : first + self._recipe.batch], self._accelerator)
            steps_now = number_of % self._recipe.accumulate == 0 or number_of == self._batches
            with nullcontext() if steps_now else self._accelerator.no_sync(self._wrapped):
                loss = self._gradients(rows, number, chance)
            if steps_now:
                self._step()
            total, told_of = total + loss * len(rows), told_of + len(rows)
        self._model.eval()
        return total / max(1, told_of)

    def _gradients(self, rows: NDArray[np.intp], number: int, chance: random.Random) -> float:
        """Add the gradients of photos, each in the view whose turn it is in epoch ``number``; answers
        their loss."""
        device = self._accelerator.device
        view = (self._first_view[rows] + number) % self._recipe.views
        seen = self._views.get(view, rows).to(device)
        told = self._answers.told(rows.tolist(), chance)
        half = device.type == "cuda"  # on a CPU it is no faster
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = loss_of(
                self._wrapped, seen, told, self._answers, torch.from_numpy(rows), self._recipe
            )
        self._accelerator.backward(loss / self._recipe.accumulate)
        return float(loss.item())

    def _step(self) -> None:
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._schedule.step()


def optimizer_of(model: MiniGPT, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW over what is to learn: the tower's tail at its own rate, its stem not at all, and no
    weight decay where there is no matrix."""
    tail = [p for p in model.tower.tail_parameters() if p.requires_grad]
    in_tail = set(map(id, tail))
    for parameter in model.tower.stem_parameters():
        parameter.requires_grad_(False)
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in in_tail]
    groups = [
        {"params": [p for p in rest if p.dim() > 1], "lr": recipe.rate},
        {"params": [p for p in rest if p.dim() <= 1], "lr": recipe.rate, "weight_decay": 0.0},
        {"params": tail, "lr": recipe.tail_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)


def warmed_cosine(step: int, steps: int, warmup: float) -> float:
    """The share of the rate at ``step``: up in a line, down by a cosine."""
    rise = max(1, round(steps * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def freeze_statistics(module: nn.Module) -> None:
    """Batch norms keep what they learned of a million pictures: a site has too few."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()


def stuck(epochs: Sequence[Epoch], patience: int) -> bool:
    """Whether nothing has become better for ``patience`` epochs (0: never): the mean of what is
    exact."""
    means = [float(np.mean(list(epoch.exact.values()) or [0.0])) for epoch in epochs]
    if not patience or len(means) <= patience:
        return False
    return max(means[-patience:]) <= max(means[:-patience])


def _share_of(rows: NDArray[np.intp], accelerator: Accelerator) -> NDArray[np.intp]:
    """This process's part of a batch, never empty: gradients are the means of all processes'."""
    own = rows[accelerator.process_index :: accelerator.num_processes]
    return np.sort(own if len(own) else rows[:1])


def _memory_mb(accelerator: Accelerator) -> int:
    """The most memory so far: of the device, or of this process."""
    if accelerator.device.type == "cuda":
        return round(torch.cuda.max_memory_allocated() / 2**20)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
