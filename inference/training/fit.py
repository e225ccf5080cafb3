"""Teaching a MiniGPT the captions of a snapshot."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from inference.captions import Condition, parse_condition
from inference.minigpt.model import GRADES, MAX_STACK, PACKAGE_TYPES, MiniGPT, gaze_overlap
from inference.minigpt.pixels import to_pixels
from inference.minigpt.towers import each_look
from inference.minigpt.vocabulary import PAD, Vocabulary

from .augment import another_view, covered, cut_out, moved, staged
from .export import frozen_stem
from .snapshot import Record

_NO_ANSWER = -100
_STEM_BATCH = 8
_AROUND = 64
"""Photos whose surroundings are lent to others."""
_NOWHERE = Image.new("RGB", (64, 64), (127, 127, 127))
_MOVED, _COVERED = 0.35, 0.15
"""Shares of views."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is taught. ``views`` of each photo are drawn once and kept as the tower's stem
    sees them; each epoch takes one of them in turn. Each studio picture is ``staged`` so many times
    before the surroundings of photos. Rates are AdamW's, with a cosine to zero."""

    epochs: int = 18
    views: int = 6
    staged: int = 8
    batch: int = 32
    rate: float = 1e-3
    tail_rate: float = 1e-4
    weight_decay: float = 0.02
    warmup: float = 0.05
    smoothing: float = 0.05
    head_weight: float = 0.3
    gaze_weight: float = 0.1
    seed: int = 1


Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""


class Views:
    """Stems of augmented views on disk: [V, R, K, …] of half floats."""

    def __init__(self, folder: Path, views: int, records: int, shape: Sequence[int]) -> None:
        self._stems = np.lib.format.open_memmap(
            folder / "views.npy", "w+", np.float16, (views, records, *shape)
        )

    def put(self, view: int, first: int, stems: Tensor) -> None:
        self._stems[view, first : first + len(stems)] = stems.numpy().astype(np.float16)

    def get(self, view: NDArray[np.intp], rows: NDArray[np.intp]) -> Tensor:
        return torch.from_numpy(self._stems[view, rows].astype(np.float32))


def fit(
    model: MiniGPT,
    vocabulary: Vocabulary,
    records: Sequence[Record],
    recipe: Recipe = Recipe(),
    progress: Progress = lambda stage, done, total: None,
) -> list[float]:
    """Train ``model`` in place on ``records``; answers the mean loss of each epoch. The same
    arguments give the same weights on the same machine."""
    torch.manual_seed(recipe.seed)
    model.tower.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    records = [r for r in records for _ in range(recipe.staged if r.studio else 1)]
    answers = Answers.of(records, vocabulary, model.config.classes)
    with tempfile.TemporaryDirectory(prefix="warevision-views-") as folder:
        views = _see(model, records, recipe, Path(folder), progress)
        return _learn(model, views, answers, recipe, progress)


@torch.no_grad()
def _see(
    model: MiniGPT, records: Sequence[Record], recipe: Recipe, folder: Path, progress: Progress
) -> Views:
    model.eval()
    side = model.config.side_px
    looks = model.config.looks
    stem = frozen_stem(model.tower, side)
    shape = stem(torch.zeros(1, 3, side, side)).shape[1:]
    views = Views(folder, recipe.views, len(records), (len(looks), *shape))
    rng = random.Random(recipe.seed)
    photos = [r for r in records if not r.studio]
    around = [small(r.picture(), side) for r in rng.sample(photos, min(_AROUND, len(photos)))]
    for first in range(0, len(records), _STEM_BATCH):
        batch = records[first : first + _STEM_BATCH]
        pictures = [small(r.picture(), side) for r in batch]
        pictures = [cut_out(p) if r.studio else p for r, p in zip(batch, pictures, strict=True)]
        for view in range(recipe.views):
            seen = [
                p if view == 0 and not r.studio else draw_view(p, around, r.studio, rng)
                for r, p in zip(batch, pictures, strict=True)
            ]
            pixels = torch.from_numpy(to_pixels(seen, side, looks))
            views.put(view, first, each_look(stem, pixels))
        progress("views", min(first + _STEM_BATCH, len(records)), len(records))
    return views


