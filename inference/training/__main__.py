"""Teach a MiniGPT the captions of a snapshot::

    python -m inference.training --snapshot DIR --out DIR [--base DIR [--joint]]

``OUT`` then holds ``model/`` (safetensors, for the Auto classes of transformers), ``onnx/`` (the graphs that
inference runs), ``vocabulary.json``, ``calibration.json`` (what its confidence is divided by, from the ``val``
split), ``report.json`` (what it makes of that split) and
``progress.jsonl``, which grows while it works. ``--base`` is such a folder to go on from: what is learned is
then also written as a LoRA in ``adapter/``, unless everything is to move (``--joint``). Without one the picture
encoder starts from ImageNet and the rest from nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from inference.minigpt.bundle import seal
from inference.minigpt.model import MiniGPT, MiniGPTConfig
from inference.minigpt.reading import Reader, name_of
from inference.minigpt.towers import Lite0Tower
from inference.minigpt.vocabulary import Vocabulary

from .acuity import acuity
from .export import export_onnx
from .fit import Recipe, fit
from .judge import calibrated, codes_of, judge
from .lora import adapted, merged, save_adapter
from .quantize import quantize_model
from .snapshot import Record, Snapshot, SnapshotError, read_snapshot, units_of

_DEFAULT = Recipe()
SIDE_PX = 256
LOOKS = (1.0, 0.6)
_FEWEST_UNSEEN = 10
_MOST_UNSEEN = 400
"""Photos to calibrate on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference.training", description=__doc__)
    parser.add_argument(
        "--snapshot", type=Path, required=True, help="a data set with a train split"
    )
    parser.add_argument("--base", type=Path, help="an earlier --out to go on from")
    parser.add_argument("--joint", action="store_true", help="move all of --base's weights")
    parser.add_argument(
        "--general",
        action="store_true",
        help="learn no SKUs by heart and leave the picture encoder alone: a base to go on from",
    )
    parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    parser.add_argument("--epochs", type=int, default=_DEFAULT.epochs)
    parser.add_argument("--views", type=int, default=_DEFAULT.views, help="of each photo")
    parser.add_argument(
        "--side", type=int, default=SIDE_PX, help="of each look in pixels, without --base"
    )
    parser.add_argument(
        "--looks",
        type=shares,
        default=LOOKS,
        help="at each photo, as shares of its sides, without --base (1,0.6)",
    )
    parser.add_argument("--seed", type=int, default=_DEFAULT.seed)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help="one machine-readable result line")
    options = parser.parse_args(argv)
    if options.out.exists() and any(options.out.iterdir()):
        parser.error(f"{options.out} is not empty; name a new folder")
    if min(options.epochs, options.views, options.threads) < 1 or options.side % 32:
        parser.error("--epochs, --views and --threads are 1 or more, --side a multiple of 32")
    torch.set_num_threads(options.threads)
    recipe = Recipe(
        epochs=options.epochs,
        views=options.views,
        seed=options.seed,
        hold_tower=options.general,
    )
    try:
        report = train(
            read_snapshot(options.snapshot),
            options.out,
            recipe,
            base=options.base,
            joint=options.joint,
            general=options.general,
            side=options.side,
            looks=options.looks,
        )
    except (SnapshotError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    figures = report["unseen" if options.general else "val"]
    if options.json:
        print(json.dumps({"ok": True, "out": str(options.out), **figures}))
    else:
        print(json.dumps(figures, indent=1))
    return 0


def train(
    snapshot: Snapshot,
    out: Path,
    recipe: Recipe,
    *,
    base: Path | None,
    joint: bool,
    side: int,
    looks: Sequence[float],
    general: bool = False,
) -> dict[str, Any]:
    """Train, calibrate, judge and write everything into ``out``; answers the report."""
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    records, unseen = held_out(snapshot)
    pictures = records if general else [*records, *snapshot.references()]
    classes = [] if general else sorted({r.sku for r in pictures if r.sku})
    torch.manual_seed(recipe.seed)
    vocabulary, model = _start(base, classes, side, looks)
    lora = adapted(model) if base and not joint else None
    with (out / "progress.jsonl").open("w", encoding="utf-8") as log:
        bars: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            line = {
                "stage": stage,
                "done": done,
                "of": total,
                "s": round(time.monotonic() - began, 1),
            }
            log.write(json.dumps(line) + "\n")
            log.flush()
            bar = bars.setdefault(
                stage, tqdm(desc=stage, total=total, disable=not sys.stderr.isatty())
            )
            bar.update(done - bar.n)

        losses = fit(model, vocabulary, pictures, snapshot.catalog, recipe, progress)
    if lora is not None:
        save_adapter(lora, out / "adapter")
        model = merged(lora)
    model.save_pretrained(out / "model")
    export_onnx(model, out / "onnx")
    _write(out / "vocabulary.json", vocabulary.to_json())
    facts: dict[str, Any] = {"units": units_of(pictures), "photos": len(unseen[:_MOST_UNSEEN])}
    _write(out / "calibration.json", {**facts, "temperatures": {}, "sku_weights": {}})
    reader = Reader.open(out, "onnx", threads=torch.get_num_threads())
    some = unseen[:_MOST_UNSEEN]
    _write(out / "calibration.json", facts | calibrated(reader, some, snapshot.catalog))
    codes = codes_of(records, snapshot.catalog)
    int8 = quantize_model(out, records, codes)
    val = snapshot.splits.get("val", unseen)
    reader = Reader.open(out, "onnx")
    report: dict[str, Any] = {
        "recipe": asdict(recipe),
        "photos": {split: len(rows) for split, rows in snapshot.splits.items()},
        "base": name_of(base) if base else None,
        "method": "lora" if lora else "joint",
        "classes": len(model.config.classes),
        "parameters": sum(p.numel() for p in model.parameters()),
        "losses": [round(loss, 4) for loss in losses],
        "int8": int8,
    }
    readers = {"": reader} | ({"_int8": Reader.open(out, "onnx-int8")} if int8["kept"] else {})
    for kind, one in readers.items():
        if general:
            report[f"unseen{kind}"] = acuity(
                one, snapshot.splits.get("test", val), snapshot.catalog
            )
        else:
            report[f"val{kind}"] = judge(one, val, snapshot.catalog)
    report["seconds"] = round(time.monotonic() - began)
    _write(out / "report.json", report)
    seal(out)
    return report


def held_out(snapshot: Snapshot) -> tuple[list[Record], list[Record]]:
    """The photos to learn from, and those to calibrate on: the ``val`` split or, where there is none
    or next to none, some of the ``train`` split."""
    records, unseen = list(snapshot.splits["train"]), list(snapshot.splits.get("val", ()))
    if len(unseen) < _FEWEST_UNSEEN and len(records) > _FEWEST_UNSEEN:
        step = max(2, min(10, len(records) // _FEWEST_UNSEEN))
        unseen += records[::step]
        del records[::step]
    return records, unseen


def _write(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


def shares(text: str) -> tuple[float, ...]:
    """The numbers of ``1,0.6``. Raises ValueError unless each is above 0 and at most 1."""
    found = tuple(float(part) for part in text.split(","))
    if not all(0 < share <= 1 for share in found):
        raise ValueError(text)
    return found


def _start(
    base: Path | None, classes: list[str], side: int, looks: Sequence[float]
) -> tuple[Vocabulary, MiniGPT]:
    """The vocabulary and model to go on from, with a class head for ``classes``."""
    if base is None:
        vocabulary = Vocabulary.default()
        config = MiniGPTConfig(
            vocabulary_size=len(vocabulary), side_px=side, looks=looks, classes=classes
        )
        model = MiniGPT(config)
        assert isinstance(model.tower, Lite0Tower)
        model.tower.load_imagenet()
        return vocabulary, model
    vocabulary = Vocabulary.from_json(json.loads((base / "vocabulary.json").read_text("utf-8")))
    known = MiniGPT.from_pretrained(base / "model", dtype=torch.float32)
    model = MiniGPT(MiniGPTConfig(**{**known.config.to_dict(), "classes": classes}))
    weights = {k: v for k, v in known.state_dict().items() if not k.startswith("heads.sku.")}
    model.load_state_dict(weights, strict=False)
    return vocabulary, model


if __name__ == "__main__":
    sys.exit(main())
