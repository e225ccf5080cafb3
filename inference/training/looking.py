"""Teaching a tower's stem to look for what is small, before anything else is learned.

ImageNet's stem was made to name a picture's subject, not to tell twelve cartons from eleven. Where units stand and what
is damaged, which rendered scenes know, is learned from the pixels on, the stem at a small rate of its own; its tail
keeps what it is. After that the stem is held again, so that what it sees can be kept.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from inference.minigpt.model import MiniGPT
from inference.minigpt.pixels import to_pixels
from inference.minigpt.towers import each_look

from .answers import Answers
from .augment import another_light
from .recipe import Recipe
from .snapshot import Record
from .views import Progress, small
from .warmup import See, learn_details

LIT = 2
"""Lights in which each photo is kept."""
_BATCH = 64


def learn_stem(
    model: MiniGPT, answers: Answers, recipe: Recipe, folder: Path, progress: Progress
) -> None:
    """Teach the tower's stem and the details of ``model`` for ``recipe.stem_epochs``; where ``folder`` has
    what came of it, that is taken."""
    kept = folder / "stem.safetensors"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        pixels = _pixels(answers.records, model.config.side_px, folder, recipe.seed, progress)
        for parameter in model.tower.stem_parameters():
            parameter.requires_grad_(True)
        learn_details(
            model,
            looked_at(model, pixels),
            answers,
            recipe,
            lambda done, of: progress("stem", done, of),
            epochs=recipe.stem_epochs,
            stem_rate=recipe.stem_rate,
        )
        part = kept.with_suffix(".part")
        save_file({k: v.contiguous().clone() for k, v in _learned(model).items()}, part)
        part.replace(kept)
        (folder / "pixels.npy").unlink()
    model.load_state_dict(load_file(kept), strict=False)
    for parameter in model.tower.stem_parameters():
        parameter.requires_grad_(False)


def looked_at(model: MiniGPT, pixels: NDArray[np.uint8]) -> See:
    """What the tower of ``model`` sees as it is now in the whole of photos [LIT, R, 3, S, S]."""

    def see(rows: NDArray[np.intp], epoch: int, *, mirrored: bool) -> tuple[Tensor, Tensor]:
        whole = pixels[(rows + epoch) % LIT, rows, None]
        x = (torch.from_numpy(whole.astype(np.float32)) - 127) / 128
        stems = each_look(model.tower.stem, x.flip(4) if mirrored else x)
        with torch.no_grad():
            cells = each_look(model.tower.tail, stems)
        return cells, each_look(model.tower.fine, stems)

    return see


def _pixels(
    records: Sequence[Record], side_px: int, folder: Path, seed: int, progress: Progress
) -> NDArray[np.uint8]:
    """Photos in :data:`LIT` lights, the first of them as it is [LIT, R, 3, S, S], on disk."""
    shape = (LIT, len(records), 3, side_px, side_px)
    found = np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, shape)
    for first in range(0, len(records), _BATCH):
        rng = random.Random(f"{seed}/{first}")
        rows = slice(first, first + _BATCH)
        pictures = [small(r.picture(), side_px) for r in records[rows]]
        for light in range(LIT):
            lit = [another_light(p, rng) for p in pictures] if light else pictures
            found[light, rows] = np.rint(to_pixels(lit, side_px)[:, 0] * 128 + 127)
        progress("pixels", min(first + _BATCH, len(records)), len(records))
    return found


def _learned(model: MiniGPT) -> dict[str, Tensor]:
    parts = ("tower.", "details.")
    return {k: v for k, v in model.state_dict().items() if k.startswith(parts)}