def draw_view(
    picture: Image.Image, around: Sequence[Image.Image], studio: bool, rng: random.Random
) -> Image.Image:
    """A view of a photo (RGB), or of a pack that was cut out of its studio picture (RGBA), sometimes
    in other surroundings or half hidden."""
    if studio:
        picture = staged(picture, rng.choice(around or [_NOWHERE]), rng)
    elif around and rng.random() < _MOVED:
        picture = moved(picture, rng.choice(around), rng)
    if around and rng.random() < _COVERED:
        picture = covered(picture, rng.choice(around), rng)
    return another_view(picture, rng)


def small(picture: Image.Image, side_px: int) -> Image.Image:
    """``picture`` with no more pixels than its nearest view shows."""
    limit = 3 * side_px
    if max(picture.size) <= limit:
        return picture
    picture = picture.copy()
    picture.thumbnail((limit, limit), Image.Resampling.LANCZOS)
    return picture


@dataclass(frozen=True, slots=True)
class Answers:
    """What is to be said of each record: ``tokens`` [R, T], padded, and an answer for each head
    [R], negative where there is none."""

    tokens: Tensor
    heads: dict[str, Tensor]

    @classmethod
    def of(
        cls, records: Sequence[Record], vocabulary: Vocabulary, classes: Sequence[str]
    ) -> Answers:
        captions = [vocabulary.encode_caption(r.values) for r in records]
        tokens = torch.full((len(records), max(map(len, captions))), PAD)
        for row, caption in enumerate(captions):
            tokens[row, : len(caption)] = torch.tensor(caption)
        class_of = {code: n for n, code in enumerate(classes)}
        heads = {
            "sku": [class_of.get(r.sku or "", _NO_ANSWER) for r in records],
            "condition": [_grade(r) for r in records],
            "stack_level": [_stack_level(r) for r in records],
            "package_type": [_package_type(r) for r in records],
        }
        return cls(tokens, {name: torch.tensor(rows) for name, rows in heads.items()})


def _grade(record: Record) -> int:
    read = parse_condition(record.values.get("condition") or "")
    return min(read.grade, GRADES - 1) if isinstance(read, Condition) else _NO_ANSWER


def _stack_level(record: Record) -> int:
    level = record.attributes.get("stack_level")
    return min(level, MAX_STACK) - 1 if isinstance(level, int) and level > 0 else _NO_ANSWER


def _package_type(record: Record) -> int:
    kind = record.attributes.get("package_type")
    return PACKAGE_TYPES.index(kind) if kind in PACKAGE_TYPES else _NO_ANSWER


def _learn(
    model: MiniGPT, views: Views, answers: Answers, recipe: Recipe, progress: Progress
) -> list[float]:
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
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    count = len(answers.tokens)
    steps = recipe.epochs * math.ceil(count / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: warmed_cosine(step, steps, recipe.warmup)
    )
    rng = np.random.default_rng(recipe.seed)
    start = rng.integers(recipe.views, size=count)
    losses = []
    for epoch in range(recipe.epochs):
        model.train()
        freeze_statistics(model.tower)
        total = 0.0
        for rows in _batches(rng.permutation(count), recipe.batch):
            stems = views.get((start[rows] + epoch) % recipe.views, rows)
            cells = each_look(model.tower.tail, stems)
            loss = loss_of(model, cells, answers, torch.from_numpy(rows), recipe)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        losses.append(total / count)
        progress("epochs", epoch + 1, recipe.epochs)
    model.eval()
    return losses


def loss_of(
    model: MiniGPT, cells: Tensor, answers: Answers, rows: Tensor, recipe: Recipe
) -> Tensor:
    """Cross-entropy of each next token, that of the heads, and how alike the queries look."""
    tokens = answers.tokens[rows]
    tokens = tokens[:, : int((tokens != PAD).sum(dim=1).max())]
    said = model(cells, tokens[:, :-1])
    loss = functional.cross_entropy(
        said["logits"].flatten(0, 1),
        tokens[:, 1:].flatten(),
        ignore_index=PAD,
        label_smoothing=recipe.smoothing,
    )
    for name, wanted in answers.heads.items():
        here = wanted[rows]
        if name in said and bool((here != _NO_ANSWER).any()):
            loss = loss + recipe.head_weight * functional.cross_entropy(
                said[name], here, ignore_index=_NO_ANSWER, label_smoothing=recipe.smoothing
            )
    return loss + recipe.gaze_weight * gaze_overlap(said["gaze"])


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


def _batches(order: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    for first in range(0, len(order), size):
        yield np.sort(order[first : first + size])
