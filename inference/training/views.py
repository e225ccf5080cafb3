"""Augmented views of photos, as a tower's stem sees them, computed once and kept on disk."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from inference.minigpt.model import MiniGPT
from inference.minigpt.pixels import to_pixels
from inference.minigpt.towers import Tower, each_look

from .augment import another_light, another_view, covered, cut_out, moved, staged
from .export import frozen_stem
from .snapshot import Record

_STEM_BATCH = 8
_AROUND = 64
"""Photos whose surroundings are lent to others."""
_NOWHERE = Image.new("RGB", (64, 64), (127, 127, 127))
_MOVED, _COVERED = 0.35, 0.15
"""Shares of views."""

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model goes on from: stems of looks [B, K, …] and, where the tower does not learn, the
    cells [B, K, N, C] that its tail makes of them."""

    stems: Tensor
    cells: Tensor | None

    def to(self, device: torch.device) -> Seen:
        """The same on ``device``."""
        return Seen(self.stems.to(device), None if self.cells is None else self.cells.to(device))


class Views:
    """Stems (and cells) of the views of R records in ``folder``, in half floats: [V, R, K, …].

    They are written once: :attr:`done` records of them are there already when the folder is opened
    again.
    """

    def __init__(
        self,
        folder: Path,
        views: int,
        records: int,
        stem: Sequence[int],
        cells: Sequence[int] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._mark = folder / "done"
        self.done = int(self._mark.read_text()) if self._mark.is_file() else 0
        self._stems = self._open(folder / "stems.npy", (views, records, *stem))
        self._cells = self._open(folder / "cells.npy", (views, records, *cells)) if cells else None

    def _open(self, path: Path, shape: tuple[int, ...]) -> NDArray[np.float16]:
        if self.done and path.is_file():
            return np.lib.format.open_memmap(path, "r+")
        self.done = 0
        if not shape[1]:
            return np.zeros(shape, np.float16)
        return np.lib.format.open_memmap(path, "w+", np.float16, shape)

    def put(self, view: int, first: int, seen: Seen) -> None:
        """Keep what was ``seen`` in one view of the records from ``first`` on."""
        rows = slice(first, first + len(seen.stems))
        self._stems[view, rows] = seen.stems.numpy()
        if self._cells is not None and seen.cells is not None:
            self._cells[view, rows] = seen.cells.numpy()

    def mark(self, done: int) -> None:
        """All views of the first ``done`` records are kept."""
        self._mark.write_text(str(done))
        self.done = done

    def get(self, view: NDArray[np.intp], rows: NDArray[np.intp]) -> Seen:
        """A ``view`` of each of ``rows``."""
        stems = torch.from_numpy(self._stems[view, rows].astype(np.float32))
        if self._cells is None:
            return Seen(stems, None)
        return Seen(stems, torch.from_numpy(self._cells[view, rows].astype(np.float32)))

    @torch.no_grad()
    def look_again(self, tower: Tower) -> None:
        """Keep what the fork of ``tower`` sees now."""
        device = next(tower.parameters()).device
        for view, rows in itertools.product(range(len(self._stems)), _batches(self.done)):
            seen = self.get(np.asarray(view), rows).to(device)
            now = Seen(each_look(tower.look_again, seen.stems), None)
            self.put(view, int(rows[0]), now.to(torch.device("cpu")))


def _batches(count: int) -> Iterator[NDArray[np.intp]]:
    for first in range(0, count, _STEM_BATCH):
        yield np.arange(first, min(first + _STEM_BATCH, count))


@torch.no_grad()
def see_views(
    model: MiniGPT,
    records: Sequence[Record],
    folder: Path,
    *,
    views: int,
    seed: int,
    keep_cells: bool,
    progress: Progress,
) -> Views:
    """Draw ``views`` of each record (the first of a photo as it is) and keep what the stem of the
    model's tower makes of them, with the tail's cells if ``keep_cells``."""
    model.eval()
    side, looks = model.config.side_px, model.config.looks
    stem = frozen_stem(model.tower, side)
    one = stem(torch.zeros(1, 3, side, side))
    cells = (len(looks), *model.tower.tail(one).shape[1:]) if keep_cells else None
    kept = Views(folder, views, len(records), (len(looks), *one.shape[1:]), cells)
    photos = [r for r in records if not r.studio]
    some = random.Random(seed).sample(photos, min(_AROUND, len(photos)))
    around = [] if kept.done == len(records) else [small(r.picture(), side) for r in some]
    for first in range(kept.done - kept.done % _STEM_BATCH, len(records), _STEM_BATCH):
        rng = random.Random(f"{seed}/{first}")  # of its own, so that it can be gone on from here
        part = records[first : first + _STEM_BATCH]
        pictures = [small(r.picture(), side) for r in part]
        pictures = [cut_out(p) if r.studio else p for r, p in zip(part, pictures, strict=True)]
        for view in range(views):
            drawn = [
                p if view == 0 and not r.studio else draw_view(p, around, r, rng)
                for r, p in zip(part, pictures, strict=True)
            ]
            stems = each_look(stem, torch.from_numpy(to_pixels(drawn, side, looks)))
            tail = each_look(model.tower.tail, stems) if keep_cells else None
            kept.put(view, first, Seen(stems, tail))
        kept.mark(min(first + _STEM_BATCH, len(records)))
        progress("views", kept.done, len(records))
    return kept


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
