"""What MiniGPT learns of real grocery photos.

    python -m bench.minigpt [--seeds 1 2 3] [--folds] [--epochs N] [--out DIR] [--json]

Trains on the data set's 864 photos and judges on its 100 validation photos, a line a seed: SKU, whole captions,
calibration, in fp32 and int8. With ``--folds`` it trains on two thirds of the 864 and judges on the rest, in
three folds that keep a SKU's photos of like surroundings together: the figures to choose by. The folder of the
data set is ``$WAREVISION_GROCERY``, else ``../shared/data/grocery`` beside the project. Wants torch, and a quarter
of an hour a model on two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.recognition import data_folder
from inference import bundles
from inference.decided import folds_by_look
from inference.minigpt.pixels import to_pixels
from inference.minigpt.towers import Lite0Tower
from inference.training.course import SIDE_PX, Course, train
from inference.training.recipe import Recipe
from inference.training.snapshot import Record, Snapshot, read_snapshot

FOLDS = 3
COLUMNS = ("top_1", "top_5", "ece", "auroc", "coverage_98", "decoder_top_1", "head_top_1")
COLUMNS += ("category", "spec", "quantity", "condition", "caption", "bleu_4", "rouge_l", "cider")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.minigpt", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--folds", action="store_true", help="cross-validate on the 864 instead")
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    parser.add_argument("--views", type=int, default=Recipe().views)
    parser.add_argument("--side", type=int, default=SIDE_PX, help="without a base")
    parser.add_argument(
        "--from-nothing", action="store_true", help="from ImageNet instead of the shipped base"
    )
    parser.add_argument("--out", type=Path, help="keep the models there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    whole = read_snapshot(data_folder())
    snapshots = folds(whole) if options.folds else {"val": whole}
    base = None if options.from_nothing else bundles.base()
    rows = []
    with tempfile.TemporaryDirectory(prefix="warevision-minigpt-") as scratch:
        for name, snapshot in snapshots.items():
            for seed in options.seeds:
                out = (options.out or Path(scratch)) / f"{name}-{seed}"
                recipe = Recipe(epochs=options.epochs, views=options.views, seed=seed)
                course = Course(recipe, base=base, joint=True, side=options.side)
                report = train(snapshot, out, course)
                for precision in ("val", "val_int8"):
                    if precision in report:
                        kind = "int8" if precision == "val_int8" else "fp32"
                        row = {"photos of": name, "seed": seed, "engine": kind}
                        rows.append(row | {"s": report["seconds"]} | report[precision])
                        show(rows[-1], as_json=options.json)
    return 0


def show(row: dict[str, Any], *, as_json: bool) -> None:
    """Print one line at once: the next may take long."""
    if as_json:
        print(json.dumps(row), flush=True)
        return
    said = "  ".join(f"{name} {row[name]:.3f}" for name in COLUMNS if name in row)
    print(f"{row['photos of']} seed {row['seed']} {row['engine']} {row['s']} s  {said}", flush=True)


def folds(snapshot: Snapshot) -> dict[str, Snapshot]:
    """The training photos in three parts, each held out once."""
    records = list(snapshot.splits["train"])
    fold = surroundings(records)
    return {
        f"fold{k}": Snapshot(
            {
                "train": tuple(r for r, f in zip(records, fold, strict=True) if f != k),
                "val": tuple(r for r, f in zip(records, fold, strict=True) if f == k),
            },
            snapshot.catalog,
        )
        for k in range(FOLDS)
    }


@torch.no_grad()
def surroundings(records: Sequence[Record]) -> NDArray[np.intp]:
    """The fold of each photo [R]: a SKU's photos, looked at whole, in as many clusters as folds."""
    tower = Lite0Tower(SIDE_PX).eval()
    tower.load_imagenet()
    seen = []
    for record in records:
        pixels = torch.from_numpy(to_pixels([record.picture()], SIDE_PX)[0])
        cells = tower.tail(tower.stem(pixels))
        pooled = cells[0].clamp(min=1e-6).pow(3).mean(dim=0).pow(1 / 3)
        seen.append((pooled / pooled.norm()).numpy())
    return folds_by_look(np.stack(seen), [record.sku or "" for record in records], FOLDS)


if __name__ == "__main__":
    sys.exit(main())
