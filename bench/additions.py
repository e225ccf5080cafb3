"""A site takes up new SKUs: what a LoRA learns of them from a few photos, and what is forgotten.

    python -m bench.additions [--shots 5 10 20] [--remember 20] [--seed 1] [--out DIR] [--json]

Seven of the grocery data set's SKUs are held out, the others taught, from the shipped base where there is one. Then
the seven are added with so many photos each, and no fewer than ``--remember`` of each old SKU beside them; rare SKUs
weigh as much as frequent ones. Judged on the validation photos, new and old apart, among all SKUs; beside them stands
what was said of the old ones before, with the new ones in the catalog (``old_untaught``) and without. The folder of the
data set is ``$WAREVISION_GROCERY``, else ``../shared/data/grocery`` beside the project. Wants torch, and an hour
on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.recognition import data_folder
from inference import bundles
from inference.evidence.openset import auroc
from inference.minigpt.reading import Reader
from inference.training.course import Course, train
from inference.training.judge import judge, see
from inference.training.recipe import Recipe
from inference.training.snapshot import Record, Snapshot, read_snapshot

NEW = 7
COLUMNS = ("shots", "new", "new_top_5", "old", "old_untaught", "old_before", "s")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.additions", description=__doc__)
    parser.add_argument("--shots", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--remember", type=int, default=20, help="photos of each old SKU, at least")
    parser.add_argument("--epochs", type=int, default=12, help="of what is known before")
    parser.add_argument("--lora-epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the models there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    whole = read_snapshot(data_folder())
    rng = random.Random(options.seed)
    new = set(rng.sample(sorted(whole.catalog), NEW))
    old = set(whole.catalog) - new
    base = bundles.base()
    with tempfile.TemporaryDirectory(prefix="warevision-additions-") as scratch:
        root = options.out or Path(scratch)
        recipe = Recipe(epochs=options.epochs, seed=options.seed)
        taught(only(whole, old), root / "before", recipe, base, joint=True)
        before = judged(root / "before", only(whole, old))
        untaught = judged(root / "before", whole, old)
        unknown = told_apart(root / "before", whole, only(whole, old))
        print(json.dumps(unknown) if options.json else f"unknown SKUs told: {unknown}", flush=True)
        for shots in options.shots:
            began = time.perf_counter()
            out = root / f"shots-{shots}"
            recipe = Recipe(epochs=options.lora_epochs, balance=1.0, seed=options.seed)
            shown = dict.fromkeys(old, max(shots, options.remember)) | dict.fromkeys(new, shots)
            taught(
                few(whole, shown, random.Random(shots)), out, recipe, root / "before", joint=False
            )
            found = judged(out, whole, new)
            row = {
                "shots": shots,
                "new": found["top_1"],
                "new_top_5": found["top_5"],
                "old": judged(out, whole, old)["top_1"],
                "old_untaught": untaught["top_1"],
                "old_before": before["top_1"],
                "s": round(time.perf_counter() - began),
            }
            said = "  ".join(f"{name} {row[name]}" for name in COLUMNS)
            print(json.dumps(row) if options.json else said, flush=True)
    return 0


def taught(
    snapshot: Snapshot, out: Path, recipe: Recipe, base: Path | None, *, joint: bool
) -> None:
    """Train on ``snapshot``, without a look at the validation photos."""
    unseen = Snapshot({"train": snapshot.splits["train"]}, snapshot.catalog)
    train(unseen, out, Course(recipe, base=base, joint=joint))


def judged(model: Path, snapshot: Snapshot, codes: Collection[str] | None = None) -> dict[str, Any]:
    """The figures of ``model`` on the validation photos, of ``codes`` where given, among all SKUs of
    the catalog."""
    records = [r for r in snapshot.splits["val"] if codes is None or r.sku in codes]
    return judge(Reader.open(model, "onnx"), records, snapshot.catalog)


def told_apart(model: Path, whole: Snapshot, known: Snapshot) -> dict[str, float]:
    """How well photos of SKUs outside the catalog of ``known`` are told from those inside it, by what
    a model gives the best of its SKUs (area under the ROC curve)."""
    reader, codes = Reader.open(model, "onnx"), sorted(known.catalog)
    records = whole.splits["val"]
    log_p = [reader.sku_log_p(sight, codes).max() for sight in see(reader, records)]
    inside = np.array([r.sku in known.catalog for r in records])
    return {"auroc": round(auroc(np.array(log_p), inside), 4), "photos": len(records)}


def only(snapshot: Snapshot, codes: Collection[str]) -> Snapshot:
    """The photos and the catalog of ``codes``."""
    return Snapshot(
        {s: tuple(r for r in rows if r.sku in codes) for s, rows in snapshot.splits.items()},
        {code: entry for code, entry in snapshot.catalog.items() if code in codes},
    )


def few(snapshot: Snapshot, shots: Mapping[str, int], rng: random.Random) -> Snapshot:
    """At most so many training photos of each SKU as ``shots`` says."""
    by_sku: dict[str, list[Record]] = {}
    for record in snapshot.splits["train"]:
        by_sku.setdefault(record.sku or "", []).append(record)
    some = [
        r
        for sku, rows in sorted(by_sku.items())
        for r in rng.sample(rows, min(shots.get(sku, 0), len(rows)))
    ]
    return Snapshot({**snapshot.splits, "train": tuple(some)}, snapshot.catalog)


if __name__ == "__main__":
    sys.exit(main())
