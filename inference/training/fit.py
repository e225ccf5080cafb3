"""Teaching a MiniGPT the captions of a snapshot."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from inference.captions import Condition, parse_condition
from inference.minigpt.model import (
    GRADES,
    MAX_STACK,
    PACKAGE_TYPES,
    MiniGPT,
    MiniGPTConfig,
    field_maps,
    gaze_overlap,
)
from inference.minigpt.pixels import to_pixels
from inference.minigpt.towers import each_look
from inference.minigpt.vocabulary import END, PAD, Vocabulary

from .augment import another_light, another_view, covered, cut_out, moved, staged
from .export import frozen_stem
from .places import centres
from .places import covered as covered_cells
from .snapshot import CatalogEntry, Record
from .telling import Told, batch, told

_NO_ANSWER = -100
_BRAIN_FLOATS = torch.backends.cpu.get_cpu_capability() == "AVX512"
"""Whether half precision pays; not for the tower's tail, whose way back is slower in it."""
_STEM_BATCH = 8
_AROUND = 64
"""Photos whose surroundings are lent to others."""
_NOWHERE = Image.new("RGB", (64, 64), (127, 127, 127))
_MOVED, _COVERED = 0.35, 0.15
"""Shares of views."""
POINTED: Final = {"sku": ("code", "name"), "category": ("name",), "spec": ("spec",)}
"""The printed words that a field is read from, the first of them that a photo shows."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is taught. ``views`` of each photo are drawn once and kept as the tower's stem
    sees them; each epoch takes one of them in turn. Each studio picture is ``staged`` so many times
    before the surroundings of photos. Rates are AdamW's, with a cosine to zero. Of rendered photos the
    places of units and words are learned too, with ``unit_weight`` and ``word_weight``.
    ``hold_tower`` teaches nothing to the tower's tail."""

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
    unit_weight: float = 0.05
    word_weight: float = 0.1
    hold_tower: bool = False
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
    catalog: Mapping[str, CatalogEntry],
    recipe: Recipe = Recipe(),
    progress: Progress = lambda stage, done, total: None,
) -> list[float]:
    """Train ``model`` in place on ``records``; answers the mean loss of each epoch. The same
    arguments give the same weights on the same machine."""
    torch.manual_seed(recipe.seed)
    model.tower.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    records = [r for r in records for _ in range(recipe.staged if r.studio else 1)]
    if recipe.hold_tower:
        for parameter in model.tower.parameters():
            parameter.requires_grad_(False)
    config = model.config
    assert isinstance(config, MiniGPTConfig)
    answers = Answers.of(records, catalog, vocabulary, config)
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
        part = records[first : first + _STEM_BATCH]
        pictures = [small(r.picture(), side) for r in part]
        pictures = [cut_out(p) if r.studio else p for r, p in zip(part, pictures, strict=True)]
        for view in range(recipe.views):
            seen = [
                p if view == 0 and not r.studio else draw_view(p, around, r, rng)
                for r, p in zip(part, pictures, strict=True)
            ]
            pixels = torch.from_numpy(to_pixels(seen, side, looks))
            views.put(view, first, each_look(stem, pixels))
        progress("views", min(first + _STEM_BATCH, len(records)), len(records))
    return views


def draw_view(
    picture: Image.Image, around: Sequence[Image.Image], record: Record, rng: random.Random
) -> Image.Image:
    """A view of a photo (RGB), or of a pack that was cut out of its studio picture (RGBA), sometimes
    in other surroundings or half hidden. The places in a rendered photo stay where they are."""
    if record.truth:
        return another_light(picture, rng)
    if record.studio:
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
    """What is to be said of each of R ``records``: an answer for each head [R], negative where there
    is none; for rendered ones where units stand [R, M], and where the ``words`` that fields are read
    from are in the looks [R, F, K · N], the share of each cell. None where no record is rendered."""

    records: Sequence[Record]
    catalog: Mapping[str, CatalogEntry]
    vocabulary: Vocabulary
    heads: dict[str, Tensor]
    units: Tensor | None
    words: Tensor | None

    @classmethod
    def of(
        cls,
        records: Sequence[Record],
        catalog: Mapping[str, CatalogEntry],
        vocabulary: Vocabulary,
        config: MiniGPTConfig,
    ) -> Answers:
        class_of = {code: n for n, code in enumerate(config.classes)}
        heads = {
            "sku": [class_of.get(r.sku or "", _NO_ANSWER) for r in records],
            "condition": [_grade(r) for r in records],
            "stack_level": [_stack_level(r) for r in records],
            "package_type": [_package_type(r) for r in records],
        }
        units = words = None
        if any(r.truth for r in records):
            places = [_places(r, config) for r in records]
            units = torch.from_numpy(np.stack([one for one, _ in places]))
            words = torch.from_numpy(np.stack([one for _, one in places]))
        tensors = {name: torch.tensor(rows) for name, rows in heads.items()}
        return cls(records, catalog, vocabulary, tensors, units, words)

    def told(self, rows: Iterable[int], rng: random.Random) -> list[Told]:
        """What the model is told of the records ``rows`` this time."""
        return [told(self.records[n], self.catalog, self.vocabulary, rng) for n in rows]


def _places(
    record: Record, config: MiniGPTConfig
) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
    side = config.side_px // 32
    units = np.full((2 * side) ** 2, -1, np.float32)
    words = np.zeros((len(POINTED), len(config.looks) * side**2), np.float16)
    if record.truth:
        width, height = record.size_px()
        if record.truth.countable:
            units = centres(record.truth.units, width, height, 2 * side)
        for row, names in zip(words, POINTED.values(), strict=True):
            box = next((record.truth.words[n] for n in names if n in record.truth.words), None)
            if box:
                row[:] = covered_cells([box], width, height, config.looks, side).reshape(-1)
    return units, words


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
    count = len(answers.records)
    steps = recipe.epochs * math.ceil(count / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: warmed_cosine(step, steps, recipe.warmup)
    )
    rng, chance = np.random.default_rng(recipe.seed), random.Random(recipe.seed)
    start = rng.integers(recipe.views, size=count)
    losses = []
    for epoch in range(recipe.epochs):
        model.train()
        freeze_statistics(model.tower)
        total = 0.0
        for rows in _batches(rng.permutation(count), recipe.batch):
            stems = views.get((start[rows] + epoch) % recipe.views, rows)
            said_to = answers.told(rows.tolist(), chance)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.hold_tower and _BRAIN_FLOATS):
                loss = loss_of(model, stems, said_to, answers, torch.from_numpy(rows), recipe)
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
    model: MiniGPT,
    stems: Tensor,
    rows_told: Sequence[Told],
    answers: Answers,
    rows: Tensor,
    recipe: Recipe,
) -> Tensor:
    """Cross-entropy of each next token, that of the heads, how alike the queries look, and how far
    units and words are from their places."""
    tokens, wanted, heard = batch(rows_told)
    said = model(stems, tokens[:, :-1], heard)
    loss = functional.cross_entropy(
        said["logits"].flatten(0, 1).float(),
        wanted.flatten(),
        ignore_index=PAD,
        label_smoothing=recipe.smoothing,
    )
    for name, answer in answers.heads.items():
        here = answer[rows]
        if name in said and bool((here != _NO_ANSWER).any()):
            loss = loss + recipe.head_weight * functional.cross_entropy(
                said[name].float(), here, ignore_index=_NO_ANSWER, label_smoothing=recipe.smoothing
            )
    if answers.units is not None and answers.words is not None:
        loss = loss + recipe.unit_weight * density_loss(said["density"], answers.units[rows])
        maps = [
            field_map(answers.vocabulary, key, tokens[:, :-1], said["looks"], said["gaze"])
            for key in POINTED
        ]
        words = answers.words[rows].float()
        loss = loss + recipe.word_weight * pointing_loss(torch.stack(maps, dim=1), words)
    return loss + recipe.gaze_weight * gaze_overlap(said["gaze"])


def density_loss(density: Tensor, units: Tensor) -> Tensor:
    """How improbable ``units`` [B, M] are where ``density`` [B, M] is expected (Poisson, in each cell
    and in all), in the mean of the photos whose units are known (others are negative)."""
    known = units[:, 0] >= 0
    if not bool(known.any()):
        return density.sum() * 0
    density, units = density[known], units[known]
    cells = density - units * density.clamp(min=1e-6).log()
    off = functional.smooth_l1_loss(density.sum(dim=1), units.sum(dim=1), beta=0.5)
    return cells.sum(dim=1).mean() + 4 * off


def field_map(
    vocabulary: Vocabulary, key: str, tokens: Tensor, looks: Tensor, gaze: Tensor
) -> Tensor:
    """Where in the looks field ``key`` of captions [B, T] comes from [B, K · N]."""
    header = vocabulary.header(key)
    started = (tokens == header).cumsum(dim=1)
    others = [vocabulary.header(k) for k in vocabulary.fields if k != key] + [END, PAD]
    ended = torch.isin(tokens, torch.tensor(others)) & (started > 0)
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
